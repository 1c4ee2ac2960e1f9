/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_peer - the other end of an OpenFlow connection, in the same thread: it says and hears messages while it
 * keeps the server's loop running.
 *
 * Include behind cmocka.h; each test program has its own copy. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/vswitchd/fake_bridge.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/vendor.h"

/* The other end of a connection. */
struct peer {
    struct fake_bridge *bridge;
    int fd;
    struct of_protocol protocol;
    struct buffer input; /* The message last received is at its start. */
    size_t n_received;   /* Bytes of that message. */
};

static inline void round_of(struct fake_bridge *bridge)
{
    urcu_qsbr_quiescent_state();
    ev_run(bridge->loop, EVRUN_NOWAIT);
}

static inline void say(struct peer *peer, struct buffer *bytes)
{
    size_t n_sent = 0;

    while (n_sent < bytes->size) {
        ssize_t n = send(peer->fd, bytes->data + n_sent, bytes->size - n_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            n_sent += (size_t)n;
        else
            round_of(peer->bridge);
    }
    buffer_fini(bytes);
}

enum { MAX_ROUNDS = 2000 };

/* The next message, or false if the server has closed the connection. */
static inline bool hear(struct peer *peer, struct of_message *message)
{
    buffer_pull(&peer->input, peer->n_received);
    peer->n_received = 0;
    for (int i = 0; i < MAX_ROUNDS; i++) {
        int length = of_frame_length(peer->input.data, peer->input.size);
        if (length > 0) {
            peer->n_received = (size_t)length;
            assert_int_equal(of_decode_message(peer->input.data, peer->n_received, message), OF_OK);
            return true;
        }
        assert_int_equal(length, 0);
        buffer_reserve(&peer->input, 65536);
        ssize_t n = recv(peer->fd, peer->input.data + peer->input.size, 65536, MSG_DONTWAIT);
        if (!n || (n < 0 && errno == ECONNRESET))
            return false;
        if (n > 0)
            peer->input.size += (size_t)n;
        else
            round_of(peer->bridge);
    }
    fail_msg("the server says nothing");
    return false;
}

static inline void hear_kind(struct peer *peer, enum of_message_kind kind,
                             struct of_message *message)
{
    assert_true(hear(peer, message));
    assert_int_equal(message->kind, kind);
}

static inline void hear_error(struct peer *peer, enum of_error expected)
{
    struct of_message message;
    struct of_error_info info;

    hear_kind(peer, OF_ERROR, &message);
    assert_int_equal(of_decode_error(message.whole, message.n_bytes, &info), OF_OK);
    assert_string_equal(of_error_name(info.error), of_error_name(expected));
}

static inline void say_empty(struct peer *peer, enum of_message_kind kind, uint32_t xid)
{
    struct buffer out = BUFFER_INIT;

    of_encode_empty(kind, peer->protocol.version, xid, &out);
    say(peer, &out);
}

/* Nothing but the answer to an echo comes. */
static inline void hears_nothing(struct peer *peer)
{
    struct buffer out = BUFFER_INIT;
    struct of_message message;

    of_encode_echo_request(peer->protocol.version, 77, NULL, 0, &out);
    say(peer, &out);
    hear_kind(peer, OF_ECHO_REPLY, &message);
    assert_int_equal(message.xid, 77);
}

static inline void connect_raw(struct peer *peer, struct fake_bridge *bridge,
                               enum of_connection_sort sort)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    of_server_adopt_take(bridge->server, fds[0], sort);
    *peer = (struct peer){.bridge = bridge, .fd = fds[1]};
}

static inline void connect_peer(struct peer *peer, struct fake_bridge *bridge,
                                enum of_version version, enum of_connection_sort sort)
{
    struct buffer out = BUFFER_INIT;
    struct of_message message;

    connect_raw(peer, bridge, sort);
    peer->protocol = (struct of_protocol){.version = version};
    of_encode_hello(OF_VERSION_BIT(version), 1, &out);
    say(peer, &out);
    hear_kind(peer, OF_HELLO, &message);
}

static inline void disconnect(struct peer *peer)
{
    close(peer->fd);
    buffer_fini(&peer->input);
    round_of(peer->bridge);
}

static inline void say_config(struct peer *peer, enum of_frag_mode frag_mode,
                              uint16_t miss_send_bytes)
{
    const struct of_switch_config config = {frag_mode, miss_send_bytes, false};
    struct buffer out = BUFFER_INIT;

    of_encode_switch_config(&config, OF_SET_CONFIG, peer->protocol.version, 2, &out);
    say(peer, &out);
}

static inline void put_flow_mod(struct peer *peer, enum of_flow_command command, uint32_t address,
                                uint16_t flags, struct buffer *out)
{
    struct of_flow_mod flow;

    of_flow_mod_init(&flow);
    flow.command = (uint8_t)command;
    flow.flags = flags;
    flow.table_id = peer->protocol.version == OF_1_0 ? OF_TABLE_ALL : 0;
    flow.match.mask.key.eth_type = be16_from(UINT16_MAX);
    flow.match.flow.key.eth_type = be16_from(ETH_TYPE_IPV4);
    flow.match.mask.key.nw_dst = be32_from(address ? UINT32_MAX : 0);
    flow.match.flow.key.nw_dst = be32_from(address);
    if (command == OFFC_ADD) {
        struct ofa_output *output = buffer_put_zeros(&flow.actions, sizeof *output);
        output->ofa = (struct ofa){.type = OFA_OUTPUT, .n_bytes = sizeof *output};
        output->port = 1;
    }
    of_encode_flow_mod(&flow, &peer->protocol, 4, out);
    of_flow_mod_fini(&flow);
}

static inline void say_flow_mod(struct peer *peer, enum of_flow_command command, uint32_t address,
                                uint16_t flags)
{
    struct buffer out = BUFFER_INIT;

    put_flow_mod(peer, command, address, flags, &out);
    say(peer, &out);
}

static inline int set_up(void **state)
{
    *state = fake_bridge_create(NULL, 0);
    return 0;
}

static inline int tear_down(void **state)
{
    fake_bridge_destroy(*state);
    return 0;
}

static const enum of_version versions[] = {OF_1_0, OF_1_3};
