/* SPDX-License-Identifier: Apache-2.0 */

/* Bundles: all of one or nothing, within bounds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/openflow/bundles.h"
#include "lib/openflow/flow_monitor.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/stats.h"
#include "tests/unit/vswitchd/of_peer.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/of_bundle.h"

enum { BOTH = OFBF_ATOMIC | OFBF_ORDERED };

static void put_control(struct peer *peer, uint32_t id, enum of_bundle_command command,
                        uint16_t flags, struct buffer *out)
{
    const struct of_bundle_control control = {
        .bundle_id = id, .command = (uint16_t)command, .flags = flags};

    of_encode_bundle_control(&control, peer->protocol.version, 9, out);
}

static void say_control(struct peer *peer, uint32_t id, enum of_bundle_command command,
                        uint16_t flags)
{
    struct buffer out = BUFFER_INIT;

    put_control(peer, id, command, flags, &out);
    say(peer, &out);
}

static void hear_reply(struct peer *peer, uint32_t id, enum of_bundle_command command)
{
    struct of_bundle_control reply;
    struct of_message message;

    hear_kind(peer, OF_BUNDLE_CONTROL, &message);
    assert_int_equal(of_decode_bundle_control(&message, &reply), OF_OK);
    assert_int_equal(reply.bundle_id, id);
    assert_int_equal(reply.command, command + 1);
}

/* 'message' with its xid, into the bundle; fini()s it. */
static void put_add(struct peer *peer, uint32_t id, uint16_t flags, struct buffer *message,
                    struct buffer *out)
{
    const struct of_bundle_add add = {
        .bundle_id = id, .flags = flags, .message = message->data, .n_bytes = message->size};

    of_encode_bundle_add(&add, peer->protocol.version, wire_u32(message->data + 4), out);
    buffer_fini(message);
}

static void put_flow(struct peer *peer, uint32_t id, const char *text, enum of_flow_command command,
                     struct buffer *out)
{
    struct buffer message = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct of_flow_mod flow;

    if (of_flow_mod_parse(text, command, NULL, &flow, &error))
        fail_msg("%s: %s", text, error.message);
    of_encode_flow_mod(&flow, &peer->protocol, 5, &message);
    of_flow_mod_fini(&flow);
    put_add(peer, id, BOTH, &message, out);
}

/* The flows as the switch tells them, in messages of OpenFlow 1.3, with counters but without ages. */
static struct buffer dump_flows(struct fake_bridge *bridge)
{
    const struct of_flow_stats_request request = {
        .table_id = OF_TABLE_ALL, .out_port = OFPP_NONE, .out_group = (uint32_t)OF_GROUP_ANY};
    struct buffer out = BUFFER_INIT, dump = BUFFER_INIT;
    struct of_message message;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_3, OF_CONNECTION_MANAGEMENT);
    of_encode_flow_stats_request(&request, OF_FLOW_STATS_REQUEST, &peer.protocol, 8, &out);
    say(&peer, &out);
    do {
        hear_kind(&peer, OF_FLOW_STATS_REPLY, &message);
        size_t from = dump.size;
        buffer_put(&dump, message.body, message.body_bytes);
        for (uint8_t *flow = dump.data + from; flow < dump.data + dump.size; flow += wire_u16(flow))
            memset(flow + 4, 0, 8); /* Seconds and nanoseconds. */
    } while (of_message_has_more(&message));
    disconnect(&peer);
    return dump;
}

/* Which rules these are, and their times. */
static char *rules_text(struct fake_bridge *bridge)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL, .out_port = OFPP_NONE, .out_group = (uint32_t)OF_GROUP_ANY};
    struct buffer text = BUFFER_INIT;
    struct rule_set set;

    rule_set_init(&set, bridge->tables, &all);
    for (size_t i = 0; i < set.n_rules; i++)
        buffer_printf(&text, "%p %lld %lld\n", (void *)set.rules[i],
                      (long long)set.rules[i]->created_ns, (long long)set.rules[i]->modified_ns);
    rule_set_fini(&set);
    return buffer_take_text(&text);
}

