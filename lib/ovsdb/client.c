/* SPDX-License-Identifier: Apache-2.0 */

/* A connection goes through get_schema and the monitor request, and is then live.  Everything that
 * goes wrong ends in the same place: the connection is dropped and tried again later. */

#include "lib/ovsdb/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/connector.h"
#include "lib/jsonrpc.h"
#include "lib/log.h"
#include "lib/ovsdb/client_txn.h"
#include "lib/ovsdb/remote.h"
#include "lib/ovsdb/replica.h"
#include "lib/unix_socket.h"

LOG_MODULE(ovsdb_client);

static const double PROBE_S = 5, MIN_BACKOFF_S = 0.1, MAX_BACKOFF_S = 8;

enum state { STATE_DOWN, STATE_SCHEMA, STATE_MONITOR, STATE_LIVE };

/* The dialects of "monitor", best first. */
static const char *const monitor_methods[] = {"monitor_cond_since", "monitor_cond", "monitor"};
enum { METHOD_COND_SINCE, METHOD_COND, METHOD_PLAIN, N_METHODS };

struct ovsdb_client {
    struct ev_loop *loop;
    char *remote, *database;
    const char *socket_path;        /* Part of 'remote'; NULL: it is by TCP. */
    struct socket_address *address; /* By TCP. */
    struct tls *tls;                /* Borrowed, or NULL. */
    struct connector connector;
    struct replica replica;
    struct db_schema *schema;
    json_t *schema_json;

    struct jsonrpc *rpc; /* NULL while down. */
    enum state state;
    int method; /* Index into monitor_methods. */
    json_int_t request_id;
    char last_txn_id[UUID_TEXT_BYTES];
    bool has_contents; /* The copy reflects a state of the server, if an old one. */
    bool is_probing;
    double backoff_s;
    struct ev_timer retry, probe;

    struct cds_list_head sent;      /* Transactions that wait for an answer. */
    struct cds_list_head completed; /* Transactions to answer from the loop. */
    struct ev_timer completer;
};

static void drop(struct ovsdb_client *client, const char *reason);

static void send_monitor(struct ovsdb_client *client)
{
    json_t *requests = replica_monitor_requests(&client->replica);
    json_t *params = json_pack("[s, s, o]", client->database, "weir", requests);

    if (client->method == METHOD_COND_SINCE)
        json_array_append_new(params, json_string(client->last_txn_id));
    client->state = STATE_MONITOR;
    client->request_id = jsonrpc_call_take(client->rpc, monitor_methods[client->method], params);
}

static void take_schema(struct ovsdb_client *client, json_t *json)
{
    struct error error = ERROR_INIT;

    if (client->schema && json_equal(client->schema_json, json)) {
        send_monitor(client);
        return;
    }
    struct db_schema *schema = db_schema_parse(json, &error);
    if (!schema) {
        drop(client, error.message);
        return;
    }
    replica_set_schema(&client->replica, schema, true);
    db_schema_destroy(client->schema);
    json_decref(client->schema_json);
    client->schema = schema;
    client->schema_json = json_incref(json);
    client->has_contents = false;
    uuid_format(&(struct uuid){.bytes = {0}}, client->last_txn_id);
    send_monitor(client);
}

static void apply(struct ovsdb_client *client, const json_t *updates, bool is_whole)
{
    struct error error = ERROR_INIT;
    enum replica_form form = client->method == METHOD_PLAIN ? REPLICA_UPDATES : REPLICA_UPDATES2;
    const struct ovsdb_client_callbacks *callbacks = client->replica.callbacks;

    if (!json_is_object(updates) ||
        replica_apply(&client->replica, updates, form, is_whole, &error)) {
        client->has_contents = false; /* What was applied cannot be built upon. */
        uuid_format(&(struct uuid){.bytes = {0}}, client->last_txn_id);
        drop(client, *error.message ? error.message : "updates are not an object");
        return;
    }
    if (client->state != STATE_LIVE) {
        client->state = STATE_LIVE;
        client->has_contents = true;
        client->backoff_s = MIN_BACKOFF_S;
        log_info("%s: connected, %s", client->remote, monitor_methods[client->method]);
        if (callbacks->connected)
            callbacks->connected(client, true, client->replica.aux);
    }
    if (callbacks->updated)
        callbacks->updated(client, client->replica.aux);
}

