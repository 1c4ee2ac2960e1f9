/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/fdb.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"

enum { N_SLOTS = 4096, SMALL = 16 };

static const struct mac ALICE = {{0x02, 0, 0, 0, 0, 0xa}};
static const struct mac BOB = {{0x02, 0, 0, 0, 0, 0xb}};

static unsigned int n_changes;
static uint16_t last_slot;

static void count_change(void *aux, uint16_t slot)
{
    (void)aux;
    n_changes++;
    last_slot = slot;
}

static int set_up(void **state)
{
    rcu_register_thread();
    n_changes = 0;
    *state = fdb_create(SMALL, 300, N_SLOTS, count_change, NULL);
    return 0;
}

static int tear_down(void **state)
{
    fdb_destroy(*state);
    rcu_quiescent_state();
    rcu_barrier();
    rcu_unregister_thread();
    return 0;
}

static struct mac station(unsigned int n)
{
    return mac_from_u64(UINT64_C(0x020000000000) + n);
}

static void unknown_station_is_nowhere(void **state)
{
    assert_int_equal(fdb_lookup(*state, 1, ALICE), OFPP_NONE);
    assert_true(fdb_needs_learning(*state, 1, ALICE, 1, 0));
    assert_int_equal(n_changes, 0);
}

static void station_that_moves_is_found_on_its_new_port(void **state)
{
    struct fdb *fdb = *state;

    assert_true(fdb_learn(fdb, 10, ALICE, 1, 1 * SECOND_NS));
    assert_true(fdb_learn(fdb, 10, ALICE, 2, 2 * SECOND_NS));

    assert_int_equal(fdb_lookup(fdb, 10, ALICE), 2);
    assert_int_equal(fdb_lookup(fdb, 11, ALICE), OFPP_NONE);
}

static void only_a_new_answer_moves_the_generation(void **state)
{
    struct fdb *fdb = *state;

    fdb_learn(fdb, 10, ALICE, 1, 1 * SECOND_NS);
    assert_int_equal(n_changes, 1);
    assert_int_equal(last_slot, fdb_slot(fdb, 10, ALICE));
    assert_in_range(last_slot, 1, N_SLOTS - 1);

    assert_false(fdb_learn(fdb, 10, ALICE, 1, 9 * SECOND_NS));
    assert_int_equal(n_changes, 1);
    fdb_learn(fdb, 10, ALICE, 2, 9 * SECOND_NS);
    assert_int_equal(n_changes, 2);
    fdb_flush_all(fdb);
    assert_int_equal(n_changes, 3);
}

static void age_is_noted_once_a_second(void **state)
{
    struct fdb *fdb = *state;

    fdb_learn(fdb, 1, ALICE, 1, 10 * SECOND_NS);
    assert_false(fdb_needs_learning(fdb, 1, ALICE, 1, 10 * SECOND_NS + SECOND_NS / 2));
    assert_true(fdb_needs_learning(fdb, 1, ALICE, 1, 11 * SECOND_NS));
    assert_true(fdb_needs_learning(fdb, 1, ALICE, 2, 10 * SECOND_NS));
}

static void stations_expire_unless_cached_flows_use_them(void **state)
{
    struct fdb *fdb = *state;
    struct fdb_stats stats;

    fdb_learn(fdb, 1, ALICE, 1, 0);
    fdb_learn(fdb, 1, BOB, 1, 0);
    fdb_refresh(fdb, 1, BOB, 1, 200 * SECOND_NS);
    fdb_refresh(fdb, 1, ALICE, 2, 200 * SECOND_NS); /* From where it no longer is. */
    fdb_expire(fdb, 300 * SECOND_NS);

    assert_int_equal(fdb_lookup(fdb, 1, ALICE), OFPP_NONE);
    assert_int_equal(fdb_lookup(fdb, 1, BOB), 1);
    fdb_expire(fdb, 500 * SECOND_NS);
    assert_int_equal(fdb_lookup(fdb, 1, BOB), OFPP_NONE);
    fdb_get_stats(fdb, &stats);
    assert_int_equal(stats.n_expired, 2);
    assert_int_equal(stats.n_entries, 0);
}

