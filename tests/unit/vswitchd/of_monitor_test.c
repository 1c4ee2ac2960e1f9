/* SPDX-License-Identifier: Apache-2.0 */

/* Flow monitors: who is told of which change, in the three forms. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/openflow/flow_monitor.h"
#include "tests/unit/vswitchd/of_peer.h"
#include "vswitchd/of_dump.h"
#include "vswitchd/of_monitor.h"
#include "vswitchd/of_server_state.h"

enum { ALL_FLAGS = OFMON_INITIAL | OFMON_ADD | OFMON_REMOVED | OFMON_MODIFY | OFMON_ACTIONS };

static const enum of_version every_version[] = {OF_1_0, OF_1_1, OF_1_2, OF_1_3, OF_1_4, OF_1_5};

static void say_monitor(struct peer *peer, uint32_t id, uint16_t flags)
{
    const struct of_monitor_request request = {
        .monitor_id = id,
        .flags = flags,
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = (uint32_t)OF_GROUP_ANY,
    };
    struct buffer out = BUFFER_INIT;

    of_encode_monitor_request(&request, peer->protocol.version, 8, &out);
    say(peer, &out);
}

/* Updates of the next message; 'last' is the last of them. */
static size_t hear_updates(struct peer *peer, struct of_flow_update *last)
{
    struct buffer actions = BUFFER_INIT;
    struct of_flow_update update;
    struct of_message message;
    struct of_items items;
    size_t n = 0;

    hear_kind(peer, OF_MONITOR_REPLY, &message);
    of_items_init(&items, &message);
    while (of_next_update(&items, &actions, &update)) {
        *last = update;
        n++;
    }
    assert_int_equal(items.error, OF_OK);
    buffer_fini(&actions);
    return n;
}

static void expect_update(struct peer *peer, enum of_update_event event)
{
    struct of_flow_update update;

    assert_int_equal(hear_updates(peer, &update), 1);
    assert_int_equal(update.event, event);
}

static void changes_of_others_are_told_in_full(void **state)
{
    struct fake_bridge *bridge = *state;
    struct of_flow_update update;
    struct peer watcher, other;

    for (size_t i = 0; i < ARRAY_SIZE(every_version); i++) {
        enum of_version version = every_version[i];

        connect_peer(&other, bridge, version, OF_CONNECTION_MANAGEMENT);
        connect_peer(&watcher, bridge, version, OF_CONNECTION_MANAGEMENT);
        say_flow_mod(&other, OFFC_ADD, 1, 0);
        hears_nothing(&other);
        say_monitor(&watcher, 1, ALL_FLAGS);
        assert_int_equal(hear_updates(&watcher, &update), 1);
        assert_int_equal(update.event, version >= OF_1_4 ? OF_UPDATE_INITIAL : OF_UPDATE_ADDED);
        assert_int_equal(be32_host(update.match.flow.key.nw_dst), 1);

        say_flow_mod(&other, OFFC_ADD, 2, 0);
        hears_nothing(&other);
        expect_update(&watcher, OF_UPDATE_ADDED);
        say_flow_mod(&other, OFFC_DELETE, 2, 0);
        hears_nothing(&other);
        expect_update(&watcher, OF_UPDATE_REMOVED);
        hears_nothing(&other);

        /* Its own are told in brief, each message once; without actions where it did not ask. */
        say_flow_mod(&watcher, OFFC_ADD, 3, 0);
        assert_int_equal(hear_updates(&watcher, &update), 1);
        assert_int_equal(update.event, OF_UPDATE_ABBREVIATED);
        say_flow_mod(&watcher, OFFC_DELETE, 0, 0);
        assert_int_equal(hear_updates(&watcher, &update), 1);
        assert_int_equal(update.event, OF_UPDATE_ABBREVIATED);
        hears_nothing(&watcher);
        disconnect(&watcher);
        disconnect(&other);
    }
}

static void monitors_end_when_cancelled(void **state)
{
    struct fake_bridge *bridge = *state;
    struct buffer out = BUFFER_INIT;
    struct of_flow_update update;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_0, OF_CONNECTION_MANAGEMENT);
    say_monitor(&peer, 5, OFMON_ADD | OFMON_OWN);
    assert_int_equal(hear_updates(&peer, &update), 0);
    say_monitor(&peer, 5, OFMON_ADD);
    hear_error(&peer, OFPMOFC_MONITOR_EXISTS);
    say_flow_mod(&peer, OFFC_ADD, 1, 0);
    expect_update(&peer, OF_UPDATE_ADDED);
    of_encode_monitor_cancel(5, OF_1_0, 9, &out);
    say(&peer, &out);
    say_flow_mod(&peer, OFFC_ADD, 2, 0);
    hears_nothing(&peer);
    of_encode_monitor_cancel(5, OF_1_0, 9, &out);
    say(&peer, &out);
    hear_error(&peer, OFPMOFC_UNKNOWN_MONITOR);
    disconnect(&peer);
}

