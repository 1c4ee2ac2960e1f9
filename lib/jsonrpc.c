/* SPDX-License-Identifier: Apache-2.0 */

/* Messages are only queued; the write watcher sends them on the next round of the loop, so that all
 * messages of one round leave in one send(). */

#include "lib/jsonrpc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/annotations.h"
#include "lib/long_work.h"
#include "lib/stream_watch.h"

enum { READ_BYTES = 64 << 10, MAX_READS_A_ROUND = 4, LONG_BYTES = 1 << 20 };

struct jsonrpc {
    struct ev_loop *loop;
    struct stream *stream; /* NULL once closed. */
    const struct jsonrpc_callbacks *callbacks;
    void *aux;

    struct stream_watch watch;
    struct ev_timer resume; /* Delivers what was left in the stream when reading paused. */
    struct jsonrpc_stream input;
    struct buffer output;
    size_t n_sent;    /* Of 'output', from the front. */
    json_t *early;    /* A message that jsonrpc_answer_echo() met, not yet delivered. */
    int early_result; /* The failure it met instead. */
    struct error early_error;
    json_int_t next_id;
    size_t long_bytes; /* Of 'input', if they are many: its part of n_long_bytes. */
    bool is_held, is_busy, is_destroyed;
};

/* What all connections of this process hold of long messages that are not whole yet. */
static size_t n_long_bytes;

static void update_watchers(struct jsonrpc *rpc);

static bool is_paused(const struct jsonrpc *rpc)
{
    return rpc->is_held || jsonrpc_backlog_bytes(rpc) > JSONRPC_PAUSE_BYTES;
}

static void count_long_bytes(struct jsonrpc *rpc, size_t n_bytes)
{
    size_t now = n_bytes > LONG_BYTES && !rpc->input.accepts_answers ? n_bytes : 0;

    n_long_bytes = n_long_bytes - rpc->long_bytes + now;
    rpc->long_bytes = now;
}

static void close_stream(struct jsonrpc *rpc)
{
    if (!rpc->stream)
        return;
    count_long_bytes(rpc, 0);
    stream_watch_stop(&rpc->watch);
    ev_timer_stop(rpc->loop, &rpc->resume);
    stream_destroy(rpc->stream);
    rpc->stream = NULL;
    buffer_fini(&rpc->output);
    rpc->n_sent = 0;
}

static void free_rpc(struct jsonrpc *rpc)
{
    json_decref(rpc->early);
    close_stream(rpc);
    jsonrpc_stream_fini(&rpc->input);
    buffer_fini(&rpc->output);
    free(rpc);
}

/* Callbacks run between enter() and leave(), which frees what they destroyed. */
static void leave(struct jsonrpc *rpc)
{
    rpc->is_busy = false;
    if (rpc->is_destroyed)
        free_rpc(rpc);
    else if (rpc->stream)
        update_watchers(rpc);
}

static void end(struct jsonrpc *rpc, const char *reason)
{
    if (!rpc->stream)
        return;
    close_stream(rpc);
    rpc->callbacks->closed(rpc, reason, rpc->aux);
}

/* A peer that went away is not news. */
static void end_errno(struct jsonrpc *rpc, int code)
{
    char reason[200] = "";

    if (code != -ECONNRESET && code != -EPIPE)
        snprintf(reason, sizeof reason, "%s", stream_reason(rpc->stream, code));
    end(rpc, reason);
}

static bool is_echo(const struct jsonrpc_message *message)
{
    return message->type == JSONRPC_REQUEST && !strcmp(message->method, "echo");
}

static void answer_echo(struct jsonrpc *rpc, const struct jsonrpc_message *message)
{
    jsonrpc_send_take(rpc,
                      jsonrpc_reply_take(json_incref(message->params), json_incref(message->id)));
}

/* What belongs to one message alone, and may take a while if that is long. */
static void forget_message(struct jsonrpc_message *message)
{
    long_work_begin();
    jsonrpc_message_fini(message);
    long_work_end();
}

static void deliver(struct jsonrpc *rpc, json_t *json)
{
    struct jsonrpc_message message;
    struct error error = ERROR_INIT;

    if (jsonrpc_message_parse_take(json, &message, &error)) {
        end(rpc, error.message);
        return;
    }
    if (is_echo(&message))
        answer_echo(rpc, &message);
    else
        rpc->callbacks->message(rpc, &message, rpc->aux);
    forget_message(&message);
}

