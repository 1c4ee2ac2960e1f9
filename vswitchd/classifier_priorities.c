/* SPDX-License-Identifier: Apache-2.0 */

/* A priority whose count fell to 0 stays in map and heap until it is the maximum, when it leaves the
 * heap, or until the map is full of used places and is made anew. */

#include "vswitchd/classifier_priorities.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "lib/hash.h"

enum { MIN_CAPACITY = 4 };

void cls_priorities_fini(struct cls_priorities *priorities)
{
    free(priorities->map);
    free(priorities->heap);
    *priorities = (struct cls_priorities){0};
}

/* The place of 'priority', or the free one where it would go. */
static struct cls_priority_count *find_place(const struct cls_priorities *priorities,
                                             uint32_t priority)
{
    uint32_t i = hash_finish(hash_seed ^ priority);

    for (;; i++) {
        struct cls_priority_count *place = &priorities->map[i & (priorities->capacity - 1)];
        if (!place->is_used || place->priority == priority)
            return place;
    }
}

static void push(struct cls_priorities *priorities, uint32_t priority)
{
    uint32_t *heap = priorities->heap;
    uint32_t i = priorities->n_heap++;

    for (; i && heap[(i - 1) / 2] < priority; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = priority;
}

static void pop(struct cls_priorities *priorities)
{
    uint32_t *heap = priorities->heap;
    uint32_t n = --priorities->n_heap, last = heap[n], i = 0;

    for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1] > heap[child])
            child++;
        if (heap[child] <= last)
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
}

static void resize(struct cls_priorities *priorities)
{
    struct cls_priorities old = *priorities;
    uint32_t n_live = 0;

    for (uint32_t i = 0; i < old.capacity; i++)
        n_live += old.map[i].count > 0;

    uint32_t capacity = MIN_CAPACITY;
    while (capacity < 4 * (n_live + 1))
        capacity *= 2;
    *priorities = (struct cls_priorities){
        .map = calloc(capacity, sizeof *priorities->map),
        .heap = malloc(capacity / 2 * sizeof *priorities->heap),
        .capacity = capacity,
    };
    if (!priorities->map || !priorities->heap)
        abort();

    for (uint32_t i = 0; i < old.capacity; i++) {
        const struct cls_priority_count *from = &old.map[i];
        if (from->count > 0) {
            *find_place(priorities, from->priority) = (struct cls_priority_count){
                .priority = from->priority, .is_used = 1, .is_in_heap = 1, .count = from->count};
            priorities->n_used++;
            push(priorities, from->priority);
        }
    }
    free(old.map);
    free(old.heap);
}

void cls_priorities_add(struct cls_priorities *priorities, uint32_t priority)
{
    if (priorities->n_used >= priorities->capacity / 2)
        resize(priorities);

    struct cls_priority_count *place = find_place(priorities, priority);
    if (!place->is_used) {
        place->is_used = 1;
        place->priority = priority;
        priorities->n_used++;
    }
    if (!place->is_in_heap) {
        place->is_in_heap = 1;
        push(priorities, priority);
    }
    place->count++;
}

void cls_priorities_remove(struct cls_priorities *priorities, uint32_t priority)
{
    struct cls_priority_count *place = find_place(priorities, priority);

    assert(place->count > 0);
    place->count--;
    while (priorities->n_heap) {
        place = find_place(priorities, priorities->heap[0]);
        if (place->count)
            break;
        place->is_in_heap = 0;
        pop(priorities);
    }
}

bool cls_priorities_contain(const struct cls_priorities *priorities, uint32_t priority)
{
    return priorities->capacity && find_place(priorities, priority)->count > 0;
}

bool cls_priorities_are_empty(const struct cls_priorities *priorities)
{
    return !priorities->n_heap;
}

uint32_t cls_priorities_max(const struct cls_priorities *priorities)
{
    assert(priorities->n_heap);
    return priorities->heap[0];
}
