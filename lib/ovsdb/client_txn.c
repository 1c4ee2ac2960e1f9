/* SPDX-License-Identifier: Apache-2.0 */

/* A transaction is the JSON array of its operations from the start. */

#include "lib/ovsdb/client_txn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ovsdb/replica.h"

struct ovsdb_txn *ovsdb_txn_create(struct ovsdb_client *client)
{
    struct ovsdb_txn *txn = calloc(1, sizeof *txn);

    if (!txn)
        abort();
    txn->client = client;
    txn->operations = json_array();
    txn->is_empty = true;
    return txn;
}

void ovsdb_txn_destroy(struct ovsdb_txn *txn)
{
    if (!txn)
        return;
    json_decref(txn->operations);
    free(txn);
}

void ovsdb_txn_op_take(struct ovsdb_txn *txn, json_t *operation)
{
    const char *op = json_string_value(json_object_get(operation, "op"));

    if (!op || (strcmp(op, "wait") && strcmp(op, "comment")))
        txn->is_empty = false;
    json_array_append_new(txn->operations, operation);
}

void ovsdb_txn_insert_take(struct ovsdb_txn *txn, const char *table, const char *uuid_name,
                           json_t *row)
{
    json_t *op = json_pack("{s:s, s:s, s:o}", "op", "insert", "table", table, "row", row);

    if (uuid_name)
        json_object_set_new(op, "uuid-name", json_string(uuid_name));
    ovsdb_txn_op_take(txn, op);
}

void ovsdb_txn_update_take(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid,
                           json_t *columns)
{
    ovsdb_txn_op_take(txn, json_pack("{s:s, s:s, s:o, s:o}", "op", "update", "table", table,
                                     "where", ovsdb_json_where_uuid(uuid), "row", columns));
}

void ovsdb_txn_mutate_take(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid,
                           const char *column, const char *mutator, json_t *value)
{
    json_t *mutation = ovsdb_json_clause_take(column, mutator, value);

    ovsdb_txn_op_take(txn, json_pack("{s:s, s:s, s:o, s:[o]}", "op", "mutate", "table", table,
                                     "where", ovsdb_json_where_uuid(uuid), "mutations", mutation));
}

void ovsdb_txn_delete(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid)
{
    ovsdb_txn_op_take(txn, json_pack("{s:s, s:s, s:o}", "op", "delete", "table", table, "where",
                                     ovsdb_json_where_uuid(uuid)));
}

void ovsdb_txn_wait_take(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid,
                         json_t *columns)
{
    json_t *names = json_array();
    const char *name;
    json_t *value;

    json_object_foreach (columns, name, value)
        json_array_append_new(names, json_string(name));
    ovsdb_txn_op_take(txn, json_pack("{s:s, s:s, s:i, s:o, s:o, s:s, s:[o]}", "op", "wait", "table",
                                     table, "timeout", 0, "where", ovsdb_json_where_uuid(uuid),
                                     "columns", names, "until", "==", "rows", columns));
}

void ovsdb_txn_comment(struct ovsdb_txn *txn, const char *text)
{
    ovsdb_txn_op_take(txn, json_pack("{s:s, s:s}", "op", "comment", "comment", text));
}

/* Does the copy hold 'value' already?  A value that cannot be read (a named UUID) is new. */
static bool is_current(const struct ovsdb_row *row, const struct column_schema *column,
                       const json_t *value)
{
    struct datum *datum;

    if (!row->data[column->index] ||
        datum_from_json_unsized(&column->type, value, NULL, NULL, &datum, NULL))
        return false;
    bool result = datum_equal(row->data[column->index], datum);
    datum_unref(datum);
    return result;
}

bool ovsdb_txn_set_take(struct ovsdb_txn *txn, const struct ovsdb_row *row, const char *column,
                        json_t *value)
{
    const struct column_schema *schema = table_schema_column(row->table->schema, column);

    if (!schema || is_current(row, schema, value)) {
        json_decref(value);
        return false;
    }
    if (!txn->last_update || !uuid_equal(&txn->last_row, &row->uuid)) {
        txn->last_row = row->uuid;
        txn->last_update = json_object();
        ovsdb_txn_update_take(txn, row->table->name, &row->uuid, txn->last_update);
    }
    json_object_set_new(txn->last_update, column, value);
    return true;
}

void ovsdb_txn_commit_take(struct ovsdb_txn *txn, ovsdb_txn_callback *callback, void *aux)
{
    txn->callback = callback;
    txn->aux = aux;
    ovsdb_client_commit(txn->client, txn);
}

static enum ovsdb_txn_status judge_failure(const json_t *failure, struct error *error)
{
    const char *tag = json_string_value(json_object_get(failure, "error"));
    const char *details = json_string_value(json_object_get(failure, "details"));
    bool is_late = tag && !strcmp(tag, "timed out");

    error_set(error, is_late ? -EAGAIN : -EPROTO, "%s%s%s", tag ? tag : "unreadable answer",
              details ? ": " : "", details ? details : "");
    return is_late ? OVSDB_TXN_TRY_AGAIN : OVSDB_TXN_REFUSED;
}

enum ovsdb_txn_status ovsdb_txn_judge(const json_t *results, const json_t *failure,
                                      struct error *error)
{
    size_t i;
    json_t *result;

    if (json_is_object(failure))
        return judge_failure(failure, error);
    if (json_is_string(failure)) {
        error_set(error, -EPROTO, "%s", json_string_value(failure));
        return OVSDB_TXN_REFUSED;
    }
    if (failure || !json_is_array(results))
        return judge_failure(NULL, error);
    json_array_foreach (results, i, result)
        if (json_object_get(result, "error"))
            return judge_failure(result, error);
    return OVSDB_TXN_SUCCESS;
}

void ovsdb_txn_complete(struct ovsdb_txn *txn, enum ovsdb_txn_status status, const char *message,
                        const json_t *results)
{
    if (txn->callback)
        txn->callback(status, message, results, txn->aux);
    ovsdb_txn_destroy(txn);
}
