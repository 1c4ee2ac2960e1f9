/* SPDX-License-Identifier: Apache-2.0 */

/* Ports and the interfaces they consist of: added, deleted, listed, found. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/condition.h"
#include "cli/device_name.h"
#include "cli/nouns.h"
#include "cli/record.h"
#include "cli/topology.h"

/* --- add-port ------------------------------------------------------------------------------ */

/* COLUMN=VALUE may be of Port or, where Port has no such column, of Interface. */
static bool is_column_of_port(const struct store *store, const char *word)
{
    struct column_key target;
    int result = column_key_parse(lookup_known_table(store, "Port"), word, &target, NULL);

    column_key_fini(&target);
    return !result;
}

static int prepare_add_port(struct context *context, struct invocation *invocation,
                            struct error *error)
{
    struct store *store = context->store;
    int result = topology_prepare(context, invocation, error);

    for (size_t i = 2; !result && i < invocation->n_args; i++) {
        const char *word = invocation->args[i];
        bool is_of_port = is_column_of_port(store, word);
        if (record_want_words(context, lookup_known_table(store, is_of_port ? "Port" : "Interface"),
                              &word, 1, NULL) < 0)
            result = error_set(error, -EINVAL, "neither Port nor Interface has a column for %s",
                               shown(word).text);
    }
    return result;
}

static int check_existing(struct store *store, struct invocation *invocation,
                          const struct store_row *bridge, struct store_row *port,
                          struct error *error)
{
    const char *name = invocation->args[1];
    struct store_row *owner = topology_bridge_of_port(store, port);

    if (owner != bridge)
        return error_set(error, -EEXIST, "port %s is on bridge %s already; delete it there first",
                         shown(name).text, owner ? topology_name(store, owner) : "(none)");
    if (!invocation_option(invocation, "--may-exist"))
        return error_set(error, -EEXIST,
                         "port %s is on bridge %s already (--may-exist accepts that)",
                         shown(name).text, topology_name(store, bridge));
    return 0;
}

static struct store_row *create_port(struct store *store, struct store_row *bridge,
                                     const char *name)
{
    struct store_row *port = store_insert(store, lookup_known_table(store, "Port"));
    struct store_row *interface = store_insert(store, lookup_known_table(store, "Interface"));

    topology_set_string(store, port, "name", name);
    topology_set_string(store, interface, "name", name);
    topology_add_reference(store, port, "interfaces", interface);
    topology_add_reference(store, bridge, "ports", port);
    return port;
}

static int run_add_port(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const char *name = invocation->args[1];
    struct store_row *bridge, *port = topology_find_port(store, name);
    int result = topology_get_bridge(store, invocation->args[0], &bridge, error);

    if (!result && port)
        result = check_existing(store, invocation, bridge, port, error);
    else if (!result)
        result = device_name_check_port(name, error);
    if (result)
        return result;
    if (!port)
        port = create_port(store, bridge, name);

    size_t n;
    struct store_row **interfaces = topology_referred(store, port, "interfaces", &n);
    for (size_t i = 2; !result && i < invocation->n_args; i++) {
        const char *word = invocation->args[i];
        bool is_of_port = is_column_of_port(store, word);
        if (is_of_port || n)
            result = record_set_word(context, is_of_port ? port : interfaces[0], word, error);
    }
    free(interfaces);
    return result;
}

/* --- del-port ------------------------------------------------------------------------------ */

static int run_del_port(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    bool has_bridge = invocation->n_args > 1;
    const char *name = invocation->args[has_bridge];
    struct store_row *port = topology_find_port(store, name), *bridge = NULL;
    int result = has_bridge ? topology_get_bridge(store, invocation->args[0], &bridge, error) : 0;

    if (result)
        return invocation_option(invocation, "--if-exists") ? 0 : result;
    if (!port)
        return invocation_option(invocation, "--if-exists")
                   ? 0
                   : error_set(error, -ENOENT, "there is no port %s (--if-exists accepts that)",
                               shown(name).text);
    struct store_row *owner = topology_bridge_of_port(store, port);
    if (bridge && owner != bridge)
        return error_set(error, -EINVAL, "port %s is on bridge %s, not on %s", shown(name).text,
                         owner ? topology_name(store, owner) : "(none)",
                         topology_name(store, bridge));
    if (owner && !strcmp(topology_name(store, owner), name))
        return error_set(error, -EINVAL,
                         "%s is the bridge's own port: it goes with the bridge (weir del-br %s)",
                         shown(name).text, shown(name).text);
    if (owner)
        topology_delete_port(store, owner, port);
    else
        store_delete(port);
    return 0;
}

