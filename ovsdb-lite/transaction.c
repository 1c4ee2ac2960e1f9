/* SPDX-License-Identifier: Apache-2.0 */

/* Rows deleted by an open transaction stay in their table, marked, until it ends: references to them
 * can then be found whichever way the transaction goes. */

#include "ovsdb-lite/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "ovsdb-lite/references.h"

struct txn *txn_create(struct database *db)
{
    struct txn *txn = calloc(1, sizeof *txn);

    if (!txn)
        abort();
    txn->db = db;
    return txn;
}

static void append(void *array_pointer, size_t *n, size_t *n_allocated, void *element)
{
    void **array = *(void ***)array_pointer;

    if (*n == *n_allocated) {
        *n_allocated = *n_allocated ? *n_allocated * 2 : 8;
        array = realloc(array, *n_allocated * sizeof *array);
        if (!array)
            abort();
        *(void ***)array_pointer = array;
    }
    array[(*n)++] = element;
}

static struct row_change *change_of(struct txn *txn, struct row *row)
{
    if (row->change)
        return row->change;
    struct row_change *change = calloc(1, sizeof *change);
    if (!change)
        abort();
    change->table = row->table;
    change->uuid = row->uuid;
    change->row = row;
    row->change = change;
    append(&txn->changes, &txn->n_changes, &txn->n_allocated, change);
    return change;
}

static void index_all(struct row *row, void (*call)(struct table *, size_t, struct row *))
{
    for (size_t i = 0; i < row->table->schema->n_indexes; i++)
        call(row->table, i, row);
}

struct row *txn_insert(struct txn *txn, struct table *table, const struct uuid *uuid)
{
    struct row *row = table_add_row_take(table, uuid, row_data_create(table->schema));

    change_of(txn, row);
    index_all(row, index_add);
    return row;
}

static bool index_uses(const struct index *index, const struct column_schema *column)
{
    for (struct column_schema **c = index->columns; *c; c++)
        if (*c == column)
            return true;
    return false;
}

/* The row's contents, its own to change. */
static struct row_data *writable(struct txn *txn, struct row *row)
{
    struct row_change *change = row->change;

    if (!change) {
        change = change_of(txn, row);
        change->before = row->data;
        row->data = row_data_clone(row->table->schema, change->before);
        /* Counted as 'before' so far, which row->data still equals. */
        change->is_accounted = false;
    }
    return row->data;
}

void txn_set_take(struct txn *txn, struct row *row, const struct column_schema *column,
                  struct datum *datum)
{
    struct row_data *data = writable(txn, row);
    struct table *table = row->table;

    for (size_t i = 0; i < table->schema->n_indexes; i++)
        if (index_uses(&table->indexes[i], column))
            index_remove(table, i, row);
    datum_unref(data->columns[column->index]);
    data->columns[column->index] = datum;
    for (size_t i = 0; i < table->schema->n_indexes; i++)
        if (index_uses(&table->indexes[i], column))
            index_add(table, i, row);
}

void txn_delete(struct txn *txn, struct row *row)
{
    if (row->is_deleted)
        return;
    writable(txn, row);
    index_all(row, index_remove);
    row->is_deleted = true;
    row->table->n_rows--;
}

/* --- Prepare ------------------------------------------------------------------------------- */

static bool is_unchanged(struct row_change *change)
{
    const struct table_schema *schema = change->table->schema;

    if (!change->before || change->row->is_deleted)
        return false;
    for (size_t i = 0; i < schema->n_columns; i++)
        if (!datum_equal(change->before->columns[i], change->row->data->columns[i]))
            return false;
    return true;
}

static void forget(struct row_change *change)
{
    row_data_unref(change->table->schema, change->row->data);
    change->row->data = change->before;
    change->row->change = NULL;
    free(change);
}

