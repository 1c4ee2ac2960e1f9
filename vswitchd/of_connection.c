/* SPDX-License-Identifier: Apache-2.0 */

/* Reading and handling stop together: what was read is handled before more is read. */

#include "vswitchd/of_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/openflow/errors.h"
#include "vswitchd/of_dump.h"
#include "vswitchd/of_server_state.h"
#include "vswitchd/of_server_targets.h"
#include "vswitchd/of_snoop.h"

LOG_MODULE(openflow);

enum {
    READ_BYTES = 64 << 10,
    KEEP_BYTES = 256 << 10, /* Larger buffers are given back once empty. */
    ROUND_BUDGET_NS = 10 * MILLISECOND_NS,
    GREETING_MS = 10000,
    MESSAGES_PER_LOOK = 4, /* At the clock; before a long one each time. */
    LONG_BYTES = 4096,
    NO_CONFIG_MISS_BYTES = 128, /* OpenFlow 1.0, OFP_DEFAULT_MISS_SEND_LEN. */
};

const char *of_connection_name(const struct of_connection *connection)
{
    static char name[200];
    const char *peer = connection->target ? connection->target->name : "unix";

    snprintf(name, sizeof name, "%s<->%s", connection->server->name, peer);
    return name;
}

/* Closing */

void of_connection_close(struct of_connection *connection, const char *reason)
{
    struct of_server *server = connection->server;

    if (connection->state == CONNECTION_CLOSED)
        return;
    if (connection->target)
        log_info_limited("%s: connection closed%s%s", of_connection_name(connection),
                         *reason ? ": " : "", reason);
    else if (*reason)
        log_warn_limited("%s: connection closed: %s", of_connection_name(connection), reason);
    connection->state = CONNECTION_CLOSED;
    stream_watch_stop(&connection->watch);
    ev_timer_stop(server->loop, &connection->resume);
    ev_timer_stop(server->loop, &connection->silence);
    ev_timer_stop(server->loop, &connection->limited);
    for (size_t i = 0; i < N_LIMITERS; i++)
        of_limiter_fini(&connection->limiters[i]);
    stream_destroy(connection->stream);
    connection->stream = NULL;
    of_dump_cancel(connection);
    of_bundles_fini(connection);
    of_monitors_fini(connection);
    of_snoop_connection_closed(connection);
    server->n_connections--;
    if (connection->target)
        of_target_connection_closed(connection, reason);
    if (connection->was_up)
        of_server_note_status(server, connection->target != NULL);
}

/* The reason is the stream's, which goes with it. */
static void close_broken(struct of_connection *connection, int code)
{
    char reason[200];

    snprintf(reason, sizeof reason, "%s", stream_reason(connection->stream, code));
    of_connection_close(connection, reason);
}

/* A handler whose news have closed the connection may have gone on to begin something. */
void of_connection_destroy(struct of_connection *connection)
{
    of_dump_cancel(connection);
    of_bundles_fini(connection);
    of_monitors_fini(connection);
    buffer_fini(&connection->input);
    buffer_fini(&connection->output);
    free(connection);
}

/* Writing */

static bool must_wait(const struct of_connection *connection)
{
    return connection->dump || of_connection_is_full(connection);
}

static void compact_output(struct of_connection *connection)
{
    struct buffer *output = &connection->output;

    if (connection->output_sent == output->size) {
        buffer_clear(output);
        if (output->capacity > KEEP_BYTES)
            buffer_fini(output);
    } else if (connection->output_sent >= KEEP_BYTES) {
        buffer_pull(output, connection->output_sent);
    } else {
        return;
    }
    connection->output_sent = 0;
    connection->output_snooped = output->size;
}

/* Before anything of it is written, so that the buffer has no part that was not copied when it is compacted. */
static void let_snoop_output(struct of_connection *connection)
{
    size_t start = connection->output_snooped;

    if (!connection->is_snooped)
        return;
    connection->output_snooped = connection->output.size;
    if (connection->output.size > start)
        of_snoop_copy(connection, connection->output.data + start, connection->output.size - start);
}

