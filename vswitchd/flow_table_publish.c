/* SPDX-License-Identifier: Apache-2.0 */

/* All of it is linear in what changed.  The order in flow_tables_publish() matters: counters are settled
 * while caches still credit the old rules, listeners hear of changes before any frame sees them. */

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/flow_table_internal.h"
#include "vswitchd/flow_table_rule.h"
#include "vswitchd/group_table.h"

enum {
    AHEAD = 16,           /* So far ahead is loaded what a walk will look at. */
    KEPT_CAPACITY = 4096, /* Longer lists are given back. */
};

struct retirement {
    struct rcu_head rcu;
    struct retirement *next;
    _Atomic(bool) is_ripe;       /* Set by the RCU thread (release), read by ours (acquire). */
    struct pointer_list rules;   /* Of struct rule: the table's reference. */
    struct pointer_list actions; /* Of struct rule_actions that no version has. */
    struct pointer_list newest;  /* Of struct rule_actions whose older ones are to go ... */
    struct pointer_list owners;  /* ... and of struct rule: the rule of each, a reference. */
};

void pointer_list_add(struct pointer_list *list, void *item)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 16;
        list->items = realloc(list->items, list->capacity * sizeof list->items[0]);
        if (!list->items)
            abort();
    }
    list->items[list->n++] = item;
}

void flow_tables_take_out(struct flow_tables *tables, struct rule *rule)
{
    classifier_remove(table_get(tables, rule->table_id)->classifier, &rule->cls);
    rule_unref(rule);
}

/* No reader is left that could go there. */
static void free_older(struct rule_actions *newest, struct rule *owner)
{
    free(atomic_exchange_explicit(&newest->older, NULL, memory_order_relaxed));
    rule_unref(owner);
}

/* Rules of one table are one behind the other, mostly. */
static void take_out_all(struct flow_tables *tables, const struct pointer_list *list)
{
    struct rule *const *rules = (struct rule *const *)list->items;
    struct cls_rule **run = malloc((list->n + 1) * sizeof *run);

    if (!run)
        abort();
    for (size_t i = 0, n; i < list->n; i += n) {
        uint8_t table_id = rules[i]->table_id;

        for (n = 0; i + n < list->n && rules[i + n]->table_id == table_id; n++) {
            if (i + n + AHEAD < list->n)
                __builtin_prefetch(&rules[i + n + AHEAD]->table_id);
            run[n] = &rules[i + n]->cls;
        }
        classifier_remove_all(table_get(tables, table_id)->classifier, run, n);
    }
    free(run);
}

static void free_retired(struct rcu_head *rcu)
{
    struct retirement *retired = CONTAINER_OF(rcu, struct retirement, rcu);

    rcu_begin_callback();
    for (size_t i = 0; i < retired->rules.n; i++)
        rule_destroy(retired->rules.items[i]);
    free(retired->rules.items);
    free(retired);
}

/* Drops the tables' references to rules that are in no classifier any more, which readers may still be passing:
 * those that were the last share a callback. */
static void bury(struct retirement *retired)
{
    struct rule **rules = (struct rule **)retired->rules.items;
    size_t n = retired->rules.n;

    retired->rules.n = 0;
    for (size_t i = 0; i < n; i++)
        if (rule_drop(rules[i]))
            rules[retired->rules.n++] = rules[i];
    rcu_order_before_writers();
    call_rcu(&retired->rcu, free_retired);
}

void flow_tables_reap(struct flow_tables *tables)
{
    struct retirement *retired;

    /* Pairs with the release in mark_ripe(). */
    while ((retired = tables->retirements) &&
           atomic_load_explicit(&retired->is_ripe, memory_order_acquire)) {
        tables->retirements = retired->next;
        if (!tables->retirements)
            tables->retirements_end = &tables->retirements;
        for (size_t i = 0; i < retired->newest.n; i++)
            free_older(retired->newest.items[i], retired->owners.items[i]);
        free(retired->newest.items);
        free(retired->owners.items);
        take_out_all(tables, &retired->rules);
        bury(retired);
    }
}

void flow_tables_push_stats(struct flow_tables *tables)
{
    if (tables->events->push_stats)
        tables->events->push_stats(tables->aux);
}

