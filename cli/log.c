/* SPDX-License-Identifier: Apache-2.0 */

/* What the daemons log, and how much of it. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/control.h"
#include "cli/nouns.h"

/* Lines of "module console syslog file" behind two lines of headings. */
static void tabulate(char *text, struct table *table)
{
    static const char *const headings[] = {"module", "console", "syslog", "file"};
    char *rest = text, *line;

    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_add_column(table, headings[i]);
    for (size_t number = 0; (line = strsep(&rest, "\n")); number++) {
        char words[4][64]; /* As wide as the scan below. */

        if (number < 2 ||
            sscanf(line, "%63s %63s %63s %63s", words[0], words[1], words[2], words[3]) != 4)
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            table_add_text(table, words[i]);
    }
}

static int list_json(struct context *context, struct invocation *invocation, struct error *error)
{
    char *text = control_call(context, control_target(invocation), "vlog/list", 0, NULL, error);
    struct table *table = table_create();

    if (text) {
        tabulate(text, table);
        table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    }
    table_destroy(table);
    free(text);
    return text ? 0 : error->code;
}

static const struct control_verb verbs[] = {
    {"list", "vlog/list", "", 0, 0},
    {"set", "vlog/set", "SPEC..., as in bridge:file:dbg", 1, SIZE_MAX},
    {"reopen", "vlog/reopen", "", 0, 0},
};

static int check_log(const struct invocation *invocation, struct error *error)
{
    return control_check_verb(invocation, verbs, ARRAY_SIZE(verbs), error);
}

static int run_log(struct context *context, struct invocation *invocation, struct error *error)
{
    if (options_is_json(&context->options) && !strcmp(invocation->args[0], "list"))
        return list_json(context, invocation, error);
    return control_run_verb(context, invocation, verbs, ARRAY_SIZE(verbs), error);
}

static const struct command rows[] = {
    {.name = "log",
     .arguments = "list|set|reopen [SPEC]...",
     .options = "--target=",
     .summary = "List or set what a daemon logs (set bridge:file:dbg), or reopen its log file",
     .group = GROUP_LOOK,
     .min_args = 1,
     .max_args = -1,
     .check = check_log,
     .run = run_log},
};

const struct command_rows log_commands = {rows, ARRAY_SIZE(rows)};
