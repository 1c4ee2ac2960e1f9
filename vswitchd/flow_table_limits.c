/* SPDX-License-Identifier: Apache-2.0 */

/* What a table does when it is full, or nearly: by its row in the database and by table_mods. */

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/flow_table_internal.h"

void flow_tables_limits_init(struct flow_tables *tables)
{
    for (size_t i = 0; i < OF_N_TABLES; i++)
        tables->policies[i].max_flows = UINT32_MAX;
}

void flow_tables_limits_fini(struct flow_tables *tables)
{
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        eviction_destroy(tables->policies[i].eviction);
        free(tables->policies[i].groups);
    }
    free(tables->vacancies);
}

static uint32_t n_flows_of(const struct flow_tables *tables, uint8_t table_id)
{
    const struct table *table = table_get(tables, table_id);

    return table ? table->n_flows : 0;
}

static uint32_t max_flows_of(const struct flow_tables *tables, uint8_t table_id)
{
    uint32_t max_flows = tables->policies[table_id].max_flows;

    return max_flows < tables->max_flows ? max_flows : tables->max_flows;
}

/* Eviction */

static bool add_evictable(struct cls_rule *cls, void *tables_)
{
    const struct flow_tables *tables = tables_;
    struct rule *rule = rule_of_cls(cls);

    if (cls_rule_is_visible(cls, flow_tables_next_version(tables)))
        eviction_add(tables->policies[rule->table_id].eviction, rule);
    return true;
}

/* Makes what decides who goes anew: on, off, or by other groups. */
static void follow_policy(struct flow_tables *tables, uint8_t table_id)
{
    struct table_policy *policy = &tables->policies[table_id];
    const struct table *table = table_get(tables, table_id);

    eviction_destroy(policy->eviction);
    policy->eviction = NULL;
    if (!policy->does_evict && !policy->config.does_evict)
        return;
    policy->eviction = eviction_create(policy->groups, policy->n_groups);
    if (table)
        classifier_each(table->classifier, NULL, add_evictable, tables);
}

static bool evict_one(struct flow_tables *tables, uint8_t table_id)
{
    struct eviction *eviction = tables->policies[table_id].eviction;
    struct rule *rule = eviction ? eviction_choose(eviction) : NULL;

    if (rule)
        flow_tables_remove(tables, rule, FLOW_REMOVED_EVICTION);
    return rule;
}

enum of_error flow_tables_make_room(struct flow_tables *tables, uint8_t table_id)
{
    bool is_full = tables->n_flows >= tables->max_flows ||
                   n_flows_of(tables, table_id) >= tables->policies[table_id].max_flows;

    return is_full && !evict_one(tables, table_id) ? OFPFMFC_TABLE_FULL : OF_OK;
}

/* Limits */

void flow_tables_set_max_flows(struct flow_tables *tables, uint32_t max_flows)
{
    tables->max_flows = max_flows;
}

static bool has_groups(const struct table_policy *policy, const struct flow_table_limits *limits)
{
    if (policy->n_groups != limits->n_groups)
        return false;
    for (size_t i = 0; i < limits->n_groups; i++) {
        const struct of_subfield *a = &policy->groups[i], *b = &limits->groups[i];
        if (a->field != b->field || a->first != b->first || a->n_bits != b->n_bits)
            return false;
    }
    return true;
}

static void set_groups(struct table_policy *policy, const struct flow_table_limits *limits)
{
    free(policy->groups);
    policy->groups = calloc(limits->n_groups + 1, sizeof *policy->groups);
    if (!policy->groups)
        abort();
    if (limits->n_groups)
        memcpy(policy->groups, limits->groups, limits->n_groups * sizeof *policy->groups);
    policy->n_groups = limits->n_groups;
}

void flow_tables_set_limits(struct flow_tables *tables, uint8_t table_id,
                            const struct flow_table_limits *limits)
{
    struct table_policy *policy = &tables->policies[table_id];

    policy->max_flows = limits->max_flows;
    if (policy->does_evict != limits->does_evict || !has_groups(policy, limits)) {
        set_groups(policy, limits);
        policy->does_evict = limits->does_evict;
        follow_policy(tables, table_id);
    }
    while (n_flows_of(tables, table_id) > policy->max_flows && evict_one(tables, table_id))
        continue;
    flow_tables_publish(tables);
}

/* Vacancy */

static uint8_t vacancy_percent(const struct flow_tables *tables, uint8_t table_id)
{
    uint64_t n_flows = n_flows_of(tables, table_id), max_flows = max_flows_of(tables, table_id);

    if (!max_flows)
        return 100; /* As in Open vSwitch. */
    return n_flows >= max_flows ? 0 : (uint8_t)((max_flows - n_flows) * 100 / max_flows);
}

