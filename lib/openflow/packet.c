/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 sections 5.3.6 and 5.4.1, 1.1 and 1.2 appendix A.3.7 and A.4.1, 1.3.5 sections 7.3.7 and
 * 7.4.1, 1.5 section 7.3.6, NXT_PACKET_IN. */

#include "lib/openflow/packet.h"

#include <string.h>

#include "lib/flow_parse.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/properties.h"

enum { /* nx_packet_in2_prop_type */
       NXPINT_PACKET,
       NXPINT_FULL_LEN,
       NXPINT_BUFFER_ID,
       NXPINT_TABLE_ID,
       NXPINT_COOKIE,
       NXPINT_REASON,
       NXPINT_METADATA,
       NXPINT_USERDATA,
       NXPINT_CONTINUATION,
};

/* Is it one of the fields that Open vSwitch tells of a flow besides in_port?  Registers are told as 32 bits each. */
static bool is_metadata(enum of_field_id id)
{
    return id == FIELD_METADATA || id == FIELD_PKT_MARK ||
           (id >= FIELD_TUN_ID && id <= FIELD_TUN_GTPU_MSGTYPE && id != FIELD_TUN_TTL &&
            id != FIELD_TUN_TOS) ||
           (id >= FIELD_CT_STATE && id <= FIELD_CT_LABEL) ||
           (id >= FIELD_REG0 && id <= FIELD_REG15);
}

void of_metadata_to_match(const struct flow *flow, struct match *match)
{
    match_init_any(match);
    match->flow.key.in_port = flow->key.in_port;
    match->mask.key.in_port = be32_from(UINT32_MAX);
    for (int id = 0; id <= FIELD_REG15; id++) {
        const struct of_field *field = of_field((enum of_field_id)id);
        struct of_value value;

        if (!is_metadata((enum of_field_id)id))
            continue;
        of_field_get(field, flow, &value);
        if (wire_is_zero(value.bytes, field->n_bytes))
            continue;
        of_field_set(field, &value, &match->flow);
        of_field_add_mask(field, NULL, &match->mask);
    }
}

void of_metadata_from_match(const struct match *match, struct flow *flow)
{
    flow->key.in_port = match->flow.key.in_port;
    flow->key.pkt_mark = match->flow.key.pkt_mark;
    memcpy((uint8_t *)flow + sizeof flow->key, (const uint8_t *)&match->flow + sizeof flow->key,
           sizeof *flow - sizeof flow->key);
    flow->conj_id = be32_from(0);
}

static of_port match_in_port(const struct match *match)
{
    return match->mask.key.in_port.raw ? (of_port)be32_host(match->flow.key.in_port)
                                       : (of_port)OFPP_NONE;
}

static enum of_error decode_in10(const struct of_message *message, struct of_packet_in *packet)
{
    const uint8_t *body = message->body;

    packet->total_bytes = wire_u16(body + 4);
    packet->match.flow.key.in_port = be32_from(wire_u16(body + 6));
    packet->match.mask.key.in_port = be32_from(UINT32_MAX);
    packet->reason = body[8];
    packet->cookie.raw = UINT64_MAX;
    packet->frame = body + 10;
    packet->frame_bytes = message->body_bytes - 10;
    return OF_OK;
}

static enum of_error decode_in11(const struct of_message *message, struct of_packet_in *packet)
{
    const uint8_t *body = message->body;
    of_port in_port;

    if (!of_port_from_wire32(wire_u32(body + 4), &in_port))
        return OFPBRC_BAD_PORT;
    packet->match.flow.key.in_port = be32_from(in_port);
    packet->match.mask.key.in_port = be32_from(UINT32_MAX);
    packet->total_bytes = wire_u16(body + 12);
    packet->reason = body[14];
    packet->table_id = body[15];
    packet->cookie.raw = UINT64_MAX;
    packet->frame = body + 16;
    packet->frame_bytes = message->body_bytes - 16;
    return OF_OK;
}

