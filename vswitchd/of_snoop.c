/* SPDX-License-Identifier: Apache-2.0 */

/* Snoopers are only marked closed where they break; of_snoops_flush() frees them. */

#include "vswitchd/of_snoop.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/log.h"
#include "lib/openflow/messages.h"
#include "lib/socket_address.h"
#include "lib/stream_watch.h"
#include "lib/unix_socket.h"
#include "vswitchd/of_server_state.h"
#include "vswitchd/of_server_targets.h"

LOG_MODULE(snoop);

enum { SOCKET_MODE = 0660, READ_BYTES = 4096, GREETING_S = 10 };

struct of_snooper {
    struct cds_list_head node; /* In of_snoops.list. */
    struct of_server *server;
    struct of_target *target;         /* Of an active one, with which it stays; else NULL. */
    struct of_connection *connection; /* NULL: that target has none for now. */
    struct stream *stream;            /* NULL: closed. */
    struct stream_watch watch;
    struct ev_timer greeting; /* No hello has come so far. */
    bool has_greeted;
    struct buffer input; /* Until then. */
    struct buffer output;
    size_t output_sent;
};

/* Life */

static bool has_snoopers(const struct of_connection *connection)
{
    const struct of_snooper *snooper;

    cds_list_for_each_entry (snooper, &connection->server->snoops.list, node) {
        if (snooper->stream && snooper->connection == connection)
            return true;
    }
    return false;
}

static void leave_connection(struct of_snooper *snooper)
{
    struct of_connection *connection = snooper->connection;

    snooper->connection = NULL;
    if (connection)
        connection->is_snooped = has_snoopers(connection);
}

static void join_connection(struct of_snooper *snooper, struct of_connection *connection)
{
    snooper->connection = connection;
    connection->is_snooped = true;
    /* What was said before is not news. */
    connection->output_snooped = connection->output.size;
}

static void close_snooper(struct of_snooper *snooper, const char *reason)
{
    if (!snooper->stream)
        return;
    if (*reason)
        log_info_limited("%s: snooper disconnected: %s", snooper->server->name, reason);
    stream_watch_stop(&snooper->watch);
    ev_timer_stop(snooper->server->loop, &snooper->greeting);
    stream_destroy(snooper->stream);
    snooper->stream = NULL;
    snooper->server->snoops.n--;
    leave_connection(snooper);
}

static void free_snooper(struct of_snooper *snooper)
{
    cds_list_del(&snooper->node);
    buffer_fini(&snooper->input);
    buffer_fini(&snooper->output);
    free(snooper);
}

/* Output */

static void write_output(struct of_snooper *snooper)
{
    while (snooper->output_sent < snooper->output.size) {
        ssize_t n = stream_write(snooper->stream, snooper->output.data + snooper->output_sent,
                                 snooper->output.size - snooper->output_sent);
        if (n == -EINTR)
            continue;
        if (n == -EAGAIN) {
            stream_watch_writing(&snooper->watch, true);
            buffer_pull(&snooper->output, snooper->output_sent);
            snooper->output_sent = 0;
            return;
        }
        if (n < 0) {
            close_snooper(snooper, "");
            return;
        }
        snooper->output_sent += (size_t)n;
    }
    snooper->output_sent = 0;
    buffer_fini(&snooper->output);
}

static void on_writable(void *aux)
{
    struct of_snooper *snooper = aux;

    stream_watch_writing(&snooper->watch, false);
    write_output(snooper);
}

void of_snoop_copy(struct of_connection *connection, const void *messages, size_t n_bytes)
{
    struct of_snooper *snooper;

    cds_list_for_each_entry (snooper, &connection->server->snoops.list, node) {
        if (!snooper->stream || snooper->connection != connection || !snooper->has_greeted)
            continue;
        if (snooper->output.size - snooper->output_sent + n_bytes > OF_SNOOP_MAX_OUTPUT)
            close_snooper(snooper, "it does not read what it is sent");
        else
            buffer_put(&snooper->output, messages, n_bytes);
    }
}

void of_snoops_flush(struct of_server *server)
{
    struct of_snooper *snooper, *next;

    cds_list_for_each_entry_safe (snooper, next, &server->snoops.list, node) {
        if (snooper->stream && snooper->output.size && !snooper->watch.wants_write)
            write_output(snooper);
        if (!snooper->stream)
            free_snooper(snooper);
    }
}

/* Input */

/* A hello must be the first thing that is said. */
static void look_for_hello(struct of_snooper *snooper)
{
    int length = of_frame_length(snooper->input.data, snooper->input.size);
    struct of_message message;

    if (!length)
        return;
    if (length < 0 || of_decode_message(snooper->input.data, (size_t)length, &message) ||
        message.kind != OF_HELLO) {
        close_snooper(snooper, "the first message was not a hello");
        return;
    }
    snooper->has_greeted = true;
    ev_timer_stop(snooper->server->loop, &snooper->greeting);
    buffer_fini(&snooper->input);
}