static void commit_shows_all_flows_at_once(void **state)
{
    static const enum of_version with_bundles[] = {OF_1_3, OF_1_4, OF_1_5};
    struct fake_bridge *bridge = *state;
    struct peer peer;

    for (size_t i = 0; i < ARRAY_SIZE(with_bundles); i++) {
        struct buffer out = BUFFER_INIT;

        connect_peer(&peer, bridge, with_bundles[i], OF_CONNECTION_MANAGEMENT);
        put_control(&peer, 7, OFBC_OPEN, BOTH, &out);
        put_flow(&peer, 7, "", OFFC_DELETE, &out);
        for (unsigned j = 0; j < 100; j++) {
            char text[64];
            snprintf(text, sizeof text, "ip,nw_dst=10.0.0.%u,actions=1", j);
            put_flow(&peer, 7, text, OFFC_ADD, &out);
        }
        say(&peer, &out);
        hear_reply(&peer, 7, OFBC_OPEN);
        hears_nothing(&peer);
        unsigned n_changed = bridge->n_changed;
        assert_int_equal(flow_tables_n_flows(bridge->tables), i ? 100 : 0);
        say_control(&peer, 7, OFBC_CLOSE, BOTH);
        hear_reply(&peer, 7, OFBC_CLOSE);
        say_control(&peer, 7, OFBC_COMMIT, BOTH);
        hear_reply(&peer, 7, OFBC_COMMIT);
        assert_int_equal(flow_tables_n_flows(bridge->tables), 100);
        assert_int_equal(bridge->n_changed, n_changed + 1);
        say_control(&peer, 7, OFBC_COMMIT, BOTH); /* It is gone. */
        hear_error(&peer, OFPBFC_BAD_ID);
        disconnect(&peer);
    }
}

static bool credit_some(struct rule *rule, void *n)
{
    rule_credit(rule, ++*(uint64_t *)n, 1000, clock_now_ns());
    return true;
}

/* Some of them get counters. */
static void add_flows_of_before(struct peer *peer)
{
    const struct rule_filter in_table_1 = {
        .table_id = 1, .out_port = OFPP_NONE, .out_group = (uint32_t)OF_GROUP_ANY};
    struct buffer out = BUFFER_INIT;
    uint64_t n = 0;
    char text[80];

    put_control(peer, 1, OFBC_OPEN, BOTH, &out);
    for (unsigned i = 0; i < 50; i++) {
        snprintf(text, sizeof text,
                 "table=%u,cookie=%u,idle_timeout=%u,ip,nw_src=10.0.0.%u,actions=1", i % 3, i,
                 i % 7 ? 0 : 60, i);
        put_flow(peer, 1, text, OFFC_ADD, &out);
    }
    put_control(peer, 1, OFBC_COMMIT, BOTH, &out);
    say(peer, &out);
    hear_reply(peer, 1, OFBC_OPEN);
    hear_reply(peer, 1, OFBC_COMMIT);
    flow_tables_each(peer->bridge->tables, &in_table_1, credit_some, &n);
}

/* Changes, replaces and deletes what there is, again and again; the last of its flows overlaps. */
static void say_failing_bundle(struct peer *peer, unsigned n_flows)
{
    struct buffer out = BUFFER_INIT;
    char text[80];

    put_control(peer, 2, OFBC_OPEN, BOTH, &out);
    put_flow(peer, 2, "actions=drop", OFFC_MODIFY, &out);
    for (unsigned i = 0; i < n_flows; i++) {
        snprintf(text, sizeof text, "table=%u,ip,nw_src=10.0.%u.%u,actions=2", i % 4, i >> 8 & 255,
                 i & 255);
        put_flow(peer, 2, text, OFFC_ADD, &out);
        if (i % 1000 == 999)
            put_flow(peer, 2, i % 2000 == 1999 ? "table=1" : "nw_src=10.0.0.0/24,ip", OFFC_DELETE,
                     &out);
    }
    put_flow(peer, 2, "table=2,actions=3", OFFC_MODIFY, &out);
    put_flow(peer, 2, "table=2,tcp,actions=3", OFFC_ADD, &out);
    put_flow(peer, 2, "check_overlap,table=2,tcp,nw_dst=10.0.0.1,actions=3", OFFC_ADD, &out);
    put_control(peer, 2, OFBC_COMMIT, BOTH, &out);
    say(peer, &out);
    hear_reply(peer, 2, OFBC_OPEN);
}

