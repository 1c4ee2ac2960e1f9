/* SPDX-License-Identifier: Apache-2.0 */

/* Changes of flow tables, from the command line or from a file, in one stream of messages: the
 * switch works on the first flow while the last is still being read, and one barrier ends it
 * all. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/openflow/flow_mod.h"

enum { SEND_BYTES = 256 << 10, MAX_SENTENCES = 10, MAX_LINE_BYTES = 64 << 10 };

/* What was sent under which xid: flow I has first_xid + I and stood in lines[I] of the file. */
struct batch_of_flows {
    struct context *context;
    struct ofconn *connection;
    const char *file;   /* NULL: the command line. */
    uint32_t first_xid; /* Of flow 0. */
    size_t *lines;      /* Owned. */
    size_t n_flows, max_flows;
    size_t n_refused;
    struct buffer sentence; /* Of the only flow of a command line. */
    bool is_disconnected;
};

static void on_refusal(uint32_t xid, const struct of_error_info *info, void *aux)
{
    struct batch_of_flows *batch = aux;
    struct buffer *warnings = &batch->context->warnings;
    uint32_t i = xid - batch->first_xid;

    if (!batch->n_refused++)
        ofconn_describe_refusal(info, &batch->sentence);
    if (!batch->file || i >= batch->n_flows || batch->n_refused > MAX_SENTENCES)
        return;
    buffer_printf(warnings,
                  "weir: %s, line %zu: the switch refuses the flow: ", shown(batch->file).text,
                  batch->lines[i]);
    ofconn_describe_refusal(info, warnings);
    buffer_putc(warnings, '\n');
}

static int report_refusals(struct batch_of_flows *batch, struct error *error)
{
    if (!batch->n_refused)
        return 0;
    if (batch->file)
        return error_set(error, -EPROTO, "%zu of %zu flows were refused", batch->n_refused,
                         batch->n_flows);
    return error_set(error, -EPROTO, "the switch refuses the flow: %s",
                     buffer_text(&batch->sentence));
}

static void remember_line(struct batch_of_flows *batch, size_t line)
{
    if (batch->n_flows == batch->max_flows) {
        batch->max_flows = batch->max_flows ? 2 * batch->max_flows : 1024;
        batch->lines = reallocarray(batch->lines, batch->max_flows, sizeof *batch->lines);
        if (!batch->lines)
            abort();
    }
    batch->lines[batch->n_flows++] = line;
}

static int send_flow(struct batch_of_flows *batch, const char *text, enum of_flow_command command,
                     size_t line, struct error *error)
{
    struct ofconn *connection = batch->connection;
    const struct of_protocol *protocol = ofconn_protocol(connection);
    struct of_flow_mod flow;
    int result = of_flow_mod_parse(text, command, ofconn_names(connection), &flow, error);

    if (!result && !of_flow_mod_fits(&flow, protocol))
        result = error_set(error, -EPROTO, "the flow cannot be said in OpenFlow 1.%d (try -O %s)",
                           protocol->version - OF_1_0,
                           protocol->version == OF_1_0 ? "OpenFlow13" : "OpenFlow10");
    if (!result) {
        uint32_t xid = ofconn_xid(connection);
        if (!batch->n_flows)
            batch->first_xid = xid;
        remember_line(batch, line);
        of_encode_flow_mod(&flow, protocol, xid, ofconn_output(connection));
        if (ofconn_output(connection)->size >= SEND_BYTES)
            batch->is_disconnected = (result = ofconn_send(connection, error)) < 0;
    }
    of_flow_mod_fini(&flow);
    return result;
}

/* --- Files --------------------------------------------------------------------------------- */

/* A line of add-flows may begin with the command it is of. */
static const char *take_command(const char *line, enum of_flow_command *command)
{
    static const struct {
        const char *word;
        enum of_flow_command command;
    } words[] = {
        {"add", OFFC_ADD},
        {"modify", OFFC_MODIFY},
        {"modify_strict", OFFC_MODIFY_STRICT},
        {"delete", OFFC_DELETE},
        {"delete_strict", OFFC_DELETE_STRICT},
    };
    size_t length = strcspn(line, " \t");

    for (size_t i = 0; line[length] && i < ARRAY_SIZE(words); i++) {
        if (strlen(words[i].word) == length && !strncmp(line, words[i].word, length)) {
            *command = words[i].command;
            return line + length + strspn(line + length, " \t");
        }
    }
    return line;
}

