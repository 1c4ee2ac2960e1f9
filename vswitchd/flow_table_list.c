/* SPDX-License-Identifier: Apache-2.0 */

/* Masks choose among the rules of a table (classifier_each()), or a group among all, and a filter among those. */

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

/* A rule and what it is sorted by, so that sorting looks at no rule: table and descending priority, then
 * age, as fine as the rest of the bits allows. */
struct place {
    uint64_t order;
    struct rule *rule;
    uint64_t created_ns;
};

enum { ORDER_AGE_BITS = 40 };

struct places {
    struct place *list;
    size_t n, capacity;
};

static bool take_place(struct rule *rule, void *places_)
{
    struct places *places = places_;

    if (places->n == places->capacity) {
        places->capacity = places->capacity ? 2 * places->capacity : 64;
        places->list = realloc(places->list, places->capacity * sizeof places->list[0]);
        if (!places->list)
            abort();
    }
    rule_ref(rule);
    places->list[places->n++] = (struct place){
        .order = (uint64_t)rule->table_id << 16 | (UINT16_MAX - rule->cls.priority),
        .rule = rule,
        .created_ns = (uint64_t)rule->created_ns,
    };
    return true;
}

static void set_orders(const struct places *places)
{
    uint64_t first = UINT64_MAX, last = 0;
    unsigned int shift = 0;

    for (size_t i = 0; i < places->n; i++) {
        uint64_t created = places->list[i].created_ns;
        first = created < first ? created : first;
        last = created > last ? created : last;
    }
    while (places->n && (last - first) >> shift >> ORDER_AGE_BITS)
        shift++;
    for (size_t i = 0; i < places->n; i++) {
        struct place *place = &places->list[i];

        place->order = place->order << ORDER_AGE_BITS | (place->created_ns - first) >> shift;
    }
}

/* By the lowest byte first; bytes in which all are equal are passed over.  Keeps the order of equals. */
static void sort_places(struct places *places)
{
    struct place *from = places->list, *to = malloc((places->n + 1) * sizeof *to);

    if (!to)
        abort();
    for (unsigned int shift = 0; shift < 64; shift += 8) {
        size_t counts[256] = {0}, sum = 0;

        for (size_t i = 0; i < places->n; i++)
            counts[from[i].order >> shift & 255]++;
        if (!places->n || counts[from[0].order >> shift & 255] == places->n)
            continue;
        for (size_t i = 0; i < 256; i++) {
            size_t count = counts[i];
            counts[i] = sum;
            sum += count;
        }
        for (size_t i = 0; i < places->n; i++)
            to[counts[from[i].order >> shift & 255]++] = from[i];
        struct place *other = from;
        from = to;
        to = other;
    }
    places->list = from;
    free(to);
}

void rule_set_init(struct rule_set *set, struct flow_tables *tables,
                   const struct rule_filter *filter)
{
    struct places places = {.n = 0};

    flow_tables_each(tables, filter, take_place, &places);
    set_orders(&places);
    sort_places(&places);
    *set = (struct rule_set){.rules = malloc((places.n + 1) * sizeof set->rules[0])};
    if (!set->rules)
        abort();
    for (size_t i = 0; i < places.n; i++)
        set->rules[set->n_rules++] = places.list[i].rule;
    free(places.list);
}

void rule_set_fini(struct rule_set *set)
{
    for (size_t i = 0; i < set->n_rules; i++)
        rule_unref(set->rules[i]);
    free(set->rules);
    *set = (struct rule_set){.rules = NULL};
}
