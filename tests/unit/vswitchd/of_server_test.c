/* SPDX-License-Identifier: Apache-2.0 */

/* The OpenFlow server, spoken to over socket pairs with real messages. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/log.h"
#include "tests/unit/vswitchd/of_peer.h"

/* Greeting */

static void hello_agrees_on_the_highest_common_version(void **state)
{
    static const struct {
        uint8_t header;
        uint32_t bitmap; /* 0: none. */
        uint8_t agreed;  /* 0: refused. */
    } cases[] = {
        {OF_1_0, 0, OF_1_0},
        {OF_1_3, 0, OF_1_3},
        {OF_1_5, 0, OF_1_5},
        {0x63, 0, OF_1_5},
        {OF_1_3, OF_VERSION_BIT(OF_1_0) | OF_VERSION_BIT(OF_1_3), OF_1_3},
        {OF_1_5 + 1, OF_VERSION_BIT(OF_1_0) | OF_VERSION_BIT(OF_1_5 + 1), OF_1_0},
        {OF_1_5, OF_VERSION_BIT(OF_1_2), OF_1_2},
        {OF_1_5 + 1, OF_VERSION_BIT(OF_1_5 + 1), 0},
    };
    struct of_message message;
    struct peer peer;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer out = BUFFER_INIT;
        uint8_t *hello = buffer_put_zeros(&out, cases[i].bitmap ? 16 : 8);
        hello[0] = cases[i].header;
        be16_store(hello + 2, (uint16_t)out.size);
        if (cases[i].bitmap) {
            be16_store(hello + 8, 1);
            be16_store(hello + 10, 8);
            be32_store(hello + 12, cases[i].bitmap);
        }
        connect_raw(&peer, *state, OF_CONNECTION_MANAGEMENT);
        say(&peer, &out);
        hear_kind(&peer, OF_HELLO, &message);
        if (cases[i].agreed) {
            peer.protocol.version = cases[i].agreed;
            hears_nothing(&peer);
        } else {
            hear_error(&peer, OFPHFC_INCOMPATIBLE);
            assert_false(hear(&peer, &message));
        }
        disconnect(&peer);
    }
}

static void versions_not_allowed_are_refused_and_cut_off(void **state)
{
    struct fake_bridge *bridge = *state;
    struct of_message message;
    struct peer old, peer;
    struct buffer out = BUFFER_INIT;

    connect_peer(&old, bridge, OF_1_3, OF_CONNECTION_MANAGEMENT);
    of_server_set_versions(bridge->server, OF_VERSION_BIT(OF_1_0));
    assert_false(hear(&old, &message));
    disconnect(&old);

    connect_raw(&peer, bridge, OF_CONNECTION_MANAGEMENT);
    of_encode_hello(OF_VERSION_BIT(OF_1_3), 1, &out);
    say(&peer, &out);
    hear_kind(&peer, OF_HELLO, &message);
    assert_int_equal(message.version, OF_1_0);
    hear_error(&peer, OFPHFC_INCOMPATIBLE);
    disconnect(&peer);
}

static void peer_that_does_not_greet_is_cut_off(void **state)
{
    struct of_message message;
    struct peer peer;
    struct buffer out = BUFFER_INIT;

    connect_raw(&peer, *state, OF_CONNECTION_MANAGEMENT);
    of_encode_empty(OF_FEATURES_REQUEST, OF_1_0, 1, &out);
    say(&peer, &out);
    hear_kind(&peer, OF_HELLO, &message);
    hear_error(&peer, OFPHFC_INCOMPATIBLE);
    assert_false(hear(&peer, &message));
    disconnect(&peer);
}

static void impossible_length_ends_the_connection(void **state)
{
    struct of_message message;
    struct peer peer;
    struct buffer out = BUFFER_INIT;

    connect_peer(&peer, *state, OF_1_0, OF_CONNECTION_MANAGEMENT);
    buffer_put(&out, "\x01\x02\x00\x07\0\0\0\1", 8);
    say(&peer, &out);
    assert_false(hear(&peer, &message));
    disconnect(&peer);
}

