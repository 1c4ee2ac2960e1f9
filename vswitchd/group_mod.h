/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* group_mod - what the commands of a group_mod do to groups, and to the flows that send frames to them.
 *
 * A group_mod is checked whole before anything changes, and becomes visible with the next
 * flow_tables_publish().  With a group go the flows that name it, for the reason FLOW_REMOVED_GROUP_DELETE;
 * groups that name it stay, and find nothing there.
 *
 * Threads  The main thread. */

#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/groups.h"
#include "vswitchd/flow_table.h"

/* May take what 'mod' describes; of_group_mod_fini() it in any case. */
enum of_error group_mod_apply(struct flow_tables *tables, struct of_group_mod *mod, int64_t now_ns);
