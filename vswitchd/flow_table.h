/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table - the OpenFlow tables of one bridge: rules, versions, counters, timeouts.
 *
 * Lookups see one version of all tables.  Changes are prepared for the next version, any number of them,
 * and flow_tables_publish() makes them visible by one store, or flow_tables_revert() takes them back;
 * flow_mod.h says what each flow_mod changes.  Rules keep their counters for life; the actions of a rule
 * are replaced, not edited, and have versions like the rules.
 *
 * A rule that was removed stays in its classifier, invisible, until every reader of an older version is
 * done: a lookup finds the old rule or the new one, never neither.
 *
 * Threads  Changes, expiry and listing on the main thread, which must be a registered RCU reader (QSBR)
 *          that passes quiescent states.  flow_tables_lookup() and rule_credit() on any RCU reader.
 * Memory   A rule lives while it is in a table or somebody holds a reference, and then for a
 *          grace period: readers need no reference inside one batch.  With FLOW_TABLES_MAX_FLOWS flows of
 *          typical size that is about 400 MB.
 * Time     Callers pass 'now_ns'. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/openflow/actions.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/openflow.h"
#include "lib/openflow/tables.h"
#include "lib/rcu.h"
#include "vswitchd/classifier.h"

enum { FLOW_TABLES_MAX_FLOWS = 1000000 }; /* In all tables together, unless set otherwise. */

/* Replaced as a whole by modify.  What a version before 'since' had is behind 'older', until no reader of
 * such a version is left. */
struct rule_actions {
    uint64_t since;
    struct rule_actions *_Atomic older;
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
    int64_t created_ns;
    int64_t modified_ns; /* Hard timeouts count from here. */

    _Atomic(int64_t) used_ns;
    _Atomic(uint64_t) n_packets;
    _Atomic(uint64_t) n_bytes;
    be64 cookie; /* Readers: rule_cookie(). */

    /* What changes and walks look at stands together. */
    struct rule_actions *_Atomic actions; /* The newest.  Readers: rule_get_actions(). */
    _Atomic(uint32_t) n_references;
    uint16_t flags; /* enum of_flow_flags. */
    uint16_t idle_timeout_s;
    uint16_t hard_timeout_s;
    uint16_t importance;

    /* The tables'. */
    uint32_t expiry_slot;   /* In the heap of rules with timeouts, from 1; 0: not there. */
    uint32_t eviction_slot; /* In its group of a table that evicts, from 1; 0: not there. */
    uint32_t modification;  /* Place in the list of those for the next version, from 1; 0: none. */
    uint8_t table_id;
    bool is_teacher;    /* Its actions have learn(delete_learned), or had. */
    bool is_repetition; /* But for its counters and age it is what it came in place of. */
    bool names_group;   /* Its actions do, or did. */

    struct cls_rule cls; /* Its flow follows. */
};

/* OpenFlow 1.3.5, 5.4: the entry of lowest priority that matches everything. */
static inline bool rule_is_table_miss(const struct rule *rule)
{
    return !rule->cls.priority && !rule->cls.mask->n_words;
}

/* As 'version' of the tables has them.  Pairs with the release in flow_tables_modify(). */
static inline struct ofa_list rule_get_actions(const struct rule *rule, uint64_t version)
{
    const struct rule_actions *actions = atomic_load_explicit(&rule->actions, memory_order_acquire);

    while (actions->since > version)
        actions = atomic_load_explicit(&actions->older, memory_order_acquire);
    return rule_actions_list(actions);
}

/* The same with all changes made so far. Main thread. */
static inline struct ofa_list rule_current_actions(const struct rule *rule)
{
    return rule_get_actions(rule, UINT64_MAX);
}

static inline be64 rule_cookie(const struct rule *rule)
{
    return (be64){__atomic_load_n(&rule->cookie.raw, __ATOMIC_RELAXED)};
}

void rule_ref(struct rule *rule);
void rule_unref(struct rule *rule); /* NULL is fine.  Any thread that is a registered reader. */

/* Any thread that holds a reference or is inside an RCU read-side section. */
void rule_credit(struct rule *rule, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns);

struct flow_tables;
struct group_table;

enum flow_removed_reason {
    FLOW_REMOVED_IDLE,
    FLOW_REMOVED_HARD,
    FLOW_REMOVED_DELETE,
    FLOW_REMOVED_GROUP_DELETE,
    FLOW_REMOVED_METER_DELETE,
    FLOW_REMOVED_EVICTION,
};