static void monitors_are_bounded(void **state)
{
    struct fake_bridge *bridge = *state;
    struct of_flow_update update;
    struct peer peer;

    connect_peer(&peer, bridge, OF_1_3, OF_CONNECTION_MANAGEMENT);
    for (uint32_t i = 0; i < OF_MONITORS_MAX; i++) {
        say_monitor(&peer, i, OFMON_ADD);
        assert_int_equal(hear_updates(&peer, &update), 0);
    }
    say_monitor(&peer, OF_MONITORS_MAX, OFMON_ADD);
    hear_error(&peer, OFPBRC_EPERM);
    disconnect(&peer);
}

/* A client that reads little, and what it has been told: flows are known by the address they match. */

enum { N_ADDRESSES = 300, MAX_NOTE_BYTES = 1000, SMALL_BUFFER = 4096 };

struct known {
    bool is_there;
    uint64_t cookie;
    size_t n_bytes; /* Of actions. */
};

struct follower {
    struct peer peer;
    struct known flows[N_ADDRESSES];
    bool is_paused;
    unsigned int n_paused, n_echoes;
};

static void note_state(struct follower *follower, bool is_paused)
{
    assert_int_equal(follower->is_paused, !is_paused);
    follower->is_paused = is_paused;
    follower->n_paused += is_paused;
}

static void follow_update(struct follower *follower, const struct of_flow_update *update)
{
    struct known *known = &follower->flows[be32_host(update->match.flow.key.nw_dst) % N_ADDRESSES];

    if (update->event >= OF_UPDATE_PAUSED) {
        note_state(follower, update->event == OF_UPDATE_PAUSED);
        return;
    }
    assert_int_not_equal(update->event, OF_UPDATE_ABBREVIATED);
    *known = (struct known){
        .is_there = update->event != OF_UPDATE_REMOVED,
        .cookie = update->cookie.raw,
        .n_bytes = update->actions.n_bytes,
    };
}

static void follow_message(struct follower *follower, const struct of_message *message)
{
    struct buffer actions = BUFFER_INIT;
    struct of_flow_update update;
    struct of_items items;

    if (message->kind == OF_MONITOR_PAUSED || message->kind == OF_MONITOR_RESUMED) {
        note_state(follower, message->kind == OF_MONITOR_PAUSED);
    } else if (message->kind == OF_ECHO_REPLY) {
        follower->n_echoes++;
    } else {
        assert_int_equal(message->kind, OF_MONITOR_REPLY);
        of_items_init(&items, message);
        while (of_next_update(&items, &actions, &update))
            follow_update(follower, &update);
        assert_int_equal(items.error, OF_OK);
    }
    buffer_fini(&actions);
}

/* At most so many bytes, if there are any. */
static void follow_some(struct follower *follower, size_t n_bytes)
{
    struct buffer *input = &follower->peer.input;
    struct of_message message;
    size_t n_done = 0;

    buffer_reserve(input, n_bytes);
    ssize_t n = recv(follower->peer.fd, input->data + input->size, n_bytes, MSG_DONTWAIT);
    assert_true(n > 0 || (n < 0 && errno == EAGAIN)); /* The connection stays. */
    input->size += n > 0 ? (size_t)n : 0;
    for (int length; (length = of_frame_length(input->data + n_done, input->size - n_done)) > 0;) {
        assert_int_equal(of_decode_message(input->data + n_done, (size_t)length, &message), OF_OK);
        follow_message(follower, &message);
        n_done += (size_t)length;
    }
    buffer_pull(input, n_done);
    round_of(follower->peer.bridge);
}

static void follow_all(struct follower *follower)
{
    unsigned int n_echoes = follower->n_echoes + 1;
    struct buffer out = BUFFER_INIT;

    of_encode_echo_request(follower->peer.protocol.version, 77, NULL, 0, &out);
    say(&follower->peer, &out);
    while (follower->n_echoes < n_echoes || follower->is_paused)
        follow_some(follower, 65536);
}

static bool expect_known(struct rule *rule, void *follower_)
{
    struct follower *follower = follower_;
    struct match match;

    cls_rule_expand(&rule->cls, &match);
    struct known *known = &follower->flows[be32_host(match.flow.key.nw_dst) % N_ADDRESSES];
    assert_true(known->is_there);
    assert_int_equal(known->cookie, rule_cookie(rule).raw);
    assert_int_equal(known->n_bytes, rule_current_actions(rule).n_bytes);
    known->is_there = false;
    return true;
}

/* What it was told is what there is. */
static void expect_tables(const struct follower *follower)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL, .out_port = OFPP_NONE, .out_group = (uint32_t)OF_GROUP_ANY};
    struct follower copy = *follower;

    flow_tables_each(follower->peer.bridge->tables, &all, expect_known, &copy);
    for (size_t i = 0; i < N_ADDRESSES; i++)
        assert_false(copy.flows[i].is_there);
}

static void connect_follower(struct follower *follower, struct fake_bridge *bridge,
                             enum of_version version)
{
    int n_bytes = SMALL_BUFFER;
    int fds[2];