static void note_vacancy(struct flow_tables *tables, uint8_t table_id)
{
    struct table_policy *policy = &tables->policies[table_id];
    uint8_t percent = vacancy_percent(tables, table_id);
    bool is_down = policy->awaited == OFTR_VACANCY_DOWN &&
                   percent < policy->config.vacancy_down_percent;
    bool is_up = policy->awaited == OFTR_VACANCY_UP && percent > policy->config.vacancy_up_percent;

    if (!is_down && !is_up)
        return;
    tables->vacancies = reallocarray(tables->vacancies, tables->n_vacancies + 1,
                                     sizeof *tables->vacancies);
    if (!tables->vacancies)
        abort();
    tables->vacancies[tables->n_vacancies++] =
        (struct vacancy_news){.table_id = table_id, .reason = policy->awaited, .percent = percent};
    policy->awaited = is_down ? OFTR_VACANCY_UP : OFTR_VACANCY_DOWN;
    tables->has_changes = true;
}

void flow_tables_note_vacancies(struct flow_tables *tables)
{
    for (size_t i = 0, n_left = tables->n_awaiting; n_left && i < OF_N_TABLES; i++) {
        if (!tables->policies[i].awaited)
            continue;
        note_vacancy(tables, (uint8_t)i);
        n_left--;
    }
}

void flow_tables_tell_vacancies(struct flow_tables *tables)
{
    for (size_t i = 0; i < tables->n_vacancies && tables->events->vacancy; i++) {
        const struct vacancy_news *news = &tables->vacancies[i];
        tables->events->vacancy(tables->aux, news->table_id, (enum of_table_reason)news->reason,
                                news->percent);
    }
    tables->n_vacancies = 0;
}

/* Events that are on already wait for what they waited for. */
static void follow_vacancy(struct flow_tables *tables, uint8_t table_id)
{
    struct table_policy *policy = &tables->policies[table_id];

    tables->n_awaiting -= policy->awaited != 0;
    if (!policy->config.tells_vacancy)
        policy->awaited = 0;
    else if (!policy->awaited)
        policy->awaited = vacancy_percent(tables, table_id) < policy->config.vacancy_up_percent
                              ? OFTR_VACANCY_UP
                              : OFTR_VACANCY_DOWN;
    tables->n_awaiting += policy->awaited != 0;
}

/* What table_mods set */

static void tell_configured(struct flow_tables *tables, uint8_t table_id)
{
    if (tables->events->configured)
        tables->events->configured(tables->aux, table_id);
}

static void set_config(struct flow_tables *tables, uint8_t table_id,
                       const struct of_table_config *config)
{
    struct table_policy *policy = &tables->policies[table_id];
    bool did_evict = policy->config.does_evict;

    policy->config = *config;
    if (did_evict != config->does_evict && !policy->does_evict)
        follow_policy(tables, table_id);
    follow_vacancy(tables, table_id);
}

void flow_tables_set_config(struct flow_tables *tables, uint8_t table_id,
                            const struct of_table_config *config)
{
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        if (i == table_id || table_id == OF_TABLE_ALL)
            set_config(tables, (uint8_t)i, config);
    }
    tell_configured(tables, table_id);
}

const struct of_table_config *flow_tables_config(const struct flow_tables *tables, uint8_t table_id)
{
    return &tables->policies[table_id].config;
}

void flow_tables_set_miss(struct flow_tables *tables, uint8_t table_id, enum of_table_miss miss)
{
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        if (i == table_id || table_id == OF_TABLE_ALL)
            atomic_store_explicit(&tables->misses[i], (uint8_t)miss, memory_order_relaxed);
    }
    tables->has_changes = true;
    tell_configured(tables, table_id);
}

enum of_table_miss flow_tables_miss(const struct flow_tables *tables, uint8_t table_id)
{
    return (enum of_table_miss)atomic_load_explicit(&tables->misses[table_id],
                                                    memory_order_relaxed);
}

/* What is told of a table */

void flow_tables_get_stats(const struct flow_tables *tables, uint8_t table_id,
                           struct flow_table_stats *stats)
{
    const struct table_counters *counters = &tables->counters[table_id];

    *stats = (struct flow_table_stats){
        .n_flows = n_flows_of(tables, table_id),
        .max_flows = max_flows_of(tables, table_id),
        .n_lookups = atomic_load_explicit(&counters->n_lookups, memory_order_relaxed),
        .n_matched = atomic_load_explicit(&counters->n_matched, memory_order_relaxed),
        .vacancy_percent = vacancy_percent(tables, table_id),
    };
}
