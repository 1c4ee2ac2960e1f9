/* SPDX-License-Identifier: Apache-2.0 */

/* Of the rules of a table, those that a filter lets pass.  For a set, two passes over the tables cost
 * less than an array that grows to 100,000 rules by doubling. */

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
           ofa_outputs_to_group(rule_current_actions(rule), filter->out_group);
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

static bool count_rule(struct rule *rule UNUSED, void *n_rules)
{
    ++*(size_t *)n_rules;
    return true;
}

static bool take_rule(struct rule *rule, void *arg)
{
    struct rule_set *set = arg;

    rule_ref(rule);
    set->rules[set->n_rules++] = rule;
    return true;
}

static int compare_rules(const void *a_, const void *b_)
{
    const struct rule *a = *(struct rule *const *)a_, *b = *(struct rule *const *)b_;

    if (a->table_id != b->table_id)
        return a->table_id < b->table_id ? -1 : 1;
    if (a->cls.priority != b->cls.priority)
        return a->cls.priority > b->cls.priority ? -1 : 1;
    return a->created_ns < b->created_ns ? -1 : a->created_ns > b->created_ns;
}

void rule_set_init(struct rule_set *set, struct flow_tables *tables,
                   const struct rule_filter *filter)
{
    size_t n_rules = 0;

    flow_tables_each(tables, filter, count_rule, &n_rules);
    *set = (struct rule_set){.rules = malloc((n_rules + 1) * sizeof set->rules[0])};
    if (!set->rules)
        abort();
    flow_tables_each(tables, filter, take_rule, set);
    qsort(set->rules, set->n_rules, sizeof set->rules[0], compare_rules);
}

void rule_set_fini(struct rule_set *set)
{
    for (size_t i = 0; i < set->n_rules; i++)
        rule_unref(set->rules[i]);
    free(set->rules);
    *set = (struct rule_set){.rules = NULL};
}