static void note_txn_id(struct ovsdb_client *client, const json_t *json)
{
    const char *text = json_string_value(json);
    struct uuid uuid;

    if (text && uuid_parse(text, &uuid))
        uuid_format(&uuid, client->last_txn_id);
}

static void take_contents(struct ovsdb_client *client, const json_t *result)
{
    if (client->method != METHOD_COND_SINCE) {
        apply(client, result, true);
        return;
    }
    bool is_found = json_is_true(json_array_get(result, 0)) && client->has_contents;
    note_txn_id(client, json_array_get(result, 1));
    apply(client, json_array_get(result, 2), !is_found);
}

static void on_notify(struct ovsdb_client *client, const struct jsonrpc_message *message)
{
    if (client->state != STATE_LIVE)
        return;
    if (!strcmp(message->method, "update3")) {
        note_txn_id(client, json_array_get(message->params, 1));
        apply(client, json_array_get(message->params, 2), false);
    } else if (!strcmp(message->method, "update2") || !strcmp(message->method, "update")) {
        apply(client, json_array_get(message->params, 1), false);
    }
}

static void on_answer(struct ovsdb_client *client, const struct jsonrpc_message *message)
{
    bool is_error = message->type == JSONRPC_ERROR;
    struct ovsdb_txn *txn, *next;

    if (!json_is_integer(message->id))
        return;
    json_int_t id = json_integer_value(message->id);
    if (client->state == STATE_SCHEMA && id == client->request_id) {
        if (is_error)
            drop(client, "the server does not have the database");
        else
            take_schema(client, message->result);
        return;
    }
    if (client->state == STATE_MONITOR && id == client->request_id) {
        if (!is_error)
            take_contents(client, message->result);
        else if (++client->method < N_METHODS)
            send_monitor(client);
        else
            drop(client, "the server refused to be monitored");
        return;
    }
    cds_list_for_each_entry_safe (txn, next, &client->sent, node) {
        if (txn->id != id)
            continue;
        struct error error = ERROR_INIT;
        cds_list_del(&txn->node);
        enum ovsdb_txn_status status = ovsdb_txn_judge(message->result, message->error, &error);
        ovsdb_txn_complete(txn, status, error.message, message->result);
        return;
    }
}

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_message *message, void *aux)
{
    struct ovsdb_client *client = aux;

    client->is_probing = false;
    ev_timer_again(client->loop, &client->probe);
    switch (message->type) {
    case JSONRPC_REQUEST:
        jsonrpc_send_take(
            rpc, jsonrpc_error_take(json_string("unknown method"), json_incref(message->id)));
        break;
    case JSONRPC_NOTIFY:
        on_notify(client, message);
        break;
    case JSONRPC_REPLY:
    case JSONRPC_ERROR:
        on_answer(client, message);
        break;
    }
}

static void on_closed(struct jsonrpc *rpc UNUSED, const char *reason, void *aux)
{
    drop(aux, *reason ? reason : "closed by the server");
}

static const struct jsonrpc_callbacks rpc_callbacks = {.message = on_message, .closed = on_closed};

static void complete_later(struct ovsdb_client *client, struct ovsdb_txn *txn)
{
    cds_list_add_tail(&txn->node, &client->completed);
    if (!ev_is_active(&client->completer)) {
        ev_timer_set(&client->completer, 0, 0);
        ev_timer_start(client->loop, &client->completer);
    }
}

