/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/trace.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "tests/generate/rig.h"

static struct rig rig;

static void no_output(void *aux, int bridge, int port, const struct packet *packet)
{
    (void)aux;
    (void)bridge;
    (void)port;
    (void)packet;
}

static int set_up(void **state)
{
    const struct rig_settings settings = {.vlan_limit = 1};
    const struct rig_options options = {.cache_off = true, .output = no_output};

    (void)state;
    rcu_register_thread();
    rig_init(&rig, &settings, &options);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_fini(&rig);
    rcu_unregister_thread();
    return 0;
}

static void flow(int bridge, const char *text)
{
    struct error error = ERROR_INIT;
    struct of_flow_mod mod;

    if (of_flow_mod_parse(text, OFFC_ADD, NULL, &mod, &error))
        fail_msg("%s", error.message);
    rig_flow_mod(&rig, bridge, &mod, SECOND_NS);
    of_flow_mod_fini(&mod);
}

static void assert_trace(const struct trace_request *request, const char *expected)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;

    if (trace_flow(rig.topology, request, &text, &error))
        fail_msg("%s", error.message);
    assert_string_equal(buffer_text(&text), expected);
    buffer_fini(&text);
}

static void each_step_is_a_line(void **state)
{
    (void)state;
    flow(0, "table=0,priority=5,ip,actions=dec_ttl,resubmit(,1),output:3");
    flow(0, "table=1,cookie=0x77,ip,nw_dst=10.0.0.0/8,actions=output:5");
    assert_trace(&(struct trace_request){.bridge = "br0",
                                         .flow_text = "in_port=1,tcp,nw_dst=10.1.2.3,nw_ttl=9"},
                 "Flow: tcp,in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,"
                 "dl_dst=00:00:00:00:00:00,nw_src=0.0.0.0,nw_dst=10.1.2.3,nw_tos=0,nw_ecn=0,"
                 "nw_ttl=9,nw_frag=no,tp_src=0,tp_dst=0,tcp_flags=0\n"
                 "\n"
                 "bridge(\"br0\")\n"
                 "-------------\n"
                 " 0. ip, priority 5\n"
                 "    dec_ttl\n"
                 "    resubmit(,1)\n"
                 "     1. ip,nw_dst=10.0.0.0/8, priority 32768, cookie 0x77\n"
                 "            output:5\n"
                 "\n"
                 "        bridge(\"br1\")\n"
                 "        -------------\n"
                 "         0. No match.\n"
                 "            drop\n"
                 "    output:3\n"
                 "\n"
                 "Final flow: tcp,in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,"
                 "dl_dst=00:00:00:00:00:00,nw_src=0.0.0.0,nw_dst=10.1.2.3,nw_tos=0,nw_ecn=0,"
                 "nw_ttl=8,nw_frag=no,tp_src=0,tp_dst=0,tcp_flags=0\n"
                 "Rewritten: nw_ttl 9 to 8\n"
                 "Megaflow: recirc_id=0,eth,ip,in_port=1,nw_dst=10.0.0.0/8,nw_ttl=9,nw_frag=no\n"
                 "Datapath actions: set(ipv4(ttl=8)),3\n");
}

static void datapath_flow_finds_its_bridge(void **state)
{
    (void)state;
    flow(1, "actions=drop");
    assert_trace(&(struct trace_request){.flow_text = "in_port(6),eth_type(0x1234)"},
                 "Flow: in_port=2,vlan_tci=0x0000,dl_src=00:00:00:00:00:00,"
                 "dl_dst=00:00:00:00:00:00,dl_type=0x1234\n"
                 "\n"
                 "bridge(\"br1\")\n"
                 "-------------\n"
                 " 0. priority 32768\n"
                 "    drop\n"
                 "\n"
                 "Final flow: unchanged\n"
                 "Dropped: by_flow (the matching flow has no output)\n"
                 "Megaflow: recirc_id=0,eth,in_port=2,dl_type=0x1234\n"
                 "Datapath actions: drop\n");
}

