/* SPDX-License-Identifier: Apache-2.0 */

/* Masks choose among the rules of a table (classifier_each()), or a group among all, and a filter among those. */

#include <assert.h>
#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/openflow/action_codec.h"
#include "vswitchd/flow_table_internal.h"

struct listing {
    const struct rule_filter *filter;
    uint64_t version;
    bool (*each)(struct rule *rule, void *arg);
    void *arg;
    bool is_over;
};

static bool passes(const struct listing *listing, const struct rule *rule)
{
    const struct rule_filter *filter = listing->filter;

    return !((rule->cookie.raw ^ filter->cookie.raw) & filter->cookie_mask.raw) &&
           (filter->out_port == OFPP_NONE ||
            ofa_outputs_to(rule_current_actions(rule), filter->out_port)) &&
           (filter->out_group == OF_GROUP_ANY ||
            ofa_outputs_to_group(rule_current_actions(rule), filter->out_group));
}

static bool list_one(struct cls_rule *cls, void *arg)
{
    struct listing *listing = arg;

    if (!cls_rule_is_visible(cls, listing->version))
        return true;
    struct rule *rule = rule_of_cls(cls);
    if (passes(listing, rule) && !listing->each(rule, listing->arg))
        listing->is_over = true;
    return !listing->is_over;
}

static void list_strict(struct flow_tables *tables, struct listing *listing, uint8_t table_id)
{
    const struct rule_filter *filter = listing->filter;
    struct rule *rule = flow_tables_find(tables, table_id, filter->match, filter->priority);

    if (rule && passes(listing, rule))
        listing->is_over = !listing->each(rule, listing->arg);
}

/* 'each' may take rules away from the group. */
static void list_users(struct flow_tables *tables, struct listing *listing)
{
    const struct rule_filter *filter = listing->filter;
    struct match match;
    struct rule **rules;
    size_t n = named_groups_list(&tables->named, filter->out_group, &rules);

    for (size_t i = 0; i < n && !listing->is_over; i++) {
        if (filter->table_id != OF_TABLE_ALL && filter->table_id != rules[i]->table_id)
            continue;
        cls_rule_expand(&rules[i]->cls, &match);
        if (!filter->match || match_covers(filter->match, &match))
            list_one(&rules[i]->cls, listing);
    }
    free(rules);
}

void flow_tables_each(struct flow_tables *tables, const struct rule_filter *filter,
                      bool (*each)(struct rule *rule, void *arg), void *arg)
{
    struct listing listing = {
        .filter = filter,
        .version = flow_tables_next_version(tables),
        .each = each,
        .arg = arg,
    };
    bool is_all = filter->table_id == OF_TABLE_ALL;

    if (filter->out_group != OF_GROUP_ANY && !filter->is_strict) {
        list_users(tables, &listing);
        return;
    }
    for (size_t i = is_all ? 0 : filter->table_id;
         i < (is_all ? OF_N_TABLES : filter->table_id + 1U) && !listing.is_over; i++) {
        struct table *table = table_get(tables, (uint8_t)i);
        if (!table || !table->n_flows)
            continue;
        if (filter->is_strict)
            list_strict(tables, &listing, (uint8_t)i);
        else
            classifier_each(table->classifier, filter->match, list_one, &listing);
    }
}

/* A rule and what it is sorted by, so that sorting looks at no rule: descending priority, then age, as fine as
 * the rest of the bits allows (years of it at a millionth of a second). */
struct place {
    uint64_t order;
    struct rule *rule;
};

enum { ORDER_AGE_BITS = 48 };

struct places {
    struct place *list; /* Owned. */
    size_t n, capacity;
    unsigned int age_shift;
};

static void places_init(struct places *places, const struct flow_tables *tables)
{
    *places = (struct places){.capacity = tables->n_flows + 1};
    while (tables->newest_ns >> places->age_shift >> ORDER_AGE_BITS)
        places->age_shift++;
    places->list = malloc(places->capacity * sizeof places->list[0]);
    if (!places->list)
        abort();
}

static bool take_place(struct rule *rule, void *places_)
{
    struct places *places = places_;

    assert(places->n < places->capacity);
    rule_ref(rule);
    places->list[places->n++] = (struct place){
        .order = (uint64_t)(UINT16_MAX - rule->cls.priority) << ORDER_AGE_BITS |
                 (uint64_t)rule->created_ns >> places->age_shift,
        .rule = rule,
    };
    return true;
}

/* Which bits of the orders differ; 0: they ascend as it is. */
static uint64_t unsorted_bits(const struct place *list, size_t n)
{
    uint64_t bits = 0;
    bool is_sorted = true;

    for (size_t i = 1; i < n; i++) {
        bits |= list[i].order ^ list[0].order;
        is_sorted &= list[i - 1].order <= list[i].order;
    }
    return is_sorted ? 0 : bits;
}

static void sort_by_byte(const struct place *from, struct place *to, size_t n, unsigned int shift)
{
    size_t counts[256] = {0}, sum = 0;

    for (size_t i = 0; i < n; i++)
        counts[from[i].order >> shift & 255]++;
    for (size_t i = 0; i < 256; i++) {
        size_t count = counts[i];
        counts[i] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[counts[from[i].order >> shift & 255]++] = from[i];
}

/* By the lowest byte first; bytes in which all are equal are passed over.  Keeps the order of equals. */
static void sort_places(struct place *list, size_t n)
{
    uint64_t bits = unsorted_bits(list, n);
    struct place *from = list, *to = bits ? malloc(n * sizeof *to) : NULL, *spare = to;

    if (bits && !to)
        abort();
    for (unsigned int shift = 0; shift < 64; shift += 8) {
        if (!(bits >> shift & 255))
            continue;
        sort_by_byte(from, to, n, shift);
        struct place *other = from;
        from = to;
        to = other;
    }
    if (from != list)
        memcpy(list, from, n * sizeof *list);
    free(spare);
}

void rule_set_init(struct rule_set *set, struct flow_tables *tables,
                   const struct rule_filter *filter)
{
    struct rule_filter one = *filter;
    struct places places;

    places_init(&places, tables);
    for (unsigned int i = 0; i < OF_N_TABLES; i++) {
        const struct table *table = table_get(tables, (uint8_t)i);
        size_t start = places.n;

        if (!table || !table->n_flows ||
            (filter->table_id != OF_TABLE_ALL && filter->table_id != i))
            continue;
        one.table_id = (uint8_t)i;
        flow_tables_each(tables, &one, take_place, &places);
        sort_places(places.list + start, places.n - start);
    }
    /* The rules move up in the memory of the list: what is not touched need not be fetched. */
    *set = (struct rule_set){.rules = (struct rule **)(void *)places.list};
    for (size_t i = 0; i < places.n; i++) {
        struct rule *rule = places.list[i].rule;
        set->rules[set->n_rules++] = rule;
    }
}

struct rule *rule_set_take(struct rule_set *set)
{
    return set->n_taken < set->n_rules ? set->rules[set->n_taken++] : NULL;
}

void rule_set_fini(struct rule_set *set)
{
    for (size_t i = set->n_taken; i < set->n_rules; i++)
        rule_unref(set->rules[i]);
    free(set->rules);
    *set = (struct rule_set){.rules = NULL};
}
