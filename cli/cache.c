/* SPDX-License-Identifier: Apache-2.0 */

/* The flow caches of the datapath: how they do, what is in them. */

#include <string.h>

#include "cli/control.h"
#include "cli/nouns.h"

/* Of one bridge or of all, with ports by name. */
static int dump(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *args[] = {"--names", invocation->args[1]};
    bool has_bridge = invocation->n_args > 1;

    return control_print(context, invocation, control_target(invocation),
                         has_bridge ? "dpif/dump-flows" : "dpctl/dump-flows", has_bridge ? 2 : 1,
                         args, error);
}

static int dump_kernel(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *args[] = {"--names", "type=offloaded"};

    return control_print(context, invocation, control_target(invocation), "dpctl/dump-flows",
                         ARRAY_SIZE(args), args, error);
}

static const struct control_verb verbs[] = {
    {"show", "weir/cache", "", 0, 0},
    {"dump", "dpctl/dump-flows", "[BRIDGE]", 0, 1},
    {"kernel", "dpctl/dump-flows", "", 0, 0},
    {"flush", "dpctl/del-flows", "", 0, 0},
};

static int check_cache(const struct invocation *invocation, struct error *error)
{
    return control_check_verb(invocation, verbs, ARRAY_SIZE(verbs), error);
}

static int run_cache(struct context *context, struct invocation *invocation, struct error *error)
{
    if (!strcmp(invocation->args[0], "kernel"))
        return dump_kernel(context, invocation, error);
    if (!strcmp(invocation->args[0], "dump"))
        return dump(context, invocation, error);
    return control_run_verb(context, invocation, verbs, ARRAY_SIZE(verbs), error);
}

static const struct command rows[] = {
    {.name = "cache",
     .arguments = "show|dump|kernel|flush [BRIDGE]",
     .options = "--target=",
     .summary = "Show how the flow caches do, print what is in them, or empty them",
     .group = GROUP_LOOK,
     .min_args = 1,
     .max_args = 2,
     .check = check_cache,
     .run = run_cache},
};

const struct command_rows cache_commands = {rows, ARRAY_SIZE(rows)};
