/* SPDX-License-Identifier: Apache-2.0 */

/* Frames handed to a switch, and bundles of flows, groups and frames. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flow.h"
#include "cli/group.h"
#include "cli/nouns.h"
#include "cli/of_change.h"
#include "cli/of_dialect.h"
#include "lib/openflow/packet_text.h"

/* --- packet-out ---------------------------------------------------------------------------- */

static int add_text(struct of_changes *changes, const char *text, struct error *error)
{
    struct of_packet_out packet;
    struct buffer frame = BUFFER_INIT;
    int result = of_packet_out_parse(text, ofconn_names(of_changes_connection(changes)), &frame,
                                     &packet, error);

    if (!result)
        result = of_changes_add_frame(changes, &packet, error);
    of_packet_out_fini(&packet);
    buffer_fini(&frame);
    return result;
}

/* "PORT ACTIONS FRAME...", as older scripts have it. */
static int add_words(struct of_changes *changes, const struct invocation *invocation,
                     struct error *error)
{
    int result = 0;

    for (size_t i = 3; !result && i < invocation->n_args; i++) {
        struct buffer text = BUFFER_INIT;

        buffer_printf(&text, "in_port=%s packet=%s actions=%s", invocation->args[1],
                      invocation->args[i], invocation->args[2]);
        result = add_text(changes, buffer_text(&text), error);
        buffer_fini(&text);
    }
    return result;
}

static int take_words(struct of_changes *changes, char *text, void *invocation, struct error *error)
{
    const struct invocation *words = invocation;

    return words->n_args == 2 ? add_text(changes, text, error) : add_words(changes, words, error);
}

static int check_packet_out(const struct invocation *invocation, struct error *error)
{
    if (invocation->n_args != 3)
        return 0;
    return error_set(error, -EINVAL,
                     "packet-out: needs BRIDGE 'in_port=PORT packet=FRAME actions=ACTIONS', where "
                     "fields may stand for packet=FRAME, or BRIDGE PORT ACTIONS FRAME");
}

static int run_packet_out(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    struct of_changes *changes = of_changes_open(context, invocation, OF_VERSIONS_KNOWN, error);
    if (!changes)
        return error->code;
    int result = of_changes_take(changes, invocation->args[1], take_words, invocation, error);
    if (!result)
        result = of_changes_commit(changes, error);
    of_changes_close(changes);
    return result;
}

/* --- bundle -------------------------------------------------------------------------------- */

/* "flow ...", "group ...", "packet-out ...". */
static int add_line(struct of_changes *changes, char *line, void *aux, struct error *error)
{
    enum of_flow_command flow_command = OFFC_ADD;
    enum of_group_command group_command = OFGC_ADD;
    size_t length = strcspn(line, " \t");
    char *rest = line + length + strspn(line + length, " \t");

    (void)aux;
    line[length] = '\0';
    if (!strcmp(line, "flow"))
        return flow_add_line(changes, rest, &flow_command, error);
    if (!strcmp(line, "group"))
        return group_add_line(changes, rest, &group_command, error);
    if (!strcmp(line, "packet-out"))
        return add_text(changes, rest, error);
    return error_set(error, -EINVAL, "%s: a line of a bundle begins with flow, group or packet-out",
                     shown(line).text);
}

static int run_bundle(struct context *context, struct invocation *invocation, struct error *error)
{
    struct of_changes *changes = of_changes_open_bundle(context, invocation, error);

    if (!changes)
        return error->code;
    int result = of_changes_read(changes, invocation->args[1], add_line, NULL, error);
    if (!result)
        result = of_changes_commit(changes, error);
    of_changes_close(changes);
    return result;
}

static const struct command rows[] = {
    {.name = "packet-out",
     .arguments = "BRIDGE PACKET-OUT",
     .summary = "Hand a frame to a bridge (in_port=1 tcp,nw_dst=10.0.0.1 actions=output:2)",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = -1,
     .check = check_packet_out,
     .run = run_packet_out},
    {.name = "bundle",
     .arguments = "BRIDGE FILE",
     .summary = "Do all a file says about flows, groups and frames at once, or nothing of it",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_bundle},
};

const struct command_rows packet_out_commands = {rows, ARRAY_SIZE(rows)};
