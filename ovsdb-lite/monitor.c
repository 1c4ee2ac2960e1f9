/* SPDX-License-Identifier: Apache-2.0 */

/* Every message is made by one function that compares two contents of a row, either of which may be
 * absent: initial contents and changed conditions are comparisons too. */

#include "ovsdb-lite/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/jsonrpc_stream.h"
#include "lib/ovsdb/diff.h"
#include "ovsdb-lite/condition.h"

enum selection { SELECT_INITIAL = 1, SELECT_INSERT = 2, SELECT_DELETE = 4, SELECT_MODIFY = 8 };

struct monitor_column {
    const struct column_schema *column;
    unsigned int selection;
};

struct monitor_table {
    struct table *table;
    struct monitor_column *columns;
    size_t n_columns;
    unsigned int selection; /* Of any column. */
    struct condition condition;
};

struct note_key {
    size_t table;
    struct uuid uuid;
};

struct monitor_note {
    struct note_key key;
    struct row_data *known; /* What the client knows; NULL: not of the row. */
    UT_hash_handle by_key;
};

/* --- Making -------------------------------------------------------------------------------- */

static bool parse_selection(const json_t *json, unsigned int *selection, struct db_error *error)
{
    static const char *const names[] = {"initial", "insert", "delete", "modify"};

    *selection = SELECT_INITIAL | SELECT_INSERT | SELECT_DELETE | SELECT_MODIFY;
    if (!json)
        return true;
    if (!json_is_object(json))
        return db_error_set(error, DB_SYNTAX_ERROR, "\"select\" must be an object");
    for (unsigned int i = 0; i < 4; i++) {
        const json_t *flag = json_object_get(json, names[i]);
        if (flag && !json_is_boolean(flag))
            return db_error_set(error, DB_SYNTAX_ERROR, "\"%s\" must be a boolean", names[i]);
        if (json_is_false(flag))
            *selection &= ~(1u << i);
    }
    return true;
}

static bool add_column(struct monitor_table *table, const struct column_schema *column,
                       unsigned int selection, struct db_error *error)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].column == column)
            return db_error_set(error, DB_SYNTAX_ERROR, "column %s is mentioned more than once",
                                column->name);
    table->columns[table->n_columns++] = (struct monitor_column){column, selection};
    return true;
}

static bool add_columns(struct monitor_table *table, const json_t *names, unsigned int selection,
                        struct db_error *error)
{
    const struct table_schema *schema = table->table->schema;

    if (names && !json_is_array(names))
        return db_error_set(error, DB_SYNTAX_ERROR, "\"columns\" must be an array");
    if (!names) {
        /* RFC 7047, 4.1.5: all except _uuid. */
        bool is_ok = add_column(table, &column_version, selection, error);
        for (size_t i = 0; is_ok && i < schema->n_columns; i++)
            is_ok = add_column(table, &schema->columns[i], selection, error);
        return is_ok;
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const struct column_schema *column = name ? find_column(schema, name) : NULL;
        if (!column)
            return db_error_set(error, name ? DB_UNKNOWN_COLUMN : DB_SYNTAX_ERROR,
                                "No column %s in table %s.", name ? name : "(not a string)",
                                schema->name);
        if (!add_column(table, column, selection, error))
            return false;
    }
    return true;
}

/* Clauses of several requests for one table add up: a row fits if it fits any. */
static bool add_condition(struct monitor_table *table, const json_t *where,
                          struct condition *condition, struct db_error *error)
{
    struct condition more;

    if (!where)
        return true;
    if (!condition_parse(table->table->schema, where, NULL, NULL, &more, error))
        return false;
    size_t n = condition->n_clauses + more.n_clauses;
    condition->clauses = realloc(condition->clauses, (n + 1) * sizeof *condition->clauses);
    if (!condition->clauses)
        abort();
    memcpy(condition->clauses + condition->n_clauses, more.clauses,
           more.n_clauses * sizeof *more.clauses);
    condition->n_clauses = n;
    free(more.clauses);
    return true;
}

static bool add_request(struct monitor *monitor, struct monitor_table *table, const json_t *json,
                        struct db_error *error)
{
    unsigned int selection;

