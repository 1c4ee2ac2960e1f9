/* SPDX-License-Identifier: Apache-2.0 */

/* Readers beside the writer: what one version says, it says in all tables at once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/flow_table.h"

enum { N_READERS = 2, N_TABLES = 3, N_ROUNDS = 3000 };

struct shared {
    struct flow_tables *tables;
    _Atomic(bool) is_over;
    _Atomic(uint64_t) n_lookups, n_wrong;
};

static void apply(struct flow_tables *tables, enum of_flow_command command, uint8_t table_id,
                  of_port port)
{
    struct of_flow_mod flow = {
        .command = (uint8_t)command,
        .table_id = table_id,
        .priority = 10,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    struct ofa_output *output = buffer_put_zeros(&flow.actions, sizeof *output);

    output->ofa = (struct ofa){.type = OFA_OUTPUT, .n_bytes = sizeof *output};
    output->port = port;
    assert_int_equal(flow_mod_apply(tables, &flow, 0), OF_OK);
    buffer_fini(&flow.actions);
}

/* Where table 'table_id' sends everything; 0: nowhere. */
static of_port look_up(const struct flow_tables *tables, uint64_t version, uint8_t table_id)
{
    const struct flow flow = {.key.in_port = be32_from(1)};
    struct rule *rule = flow_tables_lookup(tables, version, table_id, &flow, NULL, &(size_t){0});

    if (!rule)
        return 0;
    rule_credit(rule, 1, 64, 1);
    return ((const struct ofa_output *)(const void *)rule_get_actions(rule, version).first)->port;
}

static void *read_tables(void *shared_)
{
    struct shared *shared = shared_;

    rcu_reader_register();
    while (!atomic_load_explicit(&shared->is_over, memory_order_relaxed)) {
        uint64_t version = flow_tables_version(shared->tables);
        of_port first = look_up(shared->tables, version, 0);
        for (uint8_t table_id = 1; table_id < N_TABLES; table_id++)
            shared->n_wrong += look_up(shared->tables, version, table_id) != first;
        shared->n_wrong += !first;
        shared->n_lookups++;
        rcu_pass_quiescent_state();
    }
    rcu_reader_unregister();
    return NULL;
}

static void readers_see_every_version_whole(void **state UNUSED)
{
    static const struct flow_tables_events events = {.changed = NULL};
    static struct shared shared;
    pthread_t readers[N_READERS];

    shared.tables = flow_tables_create(&events, NULL);
    for (uint8_t table_id = 0; table_id < N_TABLES; table_id++)
        apply(shared.tables, OFFC_ADD, table_id, 1);
    flow_tables_publish(shared.tables);
    for (size_t i = 0; i < N_READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_tables, &shared), 0);

    for (of_port round = 2; round < N_ROUNDS || shared.n_lookups < 1000; round++) {
        for (uint8_t table_id = 0; table_id < N_TABLES; table_id++) {
            if (round % 3 == 0)
                apply(shared.tables, OFFC_DELETE, table_id, 0);
            apply(shared.tables, OFFC_ADD, table_id, (of_port)(round % 1000 + 1));
        }
        flow_tables_publish(shared.tables);
        rcu_pass_quiescent_state();
    }
    shared.is_over = true;
    for (size_t i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(shared.n_wrong, 0);
    assert_int_equal(flow_tables_n_flows(shared.tables), N_TABLES);
    /* Not destroyed: ThreadSanitizer cannot follow rcu_barrier(). */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_see_every_version_whole)};

    rcu_reader_register();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    rcu_reader_unregister();
    return result;
}