static void drop(struct ovsdb_client *client, const char *reason)
{
    bool was_live = client->state == STATE_LIVE;
    struct ovsdb_txn *txn, *next;

    if (was_live)
        log_warn("%s: connection lost: %s", client->remote, reason);
    else if (client->rpc)
        log_warn_limited("%s: %s", client->remote, reason);
    jsonrpc_destroy(client->rpc);
    client->rpc = NULL;
    client->state = STATE_DOWN;
    ev_timer_stop(client->loop, &client->probe);
    ev_timer_set(&client->retry, client->backoff_s, 0);
    ev_timer_start(client->loop, &client->retry);
    if (client->backoff_s < MAX_BACKOFF_S)
        client->backoff_s *= 2;
    cds_list_for_each_entry_safe (txn, next, &client->sent, node) {
        cds_list_del(&txn->node);
        complete_later(client, txn);
    }
    if (was_live && client->replica.callbacks->connected)
        client->replica.callbacks->connected(client, false, client->replica.aux);
}

static void begin(struct ovsdb_client *client, struct stream *stream)
{
    client->rpc = jsonrpc_create_take(client->loop, stream, &rpc_callbacks, client);
    jsonrpc_accept_answers(client->rpc);
    client->state = STATE_SCHEMA;
    client->method = METHOD_COND_SINCE;
    client->is_probing = false;
    ev_timer_again(client->loop, &client->probe);
    client->request_id = jsonrpc_call_take(client->rpc, "get_schema",
                                           json_pack("[s]", client->database));
}

static void on_connected(struct stream *stream, int code UNUSED, const char *reason, void *aux)
{
    struct ovsdb_client *client = aux;

    if (stream) {
        begin(client, stream);
        return;
    }
    log_info_limited("%s: cannot connect: %s", client->remote, reason);
    drop(client, reason);
}

static void connect_now(struct ovsdb_client *client)
{
    struct error error = ERROR_INIT;
    int result;

    if (client->address) {
        result = connector_start(&client->connector, client->address, &error);
    } else if (client->socket_path) {
        result = unix_socket_connect_now(client->socket_path, &error);
        if (result >= 0)
            begin(client, stream_create(result));
    } else {
        result = error_set(&error, -EINVAL, "%s: not a database", client->remote);
    }
    if (result < 0) {
        log_info_limited("%s", error.message);
        drop(client, error.message);
    }
}

static void on_retry(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    connect_now(timer->data);
}

static void on_probe(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    struct ovsdb_client *client = timer->data;

    if (client->is_probing) {
        drop(client, "no answer to a probe");
        return;
    }
    client->is_probing = true;
    jsonrpc_send_take(client->rpc, jsonrpc_request_take("echo", json_array(), json_string("echo")));
}

static void on_complete(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    struct ovsdb_client *client = timer->data;
    struct cds_list_head ready;
    struct ovsdb_txn *txn, *next;

    CDS_INIT_LIST_HEAD(&ready);
    cds_list_splice(&client->completed, &ready);
    CDS_INIT_LIST_HEAD(&client->completed);
    cds_list_for_each_entry_safe (txn, next, &ready, node) {
        /* Only what has nothing in it still has its operations. */
        bool is_lost = !txn->operations || !txn->is_empty;
        ovsdb_txn_complete(txn, is_lost ? OVSDB_TXN_LOST : OVSDB_TXN_UNCHANGED,
                           is_lost ? "no connection to the database" : "", NULL);
    }
}

