/* SPDX-License-Identifier: Apache-2.0 */

/* Flow statistics: OpenFlow 1.0 section 5.3.5, 1.3.5 section 7.3.5.2, NXST_FLOW. */

#include <string.h>

#include "lib/openflow/action_codec.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/oxs.h"
#include "lib/openflow/stats_internal.h"

void of_flow_stats_request_init(struct of_flow_stats_request *request)
{
    *request = (struct of_flow_stats_request){
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
        .table_id = OF_TABLE_ALL,
    };
}

static enum of_error decode_request_nx(const struct of_message *message,
                                       struct of_flow_stats_request *request)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *body = wire_take(&wire, 8);
    size_t match_bytes = wire_u16(body + 2);

    request->out_port = wire_u16(body);
    request->table_id = body[4];
    if (wire_round_up_8(match_bytes) != wire.left)
        return OFPBRC_BAD_LEN;
    return of_match_decode_nxm(wire.next, match_bytes, &request->match, &request->cookie,
                               &request->cookie_mask);
}

static enum of_error decode_request11(const struct of_message *message,
                                      struct of_flow_stats_request *request)
{
    const uint8_t *body = message->body;
    size_t rest = message->body_bytes - 32, n_used;

    request->table_id = body[0];
    if (!of_port_from_wire32(wire_u32(body + 4), &request->out_port))
        return OFPBAC_BAD_OUT_PORT;
    request->out_group = wire_u32(body + 8);
    request->cookie_mask = be64_load(body + 24);
    request->cookie.raw = be64_load(body + 16).raw & request->cookie_mask.raw;
    enum of_error error = of_match_decode(body + 32, rest, &request->match, &n_used);
    return !error && n_used != rest ? OFPBRC_BAD_LEN : error;
}

enum of_error of_decode_flow_stats_request(const struct of_message *message,
                                           struct of_flow_stats_request *request)
{
    of_flow_stats_request_init(request);
    if (message->version != OF_1_0)
        return decode_request11(message, request);
    if (message->form == OF_FORM_NX)
        return decode_request_nx(message, request);
    of_match_decode_of10(message->body, &request->match);
    request->table_id = message->body[40];
    request->out_port = wire_u16(message->body + 42);
    return OF_OK;
}

static void encode_request10(const struct of_flow_stats_request *request, struct buffer *out)
{
    of_match_encode_of10(&request->match, out);
    uint8_t *tail = buffer_put_zeros(out, 4);
    tail[0] = request->table_id;
    be16_store(tail + 2, request->out_port);
}

static void encode_request_nx(const struct of_flow_stats_request *request, struct buffer *out)
{
    size_t body = out->size;

    buffer_put_zeros(out, 8);
    size_t match_bytes = of_match_encode_nxm(&request->match, request->cookie, request->cookie_mask,
                                             out);
    be16_store(out->data + body, request->out_port);
    be16_store(out->data + body + 2, (uint16_t)match_bytes);
    out->data[body + 4] = request->table_id;
    buffer_put_zeros(out, wire_round_up_8(match_bytes) - match_bytes);
}

static void encode_request11(const struct of_flow_stats_request *request, enum of_version version,
                             struct buffer *out)
{
    uint8_t *body = buffer_put_zeros(out, 32);

    body[0] = request->table_id;
    be32_store(body + 4, of_port_to_wire32(request->out_port));
    be32_store(body + 8, request->out_group);
    memcpy(body + 16, &request->cookie, 8);
    memcpy(body + 24, &request->cookie_mask, 8);
    of_match_encode(&request->match, version, out);
}

void of_encode_flow_stats_request(const struct of_flow_stats_request *request,
                                  enum of_message_kind kind, const struct of_protocol *protocol,
                                  uint32_t xid, struct buffer *out)
{
    bool is_nx = protocol->version == OF_1_0 && protocol->uses_nxm;
    size_t start = of_begin_message(kind, is_nx ? OF_FORM_NX : OF_FORM_STANDARD, protocol->version,
                                    xid, out);

    if (is_nx)
        encode_request_nx(request, out);
    else if (protocol->version == OF_1_0)
        encode_request10(request, out);
    else
        encode_request11(request, protocol->version, out);
    of_finish_message(start, out);
}

static void put_counters(const struct of_flow_stats *stats, struct buffer *out)
{
    buffer_put(out, &stats->cookie, sizeof stats->cookie);
    uint8_t *counters = buffer_put_uninit(out, 16);
    be64_store(counters, stats->n_packets);
    be64_store(counters + 8, stats->n_bytes);
}

/* Length, table, duration, priority, timeouts: the head of Nicira's and of 1.3's items. */
static void put_head(const struct of_flow_stats *stats, size_t n_bytes, struct buffer *out)
{
    uint8_t *head = buffer_put_zeros(out, n_bytes);

    head[2] = stats->table_id;
    be32_store(head + 4, stats->duration_s);
    be32_store(head + 8, stats->duration_ns);
    be16_store(head + 12, stats->priority);
    be16_store(head + 14, stats->idle_timeout_s);
    be16_store(head + 16, stats->hard_timeout_s);
}