static void on_readable(void *aux)
{
    struct of_snooper *snooper = aux;
    uint8_t bytes[READ_BYTES];
    ssize_t n = stream_read(snooper->stream, bytes, sizeof bytes);

    if (n == -EAGAIN || n == -EINTR)
        return;
    if (n <= 0) {
        close_snooper(snooper, "");
    } else if (!snooper->has_greeted) {
        buffer_put(&snooper->input, bytes, (size_t)n);
        look_for_hello(snooper);
    }
}

static void on_silence(struct ev_loop *loop UNUSED, struct ev_timer *watcher, int events UNUSED)
{
    close_snooper(CONTAINER_OF(watcher, struct of_snooper, greeting), "no hello came");
}

/* Who listens to whom */

/* A primary controller first, a secondary one last. */
static unsigned int preference(const struct of_connection *connection)
{
    static const uint8_t by_role[] = {
        [OF_ROLE_SECONDARY] = 1, [OF_ROLE_EQUAL] = 2, [OF_ROLE_PRIMARY] = 3};

    return by_role[connection->role];
}

static struct of_connection *choose_connection(struct of_server *server)
{
    struct of_connection *connection, *best = NULL;

    for_each_connection_up (connection, server) {
        if (connection->sort == OF_CONNECTION_CONTROLLER &&
            (!best || preference(connection) > preference(best)))
            best = connection;
    }
    return best;
}

static struct of_target *lasting_target(const struct of_connection *connection)
{
    struct of_target *target = connection->target;

    return target && target->connection == connection ? target : NULL;
}

void of_snoop_adopt_take(struct of_server *server, int fd)
{
    struct of_connection *connection = choose_connection(server);
    struct of_snooper *snooper;

    if (!connection || server->snoops.n >= OF_SNOOPERS_MAX) {
        log_info_limited("%s: refused a snooper: %s", server->name,
                         connection ? "there are too many" : "no controller is connected");
        close(fd);
        return;
    }
    snooper = calloc(1, sizeof *snooper);
    if (!snooper)
        abort();
    snooper->server = server;
    snooper->stream = stream_create(fd);
    snooper->target = lasting_target(connection);
    stream_watch_init(&snooper->watch, server->loop, snooper->stream, on_readable, on_writable,
                      snooper);
    ev_timer_init(&snooper->greeting, on_silence, GREETING_S, 0.);
    ev_timer_start(server->loop, &snooper->greeting);
    stream_watch_reading(&snooper->watch, true);
    cds_list_add_tail(&snooper->node, &server->snoops.list);
    server->snoops.n++;
    join_connection(snooper, connection);
    of_encode_hello(OF_VERSIONS_KNOWN, 0, &snooper->output);
}

void of_snoop_connection_up(struct of_connection *connection)
{
    struct of_target *target = lasting_target(connection);
    struct of_snooper *snooper;

    cds_list_for_each_entry (snooper, &connection->server->snoops.list, node) {
        if (target && snooper->stream && snooper->target == target && !snooper->connection)
            join_connection(snooper, connection);
    }
}

void of_snoop_connection_closed(struct of_connection *connection)
{
    struct of_snooper *snooper;

    connection->is_snooped = false;
    cds_list_for_each_entry (snooper, &connection->server->snoops.list, node) {
        if (!snooper->stream || snooper->connection != connection)
            continue;
        snooper->connection = NULL;
        if (!snooper->target)
            close_snooper(snooper, "its controller is gone");
    }
}

void of_snoop_target_removed(struct of_target *target)
{
    struct of_snooper *snooper;

    cds_list_for_each_entry (snooper, &target->server->snoops.list, node) {
        if (snooper->target == target) {
            close_snooper(snooper, "its controller is removed");
            snooper->target = NULL;
        }
    }
}

/* The server's */

static void on_accepted(int fd, void *server)
{
    of_snoop_adopt_take(server, fd);
}

void of_snoops_init(struct of_server *server)
{
    CDS_INIT_LIST_HEAD(&server->snoops.list);
}

int of_snoops_listen(struct of_server *server, const char *path, struct error *error)
{
    struct of_snoops *snoops = &server->snoops;
    int fd = unix_socket_listen(path, SOCKET_MODE, error);

    if (fd < 0)
        return fd;
    snoops->socket_path = strdup(path);
    if (!snoops->socket_path)
        abort();
    acceptor_start(&snoops->acceptor, server->loop, fd, on_accepted, server);
    return 0;
}

void of_snoops_fini(struct of_server *server)
{
    struct of_snoops *snoops = &server->snoops;
    struct of_snooper *snooper;

    cds_list_for_each_entry (snooper, &snoops->list, node)
        close_snooper(snooper, "");
    of_snoops_flush(server);
    if (!snoops->socket_path)
        return;
    acceptor_stop(&snoops->acceptor);
    unlink(snoops->socket_path);
    free(snoops->socket_path);
}
