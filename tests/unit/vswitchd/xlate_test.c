/* SPDX-License-Identifier: Apache-2.0 */

/* Tables, OpenFlow's own actions, NORMAL and masks; xlate_actions_test.c has Nicira's actions. */

#include "tests/unit/vswitchd/xlate_fixture.h"

/* Tables */

static void empty_tables_drop(void **state)
{
    assert_int_equal(reason(*state, 1, TCP), DROP_TABLE_MISS);
}

static void unknown_port_drops(void **state)
{
    assert_int_equal(reason(*state, 99, TCP), DROP_NO_BRIDGE);
}

static void output_goes_to_the_datapath_port(void **state)
{
    struct fixture *f = *state;

    flow(f, 1, "in_port=1,actions=output:3");
    assert_string_equal(actions(f, 5, TCP), "7");
}

static void higher_priority_wins_and_narrows_the_mask(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "priority=1,actions=output:2");
    assert_string_equal(actions(f, 1, TCP), "2");
    assert_int_equal(be16_host(f->verdict.mask.tp_dst), 0);

    flow(f, 0, "priority=2,tcp,tp_dst=80,actions=output:3");
    assert_string_equal(actions(f, 1, TCP), "3");
    assert_int_equal(be16_host(f->verdict.mask.tp_dst), UINT16_MAX);
    assert_int_equal(f->verdict.mask.nw_proto, UINT8_MAX);
}

static void goto_and_resubmit_walk_on(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=resubmit(,7),output:2,goto_table:9");
    flow(f, 0, "table=7,actions=output:3");
    flow(f, 0, "table=9,actions=output:4");
    assert_string_equal(actions(f, 1, TCP), "3,2,4");
}

static void registers_carry_between_tables(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=load:7->NXM_NX_REG3[],write_metadata:0x10/0xf0,goto_table:1");
    flow(f, 0, "table=1,reg3=7,metadata=0x10,actions=output:2");
    assert_string_equal(actions(f, 1, TCP), "2");
}

static void resubmit_with_a_port_looks_up_that_port(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=resubmit(3,1)");
    flow(f, 0, "table=1,in_port=3,actions=in_port");
    assert_string_equal(actions(f, 1, TCP), "1");
}

static void endless_resubmit_drops(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=output:2,resubmit(,0)");
    assert_int_equal(reason(f, 1, TCP), DROP_RECURSION_TOO_DEEP);
}

static void explosion_of_resubmits_drops(void **state)
{
    struct fixture *f = *state;
    char text[128];

    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "table=%d,actions=resubmit(,%d),resubmit(,%d)", i, i + 1,
                 i + 1);
        flow(f, 0, text);
    }
    flow(f, 0, "table=20,actions=load:1->NXM_NX_REG0[]");
    assert_int_equal(reason(f, 1, TCP), DROP_TOO_MANY_RESUBMITS);
}

static void long_pipeline_is_not_deep(void **state)
{
    struct fixture *f = *state;
    char text[128];

    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "table=%d,actions=resubmit(,%d)", i, i + 1);
        flow(f, 0, text);
    }
    flow(f, 0, "table=200,actions=output:2");
    assert_string_equal(actions(f, 1, TCP), "2");
}

static void miss_goes_to_controllers_that_want_it(void **state)
{
    struct fixture *f = *state;

    f->settings.bridges[0].miss_goes_to_controller = true;
    assert_string_equal(actions(f, 1, TCP), "userspace(0)");
    assert_int_equal(reason(f, 5, TCP), DROP_TABLE_MISS);
}

/* Changes */

static void changes_are_made_before_the_output_that_follows(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "tcp,actions=output:2,mod_nw_dst:10.0.0.9,output:3,mod_dl_src:02:00:00:00:00:77");
    assert_string_equal(actions(f, 1, TCP), "2,set(ipv4(dst=10.0.0.9)),3");
    assert_int_equal(f->verdict.mask.nw_dst.raw, 0);
}

static void field_that_the_frame_lacks_is_not_set(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=mod_nw_dst:10.0.0.9,output:2");
    assert_string_equal(actions(f, 1, ARP), "2");
    assert_string_equal(actions(f, 1, TCP), "set(ipv4(dst=10.0.0.9)),2");
}

static void moved_bits_are_consulted(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "ip,actions=move:NXM_OF_IP_SRC[0..7]->NXM_OF_IP_DST[0..7],output:2");
    assert_string_equal(actions(f, 1, TCP), "set(ipv4(dst=0.0.0.1/0.0.0.255)),2");
    assert_int_equal(be32_host(f->verdict.mask.nw_src), 0xff);
    assert_int_equal(be32_host(f->verdict.mask.nw_dst), 0);
}

