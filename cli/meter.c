/* SPDX-License-Identifier: Apache-2.0 */

/* Meters: changes, and what is in the table.  OpenFlow has them from 1.3 on. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nouns.h"
#include "cli/of_dialect.h"
#include "cli/ofconn.h"
#include "lib/openflow/group_text.h"

static int change_meter(struct context *context, struct invocation *invocation,
                        enum of_meter_command command, struct error *error)
{
    const char *text = invocation->n_args > 1 ? invocation->args[1] : "meter=all";
    struct ofconn *connection = NULL;
    struct of_meter_mod mod;
    int result = of_meter_mod_parse(text, command, &mod, error);

    if (!result && !(connection = ofconn_open_in(context, invocation->args[0],
                                                 OF_VERSIONS_FROM(OF_1_3), error)))
        result = error->code;
    if (!result) {
        of_encode_meter_mod(&mod, ofconn_version(connection), ofconn_xid(connection),
                            ofconn_output(connection));
        result = ofconn_barrier(connection, error);
    }
    ofconn_close(connection);
    of_meter_mod_fini(&mod);
    return result;
}

static int run_add_meter(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    return change_meter(context, invocation, OFMC_ADD, error);
}

static int run_mod_meter(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    return change_meter(context, invocation, OFMC_MODIFY, error);
}

static int run_del_meters(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    return change_meter(context, invocation, OFMC_DELETE, error);
}

/* --- Printing ------------------------------------------------------------------------------ */

struct dump {
    struct buffer *out;
    json_t *json; /* NULL: text. */
};

static json_t *meter_id_json(uint32_t meter_id)
{
    switch (meter_id) {
    case OF_METER_CONTROLLER:
        return json_string("controller");
    case OF_METER_SLOWPATH:
        return json_string("slowpath");
    default:
        return json_integer(meter_id);
    }
}

static json_t *band_json(const struct of_meter *meter, const struct of_band *band)
{
    bool is_drop = band->type == OFMBT_DROP;
    json_t *json = json_pack("{s:s, s:I}", "type", is_drop ? "drop" : "dscp_remark", "rate",
                             (json_int_t)band->rate);

    if (meter->flags & OFMF_BURST)
        json_object_set_new(json, "burst_size", json_integer(band->burst));
    if (!is_drop)
        json_object_set_new(json, "prec_level", json_integer(band->prec_level));
    return json;
}

static json_t *meter_json(const struct of_meter *meter)
{
    json_t *bands = json_array();

    for (size_t i = 0; i < meter->n_bands; i++)
        json_array_append_new(bands, band_json(meter, &meter->bands[i]));
    return json_pack("{s:o, s:s, s:b, s:b, s:o}", "meter", meter_id_json(meter->meter_id), "unit",
                     meter->flags & OFMF_PKTPS ? "pktps" : "kbps", "burst",
                     meter->flags & OFMF_BURST, "stats", meter->flags & OFMF_STATS, "bands", bands);
}

static int complain(const struct of_items *items, struct error *error)
{
    return error_set(error, -EPROTO, "the switch sent a meter that cannot be read (%s)",
                     of_error_name(items->error));
}

static int print_meters(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_meter meter;
    struct of_items items;

    of_items_init(&items, message);
    for (; of_next_meter(&items, &meter); of_meter_fini(&meter)) {
        if (dump->json)
            json_array_append_new(dump->json, meter_json(&meter));
        else
            of_meter_format(&meter, dump->out);
    }
    of_meter_fini(&meter);
    return items.error ? complain(&items, error) : 0;
}

static json_t *stats_json(const struct of_meter_stats *stats)
{
    json_t *bands = json_array();

    for (size_t i = 0; i < stats->n_bands; i++)
        json_array_append_new(bands, json_pack("{s:I, s:I}", "n_packets",
                                               (json_int_t)stats->bands[i].n_packets, "n_bytes",
                                               (json_int_t)stats->bands[i].n_bytes));
    return json_pack("{s:o, s:I, s:I, s:I, s:f, s:o}", "meter", meter_id_json(stats->meter_id),
                     "n_flows", (json_int_t)stats->n_flows, "n_packets",
                     (json_int_t)stats->n_packets, "n_bytes", (json_int_t)stats->n_bytes,
                     "duration", (double)stats->duration_s + stats->duration_ns / 1e9, "bands",
                     bands);
}

