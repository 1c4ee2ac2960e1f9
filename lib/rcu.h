/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* rcu - liburcu's quiescent-state flavour, as ThreadSanitizer can follow it.
 *
 * Published pointers are C11 atomics: store with release, load with acquire.  liburcu gives the grace
 * periods, but the library is not instrumented; what it orders (everything before a reader's quiescent
 * state happens before a callback, or before the return of a wait) must be told.  Hence these functions
 * instead of liburcu's own in readers and writers that are tested under TSan, and rcu_begin_callback()
 * first in callbacks that free what they read, rcu_end_callback() last in those that change what others free.
 *
 * Threads  Any.  Readers register themselves.  rcu_wait_for_readers() may be called by readers too, which
 *          then hold nothing afterwards. */

#include <pthread.h>
#include <stdbool.h>
#include <urcu-qsbr.h>

#if defined(__SANITIZE_THREAD__)
__attribute__((weak)) char rcu_grace_periods;
void __tsan_acquire(void *);
void __tsan_release(void *);

/* What liburcu itself allocates and frees (in rcu_barrier(), say) is ordered by means TSan cannot see. */
const char *__tsan_default_suppressions(void);
__attribute__((weak, used)) const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:liburcu-qsbr.so\ncalled_from_lib:liburcu-cds.so\n";
}
#endif

static inline void rcu_order_after_readers(void)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(&rcu_grace_periods);
#endif
}

static inline void rcu_order_before_writers(void)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_release(&rcu_grace_periods);
#endif
}

static inline void rcu_pass_quiescent_state(void)
{
    rcu_order_before_writers();
    rcu_quiescent_state();
}

static inline void rcu_begin_callback(void)
{
    rcu_order_after_readers();
}

/* What the callback has done was done before the return of rcu_wait_for_callbacks(). */
static inline void rcu_end_callback(void)
{
    rcu_order_before_writers();
}

static inline void rcu_reader_register(void)
{
    rcu_register_thread();
}

static inline void rcu_reader_unregister(void)
{
    rcu_order_before_writers();
    rcu_unregister_thread();
}

/* Between these a reader holds nothing, for any length of time. */
static inline void rcu_reader_pause(void)
{
    rcu_order_before_writers();
    rcu_thread_offline();
}

static inline void rcu_reader_resume(void)
{
    rcu_thread_online();
}

static inline void rcu_wait_for_readers(void)
{
    rcu_order_before_writers();
    synchronize_rcu();
    rcu_order_after_readers();
}

/* Until all callbacks given so far have run.  The caller may be a reader, and then holds nothing afterwards. */
static inline void rcu_wait_for_callbacks(void)
{
    rcu_order_before_writers();
    rcu_barrier();
    rcu_order_after_readers();
}

/* Waits for the end of a thread that may itself be waiting for readers. */
static inline void rcu_join_thread(pthread_t thread)
{
    bool is_reader = rcu_read_ongoing();

    if (is_reader)
        rcu_reader_pause();
    pthread_join(thread, NULL);
    if (is_reader)
        rcu_reader_resume();
}
