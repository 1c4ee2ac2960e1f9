/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/awake.h"

#include <sched.h>
#include <stddef.h>

#include "lib/annotations.h"

/* Longer than a peer takes that runs on the same processor. */
#define LONG_TURN_NS INT64_C(50000)

static void on_idle(struct ev_loop *loop, struct ev_idle *look, int events UNUSED)
{
    struct awake *awake = CONTAINER_OF(look, struct awake, look);
    int64_t begin_ns = clock_now_ns();

    if (begin_ns - awake->heard_ns < AWAKE_NS) {
        sched_yield();
        int64_t end_ns = clock_now_ns();
        if (end_ns - begin_ns < LONG_TURN_NS)
            return;
        awake->paused_ns = end_ns + AWAKE_PAUSE * (end_ns - begin_ns);
    }
    ev_idle_stop(loop, look);
}

void awake_init(struct awake *awake, struct ev_loop *loop)
{
    *awake = (struct awake){
        .loop = loop,
        .heard_ns = INT64_MIN / 2,
        .paused_ns = INT64_MIN,
    };
    ev_idle_init(&awake->look, on_idle);
}

void awake_stop(struct awake *awake)
{
    ev_idle_stop(awake->loop, &awake->look);
}

void awake_hear(struct awake *awake, int64_t now_ns)
{
    bool is_near = now_ns - awake->heard_ns < AWAKE_NS;

    awake->heard_ns = now_ns;
    if (is_near && now_ns >= awake->paused_ns)
        ev_idle_start(awake->loop, &awake->look);
}
