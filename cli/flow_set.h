/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_set - the flows of two sides, each a file or a switch, next to each other.
 *
 * Flows of the same table, priority and match are one entry.  Two are equal if what else a flow is
 * told apart by is, too: cookie, timeouts, importance and actions.
 *
 * Threads  None: a set belongs to one caller. */

#include "cli/ofconn.h"
#include "lib/openflow/flow_mod.h"

enum { FLOW_SIDE_A, FLOW_SIDE_B, N_FLOW_SIDES };

struct flow_set;

struct flow_set *flow_set_create(void);
void flow_set_destroy(struct flow_set *set); /* NULL is fine. */

/* The flows in a file, one on each line as for add-flows; a later one replaces an equal one before.
 * With a connection they are kept as its switch would tell them, and its ports and tables can be
 * named; else NULL. */
int flow_set_read_file(struct flow_set *set, int side, const char *file, struct ofconn *connection,
                       struct error *error);
int flow_set_read_switch(struct flow_set *set, int side, struct ofconn *connection,
                         struct error *error);

/* What one side has, NULL if it is not there. */
struct flow_entry;
const struct of_flow_mod *flow_entry_get(const struct flow_entry *entry, int side);
bool flow_entry_is_equal(const struct flow_entry *entry); /* Both sides have it, and it is equal. */

/* By table, then from the highest priority down.  NULL before the first, and behind the last. */
const struct flow_entry *flow_set_next(struct flow_set *set, const struct flow_entry *after);
