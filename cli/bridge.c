/* SPDX-License-Identifier: Apache-2.0 */

/* Bridges: added, deleted, listed; the fake ones for one VLAN among them. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device_name.h"
#include "cli/nouns.h"
#include "cli/topology.h"

/* --- add-br, del-br ------------------------------------------------------------------------ */

/* What add-br is asked for. */
struct wish {
    const char *name;
    const char *parent; /* NULL: a real bridge. */
    int64_t vlan;
};

static int parse_wish(const struct invocation *invocation, struct wish *wish, struct error *error)
{
    const char *const *args = invocation->args;
    char *end = NULL;

    *wish = (struct wish){.name = args[0]};
    if (invocation->n_args == 1)
        return 0;
    if (invocation->n_args == 2)
        return error_set(error, -EINVAL, "add-br %s: a VLAN must follow the parent bridge %s",
                         shown(args[0]).text, shown(args[1]).text);
    wish->parent = args[1];
    wish->vlan = strtol(args[2], &end, 10);
    if (end == args[2] || *end || wish->vlan < 0 || wish->vlan > 4095)
        return error_set(error, -EINVAL, "add-br %s: VLAN %s is not a number from 0 to 4095",
                         shown(args[0]).text, shown(args[2]).text);
    return 0;
}

/* --may-exist accepts a bridge only if it is what was asked for. */
static int accept_existing(const struct store *store, const struct wish *wish,
                           const struct bridge *bridge, struct error *error)
{
    if (!bridge->fake)
        return wish->parent
                   ? error_set(error, -EEXIST, "bridge %s exists, but is not inside a VLAN of %s",
                               bridge->name, shown(wish->parent).text)
                   : 0;
    if (!wish->parent || strcmp(wish->parent, topology_name(store, bridge->row)) ||
        wish->vlan != bridge->vlan)
        return error_set(error, -EEXIST, "bridge %s exists, but inside VLAN %lld of %s",
                         bridge->name, (long long)bridge->vlan, topology_name(store, bridge->row));
    return 0;
}

static int find_parent(struct store *store, const struct wish *wish, struct bridge *parent,
                       struct error *error)
{
    struct bridge other;
    int result = topology_get_bridge(store, wish->parent, parent, error);

    if (!result && parent->fake)
        return error_set(error, -EINVAL,
                         "%s is inside a VLAN of %s itself: it cannot have bridges inside",
                         parent->name, topology_name(store, parent->row));
    if (!result && topology_find_fake_bridge(store, parent->row, wish->vlan, &other))
        return error_set(error, -EEXIST, "VLAN %lld of %s is that of bridge %s already",
                         (long long)wish->vlan, parent->name, other.name);
    return result;
}

static int run_add_br(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct bridge existing, parent = {.row = NULL};
    struct wish wish;
    int result = parse_wish(invocation, &wish, error);

    if (!result && invocation_option(invocation, "--may-exist") &&
        topology_find_bridge(store, wish.name, &existing))
        return accept_existing(store, &wish, &existing, error);
    if (!result && topology_find_bridge(store, wish.name, &existing))
        return error_set(error, -EEXIST, "bridge %s exists already (--may-exist accepts that)",
                         shown(wish.name).text);
    if (!result)
        result = device_name_check_bridge(wish.name, error);
    if (!result)
        result = topology_check_name_is_free(store, wish.name, error);
    if (!result && wish.parent)
        result = find_parent(store, &wish, &parent, error);
    if (result)
        return result;

    if (!wish.parent)
        parent.row = topology_add_bridge(store, wish.name);
    struct store_row *port = topology_add_port(store, &parent, wish.name);
    struct store_row *interface = topology_add_interface(store, port, wish.name);
    topology_set_string(store, interface, "type", "internal");
    if (wish.parent) {
        topology_set_boolean(store, port, "fake_bridge", true);
        topology_set_integer(store, port, "tag", wish.vlan);
    }
    return 0;
}

static int run_del_br(struct context *context, struct invocation *invocation, struct error *error)
{
    struct bridge bridge;

    if (topology_find_bridge(context->store, invocation->args[0], &bridge)) {
        topology_delete_bridge(context->store, &bridge);
        return 0;
    }
    if (invocation_option(invocation, "--if-exists"))
        return 0;
    return error_set(error, -ENOENT, "there is no bridge %s (--if-exists accepts that)",
                     shown(invocation->args[0]).text);
}

/* --- list-br, br-exists -------------------------------------------------------------------- */

static int run_list_br(struct context *context, struct invocation *invocation, struct error *error)
{
    bool only_real = invocation_option(invocation, "--real");
    bool only_fake = invocation_option(invocation, "--fake");
    struct table *table = table_create();
    size_t n;
    struct bridge *bridges = topology_bridges(context->store, &n);

    (void)error;
    table_add_column(table, "name");
    for (size_t i = 0; i < n; i++)
        if (only_real == only_fake || only_fake == (bridges[i].fake != NULL))
            table_add_text(table, bridges[i].name);
    context_print_names_take(context, invocation, table);
    free(bridges);
    return 0;
}

static int run_br_exists(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct bridge bridge;

    (void)error;
    if (!topology_find_bridge(context->store, invocation->args[0], &bridge))
        context->exit_status = EXIT_NO;
    return 0;
}

/* --- br-to-vlan, br-to-parent -------------------------------------------------------------- */

static int run_br_to_vlan(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    struct bridge bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (!result)
        context_print_value_take(context, invocation, json_integer(bridge.vlan));
    return result;
}

static int run_br_to_parent(struct context *context, struct invocation *invocation,
                            struct error *error)
{
    struct bridge bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (!result)
        context_print_value_take(context, invocation,
                                 json_string(topology_name(context->store, bridge.row)));
    return result;
}

static const struct command rows[] = {
    {.name = "add-br",
     .arguments = "BRIDGE [PARENT VLAN]",
     .options = "--may-exist",
     .summary = "Create a bridge and the host's own port of that name",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 3,
     .prepare = topology_prepare,
     .run = run_add_br},
    {.name = "del-br",
     .arguments = "BRIDGE",
     .options = "--if-exists",
     .summary = "Delete a bridge with all its ports",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_del_br},
    {.name = "list-br",
     .arguments = "",
     .options = "--real --fake",
     .summary = "Print the names of all bridges",
     .group = GROUP_CONFIG,
     .prepare = topology_prepare,
     .run = run_list_br},
    {.name = "br-exists",
     .arguments = "BRIDGE",
     .summary = "Exit with status 2 if there is no such bridge",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_br_exists},
    {.name = "br-to-vlan",
     .arguments = "BRIDGE",
     .summary = "Print the VLAN of the parent that a bridge is inside of, 0 for none",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_br_to_vlan},
    {.name = "br-to-parent",
     .arguments = "BRIDGE",
     .summary = "Print the parent of a bridge inside a VLAN, else its own name",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_br_to_parent},
};

const struct command_rows bridge_commands = {rows, ARRAY_SIZE(rows)};
