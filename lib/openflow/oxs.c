/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/oxs.h"

#include "lib/buffer.h"
#include "lib/openflow/wire.h"

enum { HEADER_BYTES = 4, CLASS_BASIC = 0x8002 };
enum {
    FIELD_DURATION,
    FIELD_IDLE_TIME,
    FIELD_FLOW_COUNT = 3,
    FIELD_PACKET_COUNT,
    FIELD_BYTE_COUNT
};

static enum of_error decode_entry(unsigned field, const uint8_t *value, size_t n_bytes,
                                  struct of_oxs *stats)
{
    size_t wanted = field == FIELD_FLOW_COUNT ? 4 : 8;

    if (field > FIELD_BYTE_COUNT || field == FIELD_FLOW_COUNT - 1)
        return OF_OK;
    if (n_bytes != wanted)
        return OFPBRC_BAD_LEN;
    switch (field) {
    case FIELD_DURATION:
        stats->duration_s = wire_u32(value);
        stats->duration_ns = wire_u32(value + 4);
        break;
    case FIELD_IDLE_TIME:
        stats->idle_age_s = (int32_t)(wire_u32(value) & INT32_MAX);
        break;
    case FIELD_FLOW_COUNT:
        stats->n_flows = wire_u32(value);
        break;
    case FIELD_PACKET_COUNT:
        stats->n_packets = wire_u64(value);
        break;
    default:
        stats->n_bytes = wire_u64(value);
        break;
    }
    return OF_OK;
}

enum of_error of_oxs_decode(const void *bytes, size_t n_bytes, struct of_oxs *stats, size_t *n_used)
{
    *stats = (struct of_oxs){.idle_age_s = -1, .n_packets = UINT64_MAX, .n_bytes = UINT64_MAX};
    size_t length = n_bytes >= HEADER_BYTES ? wire_u16((const uint8_t *)bytes + 2) : 0;
    *n_used = wire_round_up_8(length);
    if (length < HEADER_BYTES || *n_used > n_bytes)
        return OFPBRC_BAD_LEN;

    struct wire wire = wire_init((const uint8_t *)bytes + HEADER_BYTES, length - HEADER_BYTES);
    while (wire.left) {
        const uint8_t *header = wire_take(&wire, HEADER_BYTES);
        const uint8_t *value = header ? wire_take(&wire, header[3]) : NULL;

        if (!value)
            return OFPBRC_BAD_LEN;
        if (wire_u16(header) != CLASS_BASIC)
            continue;
        enum of_error error = decode_entry(header[2] >> 1, value, header[3], stats);
        if (error)
            return error;
    }
    return OF_OK;
}

static uint8_t *put_entry(unsigned field, size_t n_bytes, struct buffer *out)
{
    uint8_t *entry = buffer_put_zeros(out, HEADER_BYTES + n_bytes);

    be16_store(entry, CLASS_BASIC);
    entry[2] = (uint8_t)(field << 1);
    entry[3] = (uint8_t)n_bytes;
    return entry + HEADER_BYTES;
}

void of_oxs_encode(const struct of_oxs *stats, unsigned entries, struct buffer *out)
{
    size_t start = out->size;

    buffer_put_zeros(out, HEADER_BYTES);
    if (entries & OXS_DURATION) {
        uint8_t *value = put_entry(FIELD_DURATION, 8, out);
        be32_store(value, stats->duration_s);
        be32_store(value + 4, stats->duration_ns);
    }
    if (entries & OXS_IDLE_TIME && stats->idle_age_s >= 0)
        be32_store(put_entry(FIELD_IDLE_TIME, 8, out), (uint32_t)stats->idle_age_s);
    if (entries & OXS_FLOW_COUNT)
        be32_store(put_entry(FIELD_FLOW_COUNT, 4, out), stats->n_flows);
    if (entries & OXS_PACKET_COUNT && stats->n_packets != UINT64_MAX)
        be64_store(put_entry(FIELD_PACKET_COUNT, 8, out), stats->n_packets);
    if (entries & OXS_BYTE_COUNT && stats->n_bytes != UINT64_MAX)
        be64_store(put_entry(FIELD_BYTE_COUNT, 8, out), stats->n_bytes);
    size_t length = out->size - start;
    be16_store(out->data + start + 2, (uint16_t)length);
    buffer_put_zeros(out, wire_round_up_8(length) - length);
}
