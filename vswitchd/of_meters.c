/* SPDX-License-Identifier: Apache-2.0 */

/* Meter_mods, and what is told of meters. */

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/openflow/meters.h"
#include "vswitchd/meter_mod.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/of_server_state.h"

enum of_error of_server_meter_mod(struct of_connection *connection,
                                  const struct of_message *message)
{
    struct of_server *server = connection->server;
    struct of_meter_mod mod;
    enum of_error error = of_decode_meter_mod(message, &mod);

    of_server_publish(server);
    if (!error)
        error = meter_mod_apply(server->meters, server->tables, &mod, clock_now_ns());
    of_meter_mod_fini(&mod);
    return error;
}

static void add_stats(struct of_reply *reply, const struct meter *meter, int64_t now_ns)
{
    struct of_band_counts bands[DP_METER_BANDS];
    struct dp_meter_stats counts;
    int64_t age_ns = now_ns - meter->created_ns;

    dp_meters_get_stats(meter->numbers, meter->number, &counts);
    for (size_t i = 0; i < meter->desc.n_bands; i++)
        bands[i] = (struct of_band_counts){
            .n_packets = counts.bands[i].n_packets,
            .n_bytes = counts.bands[i].n_bytes,
        };
    const struct of_meter_stats stats = {
        .meter_id = meter->desc.meter_id,
        .n_flows = meter->n_flows,
        .n_packets = counts.in.n_packets,
        .n_bytes = counts.in.n_bytes,
        .duration_s = (uint32_t)(age_ns / SECOND_NS),
        .duration_ns = (uint32_t)(age_ns % SECOND_NS / MILLISECOND_NS * MILLISECOND_NS),
        .bands = bands,
        .n_bands = meter->desc.n_bands,
    };
    of_reply_add_meter_stats(reply, &stats);
}

/* By number, which in Open vSwitch is not so. */
static enum of_error tell_meters(struct of_connection *connection, const struct of_message *message,
                                 bool has_stats)
{
    struct meter_table *table = connection->server->meters;
    uint32_t meter_id = of_decode_meter_request(message);
    struct meter **meters;
    struct of_reply reply;

    if (meter_id != OF_METER_ALL && !meter_table_lookup(table, meter_id))
        return OFPMMFC_UNKNOWN_METER;
    size_t n = meter_table_list(table, &meters);
    of_reply_begin(&reply, message, &connection->output);
    for (size_t i = 0; i < n; i++) {
        if (meter_id != OF_METER_ALL && meter_id != meters[i]->desc.meter_id)
            continue;
        if (has_stats)
            add_stats(&reply, meters[i], clock_now_ns());
        else
            of_reply_add_meter(&reply, &meters[i]->desc);
    }
    of_reply_end(&reply);
    free(meters);
    return OF_OK;
}

enum of_error of_stats_meter_config(struct of_connection *connection,
                                    const struct of_message *message)
{
    return tell_meters(connection, message, false);
}

enum of_error of_stats_meters(struct of_connection *connection, const struct of_message *message)
{
    struct of_server *server = connection->server;

    of_server_publish(server);
    meter_mod_count_flows(server->meters, server->tables);
    return tell_meters(connection, message, true);
}

enum of_error of_stats_meter_features(struct of_connection *connection,
                                      const struct of_message *message)
{
    const struct of_meter_features features = {
        .max_meters = DP_METERS_MAX,
        .band_types = 1 << OFMBT_DROP | 1 << OFMBT_DSCP_REMARK,
        .capabilities = OFMF_KBPS | OFMF_PKTPS | OFMF_BURST | OFMF_STATS,
        .max_bands = DP_METER_BANDS,
    };

    of_encode_meter_features(&features, message, &connection->output);
    return OF_OK;
}
