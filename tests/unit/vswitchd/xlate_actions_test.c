/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/vswitchd/xlate_fixture.h"
#include "vswitchd/lessons.h"

/* Nicira's actions */

static void stack_carries_bits_from_field_to_field(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "tcp,actions=push:NXM_OF_TCP_SRC[],push:NXM_OF_TCP_DST[],pop:NXM_OF_TCP_SRC[],"
         "pop:NXM_OF_TCP_DST[],output:2,pop:NXM_OF_TCP_DST[],output:3");
    assert_string_equal(actions(f, 1, TCP), "set(tcp(src=80,dst=1000)),2,3");
    assert_int_equal(be16_host(f->verdict.mask.tp_src), UINT16_MAX);
}

static void endless_stack_drops(void **state)
{
    struct buffer text = BUFFER_INIT;
    struct fixture *f = *state;

    buffer_puts(&text, "actions=");
    for (int i = 0; i < 1025; i++)
        buffer_puts(&text, "push:NXM_NX_REG0[],");
    buffer_puts(&text, "output:2");
    flow(f, 0, buffer_text(&text));
    buffer_fini(&text);
    assert_int_equal(reason(f, 1, TCP), DROP_TOO_MANY_ACTIONS);
}

static void clone_leaves_no_trace(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "tcp,actions=push:NXM_OF_TCP_DST[],clone(pop:NXM_NX_REG0[0..15],push_vlan:0x8100,"
         "set_field:81->tcp_dst,output:2),pop:NXM_NX_REG1[0..15],"
         "output:NXM_NX_REG0[],resubmit(,1)");
    flow(f, 0, "table=1,reg0=0,reg1=80,actions=output:3");
    assert_string_equal(
        actions(f, 1, TCP),
        "push_vlan(vid=0,pcp=0),set(tcp(dst=81/0xff)),2,pop_vlan,set(tcp(dst=80/0xff)),3");
}

static void clones_in_clones_end(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=clone(resubmit(,0))");
    assert_int_equal(reason(f, 1, TCP), DROP_RECURSION_TOO_DEEP);
}

static void exit_ends_every_list_of_the_bridge(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=output:5,resubmit(,1),output:2,goto_table:2");
    flow(f, 0, "table=1,actions=output:3,exit,output:4");
    flow(f, 0, "table=2,actions=output:4");
    flow(f, 0, "table=0,priority=40000,in_port=4,actions=clone(output:1,exit,output:2),output:3");
    flow(f, 1, "actions=output:1,exit");
    assert_string_equal(actions(f, 4, TCP), "1");
    assert_string_equal(actions(f, 1, TCP), "5,3");
}

static void output_goes_where_a_register_says(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "in_port=1,actions=load:0x30->NXM_NX_REG0[],output:NXM_NX_REG0[4..7]");
    flow(f, 0, "in_port=2,actions=load:0x10001->NXM_NX_REG0[],output:NXM_NX_REG0[]");
    assert_string_equal(actions(f, 1, TCP), "3");
    assert_int_equal(reason(f, 2, TCP), DROP_OUTPUT_TO_NOWHERE);
}

static void both_directions_take_the_same_way(void **state)
{
    static const char back[] =
        "eth(src=02:00:00:00:00:02,dst=02:00:00:00:00:01),eth_type(0x0800),"
        "ipv4(src=10.0.0.2,dst=10.0.0.1,proto=6,tos=0,ttl=64,frag=no),tcp(src=80,dst=1000)";
    static const char *const algorithms[] = {"modulo_n", "hash_threshold", "hrw", "iter_hash"};
    struct fixture *f = *state;
    char text[200], first[20];

    for (size_t i = 0; i < 4; i++) {
        snprintf(text, sizeof text,
                 "actions=multipath(symmetric_l4,%zu,%s,2,0,NXM_NX_REG0[0]),resubmit(,1)", i,
                 algorithms[i]);
        flow(f, 0, text);
        flow(f, 0, "table=1,reg0=0,actions=output:3");
        flow(f, 0, "table=1,reg0=1,actions=output:4");
        snprintf(first, sizeof first, "%.19s", actions(f, 1, TCP));
        assert_true(!strcmp(first, "3") || !strcmp(first, "4"));
        assert_string_equal(actions(f, 2, back), first);
        assert_int_equal(be16_host(f->verdict.mask.tp_src), UINT16_MAX);
    }
}

