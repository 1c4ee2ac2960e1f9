/* SPDX-License-Identifier: Apache-2.0 */

/* What the OpenFlow server tells unasked, to whom, and how it finds its controllers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/log.h"
#include "tests/unit/vswitchd/of_peer.h"
#include "lib/rundir.h"
#include "lib/unix_socket.h"
#include "lib/socket_address.h"

/* Asynchronous messages */

static void no_wake(void *aux UNUSED)
{
}

static void push_packet_in(struct fake_bridge *bridge, uint16_t controller_id, uint8_t reason)
{
    static const uint8_t frame[60] = {1, 2, 3};
    struct packet_in_queue *queue = packet_in_queue_create(no_wake, NULL);
    const struct packet_in header = {
        .in_port = 1,
        .reason = reason,
        .controller_id = controller_id,
        .cookie = be64_from(UINT64_MAX),
        .flow.regs[3] = be32_from(0x1234),
        .total_bytes = 60,
        .n_bytes = 60,
    };

    assert_int_equal(packet_in_push(queue, &header, frame), 0);
    of_server_packet_ins(bridge->server, queue);
    packet_in_queue_destroy(queue);
}

static void management_connection_gets_packet_ins_once_it_asked(void **state)
{
    struct fake_bridge *bridge = *state;
    struct of_packet_in packet;
    struct of_message message;
    struct peer peer;
    struct buffer out = BUFFER_INIT;

    connect_peer(&peer, bridge, OF_1_0, OF_CONNECTION_MANAGEMENT);
    push_packet_in(bridge, 0, OFPR_ACTION);
    hears_nothing(&peer);
    assert_false(of_server_wants_misses(bridge->server));
    say_config(&peer, OF_FRAG_NORMAL, UINT16_MAX);
    of_encode_set_packet_in_format(OF_PACKET_IN_NXT, OF_1_0, 3, &out);
    say(&peer, &out);
    hears_nothing(&peer);
    assert_true(of_server_wants_misses(bridge->server));
    assert_int_equal(bridge->n_status_changes, 1);

    push_packet_in(bridge, 5, OFPR_ACTION); /* For another controller. */
    push_packet_in(bridge, 0, OFPR_ACTION);
    hear_kind(&peer, OF_PACKET_IN, &message);
    assert_int_equal(of_decode_packet_in(&message, &packet), OF_OK);
    assert_int_equal(packet.frame_bytes, 60);
    assert_int_equal(be32_host(packet.match.flow.key.in_port), 1);
    assert_int_equal(be32_host(packet.match.flow.regs[3]), 0x1234);
    hears_nothing(&peer);
    disconnect(&peer);
}

static void invalid_ttl_is_told_to_those_who_asked_for_it(void **state)
{
    const struct of_switch_config config = {OF_FRAG_NORMAL, UINT16_MAX, true};
    struct fake_bridge *bridge = *state;
    struct buffer out = BUFFER_INIT;
    struct of_switch_config told;
    struct of_message message;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_0, OF_CONNECTION_MANAGEMENT);
    of_encode_switch_config(&config, OF_SET_CONFIG, OF_1_0, 2, &out);
    of_encode_empty(OF_GET_CONFIG_REQUEST, OF_1_0, 3, &out);
    say(&peer, &out);
    hear_kind(&peer, OF_GET_CONFIG_REPLY, &message);
    assert_int_equal(of_decode_switch_config(&message, &told), OF_OK);
    assert_true(told.wants_invalid_ttl);
    push_packet_in(bridge, 0, OFPR_INVALID_TTL);
    hear_kind(&peer, OF_PACKET_IN, &message);

    say_config(&peer, OF_FRAG_NORMAL, UINT16_MAX);
    hears_nothing(&peer);
    push_packet_in(bridge, 0, OFPR_INVALID_TTL);
    hears_nothing(&peer);
    disconnect(&peer);
}