    if (!json_is_object(json))
        return db_error_set(error, DB_SYNTAX_ERROR, "a monitor request must be an object");
    if (!parse_selection(json_object_get(json, "select"), &selection, error) ||
        !add_columns(table, json_object_get(json, "columns"), selection, error))
        return false;
    table->selection |= selection;
    return monitor->form == MONITOR_PLAIN ||
           add_condition(table, json_object_get(json, "where"), &table->condition, error);
}

static bool add_table(struct monitor *monitor, const char *name, const json_t *requests,
                      struct db_error *error)
{
    struct table *table = database_table(monitor->db, name);
    struct monitor_table *monitored = calloc(1, sizeof *monitored);

    if (!monitored)
        abort();
    if (!table) {
        free(monitored);
        return db_error_set(error, DB_SYNTAX_ERROR, "no table named %s", name);
    }
    monitored->table = table;
    monitored->columns = calloc(table->schema->n_columns + 3, sizeof *monitored->columns);
    if (!monitored->columns)
        abort();
    monitor->tables[table->schema->index] = monitored;
    if (!json_is_array(requests))
        return add_request(monitor, monitored, requests, error);
    for (size_t i = 0; i < json_array_size(requests); i++)
        if (!add_request(monitor, monitored, json_array_get(requests, i), error))
            return false;
    return true;
}

struct monitor *monitor_create(struct database *db, const json_t *id, enum monitor_form form,
                               const json_t *requests, struct db_error *error)
{
    struct monitor *monitor = calloc(1, sizeof *monitor);
    const char *name;
    json_t *request;
    bool is_ok = true;

    if (!monitor)
        abort();
    monitor->db = db;
    monitor->id = json_incref((json_t *)id);
    monitor->form = form;
    CDS_INIT_LIST_HEAD(&monitor->node);
    monitor->tables = calloc(db->schema->n_tables + 1, sizeof *monitor->tables);
    if (!monitor->tables)
        abort();
    if (!json_is_object(requests))
        is_ok = db_error_set(error, DB_SYNTAX_ERROR, "monitor requests must be an object");
    json_object_foreach ((json_t *)requests, name, request) {
        is_ok = is_ok && add_table(monitor, name, request, error);
    }
    if (is_ok)
        return monitor;
    monitor_destroy(monitor);
    return NULL;
}

static void forget_note(struct monitor *monitor, struct monitor_note *note)
{
    HASH_DELETE(by_key, monitor->notes, note);
    row_data_unref(&monitor->db->schema->tables[note->key.table], note->known);
    free(note);
}

void monitor_destroy(struct monitor *monitor)
{
    struct monitor_note *note, *next;

    HASH_ITER (by_key, monitor->notes, note, next)
        forget_note(monitor, note);
    for (size_t i = 0; i < monitor->db->schema->n_tables; i++) {
        struct monitor_table *table = monitor->tables[i];
        if (!table)
            continue;
        condition_fini(&table->condition);
        free(table->columns);
        free(table);
    }
    free(monitor->tables);
    json_decref(monitor->id);
    free(monitor);
}

/* --- Rows to JSON -------------------------------------------------------------------------- */

static void put_datum(json_t *json, const struct column_schema *column, const struct datum *datum)
{
    json_object_set_new_nocheck(json, column->name, datum_to_json(datum));
}

/* All columns selected for an event, or, for update2, those that differ from their default. */
static json_t *whole_row(const struct monitor_table *table, unsigned int event, bool skips_default,
                         const struct uuid *uuid, const struct row_data *data)
{
    json_t *json = json_object();

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_schema *column = table->columns[i].column;

        if (!(table->columns[i].selection & event))
            continue;
        struct datum *datum = column_value(column, uuid, data);
        if (!skips_default || column_is_pseudo(column) ||
            !datum_equal(datum, column->default_value))
            put_datum(json, column, datum);
        datum_unref(datum);
    }
    return json;
}

