/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow's own actions, and instructions, from the wire. */

#include "lib/openflow/action_decode.h"

#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_mpls.h"
#include "lib/openflow/action_ct.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/meters.h"
#include "lib/openflow/wire.h"

static void put_legacy(enum of_field_id id, const void *value, struct buffer *list)
{
    const struct of_field *field = of_field(id);
    struct of_value padded = {.bytes = {0}};

    memcpy(padded.bytes, value, field->n_bytes);
    ofa_put_set_field(list, OFA_FORM_LEGACY, field, &padded, NULL);
}

static enum of_error decode_output10(const uint8_t *body, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    ofa_put_output(list, wire_u16(body), wire_u16(body + 2));
    return OF_OK;
}

static enum of_error decode_output11(const uint8_t *body, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    of_port port;

    if (!of_port_from_wire32(wire_u32(body), &port))
        return OFPBAC_BAD_OUT_PORT;
    ofa_put_output(list, port, wire_u16(body + 4));
    return OF_OK;
}

static enum of_error put_vlan(enum ofa_type type, unsigned value, unsigned max, struct buffer *list)
{
    if (value > max)
        return OFPBAC_BAD_ARGUMENT;
    struct ofa_vlan *vlan = (struct ofa_vlan *)(void *)ofa_put(list, type);
    vlan->value = (uint16_t)value;
    return OF_OK;
}

/* In 1.0 a frame without a tag gets one. */
static enum of_error put_vlan_pushing(enum ofa_type type, unsigned value, unsigned max,
                                      struct buffer *list)
{
    size_t start = list->size;
    enum of_error error = put_vlan(type, value, max, list);

    if (!error)
        ((struct ofa_vlan *)(void *)(list->data + start))->push_if_none = true;
    return error;
}

static enum of_error decode_vlan_vid(const uint8_t *body, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    return put_vlan_pushing(OFA_SET_VLAN_VID, wire_u16(body), VLAN_VID_MASK, list);
}

static enum of_error decode_vlan_pcp(const uint8_t *body, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    return put_vlan_pushing(OFA_SET_VLAN_PCP, body[0], 7, list);
}

static enum of_error decode_vlan_vid11(const uint8_t *body, size_t n_bytes UNUSED,
                                       struct buffer *list)
{
    return put_vlan(OFA_SET_VLAN_VID, wire_u16(body), VLAN_VID_MASK, list);
}

static enum of_error decode_vlan_pcp11(const uint8_t *body, size_t n_bytes UNUSED,
                                       struct buffer *list)
{
    return put_vlan(OFA_SET_VLAN_PCP, body[0], 7, list);
}

static enum of_error decode_push_vlan(const uint8_t *body, size_t n_bytes UNUSED,
                                      struct buffer *list)
{
    uint16_t tpid = wire_u16(body);

    if (tpid != ETH_TYPE_VLAN && tpid != ETH_TYPE_QINQ)
        return OFPBAC_BAD_ARGUMENT;
    return put_vlan(OFA_PUSH_VLAN, tpid, UINT16_MAX, list);
}

static enum of_error decode_strip_vlan(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                       struct buffer *list)
{
    ofa_put(list, OFA_POP_VLAN)->form = OFA_FORM_LEGACY;
    return OF_OK;
}

static enum of_error decode_pop_vlan(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    ofa_put(list, OFA_POP_VLAN);
    return OF_OK;
}

static enum of_error decode_dl_src(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    put_legacy(FIELD_ETH_SRC, body, list);
    return OF_OK;
}

static enum of_error decode_dl_dst(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    put_legacy(FIELD_ETH_DST, body, list);
    return OF_OK;
}

static enum of_error decode_nw_src(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    put_legacy(FIELD_IPV4_SRC, body, list);
    return OF_OK;
}

static enum of_error decode_nw_dst(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    put_legacy(FIELD_IPV4_DST, body, list);
    return OF_OK;
}

static enum of_error decode_nw_tos(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    if (body[0] & ~IP_DSCP_MASK)
        return OFPBAC_BAD_ARGUMENT;
    put_legacy(FIELD_NW_TOS, body, list);
    return OF_OK;
}

static enum of_error decode_nw_ecn(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    if (body[0] & ~IP_ECN_MASK)
        return OFPBAC_BAD_ARGUMENT;
    put_legacy(FIELD_IP_ECN, body, list);
    return OF_OK;
}

static enum of_error decode_nw_ttl(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    put_legacy(FIELD_IP_TTL, body, list);
    return OF_OK;
}

