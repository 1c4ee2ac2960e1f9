/* SPDX-License-Identifier: Apache-2.0 */

/* Splitting replies, and the statistics whose items have a fixed size: tables, ports, description.
 * (OpenFlow 1.0 section 5.3.5, 1.3.5 section 7.3.5.) */

#include "lib/openflow/stats.h"

#include <string.h>

#include "lib/openflow/match_codec.h"
#include "lib/openflow/stats_internal.h"

enum { REPLY_MORE = 1, STATS_FLAGS_OFFSET = 10 };
enum { DESC_BYTES = 256, SERIAL_BYTES = 32 };
enum { OFPFW10_ALL = (1 << 22) - 1 };

bool of_message_has_more(const struct of_message *message)
{
    return message->stats_flags & REPLY_MORE;
}

void of_reply_begin(struct of_reply *reply, const struct of_message *request, struct buffer *out)
{
    *reply = (struct of_reply){
        .out = out,
        .kind = (enum of_message_kind)(request->kind + 1), /* Replies follow their requests. */
        .form = request->form,
        .version = request->version,
        .xid = request->xid,
    };
    reply->start = of_begin_message(reply->kind, reply->form, reply->version, reply->xid, out);
}

void of_reply_end(struct of_reply *reply)
{
    of_finish_message(reply->start, reply->out);
}

bool of_reply_item_fits(const struct of_reply *reply, size_t item_start)
{
    return reply->out->size - item_start <= UINT16_MAX - OF_REPLY_HEADER_BYTES;
}

void of_reply_end_item(struct of_reply *reply, size_t item_start)
{
    struct buffer *out = reply->out;
    struct buffer item = BUFFER_INIT;

    if (out->size - reply->start <= UINT16_MAX)
        return;
    buffer_put(&item, out->data + item_start, out->size - item_start);
    out->size = item_start;
    be16_store(out->data + reply->start + STATS_FLAGS_OFFSET, REPLY_MORE);
    of_finish_message(reply->start, out);
    reply->start = of_begin_message(reply->kind, reply->form, reply->version, reply->xid, out);
    buffer_put(out, item.data, item.size);
    buffer_fini(&item);
}

void of_items_init(struct of_items *items, const struct of_message *message)
{
    *items = (struct of_items){
        .wire = wire_init(message->body, message->body_bytes),
        .version = message->version,
        .form = message->form,
    };
}

const uint8_t *of_items_take(struct of_items *items, size_t n_bytes)
{
    const uint8_t *item = wire_take(&items->wire, n_bytes);

    if (!item && items->wire.left)
        items->error = OFPBRC_BAD_LEN;
    return item;
}

static void put_text(const char *text, size_t n_bytes, struct buffer *out)
{
    uint8_t *to = buffer_put_zeros(out, n_bytes);

    if (text)
        memcpy(to, text, strnlen(text, n_bytes - 1));
}

void of_encode_desc(const struct of_desc *desc, const struct of_message *request,
                    struct buffer *out)
{
    struct of_reply reply;

    of_reply_begin(&reply, request, out);
    put_text(desc->manufacturer, DESC_BYTES, out);
    put_text(desc->hardware, DESC_BYTES, out);
    put_text(desc->software, DESC_BYTES, out);
    put_text(desc->serial, SERIAL_BYTES, out);
    put_text(desc->datapath, DESC_BYTES, out);
    of_reply_end(&reply);
}

enum of_error of_decode_desc(const struct of_message *message, struct of_desc_text *text)
{
    const uint8_t *body = message->body;

    memset(text, 0, sizeof *text);
    memcpy(text->manufacturer, body, DESC_BYTES);
    memcpy(text->hardware, body + DESC_BYTES, DESC_BYTES);
    memcpy(text->software, body + 2 * DESC_BYTES, DESC_BYTES);
    memcpy(text->serial, body + 3 * DESC_BYTES, SERIAL_BYTES);
    memcpy(text->datapath, body + 3 * DESC_BYTES + SERIAL_BYTES, DESC_BYTES);
    return OF_OK;
}

void of_encode_aggregate(const struct of_aggregate *aggregate, const struct of_message *request,
                         struct buffer *out)
{
    struct of_reply reply;

    of_reply_begin(&reply, request, out);
    uint8_t *body = buffer_put_zeros(out, 24);
    be64_store(body, aggregate->n_packets);
    be64_store(body + 8, aggregate->n_bytes);
    be32_store(body + 16, aggregate->n_flows);
    of_reply_end(&reply);
}