static void tracing_learns_only_if_asked_to(void **state)
{
    static const uint8_t frame[60] = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x12, 0x34};
    struct trace_request request = {
        .bridge = "br0",
        .flow_text = "in_port=1",
        .packet = frame,
        .packet_bytes = sizeof frame,
    };
    struct mac mac = {{0x02, 0, 0, 0, 0, 1}};
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;

    (void)state;
    flow(0, "actions=normal");
    assert_int_equal(trace_flow(rig.topology, &request, &text, &error), 0);
    assert_int_equal(fdb_lookup(rig.fdb[0], 0, mac), OFPP_NONE);
    assert_non_null(strstr(buffer_text(&text), "no learned MAC for destination, flooding"));
    request.learns = true;
    assert_int_equal(trace_flow(rig.topology, &request, &text, &error), 0);
    assert_int_equal(fdb_lookup(rig.fdb[0], 0, mac), 1);
    buffer_fini(&text);
}

/* The text of a trace, or the sentence that explains why there is none; the caller frees it. */
static char *trace_words(const char *bridge, const char *flow_text, const char *actions)
{
    const struct trace_request request = {
        .bridge = bridge, .flow_text = flow_text, .actions = actions};
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;

    if (trace_flow(rig.topology, &request, &text, &error))
        buffer_puts(&text, error.message);
    return buffer_take_text(&text);
}

static void assert_says(const char *bridge, const char *flow_text, const char *actions,
                        const char *line)
{
    char *text = trace_words(bridge, flow_text, actions);

    if (!strstr(text, line))
        fail_msg("no \"%s\" in:\n%s", line, text);
    free(text);
}

static void winner_names_those_it_beats(void **state)
{
    (void)state;
    flow(0, "priority=9,tcp,actions=drop");
    flow(0, "priority=7,ip,actions=drop");
    flow(0, "priority=5,in_port=1,actions=drop");
    flow(0, "priority=3,udp,actions=drop");
    assert_says("br0", "in_port=1,tcp", NULL,
                " 0. tcp, priority 9\n"
                "     # priority 9; 2 others match lower, the next by priority 7: ip\n"
                "    drop\n");
    assert_says("br0", "in_port=2,arp", NULL, " 0. No match.\n    drop\n");
    flow(0, "priority=9,in_port=1,actions=output:2");
    assert_says("br0", "in_port=1,tcp", NULL,
                "(of the same priority: which one wins is not defined)");
}

static void conjunction_is_told_clause_by_clause(void **state)
{
    (void)state;
    flow(0, "priority=9,conj_id=4,ip,actions=output:2");
    flow(0, "priority=9,ip,nw_src=10.0.0.1,actions=conjunction(4,1/2)");
    flow(0, "priority=9,ip,nw_dst=10.0.0.2,actions=conjunction(4,2/2)");
    flow(0, "priority=1,actions=output:3");
    assert_says("br0", "in_port=1,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2", NULL,
                " 0. conj_id=4,ip, priority 9\n"
                "     # conjunction 4, clause 1 of 2: priority 9: ip,nw_src=10.0.0.1\n"
                "     # conjunction 4, clause 2 of 2: priority 9: ip,nw_dst=10.0.0.2\n"
                "     # priority 9; 1 other matches lower, the next by priority 1: every frame\n"
                "    output:2\n");
    assert_says("br0", "in_port=1,ip,nw_src=10.0.0.1", NULL,
                " 0. priority 1\n"
                "     # conjunction 4, clause 1 of 2: priority 9: ip,nw_src=10.0.0.1\n"
                "     # conjunction 4, clause 2 of 2: no rule matches\n"
                "    output:3\n");
}