static int send_line(struct batch_of_flows *batch, char *line, size_t length, size_t number,
                     enum of_flow_command command, struct error *error)
{
    if (strlen(line) != length)
        return error_set(error, -EINVAL, "a NUL byte is in the line");
    if (length > MAX_LINE_BYTES)
        return error_set(error, -E2BIG, "the line has %zu characters; no flow needs more than %d",
                         length, MAX_LINE_BYTES);
    line[strcspn(line, "#\r\n")] = '\0';
    const char *text = line + strspn(line, " \t");
    if (!*text)
        return 0;
    text = take_command(text, &command);
    return send_flow(batch, text, command, number, error);
}

static int send_lines(struct batch_of_flows *batch, FILE *stream, enum of_flow_command command,
                      struct error *error)
{
    char *line = NULL;
    size_t max_bytes = 0, number = 0;
    ssize_t length;
    int result = 0;

    while (!result && !batch->n_refused && (length = getline(&line, &max_bytes, stream)) >= 0) {
        number++;
        result = send_line(batch, line, (size_t)length, number, command, error);
        if (result && !batch->is_disconnected)
            error_prefix(error, "%s, line %zu", shown(batch->file).text, number);
    }
    free(line);
    if (!result && ferror(stream))
        result = error_set_errno(error, -errno, "%s", shown(batch->file).text);
    return result;
}

static int send_file(struct batch_of_flows *batch, const char *file, enum of_flow_command command,
                     struct error *error)
{
    bool is_stdin = !strcmp(file, "-");
    FILE *stream = is_stdin ? stdin : fopen(file, "re");

    if (!stream)
        return error_set_errno(error, -errno, "%s", shown(file).text);
    batch->file = is_stdin ? "standard input" : file;
    int result = send_lines(batch, stream, command, error);
    if (!is_stdin)
        fclose(stream);
    return result;
}

/* --- Commands ------------------------------------------------------------------------------ */

enum flow_source { FROM_WORD, FROM_FILE };

/* What stood before a wrong line has been sent and counts, as with ovs-ofctl(8): the barrier makes
 * sure of it, and of hearing what the switch thinks about it. */
static int change_flows(struct context *context, struct invocation *invocation,
                        enum of_flow_command command, enum flow_source source, struct error *error)
{
    const char *word = invocation->n_args > 1 ? invocation->args[1] : "";
    struct batch_of_flows batch = {.context = context};
    struct error barrier_error = ERROR_INIT;

    batch.connection = ofconn_open(context, invocation->args[0], error);
    if (!batch.connection)
        return error->code;
    int result = ofconn_load_names(batch.connection, error);
    ofconn_on_refusal(batch.connection, on_refusal, &batch);
    if (!result && (source == FROM_FILE || !strcmp(word, "-")))
        result = send_file(&batch, word, command, error);
    else if (!result)
        result = send_flow(&batch, word, command, 0, error);
    int barrier_result = batch.is_disconnected ? 0
                                               : ofconn_barrier(batch.connection, &barrier_error);
    if (!result && (result = report_refusals(&batch, error)) == 0 && barrier_result) {
        *error = barrier_error;
        result = barrier_result;
    }
    ofconn_close(batch.connection);
    buffer_fini(&batch.sentence);
    free(batch.lines);
    return result;
}

static bool is_strict(const struct invocation *invocation)
{
    return invocation_option(invocation, "--strict");
}

static int run_add_flow(struct context *context, struct invocation *invocation, struct error *error)
{
    return change_flows(context, invocation, OFFC_ADD, FROM_WORD, error);
}

static int run_add_flows(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    return change_flows(context, invocation, OFFC_ADD, FROM_FILE, error);
}

static int run_mod_flows(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    return change_flows(context, invocation,
                        is_strict(invocation) ? OFFC_MODIFY_STRICT : OFFC_MODIFY, FROM_WORD, error);
}

static int run_del_flows(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    return change_flows(context, invocation,
                        is_strict(invocation) ? OFFC_DELETE_STRICT : OFFC_DELETE, FROM_WORD, error);
}

static const struct command rows[] = {
    {.name = "add-flow",
     .arguments = "BRIDGE FLOW",
     .summary = "Add a flow (priority=5,tcp,tp_dst=22,actions=drop), or replace its equal",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_flow},
    {.name = "add-flows",
     .arguments = "BRIDGE FILE",
     .summary = "Add the flows in a file, one on each line; - reads standard input",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_flows},
    {.name = "mod-flows",
     .arguments = "BRIDGE FLOW",
     .options = "--strict",
     .summary = "Change the actions of the flows that match; - reads flows from standard input",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_mod_flows},
    {.name = "del-flows",
     .arguments = "BRIDGE [FLOW]",
     .options = "--strict",
     .summary = "Delete the flows that match, without FLOW all of them; - reads standard input",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_del_flows},
};

const struct command_rows flow_commands = {rows, ARRAY_SIZE(rows)};
