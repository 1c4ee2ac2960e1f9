/* SPDX-License-Identifier: Apache-2.0 */

/* Any JSON as the operations of a transaction, against a database that keeps what succeeds.  A
 * transaction must leave counts and indexes that agree with the rows. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ovsdb-lite/operation.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static const char schema_text[] =
    "{\"name\":\"D\",\"tables\":{\"R\":{\"isRoot\":true,\"maxRows\":4,\"columns\":{\"k\":{\"type\":"
    "{\"key\":{\"type\":\"uuid\",\"refTable\":\"K\"},\"min\":0,\"max\":\"unlimited\"}},\"n\":{"
    "\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-5,\"maxInteger\":9},\"min\":0,\"max\":"
    "3"
    "}}}},\"K\":{\"indexes\":[[\"s\"]],\"columns\":{\"s\":{\"type\":\"string\"},\"x\":{\"type\":"
    "\"real\"},\"w\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"K\",\"refType\":\"weak\"}"
    ","
    "\"min\":0}},\"m\":{\"type\":{\"key\":\"string\",\"value\":{\"type\":\"uuid\",\"refTable\":"
    "\"K\""
    "},\"min\":0,\"max\":\"unlimited\"}}}}}}";

static struct database *database(void)
{
    json_t *json = json_loads(schema_text, 0, NULL);
    struct database *db = database_create_take(db_schema_parse(json, NULL));

    json_decref(json);
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
        if (n != table->n_rows)
            abort();
        for (size_t i = 0; i < table->schema->n_indexes; i++)
            if (table->indexes[i].n_entries != n)
                abort();
    }
}

static void run(struct database *db, const json_t *params)
{
    struct execution execution = {.db = db, .params = params, .waited_ms = 1000};

    execution_run(&execution);
    if (execution.txn)
        commit_destroy(txn_finish(execution.txn));
    free(execution.comment);
    json_decref(execution.results);
    check_books(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    json_t *json = json_loadb((const char *)bytes, n_bytes, 0, NULL);

    if (!json_array_size(json)) {
        json_decref(json);
        return 0;
    }
    struct database *db = database();
    run(db, json);
    run(db, json); /* On what the first left. */
    database_destroy(db);
    json_decref(json);
    return 0;
}
