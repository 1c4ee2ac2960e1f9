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

struct store_row *topology_find_bridge(struct store *store, const char *name)
{
    return find_by_name(store, "Bridge", name);
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

struct store_row *topology_bridge_of_port(struct store *store, const struct store_row *port)
{
    return find_referrer(store, "Bridge", "ports", port);
}

struct store_row *topology_port_of_interface(struct store *store, const struct store_row *interface)
{
    return find_referrer(store, "Port", "interfaces", interface);
}

int topology_get_bridge(struct store *store, const char *name, struct store_row **bridge,
                        struct error *error)
{
    *bridge = topology_find_bridge(store, name);
    return *bridge ? 0
                   : error_set(error, -ENOENT, "there is no bridge %s (weir list-br lists them)",
                               shown(name).text);
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

static void delete_port_rows(struct store *store, struct store_row *port)
{
    size_t n;
    struct store_row **interfaces = topology_referred(store, port, "interfaces", &n);

    for (size_t i = 0; i < n; i++)
        store_delete(interfaces[i]);
    store_delete(port);
    free(interfaces);
}

void topology_delete_port(struct store *store, struct store_row *bridge, struct store_row *port)
{
    topology_remove_reference(store, bridge, "ports", port);
    delete_port_rows(store, port);
}

void topology_delete_bridge(struct store *store, struct store_row *bridge)
{
    size_t n;
    struct store_row **ports = topology_referred(store, bridge, "ports", &n);

    for (size_t i = 0; i < n; i++)
        delete_port_rows(store, ports[i]);
    free(ports);
    topology_remove_reference(store, topology_root(store), "bridges", bridge);
    store_delete(bridge);
}
