/* SPDX-License-Identifier: Apache-2.0 */

/* Which stations a bridge has heard, and where. */

#include "cli/control.h"
#include "cli/nouns.h"

static const struct control_verb verbs[] = {
    {"show", "fdb/show", "BRIDGE", 1, 1},        {"flush", "fdb/flush", "[BRIDGE]", 0, 1},
    {"stats", "fdb/stats-show", "BRIDGE", 1, 1}, {"add", "fdb/add", "BRIDGE PORT VLAN MAC", 4, 4},
    {"del", "fdb/del", "BRIDGE VLAN MAC", 3, 3},
};

static int check_fdb(const struct invocation *invocation, struct error *error)
{
    return control_check_verb(invocation, verbs, ARRAY_SIZE(verbs), error);
}

static int run_fdb(struct context *context, struct invocation *invocation, struct error *error)
{
    return control_run_verb(context, invocation, verbs, ARRAY_SIZE(verbs), error);
}

static const struct command rows[] = {
    {.name = "fdb",
     .arguments = "show|flush|stats|add|del BRIDGE [PORT VLAN MAC]",
     .options = "--target=",
     .summary = "Show, empty, count or edit the stations (MAC addresses) a bridge knows",
     .group = GROUP_LOOK,
     .min_args = 1,
     .max_args = 5,
     .check = check_fdb,
     .run = run_fdb},
};

const struct command_rows fdb_commands = {rows, ARRAY_SIZE(rows)};
