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
#include "vswitchd/of_monitor.h"

enum { ALL_FLAGS = OFMON_INITIAL | OFMON_ADD | OFMON_REMOVED | OFMON_MODIFY | OFMON_ACTIONS };

static const enum of_version with_monitors[] = {OF_1_0, OF_1_3, OF_1_4, OF_1_5};

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

    for (size_t i = 0; i < ARRAY_SIZE(with_monitors); i++) {
        enum of_version version = with_monitors[i];

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(changes_of_others_are_told_in_full),
        TEST(monitors_end_when_cancelled),
        TEST(monitors_are_bounded),
    };

    log_set_levels("console:off", NULL);
    urcu_qsbr_register_thread();
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    urcu_qsbr_barrier();
    urcu_qsbr_unregister_thread();
    return result;
}
