/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log_pattern.h"

LOG_MODULE(log_test);

static const struct log_record record = {
    .program = "ovs-vswitchd",
    .module = "bridge",
    .level = "WARN",
    .message = "port p1: carrier lost",
    .message_bytes = 21,
    .number = 42,
    .priority = 28,
    .now = {.tv_sec = 1700000000, .tv_nsec = 123456789},
    .uptime_ms = 1500,
};

static void expands(const char *pattern, const char *expected)
{
    char line[256];

    assert_int_equal(log_pattern_expand(pattern, &record, line, sizeof line), strlen(expected));
    assert_string_equal(line, expected);
}

static void escapes_are_expanded(void **state)
{
    (void)state;
    expands("%A|%B|%c|%m|%N|%p|%r|%t|%T|%%",
            "ovs-vswitchd|28|bridge|port p1: carrier lost|42|WARN|1500|main||%");
    expands("%D", "2023-11-14 22:13:20");
    expands("%D{%H:%M:%S.###Z} %D{#%S######}%D{}", "22:13:20.123Z 120123456"
                                                   "2023-11-14 22:13:20");
    expands("a%nb", "a\nb");
    expands("", "");
}

static void fields_are_filled_up(void **state)
{
    (void)state;
    expands("%05N|%5N|%-5N|%1N", "00042|   42|42   |42");
    expands("%-08p|%08p|%8p", "WARN    |0000WARN|    WARN");
}

static void what_is_no_escape_is_left_out(void **state)
{
    (void)state;
    expands("a%Zb%", "ab");
    expands("%-05", "");
    expands("%c{x}", "bridge{x}");
    expands("%D{%H", "2023-11-14 22:13:20{");
}

static void line_is_cut_where_its_room_ends(void **state)
{
    char line[16];

    (void)state;
    for (size_t size = 1; size <= sizeof line; size++) {
        static const char *const patterns[] = {
            "%m%m%m",   "%999999999999m",           "%-900c",
            "%0900r%c", "aaaaaaaaaaaaaaaaaaaaaaaa", "%D{%999999999d}%A"};
        for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
            memset(line, 'x', sizeof line);
            size_t n = log_pattern_expand(patterns[i], &record, line, size);
            assert_true(n < size);
            assert_int_equal(line[n], '\0');
            for (size_t j = size; j < sizeof line; j++)
                assert_int_equal(line[j], 'x');
        }
    }
}

static void refuses(const char *specification, const char *sentence)
{
    struct error error = ERROR_INIT;

    assert_int_equal(log_set_levels(specification, &error), -EINVAL);
    assert_string_equal(error.message, sentence);
}

static void wrong_specifications_are_refused_in_the_words_scripts_know(void **state)
{
    (void)state;
    refuses("foo", "no destination, level, or module \"foo\"");
    refuses("PATTERN", "missing destination");
    refuses("pattern:", "missing destination");
    refuses("PATTERN:foo:x", "unknown destination \"foo\"");
    refuses("FACILITY:", "invalid facility");
    refuses("facility:cron", "invalid facility");
    refuses("info:warn", "cannot specify multiple levels");
    refuses("file,syslog", "cannot specify multiple destinations");
    refuses("log_test log_test", "cannot specify multiple modules");
    assert_int_equal(log_set_levels("FACILITY:LOCAL7", NULL), 0);
    assert_int_equal(log_set_levels("Facility daemon", NULL), 0);
}

static char *contents(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void pattern_counts_from_the_next_line_on(void **state)
{
    char path[64];

    (void)state;
    snprintf(path, sizeof path, "/tmp/log_test.%ld", (long)getpid());
    assert_int_equal(log_reopen_file(NULL), -ENOENT);
    assert_int_equal(log_open_file(path, NULL), 0);
    assert_int_equal(log_set_levels("PATTERN:file:<%c:%p> %m", NULL), 0);
    log_warn("one\ntwo");
    assert_string_equal(contents(path), "<log_test:WARN> one two\n");

    log_close_file();
    log_warn("nobody hears this");
    assert_string_equal(contents(path), "<log_test:WARN> one two\n");
    assert_int_equal(log_reopen_file(NULL), 0);
    log_warn("three");
    assert_string_equal(contents(path), "<log_test:WARN> one two\n<log_test:WARN> three\n");
    unlink(path);

    char *patterns = log_patterns_text();
    assert_non_null(strstr(patterns, "FILE     none                              <%c:%p> %m\n"));
    assert_non_null(strstr(patterns, "|%05N|%c%T|%p|%m\n"));
    free(patterns);
}

static size_t n_admitted(void)
{
    struct log_site site = {.tokens = LOG_BURST};
    size_t n = 0;

    for (int i = 0; i < 10 * LOG_BURST; i++)
        n += log_admit(&log_this_module, LOG_DBG, &site);
    return n;
}

static void limits_are_lifted_for_a_module(void **state)
{
    struct error error = ERROR_INIT;

    (void)state;
    assert_in_range(n_admitted(), LOG_BURST, 9 * LOG_BURST);
    assert_int_equal(log_set_limits("LOG_TEST", false, &error), 0);
    assert_int_equal(n_admitted(), 10 * LOG_BURST);
    assert_int_equal(log_set_limits("any", true, &error), 0);
    assert_in_range(n_admitted(), LOG_BURST, 9 * LOG_BURST);
    assert_int_equal(log_set_limits("foo", true, &error), -EINVAL);
    assert_string_equal(error.message, "unknown module");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_expanded),
        cmocka_unit_test(fields_are_filled_up),
        cmocka_unit_test(what_is_no_escape_is_left_out),
        cmocka_unit_test(line_is_cut_where_its_room_ends),
        cmocka_unit_test(wrong_specifications_are_refused_in_the_words_scripts_know),
        cmocka_unit_test(pattern_counts_from_the_next_line_on),
        cmocka_unit_test(limits_are_lifted_for_a_module),
    };

    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
