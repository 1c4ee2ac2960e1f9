/* SPDX-License-Identifier: Apache-2.0 */

/* Any JSON as the schema that a small database is converted to, and back: what comes out must have
 * its books in order, and the old database must not notice. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ovsdb-lite/convert.h"
#include "ovsdb-lite/operation.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static const char schema_text[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{\"R\":{\"isRoot\":true,\"columns\":{"
    "\"k\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"K\"},\"min\":0,\"max\":9}},"
    "\"n\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":3}},\"r\":{\"type\":\"real\"}}},"
    "\"K\":{\"indexes\":[[\"s\"]],\"columns\":{\"s\":{\"type\":\"string\"},"
    "\"w\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"R\",\"refType\":\"weak\"},"
    "\"min\":0}},\"m\":{\"type\":{\"key\":\"string\",\"value\":\"boolean\",\"min\":0,\"max\":"
    "\"unlimited\"}}}}}}";

static const char rows_text[] =
    "[\"D\",{\"op\":\"insert\",\"table\":\"K\",\"uuid-name\":\"k\",\"row\":{\"s\":\"a\","
    "\"w\":[\"named-uuid\",\"r\"],\"m\":[\"map\",[[\"x\",true],[\"y\",false]]]}},"
    "{\"op\":\"insert\",\"table\":\"R\",\"uuid-name\":\"r\",\"row\":{\"n\":[\"set\",[1,2]],"
    "\"r\":2.5,\"k\":[\"named-uuid\",\"k\"]}},{\"op\":\"insert\",\"table\":\"R\",\"row\":{}}]";

static struct database *small_database(void)
{
    json_t *schema = json_loads(schema_text, 0, NULL), *rows = json_loads(rows_text, 0, NULL);
    struct database *db = database_create_take(db_schema_parse(schema, NULL));
    struct execution execution = {.db = db, .params = rows};

    execution_run(&execution);
    if (!execution.txn)
        abort();
    commit_destroy(txn_finish(execution.txn));
    json_decref(execution.results);
    json_decref(rows);
    json_decref(schema);
    return db;
}

static void check_books(struct database *db)
{
    for (size_t t = 0; t < db->schema->n_tables; t++) {
        struct table *table = &db->tables[t];
        struct row *row;
        size_t n = 0;

        FOR_EACH_ROW(row, table)
        {
            n++;
            if (row->change || (!table->schema->is_root && !row->n_strong_refs))
                abort();
        }
        if (n != table->n_rows || n > table->schema->max_rows)
            abort();
        for (size_t i = 0; i < table->schema->n_indexes; i++)
            if (table->indexes[i].n_entries != n)
                abort();
    }
}

/* The schema that is answered to get_schema is one that can be converted to. */
static void convert_back(struct database *db, const json_t *first_schema)
{
    struct db_error same_error = DB_ERROR_INIT, back_error = DB_ERROR_INIT;
    struct database *same = convert_database(db, db->schema_json, &same_error);
    struct database *back = convert_database(db, first_schema, &back_error);

    if (!same || (!back && !back_error.tag))
        abort();
    check_books(same);
    if (back)
        check_books(back);
    database_destroy(same);
    database_destroy(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    json_t *json = json_loadb((const char *)bytes, n_bytes, 0, NULL);
    struct db_error error = DB_ERROR_INIT;

    if (!json)
        return 0;
    if (json_is_object(json)) /* The name is not what is to be found out. */
        json_object_set_new(json, "name", json_string("D"));
    struct database *old = small_database();
    struct database *db = convert_database(old, json, &error);
    if (!db && !error.tag)
        abort();
    if (db) {
        check_books(db);
        convert_back(db, old->schema_json);
    }
    check_books(old);
    database_destroy(db);
    database_destroy(old);
    json_decref(json);
    return 0;
}
