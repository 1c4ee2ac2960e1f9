/* SPDX-License-Identifier: Apache-2.0 */

/* A connection has one request at a time: while it is open nothing more is read from the client,
 * so answers leave in the order of the questions.
 *
 * Connections stand in the order in which they last asked something.  Where there is no place for another one,
 * one that has never asked goes, or else the first of those that nothing is done for: whoever connects and asks
 * is served, however many others only connect. */

#include "lib/unixctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu/list.h>

#include "lib/acceptor.h"
#include "lib/jsonrpc.h"
#include "lib/log.h"
#include "lib/unix_socket.h"
#include "lib/unixctl_vlog.h"

LOG_MODULE(unixctl);

enum { MAX_CONNECTIONS = 100, MAX_ARGS = 1000, MAX_UNREAD_BYTES = 64 << 20 };

struct unixctl_command {
    struct cds_list_head node;
    char *name, *usage;
    int min_args, max_args;
    unixctl_callback *callback;
    void *aux;
    bool is_for_readers;
};

struct unixctl_connection {
    struct cds_list_head node;
    struct unixctl_server *server;
    struct jsonrpc *rpc;
    struct unixctl_request *request; /* Being served, or NULL. */
    bool wants_json, is_reader;
    bool has_asked; /* Something, ever. */
};

struct unixctl_request {
    struct unixctl_connection *connection; /* NULL once the client has gone. */
    json_t *id;
};

struct unixctl_server {
    struct ev_loop *loop;
    struct acceptor acceptor;
    char *socket_path, *version;
    struct cds_list_head commands;    /* Sorted by name. */
    struct cds_list_head connections; /* Who has been silent for longest is the first. */
    size_t n_connections, n_readers;
    struct peer_readers readers;
};

static struct unixctl_command *find_command(struct unixctl_server *server, const char *name)
{
    struct unixctl_command *command;

    cds_list_for_each_entry (command, &server->commands, node)
        if (!strcmp(command->name, name))
            return command;
    return NULL;
}

static void connection_destroy(struct unixctl_connection *connection)
{
    if (connection->request)
        connection->request->connection = NULL;
    cds_list_del(&connection->node);
    connection->server->n_connections--;
    connection->server->n_readers -= connection->is_reader;
    jsonrpc_destroy(connection->rpc);
    free(connection);
}

static size_t unread_bytes(const struct unixctl_server *server)
{
    const struct unixctl_connection *connection;
    size_t n = 0;

    cds_list_for_each_entry (connection, &server->connections, node)
        n += jsonrpc_backlog_bytes(connection->rpc);
    return n;
}

/* The last one has just been given its answer, and keeps it: jsonrpc.h has its limit. */
static void limit_unread(struct unixctl_server *server)
{
    struct unixctl_connection *connection, *next;

    cds_list_for_each_entry_safe (connection, next, &server->connections, node) {
        if (unread_bytes(server) <= MAX_UNREAD_BYTES || &next->node == &server->connections)
            return;
        if (connection->request || !jsonrpc_backlog_bytes(connection->rpc))
            continue;
        log_warn_limited("control connections do not read %d MB of answers: ended one",
                         MAX_UNREAD_BYTES >> 20);
        connection_destroy(connection);
    }
}

static void finish(struct unixctl_request *request, json_t *(*make)(json_t *, json_t *),
                   json_t *body)
{
    struct unixctl_connection *connection = request->connection;

    if (connection) {
        connection->request = NULL;
        jsonrpc_send_take(connection->rpc, make(body, json_incref(request->id)));
        jsonrpc_release(connection->rpc);
        limit_unread(connection->server);
    } else {
        json_decref(body);
    }
    json_decref(request->id);
    free(request);
}

static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);

    return json ? json : json_string("the answer is not valid UTF-8");
}

/* ovs-appctl prints texts as they stand: what is not empty ends with a line's end. */
static json_t *line_json(const char *text)
{
    struct buffer line = BUFFER_INIT;

    buffer_puts(&line, text);
    if (line.size && line.data[line.size - 1] != '\n')
        buffer_putc(&line, '\n');
    json_t *json = text_json(buffer_text(&line));
    buffer_fini(&line);
    return json;
}

void unixctl_reply(struct unixctl_request *request, const char *text)
{
    json_t *body = line_json(text ? text : "");

    if (unixctl_request_wants_json(request))
        body = json_pack("{s:s, s:o}", "reply-format", "plain", "reply", body);
    finish(request, jsonrpc_reply_take, body);
}

