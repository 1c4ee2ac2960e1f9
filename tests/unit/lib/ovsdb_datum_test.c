/* SPDX-License-Identifier: Apache-2.0 */

/* Values, types and differences: what RFC 7047's notation means, and what it refuses. */

#include "lib/ovsdb/diff.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/ovsdb/schema.h"

static struct column_type type_of(const char *text)
{
    struct column_type type;
    struct error error = ERROR_INIT;
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_int_equal(column_type_parse(json, &type, &error), 0);
    json_decref(json);
    return type;
}

static struct datum *value_of(const struct column_type *type, const char *text, int *code)
{
    struct error error = ERROR_INIT;
    struct datum *datum = NULL;
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

    assert_non_null(json);
    *code = datum_from_json(type, json, NULL, NULL, &datum, &error);
    if (*code)
        assert_true(*error.message);
    json_decref(json);
    return datum;
}

static void assert_value(const struct column_type *type, const char *text, const char *printed)
{
    int code;
    struct datum *datum = value_of(type, text, &code);

    assert_int_equal(code, 0);
    json_t *json = datum_to_json(datum);
    char *dump = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(dump, printed);
    free(dump);
    json_decref(json);
    datum_unref(datum);
}

static void assert_refused(const struct column_type *type, const char *text, int code)
{
    int found;

    assert_null(value_of(type, text, &found));
    assert_int_equal(found, code);
}

static void scalars_are_read(void **state)
{
    struct column_type type = type_of("\"integer\"");

    (void)state;
    assert_value(&type, "5", "5");
    assert_value(&type, "5.0", "5");
    assert_value(&type, "[\"set\",[7]]", "7");
    assert_refused(&type, "5.5", -EINVAL);
    assert_refused(&type, "\"5\"", -EINVAL);
    assert_refused(&type, "[\"set\",[]]", -EINVAL);
    assert_refused(&type, "[\"set\",[1,2]]", -EINVAL);
    column_type_fini(&type);
}

static void sets_are_sorted_and_refuse_duplicates(void **state)
{
    struct column_type type = type_of("{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}");

    (void)state;
    assert_value(&type, "[\"set\",[\"b\",\"a\"]]", "[\"set\",[\"a\",\"b\"]]");
    assert_value(&type, "[\"set\",[]]", "[\"set\",[]]");
    assert_value(&type, "\"x\"", "\"x\"");
    assert_refused(&type, "[\"set\",[\"a\",\"a\"]]", -EINVAL);
    assert_refused(&type, "[\"set\"]", -EINVAL);
    assert_refused(&type, "{}", -EINVAL);
    column_type_fini(&type);
}

static void maps_are_read(void **state)
{
    struct column_type type =
        type_of("{\"key\":\"string\",\"value\":\"integer\",\"min\":0,\"max\":\"unlimited\"}");

    (void)state;
    assert_value(&type, "[\"map\",[[\"b\",2],[\"a\",1]]]", "[\"map\",[[\"a\",1],[\"b\",2]]]");
    assert_refused(&type, "[\"map\",[[\"a\",1],[\"a\",2]]]", -EINVAL);
    assert_refused(&type, "[\"map\",[[\"a\"]]]", -EINVAL);
    assert_refused(&type, "[\"set\",[]]", -EINVAL);
    column_type_fini(&type);
}

static void ranges_and_enumerations_bind(void **state)
{
    struct column_type vlan =
        type_of("{\"key\":{\"type\":\"integer\",\"minInteger\":0,\"maxInteger\":4095}}");
    struct column_type mode = type_of(
        "{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[\"trunk\",\"access\"]]},\"min\":0}");
    struct column_type name =
        type_of("{\"key\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}}");

    (void)state;
    assert_value(&vlan, "4095", "4095");
    assert_refused(&vlan, "4096", -ERANGE);
    assert_refused(&vlan, "-1", -ERANGE);
    assert_value(&mode, "\"access\"", "\"access\"");
    assert_refused(&mode, "\"acces\"", -ERANGE);
    assert_value(&name, "\"\\u00e4\\u00f6\\u00fc\"", "\"\303\244\303\266\303\274\"");
    assert_refused(&name, "\"a\"", -ERANGE);
    assert_refused(&name, "\"abcd\"", -ERANGE);
    column_type_fini(&vlan);
    column_type_fini(&mode);
    column_type_fini(&name);
}

static void uuids_are_read_strictly(void **state)
{
    struct column_type type = type_of("\"uuid\"");

    (void)state;
    assert_value(&type, "[\"uuid\",\"ABCDEF00-0000-4000-8000-00000000000f\"]",
                 "[\"uuid\",\"abcdef00-0000-4000-8000-00000000000f\"]");
    assert_refused(&type, "[\"uuid\",\"abcdef00-0000-4000-8000-00000000000\"]", -EINVAL);
    assert_refused(&type, "[\"uuid\",\"abcdef00-0000-4000-8000-00000000000f0\"]", -EINVAL);
    assert_refused(&type, "[\"uuid\",\"abcdef0000000-4000-8000-00000000000f\"]", -EINVAL);
    assert_refused(&type, "[\"named-uuid\",\"x\"]", -EINVAL);
    column_type_fini(&type);
}

