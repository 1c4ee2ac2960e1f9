/* SPDX-License-Identifier: Apache-2.0 */

/* Which flows name a group, through changes that are published or taken back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <urcu-qsbr.h>
#include <cmocka.h>

#include "lib/openflow/action_codec.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/flow_table.h"

enum { N_ADDRESSES = 60, N_GROUPS = 5, N_ROUNDS = 3000 };

static const struct flow_tables_events events = {.changed = NULL};

static void put_group(struct buffer *actions)
{
    struct ofa *group = ofa_put(actions, OFA_GROUP);

    CONTAINER_OF(group, struct ofa_group, ofa)->group_id = (uint32_t)rand() % N_GROUPS;
}

/* None to three groups, the same twice now and then, or in a clone. */
static void put_actions(struct buffer *actions)
{
    ofa_put_output(actions, 1, 0);
    for (int n = rand() % 4; n; n--) {
        if (rand() % 4) {
            put_group(actions);
            continue;
        }
        size_t start = actions->size;
        ofa_put(actions, OFA_CLONE);
        put_group(actions);
        ((struct ofa *)(void *)(actions->data + start))->n_bytes =
            (uint32_t)(actions->size - start);
    }
}

static void change_at_random(struct flow_tables *tables)
{
    static const uint8_t commands[] = {
        OFFC_ADD,           OFFC_ADD,    OFFC_MODIFY, OFFC_MODIFY_STRICT,
        OFFC_DELETE_STRICT, OFFC_DELETE, OFFC_ADD,    OFFC_ADD};
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    flow.command = commands[(size_t)rand() % sizeof commands];
    flow.table_id = (uint8_t)(rand() % 2);
    flow.match.mask.key.eth_type = be16_from(UINT16_MAX);
    flow.match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    flow.match.mask.key.nw_dst = be32_from(rand() % 4 ? UINT32_MAX : UINT32_MAX << 4);
    flow.match.flow.key.nw_dst.raw = be32_from((uint32_t)rand() % N_ADDRESSES).raw &
                                     flow.match.mask.key.nw_dst.raw;
    if (flow.command == OFFC_DELETE && rand() % 2)
        flow.out_group = (uint32_t)rand() % N_GROUPS;
    put_actions(&flow.actions);
    assert_int_equal(flow_mod_apply(tables, &flow, 1), OF_OK);
    of_flow_mod_fini(&flow);
}

struct count {
    uint32_t group_id;
    size_t n;
};

static bool count_one(struct rule *rule, void *count_)
{
    struct count *count = count_;

    count->n += ofa_outputs_to_group(rule_current_actions(rule), count->group_id);
    return true;
}

static size_t count_by(struct flow_tables *tables, uint32_t group_id, uint32_t out_group,
                       uint8_t table_id)
{
    const struct rule_filter filter = {
        .table_id = table_id, .out_port = OFPP_NONE, .out_group = out_group};
    struct count count = {.group_id = group_id};

    flow_tables_each(tables, &filter, count_one, &count);
    return count.n;
}

static void expect_users(struct flow_tables *tables)
{
    const uint32_t any = (uint32_t)OF_GROUP_ANY;

    for (uint32_t id = 0; id < N_GROUPS; id++) {
        size_t n = count_by(tables, id, any, OF_TABLE_ALL);

        assert_int_equal(flow_tables_count_users(tables, id), n);
        assert_int_equal(count_by(tables, id, id, OF_TABLE_ALL), n);
        assert_int_equal(count_by(tables, id, id, 1), count_by(tables, id, any, 1));
    }
}

static void users_of_groups_are_known_through_changes_and_reverts(void **state)
{
    struct flow_tables *tables = flow_tables_create(&events, NULL);

    (void)state;
    srand(1);
    for (size_t i = 0; i < N_ROUNDS; i++) {
        for (int n = rand() % 8; n; n--)
            change_at_random(tables);
        if (rand() % 2)
            expect_users(tables);
        if (rand() % 3)
            flow_tables_publish(tables);
        else
            flow_tables_revert(tables);
        expect_users(tables);
        urcu_qsbr_quiescent_state();
    }
    flow_tables_destroy(tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_of_groups_are_known_through_changes_and_reverts),
    };

    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}
