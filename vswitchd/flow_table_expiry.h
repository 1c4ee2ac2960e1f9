/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_table_expiry - which rule may time out next?
 *
 * A binary heap of the rules that have a timeout, by the time at which that may run out.  Use of a rule
 * moves its idle timeout without telling the heap: a rule at the top may turn out to have more time,
 * and is then put back with its new deadline.
 *
 * Threads  The main thread.
 * Memory   Rules are borrowed; each knows its place ('expiry_slot'). */

#include <stddef.h>
#include <stdint.h>

struct rule;

struct expiry_entry {
    int64_t deadline_ns; /* Not later than the rule's real one. */
    struct rule *rule;
};

struct expiry_heap {
    struct expiry_entry *entries; /* Owned; [0] is not used. */
    size_t n;
    size_t capacity;
};

void expiry_heap_fini(struct expiry_heap *heap);

/* When 'rule' times out, unless it is used before; INT64_MAX: never. */
int64_t rule_deadline_ns(const struct rule *rule);

/* Does nothing for a rule without timeouts. */
void expiry_heap_add(struct expiry_heap *heap, struct rule *rule);
void expiry_heap_remove(struct expiry_heap *heap, struct rule *rule); /* Also one not there. */

/* The rule at the top if its deadline is not after 'now_ns', or NULL. */
struct rule *expiry_heap_due(const struct expiry_heap *heap, int64_t now_ns);

/* Puts the rule at the top where its deadline now belongs. */
void expiry_heap_update_top(struct expiry_heap *heap);
