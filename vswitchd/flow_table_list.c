/* SPDX-License-Identifier: Apache-2.0 */

/* Two passes over the tables cost less than an array that grows to 100,000 rules by doubling. */

#include <stdlib.h>

#include "lib/annotations.h"
#include "vswitchd/flow_table.h"

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
