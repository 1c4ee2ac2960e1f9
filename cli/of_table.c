/* SPDX-License-Identifier: Apache-2.0 */

/* Flow tables as a whole, and what the bridge says about itself. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/ofconn.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"

/* --- dump-tables --------------------------------------------------------------------------- */

static void add_tables(struct table *table, const struct of_message *message, bool is_all)
{
    struct of_table_stats stats;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_table_stats(&items, &stats)) {
        if (!is_all && !stats.n_flows && !stats.n_lookups)
            continue;
        table_add_integer(table, stats.table_id);
        table_add_text(table, stats.name);
        table_add_integer(table, stats.n_flows);
        table_add_integer(table, (json_int_t)stats.n_lookups);
        table_add_integer(table, (json_int_t)stats.n_matched);
    }
}

static int run_dump_tables(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    static const char *const headings[] = {"table", "name", "active", "lookup", "matched"};
    bool is_all = invocation_option(invocation, "--all");
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    struct of_message message;
    int result;

    if (!connection)
        return error->code;
    uint32_t xid = ofconn_xid(connection);
    struct table *table = table_create();
    for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
        table_add_column(table, headings[i]);
    of_encode_empty(OF_TABLE_STATS_REQUEST, ofconn_version(connection), xid,
                    ofconn_output(connection));
    do {
        result = ofconn_receive(connection, xid, OF_TABLE_STATS_REPLY, &message, error);
        if (!result)
            add_tables(table, &message, is_all);
    } while (!result && of_message_has_more(&message));
    if (!result)
        table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    ofconn_close(connection);
    return result;
}

/* --- dump-desc ----------------------------------------------------------------------------- */

static int run_dump_desc(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct ofconn *connection = ofconn_open(context, invocation->args[0], error);
    struct of_desc_text text;
    struct of_message message;

    if (!connection)
        return error->code;
    uint32_t xid = ofconn_xid(connection);
    of_encode_empty(OF_DESC_REQUEST, ofconn_version(connection), xid, ofconn_output(connection));
    int result = ofconn_receive(connection, xid, OF_DESC_REPLY, &message, error);
    if (!result && of_decode_desc(&message, &text))
        result = error_set(error, -EPROTO, "the switch sent an answer that cannot be read");
    ofconn_close(connection);
    if (result)
        return result;

    const char *const fields[][2] = {
        {"manufacturer", text.manufacturer}, {"hardware", text.hardware},
        {"software", text.software},         {"serial", text.serial},
        {"description", text.datapath},
    };
    struct table *table = table_create();
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        table_add_column(table, fields[i][0]);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        table_add_text(table, fields[i][1]);
    table_print(table, &context->options.style, TABLE_LIST, &invocation->output);
    table_destroy(table);
    return 0;
}

static const struct command rows[] = {
    {.name = "dump-tables",
     .arguments = "BRIDGE",
     .options = "--all",
     .summary = "Print the sizes and counters of flow tables in use, with --all of every table",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_dump_tables},
    {.name = "dump-desc",
     .arguments = "BRIDGE",
     .summary = "Print what a bridge says it is",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_dump_desc},
};

const struct command_rows of_table_commands = {rows, ARRAY_SIZE(rows)};