/* 1.3's and Nicira's: a head, a match, two bytes of padding, the frame. */
static enum of_error decode_in_tail(struct wire *wire, size_t match_bytes,
                                    struct of_packet_in *packet)
{
    if (!wire_take(wire, match_bytes) || !wire_take(wire, 2))
        return OFPBRC_BAD_LEN;
    packet->frame = wire->next;
    packet->frame_bytes = wire->left;
    return OF_OK;
}

static enum of_error decode_in_nx(const struct of_message *message, struct of_packet_in *packet)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *body = wire_take(&wire, 24);
    size_t match_bytes = wire_u16(body + 16);

    packet->total_bytes = wire_u16(body + 4);
    packet->reason = body[6];
    packet->table_id = body[7];
    packet->cookie = be64_load(body + 8);
    if (match_bytes > wire.left)
        return OFPBRC_BAD_LEN;
    enum of_error error = of_match_decode_nxm(wire.next, match_bytes, &packet->match, NULL, NULL);
    return error ? error : decode_in_tail(&wire, wire_round_up_8(match_bytes), packet);
}

/* 1.2 has no cookie. */
static enum of_error decode_in12(const struct of_message *message, struct of_packet_in *packet)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *body = wire_take(&wire, message->version == OF_1_2 ? 8 : 16);
    size_t n_used;

    packet->total_bytes = wire_u16(body + 4);
    packet->reason = body[6];
    packet->table_id = body[7];
    packet->cookie = message->version == OF_1_2 ? (be64){UINT64_MAX} : be64_load(body + 8);
    enum of_error error = of_match_decode_loose(wire.next, wire.left, &packet->match, &n_used);
    return error ? error : decode_in_tail(&wire, n_used, packet);
}

/* What a frame does not say, as a list of fields without header. */
static enum of_error decode_metadata(const struct of_property *property, struct match *match)
{
    return of_match_decode_nxm_loose(property->body, property->n_bytes, match);
}

static enum of_error decode_in_property(const struct of_property *property,
                                        struct of_packet_in *packet)
{
    const uint8_t *body = property->body;
    size_t n_bytes = property->n_bytes;

    switch (property->type) {
    case NXPINT_PACKET:
        packet->frame = body;
        packet->frame_bytes = n_bytes;
        return OF_OK;
    case NXPINT_FULL_LEN:
        if (n_bytes != 4)
            return OFPBPC_BAD_LEN;
        packet->total_bytes = wire_u32(body) < UINT16_MAX ? (uint16_t)wire_u32(body) : UINT16_MAX;
        return OF_OK;
    case NXPINT_BUFFER_ID:
        return n_bytes == 4 ? OF_OK : OFPBPC_BAD_LEN;
    case NXPINT_TABLE_ID:
    case NXPINT_REASON:
        if (n_bytes != 1)
            return OFPBPC_BAD_LEN;
        *(property->type == NXPINT_REASON ? &packet->reason : &packet->table_id) = body[0];
        return OF_OK;
    case NXPINT_COOKIE:
        if (n_bytes != 12)
            return OFPBPC_BAD_LEN;
        packet->cookie = be64_load(body + 4);
        return OF_OK;
    case NXPINT_METADATA:
        return decode_metadata(property, &packet->match);
    case NXPINT_USERDATA:
        packet->userdata = body;
        packet->userdata_bytes = n_bytes;
        return OF_OK;
    case NXPINT_CONTINUATION:
        packet->continuation = body;
        packet->continuation_bytes = n_bytes;
        return OF_OK;
    default:
        return of_unknown_property(property);
    }
}

static enum of_error decode_in_nx2(const struct of_message *message, struct of_packet_in *packet)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    struct of_property property;

    packet->cookie.raw = UINT64_MAX;
    match_init_any(&packet->match);
    while (wire.left) {
        enum of_error error = of_take_property(&wire, &property);

        if (!error)
            error = decode_in_property(&property, packet);
        if (error)
            return error;
    }
    if (!packet->frame)
        return OFPBRC_BAD_LEN;
    if (!packet->total_bytes)
        packet->total_bytes = (uint16_t)(packet->frame_bytes < UINT16_MAX ? packet->frame_bytes
                                                                          : UINT16_MAX);
    return packet->total_bytes < packet->frame_bytes ? OFPBRC_BAD_LEN : OF_OK;
}

