/* SPDX-License-Identifier: Apache-2.0 */

/* Who watches what a bridge and its controllers say to each other, and what it sees. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/log.h"
#include "lib/rundir.h"
#include "lib/unix_socket.h"
#include "tests/unit/vswitchd/of_peer.h"
#include "vswitchd/of_snoop.h"

static void connect_snooper_raw(struct peer *snooper, struct fake_bridge *bridge)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    of_snoop_adopt_take(bridge->server, fds[0]);
    *snooper = (struct peer){.bridge = bridge, .fd = fds[1]};
}

static void greet_as_snooper(struct peer *snooper)
{
    struct buffer out = BUFFER_INIT;
    struct of_message message;

    of_encode_hello(OF_VERSION_BIT(OF_1_0), 1, &out);
    say(snooper, &out);
    hear_kind(snooper, OF_HELLO, &message);
    round_of(snooper->bridge);
    round_of(snooper->bridge);
}

static void connect_snooper(struct peer *snooper, struct fake_bridge *bridge)
{
    connect_snooper_raw(snooper, bridge);
    greet_as_snooper(snooper);
}

static void say_echo(struct peer *peer, uint32_t xid)
{
    struct buffer out = BUFFER_INIT;

    of_encode_echo_request(peer->protocol.version, xid, NULL, 0, &out);
    say(peer, &out);
}

static void say_role(struct peer *peer, enum of_role role)
{
    const struct of_role_request request = {.role = role};
    struct buffer out = BUFFER_INIT;

    of_encode_role(&request, OF_ROLE_REQUEST, peer->protocol.version, 5, &out);
    say(peer, &out);
}

/* What the snooper hears next. */
static void sees(struct peer *snooper, enum of_message_kind kind, uint32_t xid)
{
    struct of_message message;

    hear_kind(snooper, kind, &message);
    assert_int_equal(message.xid, xid);
}

static void is_sent_away(struct peer *snooper)
{
    struct of_message message;

    while (hear(snooper, &message))
        assert_int_equal(message.kind, OF_HELLO);
    disconnect(snooper);
}

static void both_directions_are_seen_in_their_order(void **state)
{
    struct fake_bridge *bridge = *state;
    struct peer controller, manager, snooper;

    connect_peer(&controller, bridge, OF_1_3, OF_CONNECTION_CONTROLLER);
    connect_peer(&manager, bridge, OF_1_3, OF_CONNECTION_MANAGEMENT);
    hears_nothing(&controller); /* Before anybody looks. */
    connect_snooper(&snooper, bridge);
    hears_nothing(&manager); /* Not a controller. */
    say_echo(&controller, 3);
    say_empty(&controller, OF_FEATURES_REQUEST, 4);
    say_empty(&controller, OF_BARRIER_REQUEST, 5);
    sees(&snooper, OF_ECHO_REQUEST, 3);
    sees(&snooper, OF_ECHO_REPLY, 3);
    sees(&snooper, OF_FEATURES_REQUEST, 4);
    sees(&snooper, OF_FEATURES_REPLY, 4);
    sees(&snooper, OF_BARRIER_REQUEST, 5);
    sees(&snooper, OF_BARRIER_REPLY, 5);
    of_server_port_status(bridge->server, OFPPR_MODIFY, &bridge->ports[0]);
    sees(&snooper, OF_PORT_STATUS, 0);
    disconnect(&snooper);
    disconnect(&manager);
    disconnect(&controller);
}

static void the_primary_controller_is_watched_and_secondary_ones_last(void **state)
{
    struct fake_bridge *bridge = *state;
    struct peer first, second, snooper;

    connect_peer(&first, bridge, OF_1_3, OF_CONNECTION_CONTROLLER);
    connect_peer(&second, bridge, OF_1_3, OF_CONNECTION_CONTROLLER);
    say_role(&first, OF_ROLE_SECONDARY);
    hears_nothing(&second);
    connect_snooper(&snooper, bridge);
    say_echo(&first, 1);
    say_echo(&second, 2);
    sees(&snooper, OF_ECHO_REQUEST, 2);
    disconnect(&snooper);

    say_role(&first, OF_ROLE_PRIMARY);
    say_echo(&first, 3);
    round_of(bridge);
    connect_snooper(&snooper, bridge);
    say_echo(&second, 4);
    say_echo(&first, 5);
    sees(&snooper, OF_ECHO_REQUEST, 5);
    disconnect(&snooper);
    disconnect(&first);
    disconnect(&second);
}

static void snoopers_without_a_controller_are_sent_away(void **state)
{
    struct fake_bridge *bridge = *state;
    struct peer controller, snooper;

    connect_snooper_raw(&snooper, bridge);
    is_sent_away(&snooper);
    connect_peer(&controller, bridge, OF_1_0, OF_CONNECTION_CONTROLLER);
    hears_nothing(&controller);
    connect_snooper(&snooper, bridge);
    disconnect(&controller);
    is_sent_away(&snooper);
}

