/* SPDX-License-Identifier: Apache-2.0 */

/* The socket itself never blocks: waiting is stream_blocking's. */

#include "lib/jsonrpc_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/stream_blocking.h"
#include "lib/unix_socket.h"

struct jsonrpc_client {
    struct stream *stream;
    int64_t deadline_ns;
    struct jsonrpc_stream input;
    json_t *kept; /* Array of messages for _receive() that came during a call. */
    json_int_t next_id;
};

static struct jsonrpc_client *create_take(struct stream *stream, int64_t deadline_ns)
{
    struct jsonrpc_client *client = calloc(1, sizeof *client);

    if (!client)
        abort();
    client->stream = stream;
    client->input.accepts_answers = true;
    client->deadline_ns = deadline_ns;
    client->kept = json_array();
    return client;
}

struct jsonrpc_client *jsonrpc_client_connect(const char *socket_path, int64_t deadline_ns,
                                              struct error *error)
{
    int fd = unix_socket_connect_until(socket_path, deadline_ns, error);

    return fd < 0 ? NULL : create_take(stream_create(fd), deadline_ns);
}

struct jsonrpc_client *jsonrpc_client_connect_inet(const struct socket_address *address,
                                                   struct tls *tls, int64_t deadline_ns,
                                                   struct error *error)
{
    struct stream *stream = stream_connect_until(address, tls, deadline_ns, error);

    return stream ? create_take(stream, deadline_ns) : NULL;
}

void jsonrpc_client_destroy(struct jsonrpc_client *client)
{
    if (!client)
        return;
    stream_destroy(client->stream);
    jsonrpc_stream_fini(&client->input);
    json_decref(client->kept);
    free(client);
}

void jsonrpc_client_set_deadline(struct jsonrpc_client *client, int64_t deadline_ns)
{
    client->deadline_ns = deadline_ns;
}

int jsonrpc_client_fd(const struct jsonrpc_client *client)
{
    return stream_fd(client->stream);
}

static int wait_for(struct jsonrpc_client *client, short events, struct error *error)
{
    return stream_wait_until(client->stream, events, client->deadline_ns, error);
}

/* A server that cuts a long message short does not say why. */
static int refuse_to_send(struct jsonrpc_client *client, size_t n_bytes, int code,
                          struct error *error)
{
    if (n_bytes > JSONRPC_MAX_MESSAGE_BYTES)
        return error_set(error, -EMSGSIZE, "%zu MiB are more than the server takes at once",
                         n_bytes >> 20);
    return error_set(error, code, "cannot send: %s", stream_reason(client->stream, code));
}

int jsonrpc_client_send_take(struct jsonrpc_client *client, json_t *message, struct error *error)
{
    char *text = json_dumps(message, JSON_COMPACT);
    int result = 0;

    json_decref(message);
    if (!text)
        abort();
    size_t n_bytes = strlen(text);
    for (size_t n_sent = 0; n_sent < n_bytes;) {
        ssize_t n = stream_write(client->stream, text + n_sent, n_bytes - n_sent);
        if (n >= 0) {
            n_sent += (size_t)n;
        } else if (n == -EAGAIN) {
            if ((result = wait_for(client, POLLOUT, error)) < 0)
                break;
        } else if (n != -EINTR) {
            result = refuse_to_send(client, n_bytes, (int)n, error);
            break;
        }
    }
    free(text);
    return result;
}

static int fill(struct jsonrpc_client *client, struct error *error)
{
    char bytes[64 << 10];
    ssize_t n = stream_read(client->stream, bytes, sizeof bytes);

    if (n == -EAGAIN)
        return wait_for(client, POLLIN, error);
    if (n < 0)
        return n == -EINTR ? 0
                           : error_set(error, (int)n, "cannot receive: %s",
                                       stream_reason(client->stream, (int)n));
    if (!n)
        return error_set(error, -ECONNRESET, "the server closed the connection");
    jsonrpc_stream_feed(&client->input, bytes, (size_t)n);
    return 0;
}

static int receive_from_socket(struct jsonrpc_client *client, struct jsonrpc_message *message,
                               struct error *error)
{
    for (;;) {
        json_t *json;
        int result = jsonrpc_stream_next(&client->input, &json, error);

        if (!result && !json)
            result = fill(client, error);
        else if (!result)
            result = jsonrpc_message_parse_take(json, message, error);
        if (result)
            return result;
        if (!json)
            continue;
        if (message->type != JSONRPC_REQUEST || strcmp(message->method, "echo"))
            return 0;
        json_t *reply = jsonrpc_reply_take(json_incref(message->params), json_incref(message->id));
        jsonrpc_message_fini(message);
        if ((result = jsonrpc_client_send_take(client, reply, error)) < 0)
            return result;
    }
}

int jsonrpc_client_receive(struct jsonrpc_client *client, struct jsonrpc_message *message,
                           struct error *error)
{
    if (!json_array_size(client->kept))
        return receive_from_socket(client, message, error);

    json_t *json = json_incref(json_array_get(client->kept, 0));
    json_array_remove(client->kept, 0);
    return jsonrpc_message_parse_take(json, message, error);
}

int jsonrpc_client_call_take(struct jsonrpc_client *client, const char *method, json_t *params,
                             json_t **answer, bool *is_error, struct error *error)
{
    json_t *id = json_integer(client->next_id++);
    struct jsonrpc_message message;
    int result = jsonrpc_client_send_take(
        client, jsonrpc_request_take(method, params, json_incref(id)), error);

    *answer = NULL;
    while (!result && !(result = receive_from_socket(client, &message, error))) {
        bool is_answer = message.type == JSONRPC_REPLY || message.type == JSONRPC_ERROR;
        if (is_answer && json_equal(message.id, id)) {
            *is_error = message.type == JSONRPC_ERROR;
            *answer = json_incref(*is_error ? message.error : message.result);
            jsonrpc_message_fini(&message);
            break;
        }
        if (!is_answer)
            json_array_append(client->kept, message.json);
        jsonrpc_message_fini(&message);
    }
    json_decref(id);
    return result;
}