static void settle_counters(struct flow_tables *tables)
{
    if (!tables->must_settle)
        return;
    flow_tables_push_stats(tables);
    for (size_t i = 0; i < tables->n_modifications; i++) {
        struct rule *rule = tables->modifications[i].rule;
        if (!tables->modifications[i].resets_counts)
            continue;
        atomic_store_explicit(&rule->n_packets, 0, memory_order_relaxed);
        atomic_store_explicit(&rule->n_bytes, 0, memory_order_relaxed);
    }
    for (size_t i = 0; i < tables->n_removals; i++) {
        const struct rule *rule = tables->removals[i].rule;
        struct rule *heir = tables->removals[i].heir;
        if (!heir)
            continue;
        atomic_fetch_add_explicit(&heir->n_packets, rule->n_packets, memory_order_relaxed);
        atomic_fetch_add_explicit(&heir->n_bytes, rule->n_bytes, memory_order_relaxed);
    }
}

/* What the modifications replaced is needed by readers of older versions for some time. */
static void retire_older_actions(struct flow_tables *tables, struct retirement *retirement)
{
    for (size_t i = 0; i < tables->n_modifications; i++) {
        struct rule *rule = tables->modifications[i].rule;
        pointer_list_add(&retirement->newest,
                         atomic_load_explicit(&rule->actions, memory_order_relaxed));
        pointer_list_add(&retirement->owners, rule); /* With the reference. */
        rule->modification = 0;
    }
    tables->n_modifications = 0;
    if (tables->modifications_capacity > KEPT_CAPACITY) {
        free(tables->modifications);
        tables->modifications = NULL;
        tables->modifications_capacity = 0;
    }
}

static void mark_ripe(struct rcu_head *rcu)
{
    struct retirement *retirement = CONTAINER_OF(rcu, struct retirement, rcu);

    rcu_begin_callback();
    for (size_t i = 0; i < retirement->actions.n; i++)
        free(retirement->actions.items[i]);
    free(retirement->actions.items);
    /* Pairs with the acquire in reap_retired(), which may free it at once. */
    atomic_store_explicit(&retirement->is_ripe, true, memory_order_release);
}

/* Added and removed by changes of one version: no reader can want it. */
static bool is_never_visible(const struct rule *rule)
{
    return !cls_rule_is_visible(&rule->cls, rule->cls.added_in);
}

static void retire_removed(struct flow_tables *tables, struct retirement *retirement)
{
    for (size_t i = 0; i < tables->n_removals; i++) {
        struct rule *rule = tables->removals[i].rule;
        if (tables->added.n && is_never_visible(rule))
            flow_tables_take_out(tables, rule);
        else
            pointer_list_add(&retirement->rules, rule);
    }
    tables->n_removals = tables->added.n = 0;
    if (tables->removals_capacity > KEPT_CAPACITY) {
        free(tables->removals);
        tables->removals = NULL;
        tables->removals_capacity = 0;
    }
    if (tables->added.capacity > KEPT_CAPACITY) {
        free(tables->added.items);
        tables->added = (struct pointer_list){.n = 0};
    }
}

static void retire(struct flow_tables *tables, struct retirement *retirement)
{
    retire_removed(tables, retirement);
    retirement->actions = tables->discarded;
    tables->discarded = (struct pointer_list){.n = 0};
    if (!retirement->rules.n && !retirement->actions.n && !retirement->newest.n) {
        free(retirement);
        return;
    }
    *tables->retirements_end = retirement;
    tables->retirements_end = &retirement->next;
    rcu_order_before_writers();
    call_rcu(&retirement->rcu, mark_ripe);
}

static struct retirement *retirement_create(void)
{
    struct retirement *retirement = calloc(1, sizeof *retirement);

    if (!retirement)
        abort();
    return retirement;
}

static bool is_staying(const struct rule *rule)
{
    return atomic_load_explicit(&rule->cls.removed_in, memory_order_relaxed) ==
           CLASSIFIER_VERSION_NEVER;
}

static bool is_changed(const struct modification *modification)
{
    const struct rule *rule = modification->rule;
    struct ofa_list now = rule_current_actions(rule);
    const struct rule_actions *newest = atomic_load_explicit(&rule->actions, memory_order_relaxed);
    struct ofa_list before = rule_get_actions(rule, newest->since - 1);

    return modification->cookie.raw != rule->cookie.raw || now.n_bytes != before.n_bytes ||
           (now.n_bytes && memcmp(now.first, before.first, now.n_bytes));
}

