/* SPDX-License-Identifier: Apache-2.0 */

/* The switch on one page: what ovs-vsctl(8) shows, and of each interface its number, link, path and
 * error as well.  Under the name ovs-vsctl it is that program's page. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/of_switch.h"
#include "cli/topology.h"

/* A level of the page: which rows, and which of their columns in this order (those that are empty
 * are left out).  A column that refers to another level stands for its rows. */
struct level {
    const char *table, *title; /* The table, and what a row is called. */
    const char *key;           /* The column in the title. */
    const char *columns[10];   /* "column" or "column:key". */
    const struct level *below[2];
    const char *references[2]; /* Column that refers to the rows of below[i]. */
    const char *names[2];      /* And its name in JSON. */
};

static const struct level controller_level = {
    .table = "Controller", .title = "Controller", .key = "target", .columns = {"is_connected"}};

static const struct level manager_level = {
    .table = "Manager", .title = "Manager", .key = "target", .columns = {"is_connected"}};

static const struct level interface_level = {
    .table = "Interface",
    .title = "Interface",
    .key = "name",
    .columns = {"type", "options", "ofport", "link_state", "status:path", "status:path_reason",
                "status:foreign_programs", "error"},
};

static const struct level port_level = {
    .table = "Port",
    .title = "Port",
    .key = "name",
    .columns = {"tag", "trunks", "vlan_mode", "interfaces"},
    .below = {&interface_level},
    .references = {"interfaces"},
    .names = {"interfaces"},
};

static const struct level bridge_level = {
    .table = "Bridge",
    .title = "Bridge",
    .key = "name",
    .columns = {"fail_mode", "datapath_type", "datapath_id", "controller", "ports"},
    .below = {&controller_level, &port_level},
    .references = {"controller", "ports"},
    .names = {"controllers", "ports"},
};

static const struct level root_level = {
    .table = "Open_vSwitch",
    .columns = {"ovs_version", "manager_options", "bridges"},
    .below = {&manager_level, &bridge_level},
    .references = {"manager_options", "bridges"},
    .names = {"managers", "bridges"},
};

static const struct level vsctl_interface_level = {
    .table = "Interface",
    .title = "Interface",
    .key = "name",
    .columns = {"type", "options", "error"},
};

static const struct level vsctl_port_level = {
    .table = "Port",
    .title = "Port",
    .key = "name",
    .columns = {"tag", "trunks", "interfaces"},
    .below = {&vsctl_interface_level},
    .references = {"interfaces"},
};

static const struct level vsctl_bridge_level = {
    .table = "Bridge",
    .title = "Bridge",
    .key = "name",
    .columns = {"controller", "fail_mode", "datapath_type", "ports"},
    .below = {&controller_level, &vsctl_port_level},
    .references = {"controller", "ports"},
};

static const struct level vsctl_root_level = {
    .table = "Open_vSwitch",
    .columns = {"manager_options", "bridges", "ovs_version"},
    .below = {&manager_level, &vsctl_bridge_level},
    .references = {"manager_options", "bridges"},
};

static void want_level(struct store *store, const struct level *level)
{
    store_want(store, level->table, level->key);
    for (size_t i = 0; level->columns[i]; i++) {
        char *name = strdup(level->columns[i]);
        name[strcspn(name, ":")] = '\0';
        store_want(store, level->table, name);
        free(name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(level->below) && level->below[i]; i++)
        want_level(store, level->below[i]);
}

static const struct level *top_level(const struct context *context)
{
    return context->options.as_vsctl ? &vsctl_root_level : &root_level;
}

static int prepare_show(struct context *context, struct invocation *invocation, struct error *error)
{
    want_level(context->store, top_level(context));
    return topology_prepare(context, invocation, error);
}

/* One entry of level->columns of one row. */
struct entry {
    char name[64];
    const struct column_schema *column;
    const struct datum *datum;
    const char *value; /* Of "column:key"; NULL: the whole column. */
};

/* False if there is nothing to show. */
static bool find_entry(const struct store_row *row, const char *word, struct entry *entry)
{
    const char *colon = strchr(word, ':');

    snprintf(entry->name, sizeof entry->name, "%.*s", (int)strcspn(word, ":"), word);
    entry->column = table_schema_column(store_row_table(row), entry->name);
    if (!entry->column)
        return false;
    entry->datum = store_get(row, entry->column);
    entry->value = colon ? datum_map_get(entry->datum, colon + 1) : NULL;
    if (!colon)
        return entry->datum->n && !datum_equal(entry->datum, entry->column->default_value);
    snprintf(entry->name, sizeof entry->name, "%s", colon + 1);
    return entry->value;
}

static void indent(struct buffer *out, size_t depth)
{
    for (size_t i = 0; i < 4 * depth; i++)
        buffer_putc(out, ' ');
}

static void print_title(struct store *store, const struct level *level, const struct store_row *row,
                        struct buffer *out)
{
    char uuid[UUID_TEXT_BYTES];

    if (!level->key) {
        uuid_format(store_row_uuid(row), uuid);
        buffer_printf(out, "%s\n", uuid);
        return;
    }
    const struct column_schema *column = lookup_known_column(store, level->table, level->key);
    buffer_printf(out, "%s ", level->title);
    value_format(&column->type, store_get(row, column), DATA_STRING, out);
    buffer_putc(out, '\n');
}

/* Which of the levels below a column refers to; ARRAY_SIZE(level->below) if none. */
static size_t find_below(const struct level *level, const char *column)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(level->below) &&
           !(level->below[i] && !strcmp(level->references[i], column)))
        i++;
    return i;
}

