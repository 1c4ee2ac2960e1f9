/* SPDX-License-Identifier: Apache-2.0 */

/* What frames teach a worker about looking for more. */

#include "tests/unit/datapath/cmocka_all.h"

#include "datapath/look.h"

enum { A = 1, B = 2, C = 4, SOON_NS = 10000, LATE_NS = 1000000 };

static void worker_looks_for_answers(void **state)
{
    struct look look = {.ns = 0};

    (void)state;
    look_learn(&look, LATE_NS, A, B);
    assert_int_equal(look.ns, 0);
    look_learn(&look, SOON_NS, B, A);
    assert_int_equal(look.ns, LOOK_MAX_NS);
    look_learn(&look, SOON_NS, A, B);
    assert_int_equal(look.ns, LOOK_MAX_NS);
}

static void worker_does_not_look_for_a_stream_that_goes_one_way(void **state)
{
    struct look look = {.ns = LOOK_MAX_NS};

    (void)state;
    for (int i = 0; i < 5; i++)
        look_learn(&look, SOON_NS, i % 2 ? A : B, C);
    assert_int_equal(look.ns, 0);
}

static void answers_that_come_late_are_not_looked_for(void **state)
{
    struct look look = {.ns = LOOK_MAX_NS};

    (void)state;
    for (int i = 0; i < 5; i++)
        look_learn(&look, LATE_NS, i % 2 ? A : B, i % 2 ? B : A);
    assert_int_equal(look.ns, 0);
}

/* That a frame came late by itself need not mean that the next will. */
static void one_late_answer_does_not_end_it(void **state)
{
    struct look look = {.ns = LOOK_MAX_NS};

    (void)state;
    look_learn(&look, LATE_NS, A, B);
    assert_int_equal(look.ns, LOOK_MAX_NS / 2);
    look_learn(&look, SOON_NS, B, A);
    assert_int_equal(look.ns, LOOK_MAX_NS);
}

/* It took longer than a look could have taken, but part of it was waking up. */
static void sleeper_allows_for_waking_up(void **state)
{
    struct look look = {.ns = 0, .asked_of = B};

    (void)state;
    look_learn(&look, LOOK_MAX_NS + SOON_NS, B, A);
    assert_int_equal(look.ns, LOOK_MAX_NS);
    look_learn(&look, LOOK_MAX_NS + SOON_NS, A, B);
    assert_int_equal(look.ns, LOOK_MAX_NS / 2);
}

static void frames_that_were_there_teach_nothing(void **state)
{
    struct look look = {.ns = LOOK_MAX_NS};

    (void)state;
    look_learn(&look, 0, A, B);
    assert_int_equal(look.ns, LOOK_MAX_NS);
    assert_int_equal(look.asked_of, B);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_looks_for_answers),
        cmocka_unit_test(worker_does_not_look_for_a_stream_that_goes_one_way),
        cmocka_unit_test(answers_that_come_late_are_not_looked_for),
        cmocka_unit_test(one_late_answer_does_not_end_it),
        cmocka_unit_test(sleeper_allows_for_waking_up),
        cmocka_unit_test(frames_that_were_there_teach_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
