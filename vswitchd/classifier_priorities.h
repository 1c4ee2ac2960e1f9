/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_priorities - which is the highest priority among these rules?
 *
 * A multiset: a count for each distinct priority, and a heap of those for the maximum.  All
 * operations take amortised O(log n); a set of one priority takes about 100 bytes.
 *
 * Threads  The classifier's writer only.
 * Memory   Running out of it ends the process. */

#include <stdbool.h>
#include <stdint.h>

struct cls_priority_count {
    uint32_t priority;
    uint32_t is_used : 1; /* The place in the map is taken, maybe with a count of 0. */
    uint32_t is_in_heap : 1;
    uint32_t count : 30;
};

struct cls_priorities {
    struct cls_priority_count *map; /* Open addressing, 'capacity' is a power of two, or 0. */
    uint32_t *heap;                 /* capacity / 2 places. */
    uint32_t capacity;
    uint32_t n_used;
    uint32_t n_heap;
};

void cls_priorities_fini(struct cls_priorities *priorities); /* Zeros are an empty set. */

void cls_priorities_add(struct cls_priorities *priorities, uint32_t priority);
void cls_priorities_remove(struct cls_priorities *priorities, uint32_t priority);

bool cls_priorities_contain(const struct cls_priorities *priorities, uint32_t priority);
bool cls_priorities_are_empty(const struct cls_priorities *priorities);
uint32_t cls_priorities_max(const struct cls_priorities *priorities); /* Not of an empty set. */
