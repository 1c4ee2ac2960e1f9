/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_tuple - all rules of one mask, in a hash table of their masked flows.
 *
 * Open addressing over 8-byte entries: a pointer to the first rule of a chain, with 16 bits of its hash
 * in the bits that user-space pointers leave free, so that a miss costs one cache line and a hit
 * reads no rule but the right one.  Rules of one masked flow form a chain by falling priority.
 *
 * Threads  Changes by the classifier's writer; cls_tuple_probe() on RCU readers, concurrently.
 * Memory   Rules are the caller's.  Tables that are outgrown are freed after a grace period. */

#include <stdatomic.h>
#include <uthash.h>

#include "lib/rcu.h"
#include "vswitchd/classifier.h"
#include "vswitchd/classifier_priorities.h"

/* Orders all rules, as no two tuples have the same number: (priority + 1) << 32 | ~number.  So
 * among rules of equal priority that of the older mask wins.  0: no rule at all. */
typedef uint64_t cls_rank;

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
    uint32_t number;
    uint32_t n_words;
    uint8_t words[32]; /* Indexes into struct flow; of the masks below. */
    uint64_t word_set; /* This and the masks are the tuple's key, as in a minimatch. */
    uint64_t masks[FLOW_WORDS];

    /* The writer's. */
    struct cls_priorities priorities;
    uint32_t n_keys;    /* Chains. */
    uint32_t n_removed; /* Entries CLS_ENTRY_REMOVED. */
    uint32_t n_rules;
    struct cls_group *group;
    uint32_t position; /* In the group. */
    UT_hash_handle by_mask;
    struct rcu_head rcu;
};
static_assert(FLOW_WORDS <= 32, "words[] has room");

/* One odd multiplier for each word, from the seed. */
extern uint64_t cls_multipliers[FLOW_WORDS];

/* Independent of the other words of a flow, so that the processor computes several at once.  Products
 * carry upwards only: the high half is added to the low one first, or values that differ in the top
 * bits of two words (as the last bytes of addresses do) would have few different sums. */
static inline uint64_t cls_hash_word(uint64_t value, size_t word)
{
    return (value ^ value >> 32) * cls_multipliers[word];
}

/* Of the sum over the words; the top bits are the best. */
static inline uint64_t cls_hash_finish(uint64_t sum)
{
    return (sum ^ sum >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline struct cls_rule *cls_entry_rule(uint64_t entry)
{
    return (struct cls_rule *)(uintptr_t)(entry & CLS_ENTRY_POINTER);
}

static inline bool cls_entry_is_rule(uint64_t entry)
{
    return (entry & CLS_ENTRY_POINTER) > CLS_ENTRY_REMOVED;
}

static inline cls_rank cls_tuple_rank(const struct cls_tuple *tuple, uint32_t priority)
{
    return ((uint64_t)priority + 1) << 32 | (uint32_t)~tuple->number;
}

/* Masked words of a rule, in order of cls_tuple.words. */
static inline const uint64_t *cls_tuple_rule_words(const struct cls_tuple *tuple,
                                                   const struct cls_rule *rule)
{
    return rule->match->words + tuple->n_words;
}

/* The chain for a flow, or NULL; adds the tuple's mask to 'consulted'. */
static inline struct cls_rule *cls_tuple_probe(const struct cls_tuple *tuple,
                                               const uint64_t *restrict flow,
                                               uint64_t *restrict consulted)
{
    const struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_acquire);
    size_t n_words = tuple->n_words;
    uint64_t masked[FLOW_WORDS];
    uint64_t sum = 0;

    for (size_t i = 0; i < n_words; i++) {
        size_t word = tuple->words[i];
        uint64_t mask = tuple->masks[i];

        masked[i] = flow[word] & mask;
        sum += cls_hash_word(masked[i], word);
        consulted[word] |= mask;
    }

    uint32_t hash = (uint32_t)(cls_hash_finish(sum) >> 32);
    uint64_t places = table->capacity - 1;
    for (uint64_t i = (uint64_t)hash >> table->shift;; i = (i + 1) & places) {
        uint64_t entry = atomic_load_explicit(&table->entries[i], memory_order_acquire);
        struct cls_rule *rule = cls_entry_rule(entry);

        if (entry == CLS_ENTRY_EMPTY)
            return NULL;
        if (entry >> CLS_ENTRY_TAG_SHIFT != (uint16_t)hash || !cls_entry_is_rule(entry))
            continue;

        const uint64_t *rule_words = rule->match->words + n_words;
        uint64_t difference = 0;
        for (size_t w = 0; w < n_words; w++)
            difference |= masked[w] ^ rule_words[w];
        if (!difference)
            return rule;
    }
}

/* The first rule of 'chain' that 'version' sees, or NULL. */
static inline struct cls_rule *cls_chain_visible(struct cls_rule *chain, uint64_t version)
{
    while (chain && !cls_rule_is_visible(chain, version))
        chain = atomic_load_explicit(&chain->next, memory_order_acquire);
    return chain;
}

struct cls_tuple *cls_tuple_create(const struct minimatch *match, uint32_t number);
void cls_tuple_destroy(struct cls_tuple *tuple);       /* Must be empty; no readers left. */
void cls_tuple_destroy_later(struct cls_tuple *tuple); /* The same, after a grace period. */

/* True if no rule had this masked flow before. */
bool cls_tuple_insert(struct cls_tuple *tuple, struct cls_rule *rule);

/* True if no rule has this masked flow any more. */
bool cls_tuple_remove(struct cls_tuple *tuple, struct cls_rule *rule);

/* Makes the table as small as its rules allow. */
void cls_tuple_trim(struct cls_tuple *tuple);

/* The chain of rules with exactly the flow of 'match', whose mask is the tuple's, or NULL. */
struct cls_rule *cls_tuple_find(const struct cls_tuple *tuple, const struct minimatch *match);

cls_rank cls_tuple_max_rank(const struct cls_tuple *tuple); /* 0 if it is empty. */
