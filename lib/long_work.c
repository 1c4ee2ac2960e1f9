/* SPDX-License-Identifier: Apache-2.0 */

/* The other thread asks ('is_wanted') and gets its turn in the next stretch that is given away, however
 * short: long_work_end() waits until it has had it. */

#include "lib/long_work.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "lib/annotations.h"
#include "lib/mutex.h"

/* After so many ticks without a stretch the thread sleeps until there is one. */
enum { TICKS_AWAKE = 10 };

static struct {
    /* The loop's thread's. */
    struct ev_loop *loop;
    struct ev_check round_start;
    struct ev_prepare round_end;
    unsigned int depth;
    bool is_running;

    /* Set before the thread starts. */
    pthread_t thread;
    void (*act)(void *aux);
    void *aux;

    _Atomic int64_t round_since_ns; /* 0: the loop waits for events. */

    struct mutex mutex;
    pthread_cond_t for_thread, for_loop;
    /* By the mutex. */
    uint64_t n_stretches;
    bool is_given_away; /* A stretch lasts. */
    bool is_wanted;     /* The thread wants its turn, or has it. */
    bool is_listening;  /* The thread waits for a stretch. */
    bool is_stopping;
} work;

static void on_round_start(struct ev_loop *loop UNUSED, struct ev_check *watcher UNUSED,
                           int events UNUSED)
{
    atomic_store_explicit(&work.round_since_ns, clock_now_ns(), memory_order_relaxed);
}

static void on_round_end(struct ev_loop *loop UNUSED, struct ev_prepare *watcher UNUSED,
                         int events UNUSED)
{
    atomic_store_explicit(&work.round_since_ns, 0, memory_order_relaxed);
}

/* --- The other thread ---------------------------------------------------------------------- */

static void wait_a_tick(void) REQUIRES(work.mutex);
static void wait_for_stretch(uint64_t n_seen) REQUIRES(work.mutex);
static void take_turn(void) REQUIRES(work.mutex);

static void wait_a_tick(void)
{
    int64_t until_ns = clock_now_ns() + LONG_WORK_TICK_NS;
    struct timespec until = {.tv_sec = until_ns / SECOND_NS, .tv_nsec = until_ns % SECOND_NS};

    while (!work.is_stopping &&
           !pthread_cond_timedwait(&work.for_thread, &work.mutex.pthread, &until))
        continue;
}

static void wait_for_stretch(uint64_t n_seen)
{
    work.is_listening = true;
    while (!work.is_stopping && work.n_stretches == n_seen)
        pthread_cond_wait(&work.for_thread, &work.mutex.pthread);
    work.is_listening = false;
}

static bool is_round_long(void)
{
    int64_t since_ns = atomic_load_explicit(&work.round_since_ns, memory_order_relaxed);

    return since_ns && clock_now_ns() - since_ns >= LONG_WORK_TICK_NS;
}

static void take_turn(void)
{
    work.is_wanted = true;
    if (!work.is_given_away)
        wait_for_stretch(work.n_stretches);
    if (!work.is_stopping) {
        mutex_unlock(&work.mutex);
        work.act(work.aux);
        mutex_lock(&work.mutex);
    }
    work.is_wanted = false;
    pthread_cond_signal(&work.for_loop);
}

static void *look_after_others(void *aux UNUSED)
{
    int n_idle_ticks = 0;

    mutex_lock(&work.mutex);
    while (!work.is_stopping) {
        uint64_t n_seen = work.n_stretches;

        wait_a_tick();
        n_idle_ticks = work.n_stretches == n_seen && !work.is_given_away ? n_idle_ticks + 1 : 0;
        if (n_idle_ticks >= TICKS_AWAKE)
            wait_for_stretch(work.n_stretches);
        else if (is_round_long())
            take_turn();
    }
    mutex_unlock(&work.mutex);
    return NULL;
}

/* --- The loop's thread --------------------------------------------------------------------- */

static void start_thread(void)
{
    pthread_condattr_t attributes;
    sigset_t all, before;

    mutex_init(&work.mutex);
    if (pthread_condattr_init(&attributes) ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) ||
        pthread_cond_init(&work.for_thread, &attributes) || pthread_cond_init(&work.for_loop, NULL))
        abort();
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* Signals are for the loop. */
    work.is_running = !pthread_create(&work.thread, NULL, look_after_others, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void long_work_start(struct ev_loop *loop, void (*act)(void *aux), void *aux)
{
    work.loop = loop;
    work.act = act;
    work.aux = aux;
    ev_check_init(&work.round_start, on_round_start);
    ev_set_priority(&work.round_start, EV_MAXPRI); /* Before the events of the round, */
    ev_prepare_init(&work.round_end, on_round_end);
    ev_set_priority(&work.round_end, EV_MINPRI); /* and after what others do at its end. */
    ev_check_start(loop, &work.round_start);
    ev_prepare_start(loop, &work.round_end);
    ev_unref(loop);
    ev_unref(loop);
    start_thread();
}

void long_work_stop(void)
{
    if (!work.loop)
        return;
    if (work.is_running) {
        mutex_lock(&work.mutex);
        work.is_stopping = true;
        pthread_cond_signal(&work.for_thread);
        mutex_unlock(&work.mutex);
        pthread_join(work.thread, NULL);
    }
    work.is_running = false;
    work.is_stopping = false;
    pthread_cond_destroy(&work.for_thread);
    pthread_cond_destroy(&work.for_loop);
    mutex_fini(&work.mutex);
    ev_ref(work.loop);
    ev_ref(work.loop);
    ev_check_stop(work.loop, &work.round_start);
    ev_prepare_stop(work.loop, &work.round_end);
    work.loop = NULL;
}

void long_work_begin(void)
{
    if (!work.is_running || work.depth++)
        return;
    mutex_lock(&work.mutex);
    work.is_given_away = true;
    work.n_stretches++;
    if (work.is_listening)
        pthread_cond_signal(&work.for_thread);
    mutex_unlock(&work.mutex);
}

void long_work_end(void)
{
    if (!work.is_running || --work.depth)
        return;
    mutex_lock(&work.mutex);
    while (work.is_wanted)
        pthread_cond_wait(&work.for_loop, &work.mutex.pthread);
    work.is_given_away = false;
    mutex_unlock(&work.mutex);
}