static void prune_unchanged(struct txn *txn)
{
    size_t n = 0;

    for (size_t i = 0; i < txn->n_changes; i++) {
        if (is_unchanged(txn->changes[i]))
            forget(txn->changes[i]);
        else
            txn->changes[n++] = txn->changes[i];
    }
    txn->n_changes = n;
}

struct preparation {
    struct txn *txn;
    struct db_error *error;
};

static void on_orphaned(struct row *row, void *aux)
{
    struct txn *txn = ((struct preparation *)aux)->txn;

    append(&txn->suspects, &txn->n_suspects, &txn->n_suspects_allocated, row);
}

static void on_dangling(struct row *from, void *aux)
{
    struct txn *txn = ((struct preparation *)aux)->txn;

    append(&txn->dangling, &txn->n_dangling, &txn->n_dangling_allocated, from);
}

static void on_missing(struct row *from, const struct column_schema *column,
                       const struct table *target, const struct uuid *uuid, void *aux)
{
    struct db_error *error = ((struct preparation *)aux)->error;
    char from_text[UUID_TEXT_BYTES], text[UUID_TEXT_BYTES];

    if (error->tag || from->is_deleted)
        return;
    uuid_format(&from->uuid, from_text);
    uuid_format(uuid, text);
    db_error_set(error, DB_REFERENTIAL,
                 "Table %s column %s row %s references nonexistent row %s in table %s.",
                 from->table->schema->name, column->name, from_text, text, target->schema->name);
}

static const struct row_data *present_data(const struct row *row)
{
    return row->is_deleted ? NULL : row->data;
}

static void account(struct row_change *change, const struct ref_events *events)
{
    references_move_row(change->row, change->before, present_data(change->row), events);
    change->is_accounted = true;
}

/* Deletes a row whose references are counted as they stand. */
static void delete_accounted(struct txn *txn, struct row *row, const struct ref_events *events)
{
    txn_delete(txn, row);
    if (row->change->is_accounted) {
        references_move_row(row, row->data, NULL, events);
    } else {
        account(row->change, events);
    }
}

static void collect_garbage(struct txn *txn, const struct ref_events *events)
{
    while (txn->n_suspects) {
        struct row *row = txn->suspects[--txn->n_suspects];

        if (!row->table->schema->is_root && !row->is_deleted && !row->n_strong_refs)
            delete_accounted(txn, row, events);
    }
}

static bool clean_column(struct txn *txn, struct row *row, const struct column_schema *column,
                         const struct ref_events *events, struct db_error *error)
{
    struct datum *old = row->data->columns[column->index];
    struct datum *kept = references_without_dangling(row, column, old);

    if (!kept)
        return true;
    if (kept->n < column->type.n_min) {
        char text[UUID_TEXT_BYTES];
        datum_unref(kept);
        uuid_format(&row->uuid, text);
        return db_error_set(error, DB_CONSTRAINT,
                            "Weak reference column \"%s\" in \"%s\" row %s would lose its last "
                            "value, and may not be empty.",
                            column->name, row->table->schema->name, text);
    }
    if (!row->change || !row->change->is_accounted) {
        writable(txn, row);
        row->change->is_accounted = true; /* As of 'before', which is what row->data is. */
    }
    datum_ref(old);
    txn_set_take(txn, row, column, kept);
    references_move_column(row, column, old, kept, events);
    datum_unref(old);
    return true;
}

static bool clean_row(struct txn *txn, struct row *row, const struct ref_events *events,
                      struct db_error *error)
{
    const struct table_schema *schema = row->table->schema;

    if (row->is_deleted)
        return true;
    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct column_schema *column = &schema->columns[i];
        bool has_weak = (row->table->key_refs[i] && column->type.key.ref_type == REF_WEAK) ||
                        (row->table->value_refs[i] && column->type.value.ref_type == REF_WEAK);
        if (has_weak && !clean_column(txn, row, column, events, error))
            return false;
    }
    return true;
}

