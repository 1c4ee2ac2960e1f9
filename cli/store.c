/* SPDX-License-Identifier: Apache-2.0 */

/* Values are shared by reference count: a row's 'before' and 'now' are the same until it
 * changes. */

#include "cli/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "cli/shown.h"
#include "cli/store_rows.h"

struct store *store_create(struct ovsdb_session *session, const struct db_schema *schema)
{
    struct store *store = calloc(1, sizeof *store);

    if (!store || !(store->tables = calloc(schema->n_tables, sizeof *store->tables)))
        abort();
    store->session = session;
    store->schema = schema;
    for (size_t i = 0; i < schema->n_tables; i++) {
        struct store_table *table = &store->tables[i];
        table->schema = &schema->tables[i];
        table->store = store;
        table->is_column_wanted = calloc(table->schema->n_columns + 1, sizeof(bool));
        if (!table->is_column_wanted)
            abort();
    }
    return store;
}

static void row_destroy(struct store_row *row)
{
    for (size_t i = 0; i < row->table->schema->n_columns; i++) {
        datum_unref(row->before[i]);
        datum_unref(row->now[i]);
    }
    free(row->before);
    free(row->now);
    free(row);
}

static void forget_rows(struct store *store)
{
    struct store_name *name, *next_name;

    for (size_t i = 0; i < store->schema->n_tables; i++) {
        struct store_table *table = &store->tables[i];
        HASH_CLEAR(by_uuid, table->rows_by_uuid);
        for (struct store_row *row = table->first, *next; row; row = next) {
            next = row->next;
            row_destroy(row);
        }
        table->first = table->last = NULL;
    }
    HASH_ITER (hh, store->names, name, next_name) {
        HASH_DEL(store->names, name);
        free(name->text);
        free(name);
    }
}

void store_destroy(struct store *store)
{
    if (!store)
        return;
    forget_rows(store);
    for (size_t i = 0; i < store->schema->n_tables; i++)
        free(store->tables[i].is_column_wanted);
    free(store->tables);
    free(store);
}

const struct db_schema *store_schema(const struct store *store)
{
    return store->schema;
}

/* --- What to load -------------------------------------------------------------------------- */

void store_want_column(struct store *store, const struct table_schema *table,
                       const struct column_schema *column)
{
    store->tables[table->index].is_wanted = true;
    if (column)
        store->tables[table->index].is_column_wanted[column->index] = true;
}

void store_want(struct store *store, const char *table_name, const char *column_name)
{
    const struct table_schema *table = db_schema_table(store->schema, table_name);

    if (table)
        store_want_column(store, table,
                          column_name ? table_schema_column(table, column_name) : NULL);
}

static json_t *wanted_columns(const struct store_table *table)
{
    json_t *columns = json_pack("[s]", "_uuid");

    for (size_t i = 0; i < table->schema->n_columns; i++)
        if (table->is_column_wanted[i])
            json_array_append_new(columns, json_string(table->schema->columns[i].name));
    return columns;
}

static struct store_row *add_row(struct store_table *table, const struct uuid *uuid)
{
    struct store_row *row = calloc(1, sizeof *row);
    size_t n = table->schema->n_columns;

    if (!row || !(row->before = calloc(n + 1, sizeof *row->before)) ||
        !(row->now = calloc(n + 1, sizeof *row->now)))
        abort();
    row->table = table;
    row->uuid = *uuid;
    if (table->last)
        table->last->next = row;
    else
        table->first = row;
    table->last = row;
    HASH_ADD(by_uuid, table->rows_by_uuid, uuid, sizeof row->uuid, row);
    return row;
}

static int load_row(struct store_table *table, const json_t *json, struct error *error)
{
    const char *text = json_string_value(json_array_get(json_object_get(json, "_uuid"), 1));
    struct uuid uuid;

    if (!text || !uuid_parse(text, &uuid))
        return error_set(error, -EPROTO, "table %s: the server sent a row without _uuid",
                         table->schema->name);
    struct store_row *row = add_row(table, &uuid);
    for (size_t i = 0; i < table->schema->n_columns; i++) {
        const struct column_schema *column = &table->schema->columns[i];
        const json_t *value = json_object_get(json, column->name);

        if (!table->is_column_wanted[i] || !value)
            continue;
        if (datum_from_json(&column->type, value, NULL, NULL, &row->before[i], error) < 0)
            return error_prefix(error, "table %s, column %s", table->schema->name, column->name);
        row->now[i] = datum_ref(row->before[i]);
    }
    return 0;
}

static int load_table(struct store_table *table, const json_t *rows, struct error *error)
{
    const json_t *row;
    size_t i;
    int result = 0;

    json_array_foreach (rows, i, row) {
        if (!result)
            result = load_row(table, row, error);
    }
    return result;
}

int store_load(struct store *store, struct error *error)
{
    json_t *operations = json_array(), *results;
    size_t n = 0;

    forget_rows(store);
    for (size_t i = 0; i < store->schema->n_tables; i++)
        if (store->tables[i].is_wanted)
            json_array_append_new(operations,
                                  json_pack("{s:s, s:s, s:[], s:o}", "op", "select", "table",
                                            store->tables[i].schema->name, "where", "columns",
                                            wanted_columns(&store->tables[i])));
    int result = ovsdb_session_transact_take(store->session, operations, &results, error);
    for (size_t i = 0; !result && i < store->schema->n_tables; i++)
        if (store->tables[i].is_wanted)
            result = load_table(&store->tables[i],
                                json_object_get(json_array_get(results, n++), "rows"), error);
    json_decref(results);
    return result;
}

