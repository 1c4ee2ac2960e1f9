/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* conjunction - rules that match when each of several clauses does (ovs-fields(7), "Conjunctive Match
 * Fields").
 *
 * Rules with conjunction() actions are no answer to a lookup: each says that one clause of one or more
 * conjunctions holds.  When all clauses of one do, in rules of one priority, the flow is looked up again
 * with conj_id set, and the best ordinary rule is the answer.
 *
 * Only lookups whose best rule is such a rule come here, so tables without them pay nothing.
 *
 * Threads  Any RCU reader. */

#include "vswitchd/flow_table.h"

enum { CONJUNCTION_MAX_CLAUSES = 65536 };

/* By its first action, notes aside. */
bool rule_is_conjunctive(const struct rule *rule, uint64_t version);

/* What flow_tables_lookup() promises, where classifier_lookup() finds a conjunctive rule.  Adds to 'n_clauses' how many
 * were looked at: once there are more than CONJUNCTION_MAX_CLAUSES, none holds. */
struct rule *conjunction_lookup(const struct classifier *cls, uint64_t version,
                                const struct flow *flow, struct flow *consulted, size_t *n_clauses);
