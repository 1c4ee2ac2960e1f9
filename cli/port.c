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

/* Is 'port' what add-port would make: on this bridge, and one interface of its own name? */
static int accept_existing(struct store *store, struct store_row *port, const struct bridge *bridge,
                           const char *name, struct error *error)
{
    struct bridge owner = {.name = "(none)"};
    size_t n;

    topology_bridge_of_port(store, port, &owner);
    if (strcmp(owner.name, bridge->name))
        return error_set(error, -EEXIST, "port %s is on bridge %s already; delete it there first",
                         shown(name).text, owner.name);
    struct store_row **interfaces = topology_referred(store, port, "interfaces", &n);
    bool is_plain = n == 1 && !strcmp(topology_name(store, interfaces[0]), name);
    free(interfaces);
    return is_plain ? 0
                    : error_set(error, -EEXIST, "port %s is on bridge %s already, but as a bond",
                                shown(name).text, bridge->name);
}

static int check_new_name(struct store *store, const char *name, struct error *error)
{
    struct store_row *port = topology_find_port(store, name);
    struct bridge bridge;
    int result = device_name_check_port(name, error);

    if (result)
        return result;
    if (!port || !topology_bridge_of_port(store, port, &bridge) || !strcmp(bridge.name, name))
        return topology_check_name_is_free(store, name, error);
    return error_set(error, -EEXIST, "port %s is on bridge %s already (--may-exist accepts that)",
                     shown(name).text, bridge.name);
}

static int set_words(struct context *context, struct invocation *invocation, struct store_row *port,
                     struct error *error)
{
    struct store *store = context->store;
    size_t n;
    struct store_row **interfaces = topology_referred(store, port, "interfaces", &n);
    int result = 0;

    for (size_t i = 2; !result && i < invocation->n_args; i++) {
        const char *word = invocation->args[i];
        bool is_of_port = is_column_of_port(store, word);
        if (is_of_port || n)
            result = record_set_word(context, is_of_port ? port : interfaces[0], word, error);
    }
    free(interfaces);
    return result;
}

static int run_add_port(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const char *name = invocation->args[1];
    struct store_row *port = topology_find_port(store, name);
    struct bridge bridge;
    int result = topology_get_bridge(store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    if (port && invocation_option(invocation, "--may-exist")) {
        result = accept_existing(store, port, &bridge, name, error);
        if (context->options.as_vsctl)
            return result; /* It leaves what exists alone. */
    } else if (!(result = check_new_name(store, name, error))) {
        port = topology_add_port(store, &bridge, name);
        topology_add_interface(store, port, name);
    }
    return result ? result : set_words(context, invocation, port, error);
}

/* --- del-port ------------------------------------------------------------------------------ */

/* The port to delete; NULL if there is none. */
static struct store_row *find_port(struct store *store, const struct invocation *invocation,
                                   const char *name)
{
    struct store_row *port = topology_find_port(store, name), *interface;

    if (!port && invocation_option(invocation, "--with-iface") &&
        (interface = topology_find_interface(store, name)))
        port = topology_port_of_interface(store, interface);
    return port;
}

static int check_owner(struct store *store, const struct store_row *port,
                       const struct bridge *bridge, struct error *error)
{
    const char *name = topology_name(store, port);
    struct bridge owner = {.name = "(none)"};

    topology_bridge_of_port(store, port, &owner);
    if (bridge && strcmp(owner.name, bridge->name))
        return error_set(error, -EINVAL, "port %s is on bridge %s, not on %s", name, owner.name,
                         bridge->name);
    if (!strcmp(owner.name, name))
        return error_set(error, -EINVAL,
                         "%s is the bridge's own port: it goes with the bridge (weir del-br %s)",
                         name, name);
    return 0;
}

static int run_del_port(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    bool has_bridge = invocation->n_args > 1,
         if_exists = invocation_option(invocation, "--if-exists");
    const char *name = invocation->args[has_bridge];
    struct store_row *port = find_port(store, invocation, name);
    struct bridge bridge;
    int result = has_bridge ? topology_get_bridge(store, invocation->args[0], &bridge, error) : 0;

    if (result)
        return result;
    if (!port)
        return if_exists
                   ? 0
                   : error_set(error, -ENOENT, "there is no port %s (--if-exists accepts that)",
                               shown(name).text);
    result = check_owner(store, port, has_bridge ? &bridge : NULL, error);
    if (!result)
        topology_delete_port(store, port);
    return result;
}

/* --- Lists --------------------------------------------------------------------------------- */

static int run_list_ports(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    struct store *store = context->store;
    struct bridge bridge;
    size_t n;
    int result = topology_get_bridge(store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    struct store_row **ports = topology_ports(store, &bridge, &n);
    struct table *table = table_create();
    table_add_column(table, "name");
    for (size_t i = 0; i < n; i++)
        if (strcmp(topology_name(store, ports[i]), bridge.name))
            table_add_text(table, topology_name(store, ports[i]));
    context_print_names_take(context, invocation, table);
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
    struct bridge bridge;
    size_t n_ports, n_names = 0;
    int result = topology_get_bridge(store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    struct store_row **ports = topology_ports(store, &bridge, &n_ports);
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
    context_print_names_take(context, invocation, table);
    free(names);
    free(ports);
    return 0;
}

/* --- port-to-br, iface-to-br --------------------------------------------------------------- */

static int print_bridge_of(struct context *context, struct invocation *invocation,
                           const struct store_row *port, const char *kind, struct error *error)
{
    struct bridge bridge;

    if (!port || !topology_bridge_of_port(context->store, port, &bridge) || bridge.fake == port)
        return error_set(error, -ENOENT, "there is no %s %s", kind,
                         shown(invocation->args[0]).text);
    context_print_value_take(context, invocation, json_string(bridge.name));
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
     .options = "--if-exists --with-iface",
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