static void failed_translation_says_so_last(void **state)
{
    static const char end[] = "Datapath actions: drop\n"
                              "Translation failed (Recursion too deep), packet is dropped.\n";
    char *text;

    (void)state;
    flow(0, "actions=resubmit(,0)");
    text = trace_words("br0", "in_port=1", NULL);
    assert_non_null(strstr(text, ">>>> over max translation depth 64 <<<<\n"));
    assert_string_equal(text + strlen(text) - strlen(end), end);
    free(text);
}

static void endless_trace_is_cut(void **state)
{
    const struct trace_request request = {.bridge = "br0", .flow_text = "in_port=1"};
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;

    (void)state;
    for (int i = 0; i < 15; i++) { /* 2^15 lookups, but for the limit. */
        buffer_clear(&text);
        buffer_printf(&text, "table=%d,actions=resubmit(,%d),resubmit(,%d),note:01,note:02,note:03",
                      i, i + 1, i + 1);
        for (int note = 0; note < 20; note++)
            buffer_puts(&text, ",note:04");
        flow(0, buffer_text(&text));
    }
    buffer_clear(&text);
    assert_int_equal(trace_flow(rig.topology, &request, &text, &error), 0);
    assert_non_null(strstr(buffer_text(&text), " # there are more steps, which are left out\n"));
    assert_non_null(strstr(buffer_text(&text), "(Too many resubmits)"));
    buffer_fini(&text);
}

static void packet_out_is_traced(void **state)
{
    (void)state;
    flow(0, "table=1,tcp,actions=output:3");
    assert_says("br0", "in_port=1,tcp", "mod_nw_ttl:5,resubmit(,1)",
                "\n"
                "bridge(\"br0\")\n"
                "-------------\n"
                "    mod_nw_ttl:5\n"
                "    resubmit(,1)\n"
                " 1. tcp, priority 32768\n"
                "    output:3\n");
    assert_says("br0", "in_port=1,tcp", "goto_table:1", "goto_table instruction not allowed here");
    assert_says("br0", "in_port=1,tcp", "frobnicate", "frobnicate");
    assert_says("br0", "in_port=1", "set_field:1->tcp_dst", "OFPBAC_MATCH_INCONSISTENT");
}

/* The step that 'path' leads to, each number being an index. */
static json_t *step_at(json_t *trace, const size_t *path, size_t n)
{
    json_t *step = trace;

    for (size_t i = 0; i < n; i++)
        step = json_array_get(json_object_get(step, "steps"), path[i]);
    return step;
}

static const char *text_of(json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void json_has_the_same_tree(void **state)
{
    const struct trace_request request = {.bridge = "br0", .flow_text = "in_port=1,tcp,nw_ttl=9"};
    struct error error = ERROR_INIT;
    json_t *trace, *table, *change;

    (void)state;
    flow(0, "table=0,priority=5,cookie=0x12,ip,actions=dec_ttl,resubmit(,1)");
    flow(0, "table=0,priority=3,actions=drop");
    flow(0, "table=1,actions=output:5");
    trace = trace_flow_json(rig.topology, &request, &error);
    assert_non_null(trace);
    assert_string_equal(text_of(trace, "bridge"), "br0");
    assert_string_equal(text_of(trace, "datapath_actions"), "drop");
    assert_string_equal(text_of(json_object_get(trace, "dropped"), "reason"), "table_miss");
    assert_true(json_is_null(json_object_get(trace, "failed")));
    assert_true(json_is_null(json_object_get(trace, "served_by")));

    change = json_array_get(json_object_get(trace, "rewritten"), 0);
    assert_string_equal(text_of(change, "field"), "nw_ttl");
    assert_string_equal(text_of(change, "from"), "9");
    assert_string_equal(text_of(change, "to"), "8");

    table = step_at(trace, (const size_t[]){0, 0}, 2);
    assert_string_equal(text_of(table, "type"), "table");
    assert_int_equal(json_integer_value(json_object_get(table, "table")), 0);
    assert_string_equal(text_of(json_object_get(table, "rule"), "match"), "ip");
    assert_string_equal(text_of(json_object_get(table, "rule"), "cookie"), "0x12");
    assert_int_equal(json_integer_value(json_object_get(table, "others")), 1);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(table, "next"), "priority")), 3);

    /* note, dec_ttl, resubmit, table 1, in it output and the other bridge. */
    assert_string_equal(text_of(step_at(trace, (const size_t[]){0, 0, 2}, 3), "text"),
                        "resubmit(,1)");
    table = step_at(trace, (const size_t[]){0, 0, 3, 1, 0}, 5);
    assert_string_equal(text_of(table, "text"), "0. No match.");
    assert_true(json_is_null(json_object_get(table, "rule")));
    json_decref(trace);
}