static void one_port_cannot_fill_the_table(void **state)
{
    struct fdb *fdb = *state;
    struct fdb_stats stats;

    for (unsigned int port = 1; port <= 3; port++)
        fdb_learn(fdb, 1, station(1000 + port), (of_port)port, 0);
    for (unsigned int n = 0; n < 1000; n++)
        fdb_learn(fdb, 1, station(n), 9, n);

    fdb_get_stats(fdb, &stats);
    assert_int_equal(stats.n_entries, SMALL);
    assert_int_equal(stats.n_evicted, 1000 + 3 - SMALL);
    for (unsigned int port = 1; port <= 3; port++)
        assert_int_equal(fdb_lookup(fdb, 1, station(1000 + port)), port);
    assert_int_equal(fdb_lookup(fdb, 1, station(999)), 9);
    assert_int_equal(fdb_lookup(fdb, 1, station(0)), OFPP_NONE);
}

static void flushing_a_port_leaves_the_others(void **state)
{
    struct fdb *fdb = *state;

    fdb_learn(fdb, 1, ALICE, 1, 0);
    fdb_learn(fdb, 1, BOB, 2, 0);
    fdb_flush_port(fdb, 1);

    assert_int_equal(fdb_lookup(fdb, 1, ALICE), OFPP_NONE);
    assert_int_equal(fdb_lookup(fdb, 1, BOB), 2);
}

static void static_station_neither_moves_nor_ages(void **state)
{
    struct fdb *fdb = *state;

    assert_int_equal(fdb_add_static(fdb, 1, ALICE, 3), 0);
    assert_false(fdb_learn(fdb, 1, ALICE, 4, SECOND_NS));
    fdb_expire(fdb, 10000 * SECOND_NS);
    fdb_flush_all(fdb);
    assert_int_equal(fdb_lookup(fdb, 1, ALICE), 3);

    assert_int_equal(fdb_remove(fdb, 1, ALICE), 0);
    assert_int_equal(fdb_remove(fdb, 1, ALICE), -ENOENT);
    assert_int_equal(fdb_lookup(fdb, 1, ALICE), OFPP_NONE);
}

static void static_stations_may_fill_the_table(void **state)
{
    struct fdb *fdb = *state;

    for (unsigned int n = 0; n < SMALL; n++)
        assert_int_equal(fdb_add_static(fdb, 1, station(n), 1), 0);
    assert_int_equal(fdb_add_static(fdb, 1, station(SMALL), 1), -ENOSPC);
    assert_false(fdb_learn(fdb, 1, station(SMALL + 1), 1, 0));
}

static void changed_limits_keep_what_fits(void **state)
{
    struct fdb *fdb = *state;
    struct fdb_stats stats;

    for (unsigned int n = 0; n < SMALL; n++)
        fdb_learn(fdb, 1, station(n), (of_port)(n % 4), n);
    fdb_set_limits(fdb, 1000, 300);
    for (unsigned int n = 0; n < SMALL; n++)
        assert_int_equal(fdb_lookup(fdb, 1, station(n)), n % 4);

    fdb_set_limits(fdb, 4, 300);
    fdb_get_stats(fdb, &stats);
    assert_int_equal(stats.n_entries, 4);
    for (unsigned int n = SMALL - 4; n < SMALL; n++)
        assert_int_equal(fdb_lookup(fdb, 1, station(n)), n % 4);
}

static void count_entry(const struct fdb_entry_info *info, void *arg)
{
    *(unsigned int *)arg += 1;
    assert_int_equal(info->vid, 7);
}

static void walk_meets_each_station_once(void **state)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < SMALL; i++)
        fdb_learn(*state, 7, station(i), 1, i);
    fdb_each(*state, count_entry, &n);
    assert_int_equal(n, SMALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unknown_station_is_nowhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(station_that_moves_is_found_on_its_new_port, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_a_new_answer_moves_the_generation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(age_is_noted_once_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stations_expire_unless_cached_flows_use_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_port_cannot_fill_the_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flushing_a_port_leaves_the_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(static_station_neither_moves_nor_ages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(static_stations_may_fill_the_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_limits_keep_what_fits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(walk_meets_each_station_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
