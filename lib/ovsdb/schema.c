/* SPDX-License-Identifier: Apache-2.0 */

/* Tables and columns are kept in arrays sorted by name, so that everything printed from them is in
 * one order, with hash tables beside them for lookup. */

#include "lib/ovsdb/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_identifier(const char *name)
{
    return *name &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                        "0123456789") == strlen(name) &&
           !(*name >= '0' && *name <= '9');
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The members' names in order; the array is the caller's, the names are the object's. */
static const char **sorted_names(const json_t *object)
{
    const char **names = calloc(json_object_size(object) + 1, sizeof *names);
    size_t n = 0;

    if (!names)
        abort();
    for (void *i = json_object_iter((json_t *)object); i;
         i = json_object_iter_next((json_t *)object, i))
        names[n++] = json_object_iter_key(i);
    qsort(names, n, sizeof *names, compare_names);
    return names;
}

static int parse_column(const json_t *json, struct column_schema *column, struct error *error)
{
    int result = column_type_parse(json_object_get(json, "type"), &column->type, error);

    if (result)
        return error_prefix(error, "column %s", column->name);
    column->is_mutable = !json_is_false(json_object_get(json, "mutable"));
    column->is_ephemeral = json_is_true(json_object_get(json, "ephemeral"));
    column->default_value = column_type_default(&column->type);
    return 0;
}

static int parse_columns(const json_t *json, struct table_schema *table, struct error *error)
{
    const json_t *columns = json_object_get(json, "columns");
    int result = 0;

    if (!json_is_object(columns))
        return error_set(error, -EINVAL, "\"columns\" is not an object");
    const char **names = sorted_names(columns);
    table->n_columns = json_object_size(columns);
    table->columns = calloc(table->n_columns + 1, sizeof *table->columns);
    if (!table->columns)
        abort();
    for (size_t i = 0; i < table->n_columns; i++) {
        struct column_schema *column = &table->columns[i];
        column->name = strdup(names[i]);
        column->index = i;
        HASH_ADD_KEYPTR(by_name, table->columns_by_name, column->name, strlen(column->name),
                        column);
        if (result)
            continue; /* Every column has a name before the schema is released. */
        if (!is_identifier(names[i]) || names[i][0] == '_')
            result = error_set(error, -EINVAL, "\"%s\" is not a name for a column", names[i]);
        else
            result = parse_column(json_object_get(columns, names[i]), column, error);
    }
    free(names);
    return result;
}

static int parse_index(const json_t *json, const struct table_schema *table,
                       struct column_schema **index, struct error *error)
{
    size_t n = json_array_size(json);

    if (!n)
        return error_set(error, -EINVAL, "an index is not a list of columns");
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(json, i));
        index[i] = name ? table_schema_column(table, name) : NULL;
        if (!index[i])
            return error_set(error, -EINVAL, "an index names no column \"%s\"", name ? name : "?");
        if (index[i]->is_ephemeral)
            return error_set(error, -EINVAL, "an index uses ephemeral column %s", name);
    }
    return 0;
}

static int parse_indexes(const json_t *json, struct table_schema *table, struct error *error)
{
    const json_t *indexes = json_object_get(json, "indexes");
    int result = 0;

    if (!indexes)
        return 0;
    table->n_indexes = json_array_size(indexes);
    table->indexes = calloc(table->n_indexes + 1, sizeof *table->indexes);
    if (!table->indexes)
        abort();
    for (size_t i = 0; !result && i < table->n_indexes; i++) {
        const json_t *index = json_array_get(indexes, i);
        table->indexes[i] = calloc(json_array_size(index) + 1, sizeof **table->indexes);
        if (!table->indexes[i])
            abort();
        result = parse_index(index, table, table->indexes[i], error);
    }
    return result;
}

static int parse_table(const json_t *json, struct table_schema *table, struct error *error)
{
    const json_t *max_rows = json_object_get(json, "maxRows");
    json_int_t n = max_rows ? json_integer_value(max_rows) : UINT32_MAX;
    int result = 0;

    table->is_root = json_is_true(json_object_get(json, "isRoot"));
    table->max_rows = (uint32_t)n;
    if (n < 1 || n > UINT32_MAX)
        result = error_set(error, -EINVAL, "\"maxRows\" is not a positive integer");
    if (!result)
        result = parse_columns(json, table, error);
    if (!result)
        result = parse_indexes(json, table, error);
    return result ? error_prefix(error, "table %s", table->name) : 0;
}

static int check_references(const struct db_schema *schema, struct error *error)
{
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct table_schema *table = &schema->tables[i];
        for (size_t j = 0; j < table->n_columns; j++) {
            const struct column_schema *column = &table->columns[j];
            const struct base_type *bases[] = {&column->type.key, &column->type.value};
            for (size_t k = 0; k < 2; k++) {
                const char *name = bases[k]->ref_table;
                if (name && !db_schema_table(schema, name))
                    return error_set(error, -EINVAL, "table %s column %s refers to no table \"%s\"",
                                     table->name, column->name, name);
            }
        }
    }
    return 0;
}

