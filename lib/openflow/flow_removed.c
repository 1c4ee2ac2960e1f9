/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow 1.0 section 5.4.3, 1.3.5 section 7.4.2 (1.1 to 1.4), 1.5 section 7.4.2, NXT_FLOW_REMOVED. */

#include "lib/openflow/flow_mod.h"

#include <string.h>

#include "lib/openflow/match_codec.h"
#include "lib/openflow/oxs.h"

static void decode_standard10(const uint8_t *body, struct of_flow_removed *removed)
{
    of_match_decode_of10(body, &removed->match);
    removed->cookie = be64_load(body + 40);
    removed->priority = wire_u16(body + 48);
    removed->reason = body[50];
    removed->table_id = OF_TABLE_ALL;
    removed->duration_s = wire_u32(body + 52);
    removed->duration_ns = wire_u32(body + 56);
    removed->idle_timeout_s = wire_u16(body + 60);
    removed->n_packets = wire_u64(body + 64);
    removed->n_bytes = wire_u64(body + 72);
}

static enum of_error decode15(const struct of_message *message, struct of_flow_removed *removed)
{
    const uint8_t *body = message->body;
    size_t rest = message->body_bytes - 16, n_used;
    struct of_oxs stats;

    removed->table_id = body[0];
    removed->reason = body[1];
    removed->priority = wire_u16(body + 2);
    removed->idle_timeout_s = wire_u16(body + 4);
    removed->hard_timeout_s = wire_u16(body + 6);
    removed->cookie = be64_load(body + 8);
    enum of_error error = of_match_decode_loose(body + 16, rest, &removed->match, &n_used);
    if (error)
        return error;
    body += 16 + n_used;
    rest -= n_used;
    error = of_oxs_decode(body, rest, &stats, &n_used);
    if (error || n_used != rest)
        return error ? error : OFPBRC_BAD_LEN;
    removed->duration_s = stats.duration_s;
    removed->duration_ns = stats.duration_ns;
    removed->n_packets = stats.n_packets;
    removed->n_bytes = stats.n_bytes;
    return OF_OK;
}

/* 1.1's and Nicira's are alike but for two members. */
static void decode_head(const uint8_t *body, struct of_flow_removed *removed)
{
    removed->cookie = be64_load(body);
    removed->priority = wire_u16(body + 8);
    removed->reason = body[10];
    removed->table_id = body[11];
    removed->duration_s = wire_u32(body + 12);
    removed->duration_ns = wire_u32(body + 16);
    removed->idle_timeout_s = wire_u16(body + 20);
    removed->n_packets = wire_u64(body + 24);
    removed->n_bytes = wire_u64(body + 32);
}

enum of_error of_decode_flow_removed(const struct of_message *message,
                                     struct of_flow_removed *removed)
{
    const uint8_t *body = message->body;
    size_t rest = message->body_bytes - 40, n_used;

    memset(removed, 0, sizeof *removed);
    if (message->version >= OF_1_5)
        return decode15(message, removed);
    if (message->version != OF_1_0) {
        decode_head(body, removed);
        removed->hard_timeout_s = wire_u16(body + 22);
        enum of_error error = of_match_decode_loose(body + 40, rest, &removed->match, &n_used);
        return !error && n_used != rest ? OFPBRC_BAD_LEN : error;
    }
    if (message->form == OF_FORM_STANDARD) {
        decode_standard10(body, removed);
        return OF_OK;
    }
    decode_head(body, removed);
    removed->table_id--; /* 0: not told. */
    n_used = wire_u16(body + 22);
    if (wire_round_up_8(n_used) != rest)
        return OFPBRC_BAD_LEN;
    return of_match_decode_nxm(body + 40, n_used, &removed->match, NULL, NULL);
}

/* There were no meters to be deleted before 1.3, and a reason of their own came later. */
static uint8_t wire_reason(const struct of_flow_removed *removed, enum of_version version)
{
    bool is_too_new = removed->reason == OFRR_METER_DELETE && version < OF_1_4;

    return is_too_new ? (uint8_t)OFRR_DELETE : removed->reason;
}

