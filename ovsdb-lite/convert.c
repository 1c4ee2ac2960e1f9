/* SPDX-License-Identifier: Apache-2.0 */

/* The new database is filled by one transaction, which makes all the checks. */

#include "ovsdb-lite/convert.h"

#include <stdlib.h>
#include <string.h>

#include "ovsdb-lite/transaction.h"

/* One column of a table that both schemas have. */
struct pair {
    const struct column_schema *from, *to;
    bool is_same_type;
};

struct pairs {
    struct pair *list;
    size_t n;
};

static bool types_equal(const struct column_type *a, const struct column_type *b)
{
    json_t *a_json = column_type_to_json(a), *b_json = column_type_to_json(b);
    bool is_equal = json_equal(a_json, b_json);

    json_decref(a_json);
    json_decref(b_json);
    return is_equal;
}

static struct pairs pair_columns(const struct table_schema *from, const struct table_schema *to)
{
    struct pairs pairs = {.list = calloc(to->n_columns + 1, sizeof *pairs.list)};

    if (!pairs.list)
        abort();
    for (size_t i = 0; i < to->n_columns; i++) {
        const struct column_schema *column = table_schema_column(from, to->columns[i].name);
        if (column)
            pairs.list[pairs.n++] = (struct pair){column, &to->columns[i],
                                                  types_equal(&column->type, &to->columns[i].type)};
    }
    return pairs;
}

/* Nothing is nothing, in a set and in a map. */
static bool is_empty_of(const struct datum *datum, const struct column_type *type)
{
    return !datum->n && !type->n_min;
}

static struct datum *convert_value(const struct pair *pair, struct datum *value,
                                   struct error *error)
{
    struct datum *converted = NULL;

    if (pair->is_same_type)
        return datum_ref(value);
    if (is_empty_of(value, &pair->to->type))
        return datum_ref(pair->to->default_value);
    json_t *json = datum_to_json(value);
    int result = datum_from_json(&pair->to->type, json, NULL, NULL, &converted, error);
    json_decref(json);
    return result ? NULL : converted;
}

static bool convert_row(struct txn *txn, struct table *table, const struct row *old,
                        const struct pairs *pairs, struct db_error *error)
{
    struct row *row = txn_insert(txn, table, &old->uuid);

    for (size_t i = 0; i < pairs->n; i++) {
        const struct pair *pair = &pairs->list[i];
        struct error cause = ERROR_INIT;
        struct datum *value = convert_value(pair, old->data->columns[pair->from->index], &cause);
        char uuid[UUID_TEXT_BYTES];

        if (!value) {
            uuid_format(&old->uuid, uuid);
            return db_error_set(error, DB_CONSTRAINT,
                                "Table %s column %s row %s cannot keep its value: %s",
                                table->schema->name, pair->to->name, uuid, cause.message);
        }
        if (value == row->data->columns[pair->to->index])
            datum_unref(value);
        else
            txn_set_take(txn, row, pair->to, value);
    }
    return true;
}

static bool convert_table(struct txn *txn, struct table *from, struct table *to,
                          struct db_error *error)
{
    struct pairs pairs = pair_columns(from->schema, to->schema);
    bool is_ok = true;
    struct row *row;

    FOR_EACH_ROW(row, from)
    {
        if (!(is_ok = convert_row(txn, to, row, &pairs, error)))
            break;
    }
    free(pairs.list);
    return is_ok;
}

static bool convert_rows(const struct database *old, struct database *db, struct db_error *error)
{
    struct txn *txn = txn_create(db);
    bool is_ok = true;

    for (size_t i = 0; is_ok && i < db->schema->n_tables; i++) {
        struct table *from = database_table(old, db->schema->tables[i].name);
        is_ok = !from || convert_table(txn, from, &db->tables[i], error);
    }
    if (!is_ok || !txn_prepare(txn, error)) {
        txn_abort(txn);
        return false;
    }
    commit_destroy(txn_finish(txn));
    return true;
}

static struct db_schema *parse_schema(const struct database *old, const json_t *json,
                                      struct db_error *error)
{
    struct error cause = ERROR_INIT;
    struct db_schema *schema = db_schema_parse(json, &cause);

    if (!schema) {
        db_error_set(error, DB_SYNTAX_ERROR, "Parsing database schema failed: %s", cause.message);
        return NULL;
    }
    if (!strcmp(schema->name, old->schema->name))
        return schema;
    db_error_set(error, DB_INVALID_PARAMETERS,
                 "new schema name (%s) does not match database name (%s)", schema->name,
                 old->schema->name);
    db_schema_destroy(schema);
    return NULL;
}

struct database *convert_database(const struct database *old, const json_t *schema_json,
                                  struct db_error *error)
{
    struct db_schema *schema = parse_schema(old, schema_json, error);

    if (!schema)
        return NULL;
    struct database *db = database_create_take(schema);
    if (convert_rows(old, db, error))
        return db;
    database_destroy(db);
    return NULL;
}
