/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table_internal - what the files of flow_table.h share: the tables, and what is prepared for their
 * next version.
 *
 * Changes (flow_table.c, flow_table_limits.c) are kept in three lists (added, removed, modified); flow_table_publish.c makes
 * them visible or takes them back.  What a publication took out (rules, replaced actions) is a struct
 * retirement: after a grace period its callback marks it ripe, and the main thread, the classifiers'
 * only writer, takes the rules out of their classifiers when it next passes by.
 *
 * Threads  The main thread, but for what flow_table.h says of lookups. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/annotations.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/flow_table_eviction.h"
#include "vswitchd/flow_table_expiry.h"
#include "vswitchd/flow_table_groups.h"
#include "vswitchd/flow_table_learned.h"

struct pointer_list {
    void **items; /* Owned. */
    size_t n;
    size_t capacity;
};

void pointer_list_add(struct pointer_list *list, void *item);

/* A rule that gets other actions with the next version, and what it had. */
struct modification {
    struct rule *rule; /* A reference. */
    int64_t modified_ns;
    be64 cookie;
    bool resets_counts;
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

/* How full a table may be, and what happens then. */
struct table_policy {
    struct of_table_config config;
    struct eviction *eviction; /* NULL: no flow has to go. */
    struct of_subfield *groups;
    size_t n_groups;
    uint32_t max_flows;
    bool does_evict; /* By its limits. */
    uint8_t awaited; /* What is told next, of enum of_table_reason, or 0. */
};

/* To be told with the next version. */
struct vacancy_news {
    uint8_t table_id, reason, percent;
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
    uint32_t n_flows;  /* Current ones in all tables. */
    int64_t newest_ns; /* No rule was made after that. */
    uint32_t max_flows;
    int64_t deleted_ns; /* flow_tables_note_delete() */
    struct table_policy policies[OF_N_TABLES];
    size_t n_awaiting; /* Tables with 'awaited'. */
    struct vacancy_news *vacancies;
    size_t n_vacancies;
    _Atomic(uint8_t) misses[OF_N_TABLES]; /* enum of_table_miss. */
    struct expiry_heap expiry;
    struct group_table *groups;
    struct named_groups named; /* By which rules. */

    /* For the next version. */
    bool has_changes;
    bool must_settle; /* Counters are asked for, moved or reset. */
    struct removal *removals;
    size_t n_removals, removals_capacity;
    struct pointer_list added;     /* Of struct rule. */
    struct pointer_list discarded; /* Of struct rule_actions replaced before they were published. */
    struct modification *modifications;
    size_t n_modifications, modifications_capacity;
    struct learned_names names; /* That have lost a teacher. */

    struct retirement *retirements; /* Oldest first. */
    struct retirement **retirements_end;
};

static inline struct table *table_get(const struct flow_tables *tables, uint8_t table_id)
{
    /* Pairs with the release in table_get_or_create(): the classifier is there. */
    return atomic_load_explicit(&tables->tables[table_id], memory_order_acquire);
}

static inline struct rule *rule_of_cls(struct cls_rule *cls)
{
    return cls ? CONTAINER_OF(cls, struct rule, cls) : NULL;
}

/* A rule becomes a current one, or is none any more; what it has now becomes, or is no longer, its actions. */
void flow_tables_note_groups(struct flow_tables *tables, struct rule *rule);
void flow_tables_forget_groups(struct flow_tables *tables, struct rule *rule);

/* Takes a rule that no reader wants out of its classifier, and drops the table's reference. */
void flow_tables_take_out(struct flow_tables *tables, struct rule *rule);

/* Takes out what no reader is left for. */
void flow_tables_reap(struct flow_tables *tables);

/* flow_table_limits.c */
void flow_tables_limits_init(struct flow_tables *tables);
void flow_tables_limits_fini(struct flow_tables *tables);
void flow_tables_tell_vacancies(struct flow_tables *tables);

/* Asks caches for their counters, which are then those of this moment. */
void flow_tables_push_stats(struct flow_tables *tables);
