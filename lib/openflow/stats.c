/* SPDX-License-Identifier: Apache-2.0 */

/* Splitting replies, and the statistics that are one item: description and aggregates.
 * (OpenFlow 1.0 section 5.3.5, 1.3.5 section 7.3.5, 1.5 section 7.3.5.3.) */

#include "lib/openflow/stats.h"

#include <string.h>

#include "lib/openflow/match_codec.h"
#include "lib/openflow/oxs.h"
#include "lib/openflow/stats_internal.h"

enum { REPLY_MORE = 1, STATS_FLAGS_OFFSET = 10 };
enum { DESC_BYTES = 256, SERIAL_BYTES = 32 };

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

void of_reply_break(struct of_reply *reply)
{
    be16_store(reply->out->data + reply->start + STATS_FLAGS_OFFSET, REPLY_MORE);
    of_finish_message(reply->start, reply->out);
    reply->start = of_begin_message(reply->kind, reply->form, reply->version, reply->xid,
                                    reply->out);
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
    of_reply_break(reply);
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
    if (request->version >= OF_1_5) {
        const struct of_oxs oxs = {
            .n_flows = aggregate->n_flows,
            .n_packets = aggregate->n_packets,
            .n_bytes = aggregate->n_bytes,
        };
        of_oxs_encode(&oxs, OXS_FLOW_COUNT | OXS_PACKET_COUNT | OXS_BYTE_COUNT, out);
    } else {
        uint8_t *body = buffer_put_zeros(out, 24);
        be64_store(body, aggregate->n_packets);
        be64_store(body + 8, aggregate->n_bytes);
        be32_store(body + 16, aggregate->n_flows);
    }
    of_reply_end(&reply);
}

enum of_error of_decode_aggregate(const struct of_message *message, struct of_aggregate *aggregate)
{
    struct of_oxs oxs;
    size_t n_used;

    if (message->version >= OF_1_5) {
        enum of_error error = of_oxs_decode(message->body, message->body_bytes, &oxs, &n_used);
        *aggregate = (struct of_aggregate){
            .n_packets = oxs.n_packets, .n_bytes = oxs.n_bytes, .n_flows = oxs.n_flows};
        return error;
    }
    aggregate->n_packets = wire_u64(message->body);
    aggregate->n_bytes = wire_u64(message->body + 8);
    aggregate->n_flows = wire_u32(message->body + 16);
    return OF_OK;
}
