/* SPDX-License-Identifier: Apache-2.0 */

/* One classifier per table, created with its first flow. */

#include "vswitchd/flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "vswitchd/conjunction.h"
#include "vswitchd/flow_table_internal.h"
#include "vswitchd/flow_table_rule.h"
#include "vswitchd/group_table.h"

/* Life */

struct flow_tables *flow_tables_create(const struct flow_tables_events *events, void *aux)
{
    struct flow_tables *tables = calloc(1, sizeof *tables);

    if (!tables)
        abort();
    atomic_init(&tables->version, 1);
    tables->events = events;
    tables->aux = aux;
    tables->max_flows = FLOW_TABLES_MAX_FLOWS;
    tables->groups = group_table_create();
    flow_tables_limits_init(tables);
    tables->retirements_end = &tables->retirements;
    return tables;
}

static struct table *table_get_or_create(struct flow_tables *tables, uint8_t table_id)
{
    struct table *table = table_get(tables, table_id);

    if (!table) {
        table = calloc(1, sizeof *table);
        if (!table)
            abort();
        table->classifier = classifier_create();
        atomic_store_explicit(&tables->tables[table_id], table, memory_order_release);
    }
    return table;
}

static bool remove_for_good(struct cls_rule *cls, void *table)
{
    classifier_remove(((struct table *)table)->classifier, cls);
    rule_unref(CONTAINER_OF(cls, struct rule, cls));
    return true;
}

void flow_tables_destroy(struct flow_tables *tables)
{
    if (!tables)
        return;
    flow_tables_revert(tables);
    rcu_wait_for_callbacks();
    flow_tables_reap(tables);
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        struct table *table = table_get(tables, (uint8_t)i);
        if (!table)
            continue;
        classifier_each(table->classifier, NULL, remove_for_good, table);
        classifier_destroy(table->classifier);
        free(table);
    }
    flow_tables_limits_fini(tables);
    expiry_heap_fini(&tables->expiry);
    learned_names_fini(&tables->names);
    named_groups_fini(&tables->named);
    group_table_destroy(tables->groups);
    free(tables->added.items);
    free(tables->discarded.items);
    free(tables->modifications);
    free(tables->removals);
    free(tables);
}

/* Changes */

uint64_t flow_tables_next_version(const struct flow_tables *tables)
{
    return flow_tables_version(tables) + 1;
}

struct group_table *flow_tables_groups(const struct flow_tables *tables)
{
    return tables->groups;
}

static struct rule *find_in_version(const struct flow_tables *tables, uint64_t version,
                                    uint8_t table_id, const struct match *match, uint16_t priority)
{
    const struct table *table = table_get(tables, table_id);

    return table ? rule_of_cls(classifier_find(table->classifier, version, match, priority)) : NULL;
}

struct rule *flow_tables_find(const struct flow_tables *tables, uint8_t table_id,
                              const struct match *match, uint16_t priority)
{
    return find_in_version(tables, flow_tables_next_version(tables), table_id, match, priority);
}

struct rule *flow_tables_find_published(const struct flow_tables *tables, uint8_t table_id,
                                        const struct match *match, uint16_t priority)
{
    return find_in_version(tables, flow_tables_version(tables), table_id, match, priority);
}

struct rule *flow_tables_find_overlap(const struct flow_tables *tables, uint8_t table_id,
                                      const struct match *match, uint16_t priority)
{
    const struct table *table = table_get(tables, table_id);

    return table ? rule_of_cls(classifier_find_overlap(
                       table->classifier, flow_tables_next_version(tables), match, priority))
                 : NULL;
}

size_t flow_tables_count_users(const struct flow_tables *tables, uint32_t group_id)
{
    return named_groups_count(&tables->named, group_id);
}

void flow_tables_note_groups(struct flow_tables *tables, struct rule *rule)
{
    if (rule->names_group)
        named_groups_add(&tables->named, rule_current_actions(rule), rule);
}

void flow_tables_forget_groups(struct flow_tables *tables, struct rule *rule)
{
    if (rule->names_group)
        named_groups_remove(&tables->named, rule_current_actions(rule), rule);
}

static struct removal *add_removal(struct flow_tables *tables, struct rule *rule)
{
    if (tables->n_removals == tables->removals_capacity) {
        tables->removals_capacity = tables->removals_capacity ? 2 * tables->removals_capacity : 16;
        tables->removals = realloc(tables->removals,
                                   tables->removals_capacity * sizeof tables->removals[0]);
        if (!tables->removals)
            abort();
    }
    struct removal *removal = &tables->removals[tables->n_removals++];
    *removal = (struct removal){.rule = rule};
    if (rule->is_teacher)
        learned_names_note(&tables->names, rule_current_actions(rule));
    flow_tables_forget_groups(tables, rule);

