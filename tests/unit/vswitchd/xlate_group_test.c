/* SPDX-License-Identifier: Apache-2.0 */

/* Groups as text, one frame, and the datapath actions that should come of it. */

#include "lib/openflow/group_text.h"
#include "tests/unit/vswitchd/xlate_fixture.h"
#include "vswitchd/group_mod.h"
#include "vswitchd/group_table.h"

static enum of_error change(struct fixture *f, enum of_group_command command, const char *text)
{
    struct error error = ERROR_INIT;
    struct of_group_mod mod;

    build(f);
    if (of_group_mod_parse(text, command, NULL, &mod, &error))
        fail_msg("%s: %s", text, error.message);
    enum of_error result = group_mod_apply(f->rig.tables[0], &mod, f->now_ns);
    of_group_mod_fini(&mod);
    flow_tables_publish(f->rig.tables[0]);
    return result;
}

static void group(struct fixture *f, const char *text)
{
    assert_int_equal(change(f, OFGC_ADD, text), OF_OK);
}

static const struct group *find(struct fixture *f, uint32_t group_id)
{
    return group_table_lookup(flow_tables_groups(f->rig.tables[0]),
                              flow_tables_version(f->rig.tables[0]), group_id);
}

static const char *from(int host, char frame[static 256])
{
    snprintf(frame, 256,
             "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),"
             "ipv4(src=10.0.%d.%d,dst=10.9.0.2,proto=6,tos=0,ttl=64,frag=no),"
             "tcp(src=1000,dst=80)",
             host >> 8, host & 255);
    return frame;
}

static void each_bucket_of_all_has_a_frame_of_its_own(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=all,bucket=set_field:02:00:00:00:00:07->eth_dst,output:2,"
             "bucket=output:3");
    flow(f, 0, "actions=group:1,output:4");
    assert_string_equal(
        actions(f, 1, TCP),
        "set(eth(dst=02:00:00:00:00:07)),2,set(eth(dst=00:00:00:00:00:02/00:00:00:00:00:ff)),3,4");
}

static void labels_of_a_bucket_stay_with_it(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=all,bucket=push_mpls:0x8847,output:2,bucket=output:3");
    flow(f, 0, "actions=group:1,output:4");
    assert_string_equal(actions(f, 1, TCP),
                        "clone(push_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8847),2),3,4");
}

static void bucket_is_an_action_set(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=indirect,bucket=output:2,set_field:02:00:00:00:00:07->eth_dst,"
             "output:3");
    group(f, "group_id=2,type=indirect,bucket=set_field:02:00:00:00:00:07->eth_dst");
    flow(f, 0, "in_port=1,actions=group:1");
    flow(f, 0, "in_port=2,actions=group:2");
    assert_string_equal(actions(f, 1, TCP), "set(eth(dst=02:00:00:00:00:07)),3");
    assert_int_equal(reason(f, 2, TCP), DROP_BY_FLOW);
}

static void group_beats_output_in_an_action_set(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=all,bucket=output:2,bucket=output:3");
    flow(f, 0, "actions=write_actions(group:1,output:4)");
    assert_string_equal(actions(f, 1, TCP), "2,3");
}

static void fast_failover_takes_the_first_live_bucket(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=ff,bucket=watch_port:2,output:2,bucket=watch_port:3,output:3");
    group(f, "group_id=2,type=ff,bucket=watch_group:1,output:4");
    flow(f, 0, "in_port=1,actions=group:1");
    flow(f, 0, "in_port=4,actions=group:2,output:1");
    assert_string_equal(actions(f, 1, TCP), "2");

    bridge_view_port(f->rig.topology->bridges[0], 2)->is_up = false;
    assert_string_equal(actions(f, 1, TCP), "3");

    bridge_view_port(f->rig.topology->bridges[0], 3)->config = OFPPC_PORT_DOWN;
    assert_int_equal(reason(f, 1, TCP), DROP_OUTPUT_TO_NOWHERE);
    assert_string_equal(actions(f, 4, TCP), "1");
}

static void groups_that_watch_each_other_are_dead(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=ff,bucket=watch_group:2,output:2");
    group(f, "group_id=2,type=ff,bucket=watch_group:1,output:3");
    flow(f, 0, "actions=group:1");
    assert_int_equal(reason(f, 1, TCP), DROP_OUTPUT_TO_NOWHERE);
}

