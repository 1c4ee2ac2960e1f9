/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* long_work - what others need while the loop's thread is at work for long.
 *
 * A thread with a loop serves everybody in turn; while it computes for one, or waits for a disk, the
 * others hear nothing.  Here it says when it is at work on what nobody else can see: between
 * long_work_begin() and long_work_end() a second thread may call a function that looks after the
 * others.  It does so every LONG_WORK_TICK_NS once a round of the loop has lasted that long, and at no
 * other time: a loop whose rounds are short never meets it, and one that is idle costs nothing.
 *
 * So there is no lock around what both use: one of the two has it at any time.  It is the loop's
 * thread's, but for the stretches that it gives away.
 *
 * Threads  The functions are for the thread of the loop; 'act' is called by the other one.  A process
 *          has one such loop.  Without long_work_start(), begin and end do nothing.
 * Time     A pair of begin and end takes about 50 ns. */

#include <ev.h>

#include "lib/clock.h"

#define LONG_WORK_TICK_NS (100 * MILLISECOND_NS)

/* Call when the process forks no more. */
void long_work_start(struct ev_loop *loop, void (*act)(void *aux), void *aux);
void long_work_stop(void); /* 'act' is not running, and will not be called any more. */

/* What follows does not touch what 'act' does, the loop included.  Pairs may be nested. */
void long_work_begin(void);
void long_work_end(void);
