/* SPDX-License-Identifier: Apache-2.0 */

/* Flow text, against what ovs-ofctl 3.1 prints for it.  openflow_flows/input has a flow a line;
 * of10, nxm, of13 and of15 have beside it what `ovs-ofctl -O OpenFlow10 parse-flow`, `-O OpenFlow10 -F
 * nxm`, `-O OpenFlow13` and `-O OpenFlow15` print behind "(xid=0x1): ", or "-" where that protocol cannot carry the
 * flow: clear_actions and write_actions, which ovs-ofctl loses on the way to 1.0, too. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/buffer.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/packet.h"

#define FLOWS_DIR WEIR_SOURCE_DIR "/tests/unit/lib/openflow_flows/"

static FILE *open_flows(const char *name)
{
    char path[512];

    snprintf(path, sizeof path, FLOWS_DIR "%s", name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s: cannot open", path);
    return file;
}

static bool read_line(FILE *file, char *line, size_t n_bytes)
{
    if (!fgets(line, (int)n_bytes, file))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

/* Encodes, decodes and prints. */
static char *through_wire(const struct of_flow_mod *flow, const struct of_protocol *protocol)
{
    struct buffer wire = BUFFER_INIT, text = BUFFER_INIT;
    struct of_message message;
    struct of_flow_mod again;

    of_flow_mod_init(&again);
    of_encode_flow_mod(flow, protocol, 1, &wire);
    assert_int_equal(of_frame_length(wire.data, wire.size), wire.size);
    assert_int_equal(of_decode_message(wire.data, wire.size, &message), OF_OK);
    assert_int_equal(message.kind, OF_FLOW_MOD);
    enum of_error error = of_decode_flow_mod(&message, protocol, OF_N_TABLES, &again);
    if (error)
        buffer_printf(&text, "%s", of_error_name(error));
    else
        of_flow_mod_format(&again, NULL, &text);
    of_flow_mod_fini(&again);
    buffer_fini(&wire);
    return buffer_take_text(&text);
}

/* False, and a message, if the flow is not printed as 'wanted'. */
static bool is_printed_as(const char *line, const char *wanted, const char *name,
                          struct of_protocol protocol)
{
    struct of_flow_mod flow;
    struct error error = ERROR_INIT;
    bool is_equal;

    if (of_flow_mod_parse(line, OFFC_ADD, NULL, &flow, &error)) {
        print_error("%s\n   refused: %s\n", line, error.message);
        return false;
    }
    if (!of_flow_mod_fits(&flow, &protocol))
        protocol.uses_nxm = true;
    bool fits = of_flow_mod_fits(&flow, &protocol);
    if (!strcmp(wanted, "-")) {
        is_equal = !fits;
        if (fits)
            print_error("%s: should not fit %s\n", line, name);
    } else {
        char *printed = through_wire(&flow, &protocol);
        is_equal = fits && !strcmp(printed, wanted);
        if (!is_equal)
            print_error("%s\n   input: %s\n     ovs: %s\n    weir: %s%s\n", name, line, wanted,
                        printed, fits ? "" : " (does not fit)");
        free(printed);
    }
    of_flow_mod_fini(&flow);
    return is_equal;
}

static void compare_with_ovs(const char *name, struct of_protocol protocol)
{
    FILE *input = open_flows("input"), *expected = open_flows(name);
    char line[4096], wanted[4096];
    size_t n_lines = 0, n_different = 0;

    while (read_line(input, line, sizeof line)) {
        assert_true(read_line(expected, wanted, sizeof wanted));
        n_lines++;
        n_different += !is_printed_as(line, wanted, name, protocol);
    }
    assert_int_equal(n_different, 0);
    assert_true(n_lines >= 1000);
    fclose(input);
    fclose(expected);
}

static void openflow10_prints_what_ovs_prints(void **state)
{
    (void)state;
    compare_with_ovs("of10", (struct of_protocol){.version = OF_1_0, .has_table_id = true});
}

static void nxm_prints_what_ovs_prints(void **state)
{
    (void)state;
    compare_with_ovs(
        "nxm", (struct of_protocol){.version = OF_1_0, .uses_nxm = true, .has_table_id = true});
}

