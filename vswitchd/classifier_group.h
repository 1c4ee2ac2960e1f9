/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_group - up to 64 tuples, and filters that tell most of them from those that may match.
 *
 * A filter looks at one word of a flow, or two, under masks.  Its slots, chosen by the hash of these
 * bits, are sets of tuples: bit i is set if tuple i has a rule with such bits.  The intersection over all
 * filters leaves the candidates, and whatever a filter leaves out needs no more proof than the
 * filter's mask.  So a lookup costs a few independent loads and about one hash probe, however many
 * masks there are; and what was consulted is narrower than the masks of all tuples.
 *
 * Which filters to build is measured on the rules themselves when the group is made: those that leave
 * out most tuples of flows like the rules.  Bits are set when rules come but stay when they go; the
 * classifier makes the groups anew when they have worn out.  Tuples stand in the order of their best
 * ranks then, so that a search can stop early; 'bounds' keep that right when the ranks change.
 *
 * Where they would leave many tuples, the group has vectors as well (classifier_vectors.h).
 *
 * Threads  Changes by the classifier's writer; cls_groups_lookup() on RCU readers, concurrently.
 * Memory   About 16 bytes a rule in filters, 32 KB in vectors.  Tuples are borrowed. */

#include <stdatomic.h>

#include "lib/rcu.h"
#include "vswitchd/classifier_plan.h"
#include "vswitchd/classifier_tuple.h"
#include "vswitchd/classifier_vectors.h"

enum { CLS_GROUP_MAX_TUPLES = 64, CLS_GROUP_MAX_FILTERS = 8 };

struct cls_filter {
    struct cls_filter_bits bits;
    uint64_t users;           /* Tuples whose masks have all these bits. */
    _Atomic(uint64_t) *words; /* Packed slots, each as wide as the first tuples need. */
    uint32_t log2_width;
    uint32_t shift; /* 32 - log2 of the number of slots. */
};

struct cls_group {
    uint32_t n_filters;
    struct cls_vectors *vectors; /* Owned.  NULL: filters leave few enough. */
    _Atomic(uint32_t) n_tuples;
    struct cls_filter filters[CLS_GROUP_MAX_FILTERS]; /* Those with the fewest bits first. */
    _Atomic(cls_rank) bounds[CLS_GROUP_MAX_TUPLES];   /* The best rank from this tuple on. */
    struct cls_tuple *_Atomic tuples[CLS_GROUP_MAX_TUPLES];

    /* The writer's. */
    uint32_t n_planned; /* Tuples that filters know. */
    uint32_t disorder;  /* Changes that made the order of tuples worse, and how many may. */
    uint32_t disorder_limit;
    struct rcu_head rcu;
};

/* All groups of a classifier. */
struct cls_groups {
    struct rcu_head rcu;
    uint32_t n;
    struct cls_group *groups[]; /* Owned.  By the rank of their first tuples at first. */
};

/* The word that has the slot for 'hash', which begins at '*bit'. */
static inline _Atomic(uint64_t) *cls_filter_word(const struct cls_filter *filter, uint32_t hash,
                                                 uint32_t *bit)
{
    size_t first = (size_t)(hash >> filter->shift) << filter->log2_width;

    *bit = first % 64;
    return &filter->words[first / 64];
}

static inline struct cls_tuple *cls_group_tuple(const struct cls_group *group, size_t i)
{
    return atomic_load_explicit(&group->tuples[i], memory_order_relaxed);
}

static inline cls_rank cls_group_bound(const struct cls_group *group, size_t i)
{
    return atomic_load_explicit(&group->bounds[i], memory_order_relaxed);
}

static inline uint32_t cls_group_n_newcomers(const struct cls_group *group)
{
    return atomic_load_explicit(&group->n_tuples, memory_order_relaxed) - group->n_planned;
}

/* Of 'n' tuples by falling rank. */
struct cls_group *cls_group_create(struct cls_tuple *const *tuples, uint32_t n);
void cls_group_destroy(struct cls_group *group);

/* Adds a tuple that no filter knows.  False: the group is full. */
bool cls_group_append(struct cls_group *group, struct cls_tuple *tuple);

/* Lets the filters know 'rule', before it is inserted. */
void cls_group_note_rule(struct cls_group *group, const struct cls_tuple *tuple,
                         const struct cls_rule *rule);

/* After the best rank of 'tuple' changed.  True if the order is worse for it. */
bool cls_group_note_rank(struct cls_group *group, const struct cls_tuple *tuple);

/* The answer of classifier_lookup(). */
struct cls_rule *cls_groups_lookup(const struct cls_groups *groups, uint64_t version,
                                   const uint64_t *flow, uint64_t *consulted);

/* That of classifier_each_match(). */
void cls_groups_each_match(const struct cls_groups *groups, uint64_t version, const uint64_t *flow,
                           uint64_t *consulted, void (*each)(struct cls_rule *rule, void *arg),
                           void *arg);