static void check_failing_bundle(struct fake_bridge *bridge, enum of_version version)
{
    struct of_message message;
    struct of_error_info info;
    struct peer peer;

    connect_peer(&peer, bridge, version, OF_CONNECTION_MANAGEMENT);
    add_flows_of_before(&peer);
    struct buffer before = dump_flows(bridge);
    char *rules = rules_text(bridge);
    unsigned n_changed = bridge->n_changed;

    say_failing_bundle(&peer, 10000);
    hear_kind(&peer, OF_ERROR,
              &message); /* Which message it was, then that the commit has failed. */
    assert_int_equal(of_decode_error(message.whole, message.n_bytes, &info), OF_OK);
    assert_int_equal(info.error, OFPFMFC_OVERLAP);
    assert_int_equal(info.payload[1], 14); /* OFPT_FLOW_MOD */
    hear_error(&peer, OFPBFC_MSG_FAILED);

    struct buffer after = dump_flows(bridge);
    assert_int_equal(after.size, before.size);
    assert_memory_equal(after.data, before.data, before.size);
    char *rules_after = rules_text(bridge);
    assert_string_equal(rules_after, rules);
    assert_int_equal(bridge->n_changed, n_changed); /* No cache is told anything. */
    assert_int_equal(flow_tables_n_flows(bridge->tables), 50);
    free(rules);
    free(rules_after);
    buffer_fini(&before);
    buffer_fini(&after);
    disconnect(&peer);
}

static void failing_bundle_leaves_the_tables_as_they_were(void **state)
{
    check_failing_bundle(*state, OF_1_3); /* The form of the ONF's extension. */
    check_failing_bundle(*state, OF_1_4);
    check_failing_bundle(*state, OF_1_5);
}

static void discarded_bundle_changes_nothing(void **state)
{
    struct fake_bridge *bridge = *state;
    struct buffer out = BUFFER_INIT;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_3, OF_CONNECTION_MANAGEMENT);
    put_flow(&peer, 3, "actions=1", OFFC_ADD, &out); /* Opens it, too. */
    say(&peer, &out);
    say_control(&peer, 3, OFBC_DISCARD, BOTH);
    hear_reply(&peer, 3, OFBC_DISCARD);
    assert_int_equal(flow_tables_n_flows(bridge->tables), 0);
    disconnect(&peer);
}

static void a_bundle_that_nobody_touches_is_discarded(void **state)
{
    struct fake_bridge *bridge = *state;
    int64_t end_ns = clock_now_ns() + 60 * SECOND_NS;
    char byte;
    struct peer peer;

    of_server_set_bundle_idle(bridge->server, 0); /* At once: less than a person can ask for. */
    connect_peer(&peer, bridge, OF_1_4, OF_CONNECTION_MANAGEMENT);
    say_control(&peer, 1, OFBC_OPEN, BOTH);
    hear_reply(&peer, 1, OFBC_OPEN);
    while (recv(peer.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && clock_now_ns() < end_ns)
        round_of(bridge);
    hear_error(&peer, OFPBFC_TIMEOUT);
    say_control(&peer, 1, OFBC_COMMIT, BOTH);
    hear_error(&peer, OFPBFC_BAD_ID);
    disconnect(&peer);
}

static void bundles_are_bounded(void **state)
{
    struct fake_bridge *bridge = *state;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_4, OF_CONNECTION_MANAGEMENT);
    for (uint32_t i = 0; i < 10000; i++) {
        say_control(&peer, i, OFBC_OPEN, 0);
        if (i < OF_BUNDLES_MAX)
            hear_reply(&peer, i, OFBC_OPEN);
        else
            hear_error(&peer, OFPBFC_OUT_OF_BUNDLES);
    }
    say_control(&peer, 5, OFBC_DISCARD, 0);
    hear_reply(&peer, 5, OFBC_DISCARD);
    say_control(&peer, 77, OFBC_OPEN, 0);
    hear_reply(&peer, 77, OFBC_OPEN);
    disconnect(&peer);
}

