/* SPDX-License-Identifier: Apache-2.0 */

/* Applying goes past transaction.h: what was checked when it was written needs no second check, and
 * references are counted when all rows are there. */

#include "ovsdb-lite/record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/ovsdb/diff.h"

static json_t *child(json_t *parent, const char *name)
{
    json_t *json = json_object_get(parent, name);

    if (!json) {
        json = json_object();
        json_object_set_new(parent, name, json);
    }
    return json;
}

void record_add_insert(json_t *record, const struct table_schema *table, const struct uuid *uuid,
                       const struct row_data *data)
{
    char text[UUID_TEXT_BYTES];
    json_t *row = json_object();

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_schema *column = &table->columns[i];
        if (!column->is_ephemeral && !datum_equal(data->columns[i], column->default_value))
            json_object_set_new_nocheck(row, column->name, datum_to_json(data->columns[i]));
    }
    uuid_format(uuid, text);
    json_object_set_new_nocheck(child(child(record, "insert"), table->name), text, row);
}

static void add_modify(json_t *record, const struct row_change *change,
                       const struct row_data *after)
{
    const struct table_schema *table = change->table->schema;
    char text[UUID_TEXT_BYTES];
    json_t *row = json_object();

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_schema *column = &table->columns[i];
        struct datum *old = change->before->columns[i], *new = after->columns[i];

        if (column->is_ephemeral || datum_equal(old, new))
            continue;
        struct datum *diff = datum_diff(&column->type, old, new);
        json_object_set_new_nocheck(row, column->name, datum_to_json(diff));
        datum_unref(diff);
    }
    if (!json_object_size(row)) {
        json_decref(row);
        return;
    }
    uuid_format(&change->uuid, text);
    json_object_set_new_nocheck(child(child(record, "modify"), table->name), text, row);
}

static void add_delete(json_t *record, const struct row_change *change)
{
    json_t *tables = child(record, "delete");
    json_t *list = json_object_get(tables, change->table->schema->name);
    char text[UUID_TEXT_BYTES];

    if (!list) {
        list = json_array();
        json_object_set_new(tables, change->table->schema->name, list);
    }
    uuid_format(&change->uuid, text);
    json_array_append_new(list, json_string_nocheck(text));
}

