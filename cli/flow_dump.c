/* SPDX-License-Identifier: Apache-2.0 */

/* Flows as they are in the tables: dump-flows, dump-aggregate. */

#include <inttypes.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flow_sort.h"
#include "cli/nouns.h"
#include "cli/of_dialect.h"
#include "cli/ofconn.h"
#include "lib/openflow/stats.h"

struct dump {
    struct context *context;
    struct invocation *invocation;
    struct ofconn *connection;
    const struct of_names *names; /* Of ports, to print; NULL: numbers. */
    bool has_stats;
    json_t *json; /* NULL: text. */
    struct flow_sort sort;
    struct flow_list list; /* If they are to be sorted. */
};

static void add_counter(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name,
                        value == UINT64_MAX ? json_null() : json_integer((json_int_t)value));
}

static void set_text_take(json_t *object, const char *name, struct buffer *text)
{
    json_object_set_new(object, name, json_string(buffer_text(text)));
    buffer_fini(text);
}

static json_t *flow_json(const struct dump *dump, const struct of_flow_stats *stats)
{
    struct buffer cookie = BUFFER_INIT, match = BUFFER_INIT, actions = BUFFER_INIT;
    json_t *json = json_pack("{s:i, s:i}", "table", (int)stats->table_id, "priority",
                             (int)stats->priority);

    buffer_printf(&cookie, "0x%" PRIx64, be64_host(stats->cookie));
    of_match_format(&stats->match, dump->names, &match);
    of_actions_format(stats->actions, dump->names, &actions);
    set_text_take(json, "cookie", &cookie);
    set_text_take(json, "match", &match);
    set_text_take(json, "actions", &actions);
    json_object_set_new(json, "idle_timeout", json_integer(stats->idle_timeout_s));
    json_object_set_new(json, "hard_timeout", json_integer(stats->hard_timeout_s));
    if (!dump->has_stats)
        return json;
    add_counter(json, "n_packets", stats->n_packets);
    add_counter(json, "n_bytes", stats->n_bytes);
    json_object_set_new(json, "duration",
                        json_real((double)stats->duration_s + stats->duration_ns / 1e9));
    json_object_set_new(json, "idle_age",
                        stats->idle_age_s < 0 ? json_null() : json_integer(stats->idle_age_s));
    json_object_set_new(json, "hard_age",
                        stats->hard_age_s < 0 ? json_null() : json_integer(stats->hard_age_s));
    return json;
}

static void print_flow(struct dump *dump, const struct of_flow_stats *stats)
{
    struct buffer *out = &dump->invocation->output;

    if (dump->json) {
        json_array_append_new(dump->json, flow_json(dump, stats));
        return;
    }
    if (dump->has_stats)
        of_flow_stats_format(stats, dump->names, out);
    else
        of_flow_stats_format_brief(stats, dump->names, out);
    buffer_putc(out, '\n');
}

static int take_message(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct buffer actions = BUFFER_INIT;
    struct of_flow_stats stats;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_flow_stats(&items, &actions, &stats)) {
        if (dump->sort.n_keys)
            flow_list_add(&dump->list, &stats);
        else
            print_flow(dump, &stats);
    }
    buffer_fini(&actions);
    if (items.error)
        return error_set(error, -EPROTO, "the switch sent a flow that cannot be read (%s)",
                         of_error_name(items.error));
    return 0;
}

static void print_sorted(struct dump *dump)
{
    flow_list_sort(&dump->list, &dump->sort);
    for (size_t i = 0; i < dump->list.n; i++)
        print_flow(dump, &dump->list.flows[i]);
    flow_list_fini(&dump->list);
}

/* Sends the request of 'kind' that the words of the command make. */
static int request(struct context *context, struct invocation *invocation,
                   enum of_message_kind kind, struct ofconn **connection,
                   const struct of_names **names, uint32_t *xid, struct error *error)
{
    const char *filter = invocation->n_args > 1 ? invocation->args[1] : "";
    struct of_flow_stats_request wanted;

    *connection = ofconn_open(context, invocation->args[0], error);
    if (!*connection || ofconn_load_names(*connection, error) < 0 ||
        of_flow_stats_request_parse(filter, ofconn_names(*connection), &wanted, error) < 0)
        return error->code;
    if (wanted.out_group != (uint32_t)OF_GROUP_ANY && ofconn_version(*connection) == OF_1_0) {
        ofconn_want(*connection, OF_VERSIONS_FROM(OF_1_1));
        error_set(error, -EPROTO, "out_group cannot be said in OpenFlow 1.0 (try -O OpenFlow13)");
        if (ofconn_raise(*connection, error) < 0)
            return error->code;
    }
    *names = ofconn_print_names(*connection);
    *xid = ofconn_xid(*connection);
    of_encode_flow_stats_request(&wanted, kind, ofconn_protocol(*connection), *xid,
                                 ofconn_output(*connection));
    return 0;
}

static int check_sort(const struct invocation *invocation, struct error *error)
{
    struct flow_sort sort;

    return flow_sort_parse(invocation, &sort, error);
}

static int run_dump_flows(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    struct dump dump = {
        .context = context,
        .invocation = invocation,
        .has_stats = !invocation_option(invocation, "--no-stats"),
    };
    uint32_t xid;
    int result = flow_sort_parse(invocation, &dump.sort, error);

    if (result)
        return result;
    dump.json = options_is_json(&context->options) ? json_array() : NULL;
    result = request(context, invocation, OF_FLOW_STATS_REQUEST, &dump.connection, &dump.names,
                     &xid, error);
    if (!result)
        result = ofconn_receive_all(dump.connection, xid, OF_FLOW_STATS_REPLY, take_message, &dump,
                                    error);
    print_sorted(&dump);
    if (!result && dump.json)
        json_print_take(json_incref(dump.json), &context->options.style, &invocation->output);
    json_decref(dump.json);
    ofconn_close(dump.connection);
    return result;
}

static int run_dump_aggregate(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    struct ofconn *connection;
    const struct of_names *names;
    struct of_aggregate sum;
    struct of_message message;
    uint32_t xid;
    int result = request(context, invocation, OF_AGGREGATE_REQUEST, &connection, &names, &xid,
                         error);

    if (!result)
        result = ofconn_receive(connection, xid, OF_AGGREGATE_REPLY, &message, error);
    if (!result && of_decode_aggregate(&message, &sum))
        result = error_set(error, -EPROTO, "the switch sent an answer that cannot be read");
    ofconn_close(connection);
    if (result)
        return result;
    if (options_is_json(&context->options))
        json_print_take(json_pack("{s:I, s:I, s:I}", "packet_count", (json_int_t)sum.n_packets,
                                  "byte_count", (json_int_t)sum.n_bytes, "flow_count",
                                  (json_int_t)sum.n_flows),
                        &context->options.style, &invocation->output);
    else
        buffer_printf(&invocation->output,
                      "packet_count=%" PRIu64 " byte_count=%" PRIu64 " flow_count=%" PRIu32 "\n",
                      sum.n_packets, sum.n_bytes, sum.n_flows);
    return 0;
}

static const struct command rows[] = {
    {.name = "dump-flows",
     .arguments = "BRIDGE [FLOW]",
     .options = "--stats --no-stats --strict --sort[=] --rsort[=]",
     .summary = "Print the flows that match, without FLOW all of them",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .check = check_sort,
     .run = run_dump_flows},
    {.name = "dump-aggregate",
     .arguments = "BRIDGE [FLOW]",
     .summary = "Add up the counters of the flows that match",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_dump_aggregate},
};

const struct command_rows flow_dump_commands = {rows, ARRAY_SIZE(rows)};
