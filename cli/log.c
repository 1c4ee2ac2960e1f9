/* SPDX-License-Identifier: Apache-2.0 */

/* What the daemons log, and how much of it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/control.h"
#include "cli/nouns.h"

static const char *find_target(const struct invocation *invocation)
{
    const char *target = invocation_option(invocation, "--target");

    return target ? target : DAEMON_SWITCH;
}

/* Lines of "module console syslog file" behind two lines of headings. */
static void tabulate(char *text, struct table *table)
{
    static const char *const headings[] = {"module", "console", "syslog", "file"};
    char *rest = text, *line;

    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_add_column(table, headings[i]);
    for (size_t number = 0; (line = strsep(&rest, "\n")); number++) {
        char words[4][64];

        if (number < 2 ||
            sscanf(line, "%63s %63s %63s %63s", words[0], words[1], words[2], words[3]) != 4)
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            table_add_text(table, words[i]);
    }
}

static int list(struct context *context, struct invocation *invocation, struct error *error)
{
    char *text = control_call(context, find_target(invocation), "vlog/list", 0, NULL, error);

    if (!text)
        return error->code;
    if (options_is_json(&context->options)) {
        struct table *table = table_create();
        tabulate(text, table);
        table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
        table_destroy(table);
    } else {
        buffer_puts(&invocation->output, text);
    }
    free(text);
    return 0;
}

static int set(struct context *context, struct invocation *invocation, struct error *error)
{
    char *text;

    if (invocation->n_args < 2)
        return error_set(error, -EINVAL,
                         "log set: needs what to log, as in \"weir log set "
                         "bridge:file:dbg\"");
    text = control_call(context, find_target(invocation), "vlog/set", invocation->n_args - 1,
                        invocation->args + 1, error);
    free(text);
    return text ? 0 : error->code;
}

static int reopen(struct context *context, struct invocation *invocation, struct error *error)
{
    char *text = control_call(context, find_target(invocation), "vlog/reopen", 0, NULL, error);

    free(text);
    return text ? 0 : error->code;
}

static int run_log(struct context *context, struct invocation *invocation, struct error *error)
{
    static const struct {
        const char *verb;
        command_callback *run;
    } verbs[] = {{"list", list}, {"set", set}, {"reopen", reopen}};

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (!strcmp(invocation->args[0], verbs[i].verb))
            return verbs[i].run(context, invocation, error);
    return error_set(error, -EINVAL, "log: %s is not one of list, set and reopen",
                     shown(invocation->args[0]).text);
}

static const struct command rows[] = {
    {.name = "log",
     .arguments = "list|set|reopen [SPEC]...",
     .options = "--target=",
     .summary = "List or set what a daemon logs (set bridge:file:dbg), or reopen its log file",
     .group = GROUP_LOOK,
     .min_args = 1,
     .max_args = -1,
     .run = run_log},
};

const struct command_rows log_commands = {rows, ARRAY_SIZE(rows)};
