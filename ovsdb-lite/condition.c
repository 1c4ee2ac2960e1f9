/* SPDX-License-Identifier: Apache-2.0 */

/* Clauses on _uuid are the common case and are answered without looking at other rows. */

#include "ovsdb-lite/condition.h"

#include <stdlib.h>
#include <string.h>

#define UUID_COLUMN(NAME, NUMBER)                                     \
    {                                                                 \
        .name = (char *)NAME, .index = SIZE_MAX - (NUMBER), .type = { \
            .key = {.type = ATOM_UUID},                               \
            .n_min = 1,                                               \
            .n_max = 1                                                \
        }                                                             \
    }

const struct column_schema column_uuid = UUID_COLUMN("_uuid", 0);
const struct column_schema column_version = UUID_COLUMN("_version", 1);

const struct column_schema *find_column(const struct table_schema *table, const char *name)
{
    if (*name == '_' && !strcmp(name, column_uuid.name))
        return &column_uuid;
    if (*name == '_' && !strcmp(name, column_version.name))
        return &column_version;
    return table_schema_column(table, name);
}

bool column_is_pseudo(const struct column_schema *column)
{
    return column == &column_uuid || column == &column_version;
}

struct datum *column_value(const struct column_schema *column, const struct uuid *uuid,
                           const struct row_data *data)
{
    if (!column_is_pseudo(column))
        return datum_ref(data->columns[column->index]);

    struct datum *datum = datum_create(ATOM_UUID, ATOM_VOID, 1);
    datum->keys[0].uuid = column == &column_uuid ? *uuid : data->version;
    return datum;
}

static bool parse_function(const char *name, enum clause_function *function)
{
    static const char *const names[] = {"<", "<=", "==", "!=", ">=", ">", "includes", "excludes"};

    for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++) {
        if (!strcmp(names[i], name)) {
            *function = (enum clause_function)i;
            return true;
        }
    }
    return false;
}

static bool is_ordering(enum clause_function function)
{
    return function == CLAUSE_LT || function == CLAUSE_LE || function == CLAUSE_GE ||
           function == CLAUSE_GT;
}

static bool parse_clause(const struct table_schema *table, const json_t *json,
                         named_uuid_resolver *resolve, void *aux, struct clause *clause,
                         struct db_error *error)
{
    const char *column = json_string_value(json_array_get(json, 0));
    const char *function = json_string_value(json_array_get(json, 1));
    struct error cause = ERROR_INIT;

    if (json_is_boolean(json)) {
        clause->function = json_is_true(json) ? CLAUSE_TRUE : CLAUSE_FALSE;
        return true;
    }
    if (json_array_size(json) != 3 || !column || !function)
        return db_error_set(error, DB_SYNTAX_ERROR,
                            "a condition is [<column>, <function>, <value>], or true or false");
    clause->column = find_column(table, column);
    if (!clause->column)
        return db_error_set(error, DB_UNKNOWN_COLUMN, "No column %s in table %s.", column,
                            table->name);
    if (!parse_function(function, &clause->function))
        return db_error_set(error, "unknown function", "No function named %s.", function);

    struct column_type type = clause->column->type; /* Borrows what it points to. */
    bool is_single = column_type_is_scalar(&type) || column_type_is_optional(&type);
    bool is_number = type.key.type == ATOM_INTEGER || type.key.type == ATOM_REAL;
    if (is_ordering(clause->function) && (!is_single || !is_number))
        return db_error_set(error, DB_SYNTAX_ERROR,
                            "Type mismatch: \"%s\" operator may not be applied to column %s.",
                            function, column);
    if (is_ordering(clause->function))
        type.n_min = 1;
    else if (clause->function == CLAUSE_INCLUDES || clause->function == CLAUSE_EXCLUDES)
        type.n_min = 0; /* What is looked for may be nothing. */
    if (clause->function == CLAUSE_EXCLUDES)
        type.n_max = COLUMN_UNLIMITED;
    if (datum_from_json(&type, json_array_get(json, 2), resolve, aux, &clause->value, &cause))
        return db_error_from(error, &cause, column);
    return true;
}

bool condition_parse(const struct table_schema *table, const json_t *json,
                     named_uuid_resolver *resolve, void *aux, struct condition *condition,
                     struct db_error *error)
{
    size_t n = json_array_size(json);

