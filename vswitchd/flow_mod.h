/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_mod - what the five commands of a flow_mod do to the tables.
 *
 * OpenFlow 1.0 and 1.3.5 (section 6.4) agree on most of it; where they differ the decoder has put the
 * difference into struct of_flow_mod: a "modify" that finds nothing adds the flow in 1.0 and 1.1
 * ('new_cookie' is there, and no cookie to match), not in later versions; an "add" always resets counters
 * in 1.0 and 1.1.
 *
 * A flow_mod is checked whole before anything changes, and becomes visible with the next
 * flow_tables_publish().
 *
 * Threads  The main thread. */

#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/flow_mod.h"
#include "vswitchd/flow_table.h"

enum of_error flow_mod_apply(struct flow_tables *tables, const struct of_flow_mod *flow,
                             int64_t now_ns);
