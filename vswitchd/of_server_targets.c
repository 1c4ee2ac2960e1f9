/* SPDX-License-Identifier: Apache-2.0 */

/* A target is in one state at a time; every way out of it goes through enter(), which stops what the
 * old state had running. */

#include "vswitchd/of_server_targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/socket_address.h"
#include "lib/unix_socket.h"
#include "vswitchd/of_server_state.h"

LOG_MODULE(controller);

enum {
    MIN_BACKOFF_MS = 1000,
    DEFAULT_MAX_BACKOFF_MS = 8000,
    DEFAULT_INACTIVITY_MS = 5000,
    REST_MS = 500,
    OFP_DEFAULT_TCP_PORT = 6653,
};

static void try_target(struct of_target *target);

/* Leaves the old state; 'fd' belongs to the new one, or is -1. */
static void enter(struct of_target *target, enum of_target_state state, int fd)
{
    struct ev_loop *loop = target->server->loop;

    ev_io_stop(loop, &target->ready);
    ev_timer_stop(loop, &target->wait);
    connector_stop(&target->connector);
    if (target->fd >= 0 && target->fd != fd)
        close(target->fd);
    target->fd = fd;
    target->state = state;
}

static void start_timer(struct of_target *target, unsigned int wait_ms)
{
    ev_timer_set(&target->wait, wait_ms / 1000., 0.);
    ev_timer_start(target->server->loop, &target->wait);
}

static void back_off(struct of_target *target)
{
    enter(target, TARGET_BACKOFF, -1);
    start_timer(target, target->backoff_ms);
    target->backoff_ms *= 2;
    if (target->backoff_ms > target->max_backoff_ms)
        target->backoff_ms = target->max_backoff_ms;
}

static void fail(struct of_target *target, int code, const char *what)
{
    target->last_error = (struct error)ERROR_INIT;
    error_set(&target->last_error, code, "%s", what);
    log_info_limited("%s<->%s: %s", target->server->name, target->name, what);
    back_off(target);
    of_server_note_status(target->server, true);
}

static struct of_connection *add_connection(struct of_target *target, struct stream *stream)
{
    struct of_server *server = target->server;
    struct of_connection *connection =
        of_connection_create(server, stream, OF_CONNECTION_CONTROLLER, target->inactivity_ms);

    connection->target = target;
    of_connection_limit_packet_ins(connection, target->packet_in_rate, target->packet_in_burst);
    of_server_add_connection(server, connection);
    return connection;
}

static void on_connected(struct stream *stream, int code, const char *reason, void *aux)
{
    struct of_target *target = aux;

    if (!stream) {
        fail(target, code, code == -ETIMEDOUT ? "connecting takes too long" : reason);
        return;
    }
    enter(target, TARGET_ACTIVE, -1);
    target->connection = add_connection(target, stream);
}

/* A peer that has come, by whichever way. */
static void welcome(struct of_target *target, struct stream *stream)
{
    if (of_server_is_full(target->server))
        stream_destroy(stream);
    else
        add_connection(target, stream);
}

static void refuse(const struct of_target *target, const char *reason)
{
    log_warn_limited("%s<->%s: refused a peer: %s", target->server->name, target->name, reason);
}

static void on_handshake(struct stream *stream, const char *reason, void *aux)
{
    if (stream)
        welcome(aux, stream);
    else
        refuse(aux, reason);
}

static void start_tls(struct of_target *target, int fd)
{
    struct error error = ERROR_INIT;
    struct stream *stream = stream_create_tls(fd, target->server->tls, TLS_SERVER, &error);

    if (stream)
        handshakes_add_take(&target->handshakes, stream);
    else
        log_warn_limited("%s<->%s: refused a peer: %s", target->server->name, target->name,
                         error.message);
}

/* Without a descriptor to give it, the peer would be offered again at once. */
static void rest(struct of_target *target)
{
    log_warn_limited("%s<->%s: cannot accept: %s", target->server->name, target->name,
                     strerror(errno));
    ev_io_stop(target->server->loop, &target->ready);
    start_timer(target, REST_MS);
}

