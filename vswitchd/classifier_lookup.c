/* SPDX-License-Identifier: Apache-2.0 */

/* What readers do: filters first, then the tuples they leave, best first, then the reasons why the
 * others cannot match.  Groups without filters have few tuples and are searched one by one. */

#include "vswitchd/classifier_group.h"

#include "lib/annotations.h"

/* A test that counts them defines this. */
#ifndef CLS_NOTE_LOAD
#define CLS_NOTE_LOAD(kind) ((void)0)
#endif

struct best {
    struct cls_rule *rule;
    cls_rank rank;      /* 0: nothing yet. */
    uint32_t n_in_vain; /* Tuples probed that had nothing better. */
};

/* All bits below 'n', which may be 64. */
static uint64_t bits_below(uint32_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* How many tuples have to be justified: those up to the first behind which none is better than 'rank',
 * at least 'n_min'. */
static uint32_t count_needed(const struct cls_group *group, uint32_t n_min, uint32_t n,
                             cls_rank rank)
{
    if (n_min == n || cls_group_bound(group, n_min) <= rank)
        return n_min;
    if (cls_group_bound(group, n - 1) > rank)
        return n;
    for (uint32_t high = n - 1; n_min < high;) {
        uint32_t middle = (n_min + high) / 2;
        if (cls_group_bound(group, middle) > rank)
            n_min = middle + 1;
        else
            high = middle;
    }
    return n_min;
}

static void consult(const struct cls_filter *filter, uint64_t *consulted)
{
    consulted[filter->bits.words[0]] |= filter->bits.masks[0];
    consulted[filter->bits.words[1]] |= filter->bits.masks[1];
}

static bool is_consulted(const struct cls_filter *filter, const uint64_t *consulted)
{
    return !(filter->bits.masks[0] & ~consulted[filter->bits.words[0]]) &&
           !(filter->bits.masks[1] & ~consulted[filter->bits.words[1]]);
}

/* Adds why the tuples in 'left' cannot match: each is left out by some filter.  'passes' are what the
 * filters let pass.  Best is what was consulted anyway, then one filter for all, then any. */
static void justify(const struct cls_group *group, const uint64_t *passes, uint64_t left,
                    uint64_t *consulted)
{
    for (uint32_t i = 0; i < group->n_filters; i++)
        if (is_consulted(&group->filters[i], consulted))
            left &= passes[i];
    for (uint32_t i = 0; left && i < group->n_filters; i++) {
        if (!(left & passes[i])) {
            consult(&group->filters[i], consulted);
            left = 0;
        }
    }
    for (uint32_t i = 0; left && i < group->n_filters; i++) {
        if (left & ~passes[i]) {
            consult(&group->filters[i], consulted);
            left &= passes[i];
        }
    }
}

/* The chain of 'tuple' for a flow, or NULL; adds the tuple's mask to 'consulted'.  With a constant
 * 'n_words' no loop but the one over entries remains, and 'masked' stays in registers. */
static inline ALWAYS_INLINE struct cls_rule *find_chain_of(const struct cls_tuple *tuple,
                                                           size_t n_words,
                                                           const uint64_t *restrict flow,
                                                           uint64_t *restrict consulted)
{
    const struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_acquire);
    uint64_t masked[FLOW_WORDS];

#pragma GCC unroll 8
    for (size_t i = 0; i < n_words; i++) {
        size_t word = tuple->words[i];

        masked[i] = flow[word] & tuple->masks[i];
        consulted[word] |= tuple->masks[i];
    }

    uint32_t hash = cls_hash_words(masked, n_words);
    for (uint32_t i = hash >> table->shift;; i = (i + 1) & (table->capacity - 1)) {
        uint64_t entry = atomic_load_explicit(&table->entries[i], memory_order_acquire);

        if (entry >> CLS_ENTRY_TAG_SHIFT == cls_entry_tag(hash)) {
            struct cls_rule *rule = cls_entry_rule(entry);
            const uint64_t *words = rule->words;
            uint64_t difference = 0;

#pragma GCC unroll 8
            for (size_t w = 0; w < n_words; w++)
                difference |= words[w] ^ masked[w];
            if (!difference)
                return rule;
        } else if (entry == CLS_ENTRY_EMPTY) {
            return NULL;
        }
    }
}

/* One function for each of the usual numbers of words. */

#define FIND_CHAIN(suffix, n_words)                                                        \
    static struct cls_rule *find_chain_##suffix(const struct cls_tuple *tuple,             \
                                                const uint64_t *flow, uint64_t *consulted) \
    {                                                                                      \
        return find_chain_of(tuple, n_words, flow, consulted);                             \
    }

FIND_CHAIN(1, 1)
FIND_CHAIN(2, 2)
FIND_CHAIN(3, 3)
FIND_CHAIN(4, 4)
FIND_CHAIN(5, 5)
FIND_CHAIN(6, 6)
FIND_CHAIN(7, 7)
FIND_CHAIN(8, 8)
FIND_CHAIN(any, tuple->n_words)