static void controllers_get_packet_ins_by_identity_and_reason(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct fake_bridge *bridge = *state;
        struct of_message message;
        struct peer peer;
        struct buffer out = BUFFER_INIT;

        connect_peer(&peer, bridge, versions[i], OF_CONNECTION_CONTROLLER);
        assert_int_equal(of_server_wants_misses(bridge->server), versions[i] == OF_1_0);
        push_packet_in(bridge, 0, OFPR_NO_MATCH);
        hear_kind(&peer, OF_PACKET_IN, &message);
        push_packet_in(bridge, 0, OFPR_INVALID_TTL);
        hears_nothing(&peer);
        of_encode_set_controller_id(7, versions[i], 3, &out);
        say(&peer, &out);
        hears_nothing(&peer);
        push_packet_in(bridge, 0, OFPR_ACTION);
        hears_nothing(&peer);
        push_packet_in(bridge, 7, OFPR_ACTION);
        hear_kind(&peer, OF_PACKET_IN, &message);
        disconnect(&peer);
    }
}

static void unread_packet_ins_are_dropped_and_counted(void **state)
{
    struct fake_bridge *bridge = *state;
    struct of_server_stats stats;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_3, OF_CONNECTION_CONTROLLER);
    for (int i = 0; i < 20000; i++)
        push_packet_in(bridge, 0, OFPR_ACTION);
    of_server_get_stats(bridge->server, &stats);
    assert_int_equal(stats.n_packet_ins + stats.n_packet_ins_dropped, 20000);
    assert_true(stats.n_packet_ins_dropped > 1000);

    /* 100 wait; now others may, too. */
    uint64_t n_before = stats.n_packet_ins;
    of_server_set_packet_in_queue(bridge->server, OF_PACKET_IN_QUEUE_DEFAULT + 45);
    for (int i = 0; i < 1000; i++)
        push_packet_in(bridge, 0, OFPR_ACTION);
    of_server_get_stats(bridge->server, &stats);
    assert_int_equal(stats.n_packet_ins, n_before + 45);
    for (uint64_t i = 0; i < stats.n_packet_ins; i++) {
        struct of_message message;
        hear_kind(&peer, OF_PACKET_IN, &message);
    }
    hears_nothing(&peer);
    disconnect(&peer);
}

static void controller_hears_of_ports_and_removed_flows(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct fake_bridge *bridge = *state;
        struct of_flow_removed removed;
        struct of_port_info port;
        struct of_message message;
        struct peer peer;
        uint8_t reason;

        connect_peer(&peer, bridge, versions[i], OF_CONNECTION_CONTROLLER);
        of_server_port_status(bridge->server, OFPPR_MODIFY, &bridge->ports[0]);
        hear_kind(&peer, OF_PORT_STATUS, &message);
        assert_int_equal(of_decode_port_status(&message, &reason, &port), OF_OK);
        assert_int_equal(reason, OFPPR_MODIFY);
        assert_int_equal(port.port, 1);

        say_flow_mod(&peer, OFFC_ADD, 1, 0);
        say_flow_mod(&peer, OFFC_ADD, 2, OFFF_SEND_FLOW_REM);
        say_flow_mod(&peer, OFFC_DELETE, 0, 0);
        hear_kind(&peer, OF_FLOW_REMOVED, &message);
        assert_int_equal(of_decode_flow_removed(&message, &removed), OF_OK);
        assert_int_equal(removed.reason, OFRR_DELETE);
        assert_int_equal(be32_host(removed.match.flow.key.nw_dst), 2);
        hears_nothing(&peer);
        disconnect(&peer);
    }
}

static void port_mod_is_checked_and_told(void **state)
{
    struct fake_bridge *bridge = *state;
    struct of_port_mod mod = {
        .port = 1, .mac = bridge->ports[0].mac, .config = OFPPC_NO_FLOOD, .mask = OFPPC_NO_FLOOD};
    struct buffer out = BUFFER_INIT;
    struct of_message message;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_0, OF_CONNECTION_CONTROLLER);
    of_encode_port_mod(&mod, OF_1_0, 1, &out);
    say(&peer, &out);
    hear_kind(&peer, OF_PORT_STATUS, &message);
    assert_int_equal(bridge->ports[0].config, OFPPC_NO_FLOOD);
    mod.mac.bytes[5] = 99;
    of_encode_port_mod(&mod, OF_1_0, 1, &out);
    say(&peer, &out);
    hear_error(&peer, OFPPMFC_BAD_HW_ADDR);
    mod.port = 9;
    of_encode_port_mod(&mod, OF_1_0, 1, &out);
    say(&peer, &out);
    hear_error(&peer, OFPPMFC_BAD_PORT);
    disconnect(&peer);
}

