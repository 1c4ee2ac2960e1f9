/* SPDX-License-Identifier: Apache-2.0 */

/* Auto-attach: which VLAN of a bridge stands for which service of a backbone. */

#include <errno.h>
#include <stdlib.h>

#include "cli/nouns.h"
#include "cli/topology.h"
#include "lib/ovsdb/diff.h"

static int prepare_mapping(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    store_want(context->store, "Bridge", "auto_attach");
    store_want(context->store, "AutoAttach", "mappings");
    return topology_prepare(context, invocation, error);
}

static const struct column_schema *mappings_column(const struct store *store)
{
    return lookup_known_column(store, "AutoAttach", "mappings");
}

/* Of the bridge, or of the parent of a fake one.  NULL: it has no row of AutoAttach. */
static int find_row(struct context *context, const char *name, struct bridge *bridge,
                    struct store_row **row, struct error *error)
{
    int result = topology_get_bridge(context->store, name, bridge, error);
    size_t n;

    *row = NULL;
    if (result)
        return result;
    struct store_row **rows = topology_referred(context->store, bridge->row, "auto_attach", &n);
    *row = n ? rows[0] : NULL;
    free(rows);
    return 0;
}

static int parse_number(const char *text, const char *what, int64_t *number, struct error *error)
{
    char *end;

    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && !*end && !errno
               ? 0
               : error_set(error, -EINVAL, "%s %s is not a number", what, shown(text).text);
}

static int parse_pair(const struct invocation *invocation, struct datum **pair, struct error *error)
{
    int64_t service, vlan;
    int result = parse_number(invocation->args[1], "service", &service, error);

    if (!result)
        result = parse_number(invocation->args[2], "VLAN", &vlan, error);
    if (result)
        return result;
    *pair = datum_create(ATOM_INTEGER, ATOM_INTEGER, 1);
    (*pair)->keys[0].integer = service;
    (*pair)->values[0].integer = vlan;
    return 0;
}

static int run_add(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const struct column_schema *column = mappings_column(store);
    struct bridge bridge;
    struct store_row *row;
    struct datum *pair;
    int result = find_row(context, invocation->args[0], &bridge, &row, error);

    if (!result)
        result = parse_pair(invocation, &pair, error);
    if (!result && (result = column_type_check(&column->type, pair, error)) < 0)
        datum_unref(pair);
    if (result)
        return result;
    if (!row) {
        row = store_insert(store, lookup_known_table(store, "AutoAttach"));
        topology_add_reference(store, bridge.row, "auto_attach", row);
    }
    store_set_take(row, column, datum_union(pair, store_get(row, column)));
    datum_unref(pair);
    return 0;
}

static int run_del(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct column_schema *column = mappings_column(context->store);
    struct bridge bridge;
    struct store_row *row;
    struct datum *pair;
    int result = find_row(context, invocation->args[0], &bridge, &row, error);

    if (!result)
        result = parse_pair(invocation, &pair, error);
    if (result)
        return result;
    if (row)
        store_set_take(row, column, datum_difference(store_get(row, column), pair));
    datum_unref(pair);
    return 0;
}

static int run_get(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct column_schema *column = mappings_column(context->store);
    struct bridge bridge;
    struct store_row *row;
    int result = find_row(context, invocation->args[0], &bridge, &row, error);

    if (result)
        return result;
    if (options_is_json(&context->options)) {
        json_print_take(row ? value_to_json(&column->type, store_get(row, column)) : json_object(),
                        &context->options.style, &invocation->output);
        return 0;
    }
    const struct datum *mappings = row ? store_get(row, column) : NULL;
    for (size_t i = 0; mappings && i < mappings->n; i++)
        buffer_printf(&invocation->output, "%lld %lld\n", (long long)mappings->keys[i].integer,
                      (long long)mappings->values[i].integer);
    return 0;
}

static const struct command rows[] = {
    {.name = "add-aa-mapping",
     .arguments = "BRIDGE SERVICE VLAN",
     .summary = "Let a VLAN of a bridge stand for a service of a backbone (auto-attach)",
     .group = GROUP_CONFIG,
     .min_args = 3,
     .max_args = 3,
     .prepare = prepare_mapping,
     .run = run_add},
    {.name = "del-aa-mapping",
     .arguments = "BRIDGE SERVICE VLAN",
     .summary = "Remove what add-aa-mapping did",
     .group = GROUP_CONFIG,
     .min_args = 3,
     .max_args = 3,
     .prepare = prepare_mapping,
     .run = run_del},
    {.name = "get-aa-mapping",
     .arguments = "BRIDGE",
     .summary = "Print services and their VLANs",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_mapping,
     .run = run_get},
};

const struct command_rows auto_attach_commands = {rows, ARRAY_SIZE(rows)};
