/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* rcu - liburcu's quiescent-state flavour, as ThreadSanitizer can follow it.
 *
 * Published pointers are C11 atomics: store with release, load with acquire.  liburcu gives the grace
 * periods, but the library is not instrumented; what it orders (everything before a reader's quiescent
 * state happens before a callback) must be told.  Hence rcu_pass_quiescent_state() in readers that
 * are tested under TSan, and rcu_begin_callback() first in callbacks that free what they read.
 *
 * Threads  Any. */

#include <urcu-qsbr.h>

#if defined(__SANITIZE_THREAD__)
__attribute__((weak)) char rcu_grace_periods;
void __tsan_acquire(void *);
void __tsan_release(void *);
#endif

static inline void rcu_pass_quiescent_state(void)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_release(&rcu_grace_periods);
#endif
    rcu_quiescent_state();
}

static inline void rcu_begin_callback(void)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(&rcu_grace_periods);
#endif
}
