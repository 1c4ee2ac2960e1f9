/* SPDX-License-Identifier: Apache-2.0 */

/* Meters in translation: where they stand among the datapath's actions, how far what they hold back goes, and what
 * becomes of meters and flows that name them. */

#include "tests/unit/vswitchd/xlate_fixture.h"

#include "lib/openflow/group_text.h"
#include "vswitchd/meter_mod.h"

static void meter(struct fixture *f, int bridge, const char *text)
{
    build(f);
    rig_put_meter(&f->rig, bridge, text, f->now_ns);
}

static enum of_error try_meter(struct fixture *f, enum of_meter_command command, const char *text)
{
    struct error error = ERROR_INIT;
    struct of_meter_mod mod;

    build(f);
    if (of_meter_mod_parse(text, command, &mod, &error))
        fail_msg("%s: %s", text, error.message);
    enum of_error result = meter_mod_apply(f->rig.meters[0], f->rig.tables[0], &mod, f->now_ns);
    of_meter_mod_fini(&mod);
    return result;
}

#define PKTPS(id) "meter=" #id ",pktps,bands=type=drop,rate=10"

static void a_meter_comes_before_what_it_limits(void **state)
{
    struct fixture *f = *state;

    meter(f, 0, PKTPS(5));
    flow(f, 0, "in_port=1,actions=meter:5,mod_dl_dst:02:00:00:00:00:09,2");
    flow(f, 0, "in_port=2,actions=meter:5");
    flow(f, 0, "in_port=3,actions=1,goto_table:1");
    flow(f, 0, "table=1,actions=meter:5,2");
    assert_string_equal(actions(f, 1, TCP), "meter(0),set(eth(dst=02:00:00:00:00:09)),2");
    assert_string_equal(actions(f, 2, TCP), "meter(0)");
    assert_string_equal(actions(f, 3, TCP), "1,meter(0),2");
    assert_true(f->verdict.cacheable);
}

static void what_a_meter_alone_lets_pass_is_dropped_all_the_same(void **state)
{
    struct fixture *f = *state;

    meter(f, 0, PKTPS(1));
    flow(f, 0, "actions=meter:1");
    take(f, 1, TCP, true);
    assert_int_equal(f->verdict.actions.n, 2);
    assert_int_equal(f->verdict.actions.list[1].type, DP_DROP);
    assert_int_equal(f->verdict.actions.list[1].arg, DROP_BY_FLOW);
}

static uint64_t missed(const struct fixture *f)
{
    for (uint32_t i = 0; i < f->verdict.actions.n; i++)
        if (f->verdict.actions.list[i].type == DP_METER)
            return f->verdict.actions.list[i].value;
    fail_msg("there is no meter");
    return 0;
}

static void a_meter_behind_a_patch_port_holds_back_nothing_else(void **state)
{
    struct fixture *f = *state;

    meter(f, 1, PKTPS(1));
    flow(f, 0, "in_port=1,actions=5,2");
    flow(f, 0, "in_port=2,actions=5");
    flow(f, 1, "actions=meter:1,push_vlan:0x8100,set_field:4097->vlan_vid,1,2");
    assert_string_equal(actions(f, 1, TCP), "clone(meter(0),push_vlan(vid=1,pcp=0),5,6),2");
    assert_int_equal(missed(f), 3);
    assert_string_equal(actions(f, 2, TCP), "meter(0),push_vlan(vid=1,pcp=0),5,6");
}

static void regions_may_stand_in_regions(void **state)
{
    struct fixture *f = *state;

    meter(f, 0, PKTPS(1));
    meter(f, 1, PKTPS(1));
    flow(f, 0, "in_port=1,actions=meter:1,clone(5,3),2");
    flow(f, 1, "actions=meter:1,1,clone(2),3");
    assert_string_equal(actions(f, 1, TCP), "meter(0),clone(clone(meter(1),5,6,7),3),2");
}

static void a_bucket_may_have_a_meter(void **state)
{
    struct fixture *f = *state;

    meter(f, 0, PKTPS(1));
    build(f);
    rig_put_group(
        &f->rig, 0,
        "group_id=1,type=all,bucket=meter:1,output:2,bucket=output:3,bucket=meter:9,output:4",
        f->now_ns);
    flow(f, 0, "actions=group:1");
    assert_string_equal(actions(f, 1, TCP), "clone(meter(0),2),3,4");
}

