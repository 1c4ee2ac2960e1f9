/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* graveyard - what readers may still hold, waiting for a grace period.
 *
 * Things are put here from any thread and freed together by whoever calls graveyard_clear(), after one
 * grace period for all of them.  liburcu's call_rcu() would do it in a thread of its own, at a time that
 * no test knows.
 *
 * Threads  Any. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/mutex.h"

/* Embedded in what is to be freed. */
struct grave {
    struct grave *next;
    void (*free)(void *aux, struct grave *grave);
};

struct graveyard {
    struct mutex clear_lock; /* Held from taking the list to its end. */
    struct mutex free_lock;  /* Held while things are freed. */
    struct mutex lock;
    struct grave *first;
    _Atomic size_t n;
    void *aux; /* For 'free'. */
};

void graveyard_init(struct graveyard *graveyard, void *aux);

/* True if it was empty before: someone should think of clearing it. */
bool graveyard_bury(struct graveyard *graveyard, struct grave *grave,
                    void (*free)(void *aux, struct grave *grave));

/* Everything that was buried before is gone afterwards, also what another thread has begun to free.  The
 * caller holds nothing under RCU then. */
void graveyard_clear(struct graveyard *graveyard);

/* Between these nothing is freed: for threads that are no RCU readers. */
void graveyard_hold(struct graveyard *graveyard) ACQUIRES(graveyard->free_lock);
void graveyard_release(struct graveyard *graveyard) RELEASES(graveyard->free_lock);

static inline size_t graveyard_n(struct graveyard *graveyard)
{
    return atomic_load_explicit(&graveyard->n, memory_order_relaxed);
}