static void ways_share_the_load(void **state)
{
    unsigned n_of[5] = {0};
    struct fixture *f = *state;
    char frame[300];

    flow(f, 0, "actions=bundle(nw_src,0,hrw,ofport,members:2,3,4)");
    for (int i = 0; i < 250; i++) {
        snprintf(frame, sizeof frame,
                 ETH ",eth_type(0x0800),ipv4(src=10.0.0.%d,dst=10.0.0.2,proto=6)", i);
        n_of[atoi(actions(f, 1, frame))]++;
    }
    for (int port = 2; port <= 4; port++)
        assert_in_range(n_of[port], 40, 130);
}

static void bundles_avoid_members_that_are_down(void **state)
{
    struct fixture *f = *state;

    f->settings.bridges[0].ports[2].config = OFPPC_PORT_DOWN;
    flow(f, 0, "table=0,in_port=1,actions=bundle(eth_src,0,active_backup,ofport,members:9,2,3,4)");
    flow(f, 0, "table=0,in_port=3,actions=bundle(eth_src,0,hrw,ofport,members:2)");
    flow(f, 0,
         "table=0,in_port=4,actions=bundle_load(eth_src,0,hrw,ofport,NXM_NX_REG0[],members:2),"
         "resubmit(,1)");
    flow(f, 0, "table=1,reg0=65535,actions=in_port");
    assert_string_equal(actions(f, 1, TCP), "3");
    assert_int_equal(reason(f, 3, TCP), DROP_OUTPUT_TO_NOWHERE);
    assert_string_equal(actions(f, 4, TCP), "4");
}

static void lengths_are_looked_at_frame_by_frame(void **state)
{
    struct packet packet = {.size = 1500, .l4_offset = 34, .vnet = {.hdr_len = 54}};
    struct fixture *f = *state;
    struct flow frame;

    flow(f, 0, "actions=check_pkt_larger(1000)->NXM_NX_REG0[5],resubmit(,1)");
    flow(f, 0, "table=1,reg0=0,actions=output:2");
    flow(f, 0, "table=1,reg0=0x20,actions=output:3");
    memset(&frame, 0, sizeof frame);
    for (int i = 0; i < 3; i++) {
        xlate_release(f->verdict.context);
        memset(&f->verdict, 0, sizeof f->verdict);
        f->verdict.cacheable = true;
        xlate_flow(f->rig.topology, f->rig.topology->bridges[0], &frame, &packet, f->now_ns, NULL,
                   &f->verdict);
        assert_int_equal(f->verdict.actions.list[0].arg, i ? 2 : 3);
        assert_false(f->verdict.cacheable);
        packet.size = i ? 50000 : 1000;
        packet.vnet.gso_type = i ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE;
        packet.vnet.gso_size = 900;
    }
}

/* Conjunctions */

static void conjunction_wants_each_clause(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "priority=10,ip,nw_src=10.0.0.1,actions=conjunction(5,1/2)");
    flow(f, 0, "priority=10,ip,nw_src=10.0.0.9,actions=conjunction(5,1/2)");
    flow(f, 0, "priority=10,tcp,tp_dst=81,actions=conjunction(5,2/2)");
    flow(f, 0, "priority=7,conj_id=5,actions=output:2");
    flow(f, 0, "priority=1,actions=output:3");
    assert_string_equal(actions(f, 1, TCP), "3");

    flow(f, 0, "priority=10,tcp,tp_dst=80,actions=conjunction(5,2/2),note:00");
    assert_string_equal(actions(f, 1, TCP), "2");
    assert_int_equal(be32_host(f->verdict.mask.nw_src), UINT32_MAX);
    assert_int_equal(be16_host(f->verdict.mask.tp_dst), UINT16_MAX);

    /* A better ordinary rule is not asked about clauses; the conjunction's own rule may be beaten. */
    flow(f, 0, "priority=8,actions=output:4");
    assert_string_equal(actions(f, 1, TCP), "4");
    flow(f, 0, "priority=11,actions=output:1,in_port");
    assert_string_equal(actions(f, 2, TCP), "1,2");
}

