/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 section 5.3.5, 1.3.5 section 7.3.5.6, 1.4 section 7.3.5.6 (with properties). */

#include <string.h>

#include "lib/openflow/match_codec.h"
#include "lib/openflow/properties.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/stats_internal.h"

enum { N_COUNTERS = 12, N_COUNTERS14 = 8 };
enum { STATS10_BYTES = 104, STATS13_BYTES = 112, STATS14_BYTES = 80 };
enum { PROPERTY_ETHERNET = 0, ETHERNET_BYTES = 36 };

enum of_error of_decode_port_stats_request(const struct of_message *message, of_port *port)
{
    if (message->version == OF_1_0) {
        *port = wire_u16(message->body);
        return OF_OK;
    }
    return of_port_from_wire32(wire_u32(message->body), port) ? OF_OK : OFPBAC_BAD_OUT_PORT;
}

void of_encode_port_stats_request(of_port port, enum of_version version, uint32_t xid,
                                  struct buffer *out)
{
    size_t start = of_begin_message(OF_PORT_STATS_REQUEST, OF_FORM_STANDARD, version, xid, out);
    uint8_t *body = buffer_put_zeros(out, 8);

    if (version == OF_1_0)
        be16_store(body, port);
    else
        be32_store(body, of_port_to_wire32(port));
    of_finish_message(start, out);
}

/* The counters stand in the same order in every version; in 1.4 the last four in a property. */
static void find_counters(struct of_port_stats *stats, uint64_t *counters[N_COUNTERS])
{
    uint64_t *const all[N_COUNTERS] = {
        &stats->rx_packets,      &stats->tx_packets,     &stats->rx_bytes,      &stats->tx_bytes,
        &stats->rx_dropped,      &stats->tx_dropped,     &stats->rx_errors,     &stats->tx_errors,
        &stats->rx_frame_errors, &stats->rx_over_errors, &stats->rx_crc_errors, &stats->collisions,
    };

    memcpy(counters, all, sizeof all);
}

static void put_counters(uint64_t *const *counters, size_t n, uint8_t *to)
{
    for (size_t i = 0; i < n; i++)
        be64_store(to + 8 * i, *counters[i]);
}

static void take_counters(uint64_t *const *counters, size_t n, const uint8_t *from)
{
    for (size_t i = 0; i < n; i++)
        *counters[i] = wire_u64(from + 8 * i);
}

static void add14(const struct of_port_stats *stats, uint64_t *const *counters, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, STATS14_BYTES);

    be16_store(item, STATS14_BYTES + 4 + ETHERNET_BYTES);
    be32_store(item + 4, of_port_to_wire32(stats->port));
    be32_store(item + 8, stats->duration_s);
    be32_store(item + 12, stats->duration_ns);
    put_counters(counters, N_COUNTERS14, item + 16);
    put_counters(counters + N_COUNTERS14, N_COUNTERS - N_COUNTERS14,
                 of_put_property(PROPERTY_ETHERNET, ETHERNET_BYTES, out) + 4);
}

static void add10(const struct of_port_stats *stats, enum of_version version,
                  uint64_t *const *counters, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, version < OF_1_3 ? STATS10_BYTES : STATS13_BYTES);

    if (version == OF_1_0)
        be16_store(item, stats->port);
    else
        be32_store(item, of_port_to_wire32(stats->port));
    put_counters(counters, N_COUNTERS, item + 8);
    if (version >= OF_1_3) {
        be32_store(item + STATS10_BYTES, stats->duration_s);
        be32_store(item + STATS10_BYTES + 4, stats->duration_ns);
    }
}

void of_reply_add_port_stats(struct of_reply *reply, const struct of_port_stats *stats)
{
    size_t start = reply->out->size;
    struct of_port_stats copy = *stats;
    uint64_t *counters[N_COUNTERS];

    find_counters(&copy, counters);
    if (reply->version >= OF_1_4)
        add14(stats, counters, reply->out);
    else
        add10(stats, reply->version, counters, reply->out);
    of_reply_end_item(reply, start);
}

