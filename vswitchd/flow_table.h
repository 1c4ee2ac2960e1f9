/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table - the OpenFlow tables of one bridge, and what flow_mods do to them.
 *
 * Lookups see one version of all tables; a change is prepared for the next version and published by one
 * store.  Rules keep their counters for life; the actions of a rule are replaced, not edited.
 *
 * Threads  Changes, expiry and listing on the main thread.  flow_tables_lookup() and rule_credit() on
 *          any RCU reader.
 * Memory   A rule lives while it is in a table or somebody holds a reference, and then for a
 *          grace period: readers need no reference inside one batch.
 * Time     Callers pass 'now_ns'. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/openflow.h"
#include "vswitchd/classifier.h"

/* Replaced as a whole by modify; freed after a grace period. */
struct rule_actions {
    uint32_t n_bytes;
    uint64_t bytes[]; /* A struct ofa list. */
};

static inline struct ofa_list rule_actions_list(const struct rule_actions *actions)
{
    return (struct ofa_list){
        .first = (const struct ofa *)(const void *)actions->bytes,
        .n_bytes = actions->n_bytes,
    };
}

struct rule {
    struct cls_rule cls;
    be64 cookie;
    struct rule_actions *_Atomic actions; /* Readers: rule_get_actions(). */
    uint8_t table_id;
    uint16_t flags; /* enum of_flow_flags. */
    uint16_t idle_timeout_s;
    uint16_t hard_timeout_s;
    uint16_t importance;
    int64_t created_ns;
    int64_t modified_ns; /* Hard timeouts count from here. */

    _Atomic(int64_t) used_ns;
    _Atomic(uint64_t) n_packets;
    _Atomic(uint64_t) n_bytes;
    _Atomic(uint32_t) n_references;
};

static inline struct ofa_list rule_get_actions(const struct rule *rule)
{
    return rule_actions_list(atomic_load_explicit(&rule->actions, memory_order_acquire));
}

void rule_ref(struct rule *rule);
void rule_unref(struct rule *rule); /* NULL is fine.  Any thread. */

/* Any thread that holds a reference or is inside an RCU read-side section. */
void rule_credit(struct rule *rule, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns);

struct flow_tables;

enum flow_removed_reason { FLOW_REMOVED_IDLE, FLOW_REMOVED_HARD, FLOW_REMOVED_DELETE };

/* Told on the main thread. 'aux' is flow_tables_create()'s. */
struct flow_tables_events {
    void (*changed)(void *aux); /* Once for each published version: caches are out of date. */
    void (*removed)(void *aux, const struct rule *rule, enum flow_removed_reason reason);
};

struct flow_tables *flow_tables_create(const struct flow_tables_events *events, void *aux);
void flow_tables_destroy(struct flow_tables *tables); /* After a grace period; NULL is fine. */

/* The version that lookups of one translation use, all of them the same. Any RCU reader. */
uint64_t flow_tables_version(const struct flow_tables *tables);

/* The best rule of table 'table_id' for 'flow', or NULL; adds the bits looked at to 'consulted' (which
 * may be NULL).  Counts the lookup for table statistics only through flow_tables_credit(). */
struct rule *flow_tables_lookup(const struct flow_tables *tables, uint64_t version,
                                uint8_t table_id, const struct flow *flow, struct flow *consulted);

/* 'n_packets' were looked up in 'table_id' and, if 'is_match', matched.  Any thread. */
void flow_tables_credit(struct flow_tables *tables, uint8_t table_id, bool is_match,
                        uint64_t n_packets);