    memset(follower, 0, sizeof *follower);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof n_bytes), 0);
    of_server_adopt_take(bridge->server, fds[0], OF_CONNECTION_MANAGEMENT);
    follower->peer =
        (struct peer){.bridge = bridge, .fd = fds[1], .protocol = {.version = version}};

    struct buffer out = BUFFER_INIT;
    struct of_message message;
    of_encode_hello(OF_VERSION_BIT(version), 1, &out);
    say(&follower->peer, &out);
    hear_kind(&follower->peer, OF_HELLO, &message);
    buffer_pull(&follower->peer.input, follower->peer.n_received);
    follower->peer.n_received = 0;
    say_monitor(&follower->peer, 1, ALL_FLAGS | OFMON_OWN);
}

/* 'address' 0: of all flows. */
static void change(struct peer *peer, enum of_flow_command command, uint32_t address,
                   uint64_t cookie, size_t note_bytes)
{
    struct buffer out = BUFFER_INIT;
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    flow.command = (uint8_t)command;
    flow.table_id = peer->protocol.version == OF_1_0 ? OF_TABLE_ALL : 0;
    flow.new_cookie.raw = cookie;
    flow.modify_cookie = command != OFFC_ADD;
    flow.match.mask.key.eth_type = be16_from(UINT16_MAX);
    flow.match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    flow.match.mask.key.nw_dst = be32_from(address ? UINT32_MAX : 0);
    flow.match.flow.key.nw_dst = be32_from(address);
    struct ofa *note = ofa_put_longer(&flow.actions, OFA_NOTE,
                                      sizeof(struct ofa_note) + note_bytes);
    CONTAINER_OF(note, struct ofa_note, ofa)->n_bytes = (uint16_t)note_bytes;
    of_encode_flow_mod(&flow, &peer->protocol, 4, &out);
    of_flow_mod_fini(&flow);
    say(peer, &out);
}

static void change_at_random(struct peer *peer)
{
    uint32_t address = 1 + (uint32_t)rand() % (N_ADDRESSES - 1);
    unsigned int kind = (unsigned int)rand() % 1000;
    enum of_flow_command command = kind < 600 ? OFFC_ADD : kind < 800 ? OFFC_MODIFY : OFFC_DELETE;

    change(peer, command, kind == 999 ? 0 : address, (uint64_t)rand(),
           6 + 8 * ((size_t)rand() % (MAX_NOTE_BYTES / 8)));
}

static void a_client_that_stalls_knows_the_tables_in_the_end(void **state)
{
    struct fake_bridge *bridge = *state;
    struct follower follower;
    struct peer other;

    srand(1);
    for (size_t i = 0; i < ARRAY_SIZE(every_version); i++) {
        connect_peer(&other, bridge, every_version[i], OF_CONNECTION_MANAGEMENT);
        connect_follower(&follower, bridge, every_version[i]);
        follow_all(&follower);
        for (unsigned int j = 0; j < 100; j++) {
            for (int n = rand() % 100; n; n--)
                change_at_random(rand() % 8 ? &other : &follower.peer);
            if (rand() % 2)
                follow_some(&follower, 1 + (size_t)rand() % 20000);
            if (rand() % 32)
                continue;
            hears_nothing(&other);
            follow_all(&follower);
            expect_tables(&follower);
        }
        hears_nothing(&other);
        follow_all(&follower);
        expect_tables(&follower);
        assert_true(follower.n_paused > 0);
        disconnect(&follower.peer);
        disconnect(&other);
    }
}

static size_t longest_output(const struct fake_bridge *bridge)
{
    const struct of_connection *connection;
    size_t n_bytes = 0;

    cds_list_for_each_entry (connection, &bridge->server->connections, node) {
        if (of_connection_pending(connection) > n_bytes)
            n_bytes = of_connection_pending(connection);
    }
    return n_bytes;
}

static void the_first_answer_is_made_while_it_is_read(void **state)
{
    struct fake_bridge *bridge = *state;
    struct follower follower;
    struct peer other;

    srand(1);
    for (size_t i = 0; i < ARRAY_SIZE(every_version); i++) {
        connect_peer(&other, bridge, every_version[i], OF_CONNECTION_MANAGEMENT);
        for (uint32_t address = 1; address < N_ADDRESSES; address++)
            change(&other, OFFC_ADD, address, address, MAX_NOTE_BYTES - 2);
        hears_nothing(&other);
        connect_follower(&follower, bridge, every_version[i]);
        for (unsigned int j = 0; j < 60; j++) {
            follow_some(&follower, 1 + (size_t)rand() % 10000);
            assert_in_range(longest_output(bridge), j < 10 ? 1 : 0,
                            2 * OF_DUMP_PIECE_BYTES + (j ? OF_MONITORS_PAUSE_BYTES : 0));
            for (int n = rand() % 4; n; n--)
                change_at_random(&other);
        }
        hears_nothing(&other);
        follow_all(&follower);
        expect_tables(&follower);
        disconnect(&follower.peer);
        disconnect(&other);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(changes_of_others_are_told_in_full),
        TEST(monitors_end_when_cancelled),
        TEST(monitors_are_bounded),
        TEST(a_client_that_stalls_knows_the_tables_in_the_end),
        TEST(the_first_answer_is_made_while_it_is_read),
    };

    log_set_levels("console:off", NULL);
    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}