/* False if the peer takes no more for now, or is gone. */
static bool write_output(struct of_connection *connection)
{
    let_snoop_output(connection);
    while (of_connection_pending(connection)) {
        ssize_t n = stream_write(connection->stream,
                                 connection->output.data + connection->output_sent,
                                 of_connection_pending(connection));
        if (n < 0) {
            if (n == -EINTR)
                continue;
            if (n != -EAGAIN)
                close_broken(connection, (int)n);
            compact_output(connection);
            return false;
        }
        connection->output_sent += (size_t)n;
        connection->n_sent += (uint64_t)n;
    }
    compact_output(connection);
    return true;
}

static void resume_next_round(struct of_connection *connection)
{
    ev_timer_set(&connection->resume, 0., 0.);
    ev_timer_start(connection->server->loop, &connection->resume);
}

void of_connection_push(struct of_connection *connection)
{
    if (connection->state == CONNECTION_CLOSED || connection->watch.wants_write ||
        !of_connection_pending(connection))
        return;
    if (!write_output(connection) && connection->state != CONNECTION_CLOSED)
        stream_watch_writing(&connection->watch, true);
}

void of_connection_flush(struct of_connection *connection)
{
    if (connection->state == CONNECTION_CLOSED || connection->watch.wants_write)
        return;
    of_connection_push(connection);
    of_dump_continue(connection); /* If it takes no more for now, one piece ahead. */
    if (connection->state == CONNECTION_CLOSED || connection->watch.wants_write)
        return;
    of_monitors_continue(connection);
    of_connection_push(connection);
    if (connection->state == CONNECTION_CLOSED || connection->watch.wants_write)
        return;
    if (connection->dump || connection->monitors.is_paused ||
        (!connection->watch.wants_read && !ev_is_active(&connection->resume)))
        resume_next_round(connection);
}

static void on_writable(void *aux)
{
    struct of_connection *connection = aux;

    /* The rest is done before the loop waits again. */
    stream_watch_writing(&connection->watch, false);
    of_connection_flush(connection);
}

void of_connection_send_error(struct of_connection *connection, enum of_error error,
                              const void *request, size_t n_bytes)
{
    log_warn_limited("%s: sent error %s", of_connection_name(connection), of_error_name(error));
    connection->server->stats.n_errors_sent++;
    of_encode_error(error, request, n_bytes, &connection->output);
}

/* Limits of packet_ins */

static bool has_room(struct of_connection *connection)
{
    const struct of_target *target = connection->target;
    uint32_t limit = target && target->packet_in_queue ? target->packet_in_queue
                                                       : connection->server->packet_in_queue;

    while (connection->n_packet_ins &&
           connection->packet_in_ends[connection->first_packet_in] <= connection->n_sent) {
        connection->first_packet_in = (connection->first_packet_in + 1) % OF_PACKET_IN_QUEUE_MAX;
        connection->n_packet_ins--;
    }
    return connection->state == CONNECTION_UP && connection->n_packet_ins < limit &&
           !of_connection_is_full(connection);
}

bool of_connection_takes_packet_in(struct of_connection *connection)
{
    if (has_room(connection))
        return true;
    of_connection_push(connection);
    return has_room(connection);
}

/* At the end of 'output'. */
static void note_packet_in(struct of_connection *connection)
{
    size_t next = connection->first_packet_in + connection->n_packet_ins++;

    connection->packet_in_ends[next % OF_PACKET_IN_QUEUE_MAX] = connection->n_sent +
                                                                of_connection_pending(connection);
}

static const double FULL_WAIT_S = 0.1;

static void wait_for_tokens(struct of_connection *connection)
{
    int64_t next_ns = INT64_MAX;

    for (size_t i = 0; i < N_LIMITERS; i++) {
        int64_t one_ns = of_limiter_next_ns(&connection->limiters[i]);
        next_ns = one_ns < next_ns ? one_ns : next_ns;
    }
    ev_timer_stop(connection->server->loop, &connection->limited);
    if (next_ns == INT64_MAX)
        return;
    int64_t wait_ns = next_ns - clock_now_ns();
    ev_timer_set(&connection->limited, wait_ns > 0 ? (double)wait_ns / SECOND_NS : 0., 0.);
    ev_timer_start(connection->server->loop, &connection->limited);
}