static void clauses_count_only_at_one_priority(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "priority=10,ip,nw_src=10.0.0.1,actions=conjunction(5,1/2)");
    flow(f, 0, "priority=9,tcp,tp_dst=80,actions=conjunction(5,2/2)");
    flow(f, 0, "priority=1,conj_id=5,actions=output:2");
    assert_int_equal(reason(f, 1, TCP), DROP_TABLE_MISS);
    flow(f, 0, "priority=9,ip,nw_dst=10.0.0.2,actions=conjunction(5,1/2),conjunction(6,1/2)");
    assert_string_equal(actions(f, 1, TCP), "2");
}

/* Lessons */

static void learn_now(struct fixture *f)
{
    lessons_apply(f->rig.lessons[0], f->rig.tables[0], f->now_ns);
}

static void frame_teaches_the_way_back(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "table=0,actions=learn(table=1,idle_timeout=10,priority=7,cookie=0x77,"
         "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0x5->NXM_NX_REG1[],output:NXM_OF_IN_PORT[]),"
         "resubmit(,1)");
    assert_int_equal(reason(f, 3, FROM_BOB), DROP_TABLE_MISS);
    learn_now(f);
    assert_string_equal(actions(f, 1, TO_BOB), "3");

    const struct rule_filter filter = {.table_id = 1, .out_port = 3, .out_group = OF_GROUP_ANY};
    struct rule_set set;
    rule_set_init(&set, f->rig.tables[0], &filter);
    assert_int_equal(set.n_rules, 1);
    assert_int_equal(set.rules[0]->cls.priority, 7);
    assert_int_equal(be64_host(set.rules[0]->cookie), 0x77);
    assert_int_equal(set.rules[0]->idle_timeout_s, 10);
    rule_set_fini(&set);
}

static void trace_teaches_nothing(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=learn(table=1,output:NXM_OF_IN_PORT[])");
    take(f, 3, FROM_BOB, false);
    learn_now(f);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 1);
}

static void used_lesson_stays_learned(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=learn(table=1,hard_timeout=10,output:NXM_OF_IN_PORT[])");
    actions(f, 3, FROM_BOB);
    learn_now(f);
    for (int i = 0; i < 5; i++) {
        f->now_ns += 6 * SECOND_NS;
        xlate_credit(f->verdict.context, 1, 100, f->now_ns);
        learn_now(f);
        flow_tables_expire(f->rig.tables[0], f->now_ns);
        assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 2);
    }
    f->now_ns += 11 * SECOND_NS;
    flow_tables_expire(f->rig.tables[0], f->now_ns);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 1);
}

/* The frames of the old place are counted when those of the new one have been heard. */
static void late_count_does_not_move_a_station_back(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "table=0,actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
         "output:NXM_OF_IN_PORT[]),resubmit(,1)");
    reason(f, 3, FROM_BOB);
    learn_now(f);
    struct xlate_context *old = f->verdict.context;
    f->verdict.context = NULL;
    int64_t heard_ns = f->now_ns;

    f->now_ns += SECOND_NS;
    reason(f, 2, FROM_BOB);
    learn_now(f);
    assert_string_equal(actions(f, 1, TO_BOB), "2");
    xlate_credit(old, 1, 100, heard_ns);
    learn_now(f);
    assert_string_equal(actions(f, 1, TO_BOB), "2");

    f->now_ns += SECOND_NS;
    xlate_credit(old, 1, 100, f->now_ns); /* It is back. */
    learn_now(f);
    assert_string_equal(actions(f, 1, TO_BOB), "3");
    xlate_release(old);
}

