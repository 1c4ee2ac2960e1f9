/* SPDX-License-Identifier: Apache-2.0 */

/* The socket stays blocking-free: every wait is a poll() against the deadline. */

#include "lib/jsonrpc_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/unix_socket.h"

struct jsonrpc_client {
    int fd;
    int64_t deadline_ns;
    struct jsonrpc_stream input;
    json_t *kept; /* Array of messages for _receive() that came during a call. */
    json_int_t next_id;
};

/* A server that is stopped or very busy may have too many waiting: a blocking connect() would know no
 * deadline then. */
static int connect_until(const char *socket_path, int64_t deadline_ns, struct error *error)
{
    const struct timespec pause = {.tv_nsec = 10 * MILLISECOND_NS};

    for (;;) {
        int fd = unix_socket_connect_now(socket_path, error);

        if (fd != -EAGAIN || clock_now_ns() > deadline_ns)
            return fd;
        nanosleep(&pause, NULL);
    }
}

struct jsonrpc_client *jsonrpc_client_connect(const char *socket_path, int64_t deadline_ns,
                                              struct error *error)
{
    int fd = connect_until(socket_path, deadline_ns, error);

    if (fd < 0)
        return NULL;
    struct jsonrpc_client *client = calloc(1, sizeof *client);
    if (!client)
        abort();
    client->fd = fd;
    client->deadline_ns = deadline_ns;
    client->kept = json_array();
    return client;
}

void jsonrpc_client_destroy(struct jsonrpc_client *client)
{
    if (!client)
        return;
    close(client->fd);
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
    return client->fd;
}

static int wait_for(struct jsonrpc_client *client, short events, struct error *error)
{
    struct pollfd pollfd = {.fd = client->fd, .events = events};

    for (;;) {
        int timeout_ms = -1;

        if (client->deadline_ns != INT64_MAX) {
            int64_t left_ns = client->deadline_ns - clock_now_ns();
            if (left_ns <= 0)
                return error_set(error, -ETIMEDOUT, "timed out");
            int64_t left_ms = left_ns / MILLISECOND_NS + 1;
            timeout_ms = left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
        }
        int n = poll(&pollfd, 1, timeout_ms);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return error_set_errno(error, -errno, "poll");
    }
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
        ssize_t n = send(client->fd, text + n_sent, n_bytes - n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            n_sent += (size_t)n;
        } else if (errno == EAGAIN) {
            if ((result = wait_for(client, POLLOUT, error)) < 0)
                break;
        } else if (errno != EINTR) {
            result = error_set_errno(error, -errno, "cannot send");
            break;
        }
    }
    free(text);
    return result;
}

static int fill(struct jsonrpc_client *client, struct error *error)
{
    char bytes[64 << 10];
    int result = wait_for(client, POLLIN, error);

    if (result)
        return result;
    ssize_t n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0
                                                 : error_set_errno(error, -errno, "cannot receive");
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