/* Queues those that refer weakly to a row that goes. */
static void queue_referrers(struct txn *txn, const struct row *row)
{
    struct weak_ref *ref;

    cds_list_for_each_entry (ref, &row->weak_refs, node)
        append(&txn->dangling, &txn->n_dangling, &txn->n_dangling_allocated, ref->from);
}

static bool settle(struct txn *txn, const struct ref_events *events, struct db_error *error)
{
    size_t n_seen = 0; /* Changes whose referrers were queued, if they are deletions. */

    for (;;) {
        collect_garbage(txn, events);
        for (; n_seen < txn->n_changes; n_seen++)
            if (txn->changes[n_seen]->row->is_deleted)
                queue_referrers(txn, txn->changes[n_seen]->row);
        if (!txn->n_dangling)
            return true;
        while (txn->n_dangling)
            if (!clean_row(txn, txn->dangling[--txn->n_dangling], events, error))
                return false;
        if (txn->n_suspects)
            n_seen = 0; /* A row changed before may be deleted now. */
    }
}

static bool check_deleted(const struct row_change *change, struct db_error *error)
{
    char text[UUID_TEXT_BYTES];

    if (!change->row->is_deleted || !change->row->n_strong_refs)
        return true;
    uuid_format(&change->uuid, text);
    return db_error_set(error, DB_REFERENTIAL,
                        "cannot delete %s row %s because of %zu remaining reference(s)",
                        change->table->schema->name, text, change->row->n_strong_refs);
}

static bool check_limit(const struct row_change *change, struct db_error *error)
{
    const struct table *table = change->table;

    if (change->row->is_deleted || table->n_rows <= table->schema->max_rows)
        return true;
    return db_error_set(error, DB_CONSTRAINT,
                        "transaction causes \"%s\" table to contain %zu rows, greater than the "
                        "schema-defined limit of %u row(s)",
                        table->schema->name, table->n_rows, table->schema->max_rows);
}

static void describe_index(const struct index *index, const struct row *row, char *text,
                           size_t n_bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (struct column_schema **column = index->columns; *column; column++) {
        json_t *json = datum_to_json(row->data->columns[(*column)->index]);
        char *value = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
        const char *plain = json_is_string(json) ? json_string_value(json) : value;
        int n = snprintf(text + used, n_bytes - used, "%s%.60s", used ? ", " : "", plain);
        used += n > 0 && (size_t)n < n_bytes - used ? (size_t)n : 0;
        free(value);
        json_decref(json);
    }
}

static bool check_indexes(const struct row_change *change, struct db_error *error)
{
    struct table *table = change->table;

    for (size_t i = 0; !change->row->is_deleted && i < table->schema->n_indexes; i++) {
        const struct row *twin = index_find_twin(table, i, change->row);
        char values[160], first[UUID_TEXT_BYTES], second[UUID_TEXT_BYTES];

        if (!twin)
            continue;
        describe_index(&table->indexes[i], change->row, values, sizeof values);
        uuid_format(&change->uuid, first);
        uuid_format(&twin->uuid, second);
        return db_error_set(error, DB_CONSTRAINT,
                            "Transaction causes multiple rows in \"%s\" table to have identical "
                            "values (%s) for index on column%s \"%s\"%s.  The rows are %s and %s.",
                            table->schema->name, values, table->indexes[i].columns[1] ? "s" : "",
                            table->indexes[i].columns[0]->name,
                            table->indexes[i].columns[1] ? " and others" : "", first, second);
    }
    return true;
}

/* In Open vSwitch's order, so that a transaction that is wrong twice fails by the same name. */
static bool check_changes(struct txn *txn, struct db_error *error)
{
    bool (*const checks[])(const struct row_change *, struct db_error *) = {check_limit,
                                                                            check_indexes};

    for (size_t check = 0; check < ARRAY_SIZE(checks); check++)
        for (size_t i = 0; i < txn->n_changes; i++)
            if (!checks[check](txn->changes[i], error))
                return false;
    return true;
}

