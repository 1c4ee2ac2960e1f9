/* SPDX-License-Identifier: Apache-2.0 */

/* One classifier per table, created with its first flow.  What a publication took out (rules, replaced
 * actions) is a struct retirement: after a grace period its callback marks it ripe, and the main thread,
 * the classifiers' only writer, takes the rules out of their classifiers when it next passes by.
 *
 * What is prepared for the next version is kept in three lists (added, removed, modified), from which it
 * can be taken back. */

#include "vswitchd/flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/openflow/action_codec.h"
#include "vswitchd/conjunction.h"
#include "vswitchd/flow_table_expiry.h"
#include "vswitchd/flow_table_learned.h"
#include "vswitchd/flow_table_rule.h"
#include "vswitchd/group_table.h"

struct pointer_list {
    void **items; /* Owned. */
    size_t n;
    size_t capacity;
};

static void pointer_list_add(struct pointer_list *list, void *item)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 16;
        list->items = realloc(list->items, list->capacity * sizeof list->items[0]);
        if (!list->items)
            abort();
    }
    list->items[list->n++] = item;
}

/* A rule that gets other actions with the next version, and what it had. */
struct modification {
    struct rule *rule; /* A reference. */
    int64_t modified_ns;
    be64 cookie;
    bool resets_counts;
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

/* A rule that leaves with the next version. */
struct removal {
    struct rule *rule;
    struct rule *heir; /* Replaces it and takes over its counters, or NULL. */
    enum flow_removed_reason reason;
    bool is_told;
};

struct table {
    struct classifier *classifier;
    uint32_t n_flows; /* Current ones. */
};

struct table_counters {
    _Atomic(uint64_t) n_lookups, n_matched;
};

struct flow_tables {
    _Atomic(uint64_t) version; /* Published: pairs with flow_tables_version(). */
    struct table *_Atomic tables[OF_N_TABLES];
    struct table_counters counters[OF_N_TABLES];

    const struct flow_tables_events *events;
    void *aux;
    uint32_t n_flows; /* Current ones in all tables. */
    uint32_t max_flows;
    uint32_t table_max_flows[OF_N_TABLES];
    _Atomic(uint8_t) misses[OF_N_TABLES]; /* enum of_table_miss. */
    struct of_table_config configs[OF_N_TABLES];
    struct expiry_heap expiry;
    struct group_table *groups;

    /* For the next version. */
    bool has_changes;
    bool has_pushed_stats;
    struct removal *removals;
    size_t n_removals, removals_capacity;
    struct pointer_list added; /* Of struct rule. */
    struct pointer_list
        discarded; /* Of struct rule_actions: replaced before they were published. */
    struct modification *modifications;
    size_t n_modifications, modifications_capacity;
    struct learned_names names; /* That have lost a teacher. */

    struct retirement *retirements; /* Oldest first. */
    struct retirement **retirements_end;
};

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
    memset(tables->table_max_flows, 0xff, sizeof tables->table_max_flows);
    tables->retirements_end = &tables->retirements;
    return tables;
}

static struct table *table_get(const struct flow_tables *tables, uint8_t table_id)
{
    /* Pairs with the release in table_get_or_create(): the classifier is there. */
    return atomic_load_explicit(&tables->tables[table_id], memory_order_acquire);
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

static void take_out(struct flow_tables *tables, struct rule *rule)
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

static void reap_retired(struct flow_tables *tables)
{
    struct retirement *retired;

    /* Pairs with the release in mark_ripe(). */
    while ((retired = tables->retirements) &&
           atomic_load_explicit(&retired->is_ripe, memory_order_acquire)) {
        tables->retirements = retired->next;
        if (!tables->retirements)
            tables->retirements_end = &tables->retirements;
        for (size_t i = 0; i < retired->rules.n; i++)
            take_out(tables, retired->rules.items[i]);
        for (size_t i = 0; i < retired->newest.n; i++)
            free_older(retired->newest.items[i], retired->owners.items[i]);
        free(retired->rules.items);
        free(retired->newest.items);
        free(retired->owners.items);
        free(retired);
    }
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
    reap_retired(tables);
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        struct table *table = table_get(tables, (uint8_t)i);
        if (!table)
            continue;
        classifier_each(table->classifier, remove_for_good, table);
        classifier_destroy(table->classifier);
        free(table);
    }
    expiry_heap_fini(&tables->expiry);
    learned_names_fini(&tables->names);
    group_table_destroy(tables->groups);
    free(tables->added.items);
    free(tables->discarded.items);
    free(tables->modifications);
    free(tables->removals);
    free(tables);
}

void flow_tables_set_max_flows(struct flow_tables *tables, uint32_t max_flows)
{
    tables->max_flows = max_flows;
}