static enum of_error decode_tp_src(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    put_legacy(FIELD_TCP_SRC, body, list);
    return OF_OK;
}

static enum of_error decode_tp_dst(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    put_legacy(FIELD_TCP_DST, body, list);
    return OF_OK;
}

static enum of_error decode_enqueue(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    struct ofa_enqueue *enqueue = (struct ofa_enqueue *)(void *)ofa_put(list, OFA_ENQUEUE);

    enqueue->port = wire_u16(body);
    enqueue->queue = wire_u32(body + 8);
    return OF_OK;
}

static enum of_error decode_set_queue(const uint8_t *body, size_t n_bytes UNUSED,
                                      struct buffer *list)
{
    ((struct ofa_queue *)(void *)ofa_put(list, OFA_SET_QUEUE))->queue = wire_u32(body);
    return OF_OK;
}

enum of_error action_decode_dec_ttl(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                    struct buffer *list)
{
    ofa_put(list, OFA_DEC_TTL);
    return OF_OK;
}

/* tun_metadataN: as long as may be, if what is too much is zeros. */
static enum of_error decode_option(uint32_t header, struct wire *payload,
                                   const struct of_field **field, struct of_value *value,
                                   struct of_value *mask)
{
    bool has_mask = header & 0x100;
    size_t n_bytes = payload->left / (has_mask ? 2 : 1), n_kept = n_bytes < 16 ? n_bytes : 16;
    const uint8_t *bytes = payload->next;

    *field = of_field_option_by_header(header);
    if (!of_field_has_place(*field))
        return NXFMFC_INVALID_TLV_FIELD;
    memset(value, 0, sizeof *value);
    memcpy(value->bytes + 16 - n_kept, bytes + n_bytes - n_kept, n_kept);
    of_value_all_ones(*field, mask);
    if (has_mask) {
        memset(mask, 0, sizeof *mask);
        memcpy(mask->bytes + 16 - n_kept, bytes + 2 * n_bytes - n_kept, n_kept);
    }
    return wire_is_zero(bytes, n_bytes - n_kept) ? OF_OK : OFPBAC_BAD_SET_LEN;
}

/* The field, value and mask of an NXM or OXM entry at the start of 'wire'. */
static enum of_error decode_oxm(struct wire *wire, const struct of_field **field,
                                struct of_value *value, struct of_value *mask, bool *has_mask)
{
    const uint8_t *start = wire_take(wire, 4);

    if (!start)
        return OFPBAC_BAD_SET_LEN;
    uint32_t header = wire_u32(start);
    struct wire payload = wire_init(wire->next, header & 0xff);
    if (!wire_take(wire, header & 0xff))
        return OFPBAC_BAD_SET_LEN;
    const uint8_t *experimenter = NULL;
    if (header >> 16 == OXM_CLASS_EXPERIMENTER) {
        experimenter = wire_take(&payload, 4);
        if (!experimenter)
            return OFPBAC_BAD_SET_LEN;
    }
    size_t n_payload = payload.left;
    *has_mask = header & 0x100;
    size_t n_value = *has_mask ? n_payload / 2 : n_payload;
    if (experimenter)
        *field = of_field_by_experimenter(wire_u32(experimenter), header >> 9 & 0x7f);
    else if (of_field_option_by_header(header))
        return decode_option(header, &payload, field, value, mask);
    else
        *field = of_field_by_header((header & ~UINT32_C(0x1ff)) | (uint32_t)n_value);
    if (!*field)
        return n_payload ? OFPBAC_BAD_SET_LEN : OFPBAC_BAD_SET_TYPE;
    if (n_value != (*field)->n_bytes)
        return OFPBAC_BAD_SET_LEN;
    if (n_payload != n_value * (*has_mask ? 2 : 1))
        return OFPBAC_BAD_SET_LEN;

    memset(value, 0, sizeof *value);
    memcpy(value->bytes, payload.next, n_value);
    of_value_all_ones(*field, mask);
    for (size_t i = 0; *has_mask && i < n_value; i++)
        mask->bytes[i] &= payload.next[n_value + i];
    return OF_OK;
}

