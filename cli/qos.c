/* SPDX-License-Identifier: Apache-2.0 */

/* Rates of a port, and its queues.  Rows of QoS and Queue outlive those that refer to them, so what
 * nobody uses any more is deleted here. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/record.h"
#include "cli/topology.h"
#include "lib/ovsdb/diff.h"

static int prepare_qos(struct context *context, struct invocation *invocation, struct error *error)
{
    store_want(context->store, "Port", "qos");
    store_want(context->store, "QoS", "type");
    store_want(context->store, "QoS", "queues");
    store_want(context->store, "QoS", "other_config");
    store_want(context->store, "Queue", "other_config");
    return topology_prepare(context, invocation, error);
}

static int get_port(struct store *store, const char *name, struct store_row **port,
                    struct error *error)
{
    *port = topology_find_port(store, name);
    return *port ? 0 : error_set(error, -ENOENT, "there is no port %s", shown(name).text);
}

static struct store_row *qos_of(struct store *store, const struct store_row *port)
{
    size_t n;
    struct store_row **rows = topology_referred(store, port, "qos", &n), *row = n ? rows[0] : NULL;

    free(rows);
    return row;
}

static const struct column_schema *queues_column(const struct store *store)
{
    return lookup_known_column(store, "QoS", "queues");
}

/* Does a row of 'table' refer to 'row', as an element or as the value of a key? */
static bool is_used(struct store *store, const char *table, const char *column_name,
                    const struct store_row *row)
{
    const struct column_schema *column = lookup_known_column(store, table, column_name);

    for (struct store_row *at = store_first(store, lookup_known_table(store, table)); at;
         at = store_next(at)) {
        const struct datum *datum = store_get(at, column);
        for (size_t i = 0; i < datum->n; i++)
            if (uuid_equal(datum->values ? &datum->values[i].uuid : &datum->keys[i].uuid,
                           store_row_uuid(row)))
                return true;
    }
    return false;
}

static struct store_row *queue_at(struct store *store, const struct datum *queues, ptrdiff_t i)
{
    return i < 0 ? NULL
                 : store_find_uuid(store, lookup_known_table(store, "Queue"),
                                   &queues->values[i].uuid);
}

static void remove_queue(struct store *store, struct store_row *qos, const union atom *number)
{
    struct datum *queues = datum_ref((struct datum *)store_get(qos, queues_column(store)));
    struct store_row *queue = queue_at(store, queues, datum_find(queues, number));
    struct datum *key = datum_create(ATOM_INTEGER, ATOM_VOID, 1);

    key->keys[0] = *number;
    store_set_take(qos, queues_column(store), datum_difference(queues, key));
    if (queue && !is_used(store, "QoS", "queues", queue))
        store_delete(queue);
    datum_unref(key);
    datum_unref(queues);
}

static void remove_qos(struct store *store, struct store_row *port)
{
    struct store_row *qos = qos_of(store, port);

    topology_clear(store, port, "qos");
    if (!qos || is_used(store, "Port", "qos", qos))
        return;
    const struct datum *queues;
    while ((queues = store_get(qos, queues_column(store)))->n) {
        union atom number = queues->keys[0];
        remove_queue(store, qos, &number);
    }
    store_delete(qos);
}

/* KEY=VALUE of other_config from word 2 on. */
static int set_config(struct context *context, struct invocation *invocation, struct store_row *row,
                      struct error *error)
{
    int result = 0;

    for (size_t i = 2; !result && i < invocation->n_args; i++) {
        char *word;
        if (asprintf(&word, "other_config:%s", invocation->args[i]) < 0)
            abort();
        result = record_set_word(context, row, word, error);
        free(word);
    }
    return result;
}

static int run_set_qos(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *port;
    int result = get_port(store, invocation->args[0], &port, error);

    if (result)
        return result;
    remove_qos(store, port);
    struct store_row *qos = store_insert(store, lookup_known_table(store, "QoS"));
    topology_set_string(store, qos, "type", invocation->args[1]);
    topology_add_reference(store, port, "qos", qos);
    return set_config(context, invocation, qos, error);
}

static int run_del_qos(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store_row *port;
    int result = get_port(context->store, invocation->args[0], &port, error);

    if (!result)
        remove_qos(context->store, port);
    return result;
}

static int find_qos(struct store *store, const struct invocation *invocation,
                    struct store_row **qos, union atom *number, struct error *error)
{
    const struct base_type type = {.type = ATOM_INTEGER};
    struct store_row *port;
    int result = get_port(store, invocation->args[0], &port, error);

    if (!result && !(*qos = qos_of(store, port)))
        result = error_set(error, -ENOENT, "port %s has no QoS (weir set-qos %s TYPE)",
                           topology_name(store, port), topology_name(store, port));
    if (!result)
        result = value_parse_atom(&type, invocation->args[1], NULL, number, error);
    return result;
}

