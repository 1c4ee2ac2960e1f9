/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_journal - the flows of a bridge, where a crash of the daemon does not reach them.
 *
 * A file RUNDIR/BRIDGE.flows that follows the tables: each publication appends what it added and removed, as
 * OpenFlow flow_mods, by one write, before its barrier is answered.  It need survive the process only, so nothing is
 * synced, and what was written before another boot counts as nothing.  When most of it is history it
 * is written anew.  The next daemon finds the tables as they were; timeouts and counters begin again.
 *
 * A record that is not whole ends the journal: a publication is restored as a whole or not at all.  Groups and
 * meters, and what table_mods and port_mods have set, are kept in the same way; counters and buckets of meters begin
 * again, too.
 *
 * Threads  Main thread. */

#include <stdbool.h>

#include "lib/ovsdb/uuid.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/meter_table.h"

struct flow_journal;

/* What the flows are of; those of another are not restored. */
struct flow_journal_owner {
    struct uuid bridge;
    bool has_normal_flow; /* By its settings it begins as a learning switch. */
};

/* The journal of the bridge 'name', whose 'tables' and 'meters' are empty; if there was one they are published as they
 * were, and '*is_restored'.  NULL: there can be none. */
struct flow_journal *flow_journal_open(const char *name, const struct flow_journal_owner *owner,
                                       struct flow_tables *tables, struct meter_table *meters,
                                       bool *is_restored);
void flow_journal_set_owner(struct flow_journal *journal, const struct flow_journal_owner *owner);
void flow_journal_close(
    struct flow_journal *journal); /* It stays.  NULL is fine, likewise below. */

/* The bridge is gone, or the switch told to leave nothing. */
void flow_journal_remove(struct flow_journal *journal);

/* As struct flow_tables_events. */
void flow_journal_add(struct flow_journal *journal, const struct rule *rule);
void flow_journal_modify(struct flow_journal *journal, const struct rule *rule);
void flow_journal_delete(struct flow_journal *journal, const struct rule *rule);
void flow_journal_commit(struct flow_journal *journal);

/* As struct meter_table_events; needs no commit. */
void flow_journal_put_meter(struct flow_journal *journal, const struct meter *meter, bool is_gone);

/* As flow_tables_events.configured; needs no commit either. */
void flow_journal_put_table(struct flow_journal *journal, uint8_t table_id);

/* What port_mods have set on the port of that row of the database, which no other port ever has; likewise.
 * 0: nothing, or the port is deleted. */
void flow_journal_put_port(struct flow_journal *journal, const struct uuid *row, uint32_t config);
uint32_t flow_journal_port(const struct flow_journal *journal, const struct uuid *row);

/* Writes it anew if that makes it much smaller.  Now and then. */
void flow_journal_compact(struct flow_journal *journal);
