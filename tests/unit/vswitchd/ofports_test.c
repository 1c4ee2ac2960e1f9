/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "vswitchd/ofports.h"

#define NEW                                     \
    {                                           \
        .request = OFPP_NONE, .held = OFPP_NONE \
    }

static void new_interfaces_get_the_lowest_free_numbers(void **state UNUSED)
{
    struct ofport_wish wishes[] = {NEW, {.held = 2, .request = OFPP_NONE}, NEW};

    ofports_assign(wishes, 3);

    assert_int_equal(wishes[0].result, 1);
    assert_int_equal(wishes[1].result, 2);
    assert_int_equal(wishes[2].result, 3);
}

static void request_for_a_free_number_moves_an_interface(void **state UNUSED)
{
    struct ofport_wish wishes[] = {NEW, {.held = 1, .request = 7}};

    ofports_assign(wishes, 2);

    assert_int_equal(wishes[0].result, 1);
    assert_int_equal(wishes[1].result, 7);
}

static void number_stays_with_its_holder_against_a_request(void **state UNUSED)
{
    struct ofport_wish wishes[] = {{.held = 4, .request = 5}, {.held = 5, .request = OFPP_NONE}};

    ofports_assign(wishes, 2);

    assert_int_equal(wishes[0].result, 4);
    assert_int_equal(wishes[1].result, 5);
}

static void second_request_for_a_number_gives_way(void **state UNUSED)
{
    struct ofport_wish wishes[] = {{.held = OFPP_NONE, .request = 9},
                                   {.held = OFPP_NONE, .request = 9}};

    ofports_assign(wishes, 2);

    assert_int_equal(wishes[0].result, 9);
    assert_int_equal(wishes[1].result, 1);
}

static void new_interface_leaves_requested_numbers_alone(void **state UNUSED)
{
    struct ofport_wish wishes[] = {NEW, {.held = OFPP_NONE, .request = 1}};

    ofports_assign(wishes, 2);

    assert_int_equal(wishes[0].result, 2);
    assert_int_equal(wishes[1].result, 1);
}

static void local_port_is_always_local(void **state UNUSED)
{
    struct ofport_wish wishes[] = {{.held = 3, .request = 3, .is_local = true}, NEW};

    ofports_assign(wishes, 2);

    assert_int_equal(wishes[0].result, OFPP_LOCAL);
    assert_int_equal(wishes[1].result, 1);
}

static void reserved_numbers_are_never_given(void **state UNUSED)
{
    struct ofport_wish wishes[] = {{.held = OFPP_CONTROLLER, .request = OFPP_NONE},
                                   {.held = OFPP_NONE, .request = OFPP_MAX}};

    ofports_assign(wishes, 2);

    assert_int_equal(wishes[0].result, 1);
    assert_int_equal(wishes[1].result, 2);
}

static void more_interfaces_than_numbers_leave_some_without(void **state UNUSED)
{
    static struct ofport_wish wishes[OFPP_MAX];

    for (size_t i = 0; i < OFPP_MAX; i++)
        wishes[i] = (struct ofport_wish)NEW;
    ofports_assign(wishes, OFPP_MAX);

    assert_int_equal(wishes[OFPP_MAX - 2].result, OFPP_MAX - 1);
    assert_int_equal(wishes[OFPP_MAX - 1].result, OFPP_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_interfaces_get_the_lowest_free_numbers),
        cmocka_unit_test(request_for_a_free_number_moves_an_interface),
        cmocka_unit_test(number_stays_with_its_holder_against_a_request),
        cmocka_unit_test(second_request_for_a_number_gives_way),
        cmocka_unit_test(new_interface_leaves_requested_numbers_alone),
        cmocka_unit_test(local_port_is_always_local),
        cmocka_unit_test(reserved_numbers_are_never_given),
        cmocka_unit_test(more_interfaces_than_numbers_leave_some_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
