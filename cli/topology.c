/* SPDX-License-Identifier: Apache-2.0 */

/* References point down (bridge to port to interface), so going up means to look at all. */

#include "cli/topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ovsdb/diff.h"

int topology_prepare(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;

    (void)invocation, (void)error;
    store_want(store, "Open_vSwitch", "bridges");
    store_want(store, "Bridge", "name");
    store_want(store, "Bridge", "ports");
    store_want(store, "Port", "name");
    store_want(store, "Port", "interfaces");
    store_want(store, "Port", "tag");
    store_want(store, "Port", "fake_bridge");
    store_want(store, "Interface", "name");
    return 0;
}

struct store_row *topology_root(struct store *store)
{
    return store_first(store, lookup_known_table(store, "Open_vSwitch"));
}

static struct store_row *find_by_name(struct store *store, const char *table, const char *name)
{
    return store_find_string(store, lookup_known_table(store, table),
                             lookup_known_column(store, table, "name"), name);
}

struct store_row *topology_find_port(struct store *store, const char *name)
{
    return find_by_name(store, "Port", name);
}

struct store_row *topology_find_interface(struct store *store, const char *name)
{
    return find_by_name(store, "Interface", name);
}

static struct store_row *find_referrer(struct store *store, const char *table, const char *column,
                                       const struct store_row *row)
{
    const struct column_schema *reference = lookup_known_column(store, table, column);
    union atom key = {.uuid = *store_row_uuid(row)};
    struct store_row *from = store_first(store, lookup_known_table(store, table));

    while (from && datum_find(store_get(from, reference), &key) < 0)
        from = store_next(from);
    return from;
}

struct store_row *topology_port_of_interface(struct store *store, const struct store_row *interface)
{
    return find_referrer(store, "Port", "interfaces", interface);
}

static const struct column_schema *column_of(const struct store *store, const struct store_row *row,
                                             const char *column)
{
    return lookup_known_column(store, store_row_table(row)->name, column);
}

const char *topology_name(const struct store *store, const struct store_row *row)
{
    const char *name = topology_get_string(store, row, "name");

    return name ? name : "";
}

struct named_row {
    const char *name;
    struct store_row *row;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct named_row *)a)->name, ((const struct named_row *)b)->name);
}

struct store_row **topology_referred(struct store *store, const struct store_row *row,
                                     const char *column_name, size_t *n)
{
    const struct column_schema *column = column_of(store, row, column_name);
    const struct table_schema *table = lookup_known_table(store, column->type.key.ref_table);
    const struct datum *references = store_get(row, column);
    struct named_row *named = calloc(references->n + 1, sizeof *named);
    struct store_row **rows = calloc(references->n + 1, sizeof *rows);

    if (!named || !rows)
        abort();
    *n = 0;
    for (size_t i = 0; i < references->n; i++) {
        struct store_row *to = store_find_uuid(store, table, &references->keys[i].uuid);
        if (!to)
            continue;
        bool has_name = table_schema_column(table, "name");
        named[(*n)++] = (struct named_row){has_name ? topology_name(store, to) : "", to};
    }
    qsort(named, *n, sizeof *named, compare_names);
    for (size_t i = 0; i < *n; i++)
        rows[i] = named[i].row;
    free(named);
    return rows;
}

/* --- Bridges, real and fake ---------------------------------------------------------------- */

enum { VLAN_MAX = 4095 };

/* -1: none that a fake bridge could have. */
static int64_t vlan_of_port(const struct store *store, const struct store_row *port)
{
    const struct datum *tag = store_get(port, column_of(store, port, "tag"));

    return tag->n && tag->keys[0].integer >= 0 && tag->keys[0].integer <= VLAN_MAX
               ? tag->keys[0].integer
               : -1;
}

static bool makes_fake_bridge(const struct store *store, const struct store_row *port)
{
    const struct datum *is_fake = store_get(port, column_of(store, port, "fake_bridge"));

    return is_fake->n && is_fake->keys[0].boolean && vlan_of_port(store, port) >= 0 &&
           !find_by_name((struct store *)store, "Bridge", topology_name(store, port));
}

static struct bridge describe_fake(const struct store *store, struct store_row *parent,
                                   struct store_row *port)
{
    return (struct bridge){.name = topology_name(store, port),
                           .row = parent,
                           .fake = port,
                           .vlan = vlan_of_port(store, port)};
}

bool topology_find_fake_bridge(struct store *store, struct store_row *parent, int64_t vlan,
                               struct bridge *bridge)
{
    size_t n;
    struct store_row **ports = topology_referred(store, parent, "ports", &n);
    bool is_found = false;

