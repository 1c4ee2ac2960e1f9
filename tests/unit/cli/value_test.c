/* SPDX-License-Identifier: Apache-2.0 */

/* Values as people write them, and as they are printed. */

#include "cli/value.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct column_type STRING = {
    .key = {.type = ATOM_STRING, .range.string.max_length = UINT32_MAX},
    .value = {.type = ATOM_VOID},
    .n_min = 1,
    .n_max = 1};
static const struct column_type OPTIONAL_TAG = {
    .key = {.type = ATOM_INTEGER, .range.integer = {0, 4095}},
    .value = {.type = ATOM_VOID},
    .n_max = 1};
static const struct column_type TRUNKS = {.key = {.type = ATOM_INTEGER, .range.integer = {0, 4095}},
                                          .value = {.type = ATOM_VOID},
                                          .n_max = 4096};
static const struct column_type NUMBERS = {
    .key = {.type = ATOM_INTEGER, .range.integer = {INT64_MIN, INT64_MAX}},
    .value = {.type = ATOM_VOID},
    .n_max = COLUMN_UNLIMITED};
static const struct column_type BOOLEAN = {
    .key = {.type = ATOM_BOOLEAN}, .value = {.type = ATOM_VOID}, .n_min = 1, .n_max = 1};
static const struct column_type REAL = {.key = {.type = ATOM_REAL, .range.real = {-1e300, 1e300}},
                                        .value = {.type = ATOM_VOID},
                                        .n_min = 1,
                                        .n_max = 1};
static const struct column_type REFERENCES = {
    .key = {.type = ATOM_UUID}, .value = {.type = ATOM_VOID}, .n_max = COLUMN_UNLIMITED};
static const struct column_type STRING_MAP = {
    .key = {.type = ATOM_STRING, .range.string.max_length = UINT32_MAX},
    .value = {.type = ATOM_STRING, .range.string.max_length = UINT32_MAX},
    .n_max = COLUMN_UNLIMITED};

/* Parses and prints again; the sentence of the error if it is refused. */
static const char *reads_as(const struct column_type *type, const char *text)
{
    static struct error error;
    static char printed[1024];
    struct buffer out = BUFFER_INIT;
    struct datum *datum;

    memset(&error, 0, sizeof error);
    if (value_parse(type, text, NULL, &datum, &error) < 0) {
        assert_null(datum);
        assert_true(error.code < 0 && *error.message);
        return error.message;
    }
    value_format(type, datum, DATA_STRING, &out);
    snprintf(printed, sizeof printed, "%s", buffer_text(&out));
    buffer_fini(&out);
    datum_unref(datum);
    return printed;
}

static void strings_need_quotes_only_where_something_follows(void **state)
{
    (void)state;
    assert_string_equal(reads_as(&STRING, "tap0"), "tap0");
    assert_string_equal(reads_as(&STRING, "two words"), "\"two words\"");
    assert_string_equal(reads_as(&STRING, "00:11:22:33:44:55"), "\"00:11:22:33:44:55\"");
    assert_string_equal(reads_as(&STRING, "tcp:[::1]:6653"), "\"tcp:[::1]:6653\"");
    assert_string_equal(reads_as(&STRING, "\"a\\nb\""), "\"a\\nb\"");
    assert_string_equal(reads_as(&STRING, "\"\""), "\"\"");
    assert_string_equal(reads_as(&STRING, "\"true\""), "\"true\"");
}

static void sets_are_read_with_and_without_brackets(void **state)
{
    (void)state;
    assert_string_equal(reads_as(&TRUNKS, "3,1,2"), "[1, 2, 3]");
    assert_string_equal(reads_as(&TRUNKS, "[3, 1 2]"), "[1, 2, 3]");
    assert_string_equal(reads_as(&TRUNKS, "[]"), "[]");
    assert_string_equal(reads_as(&TRUNKS, "5"), "[5]");
    assert_string_equal(reads_as(&OPTIONAL_TAG, "[]"), "[]");
    assert_string_equal(reads_as(&OPTIONAL_TAG, "7"), "7");
    assert_string_equal(reads_as(&OPTIONAL_TAG, "[7]"), "7");
}

static void maps_are_read_with_and_without_braces(void **state)
{
    (void)state;
    assert_string_equal(reads_as(&STRING_MAP, "b=2,a=x"), "{a=x, b=\"2\"}");
    assert_string_equal(reads_as(&STRING_MAP, "{b=\"x y\", \"c d\"=e}"), "{b=\"x y\", \"c d\"=e}");
    assert_string_equal(reads_as(&STRING_MAP, "{}"), "{}");
    assert_string_equal(reads_as(&STRING_MAP, "a=\"\""), "{a=\"\"}");
}