    struct table *table = table_get(tables, rule->table_id);
    atomic_store_explicit(&rule->cls.removed_in, flow_tables_next_version(tables),
                          memory_order_relaxed);
    expiry_heap_remove(&tables->expiry, rule);
    if (rule->eviction_slot)
        eviction_remove(tables->policies[rule->table_id].eviction, rule);
    table->n_flows--;
    tables->n_flows--;
    tables->has_changes = true;
    return removal;
}

static bool has_actions_of(const struct rule *a, const struct rule *b)
{
    struct ofa_list a_list = rule_current_actions(a), b_list = rule_current_actions(b);

    return a_list.n_bytes == b_list.n_bytes &&
           (!a_list.n_bytes || !memcmp(a_list.first, b_list.first, a_list.n_bytes));
}

/* Is what was published of 'old' all that there is to say of 'rule', too? */
static bool repeats(const struct flow_tables *tables, const struct rule *rule,
                    const struct rule *old)
{
    return old->cls.added_in < flow_tables_next_version(tables) && !old->modification &&
           rule->cookie.raw == old->cookie.raw && rule->flags == old->flags &&
           rule->idle_timeout_s == old->idle_timeout_s &&
           rule->hard_timeout_s == old->hard_timeout_s && rule->importance == old->importance &&
           has_actions_of(rule, old);
}

void flow_tables_add(struct flow_tables *tables, uint8_t table_id, const struct of_flow_mod *flow,
                     struct rule *replaced, int64_t now_ns)
{
    struct table *table = table_get_or_create(tables, table_id);
    struct rule *rule = rule_create(table_id, flow, now_ns);

    if (replaced) {
        rule->is_repetition = repeats(tables, rule, replaced);
        struct removal *removal = add_removal(tables, replaced);
        removal->heir = of_flow_mod_resets_counts(flow) ? NULL : rule;
        tables->must_settle |= removal->heir != NULL;
    }
    classifier_insert(table->classifier, &rule->cls, flow_tables_next_version(tables));
    expiry_heap_add(&tables->expiry, rule);
    if (tables->policies[table_id].eviction)
        eviction_add(tables->policies[table_id].eviction, rule);
    flow_tables_note_groups(tables, rule);
    pointer_list_add(&tables->added, rule);
    tables->newest_ns = now_ns > tables->newest_ns ? now_ns : tables->newest_ns;
    table->n_flows++;
    tables->n_flows++;
    tables->has_changes = true;
}

/* What the rule has now is noted once for each version. */
static struct modification *note_modification(struct flow_tables *tables, struct rule *rule)
{
    if (rule->modification)
        return &tables->modifications[rule->modification - 1];
    if (tables->n_modifications == tables->modifications_capacity) {
        size_t capacity = tables->modifications_capacity ? 2 * tables->modifications_capacity : 16;
        tables->modifications = realloc(tables->modifications,
                                        capacity * sizeof tables->modifications[0]);
        if (!tables->modifications)
            abort();
        tables->modifications_capacity = capacity;
    }
    struct modification *modification = &tables->modifications[tables->n_modifications++];
    rule_ref(rule);
    *modification = (struct modification){
        .rule = rule,
        .modified_ns = rule->modified_ns,
        .cookie = rule->cookie,
    };
    rule->modification = (uint32_t)tables->n_modifications;
    return modification;
}

/* In front of what the rule has, or in place of what it would have had. */
static void push_actions(struct flow_tables *tables, struct rule *rule,
                         struct rule_actions *actions)
{
    struct rule_actions *newest = atomic_load_explicit(&rule->actions, memory_order_relaxed);

    if (newest->since == flow_tables_next_version(tables)) {
        pointer_list_add(&tables->discarded, newest);
        newest = atomic_load_explicit(&newest->older, memory_order_relaxed);
    }
    actions->since = flow_tables_next_version(tables);
    atomic_init(&actions->older, newest);
    /* Pairs with the acquire in rule_get_actions(). */
    atomic_store_explicit(&rule->actions, actions, memory_order_release);
}

void flow_tables_modify(struct flow_tables *tables, struct rule *rule,
                        const struct of_flow_mod *flow, int64_t now_ns)
{
    struct modification *modification = note_modification(tables, rule);

    if (rule->is_teacher)
        learned_names_note(&tables->names, rule_current_actions(rule));
    rule->is_teacher |= learned_names_has(of_flow_mod_actions(flow));
    rule->is_repetition = false;
    flow_tables_forget_groups(tables, rule);
    rule->names_group |= named_groups_has(of_flow_mod_actions(flow));
    push_actions(tables, rule, rule_actions_create(of_flow_mod_actions(flow)));
    flow_tables_note_groups(tables, rule);
    rule->modified_ns = now_ns;
    if (flow->modify_cookie)
        __atomic_store_n(&rule->cookie.raw, flow->new_cookie.raw, __ATOMIC_RELAXED);
    modification->resets_counts |= (flow->flags & OFFF_RESET_COUNTS) != 0;
    tables->must_settle |= modification->resets_counts;
    tables->has_changes = true;
}

