/* SPDX-License-Identifier: Apache-2.0 */

/* A modified row keeps its address: the new data move in, and a stack copy with the old data serves
 * as 'before' during the callback. */

#include "lib/ovsdb/replica.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ovsdb/diff.h"

void replica_init(struct replica *replica, struct ovsdb_client *client,
                  const struct ovsdb_client_callbacks *callbacks, void *aux)
{
    *replica = (struct replica){.client = client, .callbacks = callbacks, .aux = aux};
}

static void report(struct replica *replica, enum ovsdb_change change,
                   const struct replica_table *table, const struct ovsdb_row *before,
                   const struct ovsdb_row *after)
{
    if (replica->callbacks->row_changed)
        replica->callbacks->row_changed(replica->client, change, table->name, before, after,
                                        replica->aux);
}

static void free_data(struct datum **data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        datum_unref(data[i]);
    free(data);
}

static void delete_row(struct replica *replica, struct ovsdb_row *row, bool reports)
{
    struct replica_table *table = row->table;

    HASH_DELETE(by_uuid, table->rows, row);
    if (reports)
        report(replica, OVSDB_DELETE, table, row, NULL);
    free_data(row->data, table->schema->n_columns);
    free(row);
}

void replica_set_schema(struct replica *replica, const struct db_schema *schema, bool reports)
{
    struct replica_table *table, *next_table;
    struct ovsdb_row *row, *next_row;

    HASH_ITER (by_name, replica->tables, table, next_table) {
        HASH_ITER (by_uuid, table->rows, row, next_row)
            delete_row(replica, row, reports);
        table->schema = schema ? db_schema_table(schema, table->name) : NULL;
    }
}

void replica_fini(struct replica *replica)
{
    struct replica_table *table, *next;

    replica_set_schema(replica, NULL, false);
    HASH_ITER (by_name, replica->tables, table, next) {
        HASH_DELETE(by_name, replica->tables, table);
        for (size_t i = 0; i < table->n_watched; i++)
            free(table->watched[i]);
        free(table->watched);
        free(table->name);
        free(table);
    }
}

struct replica_table *replica_table(const struct replica *replica, const char *name)
{
    struct replica_table *table;

    HASH_FIND(by_name, replica->tables, name, strlen(name), table);
    return table;
}

struct replica_table *replica_table_add(struct replica *replica, const char *name)
{
    struct replica_table *table = calloc(1, sizeof *table);

    if (!table)
        abort();
    table->name = strdup(name);
    table->replica = replica;
    HASH_ADD_KEYPTR(by_name, replica->tables, table->name, strlen(table->name), table);
    return table;
}

void replica_table_watch(struct replica_table *table, const char *column)
{
    table->watched = realloc(table->watched, (table->n_watched + 1) * sizeof *table->watched);
    if (!table->watched)
        abort();
    table->watched[table->n_watched++] = strdup(column);
}

static bool is_watched(const struct replica_table *table, const char *column)
{
    for (size_t i = 0; i < table->n_watched; i++)
        if (!strcmp(table->watched[i], column))
            return true;
    return !table->n_watched;
}

json_t *replica_monitor_requests(const struct replica *replica)
{
    json_t *requests = json_object();
    struct replica_table *table, *next;

    HASH_ITER (by_name, replica->tables, table, next) {
        if (!table->schema)
            continue;
        json_t *columns = json_array();
        for (size_t i = 0; i < table->schema->n_columns; i++)
            if (is_watched(table, table->schema->columns[i].name))
                json_array_append_new(columns, json_string(table->schema->columns[i].name));
        json_t *request = json_pack("[{s:o}]", "columns", columns);
        json_object_set_new(requests, table->name, request);
    }
    return requests;
}

/* How a row's JSON says what a column holds. */
enum reading { READ_VALUES, READ_DIFFS };

/* New data for a row: 'base' (NULL: defaults) with the columns of 'json' read over it. */
static int read_data(const struct replica_table *table, const json_t *json, enum reading reading,
                     struct datum *const *base, struct datum ***data, struct error *error)
{
    const struct table_schema *schema = table->schema;
    struct datum **result = calloc(schema->n_columns + 1, sizeof *result);

    if (!result)
        abort();
    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct column_schema *column = &schema->columns[i];
        const json_t *value = json_object_get(json, column->name);
        struct datum *old = base                              ? base[i]
                            : is_watched(table, column->name) ? column->default_value
                                                              : NULL;