/* Told on the main thread. 'aux' is flow_tables_create()'s.  Any of them may be NULL. */
struct flow_tables_events {
    /* Once for each published version: caches are out of date. */
    void (*changed)(void *aux);

    /* Before the version without 'rule' is published, with final counters.  Not for a rule that another
     * one of the same match and priority replaces. */
    void (*removed)(void *aux, const struct rule *rule, enum flow_removed_reason reason);

    /* In the same place: a rule that comes, in place of another or not, and one that gets other actions or
     * another cookie. */
    void (*added)(void *aux, const struct rule *rule);
    void (*modified)(void *aux, const struct rule *rule);

    /* A table's vacancy has crossed a bound that a table_mod has set: 'percent' of it are free. */
    void (*vacancy)(void *aux, uint8_t table_id, enum of_table_reason reason, uint8_t percent);

    /* A table_mod has set what flow_tables_miss() and flow_tables_config() tell of a table, or of all. */
    void (*configured)(void *aux, uint8_t table_id);

    /* Counters and ages are about to be looked at: credit what caches have not credited yet
     * (datapath_push_stats()). */
    void (*push_stats)(void *aux);
};

struct flow_tables *flow_tables_create(const struct flow_tables_events *events, void *aux);
void flow_tables_destroy(struct flow_tables *tables); /* After a grace period; NULL is fine. */

/* In all tables together, for rules added from now on; what is there stays. */
void flow_tables_set_max_flows(struct flow_tables *tables, uint32_t max_flows);

/* In one table.  When it is full a flow that comes is refused; with 'does_evict', here or in its
 * of_table_config, another one leaves first, if one may (flow_table_eviction.h). */
struct flow_table_limits {
    uint32_t max_flows; /* UINT32_MAX: no limit. */
    bool does_evict;
    const struct of_subfield *groups; /* Copied. */
    size_t n_groups;
};

/* What is above a new limit leaves at once, by the same rule. */
void flow_tables_set_limits(struct flow_tables *tables, uint8_t table_id,
                            const struct flow_table_limits *limits);

/* What a table_mod sets.  OF_TABLE_ALL: all tables.  A new 'miss' is for the next version's caches, but
 * lookups may see it at once. */
void flow_tables_set_miss(struct flow_tables *tables, uint8_t table_id, enum of_table_miss miss);
void flow_tables_set_config(struct flow_tables *tables, uint8_t table_id,
                            const struct of_table_config *config);
enum of_table_miss flow_tables_miss(const struct flow_tables *tables,
                                    uint8_t table_id); /* Any thread. */
const struct of_table_config *flow_tables_config(const struct flow_tables *tables,
                                                 uint8_t table_id);

/* Changes, for the version that flow_tables_publish() will publish.  "Current" below means with all
 * changes made so far. */

/* Evicts a flow if the table is full; OFPFMFC_TABLE_FULL: none can be added. */
enum of_error flow_tables_make_room(struct flow_tables *tables, uint8_t table_id);

/* Looks whether vacancies have crossed bounds, which the next publication tells; it looks itself, too, but sees
 * only what many changes together have come to. */
void flow_tables_note_vacancies(struct flow_tables *tables);

/* The current rule of exactly this match and priority, or NULL. */
struct rule *flow_tables_find(const struct flow_tables *tables, uint8_t table_id,
                              const struct match *match, uint16_t priority);

/* The same of what lookups see. */
struct rule *flow_tables_find_published(const struct flow_tables *tables, uint8_t table_id,
                                        const struct match *match, uint16_t priority);

/* A current rule of this priority that some flow in 'match' would match too, or NULL. */
struct rule *flow_tables_find_overlap(const struct flow_tables *tables, uint8_t table_id,
                                      const struct match *match, uint16_t priority);

/* Adds what 'flow' describes, in place of 'replaced' (NULL: nothing has its match and priority), whose
 * counters it takes over unless OFFF_RESET_COUNTS is set.  The first flow of a table creates it. */
void flow_tables_add(struct flow_tables *tables, uint8_t table_id, const struct of_flow_mod *flow,
                     struct rule *replaced, int64_t now_ns);

/* Gives a current rule the actions of 'flow', and its cookie and (with publication) fresh counters where
 * it says so. */