/* A rule that comes and goes with one version is no news. */
static void tell_changes(struct flow_tables *tables)
{
    const struct flow_tables_events *events = tables->events;

    for (size_t i = 0; i < tables->n_removals && events->removed; i++) {
        const struct removal *removal = &tables->removals[i];
        if (i + AHEAD < tables->n_removals)
            __builtin_prefetch(&tables->removals[i + AHEAD].rule->flags);
        if (removal->is_told)
            events->removed(tables->aux, removal->rule, removal->reason);
    }
    for (size_t i = 0; i < tables->added.n && events->added; i++) {
        if (is_staying(tables->added.items[i]))
            events->added(tables->aux, tables->added.items[i]);
    }
    for (size_t i = 0; i < tables->n_modifications && events->modified; i++) {
        const struct modification *modification = &tables->modifications[i];
        if (is_staying(modification->rule) &&
            modification->rule->cls.added_in < flow_tables_next_version(tables) &&
            is_changed(modification))
            events->modified(tables->aux, modification->rule);
    }
}

bool flow_tables_publish(struct flow_tables *tables)
{
    if (!tables->has_changes && !group_table_has_changes(tables->groups))
        return false;
    learned_names_settle(&tables->names, tables);
    flow_tables_note_vacancies(tables);
    flow_tables_reap(tables);

    struct retirement *retirement = retirement_create();
    settle_counters(tables);
    tell_changes(tables);
    flow_tables_tell_vacancies(tables);
    retire_older_actions(tables, retirement);
    atomic_store_explicit(&tables->version, flow_tables_next_version(tables), memory_order_release);
    tables->has_changes = tables->must_settle = false;
    if (tables->events->changed)
        tables->events->changed(tables->aux);
    retire(tables, retirement);
    group_table_settle(tables->groups);
    return true;
}

static void revert_modifications(struct flow_tables *tables)
{
    for (size_t i = 0; i < tables->n_modifications; i++) {
        const struct modification *modification = &tables->modifications[i];
        struct rule *rule = modification->rule;
        struct rule_actions *newest = atomic_load_explicit(&rule->actions, memory_order_relaxed);

        if (is_staying(rule))
            flow_tables_forget_groups(tables, rule);
        atomic_store_explicit(&rule->actions,
                              atomic_load_explicit(&newest->older, memory_order_relaxed),
                              memory_order_release);
        if (is_staying(rule))
            flow_tables_note_groups(tables, rule);
        pointer_list_add(&tables->discarded, newest);
        rule->modified_ns = modification->modified_ns;
        __atomic_store_n(&rule->cookie.raw, modification->cookie.raw, __ATOMIC_RELAXED);
        rule->modification = 0;
        rule_unref(rule);
    }
    tables->n_modifications = 0;
}

static void revert_removals(struct flow_tables *tables)
{
    for (size_t i = 0; i < tables->n_removals; i++) {
        struct rule *rule = tables->removals[i].rule;

        atomic_store_explicit(&rule->cls.removed_in, CLASSIFIER_VERSION_NEVER,
                              memory_order_relaxed);
        flow_tables_note_groups(tables, rule);
        expiry_heap_add(&tables->expiry, rule);
        if (tables->policies[rule->table_id].eviction)
            eviction_add(tables->policies[rule->table_id].eviction, rule);
        table_get(tables, rule->table_id)->n_flows++;
        tables->n_flows++;
    }
    tables->n_removals = 0;
}

/* Behind the removals: a rule that was added and removed again is there once more. */
static void revert_additions(struct flow_tables *tables)
{
    for (size_t i = 0; i < tables->added.n; i++) {
        struct rule *rule = tables->added.items[i];

        flow_tables_forget_groups(tables, rule);
        expiry_heap_remove(&tables->expiry, rule);
        if (rule->eviction_slot)
            eviction_remove(tables->policies[rule->table_id].eviction, rule);
        table_get(tables, rule->table_id)->n_flows--;
        tables->n_flows--;
        flow_tables_take_out(tables, rule);
    }
    tables->added.n = 0;
}

void flow_tables_revert(struct flow_tables *tables)
{
    learned_names_fini(&tables->names);
    revert_modifications(tables);
    revert_removals(tables);
    revert_additions(tables);
    group_table_revert(tables->groups);
    retire(tables, retirement_create()); /* Discarded actions, which a reader may be passing. */
    tables->has_changes = tables->must_settle = false;
}