        if (!value || (reading == READ_DIFFS && !old)) {
            result[i] = old ? datum_ref(old) : NULL;
            continue;
        }
        struct datum *datum;
        if (datum_from_json_unsized(&column->type, value, NULL, NULL, &datum, error)) {
            free_data(result, schema->n_columns);
            return error_prefix(error, "table %s column %s", table->name, column->name);
        }
        if (reading == READ_DIFFS) {
            result[i] = datum_apply_diff(&column->type, old, datum);
            datum_unref(datum);
        } else {
            result[i] = datum;
        }
    }
    *data = result;
    return 0;
}

static bool data_equal(const struct replica_table *table, struct datum *const *a,
                       struct datum *const *b)
{
    for (size_t i = 0; i < table->schema->n_columns; i++)
        if (a[i] != b[i] && (!a[i] || !b[i] || !datum_equal(a[i], b[i])))
            return false;
    return true;
}

static void set_row_take(struct replica *replica, struct replica_table *table,
                         const struct uuid *uuid, struct ovsdb_row *row, struct datum **data)
{
    if (!row) {
        row = calloc(1, sizeof *row);
        if (!row)
            abort();
        row->uuid = *uuid;
        row->table = table;
        row->data = data;
        HASH_ADD(by_uuid, table->rows, uuid, sizeof row->uuid, row);
        report(replica, OVSDB_INSERT, table, NULL, row);
        return;
    }
    row->is_stale = false;
    if (data_equal(table, row->data, data)) {
        free_data(data, table->schema->n_columns);
        return;
    }
    struct ovsdb_row before = *row;
    row->data = data;
    report(replica, OVSDB_MODIFY, table, &before, row);
    free_data(before.data, table->schema->n_columns);
}

static int apply_row(struct replica *replica, struct replica_table *table, const char *uuid_text,
                     const json_t *update, enum replica_form form, struct error *error)
{
    enum reading reading = READ_VALUES;
    const json_t *values;
    struct ovsdb_row *row;
    struct uuid uuid;
    bool is_partial = false;

    if (!uuid_parse(uuid_text, &uuid))
        return error_set(error, -EPROTO, "\"%s\" is not a UUID", uuid_text);
    HASH_FIND(by_uuid, table->rows, &uuid, sizeof uuid, row);
    if (form == REPLICA_UPDATES) {
        values = json_object_get(update, "new");
        is_partial = row != NULL;
    } else if ((values = json_object_get(update, "modify")) != NULL) {
        reading = READ_DIFFS;
        is_partial = true;
        if (!row)
            return error_set(error, -EPROTO, "%s: change of a row that is not there", uuid_text);
    } else if (!(values = json_object_get(update, "initial"))) {
        values = json_object_get(update, "insert");
    }
    if (!values || json_is_null(values)) {
        if (row)
            delete_row(replica, row, true);
        return 0;
    }
    struct datum **data = NULL;
    int result = read_data(table, values, reading, is_partial ? row->data : NULL, &data, error);
    if (!result)
        set_row_take(replica, table, &uuid, row, data);
    return result;
}

static void mark_all_stale(struct replica *replica)
{
    struct replica_table *table, *next_table;
    struct ovsdb_row *row, *next_row;

    HASH_ITER (by_name, replica->tables, table, next_table)
        HASH_ITER (by_uuid, table->rows, row, next_row)
            row->is_stale = true;
}

static void delete_stale(struct replica *replica)
{
    struct replica_table *table, *next_table;
    struct ovsdb_row *row, *next_row;

    HASH_ITER (by_name, replica->tables, table, next_table)
        HASH_ITER (by_uuid, table->rows, row, next_row)
            if (row->is_stale)
                delete_row(replica, row, true);
}

int replica_apply(struct replica *replica, const json_t *updates, enum replica_form form,
                  bool is_whole, struct error *error)
{
    int result = 0;

    if (is_whole)
        mark_all_stale(replica);
    for (void *i = json_object_iter((json_t *)updates); !result && i;
         i = json_object_iter_next((json_t *)updates, i)) {
        struct replica_table *table = replica_table(replica, json_object_iter_key(i));
        json_t *rows = json_object_iter_value(i);

        if (!table || !table->schema)
            continue;
        for (void *j = json_object_iter(rows); !result && j; j = json_object_iter_next(rows, j))
            result = apply_row(replica, table, json_object_iter_key(j), json_object_iter_value(j),
                               form, error);
    }
    if (is_whole && !result)
        delete_stale(replica);
    return result;
}