/* How many of 1000 hosts' frames leave by each port; 'kept': how many by the one they left by before. */
static void spread(struct fixture *f, int n_by_port[5], int port_of[1000], int *kept)
{
    char frame[256];

    memset(n_by_port, 0, 5 * sizeof n_by_port[0]);
    *kept = 0;
    for (int host = 0; host < 1000; host++) {
        int port = atoi(actions(f, 1, from(host, frame)));
        n_by_port[port]++;
        *kept += port_of[host] == port;
        port_of[host] = port;
    }
}

static void select_divides_flows_by_weight_and_moves_few(void **state)
{
    struct fixture *f = *state;
    int n[5], port_of[1000] = {0}, kept;

    group(f, "group_id=1,type=select,bucket=bucket_id=1,weight:1,output:2,bucket=bucket_id=2,"
             "weight:3,watch_port=3,output:3,"
             "bucket=bucket_id=3,weight:0,output:4");
    flow(f, 0, "actions=group:1");
    spread(f, n, port_of, &kept);
    assert_in_range(n[2], 180, 320);
    assert_int_equal(n[2] + n[3], 1000);
    int before = n[2];

    spread(f, n, port_of, &kept);
    assert_int_equal(kept, 1000);

    bridge_view_port(f->rig.topology->bridges[0], 3)->is_up = false;
    spread(f, n, port_of, &kept);
    assert_int_equal(n[2], 1000);
    assert_int_equal(kept, before);
}

static void select_consults_what_it_hashes(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=select,selection_method=hash,fields(ip_src=255.255.255.0),"
             "bucket=output:2,bucket=output:3");
    group(f, "group_id=2,type=select,selection_method=dp_hash,bucket=output:2,bucket=output:3");
    flow(f, 0, "in_port=1,actions=group:1");
    flow(f, 0, "in_port=2,actions=group:2,output:4");
    actions(f, 1, TCP);
    assert_int_equal(be32_host(f->verdict.mask.nw_src), 0xffffff00);
    assert_int_equal(be32_host(f->verdict.mask.nw_dst), 0);
    assert_int_equal(be16_host(f->verdict.mask.tp_dst), 0);

    actions(f, 2, TCP);
    assert_int_equal(be32_host(f->verdict.mask.nw_src), UINT32_MAX);
    assert_int_equal(be32_host(f->verdict.mask.nw_dst), UINT32_MAX);
    assert_int_equal(be16_host(f->verdict.mask.tp_dst), UINT16_MAX);
}

static void chains_end_at_the_limit_and_never_explode(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=all,bucket=group:1");
    group(f, "group_id=2,type=all,bucket=group:2,bucket=group:2");
    group(f, "group_id=3,type=all,bucket=group:4,bucket=output:2");
    flow(f, 0, "in_port=1,actions=group:1");
    flow(f, 0, "in_port=2,actions=group:2");
    flow(f, 0, "in_port=3,actions=group:3,output:1");
    assert_int_equal(reason(f, 1, TCP), DROP_RECURSION_TOO_DEEP);
    assert_int_equal(reason(f, 2, TCP), DROP_RECURSION_TOO_DEEP);
    assert_string_equal(actions(f, 3, TCP), "2,1");
}

static void group_that_is_not_there_ends_the_list(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=all,bucket=output:2");
    group(f, "group_id=2,type=all,bucket=group:1");
    flow(f, 0, "actions=group:2,output:4");
    assert_string_equal(actions(f, 1, TCP), "2,4");
    assert_int_equal(change(f, OFGC_DELETE, "group_id=1"), OF_OK);
    assert_string_equal(actions(f, 1, TCP), "4");
}

static void frames_are_counted_for_groups_and_buckets(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=all,bucket=output:2,bucket=output:3");
    group(f, "group_id=2,type=ff,bucket=watch_port:77,output:2,bucket=watch_port:3,output:3");
    flow(f, 0, "actions=group:1,group:2");
    actions(f, 1, TCP);
    xlate_credit(f->verdict.context, 10, 1000, f->now_ns);

    const struct group *all = find(f, 1), *ff = find(f, 2);
    assert_int_equal(all->n_packets, 10);
    assert_int_equal(all->buckets[0].n_bytes, 1000);
    assert_int_equal(all->buckets[1].n_bytes, 1000);
    assert_int_equal(ff->n_packets, 10);
    assert_int_equal(ff->buckets[0].n_packets, 0);
    assert_int_equal(ff->buckets[1].n_packets, 10);
}

