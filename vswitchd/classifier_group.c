/* SPDX-License-Identifier: Apache-2.0 */

/* A filter bit may be set though no rule needs it: that costs a probe, no more.  A bit that a rule
 * needs is set before the rule can be seen: readers of a version that has the rule got that version
 * from a store that came later. */

#include "vswitchd/classifier_group.h"

#include <stdlib.h>

/* Vectors are worth it where filters leave so many tuples on average, and in large tables, where frames
 * unlike the rules would make a lookup long. */
static const double MAX_LEFT = 1.5;
enum { MANY_TUPLES = 48 };

static void init_filter(struct cls_filter *filter, const struct cls_filter_plan *plan,
                        uint32_t n_tuples)
{
    filter->log2_width = 3;
    while (1u << filter->log2_width < n_tuples)
        filter->log2_width++;
    filter->bits = plan->bits;
    filter->users = plan->users;
    filter->shift = 32 - plan->log2_slots;
    filter->words = calloc(((size_t)1 << plan->log2_slots << filter->log2_width) / 8, 1);
    if (!filter->words)
        abort();
}

/* The filters that a tuple uses, and where their words are among its own. */
struct uses {
    uint32_t n;
    struct {
        struct cls_filter *filter;
        uint8_t places[2];
    } list[CLS_GROUP_MAX_FILTERS];
};

static void find_uses(struct cls_group *group, const struct cls_tuple *tuple, struct uses *uses)
{
    uses->n = 0;
    for (uint32_t i = 0; i < group->n_filters; i++) {
        struct cls_filter *filter = &group->filters[i];

        if (filter->users >> tuple->position & 1) {
            uses->list[uses->n].filter = filter;
            cls_filter_bits_find(&filter->bits, tuple, uses->list[uses->n].places);
            uses->n++;
        }
    }
}

static void note_rule(const struct uses *uses, const struct cls_tuple *tuple,
                      const struct cls_rule *rule)
{
    const uint64_t *words = rule->words;

    for (uint32_t i = 0; i < uses->n; i++) {
        const struct cls_filter *filter = uses->list[i].filter;
        uint32_t hash = cls_filter_bits_hash(&filter->bits, words[uses->list[i].places[0]],
                                             words[uses->list[i].places[1]]);
        uint32_t bit;
        _Atomic(uint64_t) *word = cls_filter_word(filter, hash, &bit);
        uint64_t slots = atomic_load_explicit(word, memory_order_relaxed);

        atomic_store_explicit(word, slots | UINT64_C(1) << bit << tuple->position,
                              memory_order_relaxed);
    }
}

static void note_tuple(struct cls_group *group, const struct cls_tuple *tuple)
{
    const struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_relaxed);
    struct uses uses;

    find_uses(group, tuple, &uses);
    for (uint32_t i = 0; uses.n && i < table->capacity; i++) {
        const struct cls_rule *rule = cls_table_chain(table, i);
        if (rule)
            note_rule(&uses, tuple, rule);
    }
}

static void put_bound(struct cls_group *group, uint32_t i, cls_rank rank)
{
    atomic_store_explicit(&group->bounds[i], rank, memory_order_relaxed);
}

struct cls_group *cls_group_create(struct cls_tuple *const *tuples, uint32_t n)
{
    struct cls_group *group = calloc(1, sizeof *group);
    struct cls_filter_plan plans[CLS_GROUP_MAX_FILTERS];
    double n_left;

    if (!group)
        abort();
    group->n_filters = cls_plan_filters(tuples, n, plans, CLS_GROUP_MAX_FILTERS, &n_left);
    for (uint32_t i = 0; i < group->n_filters; i++)
        init_filter(&group->filters[i], &plans[i], n);
    for (uint32_t i = 0; i < n; i++) {
        tuples[i]->group = group;
        tuples[i]->position = i;
        atomic_init(&group->tuples[i], tuples[i]);
        note_tuple(group, tuples[i]);
        put_bound(group, i, cls_tuple_max_rank(tuples[i]));
    }
    atomic_init(&group->n_tuples, n);
    group->n_planned = n;
    if (n_left > MAX_LEFT || n >= MANY_TUPLES)
        group->vectors = cls_vectors_create(tuples, n);
    return group;
}

void cls_group_destroy(struct cls_group *group)
{
    for (uint32_t i = 0; i < group->n_filters; i++)
        free((void *)group->filters[i].words);
    free(group->vectors);
    free(group);
}

bool cls_group_append(struct cls_group *group, struct cls_tuple *tuple)
{
    uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_relaxed);

    if (n == CLS_GROUP_MAX_TUPLES)
        return false;
    tuple->group = group;
    tuple->position = n;
    atomic_store_explicit(&group->tuples[n], tuple, memory_order_relaxed);
    put_bound(group, n, 0);
    atomic_store_explicit(&group->n_tuples, n + 1, memory_order_release);
    return true;
}

void cls_group_note_rule(struct cls_group *group, const struct cls_tuple *tuple,
                         const struct cls_rule *rule)
{
    struct uses uses;

    find_uses(group, tuple, &uses);
    note_rule(&uses, tuple, rule);
    if (group->vectors)
        cls_vectors_note_rule(group->vectors, tuple, rule);
}

bool cls_group_note_rank(struct cls_group *group, const struct cls_tuple *tuple)
{
    uint32_t n = atomic_load_explicit(&group->n_tuples, memory_order_relaxed);
    uint32_t next = tuple->position + 1;
    cls_rank bound = next < n ? cls_group_bound(group, next) : 0;
    bool is_worse = false;

    for (uint32_t i = next; i-- > 0;) {
        cls_rank rank = cls_tuple_max_rank(cls_group_tuple(group, i));

        is_worse |= rank < bound;
        bound = rank > bound ? rank : bound;
        if (bound == cls_group_bound(group, i))
            break;
        put_bound(group, i, bound);
    }
    return is_worse;
}