static void wrong_requests_are_explained(void **state)
{
    static const struct {
        const char *bridge, *flow, *sentence;
    } cases[] = {
        {"br9", "in_port=1", "br9: unknown bridge"},
        {NULL, "in_port(77)", "no OpenFlow port for datapath port 77"},
        {NULL, "in_port(x)", "datapath flow: bad value \"x\""},
        {NULL, "port(1)", "datapath flow: unknown field \"port\""},
        {NULL, "eth(src=1)", "datapath flow: bad value \"1\""},
        {NULL, "in_port(1),encap(eth_type(0x0800)", "datapath flow: missing ')' of \"encap(\""},
    };
    struct buffer text = BUFFER_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct trace_request request = {.bridge = cases[i].bridge,
                                              .flow_text = cases[i].flow};
        struct error error = ERROR_INIT;

        assert_true(trace_flow(rig.topology, &request, &text, &error) < 0);
        assert_string_equal(error.message, cases[i].sentence);
    }
    assert_int_equal(text.size, 0);
    buffer_fini(&text);
}

static void datapath_flow_is_parsed(void **state)
{
    struct flow_key key;
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(
        trace_parse_dp_flow("recirc_id(0),in_port(3),packet_type(ns=0,id=0),"
                            "eth(src=02:00:00:00:00:01/ff:ff:ff:ff:ff:ff,dst=02:00:00:00:00:02),"
                            "eth_type(0x8100),vlan(vid=10,pcp=3),encap(eth_type(0x86dd),"
                            "ipv6(src=fe80::1,dst=fe80::2,proto=58,hlimit=255,frag=no),"
                            "icmpv6(type=135,code=0),nd(target=fe80::2,sll=02:00:00:00:00:01),"
                            "nd_ext(nd_reserved=0x20000000,nd_options_type=1))",
                            NULL, &key, &error),
        0);
    assert_int_equal(be32_host(key.in_port), 3);
    assert_int_equal(key.eth_dst.bytes[5], 2);
    assert_int_equal(be16_host(key.vlan[0].tpid), 0x8100);
    assert_int_equal(be16_host(key.vlan[0].tci), 0x700a);
    assert_int_equal(be16_host(key.eth_type), ETH_TYPE_IPV6);
    assert_int_equal(key.ipv6_dst.bytes[15], 2);
    assert_int_equal(key.nw_ttl, 255);
    assert_int_equal(be16_host(key.tp_src), 135);
    assert_int_equal(key.nd_target.bytes[0], 0xfe);
    assert_int_equal(key.arp_sha.bytes[5], 1);
    assert_int_equal(be32_host(key.nd_reserved), 0x20000000);
    assert_int_equal(key.nd_options_type, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_step_is_a_line),
        TEST(datapath_flow_finds_its_bridge),
        TEST(tracing_learns_only_if_asked_to),
        TEST(winner_names_those_it_beats),
        TEST(conjunction_is_told_clause_by_clause),
        TEST(failed_translation_says_so_last),
        TEST(endless_trace_is_cut),
        TEST(packet_out_is_traced),
        TEST(json_has_the_same_tree),
        TEST(wrong_requests_are_explained),
        TEST(datapath_flow_is_parsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