static void add_flow10(const struct of_flow_stats *stats, struct buffer *out)
{
    *(uint8_t *)((uint8_t *)buffer_put_zeros(out, 4) + 2) = stats->table_id;
    of_match_encode_of10(&stats->match, out);
    uint8_t *body = buffer_put_zeros(out, 20);
    be32_store(body, stats->duration_s);
    be32_store(body + 4, stats->duration_ns);
    be16_store(body + 8, stats->priority);
    be16_store(body + 10, stats->idle_timeout_s);
    be16_store(body + 12, stats->hard_timeout_s);
    put_counters(stats, out);
}

/* Ages are sent plus 1, 0 meaning "not known". */
static uint16_t wire_age(int32_t age_s)
{
    if (age_s < 0)
        return 0;
    return age_s < UINT16_MAX - 1 ? (uint16_t)(age_s + 1) : UINT16_MAX;
}

static void add_flow_nx(const struct of_flow_stats *stats, struct of_match_shape *shape,
                        struct buffer *out)
{
    size_t start = out->size;

    put_head(stats, 24, out);
    put_counters(stats, out);
    size_t match_start = out->size;
    of_match_encode_fields_alike(&stats->match, OF_1_0, shape, out);
    size_t match_bytes = out->size - match_start;
    buffer_put_zeros(out, wire_round_up_8(match_bytes) - match_bytes);
    be16_store(out->data + start + 18, (uint16_t)match_bytes);
    be16_store(out->data + start + 20, wire_age(stats->idle_age_s));
    be16_store(out->data + start + 22, wire_age(stats->hard_age_s));
}

static void add_flow11(const struct of_flow_stats *stats, enum of_version version,
                       struct of_match_shape *shape, struct buffer *out)
{
    size_t start = out->size;

    put_head(stats, 24, out);
    if (version >= OF_1_3)
        be16_store(out->data + start + 18, stats->flags);
    if (version >= OF_1_4)
        be16_store(out->data + start + 20, stats->importance);
    put_counters(stats, out);
    /* Also in 1.1, whose own form has no room for many flows that 1.0 can add. */
    of_match_encode_alike(&stats->match, version == OF_1_1 ? OF_1_2 : version, shape, out);
}

static void add_flow15(const struct of_flow_stats *stats, enum of_version version,
                       struct of_match_shape *shape, struct buffer *out)
{
    const struct of_oxs oxs = {
        .duration_s = stats->duration_s,
        .duration_ns = stats->duration_ns,
        .idle_age_s = stats->idle_age_s,
        .n_packets = stats->n_packets,
        .n_bytes = stats->n_bytes,
    };
    uint8_t *head = buffer_put_zeros(out, 24);

    head[4] = stats->table_id;
    be16_store(head + 6, stats->priority);
    be16_store(head + 8, stats->idle_timeout_s);
    be16_store(head + 10, stats->hard_timeout_s);
    be16_store(head + 12, stats->flags);
    be16_store(head + 14, stats->importance);
    memcpy(head + 16, &stats->cookie, sizeof stats->cookie);
    of_match_encode_alike(&stats->match, version, shape, out);
    of_oxs_encode(&oxs, OXS_DURATION | OXS_IDLE_TIME | OXS_PACKET_COUNT | OXS_BYTE_COUNT, out);
}

void of_reply_add_flow(struct of_reply *reply, const struct of_flow_stats *stats)
{
    struct buffer *out = reply->out;
    size_t start = out->size;

    if (reply->version >= OF_1_5)
        add_flow15(stats, reply->version, reply->shape, out);
    else if (reply->version != OF_1_0)
        add_flow11(stats, reply->version, reply->shape, out);
    else if (reply->form == OF_FORM_NX)
        add_flow_nx(stats, reply->shape, out);
    else
        add_flow10(stats, out);

    size_t actions_start = out->size;
    if (reply->version == OF_1_0)
        ofa_encode_actions(stats->actions, reply->version, out);
    else
        ofa_encode_instructions(stats->actions, reply->version, out);
    if (!of_reply_item_fits(reply, start))
        out->size = actions_start; /* Longer in this version than the message they came in. */
    be16_store(out->data + start, (uint16_t)(out->size - start));
    of_reply_end_item(reply, start);
}

static enum of_error read_flow10(struct wire *wire, struct of_flow_stats *stats)
{
    const uint8_t *item = wire_take(wire, 88);

    if (!item)
        return OFPBRC_BAD_LEN;
    stats->table_id = item[2];
    of_match_decode_of10(item + 4, &stats->match);
    stats->duration_s = wire_u32(item + 44);
    stats->duration_ns = wire_u32(item + 48);
    stats->priority = wire_u16(item + 52);
    stats->idle_timeout_s = wire_u16(item + 54);
    stats->hard_timeout_s = wire_u16(item + 56);
    stats->cookie = be64_load(item + 64);
    stats->n_packets = wire_u64(item + 72);
    stats->n_bytes = wire_u64(item + 80);
    return OF_OK;
}