static void too_many_connections_are_refused(void **state)
{
    struct fake_bridge *bridge = *state;
    struct peer peers[OF_SERVER_MAX_CONNECTIONS], one_more;
    struct of_server_stats stats;
    char byte;

    for (size_t i = 0; i < OF_SERVER_MAX_CONNECTIONS; i++)
        connect_raw(&peers[i], bridge, OF_CONNECTION_MANAGEMENT);
    connect_raw(&one_more, bridge, OF_CONNECTION_MANAGEMENT);
    assert_int_equal(recv(one_more.fd, &byte, 1, 0), 0);
    of_server_get_stats(bridge->server, &stats);
    assert_int_equal(stats.n_refused, 1);
    disconnect(&one_more);
    for (size_t i = 0; i < OF_SERVER_MAX_CONNECTIONS; i++)
        disconnect(&peers[i]);
    round_of(bridge);
    of_server_get_stats(bridge->server, &stats);
    assert_int_equal(stats.n_connections, 0);
}

/* Requests */

static void echo_returns_what_was_sent(void **state)
{
    struct of_message message;
    struct peer peer;
    struct buffer out = BUFFER_INIT;

    connect_peer(&peer, *state, OF_1_3, OF_CONNECTION_MANAGEMENT);
    of_encode_echo_request(OF_1_3, 5, "hello?", 6, &out);
    say(&peer, &out);
    hear_kind(&peer, OF_ECHO_REPLY, &message);
    assert_int_equal(message.xid, 5);
    assert_int_equal(message.body_bytes, 6);
    assert_memory_equal(message.body, "hello?", 6);
    disconnect(&peer);
}

static void features_name_the_switch_and_in_1_0_its_ports(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_message message;
        struct of_features features;
        struct of_port_info port;
        struct peer peer;

        connect_peer(&peer, *state, versions[i], OF_CONNECTION_MANAGEMENT);
        say_empty(&peer, OF_FEATURES_REQUEST, 9);
        hear_kind(&peer, OF_FEATURES_REPLY, &message);
        assert_int_equal(message.xid, 9);
        assert_int_equal(of_decode_features_reply(&message, &features), OF_OK);
        assert_int_equal(features.datapath_id, 0x00000a0b0c0d0e0f);
        assert_int_equal(features.n_buffers, 0);
        assert_int_equal(features.n_tables, 254);
        struct wire ports = of_features_ports(&message);
        if (versions[i] == OF_1_0) {
            assert_true(of_decode_port_info(&ports, OF_1_0, &port));
            assert_string_equal(port.name, "p1");
            assert_true(of_decode_port_info(&ports, OF_1_0, &port));
            assert_int_equal(port.port, OFPP_LOCAL);
        }
        assert_int_equal(ports.left, 0);
        disconnect(&peer);
    }
}

static void configuration_is_kept_and_told(void **state)
{
    struct fake_bridge *bridge = *state;
    struct of_switch_config config;
    struct of_message message;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_0, OF_CONNECTION_MANAGEMENT);
    say_config(&peer, OF_FRAG_DROP, 99);
    say_empty(&peer, OF_GET_CONFIG_REQUEST, 3);
    hear_kind(&peer, OF_GET_CONFIG_REPLY, &message);
    assert_int_equal(of_decode_switch_config(&message, &config), OF_OK);
    assert_int_equal(config.frag_mode, OF_FRAG_DROP);
    assert_int_equal(config.miss_send_bytes, 99);
    assert_int_equal(bridge->frag_mode, OF_FRAG_DROP);
    disconnect(&peer);
}

/* Flow_mods */

static void barrier_reply_follows_publication_and_synchronization(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct fake_bridge *bridge = *state;
        struct of_message message;
        struct peer peer;
        struct buffer out = BUFFER_INIT;

        bridge->n_changed = bridge->n_synchronized = 0;
        connect_peer(&peer, bridge, versions[i], OF_CONNECTION_MANAGEMENT);
        for (uint32_t address = 1; address <= 100; address++)
            put_flow_mod(&peer, OFFC_ADD, address, 0, &out);
        of_encode_empty(OF_BARRIER_REQUEST, versions[i], 6, &out);
        say(&peer, &out);
        hear_kind(&peer, OF_BARRIER_REPLY, &message);
        assert_int_equal(message.xid, 6);
        assert_int_equal(flow_tables_n_flows(bridge->tables), 100);
        assert_int_equal(bridge->n_synchronized, 1);
        /* Once, or more often if the bytes come in pieces. */
        assert_in_range(bridge->n_changed_at_barrier, 1, 100);
        assert_int_equal(bridge->n_changed, bridge->n_changed_at_barrier);
        disconnect(&peer);
    }
}