    for (size_t i = 0; !is_found && i < n; i++) {
        is_found = vlan_of_port(store, ports[i]) == vlan && makes_fake_bridge(store, ports[i]);
        if (is_found)
            *bridge = describe_fake(store, parent, ports[i]);
    }
    free(ports);
    return is_found;
}

bool topology_find_bridge(struct store *store, const char *name, struct bridge *bridge)
{
    struct store_row *row = find_by_name(store, "Bridge", name), *port;

    if (row) {
        *bridge = (struct bridge){.name = topology_name(store, row), .row = row};
        return true;
    }
    if (!(port = topology_find_port(store, name)) || !makes_fake_bridge(store, port) ||
        !(row = find_referrer(store, "Bridge", "ports", port)))
        return false;
    *bridge = describe_fake(store, row, port);
    return true;
}

bool topology_bridge_of_port(struct store *store, const struct store_row *port,
                             struct bridge *bridge)
{
    struct store_row *row = find_referrer(store, "Bridge", "ports", port);
    int64_t vlan = vlan_of_port(store, port);

    if (!row)
        return false;
    if (vlan < 0 || !topology_find_fake_bridge(store, row, vlan, bridge))
        *bridge = (struct bridge){.name = topology_name(store, row), .row = row};
    return true;
}

int topology_get_bridge(struct store *store, const char *name, struct bridge *bridge,
                        struct error *error)
{
    return topology_find_bridge(store, name, bridge)
               ? 0
               : error_set(error, -ENOENT, "there is no bridge %s (weir list-br lists them)",
                           shown(name).text);
}

int topology_get_bridge_row(struct store *store, const char *name, struct store_row **row,
                            struct error *error)
{
    struct bridge bridge;
    int result = topology_get_bridge(store, name, &bridge, error);

    if (!result && bridge.fake)
        result = error_set(error, -EINVAL,
                           "%s is a bridge inside VLAN %lld of %s: it has no settings of its own",
                           bridge.name, (long long)bridge.vlan, topology_name(store, bridge.row));
    *row = result ? NULL : bridge.row;
    return result;
}

int topology_check_name_is_free(struct store *store, const char *name, struct error *error)
{
    struct bridge bridge;

    if (topology_find_bridge(store, name, &bridge))
        return error_set(error, -EEXIST, "%s is the name of a bridge already", shown(name).text);
    if (topology_find_port(store, name))
        return error_set(error, -EEXIST, "%s is the name of a port already", shown(name).text);
    if (topology_find_interface(store, name))
        return error_set(error, -EEXIST, "%s is the name of an interface already",
                         shown(name).text);
    return 0;
}

static int compare_bridges(const void *a, const void *b)
{
    return strcmp(((const struct bridge *)a)->name, ((const struct bridge *)b)->name);
}

struct bridge *topology_bridges(struct store *store, size_t *n)
{
    size_t n_rows, n_ports, max = 0;
    struct store_row **rows = topology_referred(store, topology_root(store), "bridges", &n_rows);
    struct bridge *bridges = NULL;

    *n = 0;
    for (size_t i = 0; i < n_rows; i++) {
        struct store_row **ports = topology_referred(store, rows[i], "ports", &n_ports);
        max += n_ports + 1;
        bridges = reallocarray(bridges, max, sizeof *bridges);
        if (!bridges)
            abort();
        bridges[(*n)++] = (struct bridge){.name = topology_name(store, rows[i]), .row = rows[i]};
        for (size_t j = 0; j < n_ports; j++)
            if (makes_fake_bridge(store, ports[j]))
                bridges[(*n)++] = describe_fake(store, rows[i], ports[j]);
        free(ports);
    }
    if (*n)
        qsort(bridges, *n, sizeof *bridges, compare_bridges);
    free(rows);
    return bridges;
}

/* Which VLANs of a bridge belong to fake bridges. */
static void find_fake_vlans(const struct store *store, struct store_row *const ports[], size_t n,
                            bool is_fake_vlan[VLAN_MAX + 1])
{
    memset(is_fake_vlan, 0, (VLAN_MAX + 1) * sizeof *is_fake_vlan);
    for (size_t i = 0; i < n; i++)
        if (makes_fake_bridge(store, ports[i]))
            is_fake_vlan[vlan_of_port(store, ports[i])] = true;
}

struct store_row **topology_ports(struct store *store, const struct bridge *bridge, size_t *n)
{
    size_t n_all;
    struct store_row **ports = topology_referred(store, bridge->row, "ports", &n_all);
    bool is_fake_vlan[VLAN_MAX + 1];

    find_fake_vlans(store, ports, n_all, is_fake_vlan);
    *n = 0;
    for (size_t i = 0; i < n_all; i++) {
        int64_t vlan = vlan_of_port(store, ports[i]);
        bool is_of_fake = vlan >= 0 && is_fake_vlan[vlan];
        if (bridge->fake ? vlan == bridge->vlan : !is_of_fake)
            ports[(*n)++] = ports[i];
    }
    return ports;
}