static const uint8_t *read_head(struct wire *wire, struct of_flow_stats *stats)
{
    const uint8_t *item = wire_take(wire, 48);

    if (!item)
        return NULL;
    stats->table_id = item[2];
    stats->duration_s = wire_u32(item + 4);
    stats->duration_ns = wire_u32(item + 8);
    stats->priority = wire_u16(item + 12);
    stats->idle_timeout_s = wire_u16(item + 14);
    stats->hard_timeout_s = wire_u16(item + 16);
    stats->cookie = be64_load(item + 24);
    stats->n_packets = wire_u64(item + 32);
    stats->n_bytes = wire_u64(item + 40);
    return item;
}

static enum of_error read_flow_nx(struct wire *wire, struct of_flow_stats *stats)
{
    const uint8_t *item = read_head(wire, stats);

    if (!item)
        return OFPBRC_BAD_LEN;
    size_t match_bytes = wire_u16(item + 18);
    stats->idle_age_s = wire_u16(item + 20) - 1;
    stats->hard_age_s = wire_u16(item + 22) - 1;
    const uint8_t *match = wire_take(wire, wire_round_up_8(match_bytes));
    if (!match)
        return OFPBRC_BAD_LEN;
    return of_match_decode_nxm(match, match_bytes, &stats->match, NULL, NULL);
}

static enum of_error read_flow11(struct wire *wire, enum of_version version,
                                 struct of_flow_stats *stats)
{
    const uint8_t *item = read_head(wire, stats);
    size_t n_used;

    if (!item)
        return OFPBRC_BAD_LEN;
    stats->flags = version >= OF_1_3 ? wire_u16(item + 18) : 0;
    stats->importance = version >= OF_1_4 ? wire_u16(item + 20) : 0;
    enum of_error error = of_match_decode(wire->next, wire->left, &stats->match, &n_used);
    if (!error)
        wire_take(wire, n_used);
    return error;
}

static enum of_error read_flow15(struct wire *wire, struct of_flow_stats *stats)
{
    const uint8_t *item = wire_take(wire, 24);
    struct of_oxs oxs;
    size_t n_used;

    if (!item)
        return OFPBRC_BAD_LEN;
    stats->table_id = item[4];
    stats->priority = wire_u16(item + 6);
    stats->idle_timeout_s = wire_u16(item + 8);
    stats->hard_timeout_s = wire_u16(item + 10);
    stats->flags = wire_u16(item + 12);
    stats->importance = wire_u16(item + 14);
    stats->cookie = be64_load(item + 16);
    enum of_error error = of_match_decode(wire->next, wire->left, &stats->match, &n_used);
    if (error)
        return error;
    wire_take(wire, n_used);
    error = of_oxs_decode(wire->next, wire->left, &oxs, &n_used);
    if (error)
        return error;
    wire_take(wire, n_used);
    stats->duration_s = oxs.duration_s;
    stats->duration_ns = oxs.duration_ns;
    stats->idle_age_s = oxs.idle_age_s;
    stats->n_packets = oxs.n_packets;
    stats->n_bytes = oxs.n_bytes;
    return OF_OK;
}

bool of_next_flow_stats(struct of_items *items, struct buffer *actions, struct of_flow_stats *stats)
{
    size_t length = items->wire.left >= 2 ? wire_u16(items->wire.next) : 0;
    struct wire wire = wire_init(items->wire.next, length);

    memset(stats, 0, sizeof *stats);
    stats->idle_age_s = stats->hard_age_s = -1;
    buffer_clear(actions);
    if (!items->wire.left || !of_items_take(items, length) || !length) {
        items->error = items->wire.left ? OFPBRC_BAD_LEN : items->error;
        return false;
    }
    if (items->version >= OF_1_5)
        items->error = read_flow15(&wire, stats);
    else if (items->version != OF_1_0)
        items->error = read_flow11(&wire, items->version, stats);
    else if (items->form == OF_FORM_NX)
        items->error = read_flow_nx(&wire, stats);
    else
        items->error = read_flow10(&wire, stats);
    if (!items->error)
        items->error = items->version == OF_1_0
                           ? ofa_decode_actions(wire.next, wire.left, items->version, actions)
                           : ofa_decode_instructions(wire.next, wire.left, items->version, actions);
    if (items->error)
        return false;

    /* Fills in what printing and re-encoding want to know; what it thinks of the flow is not
     * asked. */
    ofa_check(actions, &stats->match,
              &(struct ofa_check){.version = OF_1_0,
                                  .table_id = OF_TABLE_ALL,
                                  .n_tables = OF_TABLE_ALL,
                                  .max_ports = OFPP_MAX});
    stats->actions = (struct ofa_list){.first = (const struct ofa *)(const void *)actions->data,
                                       .n_bytes = actions->size};
    return true;
}
