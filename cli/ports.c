/* SPDX-License-Identifier: Apache-2.0 */

/* One line for each interface: where it is, how it does. */

#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/topology.h"

/* What a line says: a column, or a key of a column that is a map. */
static const struct {
    const char *heading, *table, *column, *key;
} cells[] = {
    {"ofport", "Interface", "ofport", NULL},
    {"type", "Interface", "type", NULL},
    {"tag", "Port", "tag", NULL},
    {"link", "Interface", "link_state", NULL},
    {"mtu", "Interface", "mtu", NULL},
    {"path", "Interface", "status", "path"},
    {"rx_packets", "Interface", "statistics", "rx_packets"},
    {"tx_packets", "Interface", "statistics", "tx_packets"},
    {"rx_dropped", "Interface", "statistics", "rx_dropped"},
    {"tx_dropped", "Interface", "statistics", "tx_dropped"},
    {"error", "Interface", "error", NULL},
};

static int prepare_ports(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        store_want(context->store, cells[i].table, cells[i].column);
    return topology_prepare(context, invocation, error);
}

static void add_nothing(struct table *table)
{
    table_add_cell_take(table, strdup("-"), json_null(), NULL);
}

static void add_atom(struct table *table, enum atom_type type, const union atom *atom)
{
    struct buffer text = BUFFER_INIT;

    value_format_atom(type, atom, DATA_BARE, &text);
    if (!text.size)
        buffer_putc(&text, '-');
    table_add_cell_take(table, buffer_take_text(&text), value_atom_to_json(type, atom), NULL);
}

static void add_cell(struct table *table, const struct store *store, const struct store_row *row,
                     const char *column, const char *key)
{
    const char *table_name = store_row_table(row)->name;
    const struct datum *datum = store_get(row, lookup_known_column(store, table_name, column));
    ptrdiff_t i = key ? datum_find_string(datum, key) : datum->n ? 0 : -1;

    if (i < 0)
        add_nothing(table);
    else if (key)
        add_atom(table, datum->value_type, &datum->values[i]);
    else
        add_atom(table, datum->key_type, &datum->keys[i]);
}

static void add_interface(struct table *table, const struct store *store,
                          const struct store_row *bridge, const struct store_row *port,
                          const struct store_row *interface)
{
    table_add_text(table, topology_name(store, bridge));
    table_add_text(table, topology_name(store, interface));
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        add_cell(table, store, strcmp(cells[i].table, "Port") ? interface : port, cells[i].column,
                 cells[i].key);
}

static void add_bridge(struct table *table, struct store *store, const struct store_row *bridge)
{
    size_t n_ports, n;
    struct store_row **ports = topology_referred(store, bridge, "ports", &n_ports);

    for (size_t i = 0; i < n_ports; i++) {
        struct store_row **interfaces = topology_referred(store, ports[i], "interfaces", &n);
        for (size_t j = 0; j < n; j++)
            add_interface(table, store, bridge, ports[i], interfaces[j]);
        free(interfaces);
    }
    free(ports);
}

static int run_ports(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *only = NULL;

    if (invocation->n_args && topology_get_bridge_row(store, invocation->args[0], &only, error))
        return error->code;

    size_t n;
    struct store_row **bridges = topology_referred(store, topology_root(store), "bridges", &n);
    struct table *table = table_create();
    table_add_column(table, "bridge");
    table_add_column(table, "port");
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        table_add_column(table, cells[i].heading);
    for (size_t i = 0; i < n; i++)
        if (!only || only == bridges[i])
            add_bridge(table, store, bridges[i]);
    table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    free(bridges);
    return 0;
}

static const struct command rows[] = {
    {.name = "ports",
     .arguments = "[BRIDGE]",
     .summary = "Print one line for each port: number, link, path, counters, error",
     .group = GROUP_LOOK,
     .max_args = 1,
     .prepare = prepare_ports,
     .run = run_ports},
};

const struct command_rows ports_commands = {rows, ARRAY_SIZE(rows)};
