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

static json_t *insert_database(const struct database *db)
{
    char *schema = json_dumps(db->schema_json, JSON_COMPACT);
    json_t *op = json_pack("{s:s, s:s, s:{s:s, s:s, s:b, s:b, s:s}}", "op", "insert", "table",
                           "Database", "row", "name", db->schema->name, "model", "standalone",
                           "connected", 1, "leader", 1, "schema", schema);

    free(schema);
    if (!op)
        abort();
    return op;
}

struct store *server_database_create(struct store *const *stores, size_t n_stores)
{
    json_t *json = json_loads(schema_text, 0, NULL);
    struct store *store = store_create_in_memory_take(db_schema_parse(json, NULL));
    struct database *db = store_database(store);
    json_t *params = json_array();

    json_decref(json);
    json_array_append_new(params, json_string("_Server"));
    for (size_t i = 0; i < n_stores; i++)
        json_array_append_new(params, insert_database(store_database(stores[i])));
    json_array_append_new(params, insert_database(db));

    struct execution execution = {.db = db, .params = params};
    execution_run(&execution);
    if (!execution.txn)
        abort();
    commit_destroy(txn_finish(execution.txn));
    json_decref(execution.results);
    json_decref(params);

    db->is_read_only = true;
    db->read_only_tag = DB_NOT_ALLOWED;
    snprintf(db->read_only_reason, sizeof db->read_only_reason,
             "the _Server database cannot be changed by clients");
    return store;
}
