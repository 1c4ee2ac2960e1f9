/* SPDX-License-Identifier: Apache-2.0 */

/* Changed rows -> operations of RFC 7047, section 5.2.
 *
 * Unbounded sets and maps change by elements (mutate); bounded ones whole (update), behind a
 * wait for their old value.  Scalars are simply overwritten: the last writer wins, as it would
 * anyway. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shown.h"
#include "cli/store_rows.h"
#include "lib/ovsdb/diff.h"

struct builder {
    struct store *store;
    json_t *operations;
    bool has_new_rows;
    bool was_changed;
};

/* --- Values with references to rows that are inserted here --------------------------------- */

static const struct store_row *find_new_row(const struct builder *builder,
                                            const struct base_type *base, const struct uuid *uuid)
{
    const struct table_schema *table =
        base->ref_table ? db_schema_table(builder->store->schema, base->ref_table) : NULL;
    const struct store_row *row = table ? store_find_uuid(builder->store, table, uuid) : NULL;

    return row && row->is_new && !row->has_chosen_uuid ? row : NULL;
}

static void format_row_name(const struct uuid *uuid, char name[UUID_TEXT_BYTES + 4])
{
    char text[UUID_TEXT_BYTES];

    uuid_format(uuid, text);
    for (char *dash = text; (dash = strchr(dash, '-'));)
        *dash = '_';
    snprintf(name, UUID_TEXT_BYTES + 4, "row%s", text);
}

static json_t *atom_json(const struct builder *builder, const struct base_type *base,
                         const union atom *atom)
{
    char name[UUID_TEXT_BYTES + 4];

    if (base->type != ATOM_UUID || !builder->has_new_rows ||
        !find_new_row(builder, base, &atom->uuid))
        return atom_to_json(base->type, atom);
    format_row_name(&atom->uuid, name);
    return ovsdb_json_named_uuid(name);
}

static json_t *datum_json(const struct builder *builder, const struct column_type *type,
                          const struct datum *datum)
{
    if (datum->values) {
        json_t *map = ovsdb_json_map();
        for (size_t i = 0; i < datum->n; i++)
            ovsdb_json_map_add_take(map, atom_json(builder, &type->key, &datum->keys[i]),
                                    atom_json(builder, &type->value, &datum->values[i]));
        return map;
    }
    json_t *elements = json_array();
    for (size_t i = 0; i < datum->n; i++)
        json_array_append_new(elements, atom_json(builder, &type->key, &datum->keys[i]));
    return ovsdb_json_set_take(elements);
}

/* --- Operations ---------------------------------------------------------------------------- */

static json_t *new_operation(const char *op, const struct store_row *row)
{
    return json_pack("{s:s, s:s, s:o}", "op", op, "table", row->table->schema->name, "where",
                     ovsdb_json_where_uuid(&row->uuid));
}

static void add_operation_take(struct builder *builder, json_t *operation)
{
    json_array_append_new(builder->operations, operation);
    builder->was_changed = true;
}

/* Fails the transaction, to be tried again, if somebody has deleted the row. */
static void expect_row(struct builder *builder, const struct store_row *row)
{
    json_t *wait = new_operation("wait", row);

    json_object_set_new(wait, "timeout", json_integer(0));
    json_object_set_new(wait, "columns", json_pack("[s]", "_uuid"));
    json_object_set_new(wait, "until", json_string("!="));
    json_object_set_new(wait, "rows", json_array());
    json_array_append_new(builder->operations, wait);
}

static void expect_value(struct builder *builder, const struct store_row *row,
                         const struct column_schema *column)
{
    json_t *wait = new_operation("wait", row);
    json_t *values = json_object();

    json_object_set_new(values, column->name, datum_to_json(row->before[column->index]));
    json_object_set_new(wait, "timeout", json_integer(0));
    json_object_set_new(wait, "columns", json_pack("[s]", column->name));
    json_object_set_new(wait, "until", json_string("=="));
    json_object_set_new(wait, "rows", json_pack("[o]", values));
    json_array_append_new(builder->operations, wait);
}

/* The keys of 'datum' as a set. */
static json_t *keys_json(const struct builder *builder, const struct column_type *type,
                         const struct datum *datum)
{
    json_t *keys = json_array();

    for (size_t i = 0; i < datum->n; i++)
        json_array_append_new(keys, atom_json(builder, &type->key, &datum->keys[i]));
    return ovsdb_json_set_take(keys);
}

static void mutate_column(struct builder *builder, const struct store_row *row,
                          const struct column_schema *column, json_t *mutations)
{
    const struct datum *before = row->before[column->index], *now = row->now[column->index];
    struct datum *removed = datum_difference(before, now), *added = datum_difference(now, before);

    if (removed->n)
        json_array_append_new(mutations,
                              ovsdb_json_clause_take(column->name, "delete",
                                                     keys_json(builder, &column->type, removed)));
    if (added->n)
        json_array_append_new(mutations,
                              ovsdb_json_clause_take(column->name, "insert",
                                                     datum_json(builder, &column->type, added)));
    datum_unref(removed);
    datum_unref(added);
}

