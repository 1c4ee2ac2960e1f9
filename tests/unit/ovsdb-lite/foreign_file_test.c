/* SPDX-License-Identifier: Apache-2.0 */

/* Database files of Open vSwitch: what their records say, and what is not believed. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"
#include "ovsdb-lite/export.h"
#include "ovsdb-lite/ovs_log.h"
#include "ovsdb-lite/saved.h"
#include "ovsdb-lite/store.h"

static const char schema[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{"
    "\"R\":{\"isRoot\":true,\"maxRows\":2,\"indexes\":[[\"n\"]],\"columns\":{"
    "\"n\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":1,\"maxInteger\":9}}},"
    "\"s\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":3}},"
    "\"m\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"o\":{\"type\":{\"key\":\"string\",\"min\":0}},"
    "\"c\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"C\"},\"min\":0,\"max\":9}}}},"
    "\"C\":{\"columns\":{\"x\":{\"type\":\"real\"}}}}}";

#define A "\"00000000-0000-4000-8000-00000000000a\""
#define B "\"00000000-0000-4000-8000-00000000000b\""
#define C "\"00000000-0000-4000-8000-00000000000c\""

struct fixture {
    char directory[64], path[96];
    struct buffer file;
    struct saved saved;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    strcpy(fixture->directory, "/tmp/foreign_file.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof fixture->path, "%s/db", fixture->directory);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[96];

    saved_fini(&fixture->saved);
    buffer_fini(&fixture->file);
    snprintf(command, sizeof command, "rm -rf %s", fixture->directory);
    free(fixture);
    return system(command);
}

/* A file of the schema and these transactions; the last argument is NULL. */
static void compose(struct fixture *fixture, ...)
{
    va_list args;
    const char *text;

    buffer_clear(&fixture->file);
    ovs_log_put(&fixture->file, schema, strlen(schema));
    va_start(args, fixture);
    while ((text = va_arg(args, const char *)) != NULL)
        ovs_log_put(&fixture->file, text, strlen(text));
    va_end(args);
}

static void read_file(struct fixture *fixture)
{
    struct error error = ERROR_INIT;
    int fd = open(fixture->path, O_WRONLY | O_CREAT | O_TRUNC, 0640);

    assert_int_equal(write(fd, fixture->file.data, fixture->file.size), fixture->file.size);
    close(fd);
    saved_fini(&fixture->saved);
    assert_int_equal(saved_open(&fixture->saved, fixture->path, &error), 0);
    assert_int_equal(fixture->saved.format, SAVED_OVS);
    saved_read(&fixture->saved);
}

/* The row of table R with this UUID has 'value' in 'column'. */
static void assert_value(const struct database *db, const char *uuid_text, const char *column,
                         const char *value)
{
    struct table *table = database_table(db, "R");
    struct uuid uuid;
    char text[UUID_TEXT_BYTES];

    snprintf(text, sizeof text, "%.36s", uuid_text + 1);
    assert_true(uuid_parse(text, &uuid));
    struct row *row = table_row(table, &uuid);
    assert_non_null(row);
    json_t *json =
        datum_to_json(row->data->columns[table_schema_column(table->schema, column)->index]);
    char *found = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(found, value);
    free(found);
    json_decref(json);
}

static void differences_and_whole_values_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;

    compose(fixture,
            "{\"_date\":5,\"_is_diff\":true,\"R\":{" A
            ":{\"n\":4,\"s\":[\"set\",[1,2]],\"o\":\"x\","
            "\"m\":[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]]}," B ":{\"n\":5,\"s\":7}}}",
            "{\"_is_diff\":true,\"R\":{" A ":{\"s\":[\"set\",[2,3]],\"o\":[\"set\",[]],\"n\":6,"
            "\"m\":[\"map\",[[\"a\",\"1\"],[\"b\",\"3\"],[\"c\",\"4\"]]]}}}",
            "{\"R\":{" B ":{\"s\":[\"set\",[8,9]]}},\"_date\":77,\"_comment\":\"last\"}", NULL);
    read_file(fixture);
    assert_int_equal(fixture->saved.verdict, JOURNAL_WHOLE);
    assert_int_equal(saved_check(&fixture->saved, &error), 0);
    assert_value(fixture->saved.db, A, "s", "[\"set\",[1,3]]");
    assert_value(fixture->saved.db, A, "m", "[\"map\",[[\"b\",\"3\"],[\"c\",\"4\"]]]");
    assert_value(fixture->saved.db, A, "o", "[\"set\",[]]");
    assert_value(fixture->saved.db, A, "n", "6");
    assert_value(fixture->saved.db, B, "s", "[\"set\",[8,9]]");
    assert_int_equal(fixture->saved.n_transactions, 3);
    assert_int_equal(fixture->saved.last_ms, 77);
    assert_string_equal(fixture->saved.last_comment, "last");
}

static void unset_value_may_be_outside_of_its_range(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;

    compose(fixture, "{\"R\":{" A ":{}}}", NULL);
    read_file(fixture);
    assert_int_equal(saved_check(&fixture->saved, &error), 0);
    assert_value(fixture->saved.db, A, "n", "0");
}

