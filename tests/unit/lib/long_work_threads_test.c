/* SPDX-License-Identifier: Apache-2.0 */

/* Who looks after others while a loop is at work, and when. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/long_work.h"

/* Only one of the two threads has it at any time: ThreadSanitizer sees to that. */
static struct {
    int n_acts;
} shared;
static atomic_int n_acts; /* The same, to be looked at at any time. */

static const int64_t PATIENCE_NS = 60 * SECOND_NS;

static void act(void *aux)
{
    assert_ptr_equal(aux, &shared);
    shared.n_acts++;
    atomic_fetch_add(&n_acts, 1);
}

static void one_long_stretch(struct ev_loop *loop UNUSED, struct ev_timer *timer UNUSED,
                             int events UNUSED)
{
    int64_t give_up_ns = clock_now_ns() + PATIENCE_NS;

    long_work_begin();
    while (atomic_load(&n_acts) < 3 && clock_now_ns() < give_up_ns)
        usleep(1000);
    long_work_begin(); /* A part of it. */
    long_work_end();
    long_work_end();
    shared.n_acts += 100;
}

static void many_short_stretches(struct ev_loop *loop UNUSED, struct ev_timer *timer UNUSED,
                                 int events UNUSED)
{
    int64_t give_up_ns = clock_now_ns() + PATIENCE_NS;

    while (shared.n_acts < 3 && clock_now_ns() < give_up_ns) {
        shared.n_acts += 100;
        long_work_begin();
        long_work_end();
        shared.n_acts -= 100;
    }
}

static void nothing(struct ev_loop *loop UNUSED, struct ev_timer *timer UNUSED, int events UNUSED)
{
    long_work_begin();
    long_work_end();
}

static void run(ev_tstamp interval, int n_rounds,
                void (*callback)(struct ev_loop *, struct ev_timer *, int))
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct ev_timer timer;

    shared.n_acts = 0;
    atomic_store(&n_acts, 0);
    long_work_start(loop, act, &shared);
    ev_timer_init(&timer, callback, interval, interval);
    ev_timer_start(loop, &timer);
    for (int i = 0; i < n_rounds; i++)
        ev_run(loop, EVRUN_ONCE);
    long_work_stop();
    ev_timer_stop(loop, &timer);
    ev_loop_destroy(loop);
}

static void a_long_stretch_is_shared(void **state UNUSED)
{
    run(0.001, 1, one_long_stretch);
    assert_true(shared.n_acts >= 103);
}

static void short_stretches_of_a_long_round_are_shared(void **state UNUSED)
{
    run(0.001, 1, many_short_stretches);
    assert_true(shared.n_acts >= 3);
}

/* Also when the thread has gone to sleep meanwhile. */
static void it_wakes_up_again(void **state UNUSED)
{
    run(1.5, 1, one_long_stretch);
    assert_true(shared.n_acts >= 103);
}

static void it_ends_while_nothing_happens(void **state UNUSED)
{
    run(0.001, 0, nothing);
    run(0.3, 1, nothing);
    long_work_stop();
    long_work_begin();
    long_work_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_stretch_is_shared),
        cmocka_unit_test(short_stretches_of_a_long_round_are_shared),
        cmocka_unit_test(it_wakes_up_again),
        cmocka_unit_test(it_ends_while_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