static void encode_standard10(const struct of_flow_removed *removed, struct buffer *out)
{
    size_t start = of_begin_message(OF_FLOW_REMOVED, OF_FORM_STANDARD, OF_1_0, 0, out);

    of_match_encode_of10(&removed->match, out);
    uint8_t *body = buffer_put_zeros(out, 40);
    memcpy(body, &removed->cookie, sizeof removed->cookie);
    be16_store(body + 8, removed->priority);
    body[10] = wire_reason(removed, OF_1_0);
    be32_store(body + 12, removed->duration_s);
    be32_store(body + 16, removed->duration_ns);
    be16_store(body + 20, removed->idle_timeout_s);
    be64_store(body + 24, removed->n_packets);
    be64_store(body + 32, removed->n_bytes);
    of_finish_message(start, out);
}

static void encode_head(const struct of_flow_removed *removed, enum of_version version,
                        uint8_t table, uint8_t *body)
{
    memcpy(body, &removed->cookie, sizeof removed->cookie);
    be16_store(body + 8, removed->priority);
    body[10] = wire_reason(removed, version);
    body[11] = table;
    be32_store(body + 12, removed->duration_s);
    be32_store(body + 16, removed->duration_ns);
    be16_store(body + 20, removed->idle_timeout_s);
    be64_store(body + 24, removed->n_packets);
    be64_store(body + 32, removed->n_bytes);
}

static void encode_nx(const struct of_flow_removed *removed, struct buffer *out)
{
    size_t start = of_begin_message(OF_FLOW_REMOVED, OF_FORM_NX, OF_1_0, 0, out);
    size_t body = out->size;

    encode_head(removed, OF_1_0, (uint8_t)(removed->table_id + 1), buffer_put_zeros(out, 40));
    size_t match_bytes = of_match_encode_nxm(&removed->match, (be64){0}, (be64){0}, out);
    be16_store(out->data + body + 22, (uint16_t)match_bytes);
    buffer_put_zeros(out, wire_round_up_8(match_bytes) - match_bytes);
    of_finish_message(start, out);
}

static void encode15(const struct of_flow_removed *removed, enum of_version version,
                     struct buffer *out)
{
    size_t start = of_begin_message(OF_FLOW_REMOVED, OF_FORM_STANDARD, version, 0, out);
    const struct of_oxs stats = {
        .duration_s = removed->duration_s,
        .duration_ns = removed->duration_ns,
        .n_packets = removed->n_packets,
        .n_bytes = removed->n_bytes,
    };
    uint8_t *body = buffer_put_zeros(out, 16);

    body[0] = removed->table_id;
    body[1] = removed->reason;
    be16_store(body + 2, removed->priority);
    be16_store(body + 4, removed->idle_timeout_s);
    be16_store(body + 6, removed->hard_timeout_s);
    memcpy(body + 8, &removed->cookie, sizeof removed->cookie);
    of_match_encode(&removed->match, version, out);
    of_oxs_encode(&stats, OXS_DURATION | OXS_PACKET_COUNT | OXS_BYTE_COUNT, out);
    of_finish_message(start, out);
}

void of_encode_flow_removed(const struct of_flow_removed *removed,
                            const struct of_protocol *protocol, struct buffer *out)
{
    if (protocol->version == OF_1_0) {
        if (protocol->uses_nxm)
            encode_nx(removed, out);
        else
            encode_standard10(removed, out);
        return;
    }
    if (protocol->version >= OF_1_5) {
        encode15(removed, protocol->version, out);
        return;
    }
    size_t start = of_begin_message(OF_FLOW_REMOVED, OF_FORM_STANDARD, protocol->version, 0, out);
    uint8_t *body = buffer_put_zeros(out, 40);
    encode_head(removed, protocol->version, removed->table_id, body);
    be16_store(body + 22, removed->hard_timeout_s);
    of_match_encode(&removed->match, protocol->version, out);
    of_finish_message(start, out);
}