json_t *record_of_txn(const struct txn *txn, const char *comment)
{
    json_t *record = json_object();
    struct timespec now;

    for (size_t i = 0; i < txn->n_changes; i++) {
        const struct row_change *change = txn->changes[i];
        const struct row_data *after = row_change_result(change);

        if (!change->before && after)
            record_add_insert(record, change->table->schema, &change->uuid, after);
        else if (change->before && after)
            add_modify(record, change, after);
        else if (change->before)
            add_delete(record, change);
    }
    if (!json_object_size(record)) {
        json_decref(record);
        return NULL;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    json_object_set_new(record, "time",
                        json_integer((json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000));
    if (comment)
        json_object_set_new(record, "comment", json_string(comment));
    return record;
}

/* --- Applying ------------------------------------------------------------------------------ */

struct loading {
    struct database *db;
    struct table *table;
    size_t *n_skipped;
    struct error *error;
};

static int set_column(struct loading *loading, struct row_data *data,
                      const struct column_schema *column, const json_t *value, bool is_diff)
{
    struct datum **slot = &data->columns[column->index], *datum;
    int result = datum_from_json_unsized(&column->type, value, NULL, NULL, &datum, loading->error);

    if (result)
        return error_prefix(loading->error, "table %s column %s", loading->table->schema->name,
                            column->name);
    if (is_diff) {
        struct datum *diff = datum;
        datum = datum_apply_diff(&column->type, *slot, diff);
        datum_unref(diff);
    }
    datum_unref(*slot);
    *slot = datum;
    return 0;
}

static int set_columns(struct loading *loading, struct row_data *data, const json_t *columns,
                       bool is_diff)
{
    const char *name;
    json_t *value;
    int result = 0;

    json_object_foreach ((json_t *)columns, name, value) {
        const struct column_schema *column = table_schema_column(loading->table->schema, name);

        if (!column)
            ++*loading->n_skipped;
        else if ((result = set_column(loading, data, column, value, is_diff)) < 0)
            break;
    }
    return result;
}

static void reindex(struct row *row, void (*call)(struct table *, size_t, struct row *))
{
    for (size_t i = 0; i < row->table->schema->n_indexes; i++)
        call(row->table, i, row);
}

static int load_insert(struct loading *loading, const struct uuid *uuid, const json_t *columns)
{
    struct row_data *data = row_data_create(loading->table->schema);
    int result = set_columns(loading, data, columns, false);

    if (!result && table_row(loading->table, uuid))
        result = error_set(loading->error, -EBADMSG, "table %s: a row is inserted twice",
                           loading->table->schema->name);
    if (result) {
        row_data_unref(loading->table->schema, data);
        return result;
    }
    reindex(table_add_row_take(loading->table, uuid, data), index_add);
    return 0;
}

static int load_modify(struct loading *loading, const struct uuid *uuid, const json_t *columns)
{
    struct row *row = table_row(loading->table, uuid);

    if (!row)
        return error_set(loading->error, -EBADMSG, "table %s: a row that is not there is changed",
                         loading->table->schema->name);
    reindex(row, index_remove);
    int result = set_columns(loading, row->data, columns, true);
    reindex(row, index_add);
    return result;
}

static int load_delete(struct loading *loading, const struct uuid *uuid)
{
    struct row *row = table_row(loading->table, uuid);

    if (!row)
        return error_set(loading->error, -EBADMSG, "table %s: a row that is not there is deleted",
                         loading->table->schema->name);
    reindex(row, index_remove);
    loading->table->n_rows--;
    table_remove_row(row);
    return 0;
}

static int load_rows(struct loading *loading, const json_t *rows,
                     int (*load)(struct loading *, const struct uuid *, const json_t *))
{
    const char *text;
    json_t *columns;
    int result = 0;

    json_object_foreach ((json_t *)rows, text, columns) {
        struct uuid uuid;

        if (!uuid_parse(text, &uuid) || !json_is_object(columns))
            return error_set(loading->error, -EBADMSG, "\"%.40s\" is not a row", text);
        if ((result = load(loading, &uuid, columns)) < 0)
            break;
    }
    return result;
}

static int load_deletes(struct loading *loading, const json_t *uuids)
{
    size_t i;
    json_t *json;
    int result = 0;

    json_array_foreach ((json_t *)uuids, i, json) {
        struct uuid uuid;

        if (!json_is_string(json) || !uuid_parse(json_string_value(json), &uuid))
            return error_set(loading->error, -EBADMSG, "a deleted row has no UUID");
        if ((result = load_delete(loading, &uuid)) < 0)
            break;
    }
    return result;
}

enum section { SECTION_INSERT, SECTION_MODIFY, SECTION_DELETE };

static int load_section(struct loading *loading, const json_t *tables, enum section section)
{
    const char *name;
    json_t *rows;
    int result = 0;

    json_object_foreach ((json_t *)tables, name, rows) {
        loading->table = database_table(loading->db, name);
        if (!loading->table)
            ++*loading->n_skipped;
        else if (section == SECTION_DELETE)
            result = load_deletes(loading, rows);
        else
            result = load_rows(loading, rows,
                               section == SECTION_INSERT ? load_insert : load_modify);
        if (result)
            break;
    }
    return result;
}

int record_apply(struct database *db, const json_t *record, size_t *n_skipped, struct error *error)
{
    struct loading loading = {.db = db, .n_skipped = n_skipped, .error = error};
    /* A row's unique values may move from one that goes to one that comes. */
    int result = load_section(&loading, json_object_get(record, "delete"), SECTION_DELETE);

    if (!result)
        result = load_section(&loading, json_object_get(record, "insert"), SECTION_INSERT);
    if (!result)
        result = load_section(&loading, json_object_get(record, "modify"), SECTION_MODIFY);
    return result;
}