static enum of_error check_set_value(const struct of_field *field, const struct of_value *value,
                                     const struct of_value *mask)
{
    uint64_t present = VLAN_CFI;

    if (!field->is_writable || field->id == FIELD_IN_PORT_OXM || !of_value_is_valid(field, value))
        return OFPBAC_BAD_SET_ARGUMENT;
    for (size_t i = 0; i < field->n_bytes; i++) {
        if (value->bytes[i] & ~mask->bytes[i])
            return OFPBMC_BAD_WILDCARDS;
    }
    if (field->id == FIELD_VLAN_VID)
        present &= of_value_u64(field, value) & of_value_u64(field, mask);
    return present ? OF_OK : OFPBAC_BAD_SET_ARGUMENT;
}

enum of_error action_decode_set(struct wire wire, bool may_mask, enum ofa_form form,
                                struct buffer *list)
{
    const struct of_field *field;
    struct of_value value, mask;
    bool has_mask;

    enum of_error error = decode_oxm(&wire, &field, &value, &mask, &has_mask);
    if (error)
        return error;
    if (has_mask && !may_mask)
        return OFPBAC_BAD_SET_MASK;
    if (wire.left >= 8)
        return OFPBAC_BAD_SET_LEN;
    if (!wire_is_zero(wire.next, wire.left))
        return OFPBAC_BAD_SET_ARGUMENT;
    error = check_set_value(field, &value, &mask);
    if (!error)
        ofa_put_set_field(list, form, field, &value, &mask);
    return error;
}

static enum of_error decode_set_field(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    return action_decode_set(wire_init(body, n_bytes), false, OFA_FORM_DEFAULT, list);
}

/* From 1.5 on it may have a mask. */
static enum of_error decode_set_field15(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    return action_decode_set(wire_init(body, n_bytes), true, OFA_FORM_DEFAULT, list);
}

static enum of_error decode_copy_field(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    if (!wire_is_zero(body + 6, 2) || !wire_is_zero(body + 16, n_bytes - 16))
        return NXBAC_MUST_BE_ZERO;
    return action_put_move(body, body + 8, list);
}

void action_put_metadata(const uint8_t *value, struct buffer *list)
{
    struct ofa_metadata *metadata = (struct ofa_metadata *)(void *)ofa_put(list,
                                                                           OFA_WRITE_METADATA);

    metadata->value = be64_load(value);
    metadata->mask = be64_load(value + 8);
    metadata->value.raw &= metadata->mask.raw;
}

enum of_error action_decode_group(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    ((struct ofa_group *)(void *)ofa_put(list, OFA_GROUP))->group_id = wire_u32(body);
    return OF_OK;
}

static enum of_error decode_meter(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    uint32_t meter_id = wire_u32(body);

    if (!meter_id || meter_id > OF_METER_MAX)
        return OFPMMFC_INVALID_METER;
    ((struct ofa_meter *)(void *)ofa_put(list, OFA_METER))->meter_id = meter_id;
    return OF_OK;
}

