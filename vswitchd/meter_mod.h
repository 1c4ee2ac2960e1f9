/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* meter_mod - what the commands of a meter_mod do to meters, and to the flows that send frames through them.
 *
 * Takes effect at once.  With a meter go the flows that have it as "meter:", for the reason
 * FLOW_REMOVED_METER_DELETE; controller(meter_id=) and buckets that name it stay, and find nothing there.
 *
 * Threads  The main thread. */

#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/meters.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/meter_table.h"

/* May take what 'mod' describes; of_meter_mod_fini() it in any case.  'tables' have nothing unpublished. */
enum of_error meter_mod_apply(struct meter_table *meters, struct flow_tables *tables,
                              struct of_meter_mod *mod, int64_t now_ns);

/* Sets meter.n_flows of every meter: how many flows have it as "meter:". */
void meter_mod_count_flows(struct meter_table *meters, struct flow_tables *tables);
