/* SPDX-License-Identifier: Apache-2.0 */

/* The multiset beside an array of counts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vswitchd/classifier_priorities.h"

enum { N_PRIORITIES = 200 };

static int find_max(const uint32_t *counts)
{
    int max = N_PRIORITIES - 1;

    while (max >= 0 && !counts[max])
        max--;
    return max;
}

/* 'percent' of the steps add, the others remove what is there. */
static void step(struct cls_priorities *priorities, uint32_t *counts, int percent)
{
    uint32_t priority = (uint32_t)rand() % N_PRIORITIES;

    if (rand() % 100 < percent) {
        cls_priorities_add(priorities, priority);
        counts[priority]++;
    } else if (counts[priority]) {
        cls_priorities_remove(priorities, priority);
        counts[priority]--;
    }
}

static void maximum_and_members_are_those_of_the_counts(void **state)
{
    struct cls_priorities priorities = {0};
    uint32_t counts[N_PRIORITIES] = {0};

    (void)state;
    for (int i = 0; i < 20000; i++) {
        step(&priorities, counts, i / 2000 % 2 ? 30 : 60);

        int max = find_max(counts);
        uint32_t any = (uint32_t)rand() % N_PRIORITIES;
        assert_int_equal(cls_priorities_are_empty(&priorities), max < 0);
        assert_int_equal(cls_priorities_contain(&priorities, any), counts[any] > 0);
        if (max >= 0)
            assert_int_equal(cls_priorities_max(&priorities), max);
    }
    cls_priorities_fini(&priorities);
}

static void one_of_many_equal_priorities_may_go(void **state)
{
    struct cls_priorities priorities = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        cls_priorities_add(&priorities, 7);
    assert_true(priorities.capacity <= 8);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(cls_priorities_max(&priorities), 7);
        cls_priorities_remove(&priorities, 7);
    }
    assert_true(cls_priorities_are_empty(&priorities));
    cls_priorities_fini(&priorities);
}

static void empty_set_contains_nothing(void **state)
{
    struct cls_priorities priorities = {0};

    (void)state;
    assert_true(cls_priorities_are_empty(&priorities));
    assert_false(cls_priorities_contain(&priorities, 0));
    cls_priorities_fini(&priorities);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maximum_and_members_are_those_of_the_counts),
        cmocka_unit_test(one_of_many_equal_priorities_may_go),
        cmocka_unit_test(empty_set_contains_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
