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

/* How many tuples have to be justified: those up to the first behind which none is better than 'rank',
 * at least 'n_min'. */
static uint32_t count_needed(const struct cls_group *group, uint32_t n_min, uint32_t n,
                             cls_rank rank)
{
    if (n_min == n || cls_rank_get(group->bounds, n_min) <= rank)
        return n_min;
    if (cls_rank_get(group->bounds, n - 1) > rank)
        return n;
    for (uint32_t high = n - 1; n_min < high;) {
        uint32_t middle = (n_min + high) / 2;
        if (cls_rank_get(group->bounds, middle) > rank)
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

/* True if the tuple at 'i' improves 'best'. */
static inline __attribute__((always_inline)) bool probe(const struct cls_group *group, uint32_t i,
                                                        uint64_t version, const uint64_t *flow,
                                                        struct best *best, uint64_t *consulted)
{
    const struct cls_tuple *tuple;

    if (cls_rank_get(group->ranks, i) <= best->rank)
        return false;
    tuple = atomic_load_explicit(&group->tuples[i], memory_order_relaxed);
    struct cls_rule *rule = cls_chain_visible(cls_tuple_probe(tuple, flow, consulted), version);
    if (!rule || cls_rule_rank(rule) <= best->rank)
        return false;
    best->rule = rule;
    best->rank = cls_rule_rank(rule);
    return true;
}

/* Without filters: a plain tuple-space search. */
static inline __attribute__((always_inline)) struct best
lookup_one_by_one(const struct cls_group *group, uint32_t n, uint64_t version, const uint64_t *flow,
                  struct best best, uint64_t *consulted)
{
    for (uint32_t i = 0; i < n && cls_rank_get(group->bounds, i) > best.rank; i++)
        probe(group, i, version, flow, &best, consulted);
    return best;
}

static __attribute__((noinline)) struct best lookup_filtered(const struct cls_group *group,
                                                             uint32_t n, uint64_t version,
                                                             const uint64_t *flow, struct best best,
                                                             uint64_t *consulted)
{
    uint64_t passes[CLS_GROUP_MAX_FILTERS];
    uint64_t candidates = bits_below(n);
    uint64_t probed = 0;
    uint32_t n_min = 0; /* Tuples before the best one: of equal rules the first is the answer. */

    for (uint32_t i = 0; i < group->n_filters; i++) {
        const struct cls_filter *filter = &group->filters[i];
        size_t slot = cls_filter_slot(filter, flow);

        passes[i] = atomic_load_explicit(&filter->slots[slot], memory_order_relaxed) |
                    ~filter->users;
        candidates &= passes[i];
    }

    for (; candidates; candidates &= candidates - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(candidates);

        if (cls_rank_get(group->bounds, i) <= best.rank)
            break;
        probed |= UINT64_C(1) << i;
        if (probe(group, i, version, flow, &best, consulted))
            n_min = i + 1;
    }
    justify(group, passes, bits_below(count_needed(group, n_min, n, best.rank)) & ~probed,
            consulted);
    return best;
}

struct cls_rule *cls_groups_lookup(const struct cls_groups *groups, uint64_t version,
                                   const uint64_t *flow, uint64_t *consulted)
{
    struct best best = {NULL, 0};

    for (uint32_t i = 0; i < groups->n; i++) {
        const struct cls_group *group = groups->groups[i];
        uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_acquire);

        if (!group->n_filters)
            best = lookup_one_by_one(group, n, version, flow, best, consulted);
        else if (cls_rank_get(group->bounds, 0) > best.rank)
            best = lookup_filtered(group, n, version, flow, best, consulted);
    }
    return best.rule;
}