void flow_tables_remove(struct flow_tables *tables, struct rule *rule,
                        enum flow_removed_reason reason)
{
    struct removal *removal = add_removal(tables, rule);

    removal->reason = reason;
    removal->is_told = true;
    tables->must_settle |= (rule->flags & OFFF_SEND_FLOW_REM) != 0;
}

static bool shorten(uint16_t *timeout_s, uint16_t to_s)
{
    if (!to_s || (*timeout_s && *timeout_s <= to_s))
        return false;
    *timeout_s = to_s;
    return true;
}

void flow_tables_shorten_timeouts(struct flow_tables *tables, struct rule *rule, uint16_t idle_s,
                                  uint16_t hard_s)
{
    bool is_shorter = shorten(&rule->idle_timeout_s, idle_s);

    is_shorter |= shorten(&rule->hard_timeout_s, hard_s);
    if (!is_shorter || !cls_rule_is_visible(&rule->cls, flow_tables_next_version(tables)))
        return;
    expiry_heap_remove(&tables->expiry, rule);
    expiry_heap_add(&tables->expiry, rule);
    struct eviction *eviction = tables->policies[rule->table_id].eviction;
    if (eviction) {
        eviction_remove(eviction, rule);
        eviction_add(eviction, rule);
    }
}

void flow_tables_expire(struct flow_tables *tables, int64_t now_ns)
{
    struct rule *rule;

    flow_tables_reap(tables);
    if (!expiry_heap_due(&tables->expiry, now_ns))
        return;
    flow_tables_push_stats(tables);
    while ((rule = expiry_heap_due(&tables->expiry, now_ns))) {
        if (rule_deadline_ns(rule) > now_ns) {
            expiry_heap_update_top(&tables->expiry);
            continue;
        }
        bool is_hard = rule->hard_timeout_s &&
                       rule->modified_ns + rule->hard_timeout_s * SECOND_NS <= now_ns;
        flow_tables_remove(tables, rule, is_hard ? FLOW_REMOVED_HARD : FLOW_REMOVED_IDLE);
    }
    flow_tables_publish(tables);
}

/* Lookups */

uint64_t flow_tables_version(const struct flow_tables *tables)
{
    /* Pairs with the release in flow_tables_publish(): rules of this version are in place. */
    return atomic_load_explicit(&tables->version, memory_order_acquire);
}

struct rule *flow_tables_lookup(const struct flow_tables *tables, uint64_t version,
                                uint8_t table_id, const struct flow *flow, struct flow *consulted,
                                size_t *n_clauses)
{
    const struct table *table = table_get(tables, table_id);
    struct rule *rule;

    if (!table)
        return NULL;
    rule = rule_of_cls(classifier_lookup(table->classifier, version, flow, consulted));
    return rule && rule_is_conjunctive(rule, version)
               ? conjunction_lookup(table->classifier, version, flow, consulted, n_clauses)
               : rule;
}

struct match_walk {
    void (*each)(const struct rule *rule, void *arg);
    void *arg;
};

static void visit_match(struct cls_rule *cls, void *walk_)
{
    const struct match_walk *walk = walk_;

    walk->each(rule_of_cls(cls), walk->arg);
}

void flow_tables_each_match(const struct flow_tables *tables, uint64_t version, uint8_t table_id,
                            const struct flow *flow,
                            void (*each)(const struct rule *rule, void *arg), void *arg)
{
    const struct table *table = table_get(tables, table_id);
    struct match_walk walk = {.each = each, .arg = arg};

    if (table)
        classifier_each_match(table->classifier, version, flow, NULL, visit_match, &walk);
}

void flow_tables_credit(struct flow_tables *tables, uint8_t table_id, bool is_match,
                        uint64_t n_packets)
{
    struct table_counters *counters = &tables->counters[table_id];

    atomic_fetch_add_explicit(&counters->n_lookups, n_packets, memory_order_relaxed);
    if (is_match)
        atomic_fetch_add_explicit(&counters->n_matched, n_packets, memory_order_relaxed);
}

void flow_tables_note_delete(struct flow_tables *tables, int64_t now_ns)
{
    tables->deleted_ns = now_ns;
}

int64_t flow_tables_deleted_ns(const struct flow_tables *tables)
{
    return tables->deleted_ns;
}

uint32_t flow_tables_n_flows(const struct flow_tables *tables)
{
    return tables->n_flows;
}