static int take_next(struct jsonrpc *rpc, json_t **json, struct error *error)
{
    int result = rpc->early_result;

    *json = rpc->early;
    rpc->early = NULL;
    if (*json)
        return 0;
    if (result) {
        *error = rpc->early_error;
        return result;
    }
    long_work_begin();
    result = jsonrpc_stream_next(&rpc->input, json, error);
    long_work_end();
    return result;
}

static void deliver_all(struct jsonrpc *rpc)
{
    while (rpc->stream && !rpc->is_destroyed && !is_paused(rpc)) {
        struct error error = ERROR_INIT;
        json_t *json;

        if (take_next(rpc, &json, &error)) {
            end(rpc, error.message);
            return;
        }
        if (!json)
            return;
        deliver(rpc, json);
    }
}

/* 0, or the negative errno of a connection that is broken. */
static int send_output(struct jsonrpc *rpc)
{
    ssize_t n = stream_write(rpc->stream, rpc->output.data + rpc->n_sent,
                             jsonrpc_backlog_bytes(rpc));

    if (n < 0)
        return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
    rpc->n_sent += (size_t)n;
    if (rpc->n_sent >= rpc->output.size / 2) {
        buffer_pull(&rpc->output, rpc->n_sent);
        rpc->n_sent = 0;
    }
    if (!rpc->output.size && rpc->output.capacity > JSONRPC_PAUSE_BYTES)
        buffer_fini(&rpc->output);
    return 0;
}

static void on_readable(void *aux)
{
    struct jsonrpc *rpc = aux;
    static uint8_t bytes[READ_BYTES];

    rpc->is_busy = true;
    for (int i = 0; i < MAX_READS_A_ROUND; i++) {
        if (!rpc->stream || rpc->is_destroyed || is_paused(rpc))
            break;
        ssize_t n = stream_read(rpc->stream, bytes, sizeof bytes);
        if (n < 0) {
            if (n != -EAGAIN && n != -EINTR)
                end_errno(rpc, (int)n);
            break;
        }
        if (!n) {
            if (rpc->output.size)
                send_output(rpc); /* Who has shut down just its own half may still read. */
            end(rpc, "");
            break;
        }
        jsonrpc_stream_feed(&rpc->input, bytes, (size_t)n);
        deliver_all(rpc);
        if (rpc->stream)
            count_long_bytes(rpc, rpc->input.input.size);
        if (n_long_bytes > JSONRPC_MAX_UNFINISHED_BYTES && rpc->long_bytes)
            end(rpc, "too many long messages are unfinished");
        if ((size_t)n < sizeof bytes)
            break;
    }
    leave(rpc);
}

static void on_resume(struct ev_loop *loop UNUSED, struct ev_timer *watcher, int events UNUSED)
{
    struct jsonrpc *rpc = watcher->data;

    rpc->is_busy = true;
    deliver_all(rpc);
    leave(rpc);
}

static void on_writable(void *aux)
{
    struct jsonrpc *rpc = aux;

    rpc->is_busy = true;
    bool was_paused = is_paused(rpc);
    int error = send_output(rpc);
    if (error)
        end_errno(rpc, error);
    else if (was_paused)
        deliver_all(rpc);
    leave(rpc);
}

static void start_resuming(struct jsonrpc *rpc)
{
    update_watchers(rpc);
    if (ev_is_active(&rpc->resume))
        return;
    ev_timer_set(&rpc->resume, 0, 0);
    ev_timer_start(rpc->loop, &rpc->resume);
}

void jsonrpc_flush(struct jsonrpc *rpc)
{
    bool was_paused = is_paused(rpc);

    if (!rpc->stream || !jsonrpc_backlog_bytes(rpc))
        return;
    send_output(rpc); /* A broken connection is met by the loop. */
    if (was_paused && !is_paused(rpc))
        start_resuming(rpc);
    else
        update_watchers(rpc);
}

/* The next message if it is an echo request, which is answered; else the loop will see to it. */
static bool answer_early(struct jsonrpc *rpc)
{
    struct jsonrpc_message message;
    json_t *json;

    rpc->early_result = jsonrpc_stream_next(&rpc->input, &json, &rpc->early_error);
    if (rpc->early_result || !json)
        return false;
    json_incref(json);
    if (jsonrpc_message_parse_take(json, &message, NULL)) {
        rpc->early = json;
        return false;
    }
    if (is_echo(&message)) {
        answer_echo(rpc, &message);
        json_decref(json);
    } else {
        rpc->early = json;
    }
    jsonrpc_message_fini(&message);
    return !rpc->early;
}

