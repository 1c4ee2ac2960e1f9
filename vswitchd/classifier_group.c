/* SPDX-License-Identifier: Apache-2.0 */

/* A filter bit may be set though no rule needs it: that costs a probe, no more.  A bit that a rule
 * needs is set before the rule can be seen: readers of a version that has the rule got that version
 * from a store that came later. */

#include "vswitchd/classifier_group.h"

#include <stdlib.h>

#include "lib/annotations.h"
#include "vswitchd/classifier_plan.h"

/* All bits below 'n', which may be 64. */
static uint64_t bits_below(uint32_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

static uint64_t *slots_of(struct cls_filter *filter)
{
    return (uint64_t *)(void *)filter->slots;
}

static void init_filter(struct cls_filter *filter, const struct cls_filter_plan *plan)
{
    filter->word = plan->word;
    filter->mask = plan->mask;
    filter->users = plan->users;
    filter->shift = (uint8_t)(64 - plan->log2_slots);
    filter->slots = calloc((size_t)1 << plan->log2_slots, sizeof filter->slots[0]);
    if (!filter->slots)
        abort();
}

/* Sets the bits of 'rule' in filters that no reader has seen. */
static void fill_in_rule(struct cls_group *group, uint32_t position, const struct cls_rule *rule,
                         const uint8_t *places, uint64_t user_set)
{
    const uint64_t *words = cls_tuple_rule_words(rule->tuple, rule);

    for (; user_set; user_set &= user_set - 1) {
        size_t i = (size_t)__builtin_ctzll(user_set);
        struct cls_filter *filter = &group->filters[i];
        uint64_t hash = cls_hash_word(words[places[i]] & filter->mask, filter->word);

        slots_of(filter)[hash >> filter->shift] |= UINT64_C(1) << position;
    }
}

/* The filters that 'tuple' uses, and in which of its words. */
static uint64_t find_uses(const struct cls_group *group, uint32_t position,
                          const struct cls_tuple *tuple, uint8_t *places)
{
    uint64_t user_set = 0;

    for (uint32_t i = 0; i < group->n_filters; i++) {
        if (!(group->filters[i].users >> position & 1))
            continue;
        user_set |= UINT64_C(1) << i;
        while (tuple->words[places[i]] != group->filters[i].word)
            places[i]++;
    }
    return user_set;
}

static void fill_in_tuple(struct cls_group *group, uint32_t position, struct cls_tuple *tuple)
{
    struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_relaxed);
    uint8_t places[CLS_GROUP_MAX_FILTERS] = {0};
    uint64_t user_set = find_uses(group, position, tuple, places);

    for (uint32_t i = 0; user_set && i < table->capacity; i++) {
        uint64_t entry = atomic_load_explicit(&table->entries[i], memory_order_relaxed);
        if (cls_entry_is_rule(entry))
            fill_in_rule(group, position, cls_entry_rule(entry), places, user_set);
    }
}

static cls_rank get_rank(const _Atomic(cls_rank) *ranks, uint32_t i)
{
    return atomic_load_explicit(&ranks[i], memory_order_relaxed);
}

static void put_rank(_Atomic(cls_rank) *ranks, uint32_t i, cls_rank rank)
{
    atomic_store_explicit(&ranks[i], rank, memory_order_relaxed);
}

struct cls_group *cls_group_create(struct cls_tuple *const *tuples, uint32_t n)
{
    struct cls_group *group = calloc(1, sizeof *group);
    struct cls_filter_plan plans[CLS_GROUP_MAX_FILTERS];

    if (!group)
        abort();
    group->n_filters = cls_plan_filters(tuples, n, plans, CLS_GROUP_MAX_FILTERS);
    for (uint32_t i = 0; i < group->n_filters; i++)
        init_filter(&group->filters[i], &plans[i]);
    for (uint32_t i = 0; i < n; i++) {
        tuples[i]->group = group;
        tuples[i]->position = i;
        atomic_init(&group->tuples[i], tuples[i]);
        fill_in_tuple(group, i, tuples[i]);
        put_rank(group->ranks, i, cls_tuple_max_rank(tuples[i]));
        put_rank(group->bounds, i, cls_tuple_max_rank(tuples[i]));
    }
    atomic_init(&group->n_tuples, n);
    return group;
}

void cls_group_destroy(struct cls_group *group)
{
    for (uint32_t i = 0; i < group->n_filters; i++)
        free(slots_of(&group->filters[i]));
    free(group);
}

static void destroy_group(struct rcu_head *rcu)
{
    rcu_begin_callback();
    cls_group_destroy(CONTAINER_OF(rcu, struct cls_group, rcu));
}

void cls_group_destroy_later(struct cls_group *group)
{
    call_rcu(&group->rcu, destroy_group);
}