static const struct action_row actions[] = {
    {OF_1_0, OF_1_0, OFPAT_OUTPUT, 8, false, decode_output10},
    {OF_1_0, OF_1_0, OFPAT10_SET_VLAN_VID, 8, false, decode_vlan_vid},
    {OF_1_0, OF_1_0, OFPAT10_SET_VLAN_PCP, 8, false, decode_vlan_pcp},
    {OF_1_0, OF_1_0, OFPAT10_STRIP_VLAN, 8, false, decode_strip_vlan},
    {OF_1_0, OF_1_0, OFPAT10_SET_DL_SRC, 16, false, decode_dl_src},
    {OF_1_0, OF_1_0, OFPAT10_SET_DL_DST, 16, false, decode_dl_dst},
    {OF_1_0, OF_1_0, OFPAT10_SET_NW_SRC, 8, false, decode_nw_src},
    {OF_1_0, OF_1_0, OFPAT10_SET_NW_DST, 8, false, decode_nw_dst},
    {OF_1_0, OF_1_0, OFPAT10_SET_NW_TOS, 8, false, decode_nw_tos},
    {OF_1_0, OF_1_0, OFPAT10_SET_TP_SRC, 8, false, decode_tp_src},
    {OF_1_0, OF_1_0, OFPAT10_SET_TP_DST, 8, false, decode_tp_dst},
    {OF_1_0, OF_1_0, OFPAT10_ENQUEUE, 16, false, decode_enqueue},

    {OF_1_1, OF_1_5, OFPAT_OUTPUT, 16, false, decode_output11},
    {OF_1_1, OF_1_5, OFPAT11_SET_VLAN_VID, 8, false, decode_vlan_vid11},
    {OF_1_1, OF_1_5, OFPAT11_SET_VLAN_PCP, 8, false, decode_vlan_pcp11},
    {OF_1_1, OF_1_5, OFPAT11_SET_DL_SRC, 16, false, decode_dl_src},
    {OF_1_1, OF_1_5, OFPAT11_SET_DL_DST, 16, false, decode_dl_dst},
    {OF_1_1, OF_1_5, OFPAT11_SET_NW_SRC, 8, false, decode_nw_src},
    {OF_1_1, OF_1_5, OFPAT11_SET_NW_DST, 8, false, decode_nw_dst},
    {OF_1_1, OF_1_5, OFPAT11_SET_NW_TOS, 8, false, decode_nw_tos},
    {OF_1_1, OF_1_5, OFPAT11_SET_NW_ECN, 8, false, decode_nw_ecn},
    {OF_1_1, OF_1_5, OFPAT11_SET_TP_SRC, 8, false, decode_tp_src},
    {OF_1_1, OF_1_5, OFPAT11_SET_TP_DST, 8, false, decode_tp_dst},
    {OF_1_1, OF_1_5, OFPAT11_SET_MPLS_LABEL, 8, false, ofa_decode_mpls_label},
    {OF_1_1, OF_1_5, OFPAT11_SET_MPLS_TC, 8, false, ofa_decode_mpls_tc},
    {OF_1_1, OF_1_5, OFPAT11_SET_MPLS_TTL, 8, false, ofa_decode_mpls_ttl},
    {OF_1_1, OF_1_5, OFPAT11_DEC_MPLS_TTL, 8, false, ofa_decode_dec_mpls_ttl},
    {OF_1_1, OF_1_5, OFPAT11_PUSH_MPLS, 8, false, ofa_decode_push_mpls},
    {OF_1_1, OF_1_5, OFPAT11_POP_MPLS, 8, false, ofa_decode_pop_mpls},
    {OF_1_1, OF_1_5, OFPAT11_PUSH_VLAN, 8, false, decode_push_vlan},
    {OF_1_1, OF_1_5, OFPAT11_POP_VLAN, 8, false, decode_pop_vlan},
    {OF_1_1, OF_1_5, OFPAT11_GROUP, 8, false, action_decode_group},
    {OF_1_1, OF_1_5, OFPAT11_SET_QUEUE, 8, false, decode_set_queue},
    {OF_1_1, OF_1_5, OFPAT11_SET_NW_TTL, 8, false, decode_nw_ttl},
    {OF_1_1, OF_1_5, OFPAT11_DEC_NW_TTL, 8, false, action_decode_dec_ttl},
    {OF_1_2, OF_1_4, OFPAT12_SET_FIELD, 8, true, decode_set_field},
    {OF_1_5, OF_1_5, OFPAT12_SET_FIELD, 8, true, decode_set_field15},
    {OF_1_5, OF_1_5, OFPAT15_COPY_FIELD, 24, false, decode_copy_field},
    {OF_1_5, OF_1_5, OFPAT15_METER, 8, false, decode_meter},
};

static const struct action_row *find_row(const struct action_row *rows, size_t n_rows,
                                         uint16_t type, enum of_version version)
{
    for (size_t i = 0; i < n_rows; i++) {
        if (rows[i].type == type && version >= rows[i].first_version &&
            version <= rows[i].last_version)
            return &rows[i];
    }
    return NULL;
}

static enum of_error decode_action(const uint8_t *action, size_t n_bytes,
                                   const struct action_context *context, struct buffer *list)
{
    enum of_version version = context->version;
    const struct action_row *row;
    uint16_t type = wire_u16(action);
    size_t header_bytes = 4;

    if (type != OFPAT_VENDOR) {
        row = find_row(actions, ARRAY_SIZE(actions), type, version);
        if (!row)
            return OFPBAC_BAD_TYPE;
    } else {
        if (wire_u32(action + 4) != NX_ACTION_VENDOR)
            return OFPBAC_BAD_VENDOR;
        if (n_bytes < 16)
            return OFPBAC_BAD_LEN;
        header_bytes = NX_ACTION_HEADER_BYTES;
        row = find_row(action_nx_rows, action_n_nx_rows, wire_u16(action + 8), version);
        if (!row)
            return OFPBAC_BAD_VENDOR_TYPE;
    }
    if (n_bytes < row->least_bytes || (n_bytes > row->least_bytes && !row->is_longer))
        return OFPBAC_BAD_LEN;
    if (!row->decode)
        return (row->type == NXAST_CT ? ofa_decode_ct : action_decode_clone)(
            action + header_bytes, n_bytes - header_bytes, context, list);
    return row->decode(action + header_bytes, n_bytes - header_bytes, list);
}