struct ovsdb_client *ovsdb_client_create(struct ev_loop *loop, const char *remote,
                                         const char *database,
                                         const struct ovsdb_client_callbacks *callbacks, void *aux)
{
    struct ovsdb_client *client = calloc(1, sizeof *client);

    if (!client)
        abort();
    client->loop = loop;
    client->remote = strdup(remote);
    client->socket_path = ovsdb_remote_path(client->remote);
    if (!client->socket_path)
        client->address = socket_address_parse(remote, OVSDB_DEFAULT_PORT, NULL);
    client->database = strdup(database);
    client->backoff_s = MIN_BACKOFF_S;
    replica_init(&client->replica, client, callbacks, aux);
    uuid_format(&(struct uuid){.bytes = {0}}, client->last_txn_id);
    CDS_INIT_LIST_HEAD(&client->sent);
    CDS_INIT_LIST_HEAD(&client->completed);
    ev_timer_init(&client->retry, on_retry, 0, 0);
    ev_timer_init(&client->probe, on_probe, PROBE_S, PROBE_S);
    ev_timer_init(&client->completer, on_complete, 0, 0);
    client->retry.data = client->probe.data = client->completer.data = client;
    return client;
}

void ovsdb_client_watch(struct ovsdb_client *client, const char *table_name, ...)
{
    struct replica_table *table = replica_table(&client->replica, table_name);
    const char *column;
    va_list args;

    if (!table)
        table = replica_table_add(&client->replica, table_name);
    va_start(args, table_name);
    while ((column = va_arg(args, const char *)) != NULL)
        replica_table_watch(table, column);
    va_end(args);
}

void ovsdb_client_set_tls(struct ovsdb_client *client, struct tls *tls)
{
    client->tls = tls;
}

void ovsdb_client_start(struct ovsdb_client *client)
{
    connector_init(&client->connector, client->loop, client->tls, on_connected, client);
    ev_timer_set(&client->retry, 0, 0);
    ev_timer_start(client->loop, &client->retry);
}

void ovsdb_client_destroy(struct ovsdb_client *client)
{
    struct ovsdb_txn *txn, *next;

    if (!client)
        return;
    ev_timer_stop(client->loop, &client->retry);
    ev_timer_stop(client->loop, &client->probe);
    ev_timer_stop(client->loop, &client->completer);
    cds_list_splice(&client->completed, &client->sent);
    cds_list_for_each_entry_safe (txn, next, &client->sent, node)
        ovsdb_txn_complete(txn, OVSDB_TXN_LOST, "the connection was given up", NULL);
    if (client->connector.loop)
        connector_stop(&client->connector);
    jsonrpc_destroy(client->rpc);
    replica_fini(&client->replica);
    db_schema_destroy(client->schema);
    json_decref(client->schema_json);
    socket_address_destroy(client->address);
    free(client->remote);
    free(client->database);
    free(client);
}

bool ovsdb_client_is_connected(const struct ovsdb_client *client)
{
    return client->state == STATE_LIVE;
}

const struct db_schema *ovsdb_client_schema(const struct ovsdb_client *client)
{
    return client->schema;
}

const struct ovsdb_row *ovsdb_client_row(const struct ovsdb_client *client, const char *table_name,
                                         const struct uuid *uuid)
{
    const struct replica_table *table = replica_table(&client->replica, table_name);
    struct ovsdb_row *row = NULL;

    if (table)
        HASH_FIND(by_uuid, table->rows, uuid, sizeof *uuid, row);
    return row;
}

const struct ovsdb_row *ovsdb_client_first(const struct ovsdb_client *client,
                                           const char *table_name)
{
    const struct replica_table *table = replica_table(&client->replica, table_name);

    return table ? table->rows : NULL;
}

size_t ovsdb_client_n_rows(const struct ovsdb_client *client, const char *table_name)
{
    const struct replica_table *table = replica_table(&client->replica, table_name);

    return table ? HASH_CNT(by_uuid, table->rows) : 0;
}

void ovsdb_client_commit(struct ovsdb_client *client, struct ovsdb_txn *txn)
{
    if (txn->is_empty || client->state != STATE_LIVE) {
        complete_later(client, txn);
        return;
    }
    json_array_insert_new(txn->operations, 0, json_string(client->database));
    txn->id = jsonrpc_call_take(client->rpc, "transact", txn->operations);
    txn->operations = NULL;
    cds_list_add_tail(&txn->node, &client->sent);
}
