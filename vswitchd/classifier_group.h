/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_group - up to 64 tuples, and filters that tell most of them from those that may match.
 *
 * A filter looks at one word of a flow under one mask.  Its slots, chosen by the hash of these bits,
 * are sets of tuples: bit i is set if tuple i has a rule with such bits.  The intersection over all
 * filters leaves the candidates, and whatever a filter leaves out needs no more proof than the
 * filter's mask.  So a lookup costs a few independent loads and about one hash probe, however many
 * masks there are; and what was consulted is narrower than the masks of all tuples.
 *
 * Which filters to build is measured on the rules themselves when the group is made: those that leave
 * out most tuples of flows like the rules.  Bits are set when rules come but stay when they go; the
 * classifier makes the groups anew when they have worn out.  Tuples stand in the order of their best
 * ranks then, so that a search can stop early; 'bounds' keep that right when the ranks change.
 *
 * Threads  Changes by the classifier's writer; cls_group_lookup() on RCU readers, concurrently.
 * Memory   About 16 bytes a rule in filters.  Tuples are borrowed. */

#include <stdatomic.h>

#include "lib/rcu.h"
#include "vswitchd/classifier_tuple.h"

enum { CLS_GROUP_MAX_TUPLES = 64, CLS_GROUP_MAX_FILTERS = 8 };

struct cls_filter {
    uint64_t mask;
    uint64_t users; /* Tuples whose masks have all bits of 'mask'. */
    _Atomic(uint64_t) *slots;
    uint8_t word;
    uint8_t shift; /* 64 - log2 of the number of slots. */
};

struct cls_group {
    uint32_t n_filters;
    _Atomic(uint32_t) n_tuples;
    struct cls_filter filters[CLS_GROUP_MAX_FILTERS]; /* Those with the fewest bits first. */
    _Atomic(cls_rank) ranks[CLS_GROUP_MAX_TUPLES];    /* Of the best rule of each tuple. */
    _Atomic(cls_rank) bounds[CLS_GROUP_MAX_TUPLES];   /* The maximum of 'ranks' from here on. */
    struct cls_tuple *_Atomic tuples[CLS_GROUP_MAX_TUPLES];

    struct rcu_head rcu;
};

/* What a lookup has found so far. */
struct cls_best {
    struct cls_rule *rule;
    cls_rank rank; /* 0: nothing. */
};

/* Of 'n' tuples by falling rank. */
struct cls_group *cls_group_create(struct cls_tuple *const *tuples, uint32_t n);
void cls_group_destroy(struct cls_group *group);
void cls_group_destroy_later(struct cls_group *group); /* After a grace period. */

/* Adds a tuple that no filter knows.  False: the group is full. */
bool cls_group_append(struct cls_group *group, struct cls_tuple *tuple);

/* Lets the filters know 'rule', before it is inserted. */
void cls_group_note_rule(struct cls_group *group, const struct cls_tuple *tuple,
                         const struct cls_rule *rule);

/* After the best rank of 'tuple' changed.  True if the order is worse for it. */
bool cls_group_note_rank(struct cls_group *group, const struct cls_tuple *tuple);

/* Improves 'best'.  Adds to 'consulted' (unless NULL) why no better rule of the group matches. */
void cls_group_lookup(const struct cls_group *group, uint64_t version, const uint64_t *words,
                      struct cls_best *best, uint64_t *consulted);
