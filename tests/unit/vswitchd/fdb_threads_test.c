/* SPDX-License-Identifier: Apache-2.0 */

/* Readers walk the table while a writer changes its size, learns and flushes: nothing is read after its
 * end.  For ThreadSanitizer and AddressSanitizer. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/rcu.h"
#include "vswitchd/fdb.h"

enum { N_STATIONS = 2000, N_READERS = 2, N_CHANGES = 60 };

struct shared {
    struct fdb *fdb;
    _Atomic bool is_done;
};

static struct mac station(unsigned int n)
{
    return mac_from_u64(UINT64_C(0x020000000000) + n);
}

static void count(const struct fdb_entry_info *info, void *arg)
{
    *(unsigned int *)arg += info->port == 1;
}

static void *read_table(void *arg)
{
    struct shared *shared = arg;

    rcu_reader_register();
    while (!shared->is_done) {
        unsigned int n = 0;

        fdb_each(shared->fdb, count, &n);
        assert_true(n <= 2 * N_STATIONS);
        fdb_refresh(shared->fdb, 1, station(n % N_STATIONS), 1, n);
        rcu_pass_quiescent_state();
    }
    rcu_reader_unregister();
    return NULL;
}

static void readers_meet_no_freed_station(void **state)
{
    struct shared shared = {.fdb = fdb_create(N_STATIONS, 300, 4096, NULL, NULL)};
    pthread_t readers[N_READERS];

    (void)state;
    for (unsigned int i = 0; i < N_READERS; i++)
        pthread_create(&readers[i], NULL, read_table, &shared);
    for (unsigned int change = 0; change < N_CHANGES; change++) {
        for (unsigned int i = 0; i < N_STATIONS; i++)
            fdb_learn(shared.fdb, 1, station(i), (of_port)(1 + (i + change) % 3), change);
        fdb_set_limits(shared.fdb, N_STATIONS << (change % 3), 300);
        if (change % 16 == 0)
            fdb_flush_port(shared.fdb, 1);
    }
    shared.is_done = true;
    for (unsigned int i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    fdb_destroy(shared.fdb);
    rcu_barrier();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_meet_no_freed_station),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
