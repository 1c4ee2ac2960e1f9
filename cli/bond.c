/* SPDX-License-Identifier: Apache-2.0 */

/* Bonds: ports of several interfaces. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device_name.h"
#include "cli/nouns.h"
#include "cli/record.h"
#include "cli/topology.h"

/* --- add-bond ------------------------------------------------------------------------------ */

/* BRIDGE BOND INTERFACE... COLUMN=VALUE...: the settings begin at the first word with '='. */
static size_t find_settings(const struct invocation *invocation)
{
    size_t i = 2;

    while (i < invocation->n_args && !strchr(invocation->args[i], '='))
        i++;
    return i;
}

static int prepare_add_bond(struct context *context, struct invocation *invocation,
                            struct error *error)
{
    size_t i = find_settings(invocation);
    int result = topology_prepare(context, invocation, error);

    return result ? result
                  : record_want_words(context, lookup_known_table(context->store, "Port"),
                                      invocation->args + i, invocation->n_args - i, error);
}

static bool has_interface(const struct store *store, struct store_row *const interfaces[], size_t n,
                          const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(topology_name(store, interfaces[i]), name))
            return true;
    return false;
}

/* --may-exist accepts the bond if it is on this bridge and consists of these interfaces. */
static int accept_existing(struct store *store, struct store_row *port, const struct bridge *bridge,
                           const char *const names[], size_t n_names, struct error *error)
{
    struct bridge owner = {.name = "(none)"};
    size_t n;

    topology_bridge_of_port(store, port, &owner);
    if (strcmp(owner.name, bridge->name))
        return error_set(error, -EEXIST, "port %s is on bridge %s already; delete it there first",
                         topology_name(store, port), owner.name);
    struct store_row **interfaces = topology_referred(store, port, "interfaces", &n);
    bool is_same = n == n_names;
    for (size_t i = 0; is_same && i < n_names; i++)
        is_same = has_interface(store, interfaces, n, names[i]);
    free(interfaces);
    return is_same ? 0
                   : error_set(error, -EEXIST,
                               "port %s is on bridge %s already, but of other interfaces",
                               topology_name(store, port), bridge->name);
}

static int check_new_names(struct store *store, const char *const names[], size_t n,
                           struct error *error)
{
    int result = 0;

    for (size_t i = 0; !result && i < n; i++) {
        result = device_name_check_port(names[i], error);
        if (!result)
            result = topology_check_name_is_free(store, names[i], error);
    }
    return result;
}

static int create_bond(struct context *context, struct invocation *invocation,
                       const struct bridge *bridge, size_t n_names, struct error *error)
{
    struct store *store = context->store;
    const char *const *args = invocation->args;
    int result = check_new_names(store, args + 1, n_names + 1, error);

    if (result)
        return result;
    struct store_row *port = topology_add_port(store, bridge, args[1]);
    for (size_t i = 0; !result && i < n_names; i++) {
        if (!(result = topology_check_name_is_free(store, args[i + 2], error)))
            topology_add_interface(store, port, args[i + 2]);
    }
    if (invocation_option(invocation, "--fake-iface"))
        topology_set_boolean(store, port, "bond_fake_iface", true);
    for (size_t i = 2 + n_names; !result && i < invocation->n_args; i++)
        result = record_set_word(context, port, args[i], error);
    return result;
}

static int check_add_bond(const struct invocation *invocation, struct error *error)
{
    const char *const *args = invocation->args;

    if (find_settings(invocation) >= 4)
        return 0;
    return error_set(error, -EINVAL, "add-bond %s %s: a bond needs at least two interfaces",
                     shown(args[0]).text, shown(args[1]).text);
}

static int run_add_bond(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const char *const *args = invocation->args;
    size_t n_names = find_settings(invocation) - 2;
    struct store_row *port = topology_find_port(store, args[1]);
    struct bridge bridge;
    int result = topology_get_bridge(store, args[0], &bridge, error);

    if (result)
        return result;
    if (port && invocation_option(invocation, "--may-exist"))
        return accept_existing(store, port, &bridge, args + 2, n_names, error);
    return create_bond(context, invocation, &bridge, n_names, error);
}

/* --- add-bond-iface, del-bond-iface -------------------------------------------------------- */

static int get_port(struct store *store, const char *name, struct store_row **port,
                    struct error *error)
{
    *port = topology_find_port(store, name);
    return *port ? 0 : error_set(error, -ENOENT, "there is no port %s", shown(name).text);
}

static int run_add_bond_iface(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    struct store *store = context->store;
    const char *name = invocation->args[1];
    struct store_row *interface = topology_find_interface(store, name), *port;
    int result = get_port(store, invocation->args[0], &port, error);

    if (result)
        return result;
    if (interface && topology_port_of_interface(store, interface) == port &&
        invocation_option(invocation, "--may-exist"))
        return 0;
    if ((result = check_new_names(store, &name, 1, error)) < 0)
        return result;
    topology_add_interface(store, port, name);
    return 0;
}

static int check_removable(struct store *store, struct store_row *port, const char *name,
                           struct error *error)
{
    size_t n;
    struct store_row **interfaces = topology_referred(store, port, "interfaces", &n);

    free(interfaces);
    return n > 1 ? 0
                 : error_set(error, -EINVAL,
                             "%s is the only interface of port %s (weir del-port %s deletes both)",
                             shown(name).text, topology_name(store, port),
                             topology_name(store, port));
}

static int run_del_bond_iface(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    struct store *store = context->store;
    bool has_port = invocation->n_args > 1,
         if_exists = invocation_option(invocation, "--if-exists");
    const char *name = invocation->args[has_port];
    struct store_row *interface = topology_find_interface(store, name), *port = NULL;
    int result = has_port ? get_port(store, invocation->args[0], &port, error) : 0;

    if (result)
        return result;
    if (!interface)
        return if_exists ? 0
                         : error_set(error, -ENOENT,
                                     "there is no interface %s (--if-exists accepts that)",
                                     shown(name).text);
    struct store_row *owner = topology_port_of_interface(store, interface);
    if (!owner || (port && owner != port))
        return error_set(error, -EINVAL, "interface %s is of port %s, not of %s", shown(name).text,
                         owner ? topology_name(store, owner) : "(none)",
                         port ? topology_name(store, port) : "any");
    if ((result = check_removable(store, owner, name, error)) < 0)
        return result;
    topology_remove_reference(store, owner, "interfaces", interface);
    store_delete(interface);
    return 0;
}

static const struct command rows[] = {
    {.name = "add-bond",
     .arguments = "BRIDGE BOND INTERFACE INTERFACE... [COLUMN[:KEY]=VALUE]...",
     .options = "--may-exist --fake-iface",
     .summary = "Connect several network devices to a bridge as one port",
     .group = GROUP_CONFIG,
     .min_args = 3,
     .max_args = -1,
     .check = check_add_bond,
     .prepare = prepare_add_bond,
     .run = run_add_bond},
    {.name = "add-bond-iface",
     .arguments = "BOND INTERFACE",
     .options = "--may-exist",
     .summary = "Add an interface to a bond",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 2,
     .prepare = topology_prepare,
     .run = run_add_bond_iface},
    {.name = "del-bond-iface",
     .arguments = "[BOND] INTERFACE",
     .options = "--if-exists",
     .summary = "Take an interface out of its bond",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 2,
     .prepare = topology_prepare,
     .run = run_del_bond_iface},
};

const struct command_rows bond_commands = {rows, ARRAY_SIZE(rows)};
