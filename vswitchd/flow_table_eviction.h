/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table_eviction - which flow has to go when one comes to a full table?
 *
 * Only flows with a timeout may go: theirs is the knowledge that can be had again.  They are divided into groups by the
 * values that their matches have in some fields; the largest group gives a flow, so that one
 * tenant's flows do not push out another's.  Within a group it is the one of least importance, and of those the one whose
 * timeout comes first.
 *
 * Keys are those of the time when a flow came, or was last looked at: deadlines only move away (frames use
 * flows), so a look at the first one puts it in its place if it has moved.  All but eviction_create() cost O(log N).
 *
 * Threads  The main thread.
 * Memory   One for each table that evicts; it borrows its rules, which know their place (rule.eviction_slot). */

#include <stddef.h>

#include "lib/openflow/fields.h"
#include "vswitchd/flow_table.h"

struct eviction;

/* No groups: all flows are in one.  'groups' is copied. */
struct eviction *eviction_create(const struct of_subfield *groups, size_t n_groups);
void eviction_destroy(struct eviction *eviction); /* NULL is fine; its rules forget their places. */

/* Of a current rule; does nothing if it has no timeouts, or is not there. */
void eviction_add(struct eviction *eviction, struct rule *rule);
void eviction_remove(struct eviction *eviction, struct rule *rule);

/* NULL: none may go. */
struct rule *eviction_choose(struct eviction *eviction);