static void flow_mods_without_barrier_are_published_too(void **state)
{
    struct fake_bridge *bridge = *state;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_0, OF_CONNECTION_MANAGEMENT);
    say_flow_mod(&peer, OFFC_ADD, 1, 0);
    hears_nothing(&peer);
    assert_int_equal(bridge->n_changed, 1);
    disconnect(&peer);
}

static void error_carries_the_request_it_answers(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct fake_bridge *bridge = *state;
        struct of_error_info info;
        struct of_message message;
        struct peer peer;
        struct buffer out = BUFFER_INIT, copy = BUFFER_INIT;

        flow_tables_set_max_flows(bridge->tables, 0);
        connect_peer(&peer, bridge, versions[i], OF_CONNECTION_MANAGEMENT);
        put_flow_mod(&peer, OFFC_ADD, 1, 0, &out);
        buffer_put(&copy, out.data, out.size);
        say(&peer, &out);
        hear_kind(&peer, OF_ERROR, &message);
        assert_int_equal(message.xid, 4);
        assert_int_equal(of_decode_error(message.whole, message.n_bytes, &info), OF_OK);
        assert_int_equal(info.error, OFPFMFC_TABLE_FULL);
        assert_in_range(info.payload_bytes, 64, copy.size);
        assert_memory_equal(info.payload, copy.data, info.payload_bytes);
        buffer_fini(&copy);
        disconnect(&peer);
    }
}

static void unknown_requests_get_the_error_for_their_sort(void **state)
{
    static const struct {
        uint8_t bytes[24];
        uint8_t n_bytes;
        enum of_error expected;
    } cases[] = {
        {{1, 99, 0, 8}, 8, OFPBRC_BAD_TYPE},
        {{1, 19, 0, 8}, 8, OFPBRC_BAD_TYPE}, /* A barrier reply, to a switch. */
        {{1, 0, 0, 8}, 8, OFPBRC_BAD_TYPE},  /* A second hello. */
        {{4, 2, 0, 8}, 8, OFPBRC_BAD_VERSION},
        {{1, 4, 0, 16, 0, 0, 0, 1, 0, 0, 0, 9}, 16, OFPBRC_BAD_VENDOR},
        {{1, 4, 0, 16, 0, 0, 0, 1, 0, 0, 0x23, 0x20, 0, 0, 9, 9}, 16, OFPBRC_BAD_SUBTYPE},
        {{1, 16, 0, 12, 0, 0, 0, 1, 0x77, 0x77}, 12, OFPBRC_BAD_STAT},
        {{1, 16, 0, 10, 0, 0, 0, 1, 0, 0}, 10, OFPBRC_BAD_LEN},
        {{1, 14, 0, 8}, 8, OFPBRC_BAD_LEN},
    };
    struct peer peer;

    connect_peer(&peer, *state, OF_1_0, OF_CONNECTION_MANAGEMENT);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buffer out = BUFFER_INIT;
        buffer_put(&out, cases[i].bytes, cases[i].n_bytes);
        say(&peer, &out);
        hear_error(&peer, cases[i].expected);
    }
    disconnect(&peer);
}

static void packet_out_reaches_the_bridge_after_flow_mods(void **state)
{
    static const uint8_t frame[60] = {2};
    struct fake_bridge *bridge = *state;
    struct of_packet_out packet = {.frame = frame, .frame_bytes = 60, .in_port = OFPP_CONTROLLER};
    struct buffer out = BUFFER_INIT;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_3, OF_CONNECTION_MANAGEMENT);
    put_flow_mod(&peer, OFFC_ADD, 1, 0, &out);
    of_encode_packet_out(&packet, OF_1_3, 2, &out);
    say(&peer, &out);
    hears_nothing(&peer);
    assert_int_equal(bridge->n_packet_outs, 1);
    assert_int_equal(bridge->packet_out_bytes, 60);
    assert_int_equal(bridge->packet_out_in_port, OFPP_CONTROLLER);
    assert_int_equal(bridge->n_changed, 1);

    packet.frame_bytes = 13;
    of_encode_packet_out(&packet, OF_1_3, 2, &out);
    say(&peer, &out);
    hear_error(&peer, OFPBRC_BAD_PACKET);
    disconnect(&peer);
}