/* --- Lists --------------------------------------------------------------------------------- */

static void print_names(struct context *context, struct invocation *invocation, struct table *table)
{
    struct table_style style = context->options.style;

    if (style.format == TABLE_DEFAULT)
        style.no_headings = true;
    table_print(table, &style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
}

static int run_list_ports(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    struct store *store = context->store;
    struct store_row *bridge;
    size_t n;
    int result = topology_get_bridge(store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    struct store_row **ports = topology_referred(store, bridge, "ports", &n);
    struct table *table = table_create();
    table_add_column(table, "name");
    for (size_t i = 0; i < n; i++)
        if (strcmp(topology_name(store, ports[i]), invocation->args[0]))
            table_add_text(table, topology_name(store, ports[i]));
    print_names(context, invocation, table);
    free(ports);
    return 0;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int run_list_ifaces(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    struct store *store = context->store;
    struct store_row *bridge;
    size_t n_ports, n_names = 0;
    int result = topology_get_bridge(store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    struct store_row **ports = topology_referred(store, bridge, "ports", &n_ports);
    const char **names = NULL;
    for (size_t i = 0; i < n_ports; i++) {
        size_t n;
        struct store_row **interfaces = topology_referred(store, ports[i], "interfaces", &n);
        names = reallocarray(names, n_names + n + 1, sizeof *names);
        for (size_t j = 0; names && j < n; j++)
            if (strcmp(topology_name(store, interfaces[j]), invocation->args[0]))
                names[n_names++] = topology_name(store, interfaces[j]);
        free(interfaces);
    }
    if (n_names)
        qsort(names, n_names, sizeof *names, compare_strings);
    struct table *table = table_create();
    table_add_column(table, "name");
    for (size_t i = 0; i < n_names; i++)
        table_add_text(table, names[i]);
    print_names(context, invocation, table);
    free(names);
    free(ports);
    return 0;
}

/* --- port-to-br, iface-to-br --------------------------------------------------------------- */

static int print_bridge_of(struct context *context, struct invocation *invocation,
                           const struct store_row *port, const char *kind, struct error *error)
{
    struct store_row *bridge = port ? topology_bridge_of_port(context->store, port) : NULL;

    if (!bridge)
        return error_set(error, -ENOENT, "there is no %s %s", kind,
                         shown(invocation->args[0]).text);
    const char *name = topology_name(context->store, bridge);
    if (options_is_json(&context->options))
        json_print_take(json_string(name), &context->options.style, &invocation->output);
    else
        buffer_printf(&invocation->output, "%s\n", name);
    return 0;
}

static int run_port_to_br(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    return print_bridge_of(context, invocation,
                           topology_find_port(context->store, invocation->args[0]), "port", error);
}

static int run_iface_to_br(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    struct store_row *interface = topology_find_interface(context->store, invocation->args[0]);

    return print_bridge_of(context, invocation,
                           interface ? topology_port_of_interface(context->store, interface) : NULL,
                           "interface", error);
}

static const struct command rows[] = {
    {.name = "add-port",
     .arguments = "BRIDGE PORT [COLUMN[:KEY]=VALUE]...",
     .options = "--may-exist",
     .summary = "Connect a network device to a bridge, with settings of Port or Interface",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = -1,
     .prepare = prepare_add_port,
     .run = run_add_port},
    {.name = "del-port",
     .arguments = "[BRIDGE] PORT",
     .options = "--if-exists",
     .summary = "Take a port off its bridge",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 2,
     .prepare = topology_prepare,
     .run = run_del_port},
    {.name = "list-ports",
     .arguments = "BRIDGE",
     .summary = "Print the names of a bridge's ports, without its own",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_list_ports},
    {.name = "list-ifaces",
     .arguments = "BRIDGE",
     .summary = "Print the names of a bridge's interfaces, without its own",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_list_ifaces},
    {.name = "port-to-br",
     .arguments = "PORT",
     .summary = "Print the bridge that a port is on",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_port_to_br},
    {.name = "iface-to-br",
     .arguments = "INTERFACE",
     .summary = "Print the bridge that an interface is on",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = topology_prepare,
     .run = run_iface_to_br},
};

const struct command_rows port_commands = {rows, ARRAY_SIZE(rows)};
