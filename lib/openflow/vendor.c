/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/vendor.h"

#include <stddef.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/properties.h"

enum { NXFF_OPENFLOW10 = 0, NXFF_NXM = 2 };

/* Messages whose body is one 32-bit number. */
static void encode_number(enum of_message_kind kind, enum of_version version, uint32_t xid,
                          uint32_t number, struct buffer *out)
{
    size_t start = of_begin_message(kind, OF_FORM_NX, version, xid, out);

    be32_store(buffer_put_uninit(out, 4), number);
    of_finish_message(start, out);
}

enum of_error of_decode_set_flow_format(const struct of_message *message, bool *uses_nxm)
{
    uint32_t format = wire_u32(message->body);

    *uses_nxm = format == NXFF_NXM;
    return format == NXFF_OPENFLOW10 || format == NXFF_NXM ? OF_OK : OFPBRC_EPERM;
}

void of_encode_set_flow_format(bool uses_nxm, uint32_t xid, struct buffer *out)
{
    encode_number(OF_SET_FLOW_FORMAT, OF_1_0, xid, uses_nxm ? NXFF_NXM : NXFF_OPENFLOW10, out);
}

enum of_error of_decode_flow_mod_table_id(const struct of_message *message, bool *has_table_id)
{
    *has_table_id = message->body[0];
    return OF_OK;
}

void of_encode_flow_mod_table_id(bool has_table_id, uint32_t xid, struct buffer *out)
{
    size_t start = of_begin_message(OF_FLOW_MOD_TABLE_ID, OF_FORM_NX, OF_1_0, xid, out);

    *(uint8_t *)buffer_put_zeros(out, 8) = has_table_id;
    of_finish_message(start, out);
}

enum of_error of_decode_set_packet_in_format(const struct of_message *message,
                                             enum of_packet_in_format *format)
{
    uint32_t wire = wire_u32(message->body);

    if (wire > OF_PACKET_IN_NXT2)
        return OFPBRC_EPERM;
    *format = (enum of_packet_in_format)wire;
    return OF_OK;
}

void of_encode_set_packet_in_format(enum of_packet_in_format format, enum of_version version,
                                    uint32_t xid, struct buffer *out)
{
    encode_number(OF_SET_PACKET_IN_FORMAT, version, xid, (uint32_t)format, out);
}

enum of_error of_decode_set_controller_id(const struct of_message *message, uint16_t *id)
{
    if (!wire_is_zero(message->body, 6))
        return NXBRC_MUST_BE_ZERO;
    *id = wire_u16(message->body + 6);
    return OF_OK;
}

void of_encode_set_controller_id(uint16_t id, enum of_version version, uint32_t xid,
                                 struct buffer *out)
{
    size_t start = of_begin_message(OF_SET_CONTROLLER_ID, OF_FORM_NX, version, xid, out);

    be16_store((uint8_t *)buffer_put_zeros(out, 8) + 6, id);
    of_finish_message(start, out);
}

/* Nicira's numbers begin with "equal", OpenFlow's with "no change". */
enum of_error of_decode_role(const struct of_message *message, struct of_role_request *role)
{
    bool is_nx = message->form == OF_FORM_NX;
    uint32_t wire = wire_u32(message->body);

    if (wire > (is_nx ? 2U : 3U))
        return OFPRRFC_BAD_ROLE;
    *role = (struct of_role_request){.role = (enum of_role)(is_nx ? wire + 1 : wire)};
    role->has_generation_id = !is_nx &&
                              (role->role == OF_ROLE_PRIMARY || role->role == OF_ROLE_SECONDARY);
    role->generation_id = is_nx ? 0 : wire_u64(message->body + 8);
    return OF_OK;
}

void of_encode_role(const struct of_role_request *role, enum of_message_kind kind,
                    enum of_version version, uint32_t xid, struct buffer *out)
{
    if (version < OF_1_2) {
        uint32_t number = role->role ? (uint32_t)role->role - 1 : 0;
        encode_number(kind, version, xid, number, out);
        return;
    }
    size_t start = of_begin_message(kind, OF_FORM_STANDARD, version, xid, out);
    uint8_t *body = buffer_put_zeros(out, 16);
    be32_store(body, (uint32_t)role->role);
    be64_store(body + 8, role->has_generation_id ? role->generation_id : UINT64_MAX);
    of_finish_message(start, out);
}

void of_encode_role_status(const struct of_role_status *status, enum of_version version,
                           struct buffer *out)
{
    size_t start = of_begin_message(OF_ROLE_STATUS, OF_FORM_STANDARD, version, 0, out);
    uint8_t *body = buffer_put_zeros(out, 16);

    be32_store(body, (uint32_t)status->role);
    body[4] = status->reason;
    be64_store(body + 8, status->generation_id);
    of_finish_message(start, out);
}

enum of_error of_decode_role_status(const struct of_message *message, struct of_role_status *status)
{
    uint32_t role = wire_u32(message->body);

    if (role == OF_ROLE_NOCHANGE || role > OF_ROLE_SECONDARY)
        return OFPRRFC_BAD_ROLE;
    *status = (struct of_role_status){
        .role = (enum of_role)role,
        .reason = message->body[4],
        .generation_id = wire_u64(message->body + 8),
    };
    return OF_OK;
}

enum of_error of_decode_request_forward(const struct of_message *message, struct of_message *inner)
{
    int length = of_frame_length(message->body, message->body_bytes);

