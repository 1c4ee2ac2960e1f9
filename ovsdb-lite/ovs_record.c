/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/ovs_record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/ovsdb/diff.h"
#include "ovsdb-lite/record.h"

struct loading {
    struct table *table;
    bool is_diff;
    struct error *error;
};

static int read_value(const struct loading *loading, const struct column_schema *column,
                      const json_t *json, struct datum *before, struct datum **after)
{
    const struct column_type *type = &column->type;
    struct datum *datum;

    if (!before || !loading->is_diff)
        return datum_from_json(type, json, NULL, NULL, after, loading->error);
    int result = datum_from_json_unsized(type, json, NULL, NULL, &datum, loading->error);
    if (result)
        return result;
    *after = datum_apply_diff(type, before, datum);
    datum_unref(datum);
    return 0;
}

/* 'is_new': the values are whole ones, whatever the record says of differences. */
static int set_columns(const struct loading *loading, struct row_data *data, const json_t *columns,
                       bool is_new)
{
    const struct table_schema *schema = loading->table->schema;
    const char *name;
    json_t *json;

    json_object_foreach ((json_t *)columns, name, json) {
        const struct column_schema *column = table_schema_column(schema, name);
        struct datum *after;

        if (!column)
            return error_set(loading->error, -EBADMSG, "table %s has no column \"%.60s\"",
                             schema->name, name);
        struct datum **slot = &data->columns[column->index];
        int result = read_value(loading, column, json, is_new ? NULL : *slot, &after);
        if (result)
            return error_prefix(loading->error, "table %s column %s", schema->name, name);
        datum_unref(*slot);
        *slot = after;
    }
    return 0;
}

static int delete_row(const struct loading *loading, struct row *row)
{
    if (!row)
        return error_set(loading->error, -EBADMSG, "table %s: a row that is not there is deleted",
                         loading->table->schema->name);
    for (size_t i = 0; i < row->table->schema->n_indexes; i++)
        index_remove(row->table, i, row);
    row->table->n_rows--;
    table_remove_row(row);
    return 0;
}

static int insert_row(const struct loading *loading, const struct uuid *uuid, const json_t *columns)
{
    struct row_data *data = row_data_create(loading->table->schema);
    int result = set_columns(loading, data, columns, true);

    if (result) {
        row_data_unref(loading->table->schema, data);
        return result;
    }
    struct row *row = table_add_row_take(loading->table, uuid, data);
    for (size_t i = 0; i < row->table->schema->n_indexes; i++)
        index_add(row->table, i, row);
    return 0;
}

static int modify_row(const struct loading *loading, struct row *row, const json_t *columns)
{
    for (size_t i = 0; i < row->table->schema->n_indexes; i++)
        index_remove(row->table, i, row);
    int result = set_columns(loading, row->data, columns, false);
    for (size_t i = 0; i < row->table->schema->n_indexes; i++)
        index_add(row->table, i, row);
    return result;
}

static int apply_row(const struct loading *loading, const char *text, const json_t *columns)
{
    struct uuid uuid;

    if (!uuid_parse(text, &uuid) || !(json_is_object(columns) || json_is_null(columns)))
        return error_set(loading->error, -EBADMSG, "\"%.40s\" is not a row", text);
    struct row *row = table_row(loading->table, &uuid);
    if (json_is_null(columns))
        return delete_row(loading, row);
    return row ? modify_row(loading, row, columns) : insert_row(loading, &uuid, columns);
}

static bool is_about_record(const char *name)
{
    return !strcmp(name, "_date") || !strcmp(name, "_comment") || !strcmp(name, "_is_diff");
}

int ovs_record_apply(struct database *db, const json_t *record, struct error *error)
{
    struct loading loading = {.is_diff = json_is_true(json_object_get(record, "_is_diff")),
                              .error = error};
    const char *name, *uuid;
    json_t *rows, *columns;

    if (!json_is_object(record))
        return error_set(error, -EBADMSG, "a transaction is not an object");
    json_object_foreach ((json_t *)record, name, rows) {
        if (is_about_record(name))
            continue;
        loading.table = database_table(db, name);
        if (!loading.table || !json_is_object(rows))
            return error_set(error, -EBADMSG, "\"%.60s\" is not a table", name);
        json_object_foreach (rows, uuid, columns) {
            int result = apply_row(&loading, uuid, columns);
            if (result)
                return result;
        }
    }
    return 0;
}

json_t *ovs_record_of_database(const struct database *db, const char *comment)
{
    json_t *record = json_object();
    struct timespec now;

    for (size_t t = 0; t < db->schema->n_tables; t++) {
        struct row *row;
        FOR_EACH_ROW(row, &db->tables[t])
        record_add_insert(record, row->table->schema, &row->uuid, row->data);
    }
    json_t *tables = json_incref(json_object_get(record, "insert"));
    json_decref(record);
    if (!tables)
        tables = json_object();
    clock_gettime(CLOCK_REALTIME, &now);
    json_object_set_new(tables, "_date",
                        json_integer((json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000));
    json_object_set_new(tables, "_comment", json_string(comment));
    return tables;
}