void unixctl_reply_format(struct unixctl_request *request, const char *format, ...)
{
    struct buffer text = BUFFER_INIT;
    va_list args;

    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

void unixctl_reply_json_take(struct unixctl_request *request, json_t *json)
{
    finish(request, jsonrpc_reply_take, json);
}

void unixctl_reply_error(struct unixctl_request *request, const char *format, ...)
{
    struct buffer text = BUFFER_INIT;
    va_list args;

    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    if (!text.size)
        buffer_putc(&text, '\n');
    finish(request, jsonrpc_error_take, line_json(buffer_text(&text)));
    buffer_fini(&text);
}

bool unixctl_request_wants_json(const struct unixctl_request *request)
{
    return request->connection && request->connection->wants_json;
}

static void run_command(struct unixctl_server *server, struct unixctl_request *request,
                        const struct jsonrpc_message *message)
{
    struct unixctl_command *command = find_command(server, message->method);
    const char *argv[MAX_ARGS + 2] = {message->method};
    int n_args = (int)json_array_size(message->params);

    if (!command) {
        unixctl_reply_error(request,
                            "\"%s\" is not a valid command (use \"list-commands\" to see a list "
                            "of valid commands)",
                            message->method);
        return;
    }
    if (request->connection->is_reader && !command->is_for_readers) {
        unixctl_reply_error(request, "\"%s\" is not for members of the read-only group",
                            command->name);
        return;
    }
    if (n_args < command->min_args) {
        unixctl_reply_error(request, "\"%s\" command requires at least %d arguments", command->name,
                            command->min_args);
        return;
    }
    if (n_args > MAX_ARGS || (command->max_args >= 0 && n_args > command->max_args)) {
        unixctl_reply_error(request, "\"%s\" command takes at most %d arguments", command->name,
                            command->max_args >= 0 ? command->max_args : MAX_ARGS);
        return;
    }
    for (int i = 0; i < n_args; i++) {
        argv[i + 1] = json_string_value(json_array_get(message->params, (size_t)i));
        if (!argv[i + 1]) {
            unixctl_reply_error(request, "\"%s\" command has non-string argument", command->name);
            return;
        }
    }
    command->callback(request, n_args + 1, argv, command->aux);
}

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_message *message, void *aux)
{
    struct unixctl_connection *connection = aux;

    if (message->type != JSONRPC_REQUEST)
        return;
    struct unixctl_request *request = calloc(1, sizeof *request);
    if (!request)
        abort();
    request->connection = connection;
    request->id = json_incref(message->id);
    connection->request = request;
    connection->has_asked = true;
    cds_list_del(&connection->node);
    cds_list_add_tail(&connection->node, &connection->server->connections);
    jsonrpc_hold(rpc);
    run_command(connection->server, request, message);
}

static void on_closed(struct jsonrpc *rpc UNUSED, const char *reason, void *aux)
{
    if (*reason)
        log_warn_limited("control connection ended: %s", reason);
    connection_destroy(aux);
}

static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};

/* The connection that is missed least: of readers, if 'of_readers'. */
static struct unixctl_connection *find_idle(struct unixctl_server *server, bool of_readers)
{
    struct unixctl_connection *connection, *first = NULL;

    cds_list_for_each_entry (connection, &server->connections, node) {
        if (connection->request || (of_readers && !connection->is_reader))
            continue;
        if (!connection->has_asked)
            return connection;
        if (!first)
            first = connection;
    }
    return first;
}

/* Makes a place for another connection.  Readers have their own half of them, and cost nobody else's. */
static bool make_room(struct unixctl_server *server, bool is_reader)
{
    struct unixctl_connection *idle;

    if (server->n_connections < MAX_CONNECTIONS &&
        (!is_reader || server->n_readers < MAX_CONNECTIONS / 2))
        return true;
    idle = find_idle(server, is_reader);
    if (!idle)
        return false;
    log_warn_limited("more than %d control connections: ended one that is silent", MAX_CONNECTIONS);
    connection_destroy(idle);
    return true;
}

static void on_accepted(int fd, void *aux)
{
    struct unixctl_server *server = aux;

    enum peer_role role = peer_role(fd, server->socket_path, &server->readers);
    bool is_reader = role == PEER_READER;

    if (role == PEER_STRANGER) {
        close(fd);
        log_warn_limited("refused a control connection of neither group");
        return;
    }
    if (!make_room(server, is_reader)) {
        close(fd);
        log_warn_limited("more than %d control connections: refused one", MAX_CONNECTIONS);
        return;
    }
    struct unixctl_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        abort();
    connection->server = server;
    connection->is_reader = is_reader;
    server->n_readers += is_reader;
    connection->rpc = jsonrpc_create(server->loop, fd, &callbacks, connection);
    cds_list_add_tail(&connection->node, &server->connections);
    server->n_connections++;
}