static int parse_tables(const json_t *tables, struct db_schema *schema, struct error *error)
{
    const char **names = sorted_names(tables);
    bool any_root = false;
    int result = 0;

    schema->n_tables = json_object_size(tables);
    schema->tables = calloc(schema->n_tables + 1, sizeof *schema->tables);
    if (!schema->tables)
        abort();
    for (size_t i = 0; i < schema->n_tables; i++) {
        struct table_schema *table = &schema->tables[i];
        table->name = strdup(names[i]);
        table->index = i;
        HASH_ADD_KEYPTR(by_name, schema->tables_by_name, table->name, strlen(table->name), table);
        if (result)
            continue;
        if (!is_identifier(names[i]) || names[i][0] == '_')
            result = error_set(error, -EINVAL, "\"%s\" is not a name for a table", names[i]);
        else
            result = parse_table(json_object_get(tables, names[i]), table, error);
        any_root |= table->is_root;
    }
    free(names);
    /* RFC 7047, 3.2: a schema that marks no table keeps the rows of all. */
    for (size_t i = 0; !any_root && i < schema->n_tables; i++)
        schema->tables[i].is_root = true;
    return result ? result : check_references(schema, error);
}

struct db_schema *db_schema_parse(const json_t *json, struct error *error)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *version = json_string_value(json_object_get(json, "version"));
    const char *checksum = json_string_value(json_object_get(json, "cksum"));
    const json_t *tables = json_object_get(json, "tables");

    if (!name || !is_identifier(name) || !json_is_object(tables)) {
        error_set(error, -EINVAL, "a schema needs \"name\" and \"tables\"");
        return NULL;
    }
    struct db_schema *schema = calloc(1, sizeof *schema);
    if (!schema)
        abort();
    schema->name = strdup(name);
    schema->version = strdup(version ? version : "");
    schema->checksum = checksum ? strdup(checksum) : NULL;
    if (parse_tables(tables, schema, error)) {
        db_schema_destroy(schema);
        return NULL;
    }
    return schema;
}

static json_t *column_to_json(const struct column_schema *column)
{
    json_t *json = json_object();

    json_object_set_new(json, "type", column_type_to_json(&column->type));
    if (!column->is_mutable)
        json_object_set_new(json, "mutable", json_false());
    if (column->is_ephemeral)
        json_object_set_new(json, "ephemeral", json_true());
    return json;
}

static json_t *indexes_to_json(const struct table_schema *table)
{
    json_t *indexes = json_array();

    for (size_t i = 0; i < table->n_indexes; i++) {
        json_t *index = json_array();
        for (struct column_schema **column = table->indexes[i]; *column; column++)
            json_array_append_new(index, json_string((*column)->name));
        json_array_append_new(indexes, index);
    }
    return indexes;
}

static json_t *table_to_json(const struct table_schema *table)
{
    json_t *json = json_object(), *columns = json_object();

    for (size_t i = 0; i < table->n_columns; i++)
        json_object_set_new(columns, table->columns[i].name, column_to_json(&table->columns[i]));
    json_object_set_new(json, "columns", columns);
    if (table->max_rows != UINT32_MAX)
        json_object_set_new(json, "maxRows", json_integer(table->max_rows));
    if (table->is_root)
        json_object_set_new(json, "isRoot", json_true());
    if (table->n_indexes)
        json_object_set_new(json, "indexes", indexes_to_json(table));
    return json;
}

json_t *db_schema_to_json(const struct db_schema *schema)
{
    json_t *json = json_object(), *tables = json_object();

    for (size_t i = 0; i < schema->n_tables; i++)
        json_object_set_new(tables, schema->tables[i].name, table_to_json(&schema->tables[i]));
    json_object_set_new(json, "name", json_string(schema->name));
    if (*schema->version)
        json_object_set_new(json, "version", json_string(schema->version));
    if (schema->checksum)
        json_object_set_new(json, "cksum", json_string(schema->checksum));
    json_object_set_new(json, "tables", tables);
    return json;
}

static void table_fini(struct table_schema *table)
{
    HASH_CLEAR(by_name, table->columns_by_name);
    for (size_t i = 0; table->columns && i < table->n_columns; i++) {
        struct column_schema *column = &table->columns[i];
        column_type_fini(&column->type);
        datum_unref(column->default_value);
        free(column->name);
    }
    for (size_t i = 0; table->indexes && i < table->n_indexes; i++)
        free(table->indexes[i]);
    free(table->indexes);
    free(table->columns);
    free(table->name);
}

void db_schema_destroy(struct db_schema *schema)
{
    if (!schema)
        return;
    HASH_CLEAR(by_name, schema->tables_by_name);
    for (size_t i = 0; schema->tables && i < schema->n_tables; i++)
        table_fini(&schema->tables[i]);
    free(schema->tables);
    free(schema->name);
    free(schema->version);
    free(schema->checksum);
    free(schema);
}

struct table_schema *db_schema_table(const struct db_schema *schema, const char *name)
{
    struct table_schema *table;

    HASH_FIND(by_name, schema->tables_by_name, name, strlen(name), table);
    return table;
}

struct column_schema *table_schema_column(const struct table_schema *table, const char *name)
{
    struct column_schema *column;

    HASH_FIND(by_name, table->columns_by_name, name, strlen(name), column);
    return column;
}
