/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/awake.h"

static const int64_t NOW_NS = 1000 * SECOND_NS;

static struct awake *create(struct awake *awake)
{
    awake_init(awake, ev_loop_new(EVFLAG_AUTO));
    return awake;
}

static void destroy(struct awake *awake)
{
    awake_stop(awake);
    ev_loop_destroy(awake->loop);
}

static void one_message_keeps_nobody_awake(void **state UNUSED)
{
    struct awake awake;

    awake_hear(create(&awake), NOW_NS);
    assert_false(ev_is_active(&awake.look));
    destroy(&awake);
}

static void messages_close_to_each_other_keep_the_loop_awake(void **state UNUSED)
{
    struct awake awake;

    awake_hear(create(&awake), NOW_NS);
    awake_hear(&awake, NOW_NS + AWAKE_NS - 1);
    assert_true(ev_is_active(&awake.look));
    destroy(&awake);
}

static void messages_far_from_each_other_do_not(void **state UNUSED)
{
    struct awake awake;

    create(&awake);
    for (int i = 0; i < 10; i++)
        awake_hear(&awake, NOW_NS + i * AWAKE_NS);
    assert_false(ev_is_active(&awake.look));
    destroy(&awake);
}

static void without_another_message_the_loop_sleeps(void **state UNUSED)
{
    struct awake awake;

    int64_t now_ns = clock_now_ns();
    awake_hear(create(&awake), now_ns - 1);
    awake_hear(&awake, now_ns);
    ev_run(awake.loop, 0); /* Ends when nothing is active. */
    assert_false(ev_is_active(&awake.look));
    assert_true(clock_now_ns() - awake.heard_ns >= AWAKE_NS || awake.paused_ns > awake.heard_ns);
    destroy(&awake);
}

static void who_needed_the_processor_is_let_alone(void **state UNUSED)
{
    struct awake awake;

    create(&awake)->paused_ns = NOW_NS + 1000;
    awake_hear(&awake, NOW_NS + 1);
    awake_hear(&awake, NOW_NS + 2);
    assert_false(ev_is_active(&awake.look));
    awake_hear(&awake, NOW_NS + 999);
    assert_false(ev_is_active(&awake.look));
    awake_hear(&awake, NOW_NS + 1000);
    assert_true(ev_is_active(&awake.look));
    destroy(&awake);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_keeps_nobody_awake),
        cmocka_unit_test(messages_close_to_each_other_keep_the_loop_awake),
        cmocka_unit_test(messages_far_from_each_other_do_not),
        cmocka_unit_test(without_another_message_the_loop_sleeps),
        cmocka_unit_test(who_needed_the_processor_is_let_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