static void written_bits_are_known(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,ip,actions=mod_nw_src:1.2.3.4,resubmit(,1)");
    flow(f, 0, "table=1,ip,nw_src=1.2.3.4,actions=output:2");
    assert_string_equal(actions(f, 1, TCP), "set(ipv4(src=1.2.3.4)),2");
    assert_int_equal(f->verdict.mask.nw_src.raw, 0);
}

static void dec_ttl_ends_at_one(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "ip,actions=dec_ttl,output:2");
    assert_string_equal(actions(f, 1, IPV4), "set(ipv4(ttl=63)),2");
    assert_string_equal(
        actions(f, 1, ETH ",eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=1,ttl=1)"),
        "userspace(0)");
}

static void action_set_is_executed_last_and_in_order(void **state)
{
    struct fixture *f = *state;

    flow(f, 0,
         "table=0,ip,actions=output:4,write_actions(output:3,set_field:10.0.0.9->ip_dst),"
         "goto_table:1");
    flow(f, 0, "table=1,ip,actions=write_actions(output:2)");
    assert_string_equal(actions(f, 1, TCP), "4,set(ipv4(dst=10.0.0.9)),2");

    flow(f, 0, "table=1,ip,actions=clear_actions");
    assert_string_equal(actions(f, 1, TCP), "4");
}

/* Tags */

static void push_and_pop(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "in_port=1,actions=mod_vlan_vid:10,output:2,strip_vlan,output:3");
    flow(f, 0, "in_port=2,actions=strip_vlan,output:3");
    flow(f, 0, "in_port=3,actions=push_vlan:0x88a8,output:2");
    assert_string_equal(actions(f, 1, ARP), "push_vlan(vid=10,pcp=0),2,pop_vlan,3");
    assert_string_equal(actions(f, 1, TAGGED(20)), "set(vlan(vid=10)),2,pop_vlan,3");
    assert_string_equal(actions(f, 2, ARP), "3");
    assert_string_equal(actions(f, 2, TAGGED(20)), "pop_vlan,3");
    assert_string_equal(actions(f, 3, TAGGED(20)), "push_vlan(tpid=0x88a8,vid=0,pcp=0),2");
}

#define TWICE_TAGGED                                                                \
    ETH ",eth_type(0x88a8),vlan(vid=10),encap(eth_type(0x8100),vlan(vid=20),encap(" \
        "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,ttl=64)))"

static void tags_below_the_two_that_are_seen_come_back(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "table=0,actions=push_vlan:0x8100,resubmit(,1),output:2,pop_vlan,output:3");
    flow(f, 0, "table=1,actions=push_vlan:0x8100,output:4,pop_vlan");
    assert_string_equal(actions(f, 1, TWICE_TAGGED),
                        "push_vlan(vid=0,pcp=0),push_vlan(vid=0,pcp=0),4,pop_vlan,2,pop_vlan,3");
}

static void second_tag_hides_the_rest_when_one_is_the_limit(void **state)
{
    struct fixture *f = *state;

    f->settings.vlan_limit = 1;
    flow(f, 0, "priority=2,ip,actions=output:2");
    flow(f, 0, "priority=1,dl_type=0x8100,actions=output:3");
    assert_string_equal(actions(f, 1, TWICE_TAGGED), "3");
    assert_int_equal(be16_host(f->verdict.mask.vlan[1].tpid), UINT16_MAX);
}

/* Ports */

static void ingress_port_is_spared_unless_named(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "in_port=1,actions=output:1");
    flow(f, 0, "in_port=2,actions=in_port");
    flow(f, 0, "in_port=3,actions=all");
    assert_int_equal(reason(f, 1, TCP), DROP_OUTPUT_TO_NOWHERE);
    assert_string_equal(actions(f, 2, TCP), "2");
    assert_string_equal(actions(f, 3, TCP), "1,2,4");
}

static void port_settings_are_obeyed(void **state)
{
    struct fixture *f = *state;

    f->settings.bridges[0].ports[2].config = OFPPC_NO_FLOOD;
    f->settings.bridges[0].ports[3].config = OFPPC_NO_FWD;
    f->settings.bridges[0].ports[4].config = OFPPC_NO_RECV;
    flow(f, 0, "priority=1,actions=flood");
    flow(f, 0, "priority=2,arp,actions=all");
    assert_string_equal(actions(f, 1, TCP), "4");
    assert_string_equal(actions(f, 1, ARP), "2,4");
    assert_int_equal(reason(f, 4, TCP), DROP_PORT_NO_RECEIVE);
    assert_string_equal(actions(f, 4, "eth(dst=01:80:c2:00:00:00),eth_type(0x05ff)"), "1");
}

static void output_is_truncated(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=output(port=2,max_len=60),output:3");
    assert_string_equal(actions(f, 1, TCP), "trunc(60),2,3");
}