enum of_error of_decode_resume(const struct of_message *message, struct of_packet_in *packet)
{
    memset(packet, 0, sizeof *packet);
    return decode_in_nx2(message, packet);
}

enum of_error of_decode_packet_in(const struct of_message *message, struct of_packet_in *packet)
{
    memset(packet, 0, sizeof *packet);
    if (message->form == OF_FORM_NX)
        return decode_in_nx(message, packet);
    if (message->form == OF_FORM_NX2)
        return decode_in_nx2(message, packet);
    if (message->version == OF_1_0)
        return decode_in10(message, packet);
    return message->version == OF_1_1 ? decode_in11(message, packet) : decode_in12(message, packet);
}

/* Versions before 1.4 know three reasons. */
static uint8_t wire_reason(uint8_t reason, enum of_version version)
{
    bool is_new = reason > OFPR_INVALID_TTL && reason <= OFPR_PACKET_OUT;

    return is_new && version < OF_1_4 ? (uint8_t)OFPR_ACTION : reason;
}

static void put_in_head(const struct of_packet_in *packet, enum of_version version, bool has_cookie,
                        struct buffer *out)
{
    uint8_t *body = buffer_put_zeros(out, 8);

    be32_store(body, OF_BUFFER_NONE);
    be16_store(body + 4, packet->total_bytes);
    body[6] = wire_reason(packet->reason, version);
    body[7] = packet->table_id;
    if (has_cookie)
        buffer_put(out, &packet->cookie, sizeof packet->cookie);
}

static void encode_in11(const struct of_packet_in *packet, struct buffer *out)
{
    uint8_t *body = buffer_put_zeros(out, 16);
    uint32_t in_port = of_port_to_wire32(match_in_port(&packet->match));

    be32_store(body, OF_BUFFER_NONE);
    be32_store(body + 4, in_port);
    be32_store(body + 8, in_port);
    be16_store(body + 12, packet->total_bytes);
    body[14] = wire_reason(packet->reason, OF_1_1);
    body[15] = packet->table_id;
}

static void encode_in10(const struct of_packet_in *packet, struct buffer *out)
{
    uint8_t *body = buffer_put_zeros(out, 10);

    be32_store(body, OF_BUFFER_NONE);
    be16_store(body + 4, packet->total_bytes);
    be16_store(body + 6, match_in_port(&packet->match));
    body[8] = wire_reason(packet->reason, OF_1_0);
}

static void encode_in_nx(const struct of_packet_in *packet, enum of_version version,
                         struct buffer *out)
{
    put_in_head(packet, version, true, out);
    size_t length_at = out->size;
    buffer_put_zeros(out, 8);
    size_t match_bytes = of_match_encode_nxm(&packet->match, (be64){0}, (be64){0}, out);
    be16_store(out->data + length_at, (uint16_t)match_bytes);
    buffer_put_zeros(out, wire_round_up_8(match_bytes) - match_bytes + 2);
}

static void put_bytes(uint16_t type, const uint8_t *bytes, size_t n_bytes, struct buffer *out)
{
    uint8_t *body = of_put_property(type, n_bytes, out);

    if (n_bytes)
        memcpy(body, bytes, n_bytes);
}

static size_t take_room(size_t wanted, size_t *room)
{
    size_t taken = wanted <= *room ? wanted : 0;

    *room -= taken;
    return taken;
}

/* Where the message would become too long, the frame is cut, and what a frame cannot go on with left
 * out. */
static void put_properties(const struct of_packet_in *packet, enum of_version version,
                           struct buffer *out)
{
    enum { OTHER_BYTES = 2048 };
    size_t room = UINT16_MAX - OTHER_BYTES;
    size_t userdata_bytes = take_room(packet->userdata_bytes, &room);
    size_t n_bytes = packet->frame_bytes < room ? packet->frame_bytes : room;
    room -= n_bytes;
    size_t continuation_bytes = n_bytes == packet->frame_bytes
                                    ? take_room(packet->continuation_bytes, &room)
                                    : 0;