void flow_tables_modify(struct flow_tables *tables, struct rule *rule,
                        const struct of_flow_mod *flow, int64_t now_ns);

/* Sets timeouts of a rule (s; 0: none given) that are longer, or missing.  Nothing for a rule that is gone. */
void flow_tables_shorten_timeouts(struct flow_tables *tables, struct rule *rule, uint16_t idle_s,
                                  uint16_t hard_s);

void flow_tables_remove(struct flow_tables *tables, struct rule *rule,
                        enum flow_removed_reason reason);

/* Groups have the same versions: what group_table.h changes is published and reverted with the rules. */
struct group_table *flow_tables_groups(const struct flow_tables *tables);

/* How many current rules name the group. */
size_t flow_tables_count_users(const struct flow_tables *tables, uint32_t group_id);
uint64_t flow_tables_next_version(const struct flow_tables *tables);

/* Makes all changes visible at once.  False, and nothing happens, if there are none. */
bool flow_tables_publish(struct flow_tables *tables);

/* Takes back all changes to rules and groups since the last publication: tables are as if nothing had been asked. */
void flow_tables_revert(struct flow_tables *tables);

/* Removes and publishes what has timed out.  Call about once a second: without timeouts that are due it
 * costs nothing. */
void flow_tables_expire(struct flow_tables *tables, int64_t now_ns);

/* Lookups */

/* The version that lookups of one translation use, all of them the same. Any RCU reader. */
uint64_t flow_tables_version(const struct flow_tables *tables);

/* The best rule of table 'table_id' for 'flow', or NULL; adds the bits looked at to 'consulted' (which may be NULL),
 * and to 'n_clauses' the clauses of conjunctions (conjunction.h).  Counts the lookup for table statistics only through
 * flow_tables_credit(). */
struct rule *flow_tables_lookup(const struct flow_tables *tables, uint64_t version,
                                uint8_t table_id, const struct flow *flow, struct flow *consulted,
                                size_t *n_clauses);

/* Calls 'each' for every rule that matches, the best and those it beats, in any order. */
void flow_tables_each_match(const struct flow_tables *tables, uint64_t version, uint8_t table_id,
                            const struct flow *flow,
                            void (*each)(const struct rule *rule, void *arg), void *arg);

/* 'n_packets' were looked up in 'table_id' and, if 'is_match', matched.  Any thread. */
void flow_tables_credit(struct flow_tables *tables, uint8_t table_id, bool is_match,
                        uint64_t n_packets);

/* Listing */

/* Which flows a flow_mod or a statistics request means. */
struct rule_filter {
    const struct match *match; /* NULL: any. */
    uint8_t table_id;          /* OF_TABLE_ALL: all. */
    bool is_strict;            /* Exactly 'match' and 'priority', not what 'match' covers. */
    uint16_t priority;
    be64 cookie, cookie_mask;
    of_port out_port;   /* OFPP_NONE: any. */
    uint32_t out_group; /* OF_GROUP_ANY: any. */
};

/* Calls 'each' for every current rule that passes, until it returns false.  'each' may modify and remove
 * the rule it is given, but not add any. */
void flow_tables_each(struct flow_tables *tables, const struct rule_filter *filter,
                      bool (*each)(struct rule *rule, void *arg), void *arg);

/* The same, as an array of references that outlives later changes, by table, descending priority
 * and age. */
struct rule_set {
    struct rule **rules; /* Owned, and so are the references from 'n_taken' on. */
    size_t n_rules, n_taken;
};

void rule_set_init(struct rule_set *set, struct flow_tables *tables,
                   const struct rule_filter *filter);
struct rule *
rule_set_take(struct rule_set *set); /* The next one, to be dropped by the caller; NULL: none. */
void rule_set_fini(struct rule_set *set);

struct flow_table_stats {
    uint32_t n_flows, max_flows;
    uint64_t n_lookups, n_matched;
    uint8_t vacancy_percent; /* Of max_flows, rounded down. */
};

void flow_tables_get_stats(const struct flow_tables *tables, uint8_t table_id,
                           struct flow_table_stats *stats);
/* When did somebody last ask for flows to go, whether there were any or not? */
void flow_tables_note_delete(struct flow_tables *tables, int64_t now_ns);
int64_t flow_tables_deleted_ns(const struct flow_tables *tables);

uint32_t flow_tables_n_flows(const struct flow_tables *tables); /* In all tables. */
