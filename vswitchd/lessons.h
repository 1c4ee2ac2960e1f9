/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* lessons - what frames teach the flow tables, on its way from workers to the main thread.
 *
 * A lesson is what learn() or fin_timeout() has made of a frame.  The translation that made it teaches it at
 * once; its verdict keeps it and teaches it again while it is used, about twice a second, so that what was
 * learned does not age.  What frames say again does not undo what has been said or deleted after them: a station that
 * has moved stays where it is, whenever the frames from its old place are counted.  A queue for each bridge holds
 * lessons that wait: each at most once, and when it is full new ones are lost and counted; the next frames teach
 * them again.
 *
 * Threads  lessons_apply(), create and destroy on the main thread; the rest on any registered RCU reader.
 * Memory   Lessons are counted; the queue holds a reference to each that waits. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/openflow/flow_mod.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/handoff.h"

enum { LESSONS_MAX_WAITING = 2000 };

struct lesson {
    struct handoff_item item; /* The queue's. */
    _Atomic(uint32_t) n_references;
    _Atomic(bool) is_waiting;
    _Atomic(int64_t) repeated_ns; /* When a frame has last said it again. */
    bool is_new;                  /* Said by a frame just now.  Whoever has it waiting. */
    struct lesson_queue *queue;   /* Its bridge's, or NULL. */

    /* learn() */
    struct of_flow_mod flow; /* To add. */
    uint32_t limit;          /* Unless the table has so many of its cookie; 0: always. */

    /* fin_timeout(): these timeouts (s; 0: stay) for 'rule'; 'flow' is not used. */
    struct rule *rule; /* A reference, or NULL. */
    uint16_t idle_s, hard_s;
};

/* One reference; 'flow' is initialized. */
struct lesson *lesson_create(struct lesson_queue *queue);
void lesson_ref(struct lesson *lesson);
void lesson_unref(struct lesson *lesson);

void lesson_teach(struct lesson *lesson);                   /* Once, by whoever has made it. */
void lesson_repeat(struct lesson *lesson, int64_t used_ns); /* More frames say it, until then. */

/* 'wake' is called from the teaching thread when the queue was empty (an ev_async_send, say). */
struct lesson_queue *lesson_queue_create(void (*wake)(void *aux), void *aux);
void lesson_queue_destroy(struct lesson_queue *queue); /* NULL is fine; nobody teaches any more. */

/* Does what all waiting lessons say, in their order, and publishes that as one version. */
void lessons_apply(struct lesson_queue *queue, struct flow_tables *tables, int64_t now_ns);
uint64_t lessons_n_lost(const struct lesson_queue *queue); /* Queue or tables were full. */