/* Whole records that say what cannot be: refused while they are read, or when all are there. */
static void records_that_make_no_sense_are_refused(void **state)
{
    static const char *const records[] = {
        "[]",
        "{\"X\":{}}",
        "{\"_foo\":1}",
        "{\"R\":[]}",
        "{\"R\":{\"a\":{}}}",
        "{\"R\":{" A ":7}}",
        "{\"R\":{" A ":null}}",
        "{\"R\":{" A ":{\"zz\":1}}}",
        "{\"R\":{" A ":{\"n\":\"1\"}}}",
        "{\"R\":{" A ":{\"n\":10}}}",
        "{\"R\":{" A ":{\"n\":1e300}}}",
        "{\"R\":{" A ":{\"n\":99999999999999999999}}}",
        "{\"R\":{" A ":{\"o\":\"\xff\"}}}",
        "{\"R\":{" A ":{\"o\":\"\\ud800\"}}}",
        "{\"R\":{" A ":{\"s\":[\"set\",[1,2,3,4]]}}}",
        "{\"R\":{" A ":{\"s\":[\"set\",[1,1]]}}}",
        "{\"R\":{" A ":{\"n\":1}," A ":{\"n\":2}}}",
        "{\"R\":{" A ":{\"n\":1}," B ":{\"n\":1}}}",
        "{\"R\":{" A ":{\"n\":1}," B ":{\"n\":2}," C ":{\"n\":3}}}",
        "{\"R\":{" A ":{\"c\":[\"uuid\"," C "]}}}",
        "{\"R\":{" A ":{\"c\":[\"named-uuid\",\"x\"]}}}",
        "{\"R\":{" A ":{}}} {}",
        "",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct error error = ERROR_INIT;

        compose(fixture, records[i], NULL);
        read_file(fixture);
        if (fixture->saved.verdict == JOURNAL_DAMAGED)
            assert_non_null(strstr(fixture->saved.why.message, "record 1 at offset"));
        else if (!saved_check(&fixture->saved, &error))
            fail_msg("accepted: %s", records[i]);
        assert_null(store_open(fixture->path, NULL, &error));
        assert_non_null(strstr(error.message, fixture->path));
    }
}

static void differences_beyond_the_limits_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;

    compose(fixture, "{\"R\":{" A ":{\"n\":1,\"s\":[\"set\",[1,2]]}}}",
            "{\"_is_diff\":true,\"R\":{" A ":{\"s\":[\"set\",[3,4]]}}}", NULL);
    read_file(fixture);
    assert_int_equal(fixture->saved.verdict, JOURNAL_WHOLE);
    assert_int_not_equal(saved_check(&fixture->saved, &error), 0);
}

static void end_that_was_not_finished_is_told_from_damage(void **state)
{
    struct fixture *fixture = *state;
    const char *first = "{\"R\":{" A ":{\"n\":1}}}", *second = "{\"R\":{" A ":{\"n\":2}}}";
    struct buffer *file = &fixture->file;

    compose(fixture, first, second, NULL);
    size_t n_bytes = file->size, n_first = n_bytes - strlen(second) - strlen("OVSDB JSON nn ") - 41;
    for (size_t n = n_first + 1; n < n_bytes; n++) {
        file->size = n;
        read_file(fixture);
        assert_int_equal(fixture->saved.verdict, JOURNAL_TORN);
        assert_value(fixture->saved.db, A, "n", "1");
    }
    file->size = n_bytes;
    for (size_t i = n_first - strlen(first); i < n_bytes; i++) {
        if (i >= n_first && i < n_bytes - strlen(second))
            continue; /* Heads have no checksum: without theirs, records are an unfinished end. */
        file->data[i] ^= 1;
        read_file(fixture);
        assert_int_equal(fixture->saved.verdict, JOURNAL_DAMAGED);
        file->data[i] ^= 1;
    }
}

static void file_taken_over_and_exported_has_the_same_rows(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    char exported[112], kept[112];

    compose(fixture,
            "{\"R\":{" A ":{\"n\":1,\"o\":\"gr\xc3\xb6\xc3\x9f\x65r\",\"c\":[\"uuid\"," C "]}},"
            "\"C\":{" C ":{\"x\":0.1}}}",
            NULL);
    read_file(fixture);
    struct store *store = store_open(fixture->path, NULL, &error);
    assert_non_null(store);
    snprintf(kept, sizeof kept, "%s.ovs", fixture->path);
    assert_int_equal(access(kept, F_OK), 0);
    assert_false(saved_is_foreign(fixture->path));
    snprintf(exported, sizeof exported, "%s.exported", fixture->path);
    assert_int_equal(export_to_file(fixture->path, exported, &error), 0);
    store_close(store);
    assert_true(saved_is_foreign(exported));
    saved_fini(&fixture->saved);
    assert_int_equal(saved_open(&fixture->saved, exported, &error), 0);
    saved_read(&fixture->saved);
    assert_int_equal(saved_check(&fixture->saved, &error), 0);
    assert_value(fixture->saved.db, A, "o", "\"gr\xc3\xb6\xc3\x9f\x65r\"");
    assert_int_equal(database_table(fixture->saved.db, "C")->n_rows, 1);
    /* Once more: what is there is not overwritten. */
    assert_int_equal(export_to_file(fixture->path, exported, &error), -EEXIST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        TEST(differences_and_whole_values_are_told_apart),
        TEST(unset_value_may_be_outside_of_its_range),
        TEST(records_that_make_no_sense_are_refused),
        TEST(differences_beyond_the_limits_are_refused),
        TEST(end_that_was_not_finished_is_told_from_damage),
        TEST(file_taken_over_and_exported_has_the_same_rows),
    };
    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
