/* SPDX-License-Identifier: Apache-2.0 */

/* Rates of flows between two looks at their counters. */

#include "cli/flow_rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/clock.h"

static int create(void **state)
{
    *state = flow_rates_create();
    return 0;
}

static int destroy(void **state)
{
    flow_rates_destroy(*state);
    return 0;
}

static void the_first_look_has_no_rates(void **state)
{
    const struct flow_rate *sorted;

    flow_rates_begin(*state, 5 * SECOND_NS);
    flow_rates_add(*state, "a", 1000, 64000);
    assert_int_equal(flow_rates_end(*state, false, &sorted), 0);
}

static void the_busiest_comes_first(void **state)
{
    const struct flow_rate *sorted;

    for (uint64_t i = 1; i <= 2; i++) {
        flow_rates_begin(*state, (int64_t)i * 2 * SECOND_NS);
        flow_rates_add(*state, "idle", 7, 7);
        flow_rates_add(*state, "large", 10 * i, 15000 * i);
        flow_rates_add(*state, "small", 100 * i, 6400 * i);
        if (i == 1)
            flow_rates_end(*state, false, &sorted);
    }
    assert_int_equal(flow_rates_end(*state, false, &sorted), 2);
    assert_string_equal(sorted[0].name, "small");
    assert_true(sorted[0].packets_per_s > 49.9 && sorted[0].packets_per_s < 50.1);
    assert_true(sorted[0].bytes_per_s > 3199 && sorted[0].bytes_per_s < 3201);
    assert_int_equal(sorted[0].n_packets, 200);
    assert_string_equal(sorted[1].name, "large");
    assert_int_equal(flow_rates_end(*state, true, &sorted), 2);
    assert_string_equal(sorted[0].name, "large");
    assert_int_equal(flow_rates_sum(*state).n_packets, 7 + 20 + 200);
}

static void a_flow_that_is_new_or_begins_anew_counts_from_0(void **state)
{
    const struct flow_rate *sorted;

    flow_rates_begin(*state, 1 * SECOND_NS);
    flow_rates_add(*state, "again", 1000, 1000);
    flow_rates_end(*state, false, &sorted);
    flow_rates_begin(*state, 2 * SECOND_NS);
    flow_rates_add(*state, "again", 10, 640);
    flow_rates_add(*state, "new", 5, 320);
    assert_int_equal(flow_rates_end(*state, false, &sorted), 2);
    assert_string_equal(sorted[0].name, "again");
    assert_true(sorted[0].packets_per_s > 9.9 && sorted[0].packets_per_s < 10.1);
    assert_string_equal(sorted[1].name, "new");
    assert_true(sorted[1].packets_per_s > 4.9 && sorted[1].packets_per_s < 5.1);
}

static void a_flow_that_is_gone_is_forgotten(void **state)
{
    const struct flow_rate *sorted;

    flow_rates_begin(*state, 1 * SECOND_NS);
    flow_rates_add(*state, "a", 10, 10);
    flow_rates_end(*state, false, &sorted);
    flow_rates_begin(*state, 2 * SECOND_NS);
    assert_int_equal(flow_rates_end(*state, false, &sorted), 0);
    assert_int_equal(flow_rates_sum(*state).n_packets, 0);
    flow_rates_begin(*state, 3 * SECOND_NS);
    flow_rates_add(*state, "a", 12, 12);
    assert_int_equal(flow_rates_end(*state, false, &sorted), 1);
    assert_true(sorted[0].packets_per_s > 11.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_look_has_no_rates, create, destroy),
        cmocka_unit_test_setup_teardown(the_busiest_comes_first, create, destroy),
        cmocka_unit_test_setup_teardown(a_flow_that_is_new_or_begins_anew_counts_from_0, create,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_flow_that_is_gone_is_forgotten, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