    put_bytes(NXPINT_PACKET, packet->frame, n_bytes, out);
    if (packet->total_bytes > n_bytes)
        be32_store(of_put_property(NXPINT_FULL_LEN, 4, out), packet->total_bytes);
    put_bytes(NXPINT_TABLE_ID, &packet->table_id, 1, out);
    if (packet->cookie.raw != UINT64_MAX)
        memcpy(of_put_property(NXPINT_COOKIE, 12, out) + 4, &packet->cookie, sizeof packet->cookie);
    put_bytes(NXPINT_REASON, &(uint8_t){wire_reason(packet->reason, version)}, 1, out);
    size_t start = of_begin_property(NXPINT_METADATA, out);
    of_match_encode_fields(&packet->match, version, out);
    of_end_property(start, out);
    if (userdata_bytes)
        put_bytes(NXPINT_USERDATA, packet->userdata, userdata_bytes, out);
    if (continuation_bytes)
        put_bytes(NXPINT_CONTINUATION, packet->continuation, continuation_bytes, out);
}

void of_encode_resume(const struct of_packet_in *packet, enum of_version version, uint32_t xid,
                      struct buffer *out)
{
    size_t start = of_begin_message(OF_RESUME, OF_FORM_NX, version, xid, out);

    put_properties(packet, version, out);
    of_finish_message(start, out);
}

void of_encode_packet_in(const struct of_packet_in *packet, enum of_version version,
                         enum of_packet_in_format format, struct buffer *out)
{
    if (format == OF_PACKET_IN_NXT2) {
        size_t begin = of_begin_message(OF_PACKET_IN, OF_FORM_NX2, version, 0, out);
        put_properties(packet, version, out);
        of_finish_message(begin, out);
        return;
    }
    bool is_nx = format == OF_PACKET_IN_NXT;
    size_t start = of_begin_message(OF_PACKET_IN, is_nx ? OF_FORM_NX : OF_FORM_STANDARD, version, 0,
                                    out);

    if (is_nx) {
        encode_in_nx(packet, version, out);
    } else if (version == OF_1_0) {
        encode_in10(packet, out);
    } else if (version == OF_1_1) {
        encode_in11(packet, out);
    } else {
        put_in_head(packet, version, version >= OF_1_3, out);
        of_match_encode(&packet->match, version, out);
        buffer_put_zeros(out, 2);
    }
    size_t room = UINT16_MAX - (out->size - start);
    buffer_put(out, packet->frame, packet->frame_bytes < room ? packet->frame_bytes : room);
    of_finish_message(start, out);
}

void of_packet_out_fini(struct of_packet_out *packet)
{
    buffer_fini(&packet->actions);
}

static bool is_in_port(of_port port)
{
    return port < OFPP_MAX || port == OFPP_LOCAL || port == OFPP_NONE || port == OFPP_CONTROLLER;
}

/* The actions must suit the frame they come with. */
static enum of_error check_out(struct of_packet_out *packet, enum of_version version,
                               uint8_t n_tables)
{
    struct ofa_check check = {
        .version = version, .table_id = OF_TABLE_ALL, .n_tables = n_tables, .max_ports = OFPP_MAX};
    struct flow_parse parse;
    struct match match;

    memset(&match, 0, sizeof match);
    flow_parse_init(&parse, packet->frame, packet->frame + packet->frame_bytes,
                    (uint32_t)packet->frame_bytes, false);
    flow_parse_frame(&parse, &match.flow.key);
    memset(&match.mask, 0xff, sizeof match.mask);
    return ofa_check(&packet->actions, &match, &check);
}

/* Fields of the frame come with the frame, and marks and what connection tracking says are not a controller's. */
static bool is_pipeline_only(const struct match *match)
{
    struct flow allowed, rest = match->mask;

    memset(&allowed, 0, sizeof allowed);
    allowed.key.in_port = be32_from(UINT32_MAX);
    allowed.metadata = be64_from(UINT64_MAX);
    memset(allowed.regs, 0xff, sizeof allowed.regs);
    allowed.packet_type = be32_from(UINT32_MAX);
    memset(&allowed.tun_id, 0xff, offsetof(struct flow, ct_state) - offsetof(struct flow, tun_id));
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if (flow_words(&rest)[i] & ~flow_words(&allowed)[i])
            return false;
    }
    return true;
}

