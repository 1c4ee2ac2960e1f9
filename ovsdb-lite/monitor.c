/* SPDX-License-Identifier: Apache-2.0 */

/* Every message is made by one function that compares two contents of a row, either of which may be
 * absent: initial contents and changed conditions are comparisons too. */

#include "ovsdb-lite/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/jsonrpc_stream.h"
#include "lib/ovsdb/diff.h"
#include "ovsdb-lite/monitor_shape.h"
#include "ovsdb-lite/row_filter.h"

enum { MONITOR_MAX_COMPARISONS = 20000000 };

enum selection { SELECT_INITIAL = 1, SELECT_INSERT = 2, SELECT_DELETE = 4, SELECT_MODIFY = 8 };

struct monitor_column {
    const struct column_schema *column;
    unsigned int selection;
};

struct monitor_table {
    struct table *table;
    struct monitor_column *columns;
    size_t n_columns;
    unsigned int selection;   /* Of any column. */
    struct row_filter filter; /* Clauses of several requests add up. */
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

/* Has 'json' none but the members in 'names'? */
static bool check_members(const json_t *json, const char *const names[], struct db_error *error)
{
    for (void *i = json_object_iter((json_t *)json); i;
         i = json_object_iter_next((json_t *)json, i)) {
        const char *const *name = names;
        while (*name && strcmp(*name, json_object_iter_key(i)))
            name++;
        if (!*name)
            return db_error_set(error, DB_SYNTAX_ERROR, "\"%s\" is not a member that may be here",
                                json_object_iter_key(i));
    }
    return true;
}

static bool parse_selection(const json_t *json, unsigned int *selection, struct db_error *error)
{
    static const char *const names[] = {"initial", "insert", "delete", "modify", NULL};

    *selection = SELECT_INITIAL | SELECT_INSERT | SELECT_DELETE | SELECT_MODIFY;
    if (!json)
        return true;
    if (!json_is_object(json))
        return db_error_set(error, DB_SYNTAX_ERROR, "\"select\" must be an object");
    if (!check_members(json, names, error))
        return false;
    for (unsigned int i = 0; names[i]; i++) {
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
            return db_error_set(error, DB_SYNTAX_ERROR, "%s is not a valid column name of table %s",
                                name ? name : "What is not a string", schema->name);
        if (!add_column(table, column, selection, error))
            return false;
    }
    return true;
}

static bool add_request(struct monitor *monitor, struct monitor_table *table, const json_t *json,
                        struct db_error *error)
{
    static const char *const plain[] = {"columns", "select", NULL};
    static const char *const conditional[] = {"columns", "select", "where", NULL};
    unsigned int selection;

    if (!json_is_object(json))
        return db_error_set(error, DB_SYNTAX_ERROR, "a monitor request must be an object");
    if (!check_members(json, monitor->form == MONITOR_PLAIN ? plain : conditional, error) ||
        !parse_selection(json_object_get(json, "select"), &selection, error) ||
        !add_columns(table, json_object_get(json, "columns"), selection, error))
        return false;
    table->selection |= selection;
    return monitor->form == MONITOR_PLAIN ||
           row_filter_add(&table->filter, table->table, json_object_get(json, "where"), error);
}

/* Every row is held against the clauses that no hash table answers, now and when it changes. */
static bool check_cost(const struct table *table, const struct row_filter *filter,
                       struct db_error *error)
{
    size_t n_scanned = filter->scanned.n_clauses;

    if (!table->n_rows || n_scanned <= MONITOR_MAX_COMPARISONS / table->n_rows)
        return true;
    return db_error_set(error, DB_EXHAUSTED, "the condition of table %s has too many clauses",
                        table->schema->name);
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
    row_filter_init(&monitored->filter, monitor->db);
    monitored->columns = calloc(table->schema->n_columns + 3, sizeof *monitored->columns);
    if (!monitored->columns)
        abort();
    monitor->tables[table->schema->index] = monitored;
    if (json_is_object(requests) && !add_request(monitor, monitored, requests, error))
        return false;
    if (!json_is_array(requests) && !json_is_object(requests))
        return db_error_set(error, DB_SYNTAX_ERROR, "a monitor request must be an object");
    for (size_t i = 0; i < json_array_size(requests); i++)
        if (!add_request(monitor, monitored, json_array_get(requests, i), error))
            return false;
    return check_cost(table, &monitored->filter, error);
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

size_t monitor_n_clauses(const struct monitor *monitor)
{
    size_t n = 0;

    for (size_t i = 0; i < monitor->db->schema->n_tables; i++)
        n += monitor->tables[i] ? row_filter_n_clauses(&monitor->tables[i]->filter) : 0;
    return n;
}

void monitor_forget_notes(struct monitor *monitor)
{
    struct monitor_note *note, *next;

    HASH_ITER (by_key, monitor->notes, note, next)
        forget_note(monitor, note);
}

void monitor_destroy(struct monitor *monitor)
{
    monitor_leave_shape(monitor);
    monitor_forget_notes(monitor);
    for (size_t i = 0; i < monitor->db->schema->n_tables; i++) {
        struct monitor_table *table = monitor->tables[i];
        if (!table)
            continue;
        row_filter_fini(&table->filter);
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

static const struct row_data *if_fitting(const struct row_filter *filter, const struct uuid *uuid,
                                         const struct row_data *data)
{
    return data && row_filter_fits(filter, uuid, data) ? data : NULL;
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
            const struct row_data *data = if_fitting(&table->filter, &row->uuid, row->data);
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
    if (!monitor->notes)
        monitor->first_noted = commit->id;
    for (size_t i = 0; i < commit->n_changes; i++)
        note_change(monitor, commit->changes[i]);
}

bool monitor_has_notes(const struct monitor *monitor)
{
    return monitor->notes;
}

const char *monitor_method(const struct monitor *monitor)
{
    return monitor->form == MONITOR_PLAIN  ? "update"
           : monitor->form == MONITOR_COND ? "update2"
                                           : "update3";
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
    return jsonrpc_notify_take(monitor_method(monitor), params);
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
                              if_fitting(&table->filter, uuid, note->known),
                              if_fitting(&table->filter, uuid, row ? row->data : NULL)));
        forget_note(monitor, note);
    }
    return updates;
}

json_t *monitor_take_update(struct monitor *monitor)
{
    return notification(monitor, monitor_take_changes(monitor));
}

static bool add_condition(struct row_filter *filter, const struct table *table, const json_t *json,
                          struct db_error *error)
{
    static const char *const names[] = {"columns", "where", NULL};

