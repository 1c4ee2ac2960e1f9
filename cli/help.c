/* SPDX-License-Identifier: Apache-2.0 */

/* Everything printed here is read from the table of commands. */

#include "cli/help.h"

#include <errno.h>
#include <string.h>

#include "cli/nouns.h"

static json_t *describe_json(const struct command *command)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "command", command->name, "arguments",
                     command->arguments, "options", command->options ? command->options : "",
                     "summary", command->summary, "group", command_group_title(command->group));
}

static void describe(const struct command *command, struct buffer *out)
{
    buffer_printf(out, "weir %s%s%s\n\n  %s.\n", command->name, *command->arguments ? " " : "",
                  command->arguments, command->summary);
    if (command->explain)
        command->explain(out);
    if (command->options)
        buffer_printf(out, "\n  Options: %s\n", command->options);
    if (command->prepare)
        buffer_puts(out, "\n  Can be chained with \"--\" into one transaction.\n");
    buffer_puts(out, "\n  See weir(8) for all of it, weir help for options of all commands.\n");
}

static void list_group(enum command_group group, struct buffer *out)
{
    buffer_printf(out, "\n%s:\n", command_group_title(group));
    for (const struct command *command = NULL; (command = command_next(command));) {
        if (command->group != group)
            continue;
        struct buffer usage = BUFFER_INIT;
        buffer_printf(&usage, "%s %s", command->name, command->arguments);
        if (usage.size > 36)
            buffer_printf(out, "  %s\n  %-36s  %s\n", buffer_text(&usage), "", command->summary);
        else
            buffer_printf(out, "  %-36s  %s\n", buffer_text(&usage), command->summary);
        buffer_fini(&usage);
    }
}

void help_print_all(struct buffer *out)
{
    buffer_puts(out, "usage: weir [OPTION]... COMMAND [ARGUMENT]... [-- COMMAND ...]\n");
    for (enum command_group group = 0; group < N_GROUPS; group++)
        list_group(group, out);
    buffer_printf(out, "\nOptions of all commands:\n%s", options_help());
}

void help_print_command(const struct command *command, struct buffer *out)
{
    describe(command, out);
}

void help_print_version(struct buffer *out)
{
    buffer_printf(out, "weir (Weir) %s\n", WEIR_VERSION);
}

/* "--may-exist --id=" as "[--may-exist] [--id=] ". */
static void print_option_names(const char *options, struct buffer *out)
{
    for (const char *at = options; at && *at;) {
        int n = (int)strcspn(at, " ");
        buffer_printf(out, "[%.*s] ", n, at);
        at += n + (at[n] == ' ');
    }
}

/* "BRIDGE [KEY] WORD... [WORD]..." as "!BRIDGE ?KEY +WORD *WORD": one, at most one, several, any. */
static void print_argument_names(const char *arguments, struct buffer *out)
{
    bool is_optional = false;

    for (const char *at = arguments; *at;) {
        at += strspn(at, " ");
        is_optional |= *at == '[';
        at += strspn(at, "[");
        int n = (int)strcspn(at, " ");
        int length = n;
        while (length && strchr("].", at[length - 1]))
            length--;
        bool is_repeated = n >= 3 && !strncmp(at + n - 3, "...", 3);
        if (length)
            buffer_printf(out, "%c%.*s ",
                          is_repeated   ? (is_optional ? '*' : '+')
                          : is_optional ? '?'
                                        : '!',
                          length, at);
        is_optional &= !strchr(at, ']') || strchr(at, ']') > at + n;
        at += n;
    }
}

void help_print_commands(struct buffer *out)
{
    for (const struct command *command = NULL; (command = command_next(command));) {
        print_option_names(command->options, out);
        buffer_printf(out, ",%s,", command->name);
        print_argument_names(command->arguments, out);
        buffer_putc(out, '\n');
    }
}

static int help_as_json(struct context *context, struct invocation *invocation,
                        const struct command *only)
{
    json_t *list = json_array();

    for (const struct command *command = NULL; (command = command_next(command));)
        if (!only || only == command)
            json_array_append_new(list, describe_json(command));
    json_print_take(list, &context->options.style, &invocation->output);
    return 0;
}

static int check_help(const struct invocation *invocation, struct error *error)
{
    if (!invocation->n_args || command_find(invocation->args[0]))
        return 0;
    const char *nearest = command_nearest(invocation->args[0]);
    return error_set(error, -EINVAL, "there is no command %s%s%s%s",
                     shown(invocation->args[0]).text, nearest ? "; did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

static int run_help(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct command *command = invocation->n_args ? command_find(invocation->args[0]) : NULL;

    (void)error;
    if (options_is_json(&context->options))
        return help_as_json(context, invocation, command);
    if (command)
        describe(command, &invocation->output);
    else
        help_print_all(&invocation->output);
    return 0;
}

static int run_version(struct context *context, struct invocation *invocation, struct error *error)
{
    (void)error;
    if (options_is_json(&context->options))
        json_print_take(json_pack("{s:s}", "version", WEIR_VERSION), &context->options.style,
                        &invocation->output);
    else
        help_print_version(&invocation->output);
    return 0;
}

static const struct command rows[] = {
    {.name = "help",
     .arguments = "[COMMAND]",
     .summary = "Explain a command, or list them all",
     .group = GROUP_SWITCH,
     .max_args = 1,
     .check = check_help,
     .run = run_help},
    {.name = "version",
     .arguments = "",
     .summary = "Print the version of weir",
     .group = GROUP_SWITCH,
     .run = run_version},
};

const struct command_rows help_commands = {rows, ARRAY_SIZE(rows)};
