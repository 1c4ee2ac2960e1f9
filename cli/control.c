/* SPDX-License-Identifier: Apache-2.0 */

/* The commands that only pass on what a daemon says. */

#include "cli/control.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "lib/jsonrpc_client.h"
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

static char *find_socket(const char *target, struct error *error)
{
    char *socket = unixctl_client_find(resolve_target(target), error);

    if (!socket && (error->code == -ENOENT || error->code == -ESRCH))
        error_set(error, error->code,
                  "%s does not run in this run directory; start the switch with \"weir up\", or "
                  "name another --rundir",
                  shown(target).text);
    return socket;
}

/* What a method was asked about; "" if nothing. */
static const char *first_argument(size_t n_args, const char *const args[])
{
    for (size_t i = 0; i < n_args; i++)
        if (*args[i] != '-')
            return args[i];
    return "";
}

char *control_call(const struct context *context, const char *target, const char *method,
                   size_t n_args, const char *const args[], struct error *error)
{
    struct error unwanted = ERROR_INIT;
    char *answer = NULL;
    bool is_refused;

    error = error ? error : &unwanted;
    char *socket = find_socket(target, error);
    if (!socket)
        return NULL;
    int result = unixctl_client_call(socket, method, n_args, args, context->deadline_ns, &answer,
                                     &is_refused, error);
    free(socket);
    if (result < 0) {
        error_prefix(error, "%s", shown(method).text);
        return NULL;
    }
    if (is_refused) {
        trim_end(answer);
        const char *subject = first_argument(n_args, args);
        error_set(error, -EPROTO, "%s", answer);
        if (!strstr(answer, subject))
            error_prefix(error, "%s %s", shown(method).text, shown(subject).text);
        else
            error_prefix(error, "%s", shown(method).text);
        free(answer);
        return NULL;
    }
    return answer;
}

static json_t *call_one(struct jsonrpc_client *client, const char *method, size_t n_args,
                        const char *const args[], struct error *error)
{
    json_t *params = json_array(), *answer;
    bool is_refused;

    for (size_t i = 0; i < n_args; i++)
        json_array_append_new(params, json_string(args[i]));
    if (json_array_size(params) != n_args) {
        json_decref(params);
        error_set(error, -EINVAL, "%s: arguments must be UTF-8", shown(method).text);
        return NULL;
    }
    if (jsonrpc_client_call_take(client, method, params, &answer, &is_refused, error) < 0)
        return NULL;
    if (!is_refused)
        return answer;
    char *text = strdup(json_is_string(answer) ? json_string_value(answer) : "refused");
    trim_end(text);
    error_set(error, -EPROTO, "%s: %s", shown(method).text, text);
    free(text);
    json_decref(answer);
    return NULL;
}

/* The wish for JSON belongs to the connection.  A daemon that does not know it answers in text. */
json_t *control_call_json(const struct context *context, const char *target, const char *method,
                          size_t n_args, const char *const args[], struct error *error)
{
    static const char *const options[] = {"--format", "json"};
    char *socket = find_socket(target, error);

    if (!socket)
        return NULL;
    struct jsonrpc_client *client = jsonrpc_client_connect(socket, context->deadline_ns, error);
    free(socket);
    if (!client)
        return NULL;
    json_decref(call_one(client, "set-options", ARRAY_SIZE(options), options, NULL));
    json_t *answer = call_one(client, method, n_args, args, error);
    jsonrpc_client_destroy(client);
    return answer;
}

static void print_text(struct invocation *invocation, const char *text)
{
    size_t length = strlen(text);

    buffer_puts(&invocation->output, text);
    if (length && text[length - 1] != '\n')
        buffer_putc(&invocation->output, '\n');
}

static int print_json(struct context *context, struct invocation *invocation, const char *target,
                      const char *method, size_t n_args, const char *const args[],
                      struct error *error)
{
    json_t *answer = control_call_json(context, target, method, n_args, args, error);

    if (!answer)
        return error->code;
    if (json_is_string(answer))
        answer = json_pack("{s:o}", "text", answer);
    json_print_take(answer, &context->options.style, &invocation->output);
    return 0;
}

int control_print(struct context *context, struct invocation *invocation, const char *target,
                  const char *method, size_t n_args, const char *const args[], struct error *error)
{
    if (options_is_json(&context->options))
        return print_json(context, invocation, target, method, n_args, args, error);

    char *text = control_call(context, target, method, n_args, args, error);
    if (!text)
        return error->code;
    print_text(invocation, text);
    free(text);
    return 0;
}

const char *control_target(const struct invocation *invocation)
{
    const char *target = invocation_option(invocation, "--target");

    return target ? target : DAEMON_SWITCH;
}

static const struct control_verb *find_verb(const struct invocation *invocation,
                                            const struct control_verb *verbs, size_t n_verbs)
{
    for (size_t i = 0; i < n_verbs; i++) {
        if (!strcmp(verbs[i].verb, invocation->args[0]))
            return &verbs[i];
    }
    return NULL;
}

static int refuse_verb(const struct invocation *invocation, const struct control_verb *verbs,
                       size_t n_verbs, struct error *error)
{
    struct buffer known = BUFFER_INIT;

    for (size_t i = 0; i < n_verbs; i++)
        buffer_printf(&known, "%s%s", i ? ", " : "", verbs[i].verb);
    error_set(error, -EINVAL, "%s: %s is not one of %s", invocation->command->name,
              shown(invocation->args[0]).text, buffer_text(&known));
    buffer_fini(&known);
    return error->code;
}

int control_check_verb(const struct invocation *invocation, const struct control_verb *verbs,
                       size_t n_verbs, struct error *error)
{
    const struct control_verb *verb = find_verb(invocation, verbs, n_verbs);
    size_t n_args = invocation->n_args - 1;

    if (!verb)
        return refuse_verb(invocation, verbs, n_verbs, error);
    if (n_args < verb->min_args || n_args > verb->max_args)
        return error_set(error, -EINVAL, "usage: weir %s %s %s", invocation->command->name,
                         verb->verb, verb->usage);
    return 0;
}

int control_run_verb(struct context *context, struct invocation *invocation,
                     const struct control_verb *verbs, size_t n_verbs, struct error *error)
{
    return control_print(context, invocation, control_target(invocation),
                         find_verb(invocation, verbs, n_verbs)->method, invocation->n_args - 1,
                         invocation->args + 1, error);
}

static int run_call(struct context *context, struct invocation *invocation, struct error *error)
{
    return control_print(context, invocation, control_target(invocation), invocation->args[0],
                         invocation->n_args - 1, invocation->args + 1, error);
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
    char *text = control_call(context, control_target(invocation), "coverage/show", 0, NULL, error);

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

/* "cells:27 udpif keys:1" -> {"cells": 27, "udpif keys": 1}: names may have blanks. */
static json_t *parse_memory(const char *text)
{
    json_t *object = json_object();

    for (const char *at = text; *at;) {
        size_t length = strcspn(at, ":");
        char *end;

        if (!at[length])
            break;
        json_int_t value = strtoll(at + length + 1, &end, 10);
        json_object_setn_new(object, at, length, json_integer(value));
        at = end + strspn(end, " \n");
    }
    return object;
}

static int run_memory(struct context *context, struct invocation *invocation, struct error *error)
{
    char *text = control_call(context, control_target(invocation), "memory/show", 0, NULL, error);

    if (!text)
        return error->code;
    if (options_is_json(&context->options))
        json_print_take(parse_memory(text), &context->options.style, &invocation->output);
    else
        print_text(invocation, text);
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
