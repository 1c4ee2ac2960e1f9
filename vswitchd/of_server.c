/* SPDX-License-Identifier: Apache-2.0 */

/* Connections are only marked closed where they break; before_waiting() frees them, publishes what the
 * round has changed and then lets the replies go. */

#include "vswitchd/of_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/openflow/messages.h"
#include "lib/unix_socket.h"
#include "vswitchd/of_server_state.h"
#include "vswitchd/of_server_targets.h"

LOG_MODULE(of_server);

enum { SOCKET_MODE = 0660 };

void of_server_publish(struct of_server *server)
{
    flow_tables_publish(server->tables);
}

void of_server_note_status(struct of_server *server, bool is_of_controller)
{
    bool wants_misses = of_server_wants_misses(server);
    bool has_changed = is_of_controller || wants_misses != server->wanted_misses;

    server->wanted_misses = wants_misses;
    if (has_changed && !server->is_closing && server->ops->status_changed)
        server->ops->status_changed(server->aux);
}

static void free_closed(struct of_server *server)
{
    struct of_connection *connection, *next;

    cds_list_for_each_entry_safe (connection, next, &server->connections, node) {
        if (connection->state == CONNECTION_CLOSED) {
            cds_list_del(&connection->node);
            of_connection_destroy(connection);
        }
    }
}

static void before_waiting(struct ev_loop *loop UNUSED, struct ev_prepare *watcher,
                           int events UNUSED)
{
    struct of_server *server = CONTAINER_OF(watcher, struct of_server, before_waiting);
    struct of_connection *connection;

    of_server_publish(server);
    cds_list_for_each_entry (connection, &server->connections, node)
        of_connection_flush(connection);
    of_snoops_flush(server);
    free_closed(server);
}

/* Connections */

bool of_server_is_full(struct of_server *server)
{
    if (server->n_connections < OF_SERVER_MAX_CONNECTIONS)
        return false;
    server->stats.n_refused++;
    log_warn_limited("%s: refused a connection: there are %zu", server->name,
                     server->n_connections);
    return true;
}

void of_server_add_connection(struct of_server *server, struct of_connection *connection)
{
    cds_list_add_tail(&connection->node, &server->connections);
    server->n_connections++;
    server->stats.n_accepted++;
}

void of_server_adopt_take(struct of_server *server, int fd, enum of_connection_sort sort)
{
    if (of_server_is_full(server)) {
        close(fd);
        return;
    }
    of_server_add_connection(server, of_connection_create(server, stream_create(fd), sort, 0));
}

static void on_accepted(int fd, void *server)
{
    of_server_adopt_take(server, fd, OF_CONNECTION_MANAGEMENT);
}

/* Life */

static int listen_at(struct of_server *server, const char *path, struct error *error)
{
    int fd = unix_socket_listen(path, SOCKET_MODE, error);

    if (fd < 0)
        return fd;
    server->socket_path = strdup(path);
    if (!server->socket_path)
        abort();
    acceptor_start(&server->acceptor, server->loop, fd, on_accepted, server);
    return 0;
}

struct of_server *of_server_create(const struct of_server_config *config, struct error *error)
{
    struct of_server *server = calloc(1, sizeof *server);

    if (!server || !(server->name = strdup(config->name)))
        abort();
    server->loop = config->loop;
    server->tables = config->tables;
    server->meters = config->meters;
    server->tls = config->tls;
    server->ops = config->ops;
    server->aux = config->aux;
    server->versions = config->versions ? config->versions & OF_VERSIONS_KNOWN : OF_VERSIONS_KNOWN;
    CDS_INIT_LIST_HEAD(&server->connections);
    CDS_INIT_LIST_HEAD(&server->targets);
    of_snoops_init(server);
    of_seal_init(&server->seal);
    server->bundle_idle_ns = OF_BUNDLE_IDLE_S * SECOND_NS;
    server->packet_in_queue = OF_PACKET_IN_QUEUE_DEFAULT;
    of_flow_mod_init(&server->flow_mod);
    ev_prepare_init(&server->before_waiting, before_waiting);
    ev_prepare_start(server->loop, &server->before_waiting);
    awake_init(&server->awake, server->loop);
    if ((config->socket_path && listen_at(server, config->socket_path, error) < 0) ||
        (config->snoop_path && of_snoops_listen(server, config->snoop_path, error) < 0)) {
        of_server_destroy(server);
        return NULL;
    }
    return server;
}

void of_server_destroy(struct of_server *server)
{
    struct of_connection *connection;

    if (!server)
        return;
    server->is_closing = true;
    of_targets_destroy(server);
    cds_list_for_each_entry (connection, &server->connections, node)
        of_connection_close(connection, "");
    of_snoops_fini(server);
    free_closed(server);
    if (server->socket_path) {
        acceptor_stop(&server->acceptor);
        unlink(server->socket_path);
        free(server->socket_path);
    }
    ev_prepare_stop(server->loop, &server->before_waiting);
    awake_stop(&server->awake);
    of_flow_mod_fini(&server->flow_mod);
    of_tlv_clear(server);
    free(server->name);
    free(server);
}

void of_server_set_versions(struct of_server *server, uint32_t versions)
{
    struct of_connection *connection;

    server->versions = versions ? versions & OF_VERSIONS_KNOWN : OF_VERSIONS_KNOWN;
    for_each_connection_up (connection, server) {
        if (!(server->versions & OF_VERSION_BIT(connection->protocol.version)))
            of_connection_close(connection, "its OpenFlow version is no longer allowed");
    }
}

void of_server_set_bundle_idle(struct of_server *server, unsigned int idle_s)
{
    server->bundle_idle_ns = idle_s * SECOND_NS;
}

void of_server_set_packet_in_queue(struct of_server *server, uint32_t n_packet_ins)
{
    server->packet_in_queue = n_packet_ins;
}

void of_server_set_table_name(struct of_server *server, uint8_t table_id, const char *name)
{
    char *own = server->own_names[table_id];

    memset(own, 0, sizeof server->own_names[0]);
    if (name)
        memcpy(own, name, strnlen(name, sizeof server->own_names[0] - 1));
}

bool of_server_has_controller(const struct of_server *server)
{
    const struct of_connection *connection;

    for_each_connection_up (connection, server) {
        if (connection->sort == OF_CONNECTION_CONTROLLER)
            return true;
    }
    return false;
}

void of_server_get_stats(const struct of_server *server, struct of_server_stats *stats)
{
    *stats = server->stats;
    stats->n_connections = server->n_connections;
}
