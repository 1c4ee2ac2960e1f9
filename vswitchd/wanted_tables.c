/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/wanted_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/log.h"
#include "lib/ovsdb/client.h"

LOG_MODULE(wanted);

enum { N_CONFIGURABLE = 254 };

/* A field whose place is not fixed has none by which flows could be divided for good. */
static bool parse_group(const char *text, struct of_subfield *group, struct error *error)
{
    if (of_subfield_parse(text, group, error))
        return false;
    if (of_field_is_option(group->field))
        error_set(error, -EINVAL, "%s: options of tunnels do not divide flows", text);
    return !of_field_is_option(group->field);
}

static void read_groups(const char *bridge, const struct ovsdb_row *row, struct wanted_table *table)
{
    size_t n = ovsdb_row_count(row, "groups");

    table->groups = calloc(n + 1, sizeof *table->groups);
    if (!table->groups)
        abort();
    table->limits.groups = table->groups;
    for (size_t i = 0; i < n; i++) {
        struct error error = ERROR_INIT;
        if (parse_group(ovsdb_row_string_at(row, "groups", i),
                        &table->groups[table->limits.n_groups], &error))
            table->limits.n_groups++;
        else
            log_warn_limited("bridge %s: flow table %u: groups: %s", bridge, table->table_id,
                             error.message);
    }
}

static void read_table(const char *bridge, const struct ovsdb_row *row, struct wanted_table *table)
{
    const char *policy = ovsdb_row_string(row, "overflow_policy");
    const char *name = ovsdb_row_string(row, "name");
    int64_t limit = ovsdb_row_integer(row, "flow_limit", UINT32_MAX);

    table->name = name && *name ? strdup(name) : NULL;
    table->limits.max_flows = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
    table->limits.does_evict = policy && !strcmp(policy, "evict");
    read_groups(bridge, row, table);
}

void wanted_tables_read(const struct ovsdb_row *bridge, struct wanted_tables *tables)
{
    size_t n = ovsdb_row_count(bridge, "flow_tables");
    const char *name = ovsdb_row_string(bridge, "name");

    *tables = (struct wanted_tables){.tables = calloc(n + 1, sizeof *tables->tables)};
    if (!tables->tables)
        abort();
    for (size_t i = 0; i < n; i++) {
        int64_t id = ovsdb_row_integer_at(bridge, "flow_tables", i);
        const struct ovsdb_row *row = ovsdb_row_ref_at(bridge, "flow_tables", i);
        if (id >= N_CONFIGURABLE)
            log_warn_limited("bridge %s: flow table %d is the switch's own", name, (int)id);
        if (!row || id < 0 || id >= N_CONFIGURABLE)
            continue;
        struct wanted_table *table = &tables->tables[tables->n++];
        table->table_id = (uint8_t)id;
        read_table(name, row, table);
    }
}

void wanted_tables_fini(struct wanted_tables *tables)
{
    for (size_t i = 0; i < tables->n; i++) {
        free(tables->tables[i].name);
        free(tables->tables[i].groups);
    }
    free(tables->tables);
}
