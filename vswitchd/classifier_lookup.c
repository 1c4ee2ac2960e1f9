/* SPDX-License-Identifier: Apache-2.0 */

/* What readers do: filters first, then the tuples they leave, best first, then the reasons why the
 * others cannot match.  Groups without filters have few tuples and are searched one by one. */

#include "vswitchd/classifier_group.h"

struct best {
    struct cls_rule *rule;
    cls_rank rank; /* 0: nothing yet. */
};

/* All bits below 'n', which may be 64. */
static uint64_t bits_below(uint32_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* How many tuples from the first on may have a rule better than 'rank'. */
static uint32_t count_better(const struct cls_group *group, uint32_t n, cls_rank rank)
{
    uint32_t low = 0;

    if (cls_rank_get(group->bounds, n - 1) > rank)
        return n;
    for (uint32_t high = n - 1; low < high;) {
        uint32_t middle = (low + high) / 2;
        if (cls_rank_get(group->bounds, middle) > rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
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

/* Probes the tuple at 'i' if it may have something better than 'best'. */
static inline void probe(const struct cls_group *group, uint32_t i, uint64_t version,
                         const uint64_t *flow, struct best *best, uint64_t *consulted)
{
    const struct cls_tuple *tuple;

    if (cls_rank_get(group->ranks, i) <= best->rank)
        return;
    tuple = atomic_load_explicit(&group->tuples[i], memory_order_relaxed);
    struct cls_rule *rule = cls_chain_visible(cls_tuple_probe(tuple, flow, consulted), version);
    if (rule && cls_tuple_rank(tuple, rule->priority) > best->rank) {
        best->rule = rule;
        best->rank = cls_tuple_rank(tuple, rule->priority);
    }
}

/* Without filters: a plain tuple-space search. */
static void lookup_one_by_one(const struct cls_group *group, uint32_t n, uint64_t version,
                              const uint64_t *flow, struct best *best, uint64_t *consulted)
{
    for (uint32_t i = 0; i < n && cls_rank_get(group->bounds, i) > best->rank; i++)
        probe(group, i, version, flow, best, consulted);
}

static __attribute__((noinline)) void lookup_filtered(const struct cls_group *group, uint32_t n,
                                                      uint64_t version, const uint64_t *flow,
                                                      struct best *best, uint64_t *consulted)
{
    uint64_t passes[CLS_GROUP_MAX_FILTERS];
    uint64_t candidates = bits_below(n);
    uint64_t probed = 0;

    for (uint32_t i = 0; i < group->n_filters; i++) {
        const struct cls_filter *filter = &group->filters[i];
        size_t slot = cls_filter_slot(filter, flow);

        passes[i] = atomic_load_explicit(&filter->slots[slot], memory_order_relaxed) |
                    ~filter->users;
        candidates &= passes[i];
    }

    for (; candidates; candidates &= candidates - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(candidates);

        if (cls_rank_get(group->bounds, i) <= best->rank)
            break;
        probed |= UINT64_C(1) << i;
        probe(group, i, version, flow, best, consulted);
    }
    justify(group, passes, bits_below(count_better(group, n, best->rank)) & ~probed, consulted);
}

struct cls_rule *cls_groups_lookup(const struct cls_groups *groups, uint64_t version,
                                   const uint64_t *flow, uint64_t *consulted)
{
    struct best best = {NULL, 0};

    for (uint32_t i = 0; i < groups->n; i++) {
        const struct cls_group *group = groups->groups[i];
        uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_acquire);

        if (cls_rank_get(group->bounds, 0) <= best.rank)
            continue;
        if (group->n_filters)
            lookup_filtered(group, n, version, flow, &best, consulted);
        else
            lookup_one_by_one(group, n, version, flow, &best, consulted);
    }
    return best.rule;
}