static void what_controllers_are_sent_has_meters_of_its_own(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "in_port=1,actions=controller(meter_id=7),2");
    flow(f, 0, "in_port=2,actions=controller,1");
    assert_string_equal(actions(f, 1, TCP), "userspace(0),2");
    meter(f, 0, PKTPS(7));
    assert_string_equal(actions(f, 1, TCP), "clone(meter(0),userspace(0)),2");
    assert_string_equal(actions(f, 2, TCP), "userspace(0),1");
    meter(f, 0, PKTPS(controller));
    assert_string_equal(actions(f, 1, TCP), "clone(meter(0),userspace(0)),2");
    assert_string_equal(actions(f, 2, TCP), "clone(meter(1),userspace(0)),1");
    rig_delete_meter(&f->rig, 0, 7, f->now_ns);
    assert_string_equal(actions(f, 1, TCP), "clone(meter(1),userspace(0)),2");
    meter(f, 0, "meter=controller,pktps,bands=type=dscp_remark,rate=1,prec_level=1");
    assert_string_equal(actions(f, 2, TCP), "clone(meter(2),userspace(0)),1");
    assert_int_equal(f->verdict.actions.list[0].type, DP_SAVE);
}

static void another_meter_takes_the_place_of_one_that_is_modified(void **state)
{
    struct fixture *f = *state;

    meter(f, 0, PKTPS(1));
    flow(f, 0, "actions=meter:1,2");
    assert_string_equal(actions(f, 1, TCP), "meter(0),2");
    f->now_ns += SECOND_NS;
    meter(f, 0, "meter=1,kbps,bands=type=drop,rate=5");
    assert_string_equal(actions(f, 1, TCP), "meter(1),2");
    assert_int_equal(meter_table_lookup(f->rig.meters[0], 1)->created_ns, f->now_ns - SECOND_NS);
}

static uint32_t n_flows_of(struct fixture *f, uint32_t meter_id)
{
    meter_mod_count_flows(f->rig.meters[0], f->rig.tables[0]);
    return meter_table_lookup(f->rig.meters[0], meter_id)->n_flows;
}

static void flows_go_with_their_meter(void **state)
{
    struct fixture *f = *state;

    meter(f, 0, PKTPS(1));
    meter(f, 0, PKTPS(2));
    flow(f, 0, "in_port=1,actions=meter:1,2");
    flow(f, 0, "in_port=2,actions=meter:2,1");
    flow(f, 0, "in_port=3,actions=controller(meter_id=1)");
    flow(f, 0, "table=1,in_port=1,actions=meter:1,2");
    assert_int_equal(n_flows_of(f, 1), 2);
    assert_int_equal(n_flows_of(f, 2), 1);
    rig_delete_meter(&f->rig, 0, 1, f->now_ns);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 2);
    assert_null(meter_table_lookup(f->rig.meters[0], 1));
    assert_string_equal(actions(f, 2, TCP), "meter(1),1");
    rig_delete_meter(&f->rig, 0, 99, f->now_ns);
    rig_delete_meter(&f->rig, 0, OF_METER_ALL, f->now_ns);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 1);
}

static void mistakes_are_told_in_open_vswitchs_order(void **state)
{
    struct fixture *f = *state;
    struct of_meter_mod none = {.command = OFMC_ADD, .meter = {.meter_id = 1, .flags = OFMF_KBPS}};

    assert_int_equal(try_meter(f, OFMC_MODIFY, PKTPS(1)), OFPMMFC_UNKNOWN_METER);
    assert_int_equal(meter_mod_apply(f->rig.meters[0], f->rig.tables[0], &none, 0),
                     OFPMMFC_OUT_OF_BANDS);
    assert_int_equal(try_meter(f, OFMC_ADD, PKTPS(1)), OF_OK);
    assert_int_equal(meter_mod_apply(f->rig.meters[0], f->rig.tables[0], &none, 0),
                     OFPMMFC_METER_EXISTS);
    none.command = OFMC_MODIFY;
    none.meter.flags = 0;
    assert_int_equal(meter_mod_apply(f->rig.meters[0], f->rig.tables[0], &none, 0),
                     OFPMMFC_BAD_FLAGS);
    none.meter.meter_id = 0;
    assert_int_equal(meter_mod_apply(f->rig.meters[0], f->rig.tables[0], &none, 0),
                     OFPMMFC_INVALID_METER);
    none.meter.meter_id = OF_METER_MAX + 1;
    assert_int_equal(meter_mod_apply(f->rig.meters[0], f->rig.tables[0], &none, 0),
                     OFPMMFC_INVALID_METER);
    assert_int_equal(try_meter(f, OFMC_ADD, PKTPS(slowpath)), OF_OK);
    assert_int_equal(try_meter(f, OFMC_ADD, PKTPS(4294901760)), OF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_meter_comes_before_what_it_limits),
        TEST(what_a_meter_alone_lets_pass_is_dropped_all_the_same),
        TEST(a_meter_behind_a_patch_port_holds_back_nothing_else),
        TEST(regions_may_stand_in_regions),
        TEST(a_bucket_may_have_a_meter),
        TEST(what_controllers_are_sent_has_meters_of_its_own),
        TEST(another_meter_takes_the_place_of_one_that_is_modified),
        TEST(flows_go_with_their_meter),
        TEST(mistakes_are_told_in_open_vswitchs_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
