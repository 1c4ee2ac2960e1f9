/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 sections 5.2.2 and 5.3.4, 1.3.5 sections 7.2.2 and 7.3.6, 1.4 section 7.3.5.8 to
 * 7.3.5.10. */

#include "lib/openflow/queues.h"

#include <string.h>

#include "lib/openflow/match_codec.h"
#include "lib/openflow/properties.h"
#include "lib/openflow/stats_internal.h"

enum { STATS10_BYTES = 32, STATS13_BYTES = 40, STATS14_BYTES = 48 };
enum { CONFIG10_BYTES = 8, CONFIG12_BYTES = 16, CONFIG_HEAD_BYTES = 8 };
enum { PROPERTY_MIN_RATE = 1, PROPERTY_MAX_RATE = 2 };

/* Requests */

static bool names_queue(enum of_message_kind kind, enum of_version version)
{
    return kind == OF_QUEUE_STATS_REQUEST || version >= OF_1_4;
}

enum of_error of_decode_queue_request(const struct of_message *message,
                                      struct of_queue_request *request)
{
    request->queue_id = names_queue(message->kind, message->version) ? wire_u32(message->body + 4)
                                                                     : (uint32_t)OF_QUEUE_ALL;
    if (message->version != OF_1_0)
        return of_port_from_wire32(wire_u32(message->body), &request->port) ? OF_OK
                                                                            : OFPBAC_BAD_OUT_PORT;
    request->port = wire_u16(message->body);
    if (request->port == OFPP_ALL) /* 1.0's "all of them". */
        request->port = OFPP_NONE;
    return OF_OK;
}

void of_encode_queue_request(const struct of_queue_request *request, enum of_message_kind kind,
                             enum of_version version, uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(kind, OF_FORM_STANDARD, version, xid, out);
    bool is_long = version != OF_1_0 || names_queue(kind, version);
    uint8_t *body = buffer_put_zeros(out, is_long ? 8 : 4);

    if (version == OF_1_0)
        be16_store(body, request->port == OFPP_NONE ? (of_port)OFPP_ALL : request->port);
    else
        be32_store(body, of_port_to_wire32(request->port));
    if (names_queue(kind, version))
        be32_store(body + 4, request->queue_id);
    of_finish_message(start, out);
}

/* Counters */

static size_t stats_bytes(enum of_version version)
{
    if (version < OF_1_3)
        return STATS10_BYTES;
    return version == OF_1_3 ? STATS13_BYTES : STATS14_BYTES;
}

void of_reply_add_queue_stats(struct of_reply *reply, const struct of_queue_stats *stats)
{
    size_t start = reply->out->size;
    uint8_t *item = buffer_put_zeros(reply->out, stats_bytes(reply->version));

    if (reply->version >= OF_1_4) {
        be16_store(item, STATS14_BYTES);
        item += 8;
    }
    if (reply->version == OF_1_0)
        be16_store(item, stats->port);
    else
        be32_store(item, of_port_to_wire32(stats->port));
    be32_store(item + 4, stats->queue_id);
    be64_store(item + 8, stats->tx_bytes);
    be64_store(item + 16, stats->tx_packets);
    be64_store(item + 24, stats->tx_errors);
    if (reply->version >= OF_1_3) {
        be32_store(item + 32, stats->duration_s);
        be32_store(item + 36, stats->duration_ns);
    }
    of_reply_end_item(reply, start);
}

bool of_next_queue_stats(struct of_items *items, struct of_queue_stats *stats)
{
    const uint8_t *item = of_items_take(items, stats_bytes(items->version));

    memset(stats, 0, sizeof *stats);
    if (!item)
        return false;
    if (items->version >= OF_1_4) {
        size_t length = wire_u16(item);
        if (length < STATS14_BYTES || !wire_take(&items->wire, length - STATS14_BYTES)) {
            items->error = OFPBRC_BAD_LEN;
            return false;
        }
        item += 8;
    }
    if (items->version == OF_1_0)
        stats->port = wire_u16(item);
    else if (!of_port_from_wire32(wire_u32(item), &stats->port))
        items->error = OFPBRC_BAD_PORT;
    stats->queue_id = wire_u32(item + 4);
    stats->tx_bytes = wire_u64(item + 8);
    stats->tx_packets = wire_u64(item + 16);
    stats->tx_errors = wire_u64(item + 24);
    stats->duration_s = items->version < OF_1_3 ? UINT32_MAX : wire_u32(item + 32);
    stats->duration_ns = items->version < OF_1_3 ? UINT32_MAX : wire_u32(item + 36);
    return !items->error;
}