static void print_level(struct store *store, const struct level *level, const struct store_row *row,
                        size_t depth, struct buffer *out);

static void print_below(struct store *store, const struct level *level, size_t i,
                        const struct store_row *row, size_t depth, struct buffer *out)
{
    size_t n;
    struct store_row **below = topology_referred(store, row, level->references[i], &n);

    for (size_t j = 0; j < n; j++)
        print_level(store, level->below[i], below[j], depth, out);
    free(below);
}

static void print_entry(const struct entry *entry, size_t depth, struct buffer *out)
{
    indent(out, depth);
    buffer_printf(out, "%s: ", entry->name);
    if (entry->value)
        buffer_puts(out, entry->value);
    else
        value_format(&entry->column->type, entry->datum, DATA_STRING, out);
    buffer_putc(out, '\n');
}

static void print_level(struct store *store, const struct level *level, const struct store_row *row,
                        size_t depth, struct buffer *out)
{
    struct entry entry;

    indent(out, depth);
    print_title(store, level, row, out);
    for (size_t i = 0; level->columns[i]; i++) {
        size_t below = find_below(level, level->columns[i]);
        if (below < ARRAY_SIZE(level->below))
            print_below(store, level, below, row, depth + 1, out);
        else if (find_entry(row, level->columns[i], &entry))
            print_entry(&entry, depth + 1, out);
    }
}

static json_t *level_json(struct store *store, const struct level *level,
                          const struct store_row *row)
{
    json_t *json = json_object();
    char uuid[UUID_TEXT_BYTES];

    uuid_format(store_row_uuid(row), uuid);
    json_object_set_new(
        json, level->key ? level->key : "_uuid",
        json_string(level->key ? topology_get_string(store, row, level->key) : uuid));
    for (size_t i = 0; level->columns[i]; i++) {
        struct entry entry;
        if (find_below(level, level->columns[i]) == ARRAY_SIZE(level->below) &&
            find_entry(row, level->columns[i], &entry))
            json_object_set_new(json, entry.name,
                                entry.value ? json_string(entry.value)
                                            : value_to_json(&entry.column->type, entry.datum));
    }
    for (size_t i = 0; i < ARRAY_SIZE(level->below) && level->below[i]; i++) {
        size_t n;
        json_t *list = json_array();
        struct store_row **below = topology_referred(store, row, level->references[i], &n);
        for (size_t j = 0; j < n; j++)
            json_array_append_new(list, level_json(store, level->below[i], below[j]));
        json_object_set_new(json, level->names[i], list);
        free(below);
    }
    return json;
}

static int run_show(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *root = topology_root(store);

    (void)error;
    if (options_is_json(&context->options))
        json_print_take(level_json(store, &root_level, root), &context->options.style,
                        &invocation->output);
    else
        print_level(store, top_level(context), root, 0, &invocation->output);
    return 0;
}

static int prepare_init(struct context *context, struct invocation *invocation, struct error *error)
{
    (void)invocation, (void)error;
    store_want(context->store, "Open_vSwitch", NULL);
    return 0;
}

/* The row of Open_vSwitch is made for every database that lacks it, so nothing is left to do. */
static int run_init(struct context *context, struct invocation *invocation, struct error *error)
{
    (void)context, (void)invocation, (void)error;
    return 0;
}

static const struct command rows[] = {
    {.name = "show",
     .arguments = "[BRIDGE]",
     .summary = "Print bridges, ports and interfaces; or what a bridge says in OpenFlow",
     .group = GROUP_CONFIG,
     .with_arguments = &of_show_command,
     .prepare = prepare_show,
     .run = run_show},
    {.name = "init",
     .arguments = "",
     .summary = "Prepare an empty database; every other change does that too",
     .group = GROUP_CONFIG,
     .prepare = prepare_init,
     .run = run_init},
};

const struct command_rows show_commands = {rows, ARRAY_SIZE(rows)};