/* Roles */

static void say_role(struct peer *peer, enum of_role role, uint64_t generation_id)
{
    const struct of_role_request request = {role, peer->protocol.version > OF_1_0, generation_id};
    struct buffer out = BUFFER_INIT;

    of_encode_role(&request, OF_ROLE_REQUEST, peer->protocol.version, 1, &out);
    say(peer, &out);
}

static void hear_role(struct peer *peer, enum of_role expected)
{
    struct of_role_request reply;
    struct of_message message;

    hear_kind(peer, OF_ROLE_REPLY, &message);
    assert_int_equal(of_decode_role(&message, &reply), OF_OK);
    assert_int_equal(reply.role, expected);
}

static void new_primary_makes_the_old_one_secondary(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        struct fake_bridge *bridge = *state;
        struct of_message message;
        struct peer one, two;

        connect_peer(&one, bridge, versions[i], OF_CONNECTION_CONTROLLER);
        connect_peer(&two, bridge, versions[i], OF_CONNECTION_CONTROLLER);
        say_role(&one, OF_ROLE_NOCHANGE, 0);
        hear_role(&one, OF_ROLE_EQUAL);
        say_role(&one, OF_ROLE_PRIMARY, 10);
        hear_role(&one, OF_ROLE_PRIMARY);
        say_role(&two, OF_ROLE_PRIMARY, 11);
        hear_role(&two, OF_ROLE_PRIMARY);
        if (versions[i] > OF_1_0) { /* 1.0 cannot ask without changing. */
            say_role(&one, OF_ROLE_NOCHANGE, 0);
            hear_role(&one, OF_ROLE_SECONDARY);
        }
        say_flow_mod(&one, OFFC_ADD, 1, 0);
        /* The same number in 1.0. */
        hear_error(&one, versions[i] == OF_1_0 ? OFPBRC_EPERM : OFPBRC_IS_SECONDARY);
        say_flow_mod(&two, OFFC_ADD, 1, 0);
        hears_nothing(&two);
        push_packet_in(bridge, 0, OFPR_ACTION);
        hears_nothing(&one);
        hear_kind(&two, OF_PACKET_IN, &message);

        if (versions[i] > OF_1_0) {
            say_role(&one, OF_ROLE_PRIMARY, 10);
            hear_error(&one, OFPRRFC_STALE);
        }
        disconnect(&one);
        disconnect(&two);
    }
}

/* Controllers */

static struct of_controller_status status_of(struct fake_bridge *bridge, const char *target)
{
    struct of_controller_status status;

    assert_true(of_server_get_controller_status(bridge->server, target, &status));
    return status;
}