enum of_error action_decode_list(const void *bytes, size_t n_bytes,
                                 const struct action_context *context, struct buffer *out)
{
    struct wire wire = wire_init(bytes, n_bytes);

    while (wire.left) {
        size_t length = wire.left >= 8 ? wire_u16(wire.next + 2) : 0;
        const uint8_t *action = wire_take(&wire, length);

        if (length < 8 || length % 8 || !action)
            return OFPBAC_BAD_LEN;
        enum of_error error = decode_action(action, length, context, out);
        if (error)
            return error;
    }
    return OF_OK;
}

enum of_error ofa_decode_actions(const void *bytes, size_t n_bytes, enum of_version version,
                                 struct buffer *out)
{
    return action_decode_list(bytes, n_bytes, &(struct action_context){.version = version}, out);
}

/* Instructions, sorted into the places where they will be executed. */
struct instructions {
    const uint8_t *found[OFPIT_METER + 1]; /* By type. */
};

static bool is_known_length(unsigned type, size_t length)
{
    switch (type) {
    case OFPIT_WRITE_METADATA:
        return length == 24;
    case OFPIT_WRITE_ACTIONS:
    case OFPIT_APPLY_ACTIONS:
        return length >= 8;
    default:
        return length == 8;
    }
}

static enum of_error collect(struct wire wire, enum of_version version,
                             struct instructions *instructions)
{
    while (wire.left) {
        size_t length = wire.left >= 8 ? wire_u16(wire.next + 2) : 0;
        const uint8_t *instruction = wire_take(&wire, length);

        if (length < 8 || length % 8 || !instruction)
            return OFPBIC_BAD_LEN;
        unsigned type = wire_u16(instruction);
        if (type == OFPIT_EXPERIMENTER)
            return OFPBIC_BAD_EXPERIMENTER;
        if (type == OFPIT_METER && (version < OF_1_3 || version > OF_1_4))
            return OFPBIC_UNKNOWN_INST;
        if (type < OFPIT_GOTO_TABLE || type > OFPIT_METER)
            return OFPBIC_UNKNOWN_INST;
        if (!is_known_length(type, length))
            return OFPBIC_BAD_LEN;
        if (instructions->found[type])
            return OFPBIC_DUP_INST;
        instructions->found[type] = instruction;
    }
    return OF_OK;
}

static enum of_error decode_nested(const uint8_t *instruction, enum of_version version,
                                   struct buffer *out)
{
    return ofa_decode_actions(instruction + 8, wire_u16(instruction + 2) - 8U, version, out);
}

static enum of_error decode_write_actions(const uint8_t *instruction, enum of_version version,
                                          struct buffer *out)
{
    size_t start = ofa_begin_nested(out, OFA_WRITE_ACTIONS);
    enum of_error error = decode_nested(instruction, version, out);

    if (!ofa_end_nested(out, start))
        return OFPBAC_TOO_MANY;
    return error;
}

enum of_error ofa_decode_instructions(const void *bytes, size_t n_bytes, enum of_version version,
                                      struct buffer *out)
{
    struct instructions all = {.found = {NULL}};
    enum of_error error = collect(wire_init(bytes, n_bytes), version, &all);

    if (!error && all.found[OFPIT_METER])
        error = decode_meter(all.found[OFPIT_METER] + 4, 4, out);
    if (!error && all.found[OFPIT_APPLY_ACTIONS])
        error = decode_nested(all.found[OFPIT_APPLY_ACTIONS], version, out);
    if (!error && all.found[OFPIT_CLEAR_ACTIONS])
        ofa_put(out, OFA_CLEAR_ACTIONS);
    if (!error && all.found[OFPIT_WRITE_ACTIONS])
        error = decode_write_actions(all.found[OFPIT_WRITE_ACTIONS], version, out);
    if (!error && all.found[OFPIT_WRITE_METADATA])
        action_put_metadata(all.found[OFPIT_WRITE_METADATA] + 8, out);
    if (!error && all.found[OFPIT_GOTO_TABLE]) {
        struct ofa_goto *go = (struct ofa_goto *)(void *)ofa_put(out, OFA_GOTO_TABLE);
        go->table_id = all.found[OFPIT_GOTO_TABLE][4];
    }
    return error;
}