static void openflow13_prints_what_ovs_prints(void **state)
{
    (void)state;
    compare_with_ovs("of13", (struct of_protocol){.version = OF_1_3});
}

static void openflow15_prints_what_ovs_prints(void **state)
{
    (void)state;
    compare_with_ovs("of15", (struct of_protocol){.version = OF_1_5});
}

static void what_is_printed_parses_to_the_same_flow(void **state)
{
    FILE *input = open_flows("input");
    char line[4096];

    (void)state;
    while (read_line(input, line, sizeof line)) {
        struct buffer text = BUFFER_INIT, again_text = BUFFER_INIT;
        struct of_flow_mod flow, again;
        struct error error = ERROR_INIT;

        assert_int_equal(of_flow_mod_parse(line, OFFC_ADD, NULL, &flow, NULL), 0);
        of_match_format_priority(&flow.match, flow.priority, NULL, &text);
        buffer_puts(&text, " actions=");
        of_actions_format(of_flow_mod_actions(&flow), NULL, &text);
        if (of_flow_mod_parse(buffer_text(&text), OFFC_ADD, NULL, &again, &error))
            fail_msg("%s: %s", buffer_text(&text), error.message);
        if (!match_is_equal(&flow.match, &again.match))
            fail_msg("%s: %s", line, buffer_text(&text));
        assert_int_equal(flow.priority, again.priority);
        of_match_format_priority(&again.match, again.priority, NULL, &again_text);
        buffer_puts(&again_text, " actions=");
        of_actions_format(of_flow_mod_actions(&again), NULL, &again_text);
        assert_string_equal(buffer_text(&text), buffer_text(&again_text));
        of_flow_mod_fini(&flow);
        of_flow_mod_fini(&again);
        buffer_fini(&text);
        buffer_fini(&again_text);
    }
    fclose(input);
}