static void late_count_brings_no_deleted_flow_back(void **state)
{
    struct fixture *f = *state;
    struct error error = ERROR_INIT;
    struct of_flow_mod del;

    flow(f, 0, "table=0,actions=learn(table=1,output:NXM_OF_IN_PORT[]),output:NXM_OF_IN_PORT[]");
    actions(f, 3, FROM_BOB);
    learn_now(f);
    int64_t heard_ns = f->now_ns;

    f->now_ns += SECOND_NS;
    assert_int_equal(of_flow_mod_parse("table=1", OFFC_DELETE, NULL, &del, &error), 0);
    rig_flow_mod(&f->rig, 0, &del, f->now_ns);
    of_flow_mod_fini(&del);
    xlate_credit(f->verdict.context, 1, 100, heard_ns);
    learn_now(f);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 1);

    f->now_ns += SECOND_NS;
    xlate_credit(f->verdict.context, 1, 100, f->now_ns);
    learn_now(f);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 2);
}

static void lessons_have_a_limit(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "table=0,actions=learn(table=1,limit=2,cookie=0x9,NXM_OF_IN_PORT[],"
         "result_dst=NXM_NX_REG0[0]),output:NXM_OF_IN_PORT[]");
    for (uint32_t port = 1; port <= 4; port++) {
        actions(f, port, FROM_BOB);
        learn_now(f);
    }
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 3);
    assert_int_equal(lessons_n_lost(f->rig.lessons[0]), 2);
}

static void what_nobody_teaches_goes(void **state)
{
    struct fixture *f = *state;
    struct of_flow_mod del;
    struct error error = ERROR_INIT;

    flow(f, 0, "priority=1,actions=learn(table=1,delete_learned,cookie=0x9,NXM_OF_IN_PORT[])");
    flow(f, 0, "priority=2,in_port=4,actions=clone(learn(table=1,delete_learned,cookie=0x9))");
    actions(f, 1, FROM_BOB);
    learn_now(f);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 3);

    flow(f, 0, "priority=1,actions=drop");
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 3);
    assert_int_equal(of_flow_mod_parse("in_port=4", OFFC_DELETE, NULL, &del, &error), 0);
    rig_flow_mod(&f->rig, 0, &del, f->now_ns);
    of_flow_mod_fini(&del);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 1);
}

static void fin_shortens_timeouts(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "tcp,idle_timeout=1000,actions=fin_timeout(idle_timeout=5),output:2");
    actions(f, 1, TCP);
    learn_now(f);
    f->now_ns += 10 * SECOND_NS;
    flow_tables_expire(f->rig.tables[0], f->now_ns);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 1);
    assert_int_equal(be16_host(f->verdict.mask.tcp_flags), 0x5);

    actions(f, 1, TCP ",tcp_flags(0x001)");
    learn_now(f);
    flow_tables_expire(f->rig.tables[0], f->now_ns);
    assert_int_equal(flow_tables_n_flows(f->rig.tables[0]), 0);
}

/* MPLS */

#define LABELLED ETH ",eth_type(0x8847),mpls(label=100,tc=0,ttl=3,bos=1)"
#define TWO_LABELS \
    ETH ",eth_type(0x8847),mpls(label=100/0xfffff,ttl=1,bos=0/1,label=200,tc=0,ttl=7,bos=1)"

static void first_label_is_made_of_the_ip_header(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "ip,actions=push_mpls:0x8847,set_field:100->mpls_label,output:2");
    flow(f, 0, "arp,actions=push_mpls:0x8848,output:2");
    assert_string_equal(actions(f, 1, TCP),
                        "push_mpls(label=100,tc=0,ttl=64,bos=1,eth_type=0x8847),2");
    assert_int_equal(f->verdict.mask.nw_ttl, UINT8_MAX);
    assert_true(f->verdict.cacheable);
    assert_string_equal(actions(f, 1, TAGGED(9)),
                        "push_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8848),2");
    assert_int_equal(f->verdict.actions.list[0].word, 1);
}

static void label_on_a_label_copies_it(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "mpls,actions=push_mpls:0x8847,output:2");
    assert_string_equal(actions(f, 1, LABELLED),
                        "push_mpls(label=100,tc=0,ttl=3,bos=0,eth_type=0x8847),2");
    assert_int_equal(f->verdict.mask.mpls_lse[0].raw, UINT32_MAX);
}

static void fourth_label_drops(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "actions=push_mpls:0x8847,push_mpls:0x8847,push_mpls:0x8847,output:2,"
         "push_mpls:0x8847,output:3");
    assert_int_equal(reason(f, 1, TCP), DROP_TOO_MANY_LABELS);
}