static void build_change(struct builder *builder, const struct store_row *row)
{
    json_t *values = json_object(), *mutations = json_array();

    for (size_t i = 0; i < row->table->schema->n_columns; i++) {
        const struct column_schema *column = &row->table->schema->columns[i];
        struct datum *before = row->before[i], *now = row->now[i];

        if (!now || (before && datum_equal(before, now)))
            continue;
        if (before && column->type.n_min == 0 && column->type.n_max == COLUMN_UNLIMITED) {
            mutate_column(builder, row, column, mutations);
            continue;
        }
        if (before && column->type.n_max > 1)
            expect_value(builder, row, column);
        json_object_set_new(values, column->name, datum_json(builder, &column->type, now));
    }
    if (!json_object_size(values) && !json_array_size(mutations)) {
        json_decref(values);
        json_decref(mutations);
        return;
    }
    expect_row(builder, row);
    json_t *update = new_operation("update", row), *mutate = new_operation("mutate", row);
    json_object_set_new(update, "row", values);
    json_object_set_new(mutate, "mutations", mutations);
    if (json_object_size(values))
        add_operation_take(builder, json_incref(update));
    if (json_array_size(mutations))
        add_operation_take(builder, json_incref(mutate));
    json_decref(update);
    json_decref(mutate);
}

static void build_insert(struct builder *builder, struct store_row *row)
{
    char name[UUID_TEXT_BYTES + 4];
    json_t *values = json_object();

    for (size_t i = 0; i < row->table->schema->n_columns; i++) {
        const struct column_schema *column = &row->table->schema->columns[i];
        if (row->now[i] && !datum_equal(row->now[i], column->default_value))
            json_object_set_new(values, column->name,
                                datum_json(builder, &column->type, row->now[i]));
    }
    row->insert_index = (ptrdiff_t)json_array_size(builder->operations);
    json_t *insert = json_pack("{s:s, s:s, s:o}", "op", "insert", "table", row->table->schema->name,
                               "row", values);
    if (row->has_chosen_uuid) {
        uuid_format(&row->uuid, name);
        json_object_set_new(insert, "uuid", json_string(name));
    } else {
        format_row_name(&row->uuid, name);
        json_object_set_new(insert, "uuid-name", json_string(name));
    }
    add_operation_take(builder, insert);
}

static void build_row(struct builder *builder, struct store_row *row)
{
    row->insert_index = -1;
    if (row->is_new && !row->is_deleted)
        build_insert(builder, row);
    else if (row->is_deleted && !row->is_new)
        add_operation_take(builder, new_operation("delete", row));
    else if (!row->is_new)
        build_change(builder, row);
}

static void build_all(struct builder *builder)
{
    struct store *store = builder->store;

    for (size_t i = 0; i < store->schema->n_tables; i++)
        for (struct store_row *row = store->tables[i].first; row; row = row->next)
            builder->has_new_rows |= row->is_new;
    for (size_t i = 0; i < store->schema->n_tables; i++)
        for (struct store_row *row = store->tables[i].first; row; row = row->next)
            build_row(builder, row);
}

/* Adds the step of next_cfg that tells vswitchd (and us) which configuration is meant. */
static void build_next_cfg(struct builder *builder)
{
    json_array_append_new(builder->operations,
                          json_pack("{s:s, s:s, s:[], s:[[s, s, i]]}", "op", "mutate", "table",
                                    "Open_vSwitch", "where", "mutations", "next_cfg", "+=", 1));
    json_array_append_new(builder->operations,
                          json_pack("{s:s, s:s, s:[], s:[s]}", "op", "select", "table",
                                    "Open_vSwitch", "where", "columns", "next_cfg"));
}

/* --- Answers ------------------------------------------------------------------------------- */

static void adopt_uuid(struct store_row *row, const json_t *results)
{
    const json_t *result = json_array_get(results, (size_t)row->insert_index);
    const char *text = json_string_value(json_array_get(json_object_get(result, "uuid"), 1));
    struct uuid uuid;

    if (text && uuid_parse(text, &uuid))
        row->uuid = uuid; /* The hash is not used any more. */
}

static int64_t read_next_cfg(const json_t *results)
{
    const json_t *last = json_array_get(results, json_array_size(results) - 1);
    const json_t *row = json_array_get(json_object_get(last, "rows"), 0);

    return json_integer_value(json_object_get(row, "next_cfg"));
}

static int check_names(const struct store *store, struct error *error)
{
    for (const struct store_name *name = store->names; name; name = name->hh.next)
        if (!name->row)
            return error_set(error, -EINVAL,
                             "%s is used, but no command creates it (--id=%s create ...)",
                             shown(name->text).text, shown(name->text).text);
    return 0;
}

int store_commit(struct store *store, struct store_commit *commit, struct error *error)
{
    struct builder builder = {.store = store, .operations = json_array()};
    json_t *results = NULL;
    int result = check_names(store, error);

    if (!result)
        build_all(&builder);
    commit->was_changed = builder.was_changed;
    if (result || !builder.was_changed || commit->is_dry) {
        json_decref(builder.operations);
        return result;
    }
    bool has_next_cfg = commit->wants_next_cfg && db_schema_table(store->schema, "Open_vSwitch");
    json_array_append_new(builder.operations,
                          json_pack("{s:s, s:s}", "op", "comment", "comment", commit->comment));
    if (has_next_cfg)
        build_next_cfg(&builder);
    result = ovsdb_session_transact_take(store->session, builder.operations, &results, error);
    for (size_t i = 0; !result && i < store->schema->n_tables; i++)
        for (struct store_row *row = store->tables[i].first; row; row = row->next)
            if (row->insert_index >= 0)
                adopt_uuid(row, results);
    if (!result && has_next_cfg)
        commit->next_cfg = read_next_cfg(results);
    json_decref(results);
    return result;
}