/* What stands before the actions; 'n_actions' is how many bytes of them follow. */
static enum of_error decode_out_head(struct wire *wire, enum of_version version, size_t *n_actions,
                                     struct of_packet_out *packet)
{
    const uint8_t *body = wire_take(wire, version == OF_1_0 || version >= OF_1_5 ? 8 : 16);
    size_t n_used;

    if (version >= OF_1_5) {
        *n_actions = wire_u16(body + 4);
        enum of_error error = of_match_decode(wire->next, wire->left, &packet->metadata, &n_used);
        if (error)
            return error;
        wire_take(wire, n_used);
        if (!packet->metadata.mask.key.in_port.raw) /* It may not be left out. */
            return OFPBRC_BAD_PORT;
        if (!is_pipeline_only(&packet->metadata))
            return OFPBRC_PIPELINE_FIELDS_ONLY;
        packet->in_port = match_in_port(&packet->metadata);
    } else if (version == OF_1_0) {
        *n_actions = wire_u16(body + 6);
        packet->in_port = wire_u16(body + 4);
    } else {
        *n_actions = wire_u16(body + 8);
        if (!of_port_from_wire32(wire_u32(body + 4), &packet->in_port))
            return OFPBAC_BAD_OUT_PORT; /* What Open vSwitch says, for want of an error of its own. */
    }
    return is_in_port(packet->in_port) ? OF_OK : OFPBRC_BAD_PORT;
}

enum of_error of_decode_packet_out(const struct of_message *message, uint8_t n_tables,
                                   struct of_packet_out *packet)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    size_t n_actions = 0;

    memset(packet, 0, sizeof *packet);
    enum of_error error = decode_out_head(&wire, message->version, &n_actions, packet);
    if (error)
        return error;
    const uint8_t *actions = wire_take(&wire, n_actions);
    if (!actions)
        return OFPBRC_BAD_LEN;
    if (wire_u32(message->body) != OF_BUFFER_NONE)
        return OFPBRC_BUFFER_UNKNOWN;
    packet->frame = wire.next;
    packet->frame_bytes = wire.left;
    error = ofa_decode_actions(actions, n_actions, message->version, &packet->actions);
    return error ? error : check_out(packet, message->version, n_tables);
}

/* The metadata with the port in it. */
static void put_out_match(const struct of_packet_out *packet, enum of_version version,
                          struct buffer *out)
{
    struct match match = packet->metadata;

    match.flow.key.in_port = be32_from(packet->in_port);
    match.mask.key.in_port = be32_from(UINT32_MAX);
    of_match_encode(&match, version, out);
}

bool of_packet_out_fits(const struct of_packet_out *packet, enum of_version version)
{
    struct match any;

    match_init_any(&any);
    return (version >= OF_1_5 || match_is_equal(&packet->metadata, &any)) &&
           ofa_actions_fit(of_packet_out_actions(packet), version);
}

void of_encode_packet_out(const struct of_packet_out *packet, enum of_version version, uint32_t xid,
                          struct buffer *out)
{
    size_t start = of_begin_message(OF_PACKET_OUT, OF_FORM_STANDARD, version, xid, out);
    size_t body = out->size;

    buffer_put_zeros(out, version == OF_1_0 || version >= OF_1_5 ? 8 : 16);
    if (version >= OF_1_5)
        put_out_match(packet, version, out);
    size_t actions = out->size;
    ofa_encode_actions(of_packet_out_actions(packet), version, out);
    uint16_t actions_bytes = (uint16_t)(out->size - actions);
    be32_store(out->data + body, OF_BUFFER_NONE);
    if (version == OF_1_0) {
        be16_store(out->data + body + 4, packet->in_port);
        be16_store(out->data + body + 6, actions_bytes);
    } else if (version < OF_1_5) {
        be32_store(out->data + body + 4, of_port_to_wire32(packet->in_port));
        be16_store(out->data + body + 8, actions_bytes);
    } else {
        be16_store(out->data + body + 4, actions_bytes);
    }
    buffer_put(out, packet->frame, packet->frame_bytes);
    of_finish_message(start, out);
}
