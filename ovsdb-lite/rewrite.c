/* SPDX-License-Identifier: Apache-2.0 */

/* Rows go into records of a thousand, so that no record is as large as the database. */

#include "ovsdb-lite/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "ovsdb-lite/record.h"

enum { ROWS_A_RECORD = 1000 };

int rewrite_append_take(struct journal *journal, json_t *json, struct error *error)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    if (!text)
        abort();
    int result = journal_append(journal, text, strlen(text), error);
    free(text);
    return result;
}

static int append_rows(const struct database *db, struct journal *journal, struct error *error)
{
    json_t *record = json_object();
    size_t n = 0;
    int result = 0;

    for (size_t t = 0; !result && t < db->schema->n_tables; t++) {
        struct row *row;

        FOR_EACH_ROW(row, &db->tables[t])
        {
            record_add_insert(record, row->table->schema, &row->uuid, row->data);
            if (++n % ROWS_A_RECORD)
                continue;
            result = rewrite_append_take(journal, record, error);
            record = json_object();
            if (result)
                break;
        }
    }
    if (!result && json_object_size(record))
        return rewrite_append_take(journal, record, error);
    json_decref(record);
    return result;
}

int rewrite_append_all(const struct database *db, struct journal *journal, struct error *error)
{
    json_t *first = json_pack("{s:O}", "schema", db->schema_json);
    int result = rewrite_append_take(journal, first, error);

    return result ? result : append_rows(db, journal, error);
}
