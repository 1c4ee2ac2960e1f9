/* SPDX-License-Identifier: Apache-2.0 */

/* Mirrors: ports stand by name where the columns hold references. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/record.h"
#include "cli/topology.h"

static const char *const port_columns[] = {"output_port", "select_src_port", "select_dst_port"};
static const char *const other_columns[] = {"name", "select_all", "select_vlan", "output_vlan"};

static int prepare_mirror(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    store_want(context->store, "Bridge", "mirrors");
    for (size_t i = 0; i < ARRAY_SIZE(port_columns); i++)
        store_want(context->store, "Mirror", port_columns[i]);
    for (size_t i = 0; i < ARRAY_SIZE(other_columns); i++)
        store_want(context->store, "Mirror", other_columns[i]);
    return topology_prepare(context, invocation, error);
}

/* The column of "output-port=..." if it refers to ports. */
static const char *find_port_column(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(port_columns); i++) {
        size_t n = 0;
        while (port_columns[i][n] &&
               (word[n] == port_columns[i][n] || (word[n] == '-' && port_columns[i][n] == '_')))
            n++;
        if (!port_columns[i][n] && word[n] == '=')
            return port_columns[i];
    }
    return NULL;
}

static int set_ports(struct store *store, struct store_row *mirror, const char *column,
                     const char *names, struct error *error)
{
    char *copy = strdup(names), *rest = copy, *name;
    int result = 0;

    while (!result && (name = strsep(&rest, ","))) {
        struct store_row *port = topology_find_port(store, name);
        if (port && !strcmp(column, "output_port"))
            topology_clear(store, mirror, column);
        if (port)
            topology_add_reference(store, mirror, column, port);
        else
            result = error_set(error, -ENOENT, "%s: there is no port %s", column, shown(name).text);
    }
    free(copy);
    return result;
}

static struct store_row *find_mirror(struct store *store, const struct store_row *bridge,
                                     const char *name)
{
    size_t n;
    struct store_row **mirrors = topology_referred(store, bridge, "mirrors", &n), *found = NULL;

    for (size_t i = 0; i < n; i++)
        if (!strcmp(topology_name(store, mirrors[i]), name))
            found = mirrors[i];
    free(mirrors);
    return found;
}

static bool has_value(const struct store *store, const struct store_row *row, const char *column)
{
    return store_get(row, lookup_known_column(store, "Mirror", column))->n;
}

static int set_words(struct context *context, struct invocation *invocation,
                     struct store_row *mirror, struct error *error)
{
    struct store *store = context->store;
    bool has_selection = false;
    int result = 0;

    for (size_t i = 2; !result && i < invocation->n_args; i++) {
        const char *word = invocation->args[i], *column = find_port_column(word);
        has_selection |= !strncmp(word, "select", 6);
        result = column ? set_ports(store, mirror, column, strchr(word, '=') + 1, error)
                        : record_set_word(context, mirror, word, error);
    }
    if (!result && !has_selection)
        topology_set_boolean(store, mirror, "select_all", true);
    if (!result && !has_value(store, mirror, "output_port") &&
        !has_value(store, mirror, "output_vlan"))
        result = error_set(error, -EINVAL,
                           "mirror %s has nowhere to send copies to: add output_port=PORT or "
                           "output_vlan=VLAN",
                           shown(invocation->args[1]).text);
    return result;
}

static int run_add(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *bridge;
    int result = topology_get_bridge_row(store, invocation->args[0], &bridge, error);

    if (!result && find_mirror(store, bridge, invocation->args[1]))
        result = error_set(error, -EEXIST, "bridge %s has a mirror %s already",
                           topology_name(store, bridge), shown(invocation->args[1]).text);
    if (result)
        return result;
    struct store_row *mirror = store_insert(store, lookup_known_table(store, "Mirror"));
    topology_set_string(store, mirror, "name", invocation->args[1]);
    topology_add_reference(store, bridge, "mirrors", mirror);
    return set_words(context, invocation, mirror, error);
}

static int run_del(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *bridge, *mirror;
    int result = topology_get_bridge_row(store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    if (!(mirror = find_mirror(store, bridge, invocation->args[1])))
        return invocation_option(invocation, "--if-exists")
                   ? 0
                   : error_set(error, -ENOENT,
                               "bridge %s has no mirror %s (--if-exists accepts that)",
                               topology_name(store, bridge), shown(invocation->args[1]).text);
    topology_remove_reference(store, bridge, "mirrors", mirror);
    store_delete(mirror);
    return 0;
}

/* Names of ports, blanks between them. */
static void add_ports_cell(struct store *store, const struct store_row *mirror, const char *column,
                           struct table *table)
{
    size_t n;
    struct store_row **ports = topology_referred(store, mirror, column, &n);
    struct buffer names = BUFFER_INIT;

    for (size_t i = 0; i < n; i++)
        buffer_printf(&names, "%s%s", i ? " " : "", topology_name(store, ports[i]));
    table_add_text(table, buffer_text(&names));
    buffer_fini(&names);
    free(ports);
}

static void add_value_cell(struct store *store, const struct store_row *mirror, const char *name,
                           struct table *table)
{
    const struct column_schema *column = lookup_known_column(store, "Mirror", name);
    const struct datum *datum = store_get(mirror, column);
    struct buffer text = BUFFER_INIT;

    value_format(&column->type, datum, DATA_BARE, &text);
    table_add_cell_take(table, buffer_take_text(&text), value_to_json(&column->type, datum), NULL);
}

static int run_list(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *bridge;
    size_t n;
    int result = topology_get_bridge_row(store, invocation->args[0], &bridge, error);

    if (result)
        return result;
    struct store_row **mirrors = topology_referred(store, bridge, "mirrors", &n);
    struct table *table = table_create();
    for (size_t i = 0; i < ARRAY_SIZE(other_columns); i++)
        table_add_column(table, other_columns[i]);
    for (size_t i = 0; i < ARRAY_SIZE(port_columns); i++)
        table_add_column(table, port_columns[i]);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(other_columns); j++)
            add_value_cell(store, mirrors[i], other_columns[j], table);
        for (size_t j = 0; j < ARRAY_SIZE(port_columns); j++)
            add_ports_cell(store, mirrors[i], port_columns[j], table);
    }
    table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    free(mirrors);
    return 0;
}

static const struct command rows[] = {
    {.name = "add-mirror",
     .arguments = "BRIDGE MIRROR output_port=PORT|output_vlan=VLAN [COLUMN=VALUE]...",
     .summary = "Copy frames of a bridge, all unless select_ columns say which",
     .group = GROUP_CONFIG,
     .min_args = 3,
     .max_args = -1,
     .prepare = prepare_mirror,
     .run = run_add},
    {.name = "del-mirror",
     .arguments = "BRIDGE MIRROR",
     .options = "--if-exists",
     .summary = "Delete a mirror",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 2,
     .prepare = prepare_mirror,
     .run = run_del},
    {.name = "list-mirrors",
     .arguments = "BRIDGE",
     .summary = "Print the mirrors of a bridge",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_mirror,
     .run = run_list},
};

const struct command_rows mirror_commands = {rows, ARRAY_SIZE(rows)};