static void popped_frame_that_is_only_sent_may_be_cached(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "in_port=1,mpls,actions=pop_mpls:0x0800,output:2");
    flow(f, 0, "in_port=2,mpls,actions=pop_mpls:0x0800,resubmit(,1)");
    flow(f, 0, "in_port=3,mpls,actions=pop_mpls:0x8847,output:2");
    flow(f, 0, "table=1,priority=2,ip,nw_dst=10.0.0.0/8,actions=output:3");
    flow(f, 0, "table=1,priority=1,actions=output:4");
    assert_string_equal(actions(f, 1, LABELLED), "pop_mpls(eth_type=0x800),2");
    assert_true(f->verdict.cacheable);
    assert_string_equal(actions(f, 2, LABELLED), "pop_mpls(eth_type=0x800),4");
    assert_false(f->verdict.cacheable);
    assert_true(f->verdict.mask.nw_dst.raw == 0);
    assert_string_equal(actions(f, 3, TWO_LABELS), "pop_mpls(eth_type=0x8847),2");
    assert_true(f->verdict.cacheable);
}

static void labels_of_a_clone_stay_with_it(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "in_port=1,ip,actions=clone(push_mpls:0x8847,output:2),output:3");
    flow(f, 0, "in_port=2,ip,actions=output:5,output:4");
    flow(f, 1, "actions=push_mpls:0x8847,output:1");
    assert_string_equal(actions(f, 1, TCP),
                        "clone(push_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8847),2),3");
    assert_string_equal(actions(f, 2, TCP),
                        "clone(push_mpls(label=0,tc=0,ttl=64,bos=1,eth_type=0x8847),5),4");
}

static void label_whose_ttl_is_used_up_ends_the_list(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "in_port=1,mpls,actions=dec_mpls_ttl,dec_mpls_ttl,output:2,dec_mpls_ttl,output:3");
    flow(f, 0, "in_port=2,actions=dec_mpls_ttl,output:2");
    assert_string_equal(actions(f, 1, LABELLED),
                        "set(mpls(label=0/0x0,tc=0/0,ttl=1/0xff,bos=0/0)),2,userspace(0)");
    assert_int_equal(reason(f, 2, TCP), DROP_BAD_TTL);
}

static void labels_have_their_place_in_the_action_set(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "mpls,actions=write_actions(output:2,set_mpls_label:7,push_mpls:0x8847,"
         "pop_mpls:0x8847)");
    assert_string_equal(actions(f, 1, TWO_LABELS),
                        "pop_mpls(eth_type=0x8847),"
                        "push_mpls(label=7,tc=0,ttl=7,bos=0,eth_type=0x8847),2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stack_carries_bits_from_field_to_field),
        TEST(endless_stack_drops),
        TEST(clone_leaves_no_trace),
        TEST(clones_in_clones_end),
        TEST(exit_ends_every_list_of_the_bridge),
        TEST(output_goes_where_a_register_says),
        TEST(both_directions_take_the_same_way),
        TEST(ways_share_the_load),
        TEST(bundles_avoid_members_that_are_down),
        TEST(lengths_are_looked_at_frame_by_frame),
        TEST(conjunction_wants_each_clause),
        TEST(clauses_count_only_at_one_priority),
        TEST(frame_teaches_the_way_back),
        TEST(trace_teaches_nothing),
        TEST(used_lesson_stays_learned),
        TEST(late_count_does_not_move_a_station_back),
        TEST(late_count_brings_no_deleted_flow_back),
        TEST(lessons_have_a_limit),
        TEST(what_nobody_teaches_goes),
        TEST(fin_shortens_timeouts),
        TEST(first_label_is_made_of_the_ip_header),
        TEST(label_on_a_label_copies_it),
        TEST(fourth_label_drops),
        TEST(popped_frame_that_is_only_sent_may_be_cached),
        TEST(labels_of_a_clone_stay_with_it),
        TEST(label_whose_ttl_is_used_up_ends_the_list),
        TEST(labels_have_their_place_in_the_action_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
