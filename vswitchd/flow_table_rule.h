/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table_rule - making rules; what else can be done with one stands in flow_table.h.
 *
 * Threads  The main thread. */

#include <stdint.h>

#include "vswitchd/flow_table.h"

struct rule_actions *rule_actions_create(struct ofa_list list); /* free() it. */

/* Drops a reference.  True: it was the last one, and the caller calls rule_destroy(), a grace period after
 * the rule left its classifier. */
bool rule_drop(struct rule *rule);
void rule_destroy(struct rule *rule);

/* As 'flow' says, created now, with one reference; in no table yet. */
struct rule *rule_create(uint8_t table_id, const struct of_flow_mod *flow, int64_t now_ns);