static void accept_peer(struct of_target *target)
{
    int fd = accept4(target->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            rest(target);
        return;
    }
    if (target->address->is_tls)
        start_tls(target, fd);
    else
        welcome(target, stream_create(fd));
}

static void on_ready(struct ev_loop *loop UNUSED, struct ev_io *watcher, int events UNUSED)
{
    accept_peer(CONTAINER_OF(watcher, struct of_target, ready));
}

static void on_wait_over(struct ev_loop *loop UNUSED, struct ev_timer *watcher, int events UNUSED)
{
    struct of_target *target = CONTAINER_OF(watcher, struct of_target, wait);

    if (target->state == TARGET_LISTENING)
        ev_io_start(target->server->loop, &target->ready);
    else
        try_target(target);
}

static void listen_for_peers(struct of_target *target)
{
    struct error error = ERROR_INIT;
    int fd = socket_address_open(target->address, &error);

    if (fd < 0) {
        fail(target, fd, error.message);
        return;
    }
    enter(target, TARGET_LISTENING, fd);
    ev_io_set(&target->ready, fd, EV_READ);
    ev_io_start(target->server->loop, &target->ready);
}

static void try_target(struct of_target *target)
{
    struct error error = ERROR_INIT;

    if (target->address->is_tls && !target->server->tls) {
        fail(target, -EOPNOTSUPP, "there is no TLS here");
        return;
    }
    if (target->address->is_passive) {
        listen_for_peers(target);
        return;
    }
    enter(target, TARGET_CONNECTING, -1);
    int code = connector_start(&target->connector, target->address, &error);
    if (code < 0)
        fail(target, code, error.message);
}

void of_target_connection_up(struct of_connection *connection)
{
    struct of_target *target = connection->target;

    log_info("%s: connected", of_connection_name(connection));
    target->n_up++;
    target->connected_ns = clock_now_ns();
    target->backoff_ms = MIN_BACKOFF_MS;
}

void of_target_connection_closed(struct of_connection *connection, const char *reason)
{
    struct of_target *target = connection->target;

    if (connection->was_up)
        target->n_up--;
    if (connection->was_up || target->connection == connection)
        target->disconnected_ns = clock_now_ns();
    if (target->connection != connection)
        return;
    target->connection = NULL;
    error_set(&target->last_error, -EPROTO, "%s", *reason ? reason : "End of file");
    back_off(target);
}

/* The list */

static struct of_target *target_find(const struct of_server *server, const char *name)
{
    struct of_target *target;

    cds_list_for_each_entry (target, &server->targets, node) {
        if (!strcmp(target->name, name))
            return target;
    }
    return NULL;
}

static struct of_target *target_create(struct of_server *server, const char *name)
{
    struct of_target *target = calloc(1, sizeof *target);

    if (!target || !(target->name = strdup(name)))
        abort();
    target->server = server;
    target->fd = -1;
    target->backoff_ms = MIN_BACKOFF_MS;
    ev_io_init(&target->ready, on_ready, -1, EV_READ);
    ev_timer_init(&target->wait, on_wait_over, 0., 0.);
    connector_init(&target->connector, server->loop, server->tls, on_connected, target);
    handshakes_init(&target->handshakes, server->loop, on_handshake, target);
    target->address = socket_address_parse(name, OFP_DEFAULT_TCP_PORT, &target->last_error);
    if (!target->address)
        log_warn("%s: %s", server->name, target->last_error.message);
    cds_list_add_tail(&target->node, &server->targets);
    return target;
}

static void close_connections(struct of_target *target, const char *reason)
{
    struct of_connection *connection;

    cds_list_for_each_entry (connection, &target->server->connections, node) {
        if (connection->target == target) {
            of_connection_close(connection, reason);
            connection->target = NULL;
        }
    }
}

static void target_destroy(struct of_target *target)
{
    close_connections(target, "controller removed");
    of_snoop_target_removed(target);
    enter(target, TARGET_VOID, -1);
    handshakes_stop(&target->handshakes);
    cds_list_del(&target->node);
    socket_address_destroy(target->address);
    free(target->name);
    free(target);
}