    *condition = (struct condition){.clauses = NULL};
    if (json_is_boolean(json)) {
        n = 1;
    } else if (!json_is_array(json)) {
        return db_error_set(error, DB_SYNTAX_ERROR, "\"where\" must be an array of conditions");
    }
    condition->clauses = calloc(n + 1, sizeof *condition->clauses);
    if (!condition->clauses)
        abort();
    for (size_t i = 0; i < n; i++) {
        const json_t *clause = json_is_array(json) ? json_array_get(json, i) : json;
        condition->n_clauses = i + 1;
        if (!parse_clause(table, clause, resolve, aux, &condition->clauses[i], error)) {
            condition_fini(condition);
            return false;
        }
    }
    return true;
}

void condition_fini(struct condition *condition)
{
    for (size_t i = 0; i < condition->n_clauses; i++)
        datum_unref(condition->clauses[i].value);
    free(condition->clauses);
    *condition = (struct condition){.clauses = NULL};
}

/* How many of b's elements are in a. */
static size_t n_common(const struct datum *a, const struct datum *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        ptrdiff_t found = datum_find(a, &b->keys[i]);
        n += found >= 0 &&
             (!a->values || !atom_compare(a->value_type, &a->values[found], &b->values[i]));
    }
    return n;
}

static bool fits_value(const struct clause *clause, const struct datum *datum)
{
    const struct datum *value = clause->value;

    if (is_ordering(clause->function)) {
        if (datum->n != 1 || value->n != 1)
            return false;
        int order = atom_compare(datum->key_type, &datum->keys[0], &value->keys[0]);
        switch (clause->function) {
        case CLAUSE_LT:
            return order < 0;
        case CLAUSE_LE:
            return order <= 0;
        case CLAUSE_GE:
            return order >= 0;
        default:
            return order > 0;
        }
    }
    switch (clause->function) {
    case CLAUSE_EQ:
        return datum_equal(datum, value);
    case CLAUSE_NE:
        return !datum_equal(datum, value);
    case CLAUSE_INCLUDES:
        return n_common(datum, value) == value->n;
    default:
        return n_common(datum, value) == 0;
    }
}

static bool clause_fits(const struct clause *clause, const struct uuid *uuid,
                        const struct row_data *data)
{
    if (clause->function == CLAUSE_TRUE || clause->function == CLAUSE_FALSE)
        return clause->function == CLAUSE_TRUE;
    if (!column_is_pseudo(clause->column))
        return fits_value(clause, data->columns[clause->column->index]);

    struct datum *datum = column_value(clause->column, uuid, data);
    bool result = fits_value(clause, datum);
    datum_unref(datum);
    return result;
}

bool condition_fits_all(const struct condition *condition, const struct uuid *uuid,
                        const struct row_data *data)
{
    for (size_t i = 0; i < condition->n_clauses; i++)
        if (!clause_fits(&condition->clauses[i], uuid, data))
            return false;
    return true;
}

bool condition_fits_any(const struct condition *condition, const struct uuid *uuid,
                        const struct row_data *data)
{
    for (size_t i = 0; i < condition->n_clauses; i++)
        if (clause_fits(&condition->clauses[i], uuid, data))
            return true;
    return !condition->n_clauses;
}

/* The rows to try: one by its UUID, those with one value in an index, or all. */
static bool find_few(const struct condition *condition, struct table *table, struct row **first,
                     size_t *index)
{
    *index = SIZE_MAX;
    for (size_t i = 0; i < condition->n_clauses; i++) {
        const struct clause *clause = &condition->clauses[i];

        if (clause->function != CLAUSE_EQ)
            continue;
        if (clause->column == &column_uuid) {
            *first = clause->value->n == 1 ? table_row(table, &clause->value->keys[0].uuid) : NULL;
            return true;
        }
        if (table_index_on(table, clause->column, index)) {
            *first = index_first(table, *index, clause->value);
            return true;
        }
    }
    return false;
}

void condition_for_each(const struct condition *condition, struct table *table,
                        bool (*callback)(struct row *row, void *aux), void *aux)
{
    size_t index;
    struct row *row, *next;
    bool is_few = find_few(condition, table, &row, &index);

    for (row = is_few ? row : table->rows; row; row = next) {
        next = !is_few ? row->by_uuid.next : index != SIZE_MAX ? row->index_next[index] : NULL;
        if (!row->is_deleted && condition_fits_all(condition, &row->uuid, row->data) &&
            !callback(row, aux))
            return;
    }
}