/* Configuration */

void of_reply_begin_queue_config(struct of_reply *reply, const struct of_message *request,
                                 of_port port, struct buffer *out)
{
    of_reply_begin(reply, request, out);
    if (request->version >= OF_1_4)
        return;
    uint8_t *head = buffer_put_zeros(out, CONFIG_HEAD_BYTES);
    if (request->version == OF_1_0)
        be16_store(head, port);
    else
        be32_store(head, of_port_to_wire32(port));
}

/* Until 1.3 a property is padded inside. */
static void put_rate(uint16_t type, uint16_t rate, enum of_version version, struct buffer *out)
{
    if (rate != OF_QUEUE_NO_RATE)
        be16_store(of_put_property(type, version < OF_1_4 ? 12 : 4, out) +
                       (version < OF_1_4 ? 4 : 0),
                   rate);
}

static size_t config_bytes(enum of_version version)
{
    return version < OF_1_2 ? CONFIG10_BYTES : CONFIG12_BYTES;
}

/* Where the length stands. */
static size_t config_length_at(enum of_version version)
{
    return version < OF_1_2 ? 4 : 8;
}

void of_reply_add_queue_config(struct of_reply *reply, const struct of_queue_config *config)
{
    struct buffer *out = reply->out;
    size_t start = out->size;
    uint8_t *item = buffer_put_zeros(out, config_bytes(reply->version));

    if (reply->version >= OF_1_4) {
        be32_store(item, of_port_to_wire32(config->port));
        be32_store(item + 4, config->queue_id);
    } else {
        be32_store(item, config->queue_id);
        if (reply->version >= OF_1_2)
            be32_store(item + 4, of_port_to_wire32(config->port));
    }
    put_rate(PROPERTY_MIN_RATE, config->min_rate, reply->version, out);
    put_rate(PROPERTY_MAX_RATE, config->max_rate, reply->version, out);
    be16_store(out->data + start + config_length_at(reply->version), (uint16_t)(out->size - start));
    if (reply->version >= OF_1_4)
        of_reply_end_item(reply, start);
    else if (out->size - reply->start > UINT16_MAX)
        out->size = start; /* A message, not statistics, cannot be split. */
}

void of_items_init_queue_config(struct of_items *items, const struct of_message *message)
{
    of_items_init(items, message);
    if (message->version < OF_1_4) {
        const uint8_t *head = wire_take(&items->wire, CONFIG_HEAD_BYTES);
        items->queue_port = OFPP_NONE;
        if (head && message->version == OF_1_0)
            items->queue_port = wire_u16(head);
        else if (head && !of_port_from_wire32(wire_u32(head), &items->queue_port))
            items->error = OFPBRC_BAD_PORT;
    }
}

static enum of_error read_rates(struct wire wire, enum of_version version,
                                struct of_queue_config *config)
{
    size_t at = version < OF_1_4 ? 4 : 0;
    struct of_property property;

    while (wire.left) {
        enum of_error error = of_take_property(&wire, &property);

        if (error)
            return error;
        if (property.type != PROPERTY_MIN_RATE && property.type != PROPERTY_MAX_RATE)
            continue;
        if (property.n_bytes < at + 2)
            return OFPBPC_BAD_LEN;
        uint16_t rate = wire_u16(property.body + at);
        if (property.type == PROPERTY_MIN_RATE)
            config->min_rate = rate;
        else
            config->max_rate = rate;
    }
    return OF_OK;
}

bool of_next_queue_config(struct of_items *items, struct of_queue_config *config)
{
    size_t head_bytes = config_bytes(items->version);
    const uint8_t *item = items->error ? NULL : of_items_take(items, head_bytes);

    *config = (struct of_queue_config){
        .port = items->queue_port, .min_rate = OF_QUEUE_NO_RATE, .max_rate = OF_QUEUE_NO_RATE};
    if (!item)
        return false;
    size_t length = wire_u16(item + config_length_at(items->version));
    if (length < head_bytes || !wire_take(&items->wire, length - head_bytes)) {
        items->error = OFPBRC_BAD_LEN;
        return false;
    }
    config->queue_id = wire_u32(item + (items->version >= OF_1_4 ? 4 : 0));
    const uint8_t *port = item + (items->version >= OF_1_4 ? 0 : 4);
    if (items->version >= OF_1_2 && !of_port_from_wire32(wire_u32(port), &config->port))
        items->error = OFPBRC_BAD_PORT;
    else
        items->error = read_rates(wire_init(item + head_bytes, length - head_bytes), items->version,
                                  config);
    return !items->error;
}