static void target_configure(struct of_target *target, const struct of_controller *controller)
{
    struct of_connection *connection;

    target->is_wanted = true;
    target->max_backoff_ms = controller->max_backoff_ms ? controller->max_backoff_ms
                                                        : DEFAULT_MAX_BACKOFF_MS;
    if (target->max_backoff_ms < MIN_BACKOFF_MS)
        target->max_backoff_ms = MIN_BACKOFF_MS;
    target->inactivity_ms = controller->has_inactivity ? controller->inactivity_ms
                                                       : DEFAULT_INACTIVITY_MS;
    target->has_no_async = controller->has_no_async;
    target->packet_in_rate = controller->packet_in_rate;
    target->packet_in_burst = controller->packet_in_burst;
    target->packet_in_queue = controller->packet_in_queue;
    cds_list_for_each_entry (connection, &target->server->connections, node) {
        if (connection->target != target)
            continue;
        connection->inactivity_ms = target->inactivity_ms;
        of_connection_limit_packet_ins(connection, target->packet_in_rate, target->packet_in_burst);
    }
}

void of_server_set_controllers(struct of_server *server, const struct of_controller *controllers,
                               size_t n_controllers)
{
    struct of_target *target, *next;

    cds_list_for_each_entry (target, &server->targets, node)
        target->is_wanted = false;
    for (size_t i = 0; i < n_controllers; i++) {
        target = target_find(server, controllers[i].target);
        bool is_new = !target;
        if (is_new)
            target = target_create(server, controllers[i].target);
        target_configure(target, &controllers[i]);
        if (is_new && target->address)
            try_target(target);
    }
    cds_list_for_each_entry_safe (target, next, &server->targets, node) {
        if (!target->is_wanted)
            target_destroy(target);
    }
    of_server_note_status(server, true);
}

void of_server_reconnect(struct of_server *server)
{
    struct of_connection *connection;
    struct of_target *target;

    cds_list_for_each_entry (connection, &server->connections, node) {
        if (connection->target)
            of_connection_close(connection, "reconnect requested");
    }
    cds_list_for_each_entry (target, &server->targets, node) {
        if (target->state == TARGET_BACKOFF && target->address)
            try_target(target);
    }
    of_server_note_status(server, true);
}

void of_targets_destroy(struct of_server *server)
{
    struct of_target *target, *next;

    cds_list_for_each_entry_safe (target, next, &server->targets, node)
        target_destroy(target);
}

static const char *state_name(const struct of_target *target)
{
    static const char *const names[] = {
        [TARGET_VOID] = "VOID",
        [TARGET_BACKOFF] = "BACKOFF",
        [TARGET_CONNECTING] = "CONNECTING",
        [TARGET_ACTIVE] = "ACTIVE",
        [TARGET_LISTENING] = "LISTENING",
    };

    if (target->state == TARGET_ACTIVE && !target->n_up)
        return "CONNECTING";
    if (target->state == TARGET_ACTIVE && target->connection->is_probing)
        return "IDLE";
    return names[target->state];
}

/* Of those who have come to a passive one, the primary counts. */
static enum of_role role_of(const struct of_target *target)
{
    const struct of_connection *connection;
    enum of_role role = OF_ROLE_NOCHANGE;

    for_each_connection_up (connection, target->server) {
        if (connection->target == target &&
            (role == OF_ROLE_NOCHANGE || connection->role == OF_ROLE_PRIMARY))
            role = connection->role;
    }
    return role == OF_ROLE_NOCHANGE ? OF_ROLE_EQUAL : role;
}

bool of_server_get_controller_status(const struct of_server *server, const char *name,
                                     struct of_controller_status *status)
{
    const struct of_target *target = target_find(server, name);

    if (!target)
        return false;
    *status = (struct of_controller_status){
        .is_connected = target->n_up > 0,
        .role = role_of(target),
        .state = state_name(target),
        .last_error = target->last_error.code ? target->last_error.message : NULL,
        .connected_ns = target->connected_ns,
        .disconnected_ns = target->disconnected_ns,
    };
    const struct of_connection *connection = target->connection;
    if (connection && connection->limiters[LIMITER_MISSES].rate) {
        status->has_packet_in_limits = true;
        status->misses = connection->limiters[LIMITER_MISSES].stats;
        status->actions = connection->limiters[LIMITER_ACTIONS].stats;
    }
    return true;
}
