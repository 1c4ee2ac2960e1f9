/* SPDX-License-Identifier: Apache-2.0 */

/* Conversion to another schema: what rows keep, what is refused, and what the file holds. */

#include "ovsdb-lite/convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ovsdb-lite/operation.h"
#include "ovsdb-lite/store.h"

static const char schema_text[] =
    "{'name': 'T', 'version': '1.0.0', 'tables': {"
    " 'A': {'isRoot': true, 'columns': {"
    "  'name': {'type': 'string'}, 'n': {'type': 'integer'},"
    "  'few': {'type': {'key': 'integer', 'min': 0, 'max': 3}},"
    "  'map': {'type': {'key': 'string', 'value': 'string', 'min': 0, 'max': 'unlimited'}},"
    "  'none': {'type': {'key': 'string', 'min': 0, 'max': 'unlimited'}},"
    "  'strong': {'type': {'key': {'type': 'uuid', 'refTable': 'B'}, 'min': 0, 'max': 9}},"
    "  'weak': {'type': {'key': {'type': 'uuid', 'refTable': 'B', 'refType': 'weak'},"
    "           'min': 0, 'max': 9}}}},"
    " 'B': {'columns': {'v': {'type': 'string'}}}}}";

/* Two rows of A; the first refers to the one row of B. */
static const char rows_text[] =
    "['T', {'op': 'insert', 'table': 'B', 'row': {'v': 'x'}, 'uuid-name': 'b'},"
    " {'op': 'insert', 'table': 'A', 'row': {'name': 'one', 'n': 5, 'few': ['set', [1, 2]],"
    "  'map': ['map', [['k', 'v']]], 'strong': ['named-uuid', 'b'], 'weak': ['named-uuid', 'b']}},"
    " {'op': 'insert', 'table': 'A', 'row': {'name': 'two', 'n': 6, 'few': 3}}]";

/* JSON in single quotes. */
static json_t *json_of(const char *text)
{
    char *copy = strdup(text);
    json_error_t error;

    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *json = json_loads(copy, 0, &error);
    if (!json)
        fail_msg("%s: %s", copy, error.text);
    free(copy);
    return json;
}

static void run_take(struct database *db, json_t *params)
{
    struct execution execution = {.db = db, .params = params};

    execution_run(&execution);
    assert_non_null(execution.txn);
    commit_destroy(txn_finish(execution.txn));
    json_decref(execution.results);
    json_decref(params);
}

static struct database *database_with_rows(void)
{
    json_t *json = json_of(schema_text);
    struct database *db = database_create_take(db_schema_parse(json, NULL));

    json_decref(json);
    run_take(db, json_of(rows_text));
    return db;
}

/* The schema with table A's 'column' as 'definition', or without it. */
static json_t *schema_with(const char *column, const char *definition)
{
    json_t *schema = json_of(schema_text);
    json_t *columns = json_object_get(json_object_get(json_object_get(schema, "tables"), "A"),
                                      "columns");

    if (definition)
        json_object_set_new(columns, column, json_of(definition));
    else
        json_object_del(columns, column);
    return schema;
}

static struct row *row_named(const struct database *db, const char *name)
{
    const struct table *table = database_table(db, "A");
    size_t column = table_schema_column(table->schema, "name")->index;
    struct row *row;

    FOR_EACH_ROW(row, table)
    {
        if (!strcmp(row->data->columns[column]->keys[0].string, name))
            return row;
    }
    return NULL;
}

