/* SPDX-License-Identifier: Apache-2.0 */

/* The commands that only pass on what a daemon says. */

#include "cli/control.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "lib/unixctl_client.h"

static const char *resolve_target(const char *target)
{
    if (!strcmp(target, "vswitchd"))
        return DAEMON_SWITCH;
    if (!strcmp(target, "ovsdb-lite"))
        return DAEMON_DATABASE;
    return target;
}

static void trim_end(char *text)
{
    size_t length = strlen(text);

    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

char *control_call(const struct context *context, const char *target, const char *method,
                   size_t n_args, const char *const args[], struct error *error)
{
    struct error unwanted = ERROR_INIT;
    char *answer = NULL;
    bool is_refused;

    error = error ? error : &unwanted;
    char *socket = unixctl_client_find(resolve_target(target), error);
    if (!socket) {
        if (error->code == -ENOENT || error->code == -ESRCH)
            error_set(error, error->code,
                      "%s does not run in this run directory; start the "
                      "switch with \"weir up\", or name another --rundir",
                      shown(target).text);
        return NULL;
    }
    int result = unixctl_client_call(socket, method, n_args, args, context->deadline_ns, &answer,
                                     &is_refused, error);
    free(socket);
    if (result < 0) {
        error_prefix(error, "%s", shown(method).text);
        return NULL;
    }
    if (is_refused) {
        trim_end(answer);
        error_set(error, -EPROTO, "%s: %s", shown(method).text, answer);
        free(answer);
        return NULL;
    }
    return answer;
}

static void print_text(struct context *context, struct invocation *invocation, const char *text)
{
    size_t length = strlen(text);

    if (options_is_json(&context->options)) {
        json_print_take(json_pack("{s:s}", "text", text), &context->options.style,
                        &invocation->output);
        return;
    }
    buffer_puts(&invocation->output, text);
    if (length && text[length - 1] != '\n')
        buffer_putc(&invocation->output, '\n');
}

int control_print(struct context *context, struct invocation *invocation, const char *method,
                  size_t n_args, const char *const args[], struct error *error)
{
    char *text = control_call(context, DAEMON_SWITCH, method, n_args, args, error);

    if (!text)
        return error->code;
    print_text(context, invocation, text);
    free(text);
    return 0;
}

static const char *target_option(const struct invocation *invocation)
{
    const char *target = invocation_option(invocation, "--target");

    return target ? target : DAEMON_SWITCH;
}

static int run_call(struct context *context, struct invocation *invocation, struct error *error)
{
    char *text = control_call(context, target_option(invocation), invocation->args[0],
                              invocation->n_args - 1, invocation->args + 1, error);

    if (!text)
        return error->code;
    print_text(context, invocation, text);
    free(text);
    return 0;
}

/* "name   1.0/sec   0.250/sec   0.0042/sec   total: 7" */
static bool parse_coverage_line(const char *line, struct table *table)
{
    char name[64];
    double rates[3];
    long long total;

    if (sscanf(line, "%63s %lf/sec %lf/sec %lf/sec total: %lld", name, &rates[0], &rates[1],
               &rates[2], &total) != 5)
        return false;
    table_add_text(table, name);
    for (int i = 0; i < 3; i++) {
        struct buffer text = BUFFER_INIT;
        buffer_printf(&text, "%g", rates[i]);
        table_add_cell_take(table, buffer_take_text(&text), json_real(rates[i]), NULL);
    }
    table_add_integer(table, total);
    return true;
}

static int run_coverage(struct context *context, struct invocation *invocation, struct error *error)
{
    static const char *const headings[] = {"event", "per_second", "per_second_1m", "per_second_1h",
                                           "total"};
    char *text = control_call(context, target_option(invocation), "coverage/show", 0, NULL, error);

    if (!text)
        return error->code;
    if (!options_is_json(&context->options)) {
        buffer_puts(&invocation->output, text);
        free(text);
        return 0;
    }
    struct table *table = table_create();
    char *rest = text, *line;
    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_add_column(table, headings[i]);
    while ((line = strsep(&rest, "\n")))
        parse_coverage_line(line, table);
    table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    free(text);
    return 0;
}

/* "cells:27 handlers:1" -> {"cells": 27, "handlers": 1} */
static json_t *parse_memory(char *text)
{
    json_t *object = json_object();
    char *rest = text, *word;

    while ((word = strsep(&rest, " \n"))) {
        char *colon = strrchr(word, ':');
        if (!colon)
            continue;
        *colon = '\0';
        json_object_set_new(object, word, json_integer(strtoll(colon + 1, NULL, 10)));
    }
    return object;
}

static int run_memory(struct context *context, struct invocation *invocation, struct error *error)
{
    char *text = control_call(context, target_option(invocation), "memory/show", 0, NULL, error);

    if (!text)
        return error->code;
    if (options_is_json(&context->options))
        json_print_take(parse_memory(text), &context->options.style, &invocation->output);
    else
        print_text(context, invocation, text);
    free(text);
    return 0;
}

static const struct command rows[] = {
    {.name = "coverage",
     .arguments = "",
     .options = "--target=",
     .summary = "Count the rare and the interesting events of vswitchd",
     .group = GROUP_LOOK,
     .run = run_coverage},
    {.name = "memory",
     .arguments = "",
     .options = "--target=",
     .summary = "Count what a daemon holds in memory",
     .group = GROUP_LOOK,
     .run = run_memory},
    {.name = "call",
     .arguments = "METHOD [ARGUMENT]...",
     .options = "--target=",
     .summary = "Run any command of a daemon's control socket (list-commands lists them)",
     .group = GROUP_LOOK,
     .min_args = 1,
     .max_args = -1,
     .is_raw = true,
     .run = run_call},
};

const struct command_rows control_commands = {rows, ARRAY_SIZE(rows)};