void jsonrpc_answer_echo(struct jsonrpc *rpc)
{
    static uint8_t bytes[READ_BYTES];

    if (!rpc->stream || rpc->is_busy)
        return;
    jsonrpc_flush(rpc); /* The loop may have answered, and not come to send it. */
    if (rpc->early || rpc->early_result || is_paused(rpc) || rpc->input.input.size > sizeof bytes)
        return;
    ssize_t n = stream_read(rpc->stream, bytes, sizeof bytes);
    if (n <= 0)
        return; /* The loop meets what that means. */
    jsonrpc_stream_feed(&rpc->input, bytes, (size_t)n);
    while (!is_paused(rpc) && answer_early(rpc))
        continue;
    jsonrpc_flush(rpc);
    start_resuming(rpc);
}

static void update_watchers(struct jsonrpc *rpc)
{
    stream_watch_reading(&rpc->watch, !is_paused(rpc));
    stream_watch_writing(&rpc->watch, rpc->output.size > 0);
}

struct jsonrpc *jsonrpc_create_take(struct ev_loop *loop, struct stream *stream,
                                    const struct jsonrpc_callbacks *callbacks, void *aux)
{
    struct jsonrpc *rpc = calloc(1, sizeof *rpc);

    if (!rpc)
        abort();
    rpc->loop = loop;
    rpc->stream = stream;
    rpc->callbacks = callbacks;
    rpc->aux = aux;
    stream_watch_init(&rpc->watch, loop, stream, on_readable, on_writable, rpc);
    ev_timer_init(&rpc->resume, on_resume, 0, 0);
    rpc->resume.data = rpc;
    update_watchers(rpc);
    return rpc;
}

struct jsonrpc *jsonrpc_create(struct ev_loop *loop, int fd,
                               const struct jsonrpc_callbacks *callbacks, void *aux)
{
    return jsonrpc_create_take(loop, stream_create(fd), callbacks, aux);
}

void jsonrpc_accept_answers(struct jsonrpc *rpc)
{
    rpc->input.accepts_answers = true;
}

void jsonrpc_destroy(struct jsonrpc *rpc)
{
    if (!rpc)
        return;
    if (rpc->is_busy) {
        close_stream(rpc);
        rpc->is_destroyed = true;
        return;
    }
    free_rpc(rpc);
}

static int append(const char *bytes, size_t n_bytes, void *buffer)
{
    buffer_put(buffer, bytes, n_bytes);
    return 0;
}

static bool takes_output(const struct jsonrpc *rpc)
{
    return rpc->stream && jsonrpc_backlog_bytes(rpc) <= JSONRPC_MAX_BACKLOG_BYTES;
}

static void output_added(struct jsonrpc *rpc)
{
    if (jsonrpc_backlog_bytes(rpc) > JSONRPC_MAX_BACKLOG_BYTES)
        shutdown(stream_fd(rpc->stream),
                 SHUT_RDWR); /* The loop meets the end and tells the owner. */
    update_watchers(rpc);
}

void jsonrpc_send_take(struct jsonrpc *rpc, json_t *message)
{
    if (takes_output(rpc)) {
        if (json_dump_callback(message, append, &rpc->output, JSON_COMPACT))
            abort();
        output_added(rpc);
    }
    json_decref(message);
}

void jsonrpc_send_text(struct jsonrpc *rpc, const char *message, size_t n_bytes)
{
    if (takes_output(rpc)) {
        buffer_put(&rpc->output, message, n_bytes);
        output_added(rpc);
    }
}

json_int_t jsonrpc_call_take(struct jsonrpc *rpc, const char *method, json_t *params)
{
    json_int_t id = rpc->next_id++;

    jsonrpc_send_take(rpc, jsonrpc_request_take(method, params, json_integer(id)));
    return id;
}

void jsonrpc_hold(struct jsonrpc *rpc)
{
    rpc->is_held = true;
    if (rpc->stream)
        update_watchers(rpc);
}

void jsonrpc_release(struct jsonrpc *rpc)
{
    if (!rpc->is_held)
        return;
    rpc->is_held = false;
    if (rpc->stream)
        start_resuming(rpc);
}

size_t jsonrpc_backlog_bytes(const struct jsonrpc *rpc)
{
    return rpc->output.size - rpc->n_sent;
}