static void patch_leads_to_the_other_bridge_and_leaves_no_trace(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=load:1->NXM_NX_REG0[],output:5,output:2");
    flow(f, 1, "priority=2,in_port=5,reg0=0,actions=mod_dl_dst:02:00:00:00:00:99,output:1");
    assert_string_equal(actions(f, 1, TCP), "set(eth(dst=02:00:00:00:00:99)),5,"
                                            "set(eth(dst=00:00:00:00:00:02/00:00:00:00:00:ff)),2");
    xlate_credit(f->verdict.context, 3, 300, f->now_ns);
    assert_int_equal(f->rig.counters[0]->tx_packets, 3);
    assert_int_equal(f->rig.counters[1]->rx_bytes, 300);
    assert_int_equal(f->rig.counters[1]->tx_bytes, 0);
}

/* The context of a frame from 'dp_port', translated behind one whose verdict had 'last'. */
static void *context_behind(struct fixture *f, uint32_t dp_port, void *last)
{
    f->key.in_port = be32_from(dp_port);
    memset(&f->verdict, 0, sizeof f->verdict);
    f->verdict.cacheable = true;
    f->verdict.last = last;
    xlate_frame(f->rig.topology, &f->key, NULL, f->now_ns, NULL, &f->verdict);
    return f->verdict.context;
}

static void verdicts_that_credit_the_same_share_a_context(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=resubmit(,1)");
    flow(f, 0, "table=1,in_port=1,actions=output:2");
    flow(f, 0, "table=1,in_port=2,actions=output:2,output:5");
    take(f, 1, TCP, true);
    void *first = f->verdict.context, *other = context_behind(f, 2, first);
    assert_ptr_not_equal(other, first);
    assert_ptr_equal(context_behind(f, 2, other), other);
    xlate_release(other);
    xlate_credit(other, 3, 300, f->now_ns);
    assert_int_equal(f->rig.counters[0]->tx_packets, 3);
    xlate_release(other);

    assert_ptr_equal(context_behind(f, 1, first), first);
    xlate_release(first); /* The fixture releases the other one. */
}

/* A flood on a big bridge. */
static void thousand_outputs_are_sent_and_cached(void **state)
{
    struct fixture *f = *state;
    struct buffer text = BUFFER_INIT;

    buffer_puts(&text, "actions=");
    for (int i = 0; i < 500; i++)
        buffer_puts(&text, "output:2,output:3,");
    text.size--;
    flow(f, 0, buffer_text(&text));
    buffer_fini(&text);

    take(f, 1, TO_BOB, true);
    assert_int_equal(f->verdict.actions.n, 1000);
    assert_true(f->verdict.cacheable);
}

static void patch_loop_ends(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=output:5,in_port");
    flow(f, 1, "actions=in_port");
    assert_int_equal(reason(f, 1, TCP), DROP_RECURSION_TOO_DEEP);
}

static void fragments_show_no_ports_unless_asked_to(void **state)
{
    static const char first[] = ETH
        ",eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,ttl=64,frag=first),"
        "tcp(src=1000,dst=80)";
    struct fixture *f = *state;

    f->settings.bridges[1].frag_mode = OF_FRAG_NX_MATCH;
    for (int b = 0; b < RIG_BRIDGES; b++) {
        flow(f, b, "priority=2,tcp,tp_dst=80,actions=output:2");
        flow(f, b, "priority=1,actions=output:3");
    }
    assert_string_equal(actions(f, 1, first), "3");
    assert_string_equal(actions(f, 5, first), "6");
    assert_string_equal(actions(f, 1, TCP), "2");
}

/* NORMAL */

static void stations_are_learned(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=normal");
    assert_string_equal(actions(f, 1, TO_BOB), "2,3,4");
    assert_string_equal(actions(f, 3, FROM_BOB), "1");
    assert_string_equal(actions(f, 1, TO_BOB), "3");
    assert_int_equal(reason(f, 3, TO_BOB), DROP_OUTPUT_TO_NOWHERE);
}

static void looking_again_at_a_moved_station_is_not_cached(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=normal");
    actions(f, 1, TO_BOB);
    take(f, 1, TO_BOB, false);
    assert_true(f->verdict.cacheable);
    take(f, 2, TO_BOB, false);
    assert_false(f->verdict.cacheable);
}

static void used_verdict_keeps_its_station_young(void **state)
{
    struct fixture *f = *state;

    flow(f, 0, "actions=normal");
    actions(f, 1, TO_BOB);
    xlate_credit(f->verdict.context, 1, 60, f->now_ns + 200 * SECOND_NS);
    fdb_expire(f->rig.fdb[0], f->now_ns + 400 * SECOND_NS);
    assert_string_equal(actions(f, 3, FROM_BOB), "1");
}