static void wrong_bundles_get_their_error(void **state)
{
    struct fake_bridge *bridge = *state;
    struct buffer out = BUFFER_INIT, message = BUFFER_INIT;
    struct of_port_mod mod = {.port = 1, .mac = {{2, 0, 0, 0, 0, 1}}, .mask = OFPPC_NO_FWD};
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_4, OF_CONNECTION_MANAGEMENT);
    say_control(&peer, 1, OFBC_OPEN, 4);
    hear_error(&peer, OFPBFC_BAD_FLAGS);
    say_control(&peer, 1, (enum of_bundle_command)8, BOTH);
    hear_error(&peer, OFPBFC_BAD_TYPE);
    say_control(&peer, 1, OFBC_COMMIT, BOTH);
    hear_error(&peer, OFPBFC_BAD_ID);

    /* Opened twice, it is gone. */
    say_control(&peer, 1, OFBC_OPEN, BOTH);
    hear_reply(&peer, 1, OFBC_OPEN);
    say_control(&peer, 1, OFBC_OPEN, BOTH);
    hear_error(&peer, OFPBFC_BAD_ID);
    say_control(&peer, 1, OFBC_CLOSE, BOTH);
    hear_error(&peer, OFPBFC_BAD_ID);

    say_control(&peer, 1, OFBC_OPEN, BOTH);
    hear_reply(&peer, 1, OFBC_OPEN);
    say_control(&peer, 1, OFBC_CLOSE, BOTH);
    hear_reply(&peer, 1, OFBC_CLOSE);
    put_flow(&peer, 1, "actions=1", OFFC_ADD, &out);
    say(&peer, &out);
    hear_error(&peer, OFPBFC_BUNDLE_CLOSED);

    /* What does not belong into one, or is wrong itself. */
    of_encode_empty(OF_BARRIER_REQUEST, OF_1_4, 5, &message);
    put_add(&peer, 2, BOTH, &message, &out);
    say(&peer, &out);
    hear_error(&peer, OFPBFC_MSG_UNSUP);
    of_encode_empty(OF_BARRIER_REQUEST, OF_1_3, 5, &message);
    put_add(&peer, 2, BOTH, &message, &out);
    say(&peer, &out);
    hear_error(&peer, OFPBFC_BAD_VERSION);
    of_encode_empty(OF_BARRIER_REQUEST, OF_1_4, 5, &message);
    message.data[3] = 99;
    put_add(&peer, 2, BOTH, &message, &out);
    say(&peer, &out);
    hear_error(&peer, OFPBFC_MSG_BAD_LEN);
    put_flow(&peer, 2, "actions=1", OFFC_ADD, &out);
    out.data[7] ^= 1;
    say(&peer, &out);
    hear_error(&peer, OFPBFC_MSG_BAD_XID);
    put_flow(&peer, 2, "actions=group:1", OFFC_ADD, &out);
    say(&peer, &out);
    say_control(&peer, 2, OFBC_COMMIT, BOTH);
    hear_error(&peer, OFPBAC_BAD_OUT_GROUP);
    hear_error(&peer, OFPBFC_MSG_FAILED);

    /* Changes of ports cannot be atomic. */
    of_encode_port_mod(&mod, OF_1_4, 5, &message);
    put_add(&peer, 3, BOTH, &message, &out);
    say(&peer, &out);
    say_control(&peer, 3, OFBC_COMMIT, BOTH);
    hear_error(&peer, OFPBFC_MSG_FAILED);
    hear_error(&peer, OFPBFC_MSG_FAILED);
    disconnect(&peer);
}

