/* SPDX-License-Identifier: Apache-2.0 */

/* A thin layer over jsonrpc_client: it knows the database's name and what answers mean. */

#include "lib/ovsdb/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jsonrpc_client.h"
#include "lib/ovsdb/client_txn.h"
#include "lib/ovsdb/remote.h"
#include "lib/rundir.h"
#include "lib/socket_address.h"

struct ovsdb_session {
    struct jsonrpc_client *rpc;
    char *database;
    struct db_schema *schema; /* NULL until asked for. */
};

static struct jsonrpc_client *connect_inet(const char *remote, struct tls *tls, int64_t deadline_ns,
                                           struct error *error)
{
    if (ovsdb_remote_check(remote, error))
        return NULL;
    struct socket_address *address = socket_address_parse(remote, OVSDB_DEFAULT_PORT, error);
    struct jsonrpc_client *rpc = jsonrpc_client_connect_inet(address, tls, deadline_ns, error);
    socket_address_destroy(address);
    if (!rpc)
        error_prefix(error, "%s", remote);
    return rpc;
}

static struct jsonrpc_client *connect_to(const char *remote, struct tls *tls, int64_t deadline_ns,
                                         struct error *error)
{
    if (remote && !ovsdb_remote_path(remote))
        return connect_inet(remote, tls, deadline_ns, error);
    char *path = remote ? strdup(ovsdb_remote_path(remote)) : rundir_db_socket();
    struct jsonrpc_client *rpc = jsonrpc_client_connect(path, deadline_ns, error);
    free(path);
    return rpc;
}

struct ovsdb_session *ovsdb_session_connect(const char *remote, const char *database,
                                            struct tls *tls, int64_t deadline_ns,
                                            struct error *error)
{
    struct jsonrpc_client *rpc = connect_to(remote, tls, deadline_ns, error);

    if (!rpc)
        return NULL;
    struct ovsdb_session *session = calloc(1, sizeof *session);
    if (!session)
        abort();
    session->rpc = rpc;
    session->database = strdup(database);
    return session;
}

void ovsdb_session_destroy(struct ovsdb_session *session)
{
    if (!session)
        return;
    jsonrpc_client_destroy(session->rpc);
    db_schema_destroy(session->schema);
    free(session->database);
    free(session);
}

void ovsdb_session_set_deadline(struct ovsdb_session *session, int64_t deadline_ns)
{
    jsonrpc_client_set_deadline(session->rpc, deadline_ns);
}

int ovsdb_session_fd(const struct ovsdb_session *session)
{
    return jsonrpc_client_fd(session->rpc);
}

int ovsdb_session_call_take(struct ovsdb_session *session, const char *method, json_t *params,
                            json_t **result, struct error *error)
{
    bool is_error;
    json_t *answer;
    int code = jsonrpc_client_call_take(session->rpc, method, params, &answer, &is_error, error);

    *result = NULL;
    if (code)
        return code;
    if (is_error) {
        ovsdb_txn_judge(NULL, answer, error);
        json_decref(answer);
        return error_prefix(error, "%s", method);
    }
    *result = answer;
    return 0;
}

const struct db_schema *ovsdb_session_schema(struct ovsdb_session *session, struct error *error)
{
    json_t *json;

    if (session->schema)
        return session->schema;
    if (ovsdb_session_call_take(session, "get_schema", json_pack("[s]", session->database), &json,
                                error))
        return NULL;
    session->schema = db_schema_parse(json, error);
    json_decref(json);
    return session->schema;
}

int ovsdb_session_transact_take(struct ovsdb_session *session, json_t *operations, json_t **results,
                                struct error *error)
{
    bool is_error;
    json_t *answer;

    *results = NULL;
    json_array_insert_new(operations, 0, json_string(session->database));
    int code = jsonrpc_client_call_take(session->rpc, "transact", operations, &answer, &is_error,
                                        error);
    if (code)
        return code;
    enum ovsdb_txn_status status = ovsdb_txn_judge(is_error ? NULL : answer,
                                                   is_error ? answer : NULL, error);
    if (is_error)
        json_decref(answer);
    else
        *results = answer;
    return status == OVSDB_TXN_SUCCESS ? 0 : status == OVSDB_TXN_TRY_AGAIN ? -EAGAIN : -EPROTO;
}

json_t *ovsdb_session_select_take(struct ovsdb_session *session, const char *table, json_t *where,
                                  json_t *columns, struct error *error)
{
    json_t *op = json_pack("{s:s, s:s, s:o}", "op", "select", "table", table, "where",
                           where ? where : json_array());
    json_t *results, *rows = NULL;

    if (columns)
        json_object_set_new(op, "columns", columns);
    int code = ovsdb_session_transact_take(session, json_pack("[o]", op), &results, error);
    if (!code) {
        rows = json_object_get(json_array_get(results, 0), "rows");
        if (json_is_array(rows))
            json_incref(rows);
        else
            error_set(error, -EPROTO, "select: the answer has no rows");
    }
    json_decref(results);
    return rows;
}

int ovsdb_session_monitor_take(struct ovsdb_session *session, json_t *requests, json_t **initial,
                               struct error *error)
{
    return ovsdb_session_call_take(
        session, "monitor", json_pack("[s, n, o]", session->database, requests), initial, error);
}

int ovsdb_session_wait_update(struct ovsdb_session *session, json_t **updates, struct error *error)
{
    struct jsonrpc_message message;
    int code;

    *updates = NULL;
    while (!(code = jsonrpc_client_receive(session->rpc, &message, error))) {
        bool is_update = message.type == JSONRPC_NOTIFY && !strcmp(message.method, "update");
        if (is_update)
            *updates = json_incref(json_array_get(message.params, 1));
        jsonrpc_message_fini(&message);
        if (is_update && *updates)
            return 0;
    }
    return code;
}
