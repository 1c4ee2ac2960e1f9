/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_server_targets - the controllers of a bridge, and how we come to talk to them.
 *
 * An active target ("tcp:", "ssl:", "unix:") is connected to, and again after a pause that doubles from one second
 * to 'max_backoff_ms' whenever that fails or the connection breaks.  A passive one ("ptcp:",
 * "pssl:", "punix:") is listened on; each peer that comes is a controller connection.
 *
 * Threads  The main thread.
 * Memory   Owned by the server's list; a target's connections are closed before it goes. */

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <urcu/list.h>

#include "lib/connector.h"
#include "lib/error.h"
#include "vswitchd/of_server.h"

struct of_connection;

enum of_target_state {
    TARGET_VOID,
    TARGET_BACKOFF,
    TARGET_CONNECTING,
    TARGET_ACTIVE,
    TARGET_LISTENING
};

struct of_target {
    struct cds_list_head node; /* In of_server.targets. */
    struct of_server *server;
    char *name;                     /* As configured: "tcp:127.0.0.1:6653". */
    struct socket_address *address; /* NULL: the name makes no sense. */
    unsigned int max_backoff_ms, inactivity_ms;
    bool has_no_async;
    uint32_t packet_in_rate, packet_in_burst, packet_in_queue;
    bool is_wanted; /* Used while the list is being replaced. */

    enum of_target_state state;
    int fd;               /* Listening; else -1. */
    struct ev_io ready;   /* That fd. */
    struct ev_timer wait; /* The pause. */
    struct connector connector;
    struct handshakes handshakes; /* Of those who come to "pssl:". */
    unsigned int backoff_ms;
    struct of_connection *connection; /* Of an active target; else NULL. */
    size_t n_up;
    struct error last_error;
    int64_t connected_ns, disconnected_ns;
};