static int print_stats(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct buffer counts = BUFFER_INIT;
    struct of_meter_stats stats;
    struct of_items items;

    of_items_init(&items, message);
    while (of_next_meter_stats(&items, &counts, &stats)) {
        if (dump->json)
            json_array_append_new(dump->json, stats_json(&stats));
        else
            of_meter_stats_format(&stats, dump->out);
    }
    buffer_fini(&counts);
    return items.error ? complain(&items, error) : 0;
}

static int print_features(const struct of_message *message, void *aux, struct error *error)
{
    struct dump *dump = aux;
    struct of_meter_features features;

    (void)error;
    of_decode_meter_features(message, &features);
    if (!dump->json) {
        of_meter_features_format(&features, dump->out);
        return 0;
    }
    json_array_append_new(
        dump->json, json_pack("{s:I, s:i, s:b, s:b}", "max_meters", (json_int_t)features.max_meters,
                              "max_bands", (int)features.max_bands, "drop",
                              features.band_types & 1U << OFMBT_DROP, "dscp_remark",
                              features.band_types & 1U << OFMBT_DSCP_REMARK));
    return 0;
}

/* --- Requests ------------------------------------------------------------------------------ */

/* "meter=1", "1", "all". */
static int parse_wanted(const struct invocation *invocation, uint32_t *meter_id,
                        struct error *error)
{
    static const char key[] = "meter=";
    const char *text = invocation->n_args > 1 ? invocation->args[1] : "all";

    if (!strncmp(text, key, strlen(key)))
        text += strlen(key);
    return of_meter_id_parse(text, meter_id, error);
}

static int print_reply(struct context *context, struct invocation *invocation,
                       enum of_message_kind request, enum of_message_kind reply,
                       ofconn_taker *print, struct error *error)
{
    struct dump dump = {.out = &invocation->output};
    uint32_t meter_id;

    if (parse_wanted(invocation, &meter_id, error))
        return error->code;
    struct ofconn *connection = ofconn_open_in(context, invocation->args[0],
                                               OF_VERSIONS_FROM(OF_1_3), error);
    if (!connection)
        return error->code;
    uint32_t xid = ofconn_xid(connection);
    if (request == OF_METER_FEATURES_REQUEST)
        of_encode_empty(request, ofconn_version(connection), xid, ofconn_output(connection));
    else
        of_encode_meter_request(meter_id, request, ofconn_version(connection), xid,
                                ofconn_output(connection));
    dump.json = options_is_json(&context->options) ? json_array() : NULL;
    int result = ofconn_receive_all(connection, xid, reply, print, &dump, error);
    if (!result && dump.json)
        json_print_take(json_incref(dump.json), &context->options.style, &invocation->output);
    json_decref(dump.json);
    ofconn_close(connection);
    return result;
}

static int run_dump_meters(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    return print_reply(context, invocation, OF_METER_CONFIG_REQUEST, OF_METER_CONFIG_REPLY,
                       print_meters, error);
}

static int run_meter_stats(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    return print_reply(context, invocation, OF_METER_STATS_REQUEST, OF_METER_STATS_REPLY,
                       print_stats, error);
}

static int run_meter_features(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    return print_reply(context, invocation, OF_METER_FEATURES_REQUEST, OF_METER_FEATURES_REPLY,
                       print_features, error);
}

static const struct command rows[] = {
    {.name = "add-meter",
     .arguments = "BRIDGE METER",
     .summary = "Add a meter (meter=1,kbps,band=type=drop,rate=1000)",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_add_meter},
    {.name = "mod-meter",
     .arguments = "BRIDGE METER",
     .summary = "Give a meter other bands",
     .group = GROUP_FLOW,
     .min_args = 2,
     .max_args = 2,
     .run = run_mod_meter},
    {.name = "del-meters",
     .arguments = "BRIDGE [METER]",
     .summary = "Delete a meter (meter=1), without METER all, and the flows that use it",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_del_meters},
    {.name = "del-meter",
     .arguments = "BRIDGE [METER]",
     .summary = "The same as del-meters",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_del_meters},
    {.name = "dump-meters",
     .arguments = "BRIDGE [METER]",
     .summary = "Print a meter, without METER all of them",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_dump_meters},
    {.name = "meter-stats",
     .arguments = "BRIDGE [METER]",
     .summary = "Print the counters of a meter and its bands, without METER of all",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 2,
     .run = run_meter_stats},
    {.name = "meter-features",
     .arguments = "BRIDGE",
     .summary = "Print which meters a bridge can have, and how many",
     .group = GROUP_FLOW,
     .min_args = 1,
     .max_args = 1,
     .run = run_meter_features},
};

const struct command_rows meter_commands = {rows, ARRAY_SIZE(rows)};
