/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_connection - one OpenFlow peer: bytes in, whole messages to the handlers, bytes out.
 *
 * A connection greets (hello both ways, which fixes the version), is up, and is closed.  A closed one
 * is inert, and freed by the server when nobody is looking at it any more.
 *
 * Handlers append replies to 'output'; nothing is written before the server calls
 * of_connection_flush(), once a loop round.  A peer that has more than OF_CONNECTION_MAX_OUTPUT waiting,
 * or is being sent long statistics, is not listened to until it has read that.  A round gives each
 * connection one read and ROUND_BUDGET_NS, so that none keeps the others waiting.
 *
 * Threads  The main thread.
 * Memory   Owned by the server's list. */

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <urcu/list.h>

#include "lib/buffer.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/vendor.h"
#include "lib/stream_watch.h"
#include "vswitchd/of_bundle.h"
#include "vswitchd/of_limiter.h"
#include "vswitchd/of_monitor.h"
#include "vswitchd/of_server.h"

struct of_dump;
struct of_target;

/* Each has its own limit. */
enum { LIMITER_MISSES, LIMITER_ACTIONS, N_LIMITERS };

enum of_connection_state { CONNECTION_GREETING, CONNECTION_UP, CONNECTION_CLOSED };

struct of_connection {
    struct cds_list_head node; /* In of_server.connections. */
    struct of_server *server;
    struct of_target *target; /* Whom we wanted to talk to; NULL: a management connection. */
    enum of_connection_sort sort;
    enum of_connection_state state;
    bool was_up;
    struct stream *stream; /* NULL: closed. */

    struct stream_watch watch;
    struct ev_timer resume;  /* There is more to do in the next round. */
    struct ev_timer silence; /* Greeting takes too long, or the peer has said nothing for long. */
    unsigned int inactivity_ms;
    int64_t heard_ns;
    bool is_probing;

    struct buffer input; /* From 'input_taken' on not yet handled. */
    size_t input_taken;
    struct buffer output; /* From 'output_sent' on not yet sent. */
    size_t output_sent;
    uint64_t n_sent;       /* Bytes, since the connection began. */
    size_t output_snooped; /* Up to there snoopers have it; kept while is_snooped. */
    bool is_snooped;
    struct of_dump *dump; /* A long reply under way, or NULL. */

    /* What the peer asked for. */
    struct of_protocol protocol;
    enum of_packet_in_format packet_in_format;
    enum of_role role;
    uint16_t controller_id;
    uint16_t miss_send_bytes;
    struct of_async_config async;
    struct of_bundles bundles;
    struct of_monitors monitors;
    struct of_limiter limiters[N_LIMITERS];          /* Of packet_ins. */
    struct ev_timer limited;                         /* Some may go. */
    uint64_t packet_in_ends[OF_PACKET_IN_QUEUE_MAX]; /* Of those in 'output', as n_sent; a ring. */
    size_t first_packet_in, n_packet_ins;
};

/* Takes 'stream', and says hello.  'inactivity_ms' 0: no probes. */
struct of_connection *of_connection_create(struct of_server *server, struct stream *stream,
                                           enum of_connection_sort sort,
                                           unsigned int inactivity_ms);
void of_connection_destroy(struct of_connection *connection); /* A closed one. */

/* 'reason' is for the log; "" when the peer just left. */
void of_connection_close(struct of_connection *connection, const char *reason);

/* Answers 'request', or what is kept of it. */
void of_connection_send_error(struct of_connection *connection, enum of_error error,
                              const void *request, size_t n_bytes);

/* Is there room for one more packet_in, if the peer takes what it can? */
bool of_connection_takes_packet_in(struct of_connection *connection);

/* 'rate' 0: no limit.  of_connection_send_packet_in() sends 'message' when the limit lets it. */
void of_connection_limit_packet_ins(struct of_connection *connection, uint32_t rate,
                                    uint32_t burst);
void of_connection_send_packet_in(struct of_connection *connection, bool is_miss, of_port in_port,
                                  const struct buffer *message);

/* Writes as much as the peer takes, in the middle of a round. */
void of_connection_push(struct of_connection *connection);

/* Continues statistics and what monitors have missed, and writes as much as the peer takes. */
void of_connection_flush(struct of_connection *connection);

static inline size_t of_connection_pending(const struct of_connection *connection)
{
    return connection->output.size - connection->output_sent;
}

static inline bool of_connection_is_full(const struct of_connection *connection)
{
    return of_connection_pending(connection) > OF_CONNECTION_MAX_OUTPUT;
}

/* How it stands in logs: "br0<->tcp:127.0.0.1:6653", "br0<->unix". */
const char *of_connection_name(const struct of_connection *connection);
