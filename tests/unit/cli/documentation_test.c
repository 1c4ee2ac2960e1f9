/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever can be typed stands in the manual page and is completed. */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/command.h"
#include "cli/options.h"

static char *read_file(const char *path)
{
    struct buffer text = BUFFER_INIT;
    char chunk[4096];
    size_t n;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        buffer_put(&text, chunk, n);
    fclose(file);
    return buffer_take_text(&text);
}

static bool is_part_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Is 'word' there, and not just as part of a longer one? */
static bool has_word(const char *text, const char *word)
{
    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || !is_part_of_word(at[-1])) && !is_part_of_word(at[strlen(word)]))
            return true;
    return false;
}

/* The page with "\-" as "-" and without changes of font, as a reader sees it. */
static char *read_manual(void)
{
    char *text = read_file(WEIR_SOURCE_DIR "/docs/weir.8"), *to = text;

    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && from[1] == 'f' && from[2])
            from += 2;
        else if (from[0] != '\\' || from[1] != '-')
            *to++ = *from;
    }
    *to = '\0';
    return text;
}

static void expect_options(const char *list, const char *text, const char *where)
{
    char *copy = strdup(list ? list : ""), *rest = copy, *option;

    while ((option = strsep(&rest, " "))) {
        option[strcspn(option, "[=")] = '\0';
        if (*option && !has_word(text, option))
            fail_msg("%s does not have %s", where, option);
    }
    free(copy);
}

static void expect_all(const char *text, const char *where)
{
    for (const struct command *command = NULL; (command = command_next(command));) {
        if (!has_word(text, command->name))
            fail_msg("%s does not have %s", where, command->name);
        expect_options(command->options, text, where);
    }
}

/* Each line of the help has one or two options at its beginning. */
static void expect_common_options(const char *text, const char *where)
{
    char *help = strdup(options_help()), *rest = help, *line;

    while ((line = strsep(&rest, "\n"))) {
        const char *option = strstr(line, "--");
        if (!option)
            continue;
        char name[64] = "";
        sscanf(option, "%63[-a-z]", name);
        if (!has_word(text, name))
            fail_msg("%s does not have %s", where, name);
    }
    free(help);
}

static void manual_has_every_command_and_option(void **state)
{
    char *manual = read_manual();

    (void)state;
    expect_all(manual, "weir.8");
    expect_common_options(manual, "weir.8");
    free(manual);
}

static void completion_has_every_command_and_option(void **state)
{
    char *completion = read_file(WEIR_SOURCE_DIR "/scripts/completion/weir.bash");

    (void)state;
    expect_all(completion, "weir.bash");
    expect_common_options(completion, "weir.bash");
    free(completion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manual_has_every_command_and_option),
        cmocka_unit_test(completion_has_every_command_and_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