static void numbers_and_booleans_are_read_whole(void **state)
{
    (void)state;
    assert_string_equal(reads_as(&BOOLEAN, "yes"), "true");
    assert_string_equal(reads_as(&BOOLEAN, "Off"), "false");
    assert_string_equal(reads_as(&REAL, "0.1"), "0.1");
    assert_string_equal(reads_as(&REAL, "1e3"), "1000");
    assert_string_equal(reads_as(&BOOLEAN, "perhaps"), "perhaps is neither true nor false");
    assert_string_equal(reads_as(&REAL, "inf"), "inf is not a number");
    assert_string_equal(reads_as(&REAL, "nan"), "nan is not a number");
    assert_string_equal(reads_as(&OPTIONAL_TAG, "7x"), "7x is not an integer");
    assert_string_equal(reads_as(&OPTIONAL_TAG, "99999999999999999999"),
                        "99999999999999999999 is out of the range of integers");
}

static void ranges_end_where_numbers_do(void **state)
{
    (void)state;
    assert_string_equal(reads_as(&NUMBERS, "9223372036854775806-9223372036854775807"),
                        "[9223372036854775806, 9223372036854775807]");
    assert_string_equal(reads_as(&NUMBERS, "-9223372036854775808-9223372036854775807"),
                        "-9223372036854775808-9223372036854775807: a range has at most 4096 "
                        "numbers");
    assert_non_null(
        strstr(reads_as(&NUMBERS, "9223372036854775806-9223372036854775808"), "is not an integer"));
}

static void what_the_type_forbids_is_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(reads_as(&OPTIONAL_TAG, "4096"), "valid range 0 to 4095"));
    assert_non_null(strstr(reads_as(&OPTIONAL_TAG, "[1,2]"), "1"));
    assert_non_null(strstr(reads_as(&TRUNKS, "1,1"), "twice"));
    assert_non_null(strstr(reads_as(&STRING_MAP, "a=1,a=2"), "twice"));
    assert_non_null(strstr(reads_as(&STRING_MAP, "a"), "expected key=value"));
    assert_non_null(strstr(reads_as(&STRING_MAP, "a="), "has no value"));
    assert_non_null(strstr(reads_as(&TRUNKS, "[1,2"), "']' is missing"));
    assert_non_null(strstr(reads_as(&TRUNKS, "1]"), "unexpected ']'"));
    assert_non_null(strstr(reads_as(&TRUNKS, "[1]x"), "more text behind the end"));
    assert_non_null(strstr(reads_as(&STRING, ""), "1"));
    assert_non_null(strstr(reads_as(&STRING, "\"open"), "not a well-formed quoted string"));
    assert_non_null(strstr(reads_as(&STRING, "\xff\xfe"), "not a UTF-8 string"));
    assert_non_null(strstr(reads_as(&REFERENCES, "@new"), "is not a UUID"));
}

static void printing_comes_in_three_forms(void **state)
{
    static const enum table_data forms[] = {DATA_STRING, DATA_BARE, DATA_JSON};
    static const char *const expected[] = {"{a=\"x y\", b=c}", "a=x y b=c",
                                           "[\"map\",[[\"a\",\"x y\"],[\"b\",\"c\"]]]"};
    struct error error;
    struct datum *datum;

    (void)state;
    assert_int_equal(value_parse(&STRING_MAP, "b=c a=\"x y\"", NULL, &datum, &error), 0);
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct buffer out = BUFFER_INIT;
        value_format(&STRING_MAP, datum, forms[i], &out);
        assert_string_equal(buffer_text(&out), expected[i]);
        buffer_fini(&out);
    }
    datum_unref(datum);
}

static void json_is_plain(void **state)
{
    static const struct {
        const struct column_type *type;
        const char *text, *json;
    } cases[] = {
        {&OPTIONAL_TAG, "[]", "null"},
        {&OPTIONAL_TAG, "5", "5"},
        {&TRUNKS, "1,2", "[1,2]"},
        {&STRING_MAP, "a=b", "{\"a\":\"b\"}"},
        {&REFERENCES, "01234567-89ab-cdef-0123-456789abcdef",
         "[\"01234567-89ab-cdef-0123-456789abcdef\"]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error error = ERROR_INIT;
        struct datum *datum;
        assert_int_equal(value_parse(cases[i].type, cases[i].text, NULL, &datum, &error), 0);
        json_t *json = value_to_json(cases[i].type, datum);
        char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
        assert_string_equal(text, cases[i].json);
        free(text);
        json_decref(json);
        datum_unref(datum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_need_quotes_only_where_something_follows),
        cmocka_unit_test(sets_are_read_with_and_without_brackets),
        cmocka_unit_test(maps_are_read_with_and_without_braces),
        cmocka_unit_test(numbers_and_booleans_are_read_whole),
        cmocka_unit_test(ranges_end_where_numbers_do),
        cmocka_unit_test(what_the_type_forbids_is_refused),
        cmocka_unit_test(printing_comes_in_three_forms),
        cmocka_unit_test(json_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