static void on_limited(struct ev_loop *loop, struct ev_timer *watcher, int events UNUSED)
{
    struct of_connection *connection = CONTAINER_OF(watcher, struct of_connection, limited);

    for (size_t i = 0; i < N_LIMITERS; i++) {
        while (of_connection_takes_packet_in(connection) &&
               of_limiter_run(&connection->limiters[i], clock_now_ns(), &connection->output))
            note_packet_in(connection);
    }
    bool takes_more = of_connection_takes_packet_in(connection);
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (takes_more) {
        wait_for_tokens(connection);
        return;
    }
    ev_timer_set(watcher, FULL_WAIT_S, 0.); /* For a peer that does not read. */
    ev_timer_start(loop, watcher);
}

void of_connection_limit_packet_ins(struct of_connection *connection, uint32_t rate, uint32_t burst)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    for (size_t i = 0; i < N_LIMITERS; i++)
        of_limiter_set(&connection->limiters[i], rate, burst, clock_now_ns());
    wait_for_tokens(connection);
}

void of_connection_send_packet_in(struct of_connection *connection, bool is_miss, of_port in_port,
                                  const struct buffer *message)
{
    struct of_limiter *limiter = &connection->limiters[is_miss ? LIMITER_MISSES : LIMITER_ACTIONS];

    if (of_limiter_send(limiter, in_port, message, clock_now_ns(), &connection->output))
        note_packet_in(connection);
    if (limiter->stats.n_waiting && !ev_is_active(&connection->limited))
        wait_for_tokens(connection);
}

/* Hello and echo */

static void fail_greeting(struct of_connection *connection, const struct of_message *message,
                          const char *sentence)
{
    bool is_known = message->version < 32 && OF_VERSIONS_KNOWN & OF_VERSION_BIT(message->version);
    char reason[200];

    of_encode_hello_failed(is_known ? message->version : OF_1_0, message->xid, sentence,
                           &connection->output);
    write_output(connection);
    snprintf(reason, sizeof reason, "Protocol error: %s", sentence);
    of_connection_close(connection, reason);
}

static void greet(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;
    uint32_t theirs;

    if (message->kind != OF_HELLO) {
        fail_greeting(connection, message, "the first message was not a hello");
        return;
    }
    int version = of_decode_hello(message, &theirs) == OF_OK
                      ? of_negotiate(server->versions, theirs)
                      : 0;
    if (!version) {
        fail_greeting(connection, message, "no OpenFlow version in common");
        return;
    }
    connection->protocol = (struct of_protocol){.version = (enum of_version)version};
    of_async_config_init(&connection->async, connection->protocol.version);
    connection->state = CONNECTION_UP;
    connection->was_up = true;
    ev_timer_stop(server->loop, &connection->silence);
    if (connection->inactivity_ms) {
        ev_timer_set(&connection->silence, connection->inactivity_ms / 1000., 0.);
        ev_timer_start(server->loop, &connection->silence);
    }
    if (connection->target)
        of_target_connection_up(connection);
    of_snoop_connection_up(connection);
    of_server_note_status(server, connection->target != NULL);
}

/* A controller's status says it. */
static void set_probing(struct of_connection *connection, bool is_probing)
{
    if (connection->is_probing == is_probing)
        return;
    connection->is_probing = is_probing;
    of_server_note_status(connection->server, connection->target != NULL);
}

static void on_silence(struct ev_loop *loop, struct ev_timer *watcher, int events UNUSED)
{
    struct of_connection *connection = CONTAINER_OF(watcher, struct of_connection, silence);
    int64_t silent_ns = clock_now_ns() - connection->heard_ns;
    int64_t allowed_ns = connection->inactivity_ms * MILLISECOND_NS;

    if (connection->state == CONNECTION_GREETING) {
        of_connection_close(connection, "Connection timed out: no hello came");
        return;
    }
    if (silent_ns >= allowed_ns) {
        if (connection->is_probing) {
            log_info_limited("%s: no answer to inactivity probe", of_connection_name(connection));
            of_connection_close(connection, strerror(ETIMEDOUT));
            return;
        }
        set_probing(connection, true);
        of_encode_echo_request(connection->protocol.version, 0, NULL, 0, &connection->output);
        silent_ns = 0;
    }
    ev_timer_set(watcher, (double)(allowed_ns - silent_ns) / SECOND_NS, 0.);
    ev_timer_start(loop, watcher);
}

/* Reading */