static void snoopers_must_say_hello_and_are_not_too_many(void **state)
{
    struct peer controller, snoopers[OF_SNOOPERS_MAX], other;
    struct fake_bridge *bridge = *state;

    connect_peer(&controller, bridge, OF_1_0, OF_CONNECTION_CONTROLLER);
    hears_nothing(&controller);
    connect_snooper_raw(&other, bridge);
    other.protocol.version = OF_1_0;
    say_echo(&other, 1);
    is_sent_away(&other);
    for (size_t i = 0; i < OF_SNOOPERS_MAX; i++)
        connect_snooper(&snoopers[i], bridge);
    connect_snooper_raw(&other, bridge);
    is_sent_away(&other);
    say_echo(&controller, 7);
    for (size_t i = 0; i < OF_SNOOPERS_MAX; i++) {
        sees(&snoopers[i], OF_ECHO_REQUEST, 7);
        disconnect(&snoopers[i]);
    }
    round_of(bridge);
    connect_snooper(&other, bridge);
    disconnect(&other);
    disconnect(&controller);
}

static void one_who_does_not_read_is_sent_away_and_disturbs_nobody(void **state)
{
    struct fake_bridge *bridge = *state;
    struct peer controller, sleeper, reader;
    struct of_message message;
    size_t n_seen = 0;

    connect_peer(&controller, bridge, OF_1_3, OF_CONNECTION_CONTROLLER);
    hears_nothing(&controller);
    connect_snooper(&sleeper, bridge);
    connect_snooper(&reader, bridge);
    const size_t n_echoes = 2 * OF_SNOOP_MAX_OUTPUT / 60000;
    for (uint32_t i = 0; i < n_echoes; i++) {
        struct buffer out = BUFFER_INIT;
        static const uint8_t payload[60000];

        of_encode_echo_request(OF_1_3, i, payload, sizeof payload, &out);
        say(&controller, &out);
        hear_kind(&controller, OF_ECHO_REPLY, &message);
        sees(&reader, OF_ECHO_REQUEST, i);
        sees(&reader, OF_ECHO_REPLY, i);
    }
    while (hear(&sleeper, &message))
        n_seen++;
    assert_in_range(n_seen, 1, 2 * n_echoes - 1);
    disconnect(&sleeper);
    disconnect(&reader);
    disconnect(&controller);
}

static void accept_controller(struct peer *peer, struct fake_bridge *bridge, int listener)
{
    struct buffer out = BUFFER_INIT;
    struct of_message message;

    *peer = (struct peer){.bridge = bridge, .fd = -1, .protocol.version = OF_1_3};
    for (int64_t end_ns = clock_now_ns() + 60 * SECOND_NS; peer->fd < 0 && clock_now_ns() < end_ns;
         peer->fd = unix_socket_accept(listener))
        round_of(bridge);
    assert_true(peer->fd >= 0);
    of_encode_hello(OF_VERSION_BIT(OF_1_3), 1, &out);
    say(peer, &out);
    hear_kind(peer, OF_HELLO, &message);
    hears_nothing(peer);
}

static void a_snooper_stays_while_its_controller_comes_and_goes(void **state)
{
    char directory[] = "/tmp/of_snoop_test.XXXXXX", path[64], target[80];
    struct fake_bridge *bridge = *state;
    struct peer controller, snooper;
    struct error error = ERROR_INIT;

    assert_non_null(mkdtemp(directory));
    rundir_set(directory);
    snprintf(path, sizeof path, "%s/controller", directory);
    snprintf(target, sizeof target, "unix:%s", path);
    int listener = unix_socket_listen(path, 0600, &error);
    const struct of_controller controllers[] = {
        {.target = target, .has_inactivity = true, .inactivity_ms = 0}};
    of_server_set_controllers(bridge->server, controllers, 1);

    accept_controller(&controller, bridge, listener);
    connect_snooper(&snooper, bridge);
    disconnect(&controller);
    of_server_reconnect(bridge->server); /* Does not wait for the back-off. */
    accept_controller(&controller, bridge, listener);
    sees(&snooper, OF_ECHO_REQUEST, 77); /* Of hears_nothing(). */
    sees(&snooper, OF_ECHO_REPLY, 77);
    of_server_set_controllers(bridge->server, NULL, 0);
    is_sent_away(&snooper);
    disconnect(&controller);
    close(listener);
    unlink(path);
    rmdir(directory);
}

static int setup(void **state)
{
    urcu_qsbr_register_thread();
    *state = fake_bridge_create(NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    fake_bridge_destroy(*state);
    urcu_qsbr_quiescent_state();
    urcu_qsbr_unregister_thread();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(both_directions_are_seen_in_their_order),
        TEST(the_primary_controller_is_watched_and_secondary_ones_last),
        TEST(snoopers_without_a_controller_are_sent_away),
        TEST(snoopers_must_say_hello_and_are_not_too_many),
        TEST(one_who_does_not_read_is_sent_away_and_disturbs_nobody),
        TEST(a_snooper_stays_while_its_controller_comes_and_goes),
    };

    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