static struct cls_rule *(*const find_chain[FLOW_WORDS + 1])(const struct cls_tuple *,
                                                            const uint64_t *, uint64_t *) = {
    find_chain_any, find_chain_1, find_chain_2, find_chain_3, find_chain_4,
    find_chain_5,   find_chain_6, find_chain_7, find_chain_8, [9 ... FLOW_WORDS] = find_chain_any,
};

/* True if the tuple at 'i' improves 'best'. */
static inline ALWAYS_INLINE bool probe(const struct cls_group *group, uint32_t i, uint64_t version,
                                       const uint64_t *flow, struct best *best, uint64_t *consulted)
{
    CLS_NOTE_LOAD(probe);
    const struct cls_tuple *tuple = cls_group_tuple(group, i);
    struct cls_rule *chain = find_chain[tuple->n_words](tuple, flow, consulted);
    struct cls_rule *rule = cls_chain_visible(chain, version);

    if (!rule || cls_rule_rank(rule) <= best->rank) {
        best->n_in_vain++;
        return false;
    }
    best->rule = rule;
    best->rank = cls_rule_rank(rule);
    return true;
}

/* Without filters: a plain tuple-space search. */
static struct cls_rule *lookup_one_by_one(const struct cls_group *group, uint64_t version,
                                          const uint64_t *flow, uint64_t *consulted)
{
    uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_acquire);
    struct best best = {NULL, 0, 0};

    for (uint32_t i = 0; i < n && cls_group_bound(group, i) > best.rank; i++)
        probe(group, i, version, flow, &best, consulted);
    return best.rule;
}

static inline bool wants_vectors(const struct best *best, uint64_t candidates)
{
    return best->n_in_vain >= CLS_MANY_IN_VAIN ||
           (best->n_in_vain >= CLS_PROBES_IN_VAIN &&
            __builtin_popcountll(candidates) >= CLS_MANY_LEFT);
}

static __attribute__((noinline)) void lookup_in_group(const struct cls_group *group, uint32_t n,
                                                      uint64_t version, const uint64_t *flow,
                                                      struct best *best, uint64_t *consulted)
{
    uint64_t passes[CLS_GROUP_MAX_FILTERS];
    uint64_t candidates = bits_below(n);
    uint64_t probed = 0;
    uint32_t n_min = 0; /* Tuples before the best one: of equal rules the first is the answer. */
    bool has_vectors = group->vectors;

    for (uint32_t i = 0; i < group->n_filters; i++) {
        const struct cls_filter *filter = &group->filters[i];
        const struct cls_filter_bits *bits = &filter->bits;
        uint32_t bit, hash = cls_filter_bits_hash(bits, flow[bits->words[0]], flow[bits->words[1]]);
        _Atomic(uint64_t) *word = cls_filter_word(filter, hash, &bit);

        CLS_NOTE_LOAD(filter);
        passes[i] = atomic_load_explicit(word, memory_order_relaxed) >> bit | ~filter->users;
        candidates &= passes[i];
    }

    while (candidates) {
        uint32_t i = (uint32_t)__builtin_ctzll(candidates);

        if (cls_group_bound(group, i) <= best->rank)
            break;
        if (unlikely(has_vectors && wants_vectors(best, candidates))) {
            uint64_t out = cls_vectors_leave_out(group->vectors, candidates, flow, consulted);

            CLS_NOTE_LOAD(vectors);
            has_vectors = false; /* Once. */
            probed |= out;
            candidates &= ~out;
            continue;
        }
        candidates &= candidates - 1;
        probed |= UINT64_C(1) << i;
        if (probe(group, i, version, flow, best, consulted))
            n_min = i + 1;
    }
    if (group->n_filters)
        justify(group, passes, bits_below(count_needed(group, n_min, n, best->rank)) & ~probed,
                consulted);
}

struct cls_rule *cls_groups_lookup(const struct cls_groups *groups, uint64_t version,
                                   const uint64_t *flow, uint64_t *consulted)
{
    struct best best = {NULL, 0, 0};

    if (groups->n == 1 && !groups->groups[0]->n_filters && !groups->groups[0]->vectors)
        return lookup_one_by_one(groups->groups[0], version, flow, consulted);
    for (uint32_t i = 0; i < groups->n; i++) {
        const struct cls_group *group = groups->groups[i];
        uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_acquire);

        if (cls_group_bound(group, 0) > best.rank)
            lookup_in_group(group, n, version, flow, &best, consulted);
    }
    return best.rule;
}

void cls_groups_each_match(const struct cls_groups *groups, uint64_t version, const uint64_t *flow,
                           uint64_t *consulted, void (*each)(struct cls_rule *rule, void *arg),
                           void *arg)
{
    for (uint32_t i = 0; i < groups->n; i++) {
        const struct cls_group *group = groups->groups[i];
        uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_acquire);

        for (uint32_t j = 0; j < n; j++) {
            const struct cls_tuple *tuple = cls_group_tuple(group, j);
            struct cls_rule *chain = find_chain[tuple->n_words](tuple, flow, consulted);

            while ((chain = cls_chain_visible(chain, version))) {
                each(chain, arg);
                chain = atomic_load_explicit(&chain->next, memory_order_acquire);
            }
        }
    }
}
