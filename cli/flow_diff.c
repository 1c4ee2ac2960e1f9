/* SPDX-License-Identifier: Apache-2.0 */

/* Flows compared with those in a file, and made the same. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/flow_set.h"
#include "cli/nouns.h"
#include "cli/of_change.h"
#include "lib/openflow/flow_text.h"

enum { EXIT_DIFFERENT = 2 }; /* As ovs-ofctl(8) has it. */

static void print_flow(char mark, const struct of_flow_mod *flow, const struct of_names *names,
                       struct buffer *out)
{
    buffer_putc(out, mark);
    if (flow->table_id) {
        buffer_puts(out, "table=");
        of_table_format(flow->table_id, names, out);
        buffer_putc(out, ' ');
    }
    size_t start = out->size;
    of_match_format_priority(&flow->match, flow->priority, names, out);
    if (out->size > start && out->data[out->size - 1] == ' ')
        out->size--;
    if (flow->new_cookie.raw)
        buffer_printf(out, " cookie=0x%" PRIx64, be64_host(flow->new_cookie));
    if (flow->idle_timeout_s)
        buffer_printf(out, " idle_timeout=%u", flow->idle_timeout_s);
    if (flow->hard_timeout_s)
        buffer_printf(out, " hard_timeout=%u", flow->hard_timeout_s);
    if (flow->importance)
        buffer_printf(out, " importance=%u", flow->importance);
    buffer_puts(out, " actions=");
    of_actions_format(of_flow_mod_actions(flow), names, out);
    buffer_putc(out, '\n');
}

static json_t *flow_json(const struct of_flow_mod *flow, const struct of_names *names)
{
    struct buffer match = BUFFER_INIT, actions = BUFFER_INIT;
    char cookie[19];

    if (!flow)
        return json_null();
    snprintf(cookie, sizeof cookie, "0x%" PRIx64, be64_host(flow->new_cookie));
    of_match_format(&flow->match, names, &match);
    of_actions_format(of_flow_mod_actions(flow), names, &actions);
    json_t *json = json_pack("{s:i, s:i, s:s, s:s, s:i, s:i, s:i, s:s}", "table",
                             (int)flow->table_id, "priority", (int)flow->priority, "match",
                             buffer_text(&match), "cookie", cookie, "idle_timeout",
                             (int)flow->idle_timeout_s, "hard_timeout", (int)flow->hard_timeout_s,
                             "importance", (int)flow->importance, "actions", buffer_text(&actions));
    buffer_fini(&match);
    buffer_fini(&actions);
    return json;
}

/* --- diff-flows ---------------------------------------------------------------------------- */

static bool is_file(const char *source)
{
    if (strchr("/.-", source[0]))
        return true;
    return !strchr(source, ':') && !access(source, F_OK);
}

static bool print_difference(struct context *context, struct invocation *invocation,
                             struct flow_set *set, const struct of_names *names)
{
    struct buffer *out = &invocation->output;
    json_t *json = options_is_json(&context->options) ? json_array() : NULL;
    bool is_different = false;

    for (const struct flow_entry *entry = NULL; (entry = flow_set_next(set, entry));) {
        const struct of_flow_mod *a = flow_entry_get(entry, FLOW_SIDE_A);
        const struct of_flow_mod *b = flow_entry_get(entry, FLOW_SIDE_B);
        if (flow_entry_is_equal(entry))
            continue;
        is_different = true;
        if (json)
            json_array_append_new(json, json_pack("{s:o, s:o}", "source1", flow_json(a, names),
                                                  "source2", flow_json(b, names)));
        if (!json && a)
            print_flow('-', a, names, out);
        if (!json && b)
            print_flow('+', b, names, out);
    }
    if (json)
        json_print_take(json, &context->options.style, out);
    return is_different;
}

/* Switches are asked for names first, which the file may use, and for their flows last: the file may
 * need a later version. */
static int read_sources(struct context *context, struct invocation *invocation,
                        struct flow_set *set, struct ofconn *connections[], struct error *error)
{
    struct ofconn *any = NULL;
    int result = 0;

