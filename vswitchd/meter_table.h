/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* meter_table - the meters of one bridge, as controllers number them.
 *
 * The datapath keeps the rates (datapath/meters.h); here is which of its meters a number means.  A meter is never
 * edited: what modifies it puts another one, with full buckets and fresh counters, in its place (as
 * Open vSwitch does); only its age goes on.
 *
 * Unlike flows and groups, meters have no versions: bundles do not take them.  A change is told to the owner,
 * who makes what is cached out of date.
 *
 * Threads  Changes and walks on the main thread, a registered RCU reader (QSBR).  Lookups and references on
 *          any RCU reader.
 * Memory   A meter lives while it is in the table or somebody holds a reference, and then for a grace
 *          period.  The table borrows the datapath's meters, which must outlive the references.
 * Time     Callers pass 'now_ns'. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/meters.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/meters.h"
#include "lib/rcu.h"

#include <urcu/rculfhash.h>

struct meter {
    struct cds_lfht_node node;
    struct of_meter desc; /* Owned. */
    uint32_t number;      /* The datapath's. */
    bool remarks;         /* It may change frames, not only drop them. */
    int64_t created_ns;   /* Of the first of this number. */
    _Atomic(uint32_t) n_references;
    struct dp_meters *numbers; /* Borrowed: where 'number' is from. */
    struct rcu_head rcu;

    /* The main thread's: see meter_mod_count_flows(). */
    uint32_t n_flows;
    const void *counted;
};

void meter_ref(struct meter *meter);
void meter_unref(struct meter *meter); /* NULL is fine.  Any thread. */

struct meter_table;

struct meter_table_events {
    /* There is another 'meter' of its number, or, if it 'is_gone', none any more. */
    void (*changed)(void *aux, const struct meter *meter, bool is_gone);
};

struct meter_table *meter_table_create(struct dp_meters *numbers,
                                       const struct meter_table_events *events, void *aux);
void meter_table_destroy(struct meter_table *table); /* No reader is left.  NULL is fine. */

/* NULL: there is none.  'table' may be NULL. */
struct meter *meter_table_lookup(const struct meter_table *table, uint32_t meter_id);

/* Adds what 'desc' describes, which is taken, or puts it in place of 'replaced'.  OFPMMFC_OUT_OF_METERS: no room. */
enum of_error meter_table_put(struct meter_table *table, struct of_meter *desc_take,
                              struct meter *replaced, int64_t now_ns);
void meter_table_remove(struct meter_table *table, struct meter *meter);

/* All by number: an array that the caller frees. */
size_t meter_table_list(const struct meter_table *table, struct meter ***meters);