static void ports_and_frames_follow_the_flows(void **state)
{
    const uint8_t frame[60] = {[12] = 0x08};
    struct of_packet_out packet = {.frame = frame, .frame_bytes = 60, .in_port = OFPP_CONTROLLER};
    struct of_port_mod mod = {
        .port = 1, .mac = {{2, 0, 0, 0, 0, 1}}, .mask = OFPPC_NO_FWD, .config = OFPPC_NO_FWD};
    struct fake_bridge *bridge = *state;
    struct buffer out = BUFFER_INIT, message = BUFFER_INIT;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_5, OF_CONNECTION_MANAGEMENT);
    put_control(&peer, 1, OFBC_OPEN, OFBF_ORDERED, &out);
    of_encode_port_mod(&mod, OF_1_5, 5, &message);
    put_add(&peer, 1, OFBF_ORDERED, &message, &out);
    of_encode_packet_out(&packet, OF_1_5, 5, &message);
    put_add(&peer, 1, OFBF_ORDERED, &message, &out);
    say(&peer, &out);
    hear_reply(&peer, 1, OFBC_OPEN);
    hears_nothing(&peer);
    assert_int_equal(bridge->n_packet_outs, 0);
    assert_int_equal(bridge->ports[0].config, 0);
    say_control(&peer, 1, OFBC_COMMIT, OFBF_ORDERED);
    hear_reply(&peer, 1, OFBC_COMMIT);
    assert_int_equal(bridge->n_packet_outs, 1);
    assert_int_equal(bridge->ports[0].config, OFPPC_NO_FWD);
    disconnect(&peer);
}

static void a_frame_is_treated_by_the_flows_before_it(void **state)
{
    const uint8_t frame[60] = {[12] = 0x08};
    struct of_packet_out packet = {.frame = frame, .frame_bytes = 60, .in_port = OFPP_CONTROLLER};
    struct fake_bridge *bridge = *state;
    struct buffer out = BUFFER_INIT, message = BUFFER_INIT;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_5, OF_CONNECTION_MANAGEMENT);
    put_flow(&peer, 1, "priority=1,actions=1", OFFC_ADD, &out);
    of_encode_packet_out(&packet, OF_1_5, 5, &message);
    put_add(&peer, 1, BOTH, &message, &out);
    put_flow(&peer, 1, "priority=2,actions=1", OFFC_ADD, &out);
    say(&peer, &out);
    say_control(&peer, 1, OFBC_COMMIT, BOTH);
    hear_reply(&peer, 1, OFBC_COMMIT);
    assert_int_equal(bridge->n_packet_outs, 1);
    assert_int_equal(bridge->packet_out_n_flows, 1);

    /* Not at all if the bundle fails behind it. */
    of_encode_packet_out(&packet, OF_1_5, 5, &message);
    put_add(&peer, 2, BOTH, &message, &out);
    put_flow(&peer, 2, "actions=group:1", OFFC_ADD, &out);
    say(&peer, &out);
    say_control(&peer, 2, OFBC_COMMIT, BOTH);
    hear_error(&peer, OFPBAC_BAD_OUT_GROUP);
    hear_error(&peer, OFPBFC_MSG_FAILED);
    assert_int_equal(bridge->n_packet_outs, 1);
    assert_int_equal(bridge->n_packet_outs_discarded, 1);
    disconnect(&peer);
}

