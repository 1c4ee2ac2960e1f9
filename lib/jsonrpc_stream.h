/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* jsonrpc_stream - cuts a byte stream into JSON values, and tells what each one says.
 *
 * A stream has no separators: a message ends where its outermost bracket closes.  The scanner looks
 * at every byte once, however the stream arrives, and holds the bounds that keep a hostile peer
 * cheap before anything is parsed: bytes, nesting and number of values of one message.  Who asked a
 * server for a whole database accepts more, as that is what the answer may be.
 *
 * Threads  None: a stream belongs to one connection.
 * Memory   The stream owns what was not yet taken out.  A message owns its JSON. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"
#include "lib/error.h"

enum {
    JSONRPC_MAX_MESSAGE_BYTES = 16 << 20,
    JSONRPC_MAX_DEPTH = 1000,
    JSONRPC_MAX_VALUES = 2000000,
    JSONRPC_MAX_ANSWER_BYTES = 256 << 20, /* With as many more values. */
};

struct jsonrpc_stream {
    struct buffer input;
    size_t n_taken;   /* Bytes at the front that belong to messages already handed out. */
    size_t n_scanned; /* From the front; >= n_taken. */
    size_t depth;
    size_t n_values;
    bool is_in_string, is_escaped;
    bool accepts_answers; /* JSONRPC_MAX_ANSWER_BYTES instead of JSONRPC_MAX_MESSAGE_BYTES. */
};

#define JSONRPC_STREAM_INIT  \
    {                        \
        .input = BUFFER_INIT \
    }

void jsonrpc_stream_fini(struct jsonrpc_stream *stream);

/* Appends bytes as they came. */
void jsonrpc_stream_feed(struct jsonrpc_stream *stream, const void *bytes, size_t n_bytes);

/* The next whole value in '*json' (the caller's), or NULL there if more bytes are needed.  An error
 * (-EPROTO, -EMSGSIZE) is final: the stream has no place to resume. */
int jsonrpc_stream_next(struct jsonrpc_stream *stream, json_t **json, struct error *error);

enum jsonrpc_type { JSONRPC_REQUEST, JSONRPC_NOTIFY, JSONRPC_REPLY, JSONRPC_ERROR };

/* One message; which members are set follows from the type.  All are borrowed from 'json'. */
struct jsonrpc_message {
    enum jsonrpc_type type;
    json_t *json;       /* Owned. */
    const char *method; /* Request, notify. */
    json_t *params;     /* Request, notify; an array. */
    json_t *result;     /* Reply. */
    json_t *error;      /* Error. */
    json_t *id;         /* Request, reply, error. */
};

/* Takes 'json'.  -EPROTO if it is not a JSON-RPC 1.0 message. */
int jsonrpc_message_parse_take(json_t *json, struct jsonrpc_message *message, struct error *error);
void jsonrpc_message_fini(struct jsonrpc_message *message);

/* The JSON of a message.  '_take' arguments become part of it. */
json_t *jsonrpc_request_take(const char *method, json_t *params, json_t *id);
json_t *jsonrpc_notify_take(const char *method, json_t *params);
json_t *jsonrpc_reply_take(json_t *result, json_t *id);
json_t *jsonrpc_error_take(json_t *error, json_t *id);
