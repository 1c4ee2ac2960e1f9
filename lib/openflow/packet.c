/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 sections 5.3.6 and 5.4.1, 1.3.5 sections 7.3.7 and 7.4.1, NXT_PACKET_IN. */

#include "lib/openflow/packet.h"

#include <string.h>

#include "lib/flow_parse.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/match_codec.h"

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

static enum of_error decode_in13(const struct of_message *message, struct of_packet_in *packet)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *body = wire_take(&wire, 16);
    size_t n_used;

    packet->total_bytes = wire_u16(body + 4);
    packet->reason = body[6];
    packet->table_id = body[7];
    packet->cookie = be64_load(body + 8);
    enum of_error error = of_match_decode_oxm_loose(wire.next, wire.left, &packet->match, &n_used);
    return error ? error : decode_in_tail(&wire, n_used, packet);
}

enum of_error of_decode_packet_in(const struct of_message *message, struct of_packet_in *packet)
{
    memset(packet, 0, sizeof *packet);
    if (message->form == OF_FORM_NX)
        return decode_in_nx(message, packet);
    return message->version == OF_1_0 ? decode_in10(message, packet) : decode_in13(message, packet);
}

static void put_in_head(const struct of_packet_in *packet, struct buffer *out)
{
    uint8_t *body = buffer_put_zeros(out, 16);

    be32_store(body, OF_BUFFER_NONE);
    be16_store(body + 4, packet->total_bytes);
    body[6] = packet->reason;
    body[7] = packet->table_id;
    memcpy(body + 8, &packet->cookie, sizeof packet->cookie);
}

static void encode_in10(const struct of_packet_in *packet, struct buffer *out)
{
    uint8_t *body = buffer_put_zeros(out, 10);

    be32_store(body, OF_BUFFER_NONE);
    be16_store(body + 4, packet->total_bytes);
    be16_store(body + 6, match_in_port(&packet->match));
    body[8] = packet->reason;
}

static void encode_in_nx(const struct of_packet_in *packet, struct buffer *out)
{
    put_in_head(packet, out);
    size_t length_at = out->size;
    buffer_put_zeros(out, 8);
    size_t match_bytes = of_match_encode_nxm(&packet->match, (be64){0}, (be64){0}, out);
    be16_store(out->data + length_at, (uint16_t)match_bytes);
    buffer_put_zeros(out, wire_round_up_8(match_bytes) - match_bytes + 2);
}

void of_encode_packet_in(const struct of_packet_in *packet, enum of_version version,
                         enum of_packet_in_format format, struct buffer *out)
{
    bool is_nx = format == OF_PACKET_IN_NXT;
    size_t start = of_begin_message(OF_PACKET_IN, is_nx ? OF_FORM_NX : OF_FORM_STANDARD, version, 0,
                                    out);

    if (is_nx) {
        encode_in_nx(packet, out);
    } else if (version == OF_1_0) {
        encode_in10(packet, out);
    } else {
        put_in_head(packet, out);
        of_match_encode_oxm(&packet->match, version, out);
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

enum of_error of_decode_packet_out(const struct of_message *message, uint8_t n_tables,
                                   struct of_packet_out *packet)
{
    struct wire wire = wire_init(message->body, message->body_bytes);
    const uint8_t *body = wire_take(&wire, message->version == OF_1_0 ? 8 : 16);
    const uint8_t *length = body + (message->version == OF_1_0 ? 6 : 8);
    const uint8_t *actions = wire_take(&wire, wire_u16(length));

    memset(packet, 0, sizeof *packet);
    if (message->version == OF_1_0)
        packet->in_port = wire_u16(body + 4);
    else if (!of_port_from_wire32(wire_u32(body + 4), &packet->in_port))
        return OFPBAC_BAD_OUT_PORT; /* What Open vSwitch says, for want of an error of its own. */
    if (!is_in_port(packet->in_port))
        return OFPBRC_BAD_PORT;
    if (!actions)
        return OFPBRC_BAD_LEN;
    if (wire_u32(body) != OF_BUFFER_NONE)
        return OFPBRC_BUFFER_UNKNOWN;
    packet->frame = wire.next;
    packet->frame_bytes = wire.left;
    enum of_error error = ofa_decode_actions(actions, wire_u16(length), message->version,
                                             &packet->actions);
    return error ? error : check_out(packet, message->version, n_tables);
}

void of_encode_packet_out(const struct of_packet_out *packet, enum of_version version, uint32_t xid,
                          struct buffer *out)
{
    size_t start = of_begin_message(OF_PACKET_OUT, OF_FORM_STANDARD, version, xid, out);
    size_t body = out->size, head_bytes = version == OF_1_0 ? 8 : 16;

    buffer_put_zeros(out, head_bytes);
    ofa_encode_actions(of_packet_out_actions(packet), version, out);
    uint16_t actions_bytes = (uint16_t)(out->size - body - head_bytes);
    be32_store(out->data + body, OF_BUFFER_NONE);
    if (version == OF_1_0) {
        be16_store(out->data + body + 4, packet->in_port);
        be16_store(out->data + body + 6, actions_bytes);
    } else {
        be32_store(out->data + body + 4, of_port_to_wire32(packet->in_port));
        be16_store(out->data + body + 8, actions_bytes);
    }
    buffer_put(out, packet->frame, packet->frame_bytes);
    of_finish_message(start, out);
}