/* Flows that together have more to tell when they go than a connection may have waiting. */
static void add_talkative_flows(struct fake_bridge *bridge)
{
    enum { N_FLOWS = 55000 };
    struct of_flow_mod flow;

    assert_int_equal(
        of_flow_mod_parse("send_flow_rem,ipv6,ipv6_src=::1/::ffff,ipv6_dst=::1/::ffff,"
                          "dl_src=02:00:00:00:00:00/02:00:00:00:00:00,"
                          "dl_dst=02:00:00:00:00:00/02:00:00:00:00:00,metadata=0,reg0=1/1,reg1=1/1,"
                          "reg2=1/1,reg3=1/1,reg4=1/1,reg5=1/1,reg6=1/1,reg7=1/1,reg8=1/1,"
                          "reg9=1/1,reg10=1/1,reg11=1/1,reg12=1/1,reg13=1/1,reg14=1/1,actions=drop",
                          OFFC_ADD, NULL, &flow, NULL),
        0);
    flow.table_id = 0;
    for (uint64_t i = 0; i < N_FLOWS; i++) {
        flow.match.flow.metadata = be64_from(i);
        assert_int_equal(flow_mod_apply(bridge->tables, &flow, 0), OF_OK);
    }
    of_flow_mod_fini(&flow);
    flow_tables_publish(bridge->tables);
}

/* Says it to a bridge with such flows, which then are gone, and so is the connection that did not read. */
static void say_and_be_closed(struct peer *peer, struct buffer *out)
{
    struct of_message message;

    add_talkative_flows(peer->bridge);
    say(peer, out);
    for (int i = 0; i < 10; i++)
        round_of(peer->bridge);
    assert_int_equal(flow_tables_n_flows(peer->bridge->tables), 0);
    while (hear(peer, &message))
        assert_int_not_equal(message.kind, OF_FLOW_REMOVED);
    disconnect(peer);
}

static void a_commit_may_cost_the_connection(void **state)
{
    struct buffer out = BUFFER_INIT;
    struct peer peer;

    connect_peer(&peer, *state, OF_1_4, OF_CONNECTION_CONTROLLER);
    put_control(&peer, 1, OFBC_OPEN, BOTH, &out);
    put_flow(&peer, 1, "", OFFC_DELETE, &out);
    put_control(&peer, 1, OFBC_COMMIT, BOTH, &out);
    say_and_be_closed(&peer, &out);
}

/* What is asked for publishes the deletion, and is begun for a connection that is closed. */
static void a_request_may_cost_the_connection(void **state)
{
    const struct of_flow_stats_request flows = {
        .table_id = OF_TABLE_ALL, .out_port = OFPP_NONE, .out_group = (uint32_t)OF_GROUP_ANY};
    const struct of_monitor_request monitor = {.monitor_id = 1,
                                               .flags = OFMON_INITIAL | OFMON_ADD,
                                               .table_id = OF_TABLE_ALL,
                                               .out_port = OFPP_NONE,
                                               .out_group = (uint32_t)OF_GROUP_ANY};

    for (int i = 0; i < 2; i++) {
        struct buffer out = BUFFER_INIT;
        struct of_flow_mod all;
        struct peer peer;

        connect_peer(&peer, *state, OF_1_4, OF_CONNECTION_CONTROLLER);
        assert_int_equal(of_flow_mod_parse("", OFFC_DELETE, NULL, &all, NULL), 0);
        of_encode_flow_mod(&all, &peer.protocol, 5, &out);
        of_flow_mod_fini(&all);
        if (i)
            of_encode_monitor_request(&monitor, OF_1_4, 6, &out);
        else
            of_encode_flow_stats_request(&flows, OF_FLOW_STATS_REQUEST, &peer.protocol, 6, &out);
        say_and_be_closed(&peer, &out);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(commit_shows_all_flows_at_once),
        TEST(failing_bundle_leaves_the_tables_as_they_were),
        TEST(a_bundle_that_nobody_touches_is_discarded),
        TEST(discarded_bundle_changes_nothing),
        TEST(bundles_are_bounded),
        TEST(wrong_bundles_get_their_error),
        TEST(ports_and_frames_follow_the_flows),
        TEST(a_frame_is_treated_by_the_flows_before_it),
        TEST(a_commit_may_cost_the_connection),
        TEST(a_request_may_cost_the_connection),
    };

    log_set_levels("console:off", NULL);
    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}