/* --- Values -------------------------------------------------------------------------------- */

void topology_set_string(struct store *store, struct store_row *row, const char *column,
                         const char *text)
{
    struct datum *datum = datum_create(ATOM_STRING, ATOM_VOID, text ? 1 : 0);

    if (text)
        datum->keys[0].string = strdup(text);
    store_set_take(row, column_of(store, row, column), datum);
}

const char *topology_get_string(const struct store *store, const struct store_row *row,
                                const char *column)
{
    const struct datum *datum = store_get(row, column_of(store, row, column));

    return datum->n ? datum->keys[0].string : NULL;
}

void topology_set_integer(struct store *store, struct store_row *row, const char *column,
                          int64_t integer)
{
    struct datum *datum = datum_create(ATOM_INTEGER, ATOM_VOID, 1);

    datum->keys[0].integer = integer;
    store_set_take(row, column_of(store, row, column), datum);
}

void topology_set_boolean(struct store *store, struct store_row *row, const char *column,
                          bool boolean)
{
    struct datum *datum = datum_create(ATOM_BOOLEAN, ATOM_VOID, 1);

    datum->keys[0].boolean = boolean;
    store_set_take(row, column_of(store, row, column), datum);
}

void topology_clear(struct store *store, struct store_row *row, const char *column_name)
{
    const struct column_schema *column = column_of(store, row, column_name);

    store_set_take(row, column, datum_create(column->type.key.type, column->type.value.type, 0));
}

static struct datum *make_reference(const struct store_row *to)
{
    struct datum *datum = datum_create(ATOM_UUID, ATOM_VOID, 1);

    datum->keys[0].uuid = *store_row_uuid(to);
    return datum;
}

void topology_add_reference(struct store *store, struct store_row *from, const char *column_name,
                            const struct store_row *to)
{
    const struct column_schema *column = column_of(store, from, column_name);
    struct datum *reference = make_reference(to);

    store_set_take(from, column, datum_union(store_get(from, column), reference));
    datum_unref(reference);
}

void topology_remove_reference(struct store *store, struct store_row *from, const char *column_name,
                               const struct store_row *to)
{
    const struct column_schema *column = column_of(store, from, column_name);
    struct datum *reference = make_reference(to);

    store_set_take(from, column, datum_difference(store_get(from, column), reference));
    datum_unref(reference);
}

/* --- Made and deleted ---------------------------------------------------------------------- */

struct store_row *topology_add_interface(struct store *store, struct store_row *port,
                                         const char *name)
{
    struct store_row *interface = store_insert(store, lookup_known_table(store, "Interface"));

    topology_set_string(store, interface, "name", name);
    topology_add_reference(store, port, "interfaces", interface);
    return interface;
}

struct store_row *topology_add_port(struct store *store, const struct bridge *bridge,
                                    const char *name)
{
    struct store_row *port = store_insert(store, lookup_known_table(store, "Port"));

    topology_set_string(store, port, "name", name);
    if (bridge->fake)
        topology_set_integer(store, port, "tag", bridge->vlan);
    topology_add_reference(store, bridge->row, "ports", port);
    return port;
}

struct store_row *topology_add_bridge(struct store *store, const char *name)
{
    struct store_row *row = store_insert(store, lookup_known_table(store, "Bridge"));

    topology_set_string(store, row, "name", name);
    topology_add_reference(store, topology_root(store), "bridges", row);
    return row;
}

static void delete_port_rows(struct store *store, struct store_row *port)
{
    size_t n;
    struct store_row **interfaces = topology_referred(store, port, "interfaces", &n);

    for (size_t i = 0; i < n; i++)
        store_delete(interfaces[i]);
    store_delete(port);
    free(interfaces);
}

void topology_delete_port(struct store *store, struct store_row *port)
{
    struct store_row *bridge = find_referrer(store, "Bridge", "ports", port);

    if (bridge)
        topology_remove_reference(store, bridge, "ports", port);
    delete_port_rows(store, port);
}

/* A real bridge takes the fake ones inside it along. */
void topology_delete_bridge(struct store *store, const struct bridge *bridge)
{
    size_t n;
    struct store_row **ports = bridge->fake ? topology_ports(store, bridge, &n)
                                            : topology_referred(store, bridge->row, "ports", &n);

    for (size_t i = 0; i < n; i++) {
        if (bridge->fake)
            topology_remove_reference(store, bridge->row, "ports", ports[i]);
        delete_port_rows(store, ports[i]);
    }
    free(ports);
    if (bridge->fake)
        return;
    topology_remove_reference(store, topology_root(store), "bridges", bridge->row);
    store_delete(bridge->row);
}
