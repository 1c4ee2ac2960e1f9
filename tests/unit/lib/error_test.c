/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "lib/annotations.h"
#include "lib/error.h"

static void assert_is_json(const char *text)
{
    json_t *json = json_string(text);

    assert_non_null(json);
    json_decref(json);
}

static void sentence_that_is_cut_short_ends_with_a_whole_character(void **state UNUSED)
{
    char long_name[3 * ERROR_MESSAGE_BYTES];

    for (size_t offset = 0; offset < 4; offset++) {
        struct error error = ERROR_INIT;

        for (size_t i = 0; i + 3 < sizeof long_name; i += 3)
            memcpy(long_name + i, "\xe2\x82\xac", 4);
        assert_int_equal(error_set(&error, -EINVAL, "%.*stype %s", (int)offset, "abcd", long_name),
                         -EINVAL);
        assert_is_json(error.message);
        error_prefix(&error, "%s", "x");
        assert_is_json(error.message);
        error_set_errno(&error, -ENOENT, "%.*s%s", (int)offset, "abcd", long_name);
        assert_is_json(error.message);
    }
}

static void sentence_that_fits_is_left_alone(void **state UNUSED)
{
    struct error error = ERROR_INIT;

    error_set(&error, -EINVAL, "caf\xc3\xa9");
    assert_string_equal(error.message, "caf\xc3\xa9");
}

static void what_is_no_text_leaves_most_of_a_sentence(void **state UNUSED)
{
    struct error error = ERROR_INIT;
    char no_text[2 * ERROR_MESSAGE_BYTES];

    memset(no_text, 0x88, sizeof no_text);
    error_set(&error, -EINVAL, "%.*s", (int)sizeof no_text, no_text);
    assert_true(strlen(error.message) >= ERROR_MESSAGE_BYTES - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentence_that_is_cut_short_ends_with_a_whole_character),
        cmocka_unit_test(sentence_that_fits_is_left_alone),
        cmocka_unit_test(what_is_no_text_leaves_most_of_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