static void types_print_as_they_were_read(void **state)
{
    static const char *const texts[] = {
        "\"integer\"",
        "{\"key\":\"string\",\"max\":\"unlimited\",\"min\":0}",
        "{\"key\":{\"maxInteger\":63,\"minInteger\":0,\"type\":\"integer\"},\"min\":0}",
        "{\"key\":{\"refTable\":\"Port\",\"refType\":\"weak\",\"type\":\"uuid\"},\"min\":0}",
        "{\"key\":\"integer\",\"max\":4096,\"min\":0,\"value\":\"string\"}",
        "{\"key\":{\"enum\":[\"set\",[\"a\",\"b\"]],\"type\":\"string\"}}",
        "{\"key\":{\"maxReal\":2.5,\"type\":\"real\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct column_type type = type_of(texts[i]);
        json_t *json = column_type_to_json(&type);
        char *dump = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(dump, texts[i]);
        free(dump);
        json_decref(json);
        column_type_fini(&type);
    }
}

static void bad_types_are_refused(void **state)
{
    static const char *const texts[] = {
        "\"int\"",
        "{}",
        "{\"key\":\"string\",\"min\":2}",
        "{\"key\":\"string\",\"max\":0}",
        "{\"key\":\"string\",\"max\":\"many\"}",
        "{\"key\":{\"type\":\"integer\",\"minInteger\":2,\"maxInteger\":1}}",
        "{\"key\":{\"type\":\"string\",\"enum\":[\"set\",[\"a\",\"a\"]]}}",
        "{\"key\":{\"type\":\"uuid\",\"refTable\":1}}",
        "{\"key\":\"string\",\"value\":{\"type\":\"string\",\"enum\":[\"set\",[1]]}}",
        "{\"key\":{\"type\":\"uuid\",\"refTable\":\"T\",\"refType\":\"odd\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct column_type type;
        struct error error = ERROR_INIT;
        json_t *json = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_int_not_equal(column_type_parse(json, &type, &error), 0);
        json_decref(json);
    }
}

static void difference_applied_gives_the_new_value(void **state)
{
    struct column_type map =
        type_of("{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}");
    int code;
    struct datum *before = value_of(&map, "[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"],[\"c\",\"3\"]]]",
                                    &code);
    struct datum *after = value_of(&map, "[\"map\",[[\"b\",\"2\"],[\"c\",\"x\"],[\"d\",\"4\"]]]",
                                   &code);

    (void)state;
    struct datum *diff = datum_diff(&map, before, after);
    assert_int_equal(diff->n, 3); /* a removed, c changed, d added. */
    assert_string_equal(datum_map_get(diff, "c"), "x");
    struct datum *result = datum_apply_diff(&map, before, diff);
    assert_true(datum_equal(result, after));
    datum_unref(result);
    datum_unref(diff);
    datum_unref(after);
    datum_unref(before);
    column_type_fini(&map);
}

static void union_and_difference_of_sets(void **state)
{
    struct column_type set = type_of("{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}");
    int code;
    struct datum *a = value_of(&set, "[\"set\",[1,2,3]]", &code);
    struct datum *b = value_of(&set, "[\"set\",[3,4]]", &code);

    (void)state;
    struct datum *both = datum_union(a, b), *only_a = datum_difference(a, b);
    assert_int_equal(both->n, 4);
    assert_int_equal(only_a->n, 2);
    assert_int_equal(only_a->keys[1].integer, 2);
    datum_unref(only_a);
    datum_unref(both);
    datum_unref(b);
    datum_unref(a);
    column_type_fini(&set);
}

static void schema_names_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{}", "a schema needs"},
        {"{\"name\":\"D\",\"tables\":{\"_T\":{\"columns\":{}}}}", "\"_T\""},
        {"{\"name\":\"D\",\"tables\":{\"T\":{}}}", "table T: \"columns\""},
        {"{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":{\"c\":{\"type\":\"x\"}}}}}",
         "table T: column c: \"x\""},
        {"{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":{},\"indexes\":[[\"c\"]]}}}",
         "names no column \"c\""},
        {"{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":{\"c\":{\"type\":{\"key\":{\"type\":"
         "\"uuid\",\"refTable\":\"U\"}}}}}}}",
         "refers to no table \"U\""},
        {"{\"name\":\"D\",\"tables\":{\"T\":{\"columns\":{},\"maxRows\":0}}}", "maxRows"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = ERROR_INIT;
        json_t *json = json_loads(cases[i].text, 0, NULL);
        assert_null(db_schema_parse(json, &error));
        if (!strstr(error.message, cases[i].message))
            fail_msg("\"%s\" does not say \"%s\"", error.message, cases[i].message);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_read),
        cmocka_unit_test(sets_are_sorted_and_refuse_duplicates),
        cmocka_unit_test(maps_are_read),
        cmocka_unit_test(ranges_and_enumerations_bind),
        cmocka_unit_test(uuids_are_read_strictly),
        cmocka_unit_test(types_print_as_they_were_read),
        cmocka_unit_test(bad_types_are_refused),
        cmocka_unit_test(difference_applied_gives_the_new_value),
        cmocka_unit_test(union_and_difference_of_sets),
        cmocka_unit_test(schema_names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
