/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* awake - is the next message so near that the loop should not fall asleep before it?
 *
 * A peer on this host answers within some microseconds.  On a machine that has nothing else to do, a thread that
 * waits for that lets its processor halt, and to be woken takes longer than all the work that there is (by
 * interrupt, in virtual machines through the host).  So the loop looks for more for AWAKE_NS, but only after two messages
 * that were no further apart: whoever is slower, or says something now and then, keeps nobody awake.
 *
 * While it looks it offers the processor to others.  If one of them takes it for long there is no processor to keep
 * awake, and being asleep is what gives a thread its turn soon: then it does not look again for AWAKE_PAUSE times as
 * long, so that such turns cost little in all.
 *
 * Threads  The loop's.
 * Memory   Inside its owner.
 * Time     Callers say when a message came; while it looks it reads the clock. */

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"

#define AWAKE_NS INT64_C(100000)
enum { AWAKE_PAUSE = 20 };

struct awake {
    struct ev_loop *loop;
    struct ev_idle look; /* While it is active the loop does not block. */
    int64_t heard_ns;    /* The last message. */
    int64_t paused_ns;   /* Until then others need the processor. */
};

void awake_init(struct awake *awake, struct ev_loop *loop);
void awake_stop(struct awake *awake);

void awake_hear(struct awake *awake, int64_t now_ns); /* A message has come. */
