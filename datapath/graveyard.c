/* SPDX-License-Identifier: Apache-2.0 */

/* A list that is taken as a whole: one grace period serves many graves. */

#include "datapath/graveyard.h"

#include "lib/rcu.h"

void graveyard_init(struct graveyard *graveyard, void *aux)
{
    mutex_init(&graveyard->clear_lock);
    mutex_init(&graveyard->free_lock);
    mutex_init(&graveyard->lock);
    graveyard->first = NULL;
    atomic_init(&graveyard->n, 0);
    graveyard->aux = aux;
}

bool graveyard_bury(struct graveyard *graveyard, struct grave *grave,
                    void (*free)(void *aux, struct grave *grave))
{
    grave->free = free;
    mutex_lock(&graveyard->lock);
    bool was_empty = !graveyard->first;
    grave->next = graveyard->first;
    graveyard->first = grave;
    atomic_fetch_add_explicit(&graveyard->n, 1, memory_order_relaxed);
    mutex_unlock(&graveyard->lock);
    return was_empty;
}

/* Whoever has the lock may be waiting for readers: not for us. */
static void begin_clearing(struct graveyard *graveyard) ACQUIRES(graveyard->clear_lock)
{
    bool is_reader = rcu_read_ongoing();

    if (is_reader)
        rcu_reader_pause();
    mutex_lock(&graveyard->clear_lock);
    if (is_reader)
        rcu_reader_resume();
}

static void clear_locked(struct graveyard *graveyard) REQUIRES(graveyard->clear_lock)
{
    struct grave *grave;

    mutex_lock(&graveyard->lock);
    grave = graveyard->first;
    graveyard->first = NULL;
    atomic_store_explicit(&graveyard->n, 0, memory_order_relaxed);
    mutex_unlock(&graveyard->lock);
    if (!grave)
        return;

    rcu_wait_for_readers();
    graveyard_hold(graveyard);
    while (grave) {
        struct grave *next = grave->next;

        grave->free(graveyard->aux, grave);
        grave = next;
    }
    graveyard_release(graveyard);
}

void graveyard_clear(struct graveyard *graveyard)
{
    begin_clearing(graveyard);
    clear_locked(graveyard);
    mutex_unlock(&graveyard->clear_lock);
}

void graveyard_hold(struct graveyard *graveyard)
{
    mutex_lock(&graveyard->free_lock);
}

void graveyard_release(struct graveyard *graveyard)
{
    mutex_unlock(&graveyard->free_lock);
}