/* The columns that changed: their differences, or their old values.  NULL: none. */
static json_t *changed_columns(const struct monitor_table *table, bool wants_diff,
                               const struct uuid *uuid, const struct row_data *before,
                               const struct row_data *after)
{
    json_t *json = json_object();

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_schema *column = table->columns[i].column;

        if (!(table->columns[i].selection & SELECT_MODIFY))
            continue;
        struct datum *old = column_value(column, uuid, before);
        struct datum *new = column_value(column, uuid, after);
        if (!datum_equal(old, new)) {
            struct datum *shown = wants_diff ? datum_diff(&column->type, old, new) : datum_ref(old);
            put_datum(json, column, shown);
            datum_unref(shown);
        }
        datum_unref(old);
        datum_unref(new);
    }
    if (json_object_size(json))
        return json;
    json_decref(json);
    return NULL;
}

static json_t *wrap(const char *name, json_t *json)
{
    json_t *object = json_object();

    json_object_set_new(object, name, json);
    return object;
}

static json_t *modify_update(const struct monitor_table *table, bool is_plain,
                             const struct uuid *uuid, const struct row_data *before,
                             const struct row_data *after)
{
    json_t *changed = changed_columns(table, !is_plain, uuid, before, after);

    if (!changed)
        return NULL;
    if (!is_plain)
        return wrap("modify", changed);
    json_t *json = wrap("old", changed);
    json_object_set_new(json, "new", whole_row(table, SELECT_MODIFY, false, uuid, after));
    return json;
}

/* The <row-update> that leads from 'before' to 'after', either of which may be NULL (not there, or
 * not fitting); NULL: nothing to say. */
static json_t *row_update(const struct monitor *monitor, const struct monitor_table *table,
                          unsigned int insert_event, const struct uuid *uuid,
                          const struct row_data *before, const struct row_data *after)
{
    bool is_plain = monitor->form == MONITOR_PLAIN;
    unsigned int event = !before ? insert_event : !after ? SELECT_DELETE : SELECT_MODIFY;

    if ((!before && !after) || !(table->selection & event))
        return NULL;
    if (event == SELECT_MODIFY)
        return modify_update(table, is_plain, uuid, before, after);
    if (event == SELECT_DELETE)
        return is_plain ? wrap("old", whole_row(table, event, false, uuid, before))
                        : wrap("delete", json_null());
    const char *name = is_plain ? "new" : event == SELECT_INITIAL ? "initial" : "insert";
    return wrap(name, whole_row(table, event, !is_plain, uuid, after));
}

static void put_update(json_t *updates, const struct table_schema *table, const struct uuid *uuid,
                       json_t *update)
{
    json_t *rows = json_object_get(updates, table->name);
    char text[UUID_TEXT_BYTES];

    if (!update)
        return;
    if (!rows) {
        rows = json_object();
        json_object_set_new(updates, table->name, rows);
    }
    uuid_format(uuid, text);
    json_object_set_new_nocheck(rows, text, update);
}

static const struct row_data *if_fitting(const struct condition *condition, const struct uuid *uuid,
                                         const struct row_data *data)
{
    return data && condition_fits_any(condition, uuid, data) ? data : NULL;
}

json_t *monitor_initial(struct monitor *monitor)
{
    json_t *updates = json_object();

    for (size_t i = 0; i < monitor->db->schema->n_tables; i++) {
        const struct monitor_table *table = monitor->tables[i];
        struct row *row;

        if (!table || !(table->selection & SELECT_INITIAL))
            continue;
        FOR_EACH_ROW(row, table->table)
        {
            const struct row_data *data = if_fitting(&table->condition, &row->uuid, row->data);
            put_update(updates, table->table->schema, &row->uuid,
                       row_update(monitor, table, SELECT_INITIAL, &row->uuid, NULL, data));
        }
    }
    return updates;
}

/* --- Notes and updates --------------------------------------------------------------------- */

static void note_change(struct monitor *monitor, const struct row_change *change)
{
    struct monitor_note *note;
    struct note_key key;

    memset(&key, 0, sizeof key);
    key.table = change->table->schema->index;
    key.uuid = change->uuid;
    if (!monitor->tables[key.table])
        return;
    HASH_FIND(by_key, monitor->notes, &key, sizeof key, note);
    if (note) {
        /* What the client knows is older still; of a row that came and went it knows nothing. */
        if (!note->known && !change->after)
            forget_note(monitor, note);
        return;
    }
    note = calloc(1, sizeof *note);
    if (!note)
        abort();
    note->key = key;
    note->known = row_data_ref(change->before);
    HASH_ADD(by_key, monitor->notes, key, sizeof note->key, note);
}