static enum of_error read10(const uint8_t *item, enum of_version version,
                            struct of_port_stats *stats)
{
    uint64_t *counters[N_COUNTERS];

    if (version == OF_1_0)
        stats->port = wire_u16(item);
    else if (!of_port_from_wire32(wire_u32(item), &stats->port))
        return OFPBRC_BAD_PORT;
    find_counters(stats, counters);
    take_counters(counters, N_COUNTERS, item + 8);
    if (version >= OF_1_3) {
        stats->duration_s = wire_u32(item + STATS10_BYTES);
        stats->duration_ns = wire_u32(item + STATS10_BYTES + 4);
    }
    return OF_OK;
}

/* Properties that are not understood are somebody's additions, and skipped. */
static enum of_error read14(const uint8_t *item, size_t n_bytes, struct of_port_stats *stats)
{
    struct wire wire = wire_init(item + STATS14_BYTES, n_bytes - STATS14_BYTES);
    uint64_t *counters[N_COUNTERS];
    struct of_property property;

    if (!of_port_from_wire32(wire_u32(item + 4), &stats->port))
        return OFPBRC_BAD_PORT;
    stats->duration_s = wire_u32(item + 8);
    stats->duration_ns = wire_u32(item + 12);
    find_counters(stats, counters);
    take_counters(counters, N_COUNTERS14, item + 16);
    while (wire.left) {
        enum of_error error = of_take_property(&wire, &property);

        if (error)
            return error;
        if (property.type != PROPERTY_ETHERNET)
            continue;
        if (property.n_bytes != ETHERNET_BYTES)
            return OFPBPC_BAD_LEN;
        take_counters(counters + N_COUNTERS14, N_COUNTERS - N_COUNTERS14, property.body + 4);
    }
    return OF_OK;
}

static bool next14(struct of_items *items, struct of_port_stats *stats)
{
    const uint8_t *item = of_items_take(items, STATS14_BYTES);
    size_t length = item ? wire_u16(item) : 0;

    if (!item)
        return false;
    if (length < STATS14_BYTES || !wire_take(&items->wire, length - STATS14_BYTES))
        items->error = OFPBRC_BAD_LEN;
    else
        items->error = read14(item, length, stats);
    return !items->error;
}

bool of_next_port_stats(struct of_items *items, struct of_port_stats *stats)
{
    const uint8_t *item;

    memset(stats, 0, sizeof *stats);
    if (items->version >= OF_1_4) {
        stats->rx_frame_errors = stats->rx_over_errors = UINT64_MAX;
        stats->rx_crc_errors = stats->collisions = UINT64_MAX;
        return next14(items, stats);
    }
    item = of_items_take(items, items->version < OF_1_3 ? STATS10_BYTES : STATS13_BYTES);
    if (!item)
        return false;
    items->error = read10(item, items->version, stats);
    return !items->error;
}

/* Descriptions */

enum of_error of_decode_port_desc_request(const struct of_message *message, of_port *port)
{
    *port = OFPP_NONE;
    if (message->version < OF_1_5)
        return OF_OK;
    return of_port_from_wire32(wire_u32(message->body), port) ? OF_OK : OFPBAC_BAD_OUT_PORT;
}

void of_encode_port_desc_request(of_port port, enum of_version version, uint32_t xid,
                                 struct buffer *out)
{
    size_t start = of_begin_message(OF_PORT_DESC_REQUEST, OF_FORM_STANDARD, version, xid, out);

    if (version >= OF_1_5)
        be32_store(buffer_put_zeros(out, 8), of_port_to_wire32(port));
    of_finish_message(start, out);
}

void of_reply_add_port(struct of_reply *reply, const struct of_port_info *port)
{
    size_t start = reply->out->size;

    of_encode_port_info(port, reply->version, reply->out);
    of_reply_end_item(reply, start);
}

bool of_next_port(struct of_items *items, struct of_port_info *port)
{
    size_t left = items->wire.left;

    if (of_decode_port_info(&items->wire, items->version, port))
        return true;
    if (left)
        items->error = OFPBRC_BAD_LEN;
    return false;
}
