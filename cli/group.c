/* SPDX-License-Identifier: Apache-2.0 */

/* Changes of the group table. */

#include "cli/group.h"

#include <string.h>

#include "cli/nouns.h"
#include "lib/openflow/group_text.h"

static const char *take_command(const char *line, enum of_group_command *command)
{
    static const struct {
        const char *word;
        enum of_group_command command;
    } words[] = {
        {"add", OFGC_ADD},
        {"modify", OFGC_MODIFY},
        {"add_or_mod", OFGC_ADD_OR_MOD},
        {"delete", OFGC_DELETE},
        {"insert_bucket", OFGC_INSERT_BUCKET},
        {"remove_bucket", OFGC_REMOVE_BUCKET},
    };
    size_t length = strcspn(line, " \t");

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strlen(words[i].word) == length && !strncmp(line, words[i].word, length)) {
            *command = words[i].command;
            return line + length + strspn(line + length, " \t");
        }
    }
    return line;
}

static int add_text(struct of_changes *changes, const char *text, enum of_group_command command,
                    struct error *error)
{
    struct of_group_mod group;
    int result = of_group_mod_parse(text, command, ofconn_names(of_changes_connection(changes)),
                                    &group, error);

    if (!result)
        result = of_changes_add_group(changes, &group, error);
    of_group_mod_fini(&group);
    return result;
}

static int add_word(struct of_changes *changes, char *word, void *command, struct error *error)
{
    return add_text(changes, word, *(const enum of_group_command *)command, error);
}

int group_add_line(struct of_changes *changes, char *line, void *command, struct error *error)
{
    enum of_group_command in_line = *(const enum of_group_command *)command;
    const char *text = take_command(line, &in_line);

    return add_text(changes, text, in_line, error);
}

/* Only two forms of the message have numbered buckets: that of 1.5, and Nicira's to 1.0. */
static uint32_t versions_of(enum of_group_command command)
{
    return command == OFGC_INSERT_BUCKET || command == OFGC_REMOVE_BUCKET
               ? OF_VERSION_BIT(OF_1_0) | OF_VERSION_BIT(OF_1_5)
               : OF_VERSIONS_KNOWN;
}

static int change_groups(struct context *context, struct invocation *invocation,
                         enum of_group_command command, bool is_file, struct error *error)
{
    const char *word = invocation->n_args > 1 ? invocation->args[1] : "";
    struct of_changes *changes = of_changes_open(context, invocation, versions_of(command), error);
    int result;

    if (!changes)
        return error->code;
    if (is_file || !strcmp(word, "-"))
        result = of_changes_read(changes, word, group_add_line, &command, error);
    else
        result = of_changes_take(changes, word, add_word, &command, error);
    if (!result)
        result = of_changes_commit(changes, error);
    of_changes_close(changes);
    return result;
}

static int run_add_group(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    enum of_group_command command = invocation_option(invocation, "--may-create") ? OFGC_ADD_OR_MOD
                                                                                  : OFGC_ADD;

    return change_groups(context, invocation, command, false, error);
}

static int run_add_groups(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    return change_groups(context, invocation, OFGC_ADD, true, error);
}

static int run_mod_group(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    enum of_group_command command = invocation_option(invocation, "--may-create") ? OFGC_ADD_OR_MOD
                                                                                  : OFGC_MODIFY;

    return change_groups(context, invocation, command, false, error);
}

static int run_del_groups(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    return change_groups(context, invocation, OFGC_DELETE, false, error);
}

static int run_insert_buckets(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    return change_groups(context, invocation, OFGC_INSERT_BUCKET, false, error);
}

static int run_remove_buckets(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    return change_groups(context, invocation, OFGC_REMOVE_BUCKET, false, error);
}

static const struct command rows[] = {
    {.name = "add-group",
     .arguments = "BRIDGE GROUP",
     .options = "--bundle --may-create",
     .summary = "Add a group (group_id=1,type=select,bucket=output:1,bucket=output:2)",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_group},
    {.name = "add-groups",
     .arguments = "BRIDGE FILE",
     .options = "--bundle",
     .summary = "Add the groups in a file, one on each line; - reads standard input",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_groups},
    {.name = "mod-group",
     .arguments = "BRIDGE GROUP",
     .options = "--may-create --bundle",
     .summary = "Give a group another type and other buckets; - reads groups from standard input",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_mod_group},
    {.name = "del-groups",
     .arguments = "BRIDGE [GROUP]",
     .options = "--bundle",
     .summary = "Delete a group (group_id=1), without GROUP all, and the flows that lead to it",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_del_groups},
    {.name = "insert-buckets",
     .arguments = "BRIDGE GROUP",
     .options = "--bundle",
     .summary = "Add buckets to a group (group_id=1,command_bucket_id=last,bucket=output:3)",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_insert_buckets},
    {.name = "remove-buckets",
     .arguments = "BRIDGE GROUP",
     .options = "--bundle",
     .summary = "Remove buckets of a group (group_id=1,command_bucket_id=0)",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_remove_buckets},
};

const struct command_rows group_commands = {rows, ARRAY_SIZE(rows)};