static void assert_value(const struct database *db, const char *name, const char *column,
                         const char *expected)
{
    struct row *row = row_named(db, name);

    assert_non_null(row);
    size_t index = table_schema_column(row->table->schema, column)->index;
    json_t *json = datum_to_json(row->data->columns[index]);
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

struct kept {
    const char *column, *definition, *one, *two;
};

static void values_are_kept_under_a_type_that_has_them(void **state)
{
    static const struct kept cases[] = {
        {"n", "{'type': 'real'}", "5.0", "6.0"},
        {"n", "{'type': {'key': 'integer', 'min': 0}}", "5", "6"},
        {"n", "{'type': {'key': {'type': 'integer', 'minInteger': 5, 'maxInteger': 6}}}", "5", "6"},
        {"n", "{'type': {'key': {'type': 'integer', 'enum': ['set', [5, 6]]}}}", "5", "6"},
        {"n", "{'type': 'integer', 'ephemeral': true}", "5", "6"},
        {"few", "{'type': {'key': 'integer', 'min': 1, 'max': 2}}", "[\"set\",[1,2]]", "3"},
        {"none", "{'type': {'key': 'integer', 'value': 'string', 'min': 0}}", "[\"map\",[]]",
         "[\"map\",[]]"},
        {"added", "{'type': 'integer'}", "0", "0"},
        {"added", "{'type': {'key': 'string', 'value': 'real', 'min': 0}}", "[\"map\",[]]",
         "[\"map\",[]]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct database *old = database_with_rows();
        json_t *schema = schema_with(cases[i].column, cases[i].definition);
        struct db_error error = DB_ERROR_INIT;
        struct database *db = convert_database(old, schema, &error);

        if (!db)
            fail_msg("case %zu: %s", i, error.details);
        assert_value(db, "one", cases[i].column, cases[i].one);
        assert_value(db, "two", cases[i].column, cases[i].two);
        assert_value(db, "one", "map", "[\"map\",[[\"k\",\"v\"]]]");
        assert_memory_equal(&row_named(db, "one")->uuid, &row_named(old, "one")->uuid,
                            sizeof(struct uuid));
        json_decref(schema);
        database_destroy(db);
        database_destroy(old);
    }
}

static void a_value_that_does_not_fit_refuses_the_conversion(void **state)
{
    static const struct {
        const char *column, *definition, *tag;
    } cases[] = {
        {"n", "{'type': 'string'}", "constraint violation"},
        {"n", "{'type': {'key': {'type': 'integer', 'maxInteger': 5}}}", "constraint violation"},
        {"n", "{'type': {'key': {'type': 'integer', 'enum': ['set', [5, 7]]}}}",
         "constraint violation"},
        {"few", "{'type': 'integer'}", "constraint violation"},
        {"few", "{'type': {'key': 'integer', 'value': 'integer', 'min': 0, 'max': 9}}",
         "constraint violation"},
        {"map", "{'type': {'key': 'string', 'min': 0, 'max': 9}}", "constraint violation"},
        {"none", "{'type': 'string'}", "constraint violation"},
        {"strong", "{'type': {'key': {'type': 'uuid', 'refTable': 'A'}, 'min': 0, 'max': 9}}",
         "referential integrity violation"},
        {"added", "{'type': {'key': {'type': 'uuid', 'refTable': 'B'}}}",
         "referential integrity violation"},
        {"n", "{'type': 'nonsense'}", "syntax error"},
        {"n", "{}", "syntax error"},
        {"n", "{'type': {'key': {'type': 'uuid', 'refTable': 'nowhere'}}}", "syntax error"},
    };
    struct database *old = database_with_rows();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *schema = schema_with(cases[i].column, cases[i].definition);
        struct db_error error = DB_ERROR_INIT;

        assert_null(convert_database(old, schema, &error));
        assert_string_equal(error.tag, cases[i].tag);
        json_decref(schema);
    }
    assert_value(old, "one", "n", "5");
    database_destroy(old);
}

static void row_limits_and_indexes_of_the_new_schema_hold(void **state)
{
    struct database *old = database_with_rows();
    json_t *limited = json_of(schema_text), *indexed = json_of(schema_text);
    struct db_error error = DB_ERROR_INIT, second = DB_ERROR_INIT;

    (void)state;
    run_take(old, json_of("['T', {'op': 'update', 'table': 'A', 'where': [], 'row': {'n': 1}}]"));
    json_object_set_new(json_object_get(json_object_get(limited, "tables"), "A"), "maxRows",
                        json_integer(1));
    assert_null(convert_database(old, limited, &error));
    assert_string_equal(error.tag, DB_CONSTRAINT);
    json_object_set_new(json_object_get(json_object_get(indexed, "tables"), "A"), "indexes",
                        json_of("[['n']]"));
    assert_null(convert_database(old, indexed, &second));
    assert_string_equal(second.tag, DB_CONSTRAINT);
    assert_non_null(strstr(second.details, "index on column \"n\""));
    json_decref(limited);
    json_decref(indexed);
    database_destroy(old);
}

static void rows_that_lose_their_last_reference_go(void **state)
{
    struct database *old = database_with_rows();
    json_t *schema = schema_with("strong", NULL);
    struct db_error error = DB_ERROR_INIT;
    struct database *db = convert_database(old, schema, &error);

    (void)state;
    assert_non_null(db);
    assert_int_equal(database_table(db, "B")->n_rows, 0);
    assert_value(db, "one", "weak", "[\"set\",[]]");
    json_decref(schema);
    database_destroy(db);
    database_destroy(old);
}

static void another_name_is_refused(void **state)
{
    struct database *old = database_with_rows();
    json_t *schema = json_of(schema_text);
    struct db_error error = DB_ERROR_INIT;

    (void)state;
    json_object_set_new(schema, "name", json_string("Other"));
    assert_null(convert_database(old, schema, &error));
    assert_string_equal(error.tag, "invalid parameters");
    error = (struct db_error)DB_ERROR_INIT;
    assert_null(convert_database(old, NULL, &error));
    assert_string_equal(error.tag, "syntax error");
    json_decref(schema);
    database_destroy(old);
}

/* --- The file ------------------------------------------------------------------------------ */

static struct store *open_or_fail(const char *path, const json_t *schema)
{
    struct error error = ERROR_INIT;
    struct store *store = store_open(path, schema, &error);

    if (!store)
        fail_msg("%s", error.message);
    return store;
}

static void the_file_keeps_the_schema_it_was_converted_to(void **state)
{
    char directory[] = "/tmp/convert_test.XXXXXX", path[64], command[96];
    json_t *first = json_of(schema_text), *second = schema_with("n", "{'type': 'real'}");
    struct db_error why = DB_ERROR_INIT;
    struct error error = ERROR_INIT;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/db", directory);
    struct store *store = open_or_fail(path, first);
    struct database *filled = database_with_rows();
    struct database *converted = convert_database(filled, second, &why);
    assert_non_null(converted);
    assert_int_equal(store_exchange_database(store, &converted, &error), 0);
    assert_int_equal(database_table(converted, "A")->n_rows, 0); /* The old one. */
    database_destroy(converted);
    database_destroy(filled);
    store_close(store);

    store = open_or_fail(path, first);
    assert_value(store_database(store), "one", "n", "5.0");
    assert_int_equal(store_n_records(store), 2);
    store_close(store);

    /* A newer version of the schema the program was given replaces it; an older one does not. */
    json_object_set_new(first, "version", json_string("0.9.0"));
    store = open_or_fail(path, first);
    assert_string_equal(store_database(store)->schema->version, "1.0.0");
    store_close(store);
    json_object_set_new(second, "version", json_string("1.1.0"));
    store = open_or_fail(path, second);
    assert_string_equal(store_database(store)->schema->version, "1.1.0");
    assert_value(store_database(store), "two", "n", "6.0");
    store_close(store);
    snprintf(command, sizeof command, "%s.backup-1.0.0", path);
    assert_int_equal(access(command, F_OK), 0);

    json_decref(first);
    json_decref(second);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_kept_under_a_type_that_has_them),
        cmocka_unit_test(a_value_that_does_not_fit_refuses_the_conversion),
        cmocka_unit_test(row_limits_and_indexes_of_the_new_schema_hold),
        cmocka_unit_test(rows_that_lose_their_last_reference_go),
        cmocka_unit_test(another_name_is_refused),
        cmocka_unit_test(the_file_keeps_the_schema_it_was_converted_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
