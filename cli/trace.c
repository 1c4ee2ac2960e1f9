/* SPDX-License-Identifier: Apache-2.0 */

/* What the flow tables would do with one frame, and why frames were dropped. */

#include "cli/control.h"
#include "cli/nouns.h"

static int run_trace(struct context *context, struct invocation *invocation, struct error *error)
{
    return control_print(context, invocation, control_target(invocation), "ofproto/trace",
                         invocation->n_args, invocation->args, error);
}

static int run_drops(struct context *context, struct invocation *invocation, struct error *error)
{
    return control_print(context, invocation, control_target(invocation), "weir/drops",
                         invocation->n_args, invocation->args, error);
}

static const struct command rows[] = {
    {.name = "trace",
     .arguments = "BRIDGE FLOW [FRAME]",
     .options = "--target=",
     .summary = "Walk the flow tables with one frame (in_port=p0,tcp,tp_dst=22) and tell each step",
     .group = GROUP_LOOK,
     .min_args = 2,
     .max_args = -1,
     .run = run_trace},
    {.name = "drops",
     .arguments = "[PORT]",
     .options = "--target=",
     .summary = "Count the frames that were dropped, by port and reason",
     .group = GROUP_LOOK,
     .max_args = 1,
     .run = run_drops},
};

const struct command_rows trace_commands = {rows, ARRAY_SIZE(rows)};
