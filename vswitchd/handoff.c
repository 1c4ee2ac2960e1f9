/* SPDX-License-Identifier: Apache-2.0 */

/* A list under a mutex: few items are in it at a time, and holding the lock takes some nanoseconds. */

#include "vswitchd/handoff.h"

#include <string.h>

void handoff_init(struct handoff *queue, unsigned int max, void (*wake)(void *aux), void *aux)
{
    memset(queue, 0, sizeof *queue);
    queue->wake = wake;
    queue->aux = aux;
    queue->max = max;
    mutex_init(&queue->lock);
    mutex_lock(&queue->lock);
    queue->end = &queue->first;
    mutex_unlock(&queue->lock);
}

void handoff_fini(struct handoff *queue)
{
    mutex_fini(&queue->lock);
}

bool handoff_is_full(struct handoff *queue)
{
    mutex_lock(&queue->lock);
    bool is_full = queue->n >= queue->max;
    mutex_unlock(&queue->lock);
    return is_full;
}

bool handoff_push(struct handoff *queue, struct handoff_item *item)
{
    mutex_lock(&queue->lock);
    bool is_full = queue->n >= queue->max;
    bool was_empty = !queue->n;
    if (!is_full) {
        item->next = NULL;
        *queue->end = item;
        queue->end = &item->next;
        queue->n++;
    }
    mutex_unlock(&queue->lock);
    if (is_full)
        handoff_count_lost(queue);
    else if (was_empty)
        queue->wake(queue->aux);
    return !is_full;
}

struct handoff_item *handoff_take_all(struct handoff *queue)
{
    mutex_lock(&queue->lock);
    struct handoff_item *first = queue->first;
    queue->first = NULL;
    queue->end = &queue->first;
    queue->n = 0;
    mutex_unlock(&queue->lock);
    return first;
}
