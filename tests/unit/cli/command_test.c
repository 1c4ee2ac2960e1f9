/* SPDX-License-Identifier: Apache-2.0 */

/* What is typed, and how weir answers when it makes no sense. */

#include "cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/shown.h"
#include "lib/annotations.h"

enum { MAX_WORDS = 16 };

/* Runs weir; what it says on either stream is in 'said'. */
static char said[65536];

static int run(const char *words, ...)
{
    const char *argv[MAX_WORDS] = {"weir"};
    int argc = 1;
    va_list args;

    va_start(args, words);
    for (const char *word = words; word; word = va_arg(args, const char *))
        argv[argc++] = word;
    va_end(args);

    FILE *stream = fmemopen(said, sizeof said, "w");
    int status = cli_run(argc, argv, stream, stream);
    fclose(stream);
    return status;
}

static void every_command_is_described(void **state)
{
    (void)state;
    for (const struct command *command = NULL; (command = command_next(command));) {
        assert_non_null(command->run);
        assert_non_null(command->arguments);
        assert_true(strlen(command->summary) > 10);
        assert_true(command->max_args == -1 || command->max_args >= command->min_args);
        assert_ptr_equal(command_find(command->name), command);
    }
}

static void help_names_every_command(void **state)
{
    (void)state;
    assert_int_equal(run("help", NULL), 0);
    for (const struct command *command = NULL; (command = command_next(command));)
        assert_non_null(strstr(said, command->name));
}

static void help_of_one_command_is_reached_both_ways(void **state)
{
    (void)state;
    assert_int_equal(run("help", "coverage", NULL), 0);
    assert_non_null(strstr(said, "weir coverage"));
    assert_int_equal(run("coverage", "--help", NULL), 0);
    assert_non_null(strstr(said, "weir coverage"));
}

static void misspelt_command_is_answered_with_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(run("coverge", NULL), EXIT_USAGE);
    assert_string_equal(said, "weir: there is no command coverge; did you mean \"coverage\"?\n");
    assert_int_equal(run("zzzzzzzzzz", NULL), EXIT_USAGE);
    assert_string_equal(said,
                        "weir: there is no command zzzzzzzzzz; \"weir help\" lists them all\n");
}

static void wrong_options_are_named(void **state)
{
    (void)state;
    assert_int_equal(run("coverage", "--nonsense", NULL), EXIT_USAGE);
    assert_string_equal(said,
                        "weir: --nonsense: coverage has no such option (see weir help coverage)\n");
    assert_int_equal(run("--target", "coverage", NULL), EXIT_USAGE);
    assert_non_null(strstr(said, "--target: needs a value"));
    assert_int_equal(run("--json=x", "coverage", NULL), EXIT_USAGE);
    assert_int_equal(run("-t", NULL), EXIT_USAGE);
    assert_int_equal(run("-t", "soon", "coverage", NULL), EXIT_USAGE);
    assert_int_equal(run("-t", "nan", "coverage", NULL), EXIT_USAGE);
    assert_int_equal(run("--format=xml", "coverage", NULL), EXIT_USAGE);
}

static void wrong_numbers_of_arguments_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run("call", NULL), EXIT_USAGE);
    assert_non_null(strstr(said, "needs at least 1 argument: weir call METHOD"));
    assert_int_equal(run("coverage", "now", NULL), EXIT_USAGE);
    assert_non_null(strstr(said, "now is one argument too many"));
    assert_int_equal(run(NULL), EXIT_USAGE);
    assert_int_equal(run("--", "--", NULL), EXIT_USAGE);
}

static void only_database_commands_are_chained(void **state)
{
    (void)state;
    assert_int_equal(run("coverage", "--", "memory", NULL), EXIT_USAGE);
    assert_non_null(strstr(said, "cannot be chained"));
}

static void absurd_words_are_shown_short_and_harmless(void **state)
{
    static char huge[100 * 1024 + 1];

    (void)state;
    memset(huge, 'x', sizeof huge - 1);
    assert_int_equal(run(huge, NULL), EXIT_USAGE);
    assert_true(strlen(said) < 200);
    assert_int_equal(run("a\x1b[31m\n%s%n", NULL), EXIT_USAGE);
    assert_null(strchr(said, '\x1b'));
    assert_non_null(strstr(said, "a\\x1b[31m\\x0a%s%n"));
    assert_int_equal(run("", NULL), EXIT_USAGE);
    assert_int_equal(run("\xff\xbf\xbf\xbf\xbf\xbf\xbf", NULL), EXIT_USAGE);
}

static void hundred_thousand_arguments_are_refused_at_once(void **state)
{
    enum { N = 100000 };
    const char **argv = calloc(N + 1, sizeof *argv);

    (void)state;
    argv[0] = "weir";
    argv[1] = "coverage";
    for (size_t i = 2; i < N; i++)
        argv[i] = "x";
    FILE *stream = fmemopen(said, sizeof said, "w");
    assert_int_equal(cli_run(N, argv, stream, stream), EXIT_USAGE);
    for (size_t i = 1; i < N; i++)
        argv[i] = "--";
    assert_int_equal(cli_run(N, argv, stream, stream), EXIT_USAGE);
    for (size_t i = 1; i < N; i++)
        argv[i] = "--opt";
    assert_int_equal(cli_run(N, argv, stream, stream), EXIT_USAGE);
    fclose(stream);
    free(argv);
}

static void raw_command_gets_options_as_arguments(void **state)
{
    static const char *const words[] = {"call", "--target=x", "list-commands", "--json", "--", "y"};
    struct invocation invocation;
    struct options options = {.db = NULL};
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(invocation_parse(&invocation, &options, words, ARRAY_SIZE(words), &error), 6);
    assert_int_equal(invocation.n_args, 4);
    assert_string_equal(invocation.args[3], "y");
    assert_string_equal(invocation_option(&invocation, "--target"), "x");
    assert_false(options_is_json(&options));
    invocation_fini(&invocation);
}

static void options_are_read_in_every_form(void **state)
{
    static const char *const words[] = {"-t5", "-O",       "OpenFlow13",   "--format",
                                        "csv", "coverage", "--db=unix:/x", "--timeout=7"};
    struct invocation invocation;
    struct options options = {.db = NULL};
    struct error error = ERROR_INIT;

    (void)state;
    assert_int_equal(invocation_parse(&invocation, &options, words, ARRAY_SIZE(words), &error), 8);
    assert_int_equal(options.timeout_ns, 7000000000);
    assert_string_equal(options.of_version, "OpenFlow13");
    assert_int_equal(options.style.format, TABLE_CSV);
    assert_string_equal(options.db, "unix:/x");
    invocation_fini(&invocation);
}

static void missing_daemon_is_explained(void **state)
{
    (void)state;
    assert_int_equal(run("--rundir=/nonexistent", "coverage", NULL), EXIT_FAILURE);
    assert_non_null(strstr(said, "start the switch with \"weir up\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_described),
        cmocka_unit_test(help_names_every_command),
        cmocka_unit_test(help_of_one_command_is_reached_both_ways),
        cmocka_unit_test(misspelt_command_is_answered_with_the_nearest),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(wrong_numbers_of_arguments_are_refused),
        cmocka_unit_test(only_database_commands_are_chained),
        cmocka_unit_test(absurd_words_are_shown_short_and_harmless),
        cmocka_unit_test(hundred_thousand_arguments_are_refused_at_once),
        cmocka_unit_test(raw_command_gets_options_as_arguments),
        cmocka_unit_test(options_are_read_in_every_form),
        cmocka_unit_test(missing_daemon_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
