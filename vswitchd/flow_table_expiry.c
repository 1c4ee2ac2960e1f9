/* SPDX-License-Identifier: Apache-2.0 */

/* Entries carry their deadline, so sifting touches a rule only to note its new place. */

#include "vswitchd/flow_table_expiry.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "vswitchd/flow_table.h"

void expiry_heap_fini(struct expiry_heap *heap)
{
    free(heap->entries);
    *heap = (struct expiry_heap){.entries = NULL};
}

int64_t rule_deadline_ns(const struct rule *rule)
{
    int64_t deadline_ns = INT64_MAX;

    if (rule->hard_timeout_s)
        deadline_ns = rule->modified_ns + rule->hard_timeout_s * SECOND_NS;
    if (rule->idle_timeout_s) {
        int64_t used_ns = atomic_load_explicit(&rule->used_ns, memory_order_relaxed);
        int64_t idle_ns = used_ns + rule->idle_timeout_s * SECOND_NS;
        deadline_ns = idle_ns < deadline_ns ? idle_ns : deadline_ns;
    }
    return deadline_ns;
}

static void place(struct expiry_heap *heap, size_t slot, struct expiry_entry entry)
{
    heap->entries[slot] = entry;
    entry.rule->expiry_slot = (uint32_t)slot;
}

static void sift_up(struct expiry_heap *heap, size_t slot, struct expiry_entry entry)
{
    while (slot > 1 && heap->entries[slot / 2].deadline_ns > entry.deadline_ns) {
        place(heap, slot, heap->entries[slot / 2]);
        slot /= 2;
    }
    place(heap, slot, entry);
}

static void sift_down(struct expiry_heap *heap, size_t slot, struct expiry_entry entry)
{
    const struct expiry_entry *entries = heap->entries;

    for (size_t child; (child = 2 * slot) <= heap->n; slot = child) {
        if (child < heap->n && entries[child + 1].deadline_ns < entries[child].deadline_ns)
            child++;
        if (entries[child].deadline_ns >= entry.deadline_ns)
            break;
        place(heap, slot, entries[child]);
    }
    place(heap, slot, entry);
}

void expiry_heap_add(struct expiry_heap *heap, struct rule *rule)
{
    int64_t deadline_ns = rule_deadline_ns(rule);

    if (deadline_ns == INT64_MAX)
        return;
    if (heap->n + 1 >= heap->capacity) {
        heap->capacity = heap->capacity ? 2 * heap->capacity : 64;
        heap->entries = realloc(heap->entries, heap->capacity * sizeof heap->entries[0]);
        if (!heap->entries)
            abort();
    }
    heap->n++;
    sift_up(heap, heap->n, (struct expiry_entry){deadline_ns, rule});
}

void expiry_heap_remove(struct expiry_heap *heap, struct rule *rule)
{
    size_t slot = rule->expiry_slot;

    if (!slot)
        return;
    rule->expiry_slot = 0;
    struct expiry_entry last = heap->entries[heap->n--];
    if (last.rule == rule)
        return;
    if (slot > 1 && heap->entries[slot / 2].deadline_ns > last.deadline_ns)
        sift_up(heap, slot, last);
    else
        sift_down(heap, slot, last);
}

struct rule *expiry_heap_due(const struct expiry_heap *heap, int64_t now_ns)
{
    return heap->n && heap->entries[1].deadline_ns <= now_ns ? heap->entries[1].rule : NULL;
}

void expiry_heap_update_top(struct expiry_heap *heap)
{
    struct expiry_entry top = heap->entries[1];

    top.deadline_ns = rule_deadline_ns(top.rule);
    sift_down(heap, 1, top);
}