static int run_set_queue(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct store *store = context->store;
    const struct column_schema *column = queues_column(store);
    struct store_row *qos;
    union atom number;
    int result = find_qos(store, invocation, &qos, &number, error);

    if (result)
        return result;
    struct store_row *queue = store_insert(store, lookup_known_table(store, "Queue"));
    struct datum *pair = datum_create(ATOM_INTEGER, ATOM_UUID, 1);
    pair->keys[0] = number;
    pair->values[0].uuid = *store_row_uuid(queue);
    if ((result = column_type_check(&column->type, pair, error)) < 0) {
        datum_unref(pair);
        return result;
    }
    remove_queue(store, qos, &number);
    store_set_take(qos, column, datum_union(pair, store_get(qos, column)));
    datum_unref(pair);
    return set_config(context, invocation, queue, error);
}

static int run_del_queue(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct store_row *qos;
    union atom number;
    int result = find_qos(context->store, invocation, &qos, &number, error);

    if (!result && datum_find(store_get(qos, queues_column(context->store)), &number) < 0)
        result = error_set(error, -ENOENT, "port %s has no queue %s",
                           shown(invocation->args[0]).text, shown(invocation->args[1]).text);
    if (!result)
        remove_queue(context->store, qos, &number);
    return result;
}

static void add_config_cell(struct store *store, struct table *table, const struct store_row *row)
{
    const struct column_schema *column = lookup_known_column(store, store_row_table(row)->name,
                                                             "other_config");
    struct buffer text = BUFFER_INIT;

    value_format(&column->type, store_get(row, column), DATA_BARE, &text);
    table_add_cell_take(table, buffer_take_text(&text),
                        value_to_json(&column->type, store_get(row, column)), NULL);
}

static void add_qos(struct store *store, struct table *table, const char *port,
                    const struct store_row *qos)
{
    const struct datum *queues = store_get(qos, queues_column(store));

    table_add_text(table, port);
    table_add_text(table, topology_get_string(store, qos, "type"));
    table_add_text(table, "");
    add_config_cell(store, table, qos);
    for (size_t i = 0; i < queues->n; i++) {
        struct store_row *queue = queue_at(store, queues, (ptrdiff_t)i);
        if (!queue)
            continue;
        table_add_text(table, port);
        table_add_text(table, "");
        table_add_integer(table, queues->keys[i].integer);
        add_config_cell(store, table, queue);
    }
}

static int run_list_qos(struct context *context, struct invocation *invocation, struct error *error)
{
    struct store *store = context->store;
    struct store_row *only = NULL;

    if (invocation->n_args && get_port(store, invocation->args[0], &only, error) < 0)
        return error->code;
    struct table *table = table_create();
    static const char *const headings[] = {"port", "type", "queue", "settings"};
    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_add_column(table, headings[i]);
    for (struct store_row *port = store_first(store, lookup_known_table(store, "Port")); port;
         port = store_next(port)) {
        struct store_row *qos = qos_of(store, port);
        if (qos && (!only || only == port))
            add_qos(store, table, topology_name(store, port), qos);
    }
    table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    return 0;
}

static const struct command rows[] = {
    {.name = "set-qos",
     .arguments = "PORT TYPE [KEY=VALUE]...",
     .summary = "Shape what leaves through a port (linux-htb max-rate=BITS-PER-SECOND)",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = -1,
     .prepare = prepare_qos,
     .run = run_set_qos},
    {.name = "del-qos",
     .arguments = "PORT",
     .summary = "Stop shaping a port, and delete its queues",
     .group = GROUP_CONFIG,
     .min_args = 1,
     .max_args = 1,
     .prepare = prepare_qos,
     .run = run_del_qos},
    {.name = "set-queue",
     .arguments = "PORT NUMBER [KEY=VALUE]...",
     .summary = "Make a queue of a port that has QoS, or make it anew",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = -1,
     .prepare = prepare_qos,
     .run = run_set_queue},
    {.name = "del-queue",
     .arguments = "PORT NUMBER",
     .summary = "Delete a queue of a port",
     .group = GROUP_CONFIG,
     .min_args = 2,
     .max_args = 2,
     .prepare = prepare_qos,
     .run = run_del_queue},
    {.name = "list-qos",
     .arguments = "[PORT]",
     .summary = "Print how ports are shaped, and their queues",
     .group = GROUP_CONFIG,
     .max_args = 1,
     .prepare = prepare_qos,
     .run = run_list_qos},
};

const struct command_rows qos_commands = {rows, ARRAY_SIZE(rows)};