static void wrong_flows_get_an_error_that_names_the_word(void **state)
{
    static const struct {
        const char *flow, *word;
    } cases[] = {
        {"foo=1,actions=1", "foo"},
        {"foo,actions=1", "foo"},
        {"ip", "actions"},
        {"nw_src=1.2.3.4,actions=1", "nw_src"},
        {"tcp,nw_src=1.2.3,actions=1", "1.2.3"},
        {"tcp,nw_src=1.2.3.4/33,actions=1", "33"},
        {"ip,tp_dst=80,actions=1", "tp_dst"},
        {"udp,tcp_dst=80,actions=1", "tcp_dst"},
        {"tcp,tp_dst=http,actions=1", "http"},
        {"tcp,tp_dst=65536,actions=1", "65536"},
        {"tcp,udp,actions=1", "udp"},
        {"arp,ip,actions=1", "ip"},
        {"nd_target=::1,actions=1", "nd_target"},
        {"icmp6,icmp_type=136,nd_sll=00:00:00:00:00:01,actions=1", "nd_sll"},
        {"priority=65536,actions=1", "65536"},
        {"priority=,actions=1", "priority"},
        {"priority,actions=1", "priority"},
        {"table=256,actions=1", "256"},
        {"cookie=x,actions=1", "cookie=x"},
        {"cookie=1/2,actions=1", "cookie=1/2"},
        {"idle_timeout=70000,actions=1", "70000"},
        {"out_port=1,actions=1", "out_port"},
        {"dl_vlan=4096,actions=1", "4096"},
        {"dl_vlan_pcp=8,actions=1", "dl_vlan_pcp=8"},
        {"dl_src=00:11:22:33:44,actions=1", "00:11:22:33:44"},
        {"ip,nw_tos=1,actions=1", "nw_tos=1"},
        {"ip,nw_ttl=256,actions=1", "256"},
        {"ip,nw_ttl=1/2,actions=1", "nw_ttl"},
        {"tcp,tcp_flags=+foo,actions=1", "+foo"},
        {"ip,ip_frag=sometimes,actions=1", "sometimes"},
        {"in_port=veth9,actions=1", "veth9"},
        {"in_port=70000,actions=1", "70000"},
        {"reg16=1,actions=1", "reg16"},
        {"reg0=0x100000000,actions=1", "reg0"},
        {"actions=foo", "foo"},
        {"actions=foo:1", "foo"},
        {"actions=output:foo", "foo"},
        {"actions=output:", "output"},
        {"actions=65280", "65280"},
        {"actions=ANY", "ANY"},
        {"actions=drop,1", "drop"},
        {"actions=output(port=1)", "max_len"},
        {"actions=output(port=1,max_len=13)", "13"},
        {"actions=output(prt=1,max_len=99)", "prt"},
        {"actions=resubmit(,)", "resubmit"},
        {"actions=resubmit(,256)", "256"},
        {"actions=resubmit(,1,ct)", "ct"},
        {"actions=resubmit(,1", "brackets"},
        {"actions=controller(reason=why)", "why"},
        {"actions=controller(userdata=0.1)", "userdata"},
        {"actions=controller(user=01)", "user"},
        {"actions=mod_vlan_vid:4096", "4096"},
        {"actions=mod_vlan_pcp:8", "8"},
        {"actions=mod_nw_tos:3", "mod_nw_tos"},
        {"actions=mod_dl_src:1", "mod_dl_src"},
        {"actions=push_vlan:0x800", "0x800"},
        {"actions=strip_vlan:5", "5"},
        {"actions=set_field:1->foo", "foo"},
        {"actions=set_field:1", "set_field"},
        {"actions=set_field:x->reg0", "x"},
        {"actions=set_field:1->eth_type", "eth_type"},
        {"actions=set_field:1.2.3.4->ip_src", "ip_src"},
        {"ip,actions=set_field:80->tcp_dst", "tcp_dst"},
        {"tcp,ip_frag=later,actions=set_field:80->tcp_dst", "tcp_dst"},
        {"actions=load:0x100->NXM_NX_REG0[0..7]", "0x100"},
        {"actions=load:1->NXM_NX_REG0[32]", "NXM_NX_REG0[32]"},
        {"actions=load:1->NXM_NX_REG0[5..4]", "NXM_NX_REG0[5..4]"},
        {"actions=move:reg0->reg1[0..3]", "reg1[0..3]"},
        {"actions=move:NXM_OF_IP_SRC[]->reg1", "NXM_OF_IP_SRC"},
        {"actions=goto_table:255", "255"},
        {"table=5,actions=goto_table:5", "goto_table:5"},
        {"actions=goto_table:1,2", "2"},
        {"actions=goto_table:1,goto_table:2", "goto_table"},
        {"actions=write_actions(1),clear_actions", "clear_actions"},
        {"actions=write_actions(goto_table:1)", "goto_table"},
        {"actions=write_actions(controller(id=1))", "controller"},
        {"actions=write_actions", "write_actions"},
        {"actions=group:4294967041", "group"},
        {"actions=group", "group"},
        {"actions=meter:0", "meter"},
        {"actions=output:1,meter:1", "meter"},
        {"actions=write_actions(meter:1)", "meter"},
        {"actions=learn(table=255)", "table=255"},
        {"actions=learn(foo)", "foo"},
        {"actions=learn(load:5->eth_type)", "SET_ARGUMENT"},
        {"actions=learn(output:5)", "5"},
        {"actions=learn(load:reg1[0..3]->reg0)", "4 bits do not fit 32"},
        {"actions=learn(result_dst=reg0[1..2])", "result_dst"},
        {"actions=learn(NXM_OF_TCP_SRC[])", "match"},
        {"actions=learn(limit=x)", "limit=x"},
        {"actions=multipath(eth_src,0,hrw,4,0)", "multipath"},
        {"actions=multipath(eth_src,0,hrw,17,0,reg0[0..3])", "17"},
        {"actions=multipath(eth_src,0,hrw,0,0,reg0)", "link"},
        {"actions=multipath(foo,0,hrw,1,0,reg0)", "foo"},
        {"actions=bundle(eth_src,0,hrw,foo,members:1)", "foo"},
        {"actions=bundle(eth_src,0,hrw,ofport,xx:1)", "xx"},
        {"actions=bundle(eth_src,0,hrw,ofport,members:CONTROLLER)", "port"},
        {"actions=bundle_load(eth_src,0,hrw,ofport,reg0[0..7],members:1)", "16 bits"},
        {"actions=note:zz", "zz"},
        {"actions=note:0", "note:0"},
        {"actions=push:foo", "foo"},
        {"actions=push:tcp_src", "match"},
        {"tcp,actions=pop:tcp_flags", "tcp_flags"},
        {"actions=enqueue:1", "enqueue"},
        {"actions=set_queue:x", "set_queue"},
        {"actions=clone(foo)", "foo"},
        {"actions=clone(goto_table:5)", "goto_table"},
        {"actions=clone:5", "clone"},
        {"actions=output:1->reg0", "1->reg0"},
        {"actions=clone(1)->reg0", "nothing may follow"},
        {"actions=check_pkt_larger(5)", "check_pkt_larger"},
        {"actions=check_pkt_larger(1000)->reg0[2..3]", "reg0[2..3]"},
        {"actions=conjunction(1,3/2)", "clause"},
        {"actions=conjunction(1,1/1)", "clauses"},
        {"actions=conjunction(x,1/2)", "x"},
        {"actions=conjunction(1,1/2),output:1", "CONJUNCTION"},
        {"tcp,actions=fin_timeout(x=5)", "fin_timeout"},
        {"actions=dec_ttl(x)", "x"},
        {"actions=exit:4", "4"},
        {"actions=write_actions(learn())", "action"},
        {"actions=ct(commit)", "ct"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct of_flow_mod flow;
        struct error error = ERROR_INIT;

        if (!of_flow_mod_parse(cases[i].flow, OFFC_ADD, NULL, &flow, &error))
            fail_msg("%s: accepted", cases[i].flow);
        of_flow_mod_fini(&flow);
        assert_true(error.code < 0);
        if (!strstr(error.message, cases[i].word))
            fail_msg("%s: %s", cases[i].flow, error.message);
    }
}

static void deletes_select_flows_and_have_no_actions(void **state)
{
    struct of_flow_mod flow;
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(of_flow_mod_parse("table=3,cookie=0x10/0xf0,out_port=5,tcp", OFFC_DELETE, NULL,
                                       &flow, &error),
                     0);
    assert_int_equal(flow.table_id, 3);
    assert_int_equal(flow.out_port, 5);
    assert_int_equal(be64_host(flow.cookie), 0x10);
    assert_int_equal(be64_host(flow.cookie_mask), 0xf0);
    of_flow_mod_fini(&flow);

    static const struct {
        enum of_flow_command command;
        const char *flow, *word;
    } wrong[] = {
        {OFFC_DELETE, "ip,actions=1", "actions"},
        {OFFC_DELETE, "priority=5", "priority"},
        {OFFC_DELETE, "cookie=5", "cookie=5/-1"},
        {OFFC_DELETE, "idle_timeout=5", "idle_timeout"},
        {OFFC_DELETE, "send_flow_rem", "send_flow_rem"},
        {OFFC_DELETE_STRICT, "out_port=x", "x"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        error = (struct error)ERROR_INIT;
        assert_int_not_equal(
            of_flow_mod_parse(wrong[i].flow, wrong[i].command, NULL, &flow, &error), 0);
        of_flow_mod_fini(&flow);
        assert_non_null(strstr(error.message, wrong[i].word));
    }
    assert_int_equal(
        of_flow_mod_parse("priority=5,cookie=5/-1", OFFC_DELETE_STRICT, NULL, &flow, NULL), 0);
    assert_int_equal(flow.priority, 5);
    of_flow_mod_fini(&flow);
}

static void modifies_change_a_cookie_only_if_told_to(void **state)
{
    struct of_flow_mod flow;

    (void)state;
    assert_int_equal(of_flow_mod_parse("actions=1", OFFC_MODIFY, NULL, &flow, NULL), 0);
    assert_false(flow.modify_cookie);
    assert_int_equal(flow.new_cookie.raw, 0);
    of_flow_mod_fini(&flow);
    assert_int_equal(of_flow_mod_parse("cookie=7,actions=1", OFFC_MODIFY, NULL, &flow, NULL), 0);
    assert_true(flow.modify_cookie);
    assert_int_equal(be64_host(flow.new_cookie), 7);
    of_flow_mod_fini(&flow);
}

static bool find_port(void *aux, const char *name, of_port *port)
{
    (void)aux;
    *port = 7;
    return !strcmp(name, "veth0");
}

static const char *port_name(void *aux, of_port port)
{
    (void)aux;
    return port == 7 ? "veth0" : port == 8 ? "a b" : NULL;
}

static void ports_have_names(void **state)
{
    struct of_names names = {.find_port = find_port, .port_name = port_name};
    struct of_flow_mod flow;
    struct buffer text = BUFFER_INIT;

    (void)state;
    assert_int_equal(of_flow_mod_parse("in_port=veth0,actions=veth0,output:veth0,resubmit(veth0,1),"
                                       "output:8,output:9,local",
                                       OFFC_ADD, &names, &flow, NULL),
                     0);
    of_match_format(&flow.match, &names, &text);
    buffer_putc(&text, ' ');
    of_actions_format(of_flow_mod_actions(&flow), &names, &text);
    assert_string_equal(buffer_text(&text),
                        "in_port=veth0 output:veth0,output:veth0,resubmit(veth0,1),"
                        "output:\"a b\",output:9,LOCAL");
    of_flow_mod_fini(&flow);
    buffer_fini(&text);
}

static bool find_table(void *aux, const char *name, uint8_t *table)
{
    (void)aux;
    *table = 3;
    return !strcmp(name, "acl");
}

static const char *table_name(void *aux, uint8_t table)
{
    (void)aux;
    return table == 3 ? "acl" : table == 4 ? "1st" : NULL;
}

static void tables_have_names(void **state)
{
    struct of_names names = {.find_table = find_table, .table_name = table_name};
    struct of_flow_mod flow;
    struct buffer text = BUFFER_INIT;

    (void)state;
    assert_int_equal(of_flow_mod_parse("table=\"acl\",actions=resubmit(,acl),learn(table=acl),"
                                       "resubmit(,4),goto_table:acl",
                                       OFFC_ADD, &names, &flow, NULL),
                     -EINVAL); /* Only later tables can follow. */
    of_flow_mod_fini(&flow);
    assert_int_equal(of_flow_mod_parse("table=acl,actions=resubmit(,acl),learn(table=acl),"
                                       "resubmit(,4),goto_table:4",
                                       OFFC_ADD, &names, &flow, NULL),
                     0);
    assert_int_equal(flow.table_id, 3);
    of_flow_mod_format(&flow, &names, &text);
    assert_string_equal(buffer_text(&text), "ADD table:acl actions=resubmit(,acl),"
                                            "learn(table=acl),resubmit(,\"1st\"),"
                                            "goto_table:\"1st\"");
    of_flow_mod_fini(&flow);
    buffer_fini(&text);
}

static void statistics_print_as_ovs_prints_them(void **state)
{
    static const struct {
        struct of_flow_stats stats;
        const char *flow, *text;
    } cases[] = {
        {{.duration_s = 1,
          .duration_ns = 200000000,
          .priority = 0x8000,
          .idle_age_s = -1,
          .hard_age_s = -1},
         "actions=1",
         " cookie=0x0, duration=1.200s, table=0, n_packets=0, n_bytes=0, actions=output:1"},
        {{.duration_s = 100, .priority = 0x8000, .idle_age_s = -1, .hard_age_s = -1},
         "actions=drop",
         " cookie=0x0, duration=100s, table=0, n_packets=0, n_bytes=0, actions=drop"},
        {{.duration_s = 1,
          .duration_ns = 5000000,
          .table_id = 3,
          .n_packets = 7,
          .n_bytes = 8,
          .idle_timeout_s = 10,
          .hard_timeout_s = 20,
          .idle_age_s = 1,
          .hard_age_s = 2,
          .priority = 5},
         "ip,actions=1",
         " cookie=0x0, duration=1.005s, table=3, n_packets=7, n_bytes=8, idle_timeout=10, "
         "hard_timeout=20, idle_age=1, hard_age=2, priority=5,ip actions=output:1"},
        {{.n_packets = UINT64_MAX,
          .n_bytes = UINT64_MAX,
          .duration_ns = 1,
          .idle_age_s = -1,
          .hard_age_s = -1,
          .flags = 31},
         "actions=1",
         " cookie=0x0, duration=0.000000001s, table=0, n_packets=?, n_bytes=?, send_flow_rem "
         "check_overlap reset_counts no_packet_counts no_byte_counts priority=0 "
         "actions=output:1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct of_flow_stats stats = cases[i].stats;
        struct of_flow_mod flow;
        struct buffer text = BUFFER_INIT;

        assert_int_equal(of_flow_mod_parse(cases[i].flow, OFFC_ADD, NULL, &flow, NULL), 0);
        stats.match = flow.match;
        stats.actions = of_flow_mod_actions(&flow);
        of_flow_stats_format(&stats, NULL, &text);
        assert_string_equal(buffer_text(&text), cases[i].text);
        buffer_fini(&text);
        of_flow_mod_fini(&flow);
    }
}

static void printed_statistics_can_be_added_again(void **state)
{
    struct of_flow_mod flow;

    (void)state;
    assert_int_equal(of_flow_mod_parse(" cookie=0x5, duration=1.005s, table=3, n_packets=7, "
                                       "n_bytes=8, idle_timeout=10, idle_age=1, hard_age=2, "
                                       "priority=5,ip actions=output:1",
                                       OFFC_ADD, NULL, &flow, NULL),
                     0);
    assert_int_equal(flow.table_id, 3);
    assert_int_equal(flow.priority, 5);
    assert_int_equal(be64_host(flow.new_cookie), 5);
    of_flow_mod_fini(&flow);
}

static void dump_filters_parse(void **state)
{
    struct of_flow_stats_request request;
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(of_flow_stats_request_parse("", NULL, &request, &error), 0);
    assert_int_equal(request.table_id, OF_TABLE_ALL);
    assert_int_equal(request.out_port, OFPP_NONE);
    assert_int_equal(
        of_flow_stats_request_parse("table=1,tcp,cookie=0x1/-1,out_port=2", NULL, &request, NULL),
        0);
    assert_int_equal(request.table_id, 1);
    assert_int_equal(request.out_port, 2);
    assert_int_equal(request.cookie_mask.raw, UINT64_MAX);
    assert_int_not_equal(of_flow_stats_request_parse("tcpp", NULL, &request, &error), 0);
    assert_non_null(strstr(error.message, "tcpp"));
}

/* add-flows reads big files; the bound is loose, as test machines are busy. */
static void flows_of_a_large_file_parse_quickly(void **state)
{
    struct of_protocol protocol = {.version = OF_1_0, .uses_nxm = true, .has_table_id = true};
    struct buffer wire = BUFFER_INIT;
    struct timespec before, after;
    enum { N_FLOWS = 20000 };

    (void)state;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (unsigned i = 0; i < N_FLOWS; i++) {
        struct of_flow_mod flow;
        char line[128];

        snprintf(line, sizeof line,
                 "table=1,priority=%u,tcp,nw_src=10.%u.%u.0/24,tp_dst=80,actions=output:%u",
                 i % 1000, i >> 8 & 255, i & 255, i % 100);
        assert_int_equal(of_flow_mod_parse(line, OFFC_ADD, NULL, &flow, NULL), 0);
        buffer_clear(&wire);
        of_encode_flow_mod(&flow, &protocol, i, &wire);
        of_flow_mod_fini(&flow);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double seconds = (double)(after.tv_sec - before.tv_sec) +
                     (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    print_message("%.2f us per flow\n", seconds * 1e6 / N_FLOWS);
    assert_true(seconds < 2);
    buffer_fini(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openflow10_prints_what_ovs_prints),
        cmocka_unit_test(nxm_prints_what_ovs_prints),
        cmocka_unit_test(openflow13_prints_what_ovs_prints),
        cmocka_unit_test(openflow15_prints_what_ovs_prints),
        cmocka_unit_test(what_is_printed_parses_to_the_same_flow),
        cmocka_unit_test(wrong_flows_get_an_error_that_names_the_word),
        cmocka_unit_test(deletes_select_flows_and_have_no_actions),
        cmocka_unit_test(modifies_change_a_cookie_only_if_told_to),
        cmocka_unit_test(ports_have_names),
        cmocka_unit_test(tables_have_names),
        cmocka_unit_test(statistics_print_as_ovs_prints_them),
        cmocka_unit_test(printed_statistics_can_be_added_again),
        cmocka_unit_test(dump_filters_parse),
        cmocka_unit_test(flows_of_a_large_file_parse_quickly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