    if (!json_is_object(json))
        return db_error_set(error, DB_SYNTAX_ERROR, "an update request must be an object");
    return check_members(json, names, error) &&
           row_filter_add(filter, table, json_object_get(json, "where"), error);
}

static bool parse_filter(const struct monitor *monitor, const struct table *table,
                         const json_t *requests, struct row_filter *filter, struct db_error *error)
{
    bool is_ok = true;

    row_filter_init(filter, monitor->db);
    if (!json_is_array(requests))
        is_ok = add_condition(filter, table, requests, error);
    for (size_t i = 0; is_ok && i < json_array_size(requests); i++)
        is_ok = add_condition(filter, table, json_array_get(requests, i), error);
    is_ok = is_ok && check_cost(table, filter, error);
    if (!is_ok)
        row_filter_fini(filter);
    return is_ok;
}

static void change_filter(struct monitor *monitor, struct monitor_table *table,
                          struct row_filter *filter, json_t *updates)
{
    struct row *row;

    FOR_EACH_ROW(row, table->table)
    {
        const struct row_data *before = if_fitting(&table->filter, &row->uuid, row->data);
        const struct row_data *after = if_fitting(filter, &row->uuid, row->data);
        if (before != after)
            put_update(updates, table->table->schema, &row->uuid,
                       row_update(monitor, table, SELECT_INSERT, &row->uuid, before, after));
    }
    row_filter_fini(&table->filter);
    table->filter = *filter;
}

/* The new conditions of all tables, or none. */
struct filter_change {
    struct monitor_table *table;
    struct row_filter filter;
};

static bool parse_changes(struct monitor *monitor, const json_t *requests, size_t max_clauses,
                          struct filter_change *changes, size_t *n, struct db_error *error)
{
    size_t n_clauses = monitor_n_clauses(monitor);
    const char *name;
    json_t *request;

    if (!json_is_object(requests))
        return db_error_set(error, DB_SYNTAX_ERROR, "monitor requests must be an object");
    json_object_foreach ((json_t *)requests, name, request) {
        const struct table *table = database_table(monitor->db, name);
        struct filter_change *change = &changes[*n];

        change->table = table ? monitor->tables[table->schema->index] : NULL;
        if (!change->table)
            return db_error_set(error, DB_SYNTAX_ERROR, "table %s is not monitored", name);
        if (!parse_filter(monitor, table, request, &change->filter, error))
            return false;
        ++*n;
        n_clauses -= row_filter_n_clauses(&change->table->filter);
        n_clauses += row_filter_n_clauses(&change->filter);
    }
    return n_clauses <= max_clauses ||
           db_error_set(error, DB_EXHAUSTED, "the session's monitors have too many clauses");
}

bool monitor_change_conditions(struct monitor *monitor, const json_t *requests, size_t max_clauses,
                               json_t **update, struct db_error *error)
{
    size_t n = 0;
    struct filter_change *changes = calloc(json_object_size(requests) + 1, sizeof *changes);
    json_t *updates = json_object();

    if (!changes)
        abort();
    monitor_leave_shape(monitor);
    bool is_ok = parse_changes(monitor, requests, max_clauses, changes, &n, error);
    for (size_t i = 0; i < n; i++) {
        if (is_ok)
            change_filter(monitor, changes[i].table, &changes[i].filter, updates);
        else
            row_filter_fini(&changes[i].filter);
    }
    free(changes);
    *update = notification(monitor, updates);
    return is_ok;
}