bool txn_prepare(struct txn *txn, struct db_error *error)
{
    struct preparation preparation = {txn, error};
    struct ref_events events = {on_orphaned, on_dangling, on_missing, &preparation};

    prune_unchanged(txn);
    for (size_t i = 0; i < txn->n_changes; i++) {
        struct row_change *change = txn->changes[i];

        account(change, &events);
        if (!change->before)
            on_orphaned(change->row, &preparation);
    }
    /* References from rows that are about to be collected count: Open vSwitch sees it so. */
    for (size_t i = 0; !error->tag && i < txn->n_changes; i++)
        check_deleted(txn->changes[i], error);
    if (error->tag || !settle(txn, &events, error) || error->tag)
        return false;
    return check_changes(txn, error);
}

const struct row_data *row_change_result(const struct row_change *change)
{
    return present_data(change->row);
}

/* --- The end ------------------------------------------------------------------------------- */

static void txn_free(struct txn *txn)
{
    free(txn->changes);
    free(txn->suspects);
    free(txn->dangling);
    free(txn);
}

static void row_change_free(struct row_change *change)
{
    row_data_unref(change->table->schema, change->before);
    row_data_unref(change->table->schema, change->after);
    free(change);
}

/* True if the change is worth reporting. */
static bool finish_change(struct row_change *change)
{
    struct row *row = change->row;

    row->change = NULL;
    change->row = NULL;
    if (row->is_deleted) {
        table_remove_row(row);
        return change->before != NULL;
    }
    uuid_generate(&row->data->version);
    change->after = row_data_ref(row->data);
    return true;
}

struct commit *txn_finish(struct txn *txn)
{
    struct commit *commit = calloc(1, sizeof *commit);
    size_t n = 0;

    if (!commit)
        abort();
    for (size_t i = 0; i < txn->n_changes; i++) {
        struct row_change *change = txn->changes[i];

        if (!finish_change(change)) {
            row_change_free(change);
            continue;
        }
        commit->tables |= UINT64_C(1) << change->table->schema->index % 64;
        txn->changes[n++] = change;
    }
    commit->db = txn->db;
    commit->changes = txn->changes;
    commit->n_changes = n;
    txn->changes = NULL;
    txn_free(txn);
    if (!n) {
        commit_destroy(commit);
        return NULL;
    }
    uuid_generate(&commit->id);
    commit->db->last_txn_id = commit->id;
    return commit;
}

void commit_destroy(struct commit *commit)
{
    if (!commit)
        return;
    for (size_t i = 0; i < commit->n_changes; i++)
        row_change_free(commit->changes[i]);
    free(commit->changes);
    free(commit);
}

static void undo(struct row_change *change)
{
    struct row *row = change->row;

    if (!row->is_deleted)
        index_all(row, index_remove);
    else
        row->table->n_rows++;
    row->is_deleted = false;
    row->change = NULL;
    if (!change->before) {
        row->table->n_rows--;
        table_remove_row(row);
    } else {
        row_data_unref(row->table->schema, row->data);
        row->data = change->before;
        index_all(row, index_add);
    }
    free(change);
}

void txn_abort(struct txn *txn)
{
    /* Books first, while every row can still be found. */
    for (size_t i = txn->n_changes; i-- > 0;) {
        struct row_change *change = txn->changes[i];
        if (change->is_accounted)
            references_move_row(change->row, present_data(change->row), change->before, NULL);
    }
    for (size_t i = txn->n_changes; i-- > 0;)
        undo(txn->changes[i]);
    txn_free(txn);
}

static void ignore_row(struct row *row UNUSED, void *aux UNUSED)
{
}

bool database_account_all(struct database *db, struct db_error *error)
{
    struct preparation preparation = {NULL, error};
    struct ref_events events = {ignore_row, ignore_row, on_missing, &preparation};
    struct row *row;

    for (size_t t = 0; t < db->schema->n_tables; t++) {
        FOR_EACH_ROW(row, &db->tables[t])
        references_move_row(row, NULL, row->data, &events);
    }
    return !error->tag;
}
