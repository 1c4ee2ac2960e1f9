/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table_groups - which flows name a group?
 *
 * A set of rules for each group that is named, of those that are current: with all changes made so far.  A rule that
 * names a group twice is there once; one that names none costs nothing.
 *
 * Threads  The main thread.
 * Memory   10 to 30 bytes for a flow and a group that it names. */

#include <stddef.h>
#include <stdint.h>

#include "vswitchd/flow_table.h"

struct named_groups {
    struct named_group *by_id; /* uthash. */
};

void named_groups_fini(struct named_groups *groups);

/* Does a list name any group? */
bool named_groups_has(struct ofa_list actions);

/* The groups in 'actions', which are the rule's, get it, and lose it. */
void named_groups_add(struct named_groups *groups, struct ofa_list actions, struct rule *rule);
void named_groups_remove(struct named_groups *groups, struct ofa_list actions, struct rule *rule);

size_t named_groups_count(const struct named_groups *groups, uint32_t group_id);

/* The rules that name it: an array that the caller frees. */
size_t named_groups_list(const struct named_groups *groups, uint32_t group_id,
                         struct rule ***rules);