    for (int side = 0; !result && side < N_FLOW_SIDES; side++) {
        if (is_file(invocation->args[side]))
            continue;
        any = connections[side] = ofconn_open(context, invocation->args[side], error);
        result = any ? ofconn_load_names(any, error) : error->code;
    }
    for (int side = 0; !result && side < N_FLOW_SIDES; side++) {
        if (!connections[side])
            result = flow_set_read_file(set, side, invocation->args[side], any, error);
    }
    for (int side = 0; !result && side < N_FLOW_SIDES; side++) {
        if (connections[side])
            result = flow_set_read_switch(set, side, connections[side], error);
    }
    return result;
}

static int run_diff_flows(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    struct ofconn *connections[N_FLOW_SIDES] = {NULL};
    const struct of_names *names = NULL;
    struct flow_set *set = flow_set_create();
    int result = read_sources(context, invocation, set, connections, error);

    for (int side = 0; !result && side < N_FLOW_SIDES; side++) {
        if (connections[side])
            names = ofconn_print_names(connections[side]);
    }
    if (!result && print_difference(context, invocation, set, names))
        context->exit_status = EXIT_DIFFERENT;
    for (int side = 0; side < N_FLOW_SIDES; side++)
        ofconn_close(connections[side]);
    flow_set_destroy(set);
    return result;
}

/* --- replace-flows ------------------------------------------------------------------------- */

static int add_change(struct of_changes *changes, const struct of_flow_mod *flow,
                      enum of_flow_command command, struct error *error)
{
    struct of_flow_mod change = *flow; /* Its actions are borrowed. */

    change.command = (uint8_t)command;
    change.buffer_id = OF_BUFFER_NONE;
    if (command == OFFC_DELETE_STRICT) {
        change.actions = (struct buffer)BUFFER_INIT;
        change.flags = 0;
        change.importance = change.idle_timeout_s = change.hard_timeout_s = 0;
        change.new_cookie.raw = 0;
    }
    return of_changes_add_flow(changes, &change, error);
}

/* Deleting comes first, so that a full table has room for what is new. */
static int add_changes(struct of_changes *changes, struct flow_set *set, bool adds_all,
                       struct error *error)
{
    int result = 0;

    for (const struct flow_entry *entry = NULL; !result && (entry = flow_set_next(set, entry));) {
        if (!flow_entry_get(entry, FLOW_SIDE_A))
            result = add_change(changes, flow_entry_get(entry, FLOW_SIDE_B), OFFC_DELETE_STRICT,
                                error);
    }
    for (const struct flow_entry *entry = NULL; !result && (entry = flow_set_next(set, entry));) {
        const struct of_flow_mod *flow = flow_entry_get(entry, FLOW_SIDE_A);
        if (flow && (adds_all || !flow_entry_is_equal(entry)))
            result = add_change(changes, flow, OFFC_ADD, error);
    }
    return result;
}

static int run_replace_flows(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    bool adds_all = invocation_option(invocation, "--readd");
    struct of_changes *changes = of_changes_open(context, invocation, OF_VERSIONS_KNOWN, error);

    if (!changes)
        return error->code;
    struct ofconn *connection = of_changes_connection(changes);
    struct flow_set *set = flow_set_create();
    int result = flow_set_read_file(set, FLOW_SIDE_A, invocation->args[1], connection, error);
    if (!result)
        result = flow_set_read_switch(set, FLOW_SIDE_B, connection, error);
    if (!result)
        result = add_changes(changes, set, adds_all, error);
    if (!result)
        result = of_changes_commit(changes, error);
    flow_set_destroy(set);
    of_changes_close(changes);
    return result;
}

static const struct command rows[] = {
    {.name = "replace-flows",
     .arguments = "BRIDGE FILE",
     .options = "--bundle --readd",
     .summary = "Make the flow tables what a file says, and leave alone what is there already",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_replace_flows},
    {.name = "diff-flows",
     .arguments = "SOURCE SOURCE",
     .summary = "Compare the flows of two bridges or files; exits with 2 if they differ",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_diff_flows},
};

const struct command_rows flow_diff_commands = {rows, ARRAY_SIZE(rows)};
