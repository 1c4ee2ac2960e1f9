/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* handoff - a bounded queue from workers to the main thread.
 *
 * What is handed over carries its own link.  The main thread is woken when the queue stops being empty and
 * takes all of it at once.  A full queue takes nothing and counts that; whoever hands over never waits for room.
 *
 * Threads  handoff_push(), handoff_is_full(), handoff_count_lost() and handoff_n_lost() on any; the rest on the
 *          main thread.
 * Memory   Items are the caller's; the queue only links them. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/mutex.h"

struct handoff_item {
    struct handoff_item *next; /* The queue's; then the taker's to follow. */
};

struct handoff {
    void (*wake)(void *aux); /* Called from the pushing thread (an ev_async_send, say). */
    void *aux;
    unsigned int max;
    _Atomic(uint64_t) n_lost;
    struct mutex lock;
    struct handoff_item *first GUARDED_BY(lock);
    struct handoff_item **end GUARDED_BY(lock);
    unsigned int n GUARDED_BY(lock);
};

void handoff_init(struct handoff *queue, unsigned int max, void (*wake)(void *aux), void *aux);
void handoff_fini(struct handoff *queue); /* Must be empty; nobody pushes any more. */

/* False, and counted as lost: it is full. */
bool handoff_push(struct handoff *queue, struct handoff_item *item);

/* A look before work that a full queue would make useless. */
bool handoff_is_full(struct handoff *queue);

/* All that are waiting, oldest first; NULL: none.  The next push wakes again. */
struct handoff_item *handoff_take_all(struct handoff *queue);

/* Something was lost before it could be pushed. */
static inline void handoff_count_lost(struct handoff *queue)
{
    atomic_fetch_add_explicit(&queue->n_lost, 1, memory_order_relaxed);
}

static inline uint64_t handoff_n_lost(const struct handoff *queue)
{
    return atomic_load_explicit(&queue->n_lost, memory_order_relaxed);
}