/* Statistics */

static void say_flow_stats_request(struct peer *peer, enum of_message_kind kind)
{
    struct of_flow_stats_request request = {
        .out_port = OFPP_NONE, .out_group = OF_GROUP_ANY, .table_id = OF_TABLE_ALL};
    struct buffer out = BUFFER_INIT;

    of_encode_flow_stats_request(&request, kind, &peer->protocol, 8, &out);
    say(peer, &out);
}

/* Reads replies until the last, and counts their flows. */
static size_t hear_flows(struct peer *peer)
{
    struct buffer actions = BUFFER_INIT;
    struct of_flow_stats stats;
    struct of_message message;
    struct of_items items;
    size_t n_flows = 0;

    do {
        hear_kind(peer, OF_FLOW_STATS_REPLY, &message);
        assert_int_equal(message.xid, 8);
        of_items_init(&items, &message);
        while (of_next_flow_stats(&items, &actions, &stats))
            n_flows++;
        assert_int_equal(items.error, OF_OK);
    } while (of_message_has_more(&message));
    buffer_fini(&actions);
    return n_flows;
}

static void add_flows(struct peer *peer, uint32_t n_flows)
{
    struct buffer out = BUFFER_INIT;
    struct of_message message;

    for (uint32_t address = 1; address <= n_flows; address++)
        put_flow_mod(peer, OFFC_ADD, address, 0, &out);
    of_encode_empty(OF_BARRIER_REQUEST, peer->protocol.version, 6, &out);
    say(peer, &out);
    hear_kind(peer, OF_BARRIER_REPLY, &message);
}

static void flow_statistics_come_whole_in_every_protocol(void **state)
{
    static const struct of_protocol protocols[] = {
        {.version = OF_1_0},
        {.version = OF_1_0, .uses_nxm = true, .has_table_id = true},
        {.version = OF_1_3},
    };
    enum { N_FLOWS = 10000 };

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        struct fake_bridge *bridge = *state;
        struct of_aggregate aggregate;
        struct of_message message;
        struct peer peer;

        connect_peer(&peer, bridge, protocols[i].version, OF_CONNECTION_MANAGEMENT);
        add_flows(&peer, N_FLOWS);
        peer.protocol = protocols[i];
        say_flow_stats_request(&peer, OF_FLOW_STATS_REQUEST);
        say_flow_stats_request(&peer, OF_AGGREGATE_REQUEST);
        assert_int_equal(hear_flows(&peer), N_FLOWS);
        hear_kind(&peer, OF_AGGREGATE_REPLY, &message);
        assert_int_equal(of_decode_aggregate(&message, &aggregate), OF_OK);
        assert_int_equal(aggregate.n_flows, N_FLOWS);
        assert_true(bridge->n_pushed > 0);
        disconnect(&peer);
    }
}

