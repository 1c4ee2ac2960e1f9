/* SPDX-License-Identifier: Apache-2.0 */

/* Only brackets, strings and separators matter to the scanner; what is between them is for jansson
 * to accept or refuse. */

#include "lib/jsonrpc_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void jsonrpc_stream_fini(struct jsonrpc_stream *stream)
{
    buffer_fini(&stream->input);
    *stream = (struct jsonrpc_stream)JSONRPC_STREAM_INIT;
}

static size_t max_bytes(const struct jsonrpc_stream *stream)
{
    return stream->accepts_answers ? JSONRPC_MAX_ANSWER_BYTES : JSONRPC_MAX_MESSAGE_BYTES;
}

static size_t max_values(const struct jsonrpc_stream *stream)
{
    return max_bytes(stream) / JSONRPC_MAX_MESSAGE_BYTES * JSONRPC_MAX_VALUES;
}

void jsonrpc_stream_feed(struct jsonrpc_stream *stream, const void *bytes, size_t n_bytes)
{
    if (stream->n_taken && stream->n_taken >= stream->input.size / 2) {
        buffer_pull(&stream->input, stream->n_taken);
        stream->n_scanned -= stream->n_taken;
        stream->n_taken = 0;
    }
    buffer_put(&stream->input, bytes, n_bytes);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Advances over one byte.  1: a message ends with it, 0: go on, negative errno: refused. */
static int scan_byte(struct jsonrpc_stream *stream, uint8_t c, struct error *error)
{
    if (stream->is_in_string) {
        if (stream->is_escaped)
            stream->is_escaped = false;
        else if (c == '\\')
            stream->is_escaped = true;
        else if (c == '"')
            stream->is_in_string = false;
        return 0;
    }
    switch (c) {
    case '{':
    case '[':
        if (++stream->depth > JSONRPC_MAX_DEPTH)
            return error_set(error, -EPROTO, "JSON is nested more than %d deep", JSONRPC_MAX_DEPTH);
        stream->n_values++;
        break;
    case '}':
    case ']':
        if (!stream->depth)
            return error_set(error, -EPROTO, "JSON closes a bracket that was not opened");
        return --stream->depth ? 0 : 1;
    case ',':
    case ':':
        stream->n_values++;
        break;
    case '"':
        stream->is_in_string = true;
        break;
    default:
        break;
    }
    if (!stream->depth && !is_blank(c))
        return error_set(error, -EPROTO, "a message must be a JSON object or array");
    if (stream->n_values > max_values(stream))
        return error_set(error, -EMSGSIZE, "a message has more than %zu values",
                         max_values(stream));
    return 0;
}

static int parse(const uint8_t *text, size_t n_bytes, json_t **json, struct error *error)
{
    json_error_t json_error;

    *json = json_loadb((const char *)text, n_bytes, 0, &json_error);
    return *json ? 0 : error_set(error, -EPROTO, "JSON: %s", json_error.text);
}

int jsonrpc_stream_next(struct jsonrpc_stream *stream, json_t **json, struct error *error)
{
    *json = NULL;
    while (stream->n_scanned < stream->input.size) {
        int result = scan_byte(stream, stream->input.data[stream->n_scanned], error);

        stream->n_scanned++;
        if (result < 0)
            return result;
        size_t n_bytes = stream->n_scanned - stream->n_taken;
        if (n_bytes > max_bytes(stream))
            return error_set(error, -EMSGSIZE, "a message is longer than %zu bytes",
                             max_bytes(stream));
        if (result > 0) {
            const uint8_t *text = stream->input.data + stream->n_taken;

            stream->n_taken = stream->n_scanned;
            stream->n_values = 0;
            return parse(text, n_bytes, json, error);
        }
    }
    if (stream->n_taken == stream->input.size) {
        stream->n_taken = stream->n_scanned = 0;
        /* What one long message needed is not kept for the many short ones. */
        if (stream->input.capacity > 1 << 20)
            buffer_fini(&stream->input);
        else
            buffer_clear(&stream->input);
    }
    return 0;
}

static int refuse(json_t *json, struct error *error, const char *why)
{
    json_decref(json);
    return error_set(error, -EPROTO, "not a JSON-RPC message: %s", why);
}

static int parse_call(struct jsonrpc_message *message, json_t *method, struct error *error)
{
    json_t *json = message->json;

    message->params = json_object_get(json, "params");
    if (!json_is_string(method))
        return refuse(json, error, "\"method\" must be a string");
    if (!json_is_array(message->params))
        return refuse(json, error, "\"params\" must be an array");
    message->method = json_string_value(method);
    message->type = message->id && !json_is_null(message->id) ? JSONRPC_REQUEST : JSONRPC_NOTIFY;
    return 0;
}

int jsonrpc_message_parse_take(json_t *json, struct jsonrpc_message *message, struct error *error)
{
    *message = (struct jsonrpc_message){.json = json};
    if (!json_is_object(json))
        return refuse(json, error, "it must be an object");
    message->id = json_object_get(json, "id");

    json_t *method = json_object_get(json, "method");
    if (method && !json_is_null(method))
        return parse_call(message, method, error);

    json_t *failure = json_object_get(json, "error");
    if (!message->id || json_is_null(message->id))
        return refuse(json, error, "it has neither \"method\" nor \"id\"");
    if (failure && !json_is_null(failure)) {
        message->type = JSONRPC_ERROR;
        message->error = failure;
        return 0;
    }
    message->type = JSONRPC_REPLY;
    message->result = json_object_get(json, "result");
    return message->result ? 0 : refuse(json, error, "a reply needs \"result\" or \"error\"");
}

void jsonrpc_message_fini(struct jsonrpc_message *message)
{
    json_decref(message->json);
    *message = (struct jsonrpc_message){.json = NULL};
}

static json_t *must(json_t *json)
{
    if (!json)
        abort();
    return json;
}

json_t *jsonrpc_request_take(const char *method, json_t *params, json_t *id)
{
    return must(json_pack("{s:o, s:s, s:o}", "id", id, "method", method, "params", params));
}

json_t *jsonrpc_notify_take(const char *method, json_t *params)
{
    return must(json_pack("{s:n, s:s, s:o}", "id", "method", method, "params", params));
}

json_t *jsonrpc_reply_take(json_t *result, json_t *id)
{
    return must(json_pack("{s:o, s:o, s:n}", "id", id, "result", result, "error"));
}

json_t *jsonrpc_error_take(json_t *error, json_t *id)
{
    return must(json_pack("{s:o, s:n, s:o}", "id", id, "result", "error", error));
}
