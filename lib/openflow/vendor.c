/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/vendor.h"

#include <string.h>

#include "lib/buffer.h"

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

    if (wire != OF_PACKET_IN_STANDARD && wire != OF_PACKET_IN_NXT)
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
    if (version < OF_1_3) {
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

enum of_error of_decode_async_config(const struct of_message *message,
                                     struct of_async_config *config)
{
    uint32_t *masks[] = {config->packet_in, config->port_status, config->flow_removed};

    for (size_t i = 0; i < 6; i++)
        masks[i / 2][i % 2] = wire_u32(message->body + 4 * i);
    return OF_OK;
}

void of_encode_async_config(const struct of_async_config *config, enum of_message_kind kind,
                            enum of_version version, uint32_t xid, struct buffer *out)
{
    const uint32_t *masks[] = {config->packet_in, config->port_status, config->flow_removed};
    enum of_form form = version < OF_1_3 ? OF_FORM_NX : OF_FORM_STANDARD;
    size_t start = of_begin_message(kind, form, version, xid, out);

    for (size_t i = 0; i < 6; i++)
        be32_store(buffer_put_uninit(out, 4), masks[i / 2][i % 2]);
    of_finish_message(start, out);
}