void unixctl_list_commands(const struct unixctl_server *server, const char *prefix, int width,
                           struct buffer *text)
{
    const struct unixctl_command *command;

    cds_list_for_each_entry (command, &server->commands, node) {
        if (!strncmp(command->name, prefix, strlen(prefix)))
            buffer_printf(text, "  %-*s %s\n", width, command->name, command->usage);
    }
}

static void cmd_list_commands(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[] UNUSED, void *server)
{
    struct buffer text = BUFFER_INIT;

    buffer_puts(&text, "The available commands are:\n");
    unixctl_list_commands(server, "", 23, &text);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void cmd_version(struct unixctl_request *request, int argc UNUSED,
                        const char *const argv[] UNUSED, void *aux)
{
    struct unixctl_server *server = aux;

    unixctl_reply(request, server->version);
}

static void cmd_set_options(struct unixctl_request *request, int argc, const char *const argv[],
                            void *aux UNUSED)
{
    const char *format = NULL;

    if (argc == 2 && !strncmp(argv[1], "--format=", 9))
        format = argv[1] + 9;
    else if (argc == 3 && !strcmp(argv[1], "--format"))
        format = argv[2];
    if (!format || (strcmp(format, "json") && strcmp(format, "text"))) {
        unixctl_reply_error(request, "set-options takes --format text or --format json");
        return;
    }
    struct unixctl_connection *connection = request->connection;
    connection->wants_json = false;
    unixctl_reply(request, NULL);
    connection->wants_json = !strcmp(format, "json");
}

struct unixctl_server *unixctl_server_create(struct ev_loop *loop, const char *socket_path,
                                             const char *version, struct error *error)
{
    int fd = unix_socket_listen(socket_path, 0660, error);

    if (fd < 0)
        return NULL;
    struct unixctl_server *server = calloc(1, sizeof *server);
    if (!server)
        abort();
    server->loop = loop;
    server->socket_path = strdup(socket_path);
    server->version = strdup(version);
    CDS_INIT_LIST_HEAD(&server->commands);
    CDS_INIT_LIST_HEAD(&server->connections);
    acceptor_start(&server->acceptor, loop, fd, on_accepted, server);

    unixctl_command_register(server, "list-commands", "", 0, 0, cmd_list_commands, server);
    unixctl_command_register(server, "version", "", 0, 0, cmd_version, server);
    unixctl_command_register(server, "set-options", "[--format text|json]", 1, 2, cmd_set_options,
                             server);
    unixctl_vlog_register(server);
    return server;
}

static void allow_readers(struct unixctl_server *server, const char *const names[])
{
    for (size_t i = 0; names[i]; i++) {
        struct unixctl_command *command = find_command(server, names[i]);
        if (command)
            command->is_for_readers = true;
    }
}

int unixctl_admit_readers(struct unixctl_server *server, const struct peer_readers *readers,
                          const char *const names[], struct error *error)
{
    static const char *const built_in[] = {"list-commands", "version",           "set-options",
                                           "vlog/list",     "vlog/list-pattern", NULL};

    allow_readers(server, built_in);
    allow_readers(server, names);
    server->readers = *readers;
    return peer_readers_admit(readers, server->socket_path, error);
}

void unixctl_server_destroy(struct unixctl_server *server)
{
    struct unixctl_connection *connection, *next_connection;
    struct unixctl_command *command, *next_command;

    if (!server)
        return;
    acceptor_stop(&server->acceptor);
    unlink(server->socket_path);
    cds_list_for_each_entry_safe (connection, next_connection, &server->connections, node) {
        jsonrpc_flush(connection->rpc);
        connection_destroy(connection);
    }
    cds_list_for_each_entry_safe (command, next_command, &server->commands, node) {
        free(command->name);
        free(command->usage);
        free(command);
    }
    free(server->socket_path);
    free(server->version);
    free(server);
}

void unixctl_command_register(struct unixctl_server *server, const char *name, const char *usage,
                              int min_args, int max_args, unixctl_callback *callback, void *aux)
{
    struct unixctl_command *command = calloc(1, sizeof *command), *other;
    struct cds_list_head *before = &server->commands;

    if (!command)
        abort();
    *command = (struct unixctl_command){.name = strdup(name),
                                        .usage = strdup(usage),
                                        .min_args = min_args,
                                        .max_args = max_args,
                                        .callback = callback,
                                        .aux = aux};
    cds_list_for_each_entry (other, &server->commands, node) {
        if (strcmp(other->name, name) > 0) {
            before = &other->node;
            break;
        }
    }
    cds_list_add_tail(&command->node, before);
}