static void flows_go_with_the_group_they_name(void **state)
{
    struct fixture *f = *state;

    group(f, "group_id=1,type=all,bucket=output:2");
    group(f, "group_id=2,type=all,bucket=output:3");
    flow(f, 0, "in_port=1,actions=group:1");
    flow(f, 0, "in_port=2,actions=write_actions(group:2)");
    flow(f, 0, "in_port=3,actions=clone(group:1),output:4");
    flow(f, 0, "in_port=4,actions=output:1");
    assert_int_equal(flow_tables_count_users(f->rig.tables[0], 1), 2);
    assert_int_equal(flow_tables_count_users(f->rig.tables[0], 2), 1);

    assert_int_equal(change(f, OFGC_DELETE, "group_id=1"), OF_OK);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 2);
    assert_int_equal(change(f, OFGC_DELETE, ""), OF_OK);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 1);
    assert_int_equal(group_table_n_groups(flow_tables_groups(f->rig.tables[0])), 0);
}

static void changes_show_with_publication_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct error error = ERROR_INIT;
    struct of_group_mod mod;

    group(f, "group_id=1,type=all,bucket=output:2");
    group(f, "group_id=2,type=all,bucket=output:3");
    flow(f, 0, "in_port=1,actions=group:1");
    const struct group *one = find(f, 1);

    assert_int_equal(
        of_group_mod_parse("group_id=1,type=all,bucket=output:4", OFGC_MODIFY, NULL, &mod, &error),
        0);
    assert_int_equal(group_mod_apply(f->rig.tables[0], &mod, f->now_ns), OF_OK);
    of_group_mod_fini(&mod);
    assert_int_equal(of_group_mod_parse("", OFGC_DELETE, NULL, &mod, &error), 0);
    assert_int_equal(group_mod_apply(f->rig.tables[0], &mod, f->now_ns), OF_OK);
    of_group_mod_fini(&mod);
    assert_ptr_equal(find(f, 1), one);

    flow_tables_revert(f->rig.tables[0]);
    assert_ptr_equal(find(f, 1), one);
    assert_int_equal(group_table_n_groups(flow_tables_groups(f->rig.tables[0])), 2);
    assert_string_equal(actions(f, 1, TCP), "2");

    assert_int_equal(change(f, OFGC_MODIFY, "group_id=1,type=all,bucket=output:4"), OF_OK);
    assert_string_equal(actions(f, 1, TCP), "4");
}

static void many_groups_are_all_found(void **state)
{
    struct fixture *f = *state;
    char text[64];

    for (int i = 1; i <= 3000; i++) {
        snprintf(text, sizeof text, "group_id=%d,type=all,bucket=output:2", i * 7);
        group(f, text);
    }
    for (int i = 1; i <= 3000; i += 2) {
        snprintf(text, sizeof text, "group_id=%d", i * 7);
        assert_int_equal(change(f, OFGC_DELETE, text), OF_OK);
    }
    for (uint32_t i = 1; i <= 3000; i++)
        assert_int_equal(find(f, i * 7) != NULL, i % 2 == 0);
    rcu_wait_for_callbacks();
    for (uint32_t i = 1; i <= 3000; i++)
        assert_int_equal(find(f, i * 7) != NULL, i % 2 == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_bucket_of_all_has_a_frame_of_its_own),
        TEST(labels_of_a_bucket_stay_with_it),
        TEST(bucket_is_an_action_set),
        TEST(group_beats_output_in_an_action_set),
        TEST(fast_failover_takes_the_first_live_bucket),
        TEST(groups_that_watch_each_other_are_dead),
        TEST(select_divides_flows_by_weight_and_moves_few),
        TEST(select_consults_what_it_hashes),
        TEST(chains_end_at_the_limit_and_never_explode),
        TEST(group_that_is_not_there_ends_the_list),
        TEST(frames_are_counted_for_groups_and_buckets),
        TEST(flows_go_with_the_group_they_name),
        TEST(changes_show_with_publication_or_not_at_all),
        TEST(many_groups_are_all_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
