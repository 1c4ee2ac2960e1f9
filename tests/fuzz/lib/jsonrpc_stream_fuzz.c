/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a JSON-RPC stream, whole and one byte at a time: both must say the same. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/jsonrpc_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

struct outcome {
    size_t n_messages;
    int code;
};

static void drain(struct jsonrpc_stream *stream, struct outcome *outcome)
{
    while (!outcome->code) {
        struct jsonrpc_message message;
        struct error error = ERROR_INIT;
        json_t *json;

        outcome->code = jsonrpc_stream_next(stream, &json, &error);
        if (outcome->code || !json)
            return;
        outcome->n_messages++;
        if (!jsonrpc_message_parse_take(json, &message, &error))
            jsonrpc_message_fini(&message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    struct jsonrpc_stream whole = JSONRPC_STREAM_INIT, single = JSONRPC_STREAM_INIT;
    struct outcome a = {0, 0}, b = {0, 0};

    jsonrpc_stream_feed(&whole, bytes, n_bytes);
    drain(&whole, &a);
    for (size_t i = 0; i < n_bytes && !b.code; i++) {
        jsonrpc_stream_feed(&single, bytes + i, 1);
        drain(&single, &b);
    }
    if (a.n_messages != b.n_messages || a.code != b.code)
        abort();
    jsonrpc_stream_fini(&whole);
    jsonrpc_stream_fini(&single);
    return 0;
}