int store_watch(struct store *store, struct error *error)
{
    json_t *requests = json_object(), *initial = NULL;

    if (store->is_watching) {
        json_decref(requests);
        return 0;
    }
    for (size_t i = 0; i < store->schema->n_tables; i++) {
        if (!store->tables[i].is_wanted)
            continue;
        json_t *columns = wanted_columns(&store->tables[i]);
        json_array_remove(columns, 0); /* _uuid is always part of an update. */
        json_object_set_new(requests, store->tables[i].schema->name,
                            json_pack("{s:o}", "columns", columns));
    }
    int result = ovsdb_session_monitor_take(store->session, requests, &initial, error);
    json_decref(initial);
    store->is_watching = !result;
    return result;
}

bool store_is_watching(const struct store *store)
{
    return store->is_watching;
}

int store_wait(struct store *store, struct error *error)
{
    json_t *updates = NULL;
    int result = ovsdb_session_wait_update(store->session, &updates, error);

    json_decref(updates);
    return result;
}

/* --- Rows ---------------------------------------------------------------------------------- */

static struct store_row *skip_deleted(struct store_row *row)
{
    while (row && row->is_deleted)
        row = row->next;
    return row;
}

struct store_row *store_first(const struct store *store, const struct table_schema *table)
{
    return skip_deleted(store->tables[table->index].first);
}

struct store_row *store_next(const struct store_row *row)
{
    return skip_deleted(row->next);
}

struct store_row *store_find_uuid(const struct store *store, const struct table_schema *table,
                                  const struct uuid *uuid)
{
    struct store_row *row;

    HASH_FIND(by_uuid, store->tables[table->index].rows_by_uuid, uuid, sizeof *uuid, row);
    return row && !row->is_deleted ? row : NULL;
}

struct store_row *store_find_new(const struct store *store, const struct table_schema *table,
                                 const struct uuid *uuid)
{
    struct store_row *row = store_first(store, table);

    while (row && !(row->is_new && uuid_equal(&row->uuid, uuid)))
        row = store_next(row);
    return row;
}

struct store_row *store_find_string(const struct store *store, const struct table_schema *table,
                                    const struct column_schema *column, const char *text)
{
    for (struct store_row *row = store_first(store, table); row; row = store_next(row))
        if (datum_find_string(store_get(row, column), text) >= 0)
            return row;
    return NULL;
}

const struct table_schema *store_row_table(const struct store_row *row)
{
    return row->table->schema;
}

const struct uuid *store_row_uuid(const struct store_row *row)
{
    return &row->uuid;
}

bool store_row_is_new(const struct store_row *row)
{
    return row->is_new;
}

const struct datum *store_get(const struct store_row *row, const struct column_schema *column)
{
    const struct datum *datum = row->now[column->index];

    return datum ? datum : column->default_value;
}

/* --- Changes ------------------------------------------------------------------------------- */

void store_set_take(struct store_row *row, const struct column_schema *column, struct datum *datum)
{
    datum_unref(row->now[column->index]);
    row->now[column->index] = datum;
}

struct store_row *store_insert(struct store *store, const struct table_schema *table)
{
    struct uuid uuid;

    uuid_generate(&uuid);
    struct store_row *row = add_row(&store->tables[table->index], &uuid);
    row->is_new = true;
    /* The schema's default for "at least one reference" is a reference to nothing. */
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].type.key.type == ATOM_UUID && table->columns[i].type.n_min)
            row->now[i] = datum_create(ATOM_UUID, table->columns[i].type.value.type, 0);
    return row;
}

void store_delete(struct store_row *row)
{
    row->is_deleted = true;
}

static struct store_name *find_or_add_name(struct store *store, const char *text)
{
    struct store_name *name;

    HASH_FIND_STR(store->names, text, name);
    if (name)
        return name;
    if (!(name = calloc(1, sizeof *name)) || !(name->text = strdup(text)))
        abort();
    uuid_generate(&name->uuid);
    HASH_ADD_KEYPTR(hh, store->names, name->text, strlen(name->text), name);
    return name;
}

static void change_uuid(struct store_row *row, const struct uuid *uuid)
{
    HASH_DELETE(by_uuid, row->table->rows_by_uuid, row);
    row->uuid = *uuid;
    HASH_ADD(by_uuid, row->table->rows_by_uuid, uuid, sizeof row->uuid, row);
}

int store_choose_uuid(struct store *store, struct store_row *row, const struct uuid *uuid,
                      struct error *error)
{
    char text[UUID_TEXT_BYTES];

    if (store_find_uuid(store, row->table->schema, uuid)) {
        uuid_format(uuid, text);
        return error_set(error, -EEXIST, "%s has a row with the UUID %s already",
                         row->table->schema->name, text);
    }
    change_uuid(row, uuid);
    row->has_chosen_uuid = true;
    return 0;
}

/* A name may be used before the command that creates its row; the row then gets the UUID that was
 * handed out. */
int store_name_row(struct store *store, const char *text, struct store_row *row,
                   struct error *error)
{
    if (*text != '@' || !text[1])
        return error_set(error, -EINVAL, "--id=%s: the name must begin with @, as in --id=@new",
                         shown(text).text);
    struct store_name *name = find_or_add_name(store, text);
    if (name->row)
        return error_set(error, -EEXIST, "--id=%s: the name stands for another row already",
                         shown(text).text);
    name->row = row;
    row->is_named = true;
    if (row->is_new)
        change_uuid(row, &name->uuid);
    else
        name->uuid = row->uuid;
    return 0;
}

static int resolve_name(void *aux, const char *text, struct uuid *uuid, struct error *error)
{
    (void)error;
    *uuid = find_or_add_name(aux, text)->uuid;
    return 0;
}

struct value_names store_names(struct store *store)
{
    return (struct value_names){.resolve = resolve_name, .aux = store};
}

bool store_was_named(const struct store_row *row)
{
    return row->is_named;
}