    if (length <= 0 || (size_t)length != message->body_bytes)
        return OFPBRC_BAD_LEN;
    enum of_error error = of_decode_message(message->body, message->body_bytes, inner);
    if (error)
        return error;
    return inner->kind == OF_GROUP_MOD || inner->kind == OF_METER_MOD ? OF_OK : OFPBRC_BAD_TYPE;
}

void of_encode_request_forward(const void *request, size_t n_bytes, enum of_version version,
                               struct buffer *out)
{
    enum of_form form = version < OF_1_3 ? OF_FORM_NX : OF_FORM_STANDARD;
    size_t start = of_begin_message(OF_REQUEST_FORWARD, form, version, 0, out);

    buffer_put(out, request, n_bytes);
    of_finish_message(start, out);
}

/* Which asynchronous messages */

enum {
    ACTION_BITS14 = 1 << OFPR_ACTION | 1 << OFPR_ACTION_SET | 1 << OFPR_GROUP |
                    1 << OFPR_PACKET_OUT,
    PACKET_IN_BITS = 1 << OFPR_NO_MATCH | 1 << OFPR_INVALID_TTL | ACTION_BITS14,
    LEGACY_PACKET_IN_BITS = 1 << OFPR_NO_MATCH | 1 << OFPR_ACTION | 1 << OFPR_INVALID_TTL,
};

/* By the numbers of their properties, of which each message has two: as secondary, as primary. */
static const struct {
    size_t offset;
    uint32_t known;
} async_masks[] = {
    {offsetof(struct of_async_config, packet_in), PACKET_IN_BITS},
    {offsetof(struct of_async_config, port_status), 0x7},
    {offsetof(struct of_async_config, flow_removed), 0x3f},
    {offsetof(struct of_async_config, role_status), 0x7},
    {offsetof(struct of_async_config, table_status), 0x18},
    {offsetof(struct of_async_config, request_forward), 0x3},
};
enum { N_LEGACY_MASKS = 3 };

void of_async_config_init(struct of_async_config *config, enum of_version version)
{
    enum { FLOW_REMOVED_BITS11 = 0x0f, FLOW_REMOVED_BITS14 = 0x3f };

    *config = (struct of_async_config){
        .packet_in = {1 << OFPR_NO_MATCH | ACTION_BITS14, 0},
        .port_status = {0x7, 0x7},
        .flow_removed = {version >= OF_1_4 ? FLOW_REMOVED_BITS14 : FLOW_REMOVED_BITS11, 0},
    };
}

/* [0] as primary, [1] as secondary. */
static uint32_t *mask_of(struct of_async_config *config, size_t i)
{
    return (uint32_t *)(void *)((char *)config + async_masks[i].offset);
}

static bool has_properties(const struct of_message *message)
{
    return message->version >= OF_1_4 ? message->form == OF_FORM_STANDARD
                                      : message->form == OF_FORM_NX2;
}

static enum of_error decode_async_properties(struct wire wire, struct of_async_config *config)
{
    struct of_property property;

    while (wire.left) {
        enum of_error error = of_take_property(&wire, &property);

        if (error)
            return error;
        if (property.type / 2 >= ARRAY_SIZE(async_masks))
            return of_unknown_property(&property);
        if (property.n_bytes != 4)
            return OFPBPC_BAD_LEN;
        uint32_t mask = wire_u32(property.body);
        if (mask & ~async_masks[property.type / 2].known)
            return OFPACFC_INVALID;
        mask_of(config, property.type / 2)[property.type % 2 ? 0 : 1] = mask;
    }
    return OF_OK;
}

enum of_error of_decode_async_config(const struct of_message *message,
                                     struct of_async_config *config)
{
    if (has_properties(message))
        return decode_async_properties(wire_init(message->body, message->body_bytes), config);
    for (size_t i = 0; i < 2 * N_LEGACY_MASKS; i++)
        mask_of(config, i / 2)[i % 2] = wire_u32(message->body + 4 * i) & async_masks[i / 2].known;
    /* What 1.4 tells apart was all one reason. */
    for (size_t i = 0; i < 2; i++) {
        config->packet_in[i] &= LEGACY_PACKET_IN_BITS;
        if (config->packet_in[i] & 1 << OFPR_ACTION)
            config->packet_in[i] |= ACTION_BITS14;
    }
    return OF_OK;
}

void of_encode_async_config(const struct of_async_config *config, enum of_message_kind kind,
                            enum of_version version, uint32_t xid, struct buffer *out)
{
    enum of_form form = version < OF_1_3 ? OF_FORM_NX : OF_FORM_STANDARD;
    size_t start = of_begin_message(kind, form, version, xid, out);
    struct of_async_config copy = *config;

    if (version >= OF_1_4) {
        for (uint16_t i = 0; i < 2 * ARRAY_SIZE(async_masks); i++)
            be32_store(of_put_property(i, 4, out), mask_of(&copy, i / 2)[i % 2 ? 0 : 1]);
    } else {
        copy.packet_in[0] &= LEGACY_PACKET_IN_BITS;
        copy.packet_in[1] &= LEGACY_PACKET_IN_BITS;
        for (size_t i = 0; i < 2 * N_LEGACY_MASKS; i++)
            be32_store(buffer_put_uninit(out, 4), mask_of(&copy, i / 2)[i % 2]);
    }
    of_finish_message(start, out);
}