enum of_error of_decode_aggregate(const struct of_message *message, struct of_aggregate *aggregate)
{
    aggregate->n_packets = wire_u64(message->body);
    aggregate->n_bytes = wire_u64(message->body + 8);
    aggregate->n_flows = wire_u32(message->body + 16);
    return OF_OK;
}

static void add_table10(const struct of_table_stats *stats, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, 64);

    item[0] = stats->table_id;
    memcpy(item + 4, stats->name, strnlen(stats->name, 31));
    be32_store(item + 36, OFPFW10_ALL);
    be32_store(item + 40, stats->max_flows);
    be32_store(item + 44, stats->n_flows);
    be64_store(item + 48, stats->n_lookups);
    be64_store(item + 56, stats->n_matched);
}

static void add_table13(const struct of_table_stats *stats, struct buffer *out)
{
    uint8_t *item = buffer_put_zeros(out, 24);

    item[0] = stats->table_id;
    be32_store(item + 4, stats->n_flows);
    be64_store(item + 8, stats->n_lookups);
    be64_store(item + 16, stats->n_matched);
}

void of_reply_add_table(struct of_reply *reply, const struct of_table_stats *stats)
{
    size_t start = reply->out->size;

    if (reply->version == OF_1_0)
        add_table10(stats, reply->out);
    else
        add_table13(stats, reply->out);
    of_reply_end_item(reply, start);
}

bool of_next_table_stats(struct of_items *items, struct of_table_stats *stats)
{
    bool is_10 = items->version == OF_1_0;
    const uint8_t *item = of_items_take(items, is_10 ? 64 : 24);

    memset(stats, 0, sizeof *stats);
    if (!item)
        return false;
    stats->table_id = item[0];
    if (is_10) {
        memcpy(stats->name, item + 4, 32);
        stats->max_flows = wire_u32(item + 40);
    }
    stats->n_flows = wire_u32(item + (is_10 ? 44 : 4));
    stats->n_lookups = wire_u64(item + (is_10 ? 48 : 8));
    stats->n_matched = wire_u64(item + (is_10 ? 56 : 16));
    return true;
}

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

/* The counters stand in the same order in every version. */
static uint64_t *const *counters_of(struct of_port_stats *stats, uint64_t *counters[12])
{
    uint64_t *const all[12] = {
        &stats->rx_packets,      &stats->tx_packets,     &stats->rx_bytes,      &stats->tx_bytes,
        &stats->rx_dropped,      &stats->tx_dropped,     &stats->rx_errors,     &stats->tx_errors,
        &stats->rx_frame_errors, &stats->rx_over_errors, &stats->rx_crc_errors, &stats->collisions,
    };

    memcpy(counters, all, sizeof all);
    return counters;
}

void of_reply_add_port_stats(struct of_reply *reply, const struct of_port_stats *stats)
{
    size_t start = reply->out->size;
    struct of_port_stats copy = *stats;
    uint64_t *counters[12];
    bool is_10 = reply->version == OF_1_0;
    uint8_t *item = buffer_put_zeros(reply->out, is_10 ? 104 : 112);

    if (is_10)
        be16_store(item, stats->port);
    else
        be32_store(item, of_port_to_wire32(stats->port));
    counters_of(&copy, counters);
    for (size_t i = 0; i < 12; i++)
        be64_store(item + 8 + 8 * i, *counters[i]);
    if (!is_10) {
        be32_store(item + 104, stats->duration_s);
        be32_store(item + 108, stats->duration_ns);
    }
    of_reply_end_item(reply, start);
}

bool of_next_port_stats(struct of_items *items, struct of_port_stats *stats)
{
    bool is_10 = items->version == OF_1_0;
    const uint8_t *item = of_items_take(items, is_10 ? 104 : 112);
    uint64_t *counters[12];

    memset(stats, 0, sizeof *stats);
    if (!item)
        return false;
    if (is_10) {
        stats->port = wire_u16(item);
    } else if (!of_port_from_wire32(wire_u32(item), &stats->port)) {
        items->error = OFPBRC_BAD_PORT;
        return false;
    }
    counters_of(stats, counters);
    for (size_t i = 0; i < 12; i++)
        *counters[i] = wire_u64(item + 8 + 8 * i);
    stats->duration_s = is_10 ? 0 : wire_u32(item + 104);
    stats->duration_ns = is_10 ? 0 : wire_u32(item + 108);
    return true;
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

enum of_error of_decode_queue_stats_request(const struct of_message *message, of_port *port,
                                            uint32_t *queue_id)
{
    *queue_id = wire_u32(message->body + 4);
    return of_decode_port_stats_request(message, port);
}
