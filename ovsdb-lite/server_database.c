/* SPDX-License-Identifier: Apache-2.0 */

/* Rows are filled in through the same operations a client would use. */

#include "ovsdb-lite/server_database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb-lite/operation.h"

static const char schema_text[] =
    "{\"name\": \"_Server\", \"version\": \"1.2.0\", \"tables\": {\"Database\": {\"columns\": {"
    "\"name\": {\"type\": \"string\"},"
    "\"model\": {\"type\": {\"key\": {\"type\": \"string\","
    "                       \"enum\": [\"set\", [\"standalone\", \"clustered\", \"relay\"]]}}},"
    "\"connected\": {\"type\": \"boolean\"},"
    "\"leader\": {\"type\": \"boolean\"},"
    "\"schema\": {\"type\": {\"key\": \"string\", \"min\": 0}},"
    "\"cid\": {\"type\": {\"key\": \"uuid\", \"min\": 0}},"
    "\"sid\": {\"type\": {\"key\": \"uuid\", \"min\": 0}},"
    "\"index\": {\"type\": {\"key\": \"integer\", \"min\": 0}}}}}}";

/* What clients may not do. */
static struct commit *run(struct store *store, json_t *params)
{
    struct database *db = store_database(store);
    struct execution execution = {.db = db, .params = params};
    bool was_read_only = db->is_read_only;

    db->is_read_only = false;
    execution_run(&execution);
    db->is_read_only = was_read_only;
    if (!execution.txn)
        abort();
    json_decref(execution.results);
    json_decref(params);
    return txn_finish(execution.txn);
}

static json_t *pack(json_t *json)
{
    if (!json)
        abort();
    return json;
}

static bool has_row(const struct database *server_db, const char *name)
{
    const struct table *table = database_table(server_db, "Database");
    const struct column_schema *column = table_schema_column(table->schema, "name");
    struct row *row;

    FOR_EACH_ROW(row, table)
    {
        if (!strcmp(row->data->columns[column->index]->keys[0].string, name))
            return true;
    }
    return false;
}

struct commit *server_database_put(struct store *store, const struct database *db)
{
    const char *name = db->schema->name;
    char *schema = json_dumps(db->schema_json, JSON_COMPACT);
    json_t *row = pack(json_pack("{s:s, s:s, s:b, s:b, s:s}", "name", name, "model", "standalone",
                                 "connected", 1, "leader", 1, "schema", schema));
    json_t *op;

    free(schema);
    if (has_row(store_database(store), name))
        op = json_pack("{s:s, s:s, s:[[s, s, s]], s:o}", "op", "update", "table", "Database",
                       "where", "name", "==", name, "row", row);
    else
        op = json_pack("{s:s, s:s, s:o}", "op", "insert", "table", "Database", "row", row);
    return run(store, pack(json_pack("[s, o]", "_Server", pack(op))));
}

struct commit *server_database_remove(struct store *store, const char *name)
{
    return run(store, pack(json_pack("[s, {s:s, s:s, s:[[s, s, s]]}]", "_Server", "op", "delete",
                                     "table", "Database", "where", "name", "==", name)));
}

struct store *server_database_create(void)
{
    json_t *json = json_loads(schema_text, 0, NULL);
    struct store *store = store_create_in_memory_take(db_schema_parse(json, NULL));
    struct database *db = store_database(store);

    json_decref(json);
    commit_destroy(server_database_put(store, db));
    db->is_read_only = true;
    db->read_only_tag = DB_NOT_ALLOWED;
    snprintf(db->read_only_reason, sizeof db->read_only_reason,
             "the _Server database cannot be changed by clients");
    return store;
}
