/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* jsonrpc - one JSON-RPC 1.0 connection on a libev loop, either side of it.
 *
 * "echo" requests are answered here.  Output never blocks: it is queued, and while more than
 * JSONRPC_PAUSE_BYTES wait, nothing is read from the peer, so one that asks and does not listen
 * costs a bounded amount.  A backlog over JSONRPC_MAX_BACKLOG_BYTES closes the connection.
 *
 * Threads  The loop's.
 * Memory   The connection owns its stream.  It may be destroyed from its own callbacks. */

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/jsonrpc_stream.h"
#include "lib/stream.h"

enum { JSONRPC_PAUSE_BYTES = 1 << 20, JSONRPC_MAX_BACKLOG_BYTES = 64 << 20 };

/* Unfinished messages of more than 1 MiB, of all connections together: who adds to more is closed. */
enum { JSONRPC_MAX_UNFINISHED_BYTES = 64 << 20 };

struct jsonrpc;

struct jsonrpc_callbacks {
    /* A message came; it is good until the callback returns (take references to keep parts). */
    void (*message)(struct jsonrpc *, const struct jsonrpc_message *, void *aux);
    /* The connection is over ('reason' for people; "" if the peer closed it in order).  Nothing
     * follows; destroy it here or later. */
    void (*closed)(struct jsonrpc *, const char *reason, void *aux);
};

/* Takes the connected stream socket 'fd' and makes it non-blocking.  'callbacks' is kept. */
struct jsonrpc *jsonrpc_create(struct ev_loop *loop, int fd,
                               const struct jsonrpc_callbacks *callbacks, void *aux);
/* The same for a stream that may be TLS. */
struct jsonrpc *jsonrpc_create_take(struct ev_loop *loop, struct stream *stream,
                                    const struct jsonrpc_callbacks *callbacks, void *aux);
void jsonrpc_destroy(struct jsonrpc *rpc); /* NULL is fine.  What is queued is lost. */

/* Before anything came: the peer is a server that was chosen, and may answer with a whole database
 * (JSONRPC_MAX_ANSWER_BYTES). */
void jsonrpc_accept_answers(struct jsonrpc *rpc);

/* Queues a message, sent from the loop.  After the end of the connection it is dropped. */
void jsonrpc_send_take(struct jsonrpc *rpc, json_t *message);
/* The same for a message that was written out before. */
void jsonrpc_send_text(struct jsonrpc *rpc, const char *message, size_t n_bytes);

/* A request with an 'id' of our own counting, which is returned. */
json_int_t jsonrpc_call_take(struct jsonrpc *rpc, const char *method, json_t *params);

/* Stops and starts reading, apart from the pause a backlog makes. */
void jsonrpc_hold(struct jsonrpc *rpc);
void jsonrpc_release(struct jsonrpc *rpc);

/* Sends what the socket takes at once: for a last word before jsonrpc_destroy(), and for who knows that
 * nothing more comes in this round, which spares the loop to watch for room. */
void jsonrpc_flush(struct jsonrpc *rpc);

/* For a program that is at work for long and away from its loop (long_work.h): answers the echo
 * requests that came since, up to the first message that is something else.  Calls nobody back. */
void jsonrpc_answer_echo(struct jsonrpc *rpc);

size_t jsonrpc_backlog_bytes(const struct jsonrpc *rpc);
