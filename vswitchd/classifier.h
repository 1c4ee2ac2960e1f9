/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier - of the rules that match this flow, which has the highest priority?
 *
 * A lookup also tells which bits of the flow it had to look at: every flow that is equal in those
 * bits gets the same answer, which is what makes the answer cacheable under that mask.
 *
 * Rules are versioned: a rule is seen by lookups whose version lies in [added_in, removed_in).  A
 * writer prepares any number of changes for version n + 1 and publishes them all by raising the
 * version that lookups use.
 *
 * Two rules of equal priority that both match: which one wins is undefined, as in OpenFlow (1.3.5
 * section 5.3), but it is the same one until the rules change.
 *
 * Threads  One writer at a time; lookups on any RCU reader (liburcu QSBR), concurrently.
 * Memory   Rules belong to the caller, who keeps them for a grace period after classifier_remove().  In
 *          memory of its own a rule has the masked flow only; rules of one mask share that.
 *          The classifier needs 20 to 100 bytes a rule, and 2 KB a mask in tables of many masks.
 * Time     Changes take constant time on average, but one that makes the filters anew half a
 *          microsecond for each rule; and the rules of one match are a list by priority, of which a
 *          change walks one in 32.
 * Bound    Masks stand in groups of 64.  A lookup costs at most 24 loads a group, and hash probes of masks that have a
 *          rule for the flow, up to the best; beyond these about 16 in all, and those of masks whose several rules
 *          agree with the flow in one byte each but none as a whole (classifier_vectors.h).  So a set of rules with a
 *          mask each, however they are chosen, costs some 20 probes and not one for each mask:
 *          tests/unit/vswitchd/classifier_probes_test.c counts them for thousands of masks drawn at random and for products of
 *          prefixes.  A mask more takes constant time, too, whatever masks there are. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/match.h"
#include "lib/rcu.h"

#define CLASSIFIER_VERSION_NEVER UINT64_MAX

/* The first half of a minimatch, for all its rules. */
struct cls_mask {
    _Atomic(uint32_t) n_references;
    uint32_t n_words;
    uint64_t word_set;
    uint64_t words[];
};

/* As the last member of something bigger: what the flow needs follows. */
struct cls_rule {
    union {
        struct {                           /* The classifier's. */
            struct cls_tuple *tuple;       /* NULL: in no classifier. */
            struct cls_rule *next_station; /* As 'next', some dozens of rules further. */
        };
        struct rcu_head rcu; /* The owner's, once it is in none any more. */
    };
    struct cls_mask *mask; /* A reference. */
    uint32_t hash;         /* The classifier's. */
    uint32_t priority;
    _Atomic(uint64_t) added_in;
    _Atomic(uint64_t) removed_in; /* CLASSIFIER_VERSION_NEVER while it lives. */
    struct cls_rule
        *_Atomic next; /* The classifier's.  Same masked flow, lower or equal priority. */
    uint64_t words[];  /* The masked flow; as many as the mask has. */
};

static inline bool cls_rule_is_visible(const struct cls_rule *rule, uint64_t version)
{
    return atomic_load_explicit(&rule->added_in, memory_order_relaxed) <= version &&
           version < atomic_load_explicit(&rule->removed_in, memory_order_relaxed);
}

/* Bytes that a rule for 'match' needs behind its end. */
size_t cls_rule_words_bytes(const struct match *match);

/* 'priority' is less than UINT32_MAX. */
void cls_rule_init(struct cls_rule *rule, const struct match *match, uint32_t priority);
void cls_rule_fini(struct cls_rule *rule); /* It must be in no classifier. */

/* What it was initialized with. */
void cls_rule_expand(const struct cls_rule *rule, struct match *match);

/* The same of a match that is any, without writing its zeros, and back. */
void cls_rule_fill(const struct cls_rule *rule, struct match *match);
void cls_rule_clear(const struct cls_rule *rule, struct match *match);

struct classifier;

struct classifier *classifier_create(void);
void classifier_destroy(struct classifier *cls); /* Must be empty; no readers left. */

/* Makes 'rule' visible from 'version' on. */
void classifier_insert(struct classifier *cls, struct cls_rule *rule, uint64_t version);

/* Takes 'rule' out physically.  Lookups under way may still return it. */
void classifier_remove(struct classifier *cls, struct cls_rule *rule);

/* The same for many: of a mask that loses all its rules the table is given up as a whole. */
void classifier_remove_all(struct classifier *cls, struct cls_rule *const *rules, size_t n_rules);

uint32_t classifier_n_rules(const struct classifier *cls);
uint32_t classifier_n_masks(const struct classifier *cls);

/* The best visible rule for 'flow', or NULL.  Adds to 'consulted' (unless NULL) every bit the answer
 * depends on. */
struct cls_rule *classifier_lookup(const struct classifier *cls, uint64_t version,
                                   const struct flow *flow, struct flow *consulted);

/* Calls 'each' for every visible rule that matches 'flow', in any order.  Adds to 'consulted' (unless NULL)
 * every bit that any rule looks at. */
void classifier_each_match(const struct classifier *cls, uint64_t version, const struct flow *flow,
                           struct flow *consulted, void (*each)(struct cls_rule *rule, void *arg),
                           void *arg);

/* The visible rule with exactly this match and priority, or NULL.  Writer only. */
struct cls_rule *classifier_find(struct classifier *cls, uint64_t version,
                                 const struct match *match, uint32_t priority);

/* A visible rule of 'priority' that some flow in 'match' would also match, or NULL. */
struct cls_rule *classifier_find_overlap(const struct classifier *cls, uint64_t version,
                                         const struct match *match, uint32_t priority);

/* Calls 'each' for every rule, visible or not, whose flows all lie in 'match' (NULL: for every rule),
 * until it returns false.  'each' may remove the rule it is given.  Rules whose masks lack a bit of the match are
 * not looked at, and those of its very mask are found at once.  Writer only. */
void classifier_each(struct classifier *cls, const struct match *match,
                     bool (*each)(struct cls_rule *rule, void *arg), void *arg);
