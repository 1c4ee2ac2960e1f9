/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* group_table - the groups of one bridge: versions, buckets, counters.
 *
 * Groups share their versions with the flow tables, which own them: changes are prepared for the next version and
 * become visible, or are taken back, together with those to flows.  A group is never edited: what modifies it
 * puts another one, which has fresh counters, in its place (as Open vSwitch does).  A lookup finds for its
 * version the old one or the new one, never neither.  group_mod.h says what each group_mod changes.
 *
 * Bounds   GROUP_TABLE_MAX_GROUPS, GROUP_TABLE_MAX_BUCKETS in all groups together.
 * Threads  Changes and walks on the main thread, a registered RCU reader (QSBR).  Lookups, references and
 *          credit on any RCU reader.
 * Memory   A group lives while it is in the table or somebody holds a reference, and then for a grace
 *          period.
 * Time     Callers pass 'now_ns'. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/openflow/groups.h"
#include "lib/rcu.h"

#include <urcu/rculfhash.h>

enum { GROUP_TABLE_MAX_GROUPS = 1000000, GROUP_TABLE_MAX_BUCKETS = 1000000 };

struct group_bucket {
    struct buffer actions; /* Owned: of_bucket.actions as a set is executed (action_set.h). */
    _Atomic(uint64_t) n_packets, n_bytes;
};

struct group {
    struct cds_lfht_node node;
    uint64_t added_in;            /* Versions: visible from this one ... */
    _Atomic(uint64_t) removed_in; /* ... to before this one. */

    struct of_group desc;         /* Owned; as controllers describe it. */
    struct group_bucket *buckets; /* Owned: desc.n_buckets. */
    int64_t created_ns;           /* Of the first of this number. */
    _Atomic(uint64_t) n_packets, n_bytes;
    _Atomic(uint32_t) n_references;
    struct rcu_head rcu;
    struct group_table *table;
};

static inline struct ofa_list group_bucket_actions(const struct group_bucket *bucket)
{
    return (struct ofa_list){.first = (const struct ofa *)(const void *)bucket->actions.data,
                             .n_bytes = bucket->actions.size};
}

void group_ref(struct group *group);
void group_unref(struct group *group); /* NULL is fine. */

enum { GROUP_ALL_BUCKETS = -1 };

/* Frames went through bucket number 'bucket' of the list. */
void group_credit(struct group *group, int bucket, uint64_t n_packets, uint64_t n_bytes);

struct group_table;

struct group_table *group_table_create(void);
void group_table_destroy(struct group_table *table); /* No reader is left.  NULL is fine. */

/* The group that 'version' has, or NULL. */
struct group *group_table_lookup(const struct group_table *table, uint64_t version,
                                 uint32_t group_id);

/* Changes for 'version', the next one. */

/* OFPGMFC_OUT_OF_GROUPS, OFPGMFC_OUT_OF_BUCKETS: no room for 'n_buckets' of one more group, or of one that
 * replaces 'replaced'. */
enum of_error group_table_check_room(const struct group_table *table, const struct group *replaced,
                                     size_t n_buckets);

/* A group as 'desc' says, which is taken, in place of 'replaced' (NULL: of none). */
void group_table_add(struct group_table *table, uint64_t version, struct of_group *desc_take,
                     struct group *replaced, int64_t now_ns);
void group_table_remove(struct group_table *table, uint64_t version, struct group *group);

bool group_table_has_changes(const struct group_table *table);

/* What the version that is being published has changed, from flow_tables_events.changed: a group that is there now, or
 * one of whose number there 'is_gone' every one. */
void group_table_each_change(const struct group_table *table, uint64_t version,
                             void (*each)(const struct group *group, bool is_gone, void *arg),
                             void *arg);

/* Of flow_tables_publish() and flow_tables_revert(): after the version was published; in place of that. */
void group_table_settle(struct group_table *table);
void group_table_revert(struct group_table *table);

/* All groups of 'version' by number: an array that the caller frees. */
size_t group_table_list(const struct group_table *table, uint64_t version, struct group ***groups);
size_t group_table_n_groups(const struct group_table *table);
