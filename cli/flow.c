/* SPDX-License-Identifier: Apache-2.0 */

/* Changes of flow tables. */

#include "cli/flow.h"

#include <string.h>

#include "cli/nouns.h"
#include "lib/openflow/flow_text.h"

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

static int add_text(struct of_changes *changes, const char *text, enum of_flow_command command,
                    struct error *error)
{
    struct of_flow_mod flow;
    int result = of_flow_mod_parse(text, command, ofconn_names(of_changes_connection(changes)),
                                   &flow, error);

    if (!result)
        result = of_changes_add_flow(changes, &flow, error);
    of_flow_mod_fini(&flow);
    return result;
}

static int add_word(struct of_changes *changes, char *word, void *command, struct error *error)
{
    return add_text(changes, word, *(const enum of_flow_command *)command, error);
}

int flow_add_line(struct of_changes *changes, char *line, void *command, struct error *error)
{
    enum of_flow_command in_line = *(const enum of_flow_command *)command;
    const char *text = take_command(line, &in_line);

    return add_text(changes, text, in_line, error);
}

enum flow_source { FROM_WORD, FROM_FILE };

static int change_flows(struct context *context, struct invocation *invocation,
                        enum of_flow_command command, enum flow_source source, struct error *error)
{
    const char *word = invocation->n_args > 1 ? invocation->args[1] : "";
    struct of_changes *changes = of_changes_open(context, invocation, OF_VERSIONS_KNOWN, error);
    int result;

    if (!changes)
        return error->code;
    if (source == FROM_FILE || !strcmp(word, "-"))
        result = of_changes_read(changes, word, flow_add_line, &command, error);
    else
        result = of_changes_take(changes, word, add_word, &command, error);
    if (!result)
        result = of_changes_commit(changes, error);
    of_changes_close(changes);
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
     .options = "--bundle",
     .summary = "Add a flow (priority=5,tcp,tp_dst=22,actions=drop), or replace its equal",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_flow},
    {.name = "add-flows",
     .arguments = "BRIDGE FILE",
     .options = "--bundle",
     .summary = "Add the flows in a file, one on each line; - reads standard input",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_flows},
    {.name = "mod-flows",
     .arguments = "BRIDGE FLOW",
     .options = "--strict --bundle",
     .summary = "Change the actions of the flows that match; - reads flows from standard input",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_mod_flows},
    {.name = "del-flows",
     .arguments = "BRIDGE [FLOW]",
     .options = "--strict --bundle",
     .summary = "Delete the flows that match, without FLOW all of them; - reads standard input",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_del_flows},
};

const struct command_rows flow_commands = {rows, ARRAY_SIZE(rows)};