static void server_connects_to_its_controllers(void **state)
{
    struct fake_bridge *bridge = *state;
    char directory[] = "/tmp/of_server_testXXXXXX", path[64], target[80];
    struct error error = ERROR_INIT;
    struct of_message message;
    struct peer peer = {.bridge = bridge, .protocol.version = OF_1_3};
    struct buffer out = BUFFER_INIT;

    assert_non_null(mkdtemp(directory));
    rundir_set(directory);
    snprintf(path, sizeof path, "%s/c", directory);
    snprintf(target, sizeof target, "unix:%s", path);
    int listener = unix_socket_listen(path, 0600, &error);
    assert_true(listener >= 0);

    const struct of_controller controllers[] = {
        {.target = target, .has_inactivity = true, .inactivity_ms = 20},
        {.target = "tcp:nonsense:x"},
    };
    of_server_set_controllers(bridge->server, controllers, ARRAY_SIZE(controllers));
    assert_non_null(status_of(bridge, "tcp:nonsense:x").last_error);
    assert_false(status_of(bridge, target).is_connected);
    for (int i = 0; i < MAX_ROUNDS && (peer.fd = unix_socket_accept(listener)) < 0; i++)
        round_of(bridge);
    of_encode_hello(OF_VERSION_BIT(OF_1_3), 1, &out);
    say(&peer, &out);
    hear_kind(&peer, OF_HELLO, &message);
    hears_nothing(&peer);
    assert_true(status_of(bridge, target).is_connected);
    assert_string_equal(status_of(bridge, target).state, "ACTIVE");
    assert_true(of_server_has_controller(bridge->server));

    /* It is probed when it says nothing, and given up when it does not answer. */
    unsigned int n_idle = 0;
    while (of_server_has_controller(bridge->server)) {
        n_idle += !strcmp(status_of(bridge, target).state, "IDLE");
        urcu_qsbr_quiescent_state();
        ev_run(bridge->loop, EVRUN_ONCE);
    }
    assert_true(n_idle > 0);
    hear_kind(&peer, OF_ECHO_REQUEST, &message);
    assert_false(hear(&peer, &message));
    assert_string_equal(status_of(bridge, target).state, "BACKOFF");
    assert_string_equal(status_of(bridge, target).last_error, "Connection timed out");
    disconnect(&peer);

    of_server_set_controllers(bridge->server, NULL, 0);
    struct of_controller_status status;
    assert_false(of_server_get_controller_status(bridge->server, target, &status));
    close(listener);
    unlink(path);
    rmdir(directory);
}

static void targets_are_understood_or_refused(void **state UNUSED)
{
    static const struct {
        const char *target;
        bool is_valid, is_passive;
    } cases[] = {
        {"tcp:127.0.0.1", true, false},
        {"tcp:127.0.0.1:6633", true, false},
        {"tcp:[::1]:6653", true, false},
        {"tcp:::1", true, false},
        {"ptcp:", true, true},
        {"ptcp:6653", true, true},
        {"ptcp:6653:[::1]", true, true},
        {"ptcp::127.0.0.1", true, true},
        {"unix:/run/of_test/x", true, false},
        {"unix:x", true, false},
        {"punix:x.controller", true, true},
        {"punix:/run/of_test/x", true, true},
        {"punix:/tmp/x", false, false},
        {"unix:/run/docker.sock", false, false},
        {"unix:../x", false, false},
        {"unix:/run/of_test/../x", false, false},
        {"unix:/run/of_test/", false, false},
        {"unix:/run/of_testing/x", false, false},
        {"unix:..", false, false},
        {"tcp:", false, false},
        {"tcp:host.example:1", false, false},
        {"tcp:1.2.3.4:99999", false, false},
        {"unix:", false, false},
        {"ssl:1.2.3.4", true, false},
        {"pssl::[::1]", true, true},
        {"ssl:", false, false},
        {"tls:1.2.3.4", false, false},
        {"", false, false},
        {"tcp:[::1", false, false},
    };

    rundir_set("/run/of_test");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error error = ERROR_INIT;
        struct socket_address *address = socket_address_parse(cases[i].target, 6653, &error);
        if (!!address != cases[i].is_valid)
            fail_msg("%s", cases[i].target);
        if (address)
            assert_int_equal(address->is_passive, cases[i].is_passive);
        else
            assert_true(error.code == -EINVAL || error.code == -EACCES);
        socket_address_destroy(address);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(management_connection_gets_packet_ins_once_it_asked),
        TEST(invalid_ttl_is_told_to_those_who_asked_for_it),
        TEST(controllers_get_packet_ins_by_identity_and_reason),
        TEST(unread_packet_ins_are_dropped_and_counted),
        TEST(controller_hears_of_ports_and_removed_flows),
        TEST(port_mod_is_checked_and_told),
        TEST(new_primary_makes_the_old_one_secondary),
        TEST(server_connects_to_its_controllers),
        cmocka_unit_test(targets_are_understood_or_refused),
    };

    log_set_levels("console:off", NULL);
    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}