static void greedy_peer_is_not_read_from_and_others_are_served(void **state)
{
    enum { N_REQUESTS = 2000, N_FLOWS = 20000 };
    struct fake_bridge *bridge = *state;
    struct of_server_stats before, after;
    struct peer greedy, other;

    connect_peer(&greedy, bridge, OF_1_3, OF_CONNECTION_MANAGEMENT);
    connect_peer(&other, bridge, OF_1_0, OF_CONNECTION_MANAGEMENT);
    add_flows(&other, N_FLOWS);
    of_server_get_stats(bridge->server, &before);
    for (int i = 0; i < N_REQUESTS; i++) {
        struct of_flow_stats_request request = {
            .out_port = OFPP_NONE, .out_group = OF_GROUP_ANY, .table_id = OF_TABLE_ALL};
        struct buffer out = BUFFER_INIT;
        of_encode_flow_stats_request(&request, OF_FLOW_STATS_REQUEST, &greedy.protocol, 8, &out);
        if (send(greedy.fd, out.data, out.size, MSG_DONTWAIT) < 0)
            i = N_REQUESTS;
        buffer_fini(&out);
    }
    for (int i = 0; i < 100; i++)
        round_of(bridge);
    of_server_get_stats(bridge->server, &after);
    assert_true(after.n_messages - before.n_messages < 10);
    hears_nothing(&other);

    /* It gets all it asked for once it reads. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(hear_flows(&greedy), N_FLOWS);
    disconnect(&greedy);
    disconnect(&other);
}

static void ports_are_described_and_counted(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct of_port_stats stats;
        struct of_port_info port;
        struct of_message message;
        struct of_items items;
        struct buffer out = BUFFER_INIT;
        struct peer peer;

        connect_peer(&peer, *state, versions[i], OF_CONNECTION_MANAGEMENT);
        of_encode_port_stats_request(OFPP_NONE, versions[i], 1, &out);
        of_encode_port_stats_request(1, versions[i], 1, &out);
        of_encode_port_stats_request(55, versions[i], 1, &out);
        of_encode_empty(OF_PORT_DESC_REQUEST, versions[i], 1, &out);
        say(&peer, &out);

        hear_kind(&peer, OF_PORT_STATS_REPLY, &message);
        of_items_init(&items, &message);
        assert_true(of_next_port_stats(&items, &stats));
        assert_int_equal(stats.rx_packets, 101);
        assert_int_equal(stats.rx_dropped, UINT64_MAX);
        assert_true(of_next_port_stats(&items, &stats));
        assert_int_equal(stats.port, OFPP_LOCAL);
        assert_false(of_next_port_stats(&items, &stats));

        hear_kind(&peer, OF_PORT_STATS_REPLY, &message);
        of_items_init(&items, &message);
        assert_true(of_next_port_stats(&items, &stats));
        assert_false(of_next_port_stats(&items, &stats));

        hear_kind(&peer, OF_PORT_STATS_REPLY, &message);
        of_items_init(&items, &message);
        assert_false(of_next_port_stats(&items, &stats));

        hear_kind(&peer, OF_PORT_DESC_REPLY, &message);
        of_items_init(&items, &message);
        assert_true(of_next_port(&items, &port));
        assert_string_equal(port.name, "p1");
        assert_true(of_next_port(&items, &port));
        assert_false(of_next_port(&items, &port));
        disconnect(&peer);
    }
}

static void tables_and_the_switch_are_described(void **state)
{
    struct of_table_stats table;
    struct of_desc_text desc;
    struct of_message message;
    struct of_items items;
    struct peer peer;
    size_t n_tables = 0;

    connect_peer(&peer, *state, OF_1_0, OF_CONNECTION_MANAGEMENT);
    add_flows(&peer, 3);
    say_empty(&peer, OF_TABLE_STATS_REQUEST, 1);
    hear_kind(&peer, OF_TABLE_STATS_REPLY, &message);
    for (of_items_init(&items, &message); of_next_table_stats(&items, &table); n_tables++)
        assert_int_equal(table.n_flows, table.table_id ? 0 : 3);
    assert_int_equal(n_tables, 254);
    say_empty(&peer, OF_DESC_REQUEST, 1);
    hear_kind(&peer, OF_DESC_REPLY, &message);
    assert_int_equal(of_decode_desc(&message, &desc), OF_OK);
    assert_string_equal(desc.datapath, "a fake");
    assert_string_equal(desc.serial, "None");
    disconnect(&peer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(hello_agrees_on_the_highest_common_version),
        TEST(versions_not_allowed_are_refused_and_cut_off),
        TEST(peer_that_does_not_greet_is_cut_off),
        TEST(impossible_length_ends_the_connection),
        TEST(too_many_connections_are_refused),
        TEST(echo_returns_what_was_sent),
        TEST(features_name_the_switch_and_in_1_0_its_ports),
        TEST(configuration_is_kept_and_told),
        TEST(barrier_reply_follows_publication_and_synchronization),
        TEST(flow_mods_without_barrier_are_published_too),
        TEST(error_carries_the_request_it_answers),
        TEST(unknown_requests_get_the_error_for_their_sort),
        TEST(packet_out_reaches_the_bridge_after_flow_mods),
        TEST(flow_statistics_come_whole_in_every_protocol),
        TEST(greedy_peer_is_not_read_from_and_others_are_served),
        TEST(ports_are_described_and_counted),
        TEST(tables_and_the_switch_are_described),
    };

    log_set_levels("console:off", NULL);
    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}