void flow_tables_set_table_max_flows(struct flow_tables *tables, uint8_t table_id,
                                     uint32_t max_flows)
{
    tables->table_max_flows[table_id] = max_flows;
}

void flow_tables_set_miss(struct flow_tables *tables, uint8_t table_id, enum of_table_miss miss)
{
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        if (i == table_id || table_id == OF_TABLE_ALL)
            atomic_store_explicit(&tables->misses[i], (uint8_t)miss, memory_order_relaxed);
    }
    tables->has_changes = true;
}

void flow_tables_set_config(struct flow_tables *tables, uint8_t table_id,
                            const struct of_table_config *config)
{
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        if (i == table_id || table_id == OF_TABLE_ALL)
            tables->configs[i] = *config;
    }
}

enum of_table_miss flow_tables_miss(const struct flow_tables *tables, uint8_t table_id)
{
    return (enum of_table_miss)atomic_load_explicit(&tables->misses[table_id],
                                                    memory_order_relaxed);
}

const struct of_table_config *flow_tables_config(const struct flow_tables *tables, uint8_t table_id)
{
    return &tables->configs[table_id];
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

static void push_stats(struct flow_tables *tables)
{
    if (tables->events->push_stats)
        tables->events->push_stats(tables->aux);
    tables->has_pushed_stats = true;
}

enum of_error flow_tables_check_room(const struct flow_tables *tables, uint8_t table_id)
{
    const struct table *table = table_get(tables, table_id);
    uint32_t n_flows = table ? table->n_flows : 0;

    return tables->n_flows >= tables->max_flows || n_flows >= tables->table_max_flows[table_id]
               ? OFPFMFC_TABLE_FULL
               : OF_OK;
}

static struct rule *rule_of_cls(struct cls_rule *cls)
{
    return cls ? CONTAINER_OF(cls, struct rule, cls) : NULL;
}

struct rule *flow_tables_find(const struct flow_tables *tables, uint8_t table_id,
                              const struct match *match, uint16_t priority)
{
    const struct table *table = table_get(tables, table_id);

    return table ? rule_of_cls(classifier_find(table->classifier, flow_tables_next_version(tables),
                                               match, priority))
                 : NULL;
}

struct rule *flow_tables_find_overlap(const struct flow_tables *tables, uint8_t table_id,
                                      const struct match *match, uint16_t priority)
{
    const struct table *table = table_get(tables, table_id);

    return table ? rule_of_cls(classifier_find_overlap(
                       table->classifier, flow_tables_next_version(tables), match, priority))
                 : NULL;
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
    learned_names_note(&tables->names, rule_current_actions(rule));

    struct table *table = table_get(tables, rule->table_id);
    atomic_store_explicit(&rule->cls.removed_in, flow_tables_next_version(tables),
                          memory_order_relaxed);
    expiry_heap_remove(&tables->expiry, rule);
    table->n_flows--;
    tables->n_flows--;
    tables->has_changes = true;
    return removal;
}

void flow_tables_add(struct flow_tables *tables, uint8_t table_id, const struct of_flow_mod *flow,
                     struct rule *replaced, int64_t now_ns)
{
    struct table *table = table_get_or_create(tables, table_id);
    struct rule *rule = rule_create(table_id, flow, now_ns);

    if (replaced) {
        struct removal *removal = add_removal(tables, replaced);
        removal->heir = of_flow_mod_resets_counts(flow) ? NULL : rule;
    }
    classifier_insert(table->classifier, &rule->cls, flow_tables_next_version(tables));
    expiry_heap_add(&tables->expiry, rule);
    pointer_list_add(&tables->added, rule);
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

    learned_names_note(&tables->names, rule_current_actions(rule));
    push_actions(tables, rule, rule_actions_create(of_flow_mod_actions(flow)));
    rule->modified_ns = now_ns;
    if (flow->modify_cookie)
        __atomic_store_n(&rule->cookie.raw, flow->new_cookie.raw, __ATOMIC_RELAXED);
    modification->resets_counts |= (flow->flags & OFFF_RESET_COUNTS) != 0;
    tables->has_changes = true;
}

void flow_tables_remove(struct flow_tables *tables, struct rule *rule,
                        enum flow_removed_reason reason)
{
    struct removal *removal = add_removal(tables, rule);

    removal->reason = reason;
    removal->is_told = true;
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
}

/* Publication */

static void settle_counters(struct flow_tables *tables)
{
    bool is_needed = false;

    for (size_t i = 0; i < tables->n_removals && !is_needed; i++) {
        const struct removal *removal = &tables->removals[i];
        is_needed = removal->heir ||
                    (removal->is_told && removal->rule->flags & OFFF_SEND_FLOW_REM);
    }
    for (size_t i = 0; i < tables->n_modifications && !is_needed; i++)
        is_needed = tables->modifications[i].resets_counts;
    if (!is_needed)
        return;
    push_stats(tables);
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

static void retire(struct flow_tables *tables, struct retirement *retirement)
{
    for (size_t i = 0; i < tables->n_removals; i++) {
        struct rule *rule = tables->removals[i].rule;
        if (is_never_visible(rule))
            take_out(tables, rule);
        else
            pointer_list_add(&retirement->rules, rule);
    }
    tables->n_removals = tables->added.n = 0;
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
    reap_retired(tables);

    struct retirement *retirement = retirement_create();
    settle_counters(tables);
    tell_changes(tables);
    retire_older_actions(tables, retirement);
    atomic_store_explicit(&tables->version, flow_tables_next_version(tables), memory_order_release);
    tables->has_changes = tables->has_pushed_stats = false;
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

        atomic_store_explicit(&rule->actions,
                              atomic_load_explicit(&newest->older, memory_order_relaxed),
                              memory_order_release);
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
        expiry_heap_add(&tables->expiry, rule);
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

        expiry_heap_remove(&tables->expiry, rule);
        table_get(tables, rule->table_id)->n_flows--;
        tables->n_flows--;
        take_out(tables, rule);
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
    tables->has_changes = false;
}

void flow_tables_expire(struct flow_tables *tables, int64_t now_ns)
{
    struct rule *rule;

    reap_retired(tables);
    if (!expiry_heap_due(&tables->expiry, now_ns))
        return;
    push_stats(tables);
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
                                uint8_t table_id, const struct flow *flow, struct flow *consulted)
{
    const struct table *table = table_get(tables, table_id);
    struct rule *rule;

    if (!table)
        return NULL;
    rule = rule_of_cls(classifier_lookup(table->classifier, version, flow, consulted));
    return rule && rule_is_conjunctive(rule, version)
               ? conjunction_lookup(table->classifier, version, flow, consulted)
               : rule;
}

void flow_tables_credit(struct flow_tables *tables, uint8_t table_id, bool is_match,
                        uint64_t n_packets)
{
    struct table_counters *counters = &tables->counters[table_id];

    atomic_fetch_add_explicit(&counters->n_lookups, n_packets, memory_order_relaxed);
    if (is_match)
        atomic_fetch_add_explicit(&counters->n_matched, n_packets, memory_order_relaxed);
}

/* Listing */

struct listing {
    const struct rule_filter *filter;
    struct minimatch *wide; /* Of filter->match; NULL: any. */
    uint64_t version;
    bool (*each)(struct rule *rule, void *arg);
    void *arg;
    bool is_over;
};

/* match_covers() without expanding 'narrow'. */
static bool covers(const struct minimatch *wide, const struct minimatch *narrow)
{
    const uint64_t *wide_mask = minimatch_mask(wide), *wide_flow = minimatch_flow(wide);
    const uint64_t *mask = minimatch_mask(narrow), *flow = minimatch_flow(narrow);
    uint64_t left = wide->word_set;

    if (wide->word_set & ~narrow->word_set)
        return false;
    for (size_t i = 0; left; i++, left &= left - 1) {
        uint64_t below = (left & -left) - 1;
        int j = __builtin_popcountll(narrow->word_set & below);
        if ((wide_mask[i] & ~mask[j]) | ((wide_flow[i] ^ flow[j]) & wide_mask[i]))
            return false;
    }
    return true;
}

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
    if (listing->wide && !covers(listing->wide, cls->match))
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
        .wide = filter->match && !filter->is_strict ? minimatch_create(filter->match) : NULL,
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
            classifier_each(table->classifier, list_one, &listing);
    }
    free(listing.wide);
}

void flow_tables_get_stats(const struct flow_tables *tables, uint8_t table_id,
                           struct flow_table_stats *stats)
{
    const struct table *table = table_get(tables, table_id);
    const struct table_counters *counters = &tables->counters[table_id];
    uint32_t table_max = tables->table_max_flows[table_id];

    *stats = (struct flow_table_stats){
        .n_flows = table ? table->n_flows : 0,
        .max_flows = table_max < tables->max_flows ? table_max : tables->max_flows,
        .n_lookups = atomic_load_explicit(&counters->n_lookups, memory_order_relaxed),
        .n_matched = atomic_load_explicit(&counters->n_matched, memory_order_relaxed),
    };
}

uint32_t flow_tables_n_flows(const struct flow_tables *tables)
{
    return tables->n_flows;
}
