/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/properties.h"

#include "lib/buffer.h"

enum { HEADER_BYTES = 4, EXPERIMENTER_BYTES = 12 };

enum of_error of_take_property(struct wire *wire, struct of_property *property)
{
    size_t length = wire->left >= HEADER_BYTES ? wire_u16(wire->next + 2) : 0;
    const uint8_t *start = wire->next;

    if (length < HEADER_BYTES || !wire_take(wire, wire_round_up_8(length)))
        return OFPBPC_BAD_LEN;
    *property = (struct of_property){
        .type = wire_u16(start), .body = start + HEADER_BYTES, .n_bytes = length - HEADER_BYTES};
    if (property->type != OF_PROPERTY_EXPERIMENTER)
        return OF_OK;
    if (length < EXPERIMENTER_BYTES)
        return OFPBPC_BAD_LEN;
    property->experimenter = wire_u32(start + 4);
    property->experimenter_type = wire_u32(start + 8);
    property->body = start + EXPERIMENTER_BYTES;
    property->n_bytes = length - EXPERIMENTER_BYTES;
    return OF_OK;
}

enum of_error of_unknown_property(const struct of_property *property)
{
    return property->type == OF_PROPERTY_EXPERIMENTER ? OFPBPC_BAD_EXPERIMENTER : OFPBPC_BAD_TYPE;
}

size_t of_begin_property(uint16_t type, struct buffer *out)
{
    size_t start = out->size;

    be16_store(buffer_put_zeros(out, HEADER_BYTES), type);
    return start;
}

void of_end_property(size_t start, struct buffer *out)
{
    size_t length = out->size - start;

    be16_store(out->data + start + 2, (uint16_t)length);
    buffer_put_zeros(out, wire_round_up_8(length) - length);
}

uint8_t *of_put_property(uint16_t type, size_t body_bytes, struct buffer *out)
{
    size_t start = of_begin_property(type, out);

    buffer_put_zeros(out, body_bytes);
    of_end_property(start, out);
    return out->data + start + HEADER_BYTES;
}