static enum of_error handle_up(struct of_connection *connection, const struct of_message *message)
{
    /* An error is never answered by another one. */
    if (message->kind == OF_ECHO_REPLY || message->kind == OF_ERROR)
        return OF_OK;
    if (message->version != connection->protocol.version)
        return OFPBRC_BAD_VERSION;
    if (message->kind != OF_ECHO_REQUEST)
        return of_server_handle(connection, message);
    of_encode_echo_reply(message, &connection->output);
    return OF_OK;
}

static void handle_frame(struct of_connection *connection, const uint8_t *frame, size_t n_bytes)
{
    struct of_message message;
    enum of_error error = of_decode_message(frame, n_bytes, &message);

    connection->server->stats.n_messages++;
    if (connection->state == CONNECTION_GREETING) {
        greet(connection, &message);
        return;
    }
    if (connection->is_snooped) {
        let_snoop_output(connection);
        of_snoop_copy(connection, frame, n_bytes);
    }
    if (!error)
        error = handle_up(connection, &message);
    if (error)
        of_connection_send_error(connection, error, frame, n_bytes);
}

/* Handles what was read, while there is time and room for replies. */
static void handle_input(struct of_connection *connection)
{
    int64_t end_ns = clock_now_ns() + ROUND_BUDGET_NS;
    unsigned int n_handled = 0;

    while (connection->state != CONNECTION_CLOSED) {
        const uint8_t *frame = connection->input.data + connection->input_taken;
        int n = of_frame_length(frame, connection->input.size - connection->input_taken);
        if (n < 0) {
            of_connection_close(connection, "Protocol error: message with an impossible length");
            return;
        }
        if (!n) {
            stream_watch_reading(&connection->watch, true);
            return;
        }
        if (must_wait(connection)) {
            stream_watch_reading(&connection->watch, false);
            return;
        }
        if ((++n_handled % MESSAGES_PER_LOOK == 0 || n >= LONG_BYTES) && clock_now_ns() > end_ns) {
            stream_watch_reading(&connection->watch, false);
            resume_next_round(connection);
            return;
        }
        connection->input_taken += (size_t)n;
        handle_frame(connection, frame, (size_t)n);
    }
}

static void on_resume(struct ev_loop *loop UNUSED, struct ev_timer *watcher, int events UNUSED)
{
    struct of_connection *connection = CONTAINER_OF(watcher, struct of_connection, resume);

    if (!must_wait(connection))
        handle_input(connection);
}

static void on_readable(void *aux)
{
    struct of_connection *connection = aux;
    struct buffer *input = &connection->input;

    if (connection->input_taken) {
        buffer_pull(input, connection->input_taken);
        connection->input_taken = 0;
    }
    buffer_reserve(input, READ_BYTES);
    ssize_t n = stream_read(connection->stream, input->data + input->size, READ_BYTES);
    if (n == -EAGAIN || n == -EINTR)
        return;
    if (n < 0) {
        close_broken(connection, (int)n);
        return;
    }
    if (!n) {
        of_connection_close(connection, "");
        return;
    }
    input->size += (size_t)n;
    connection->heard_ns = clock_now_ns();
    set_probing(connection, false);
    awake_hear(&connection->server->awake, connection->heard_ns);
    handle_input(connection);
}

struct of_connection *of_connection_create(struct of_server *server, struct stream *stream,
                                           enum of_connection_sort sort, unsigned int inactivity_ms)
{
    struct of_connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        abort();
    connection->server = server;
    connection->sort = sort;
    connection->stream = stream;
    connection->inactivity_ms = inactivity_ms;
    connection->heard_ns = clock_now_ns();
    connection->role = OF_ROLE_EQUAL;
    connection->miss_send_bytes = sort == OF_CONNECTION_CONTROLLER ? NO_CONFIG_MISS_BYTES : 0;
    of_bundles_init(connection);
    of_monitors_init(connection);
    stream_watch_init(&connection->watch, server->loop, stream, on_readable, on_writable,
                      connection);
    for (size_t i = 0; i < N_LIMITERS; i++)
        of_limiter_init(&connection->limiters[i]);
    ev_timer_init(&connection->limited, on_limited, 0., 0.);
    ev_timer_init(&connection->resume, on_resume, 0., 0.);
    ev_timer_init(&connection->silence, on_silence, GREETING_MS / 1000., 0.);
    stream_watch_reading(&connection->watch, true);
    ev_timer_start(server->loop, &connection->silence);
    of_encode_hello(server->versions, 0, &connection->output);
    return connection;
}
