/* SPDX-License-Identifier: Apache-2.0 */

/* Bridges: added, deleted, listed, and the two settings everyone uses. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device_name.h"
#include "cli/nouns.h"
#include "cli/topology.h"
#include "lib/ovsdb/diff.h"

/* --- add-br, del-br ------------------------------------------------------------------------ */

static int check_new_name(struct store *store, const char *name, struct error *error)
{
    int result = device_name_check_bridge(name, error);

    if (!result && topology_find_port(store, name))
        result = error_set(error, -EEXIST, "%s is the name of a port already", name);
    return result;
}

static int run_add_br(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const char *name = invocation->args[0];

    if (invocation->n_args > 1)
        return error_set(error, -EOPNOTSUPP,
                         "add-br %s: bridges inside a VLAN of another bridge "
                         "are not supported yet",
                         shown(name).text);
    if (topology_find_bridge(store, name))
        return invocation_option(invocation, "--may-exist")
                   ? 0
                   : error_set(error, -EEXIST,
                               "bridge %s exists already (--may-exist accepts that)",
                               shown(name).text);
    int result = check_new_name(store, name, error);
    if (result)
        return result;

    struct store_row *bridge = store_insert(store, lookup_known_table(store, "Bridge"));
    struct store_row *port = store_insert(store, lookup_known_table(store, "Port"));
    struct store_row *interface = store_insert(store, lookup_known_table(store, "Interface"));
    topology_set_string(store, bridge, "name", name);
    topology_set_string(store, port, "name", name);
    topology_set_string(store, interface, "name", name);
    topology_set_string(store, interface, "type", "internal");
    topology_add_reference(store, port, "interfaces", interface);
    topology_add_reference(store, bridge, "ports", port);
    topology_add_reference(store, topology_root(store), "bridges", bridge);
    return 0;
}

static int run_del_br(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store_row *bridge = topology_find_bridge(context->store, invocation->args[0]);

    if (bridge) {
        topology_delete_bridge(context->store, bridge);
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
    struct store *store = context->store;
    struct table *table = table_create();
    struct table_style style = context->options.style;
    size_t n;
    struct store_row **bridges = topology_referred(store, topology_root(store), "bridges", &n);

    (void)error;
    table_add_column(table, "name");
    for (size_t i = 0; i < n; i++)
        table_add_text(table, topology_name(store, bridges[i]));
    if (style.format == TABLE_DEFAULT)
        style.no_headings = true;
    table_print(table, &style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    free(bridges);
    return 0;
}

static int run_br_exists(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    (void)error;
    if (!topology_find_bridge(context->store, invocation->args[0]))
        context->exit_status = EXIT_NO;
    return 0;
}

/* --- fail mode ----------------------------------------------------------------------------- */

static int prepare_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    store_want(context->store, "Bridge", "fail_mode");
    return topology_prepare(context, invocation, error);
}

static int run_get_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    struct store_row *bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    const char *mode = topology_get_string(context->store, bridge, "fail_mode");
    if (options_is_json(&context->options))
        json_print_take(mode ? json_string(mode) : json_null(), &context->options.style,
                        &invocation->output);
    else if (mode)
        buffer_printf(&invocation->output, "%s\n", mode);
    return 0;
}

static int run_set_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    const char *mode = invocation->args[1];
    struct store_row *bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (!result && strcmp(mode, "standalone") && strcmp(mode, "secure"))
        result = error_set(error, -EINVAL, "fail mode %s is neither standalone nor secure",
                           shown(mode).text);
    if (!result)
        topology_set_string(context->store, bridge, "fail_mode", mode);
    return result;
}

static int run_del_fail_mode(struct context *context, struct invocation *invocation,
                             struct error *error)
{
    struct store_row *bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (!result)
        topology_set_string(context->store, bridge, "fail_mode", NULL);
    return result;
}

/* --- external IDs -------------------------------------------------------------------------- */

static int prepare_external_ids(struct context *context, struct invocation *invocation,
                                struct error *error)
{
    store_want(context->store, "Bridge", "external_ids");
    return topology_prepare(context, invocation, error);
}

static struct datum *make_pair(const char *key, const char *value)
{
    struct datum *pair = datum_create(ATOM_STRING, value ? ATOM_STRING : ATOM_VOID, 1);

    pair->keys[0].string = strdup(key);
    if (value)
        pair->values[0].string = strdup(value);
    return pair;
}

static int run_set_external_id(struct context *context, struct invocation *invocation,
                               struct error *error)
{
    const struct column_schema *column = lookup_known_column(context->store, "Bridge",
                                                             "external_ids");
    const char *value = invocation->n_args > 2 ? invocation->args[2] : NULL;
    struct store_row *bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    struct datum *pair = make_pair(invocation->args[1], value);
    const struct datum *ids = store_get(bridge, column);
    store_set_take(bridge, column, value ? datum_union(pair, ids) : datum_difference(ids, pair));
    datum_unref(pair);
    return 0;
}

static int run_get_external_id(struct context *context, struct invocation *invocation,
                               struct error *error)
{
    const struct column_schema *column = lookup_known_column(context->store, "Bridge",
                                                             "external_ids");
    const char *key = invocation->n_args > 1 ? invocation->args[1] : NULL;
    struct store_row *bridge;
    int result = topology_get_bridge(context->store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    const struct datum *ids = store_get(bridge, column);
    const char *value = key ? datum_map_get(ids, key) : NULL;
    if (options_is_json(&context->options))
        json_print_take(!key    ? value_to_json(&column->type, ids)
                        : value ? json_string(value)
                                : json_null(),
                        &context->options.style, &invocation->output);
    else if (value)
        buffer_printf(&invocation->output, "%s\n", value);
    for (size_t i = 0; !key && !options_is_json(&context->options) && i < ids->n; i++)
        buffer_printf(&invocation->output, "%s=%s\n", ids->keys[i].string, ids->values[i].string);
    return 0;
}

static const struct command rows[] = {
    {.name = "add-br",
     .arguments = "BRIDGE",
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
    {.name = "set-fail-mode",
     .arguments = "BRIDGE standalone|secure",
     .summary = "Choose what a bridge does while no controller is connected",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 2,
     .prepare = prepare_fail_mode,
     .run = run_set_fail_mode},
    {.name = "get-fail-mode",
     .arguments = "BRIDGE",
     .summary = "Print the fail mode of a bridge",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_fail_mode,
     .run = run_get_fail_mode},
    {.name = "del-fail-mode",
     .arguments = "BRIDGE",
     .summary = "Return to the default fail mode, standalone",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_fail_mode,
     .run = run_del_fail_mode},
    {.name = "br-set-external-id",
     .arguments = "BRIDGE KEY [VALUE]",
     .summary = "Set a key of a bridge's external_ids, or remove it",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 3,
     .prepare = prepare_external_ids,
     .run = run_set_external_id},
    {.name = "br-get-external-id",
     .arguments = "BRIDGE [KEY]",
     .summary = "Print a bridge's external_ids, or the value of one key",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 2,
     .prepare = prepare_external_ids,
     .run = run_get_external_id},
};

const struct command_rows bridge_commands = {rows, ARRAY_SIZE(rows)};