static void vlans_are_kept_apart(void **state)
{
    struct fixture *f = *state;
    struct rig_port *ports = f->settings.bridges[0].ports;

    ports[1].vlan_mode = ports[2].vlan_mode = PORT_VLAN_ACCESS;
    ports[1].tag = ports[2].tag = 10;
    ports[4].vlan_mode = PORT_VLAN_ACCESS;
    ports[4].tag = 20;
    ports[RIG_PATCH].vlan_mode = PORT_VLAN_ACCESS;
    ports[RIG_PATCH].tag = 99;
    flow(f, 0, "actions=normal");
    assert_string_equal(actions(f, 1, ARP), "2,push_vlan(vid=10,pcp=0),3");
    assert_string_equal(actions(f, 3, TAGGED(20)), "pop_vlan,4");
    assert_int_equal(reason(f, 3, TAGGED(30)), DROP_OUTPUT_TO_NOWHERE);
    assert_int_equal(reason(f, 1, TAGGED(10)), DROP_VLAN_FILTERED);
}

static void native_vlan_travels_as_its_mode_says(void **state)
{
    struct fixture *f = *state;
    struct rig_port *ports = f->settings.bridges[0].ports;

    ports[2].vlan_mode = PORT_VLAN_NATIVE_TAGGED;
    ports[3].vlan_mode = PORT_VLAN_NATIVE_UNTAGGED;
    ports[2].tag = ports[3].tag = 20;
    ports[2].trunks = 1;
    flow(f, 0, "actions=normal");
    assert_string_equal(actions(f, 1, TAGGED(20)), "2,pop_vlan,3,push_vlan(vid=20,pcp=3),4");
    assert_string_equal(actions(f, 3, ARP), "push_vlan(vid=20,pcp=0),1,2,4");
    assert_int_equal(reason(f, 2, TAGGED(30)), DROP_VLAN_FILTERED);
}

static void link_protocols_stay_on_their_link(void **state)
{
    static const char bpdu[] = "eth(src=02:00:00:00:00:01,dst=01:80:c2:00:00:00),eth_type(0x05ff)";
    struct fixture *f = *state;

    f->settings.bridges[1].forwards_bpdu = true;
    flow(f, 0, "actions=normal");
    flow(f, 1, "actions=normal");
    assert_int_equal(reason(f, 1, bpdu), DROP_RESERVED_MULTICAST);
    assert_string_equal(actions(f, 5, bpdu), "6,7,8");
}

/* Masks */

static void mask_says_what_was_looked_at_and_no_more(void **state)
{
    struct flow_key expected;
    struct fixture *f = *state;

    flow(f, 0, "actions=output:2");
    take(f, 1, TCP, true);
    memset(&expected, 0, sizeof expected);
    expected.in_port.raw = expected.recirc_id.raw = UINT32_MAX;
    expected.eth_type.raw = UINT16_MAX;
    expected.nw_frag = NW_FRAG_ANY | NW_FRAG_LATER;
    assert_memory_equal(&f->verdict.mask, &expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_tables_drop),
        TEST(unknown_port_drops),
        TEST(output_goes_to_the_datapath_port),
        TEST(higher_priority_wins_and_narrows_the_mask),
        TEST(goto_and_resubmit_walk_on),
        TEST(registers_carry_between_tables),
        TEST(resubmit_with_a_port_looks_up_that_port),
        TEST(endless_resubmit_drops),
        TEST(explosion_of_resubmits_drops),
        TEST(long_pipeline_is_not_deep),
        TEST(miss_goes_to_controllers_that_want_it),
        TEST(changes_are_made_before_the_output_that_follows),
        TEST(field_that_the_frame_lacks_is_not_set),
        TEST(moved_bits_are_consulted),
        TEST(written_bits_are_known),
        TEST(dec_ttl_ends_at_one),
        TEST(action_set_is_executed_last_and_in_order),
        TEST(push_and_pop),
        TEST(tags_below_the_two_that_are_seen_come_back),
        TEST(second_tag_hides_the_rest_when_one_is_the_limit),
        TEST(ingress_port_is_spared_unless_named),
        TEST(port_settings_are_obeyed),
        TEST(output_is_truncated),
        TEST(patch_leads_to_the_other_bridge_and_leaves_no_trace),
        TEST(verdicts_that_credit_the_same_share_a_context),
        TEST(thousand_outputs_are_sent_and_cached),
        TEST(patch_loop_ends),
        TEST(fragments_show_no_ports_unless_asked_to),
        TEST(stations_are_learned),
        TEST(looking_again_at_a_moved_station_is_not_cached),
        TEST(used_verdict_keeps_its_station_young),
        TEST(vlans_are_kept_apart),
        TEST(native_vlan_travels_as_its_mode_says),
        TEST(link_protocols_stay_on_their_link),
        TEST(mask_says_what_was_looked_at_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
