/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table_rule - making rules; what else can be done with one stands in flow_table.h.
 *
 * Threads  The main thread. */

#include <stdint.h>

#include "vswitchd/flow_table.h"

struct rule_actions *rule_actions_create(struct ofa_list list); /* free() it. */

/* As 'flow' says, created now, with one reference; in no table yet. */
struct rule *rule_create(uint8_t table_id, const struct of_flow_mod *flow, int64_t now_ns);
