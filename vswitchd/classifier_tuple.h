/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_tuple - all rules of one mask, in a hash table of their masked flows.
 *
 * Open addressing over 8-byte entries: a pointer to the first rule of a chain, with 16 bits of its hash
 * in the bits that user-space pointers leave free, so that a miss costs one cache line and a hit
 * reads no rule but the right one.  Rules of one masked flow form a chain by falling priority.
 *
 * Threads  Changes by the classifier's writer; readers look into 'table' concurrently, under RCU.
 * Memory   Rules are the caller's.  Tables that are outgrown are freed after a grace period. */

#include <stdatomic.h>
#include <uthash.h>

#include "lib/rcu.h"
#include "vswitchd/classifier.h"
#include "vswitchd/classifier_hash.h"
#include "vswitchd/classifier_priorities.h"

/* A priority plus 1; 0 is less than any rule's. */
typedef uint32_t cls_rank;

enum { CLS_ENTRY_EMPTY = 0, CLS_ENTRY_REMOVED = 1, CLS_ENTRY_TAG_SHIFT = 48 };
#define CLS_ENTRY_POINTER ((UINT64_C(1) << CLS_ENTRY_TAG_SHIFT) - 1)

struct cls_table {
    struct rcu_head rcu;
    uint32_t capacity; /* Power of two. */
    uint32_t shift;    /* 32 - log2(capacity): the top bits of a hash are the place to start. */
    _Atomic(uint64_t) entries[];
};

struct cls_tuple {
    /* Readers'. */
    struct cls_table *_Atomic table;
    uint32_t n_words;
    uint8_t words[64]; /* Indexes into struct flow; of the masks below. */
    uint64_t word_set; /* This and the masks are the tuple's key, as in a minimatch. */
    uint64_t masks[FLOW_WORDS];

    /* The writer's. */
    struct cls_mask *mask; /* A reference; rules get theirs from here. */
    struct cls_priorities priorities;
    uint32_t n_keys;    /* Chains. */
    uint32_t n_removed; /* Entries CLS_ENTRY_REMOVED. */
    uint32_t n_rules;
    uint32_t n_leaving; /* classifier_remove_all()'s. */
    struct cls_group *group;
    uint32_t position; /* In the group. */
    UT_hash_handle by_mask;
    struct rcu_head rcu;
};
static_assert(FLOW_WORDS <= 64, "words[] has room");

static inline struct cls_rule *cls_entry_rule(uint64_t entry)
{
    return (struct cls_rule *)(uintptr_t)(entry & CLS_ENTRY_POINTER);
}

/* Of an entry that is a rule; never 0. */
static inline uint64_t cls_entry_tag(uint32_t hash)
{
    return (uint16_t)hash | 1;
}

static inline bool cls_entry_is_rule(uint64_t entry)
{
    return entry > CLS_ENTRY_REMOVED;
}

static inline cls_rank cls_rule_rank(const struct cls_rule *rule)
{
    return rule->priority + 1;
}

/* For the writer's walks: the first rule of the chain at place 'i', or NULL.  Loads what comes next,
 * as each rule is a cache miss in a large table. */
static inline struct cls_rule *cls_table_chain(const struct cls_table *table, uint32_t i)
{
    enum { RULES_AHEAD = 16 };

    if (i + RULES_AHEAD < table->capacity) {
        uint64_t ahead = atomic_load_explicit(&table->entries[i + RULES_AHEAD],
                                              memory_order_relaxed);
        uintptr_t rule =
            (uintptr_t)cls_entry_rule(ahead); /* NULL, often: no pointer to count from. */
        __builtin_prefetch((const void *)rule);
        __builtin_prefetch((const void *)(rule + 64));
    }
    uint64_t entry = atomic_load_explicit(&table->entries[i], memory_order_relaxed);
    return cls_entry_is_rule(entry) ? cls_entry_rule(entry) : NULL;
}

/* The first rule of 'chain' that 'version' sees, or NULL. */
static inline struct cls_rule *cls_chain_visible(struct cls_rule *chain, uint64_t version)
{
    while (chain && !cls_rule_is_visible(chain, version))
        chain = atomic_load_explicit(&chain->next, memory_order_acquire);
    return chain;
}

void cls_mask_put(struct cls_mask *mask); /* Any thread. */

struct cls_tuple *cls_tuple_create(struct cls_mask *mask);
void cls_tuple_destroy(struct cls_tuple *tuple);       /* Must be empty; no readers left. */
void cls_tuple_destroy_later(struct cls_tuple *tuple); /* The same, after a grace period. */

/* True if no rule had this masked flow before. */
bool cls_tuple_insert(struct cls_tuple *tuple, struct cls_rule *rule);

/* True if no rule has this masked flow any more. */
bool cls_tuple_remove(struct cls_tuple *tuple, struct cls_rule *rule);

/* Removes all rules, which are told by the caller that they are in none. */
void cls_tuple_clear(struct cls_tuple *tuple);

/* Makes the table as small as its rules allow. */
void cls_tuple_trim(struct cls_tuple *tuple);

/* Of the rules with exactly this flow, under the tuple's mask: the first one that has no higher priority,
 * or NULL. */
struct cls_rule *cls_tuple_find(const struct cls_tuple *tuple, const uint64_t *masked,
                                uint32_t priority);

cls_rank cls_tuple_max_rank(const struct cls_tuple *tuple); /* 0 if it is empty. */