bool cls_group_append(struct cls_group *group, struct cls_tuple *tuple)
{
    uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_relaxed);

    if (n == CLS_GROUP_MAX_TUPLES)
        return false;
    tuple->group = group;
    tuple->position = n;
    atomic_store_explicit(&group->tuples[n], tuple, memory_order_relaxed);
    put_rank(group->ranks, n, 0);
    put_rank(group->bounds, n, 0);
    atomic_store_explicit(&group->n_tuples, n + 1, memory_order_release);
    return true;
}

void cls_group_note_rule(struct cls_group *group, const struct cls_tuple *tuple,
                         const struct cls_rule *rule)
{
    uint8_t places[CLS_GROUP_MAX_FILTERS] = {0};
    uint64_t user_set = find_uses(group, tuple->position, tuple, places);
    const uint64_t *words = cls_tuple_rule_words(tuple, rule);

    for (; user_set; user_set &= user_set - 1) {
        size_t i = (size_t)__builtin_ctzll(user_set);
        const struct cls_filter *filter = &group->filters[i];
        uint64_t hash = cls_hash_word(words[places[i]] & filter->mask, filter->word);
        _Atomic(uint64_t) *slot = &filter->slots[hash >> filter->shift];

        atomic_store_explicit(
            slot, atomic_load_explicit(slot, memory_order_relaxed) | UINT64_C(1) << tuple->position,
            memory_order_relaxed);
    }
}

bool cls_group_note_rank(struct cls_group *group, const struct cls_tuple *tuple)
{
    uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_relaxed);
    uint32_t position = tuple->position;
    cls_rank bound = position + 1 < n ? get_rank(group->bounds, position + 1) : 0;
    bool is_worse = false;

    put_rank(group->ranks, position, cls_tuple_max_rank(tuple));
    for (uint32_t i = position + 1; i-- > 0;) {
        cls_rank rank = get_rank(group->ranks, i);

        is_worse |= rank < bound;
        bound = rank > bound ? rank : bound;
        if (bound == get_rank(group->bounds, i))
            break;
        put_rank(group->bounds, i, bound);
    }
    return is_worse;
}

/* How many tuples from the first on may have a rule better than 'rank'. */
static uint32_t count_better(const struct cls_group *group, uint32_t n, cls_rank rank)
{
    uint32_t low = 0;

    if (get_rank(group->bounds, n - 1) > rank)
        return n;
    for (uint32_t high = n - 1; low < high;) {
        uint32_t middle = (low + high) / 2;
        if (get_rank(group->bounds, middle) > rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds why the tuples in 'left' cannot match: each is left out by some filter.  'passes' are what the
 * filters let pass.  Best is what was consulted anyway, then one filter for all, then any. */
static void justify(const struct cls_group *group, const uint64_t *passes, uint64_t left,
                    uint64_t *consulted)
{
    const struct cls_filter *filters = group->filters;

    for (uint32_t i = 0; i < group->n_filters; i++)
        if (!(filters[i].mask & ~consulted[filters[i].word]))
            left &= passes[i];
    for (uint32_t i = 0; left && i < group->n_filters; i++) {
        if (!(left & passes[i])) {
            consulted[filters[i].word] |= filters[i].mask;
            left = 0;
        }
    }
    for (uint32_t i = 0; left && i < group->n_filters; i++) {
        if (left & ~passes[i]) {
            consulted[filters[i].word] |= filters[i].mask;
            left &= passes[i];
        }
    }
}

void cls_group_lookup(const struct cls_group *group, uint64_t version, const uint64_t *words,
                      struct cls_best *best, uint64_t *consulted)
{
    uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_acquire);
    uint64_t passes[CLS_GROUP_MAX_FILTERS];
    uint64_t candidates = bits_below(n);
    uint64_t probed = 0;

    if (!n || get_rank(group->bounds, 0) <= best->rank)
        return;
    for (uint32_t i = 0; i < group->n_filters; i++) {
        const struct cls_filter *filter = &group->filters[i];
        uint64_t hash = cls_hash_word(words[filter->word] & filter->mask, filter->word);

        passes[i] = atomic_load_explicit(&filter->slots[hash >> filter->shift],
                                         memory_order_relaxed) |
                    ~filter->users;
        candidates &= passes[i];
    }

    for (; candidates; candidates &= candidates - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(candidates);
        struct cls_tuple *tuple;

        if (get_rank(group->bounds, i) <= best->rank)
            break;
        if (get_rank(group->ranks, i) <= best->rank)
            continue;
        tuple = atomic_load_explicit(&group->tuples[i], memory_order_relaxed);
        probed |= UINT64_C(1) << i;
        if (consulted)
            cls_tuple_add_mask(tuple, consulted);

        struct cls_rule *rule = cls_chain_visible(cls_tuple_probe(tuple, words), version);
        if (rule && cls_tuple_rank(tuple, rule->priority) > best->rank) {
            best->rule = rule;
            best->rank = cls_tuple_rank(tuple, rule->priority);
        }
    }

    if (consulted) {
        uint64_t needed = bits_below(count_better(group, n, best->rank)) & ~probed;
        justify(group, passes, needed, consulted);
    }
}
