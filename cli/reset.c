/* SPDX-License-Identifier: Apache-2.0 */

/* emer-reset: back to a switch that switches, and hears nobody. */

#include <string.h>

#include "cli/nouns.h"
#include "cli/topology.h"

/* What is emptied; rows that only these refer to go with the references. */
static const struct {
    const char *table, *column;
} cleared[] = {
    {"Open_vSwitch", "manager_options"},
    {"Open_vSwitch", "ssl"},
    {"Bridge", "controller"},
    {"Bridge", "fail_mode"},
    {"Bridge", "mirrors"},
    {"Bridge", "netflow"},
    {"Bridge", "sflow"},
    {"Bridge", "ipfix"},
    {"Bridge", "other_config"},
    {"Port", "other_config"},
};

static const char *const policing[] = {"ingress_policing_rate", "ingress_policing_burst"};

static int prepare_reset(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(cleared); i++)
        store_want(context->store, cleared[i].table, cleared[i].column);
    for (size_t i = 0; i < ARRAY_SIZE(policing); i++)
        store_want(context->store, "Interface", policing[i]);
    return topology_prepare(context, invocation, error);
}

static struct datum *make_pair(const char *key, const char *value)
{
    struct datum *pair = datum_create(ATOM_STRING, ATOM_STRING, value ? 1 : 0);

    if (value) {
        pair->keys[0].string = strdup(key);
        pair->values[0].string = strdup(value);
    }
    return pair;
}

/* All but the address that a bridge was given: changing it would cut off what still works. */
static void keep_address(const struct store *store, struct store_row *bridge)
{
    const struct column_schema *column = lookup_known_column(store, "Bridge", "other_config");

    store_set_take(bridge, column,
                   make_pair("hwaddr", datum_map_get(store_get(bridge, column), "hwaddr")));
}

static int run_reset(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    const struct table_schema *interfaces = lookup_known_table(store, "Interface");

    (void)invocation, (void)error;
    for (size_t i = 0; i < ARRAY_SIZE(cleared); i++) {
        const struct table_schema *table = lookup_known_table(store, cleared[i].table);
        bool has_address = !strcmp(cleared[i].table, "Bridge") &&
                           !strcmp(cleared[i].column, "other_config");
        for (struct store_row *row = store_first(store, table); row; row = store_next(row)) {
            if (has_address)
                keep_address(store, row);
            else
                topology_clear(store, row, cleared[i].column);
        }
    }
    for (struct store_row *row = store_first(store, interfaces); row; row = store_next(row))
        for (size_t i = 0; i < ARRAY_SIZE(policing); i++)
            topology_set_integer(store, row, policing[i], 0);
    return 0;
}

static const struct command rows[] = {
    {.name = "emer-reset",
     .arguments = "",
     .summary = "Remove controllers, managers, mirrors, policing and other_config; keep bridges",
     .group = GROUP_CONFIG,
     .prepare = prepare_reset,
     .run = run_reset},
};

const struct command_rows reset_commands = {rows, ARRAY_SIZE(rows)};