void monitor_note_commit(struct monitor *monitor, const struct commit *commit)
{
    for (size_t i = 0; i < commit->n_changes; i++)
        note_change(monitor, commit->changes[i]);
}

bool monitor_has_notes(const struct monitor *monitor)
{
    return monitor->notes;
}

/* Takes 'updates'; NULL if they are empty. */
static json_t *notification(const struct monitor *monitor, json_t *updates)
{
    json_t *params = json_array();
    char txn_id[UUID_TEXT_BYTES];

    if (!json_object_size(updates)) {
        json_decref(updates);
        json_decref(params);
        return NULL;
    }
    json_array_append(params, monitor->id);
    if (monitor->form == MONITOR_COND_SINCE) {
        uuid_format(&monitor->db->last_txn_id, txn_id);
        json_array_append_new(params, json_string_nocheck(txn_id));
    }
    json_array_append_new(params, updates);
    return jsonrpc_notify_take(monitor->form == MONITOR_PLAIN  ? "update"
                               : monitor->form == MONITOR_COND ? "update2"
                                                               : "update3",
                               params);
}

json_t *monitor_take_changes(struct monitor *monitor)
{
    json_t *updates = json_object();
    struct monitor_note *note, *next;

    HASH_ITER (by_key, monitor->notes, note, next) {
        const struct monitor_table *table = monitor->tables[note->key.table];
        const struct uuid *uuid = &note->key.uuid;
        const struct row *row = table_row(table->table, uuid);

        put_update(updates, table->table->schema, uuid,
                   row_update(monitor, table, SELECT_INSERT, uuid,
                              if_fitting(&table->condition, uuid, note->known),
                              if_fitting(&table->condition, uuid, row ? row->data : NULL)));
        forget_note(monitor, note);
    }
    return updates;
}

json_t *monitor_take_update(struct monitor *monitor)
{
    return notification(monitor, monitor_take_changes(monitor));
}

static bool parse_new_condition(struct monitor_table *table, const json_t *requests,
                                struct condition *condition, struct db_error *error)
{
    *condition = (struct condition){.clauses = NULL};
    if (!json_is_array(requests))
        return add_condition(table, json_object_get(requests, "where"), condition, error);
    for (size_t i = 0; i < json_array_size(requests); i++) {
        const json_t *where = json_object_get(json_array_get(requests, i), "where");
        if (!add_condition(table, where, condition, error)) {
            condition_fini(condition);
            return false;
        }
    }
    return true;
}

static void change_condition(struct monitor *monitor, struct monitor_table *table,
                             struct condition *condition, json_t *updates)
{
    struct row *row;

    FOR_EACH_ROW(row, table->table)
    {
        const struct row_data *before = if_fitting(&table->condition, &row->uuid, row->data);
        const struct row_data *after = if_fitting(condition, &row->uuid, row->data);
        if (before != after)
            put_update(updates, table->table->schema, &row->uuid,
                       row_update(monitor, table, SELECT_INSERT, &row->uuid, before, after));
    }
    condition_fini(&table->condition);
    table->condition = *condition;
}

bool monitor_change_conditions(struct monitor *monitor, const json_t *requests, json_t **update,
                               struct db_error *error)
{
    json_t *updates = json_object(), *request;
    const char *name;
    bool is_ok = true;

    if (!json_is_object(requests))
        is_ok = db_error_set(error, DB_SYNTAX_ERROR, "monitor requests must be an object");
    json_object_foreach ((json_t *)requests, name, request) {
        struct table *table = database_table(monitor->db, name);
        struct monitor_table *monitored = table ? monitor->tables[table->schema->index] : NULL;
        struct condition condition;

        if (!is_ok)
            break;
        if (!monitored)
            is_ok = db_error_set(error, DB_SYNTAX_ERROR, "table %s is not monitored", name);
        else if ((is_ok = parse_new_condition(monitored, request, &condition, error)))
            change_condition(monitor, monitored, &condition, updates);
    }
    *update = notification(monitor, updates);
    return is_ok;
}
