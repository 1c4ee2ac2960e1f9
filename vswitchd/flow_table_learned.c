/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/flow_table_learned.h"

#include <stdlib.h>

#include "lib/openflow/learn.h"

static void add(struct learned_names *names, const struct ofa_learn *learn)
{
    if (names->n == names->capacity) {
        names->capacity = names->capacity ? 2 * names->capacity : 16;
        names->names = realloc(names->names, names->capacity * sizeof names->names[0]);
        if (!names->names)
            abort();
    }
    names->names[names->n++] = (struct learned_name){
        .table_id = learn->table_id,
        .cookie = learn->cookie,
    };
}

/* Calls 'each' for the learn(delete_learned) actions in 'actions'. */
static void each_learn(struct ofa_list actions,
                       void (*each)(struct learned_names *names, const struct ofa_learn *learn),
                       struct learned_names *names)
{
    for_each_action (ofa, actions) {
        const void *action = ofa;

        if (ofa->type == OFA_LEARN &&
            ((const struct ofa_learn *)action)->flags & OFA_LEARN_DELETE_LEARNED)
            each(names, action);
        else if (ofa->type == OFA_CLONE)
            each_learn(ofa_nested_list(action), each, names);
    }
}

bool learned_names_has(struct ofa_list actions)
{
    for_each_action (ofa, actions) {
        const void *action = ofa;

        if (ofa->type == OFA_LEARN &&
            ((const struct ofa_learn *)action)->flags & OFA_LEARN_DELETE_LEARNED)
            return true;
        if (ofa->type == OFA_CLONE && learned_names_has(ofa_nested_list(action)))
            return true;
    }
    return false;
}

void learned_names_note(struct learned_names *names, struct ofa_list actions)
{
    each_learn(actions, add, names);
}

static int compare(const void *a_, const void *b_)
{
    const struct learned_name *a = a_, *b = b_;

    if (a->table_id != b->table_id)
        return a->table_id < b->table_id ? -1 : 1;
    return a->cookie.raw < b->cookie.raw ? -1 : a->cookie.raw > b->cookie.raw;
}

static struct learned_name *find(const struct learned_names *names, uint8_t table_id, be64 cookie)
{
    const struct learned_name key = {.table_id = table_id, .cookie = cookie};

    return bsearch(&key, names->names, names->n, sizeof key, compare);
}

static void mark(struct learned_names *names, const struct ofa_learn *learn)
{
    struct learned_name *name = find(names, learn->table_id, learn->cookie);

    if (name)
        name->is_taught = true;
}

static bool mark_names_of(struct rule *rule, void *names)
{
    each_learn(rule_current_actions(rule), mark, names);
    return true;
}

struct removal_walk {
    struct flow_tables *tables;
    const struct learned_names *names;
};

static bool remove_untaught(struct rule *rule, void *walk_)
{
    const struct removal_walk *walk = walk_;
    const struct learned_name *name = find(walk->names, rule->table_id, rule->cookie);

    if (name && !name->is_taught)
        flow_tables_remove(walk->tables, rule, FLOW_REMOVED_DELETE);
    return true;
}

static void drop_duplicates(struct learned_names *names)
{
    size_t n = 0;

    qsort(names->names, names->n, sizeof names->names[0], compare);
    for (size_t i = 0; i < names->n; i++) {
        if (!n || compare(&names->names[n - 1], &names->names[i]))
            names->names[n++] = names->names[i];
    }
    names->n = n;
}

void learned_names_settle(struct learned_names *names, struct flow_tables *tables)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };

    /* What is removed may itself have been a teacher. */
    while (names->n) {
        struct learned_names now = *names;
        struct removal_walk walk = {tables, &now};

        *names = (struct learned_names){.n = 0};
        drop_duplicates(&now);
        flow_tables_each(tables, &all, mark_names_of, &now);
        flow_tables_each(tables, &all, remove_untaught, &walk);
        learned_names_fini(&now);
    }
}

void learned_names_fini(struct learned_names *names)
{
    free(names->names);
    *names = (struct learned_names){.n = 0};
}
