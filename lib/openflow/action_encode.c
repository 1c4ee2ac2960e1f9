/* SPDX-License-Identifier: Apache-2.0 */

/* Actions and instructions onto the wire, as OVS would write them: what was set in one way
 * (set_field, load, mod_*) goes out in the way the version has for it. */

#include <assert.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/action_controller.h"
#include "lib/openflow/action_ct.h"
#include "lib/openflow/action_encap.h"
#include "lib/openflow/action_links.h"
#include "lib/openflow/action_mpls.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/learn.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/wire.h"

static uint8_t *put_action(uint16_t type, size_t n_bytes, struct buffer *out)
{
    uint8_t *action = buffer_put_zeros(out, n_bytes);

    be16_store(action, type);
    be16_store(action + 2, (uint16_t)n_bytes);
    return action;
}

/* Returns what is behind the subtype. */
static uint8_t *put_nx(uint16_t subtype, size_t n_bytes, struct buffer *out)
{
    uint8_t *action = put_action(OFPAT_VENDOR, n_bytes, out);

    be32_store(action + 4, NX_ACTION_VENDOR);
    be16_store(action + 8, subtype);
    return action + NX_ACTION_HEADER_BYTES;
}

static void encode_output(const struct ofa_output *output, enum of_version version,
                          struct buffer *out)
{
    uint8_t *action;

    if (output->trunc_bytes) {
        action = put_nx(NXAST_OUTPUT_TRUNC, 16, out);
        be16_store(action, output->port);
        be32_store(action + 2, output->trunc_bytes);
    } else if (version == OF_1_0) {
        action = put_action(OFPAT_OUTPUT, 8, out);
        be16_store(action + 4, output->port);
        be16_store(action + 6, output->max_len);
    } else {
        action = put_action(OFPAT_OUTPUT, 16, out);
        be32_store(action + 4, of_port_to_wire32(output->port));
        be16_store(action + 8, output->max_len);
    }
}

static void encode_resubmit(of_port in_port, uint8_t table_id, bool looks_up_ct, struct buffer *out)
{
    uint8_t *action = put_nx(looks_up_ct ? NXAST_RESUBMIT_TABLE_CT : NXAST_RESUBMIT_TABLE, 16, out);

    be16_store(action, in_port);
    action[2] = table_id;
}

/* Nicira's actions name fields by NXM where there is such a name. */
static uint32_t nx_header(const struct of_field *field)
{
    return field->nxm_header ? field->nxm_header : field->oxm_header;
}

static void encode_move(const struct ofa_move *move, enum of_version version, struct buffer *out)
{
    const struct of_field *source = of_field((enum of_field_id)move->source);
    const struct of_field *destination = of_field((enum of_field_id)move->destination);
    uint8_t *action = version >= OF_1_5 ? put_action(OFPAT15_COPY_FIELD, 24, out) + 4
                                        : put_nx(NXAST_REG_MOVE, 24, out);
    uint8_t *headers = action + (version >= OF_1_5 ? 8 : 6);

    be16_store(action, move->n_bits);
    be16_store(action + 2, move->source_first);
    be16_store(action + 4, move->destination_first);
    be32_store(headers, version >= OF_1_5 ? of_field_header(source, version) : nx_header(source));
    be32_store(headers + 4,
               version >= OF_1_5 ? of_field_header(destination, version) : nx_header(destination));
}

static void get_value(const struct ofa_set_field *set, struct of_value *value,
                      struct of_value *mask)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);

    memset(value, 0, sizeof *value);
    memset(mask, 0, sizeof *mask);
    memcpy(value->bytes, ofa_set_field_value(set), field->n_bytes);
    memcpy(mask->bytes, ofa_set_field_mask(set), field->n_bytes);
}

static void encode_load2(const struct ofa_set_field *set, struct buffer *out)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);
    size_t start = out->size;
    struct of_value value, mask;

    get_value(set, &value, &mask);
    put_nx(NXAST_REG_LOAD2, 16, out);
    out->size = start + NX_ACTION_HEADER_BYTES;
    of_field_encode(field, OF_1_0, &value, &mask, out);
    buffer_put_zeros(out, wire_round_up_8(out->size - start) - (out->size - start));
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
}

/* One NXAST_REG_LOAD for each run of mask bits, lowest first, of at most 64 bits. */
static void encode_loads(const struct ofa_set_field *set, struct buffer *out)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);
    struct ofa_load load = {.first = 0};

    if (!of_field_has_short_header(field) || of_field_is_option(field)) {
        encode_load2(set, out);
        return;
    }
    while (ofa_next_load(set, &load)) {
        uint8_t *action = put_nx(NXAST_REG_LOAD, 24, out);

        be16_store(action, (uint16_t)(load.first << 6 | (load.n_bits - 1)));
        be32_store(action + 2, nx_header(field));
        be64_store(action + 6, load.value);
    }
}

static void encode_oxm_set_field(const struct of_field *field, const struct of_value *value,
                                 const struct of_value *mask, enum of_version version,
                                 struct buffer *out)
{
    size_t start = out->size;

    buffer_put_zeros(out, 4);
    of_field_encode(field, version, value, mask, out);
    buffer_put_zeros(out, wire_round_up_8(out->size - start) - (out->size - start));
    be16_store(out->data + start, OFPAT12_SET_FIELD);
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
}

/* The actions with which OpenFlow 1.0 and 1.1 set whole fields. */
static const struct {
    uint16_t field;
    uint8_t type10, type11; /* 0: none. */
    uint8_t n_bytes;        /* Of the action; the value stands first, the rest is padding. */
} legacy_actions[] = {
    {FIELD_ETH_SRC, OFPAT10_SET_DL_SRC, OFPAT11_SET_DL_SRC, 16},
    {FIELD_ETH_DST, OFPAT10_SET_DL_DST, OFPAT11_SET_DL_DST, 16},
    {FIELD_IPV4_SRC, OFPAT10_SET_NW_SRC, OFPAT11_SET_NW_SRC, 8},
    {FIELD_IPV4_DST, OFPAT10_SET_NW_DST, OFPAT11_SET_NW_DST, 8},
    {FIELD_NW_TOS, OFPAT10_SET_NW_TOS, OFPAT11_SET_NW_TOS, 8},
    {FIELD_IP_ECN, 0, OFPAT11_SET_NW_ECN, 8},
    {FIELD_TCP_SRC, OFPAT10_SET_TP_SRC, OFPAT11_SET_TP_SRC, 8},
    {FIELD_TCP_DST, OFPAT10_SET_TP_DST, OFPAT11_SET_TP_DST, 8},
    {FIELD_UDP_SRC, OFPAT10_SET_TP_SRC, OFPAT11_SET_TP_SRC, 8},
    {FIELD_UDP_DST, OFPAT10_SET_TP_DST, OFPAT11_SET_TP_DST, 8},
    {FIELD_SCTP_SRC, OFPAT10_SET_TP_SRC, OFPAT11_SET_TP_SRC, 8},
    {FIELD_SCTP_DST, OFPAT10_SET_TP_DST, OFPAT11_SET_TP_DST, 8},
};

/* VID and PCP have the same numbers in 1.0 and 1.1. */
static void encode_vlan10(enum ofa_type type, unsigned value, struct buffer *out)
{
    uint8_t *action;

    if (type == OFA_SET_VLAN_VID) {
        action = put_action(OFPAT10_SET_VLAN_VID, 8, out);
        be16_store(action + 4, (uint16_t)(value & VLAN_VID_MASK));
    } else {
        action = put_action(OFPAT10_SET_VLAN_PCP, 8, out);
        action[4] = (uint8_t)value;
    }
}

static void encode_pop_vlan(enum of_version version, struct buffer *out)
{
    put_action(version == OF_1_0 ? OFPAT10_STRIP_VLAN : OFPAT11_POP_VLAN, 8, out);
}

static void encode_vlan_tci10(unsigned tci, enum of_version version, struct buffer *out)
{
    if (tci & VLAN_CFI) {
        encode_vlan10(OFA_SET_VLAN_VID, tci, out);
        encode_vlan10(OFA_SET_VLAN_PCP, tci >> VLAN_PCP_SHIFT, out);
    } else {
        encode_pop_vlan(version, out);
    }
}

/* By a row of the table; set_field of an SCTP port goes out as a load, as from OVS. */
static bool encode_by_table(const struct of_field *field, bool is_legacy, enum of_version version,
                            const struct of_value *value, struct buffer *out)
{
    bool is_sctp = field->id == FIELD_SCTP_SRC || field->id == FIELD_SCTP_DST;

    for (size_t i = 0; i < ARRAY_SIZE(legacy_actions); i++) {
        uint8_t type = version == OF_1_0 ? legacy_actions[i].type10 : legacy_actions[i].type11;

        if (legacy_actions[i].field == field->id && type && (is_legacy || !is_sctp)) {
            uint8_t *action = put_action(type, legacy_actions[i].n_bytes, out);
            memcpy(action + 4, value->bytes, field->n_bytes);
            return true;
        }
    }
    return false;
}

static bool encode_legacy(const struct of_field *field, bool is_legacy, enum of_version version,
                          const struct of_value *value, struct buffer *out)
{
    uint64_t number = field->n_bytes <= 8 ? of_value_u64(field, value) : 0;

    switch (field->id) {
    case FIELD_VLAN_VID:
        encode_vlan10(OFA_SET_VLAN_VID, (unsigned)number, out);
        return true;
    case FIELD_VLAN_PCP:
        encode_vlan10(OFA_SET_VLAN_PCP, (unsigned)number, out);
        return true;
    case FIELD_VLAN_TCI:
        encode_vlan_tci10((unsigned)number, version, out);
        return true;
    case FIELD_IP_DSCP:
        put_action(version == OF_1_0 ? OFPAT10_SET_NW_TOS : OFPAT11_SET_NW_TOS, 8,
                   out)[4] = (uint8_t)(number << 2);
        return true;
    case FIELD_IP_TTL:
        if (version == OF_1_0 || !is_legacy)
            return false;
        put_action(OFPAT11_SET_NW_TTL, 8, out)[4] = (uint8_t)number;
        return true;
    default:
        return encode_by_table(field, is_legacy, version, value, out);
    }
}

static void encode_set_field10(const struct ofa_set_field *set, enum of_version version,
                               struct buffer *out)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);
    struct of_value value, mask;

    get_value(set, &value, &mask);
    if (!of_value_is_all_ones(field, &mask) ||
        !encode_legacy(field, set->ofa.form == OFA_FORM_LEGACY, version, &value, out))
        encode_loads(set, out);
}

static void encode_set_field12(const struct ofa_set_field *set, enum of_version version,
                               struct buffer *out)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);
    struct of_value value, mask;

    get_value(set, &value, &mask);
    if (version < OF_1_5 && !of_value_is_all_ones(field, &mask)) {
        encode_loads(set, out);
        return;
    }
    if (set->ofa.form == OFA_FORM_LEGACY && field->id == FIELD_IP_TTL) {
        put_action(OFPAT11_SET_NW_TTL, 8, out)[4] = value.bytes[0];
        return;
    }
    if (set->ofa.form == OFA_FORM_LEGACY && field->id == FIELD_NW_TOS) {
        field = of_field(FIELD_IP_DSCP);
        value.bytes[0] >>= 2;
        mask.bytes[0] >>= 2;
    }
    encode_oxm_set_field(field, &value, &mask, version, out);
}

/* Until 1.1 there are actions for it. */
static void encode_tunnel(const struct ofa_set_field *set, struct buffer *out)
{
    uint64_t tun_id = wire_u64(ofa_set_field_value(set));

    if (set->ofa.form == OFA_FORM_TUNNEL64)
        be64_store(put_nx(NXAST_SET_TUNNEL64, 24, out) + 6, tun_id);
    else
        be32_store(put_nx(NXAST_SET_TUNNEL, 16, out) + 2, (uint32_t)tun_id);
}

static void encode_set_field(const struct ofa_set_field *set, enum of_version version,
                             struct buffer *out)
{
    bool is_tunnel = set->ofa.form == OFA_FORM_TUNNEL || set->ofa.form == OFA_FORM_TUNNEL64;

    if (is_tunnel && version < OF_1_2) {
        encode_tunnel(set, out);
        return;
    }
    if (version >= OF_1_5) /* There, one action says what three did. */
        encode_set_field12(set, version, out);
    else if (set->ofa.form == OFA_FORM_LOAD)
        encode_loads(set, out);
    else if (set->ofa.form == OFA_FORM_LOAD2)
        encode_load2(set, out);
    else if (version < OF_1_2)
        encode_set_field10(set, version, out);
    else
        encode_set_field12(set, version, out);
}

static void encode_push_vlan(uint16_t tpid, struct buffer *out)
{
    be16_store(put_action(OFPAT11_PUSH_VLAN, 8, out) + 4, tpid);
}

/* In 1.0 a tag is pushed by setting what is in it. */
static void encode_vlan(const struct ofa_vlan *vlan, enum of_version version, struct buffer *out)
{
    struct of_value value;
    enum ofa_type type = (enum ofa_type)vlan->ofa.type;

    if (type == OFA_PUSH_VLAN) {
        if (version > OF_1_0)
            encode_push_vlan(vlan->value, out);
        return;
    }
    if (version > OF_1_0 && vlan->push_if_none && !vlan->flow_has_vlan)
        encode_push_vlan(ETH_TYPE_VLAN, out);
    if (version < OF_1_2) {
        encode_vlan10(type, vlan->value, out);
        return;
    }
    bool is_vid = type == OFA_SET_VLAN_VID;
    const struct of_field *field = of_field(is_vid ? FIELD_VLAN_VID : FIELD_VLAN_PCP);
    of_value_from_u64(field, vlan->value | (is_vid ? VLAN_CFI : 0U), &value);
    encode_oxm_set_field(field, &value, NULL, version, out);
}

static void encode_metadata10(const struct ofa_metadata *metadata, struct buffer *out)
{
    uint8_t *action = put_nx(NXAST_WRITE_METADATA, 32, out);

    memcpy(action + 6, &metadata->value, 8);
    memcpy(action + 14, &metadata->mask, 8);
}

static void encode_group(const struct ofa_group *group, enum of_version version, struct buffer *out)
{
    if (version == OF_1_0)
        be32_store(put_nx(NXAST_GROUP, 16, out) + 2, group->group_id);
    else
        be32_store(put_action(OFPAT11_GROUP, 8, out) + 4, group->group_id);
}

static void encode_dec_ttl(const struct ofa_dec_ttl *dec, enum of_version version,
                           struct buffer *out)
{
    if (dec->n_ids) {
        uint8_t *action = put_nx(NXAST_DEC_TTL_IDS, wire_round_up_8(16 + 2U * dec->n_ids), out);

        be16_store(action, dec->n_ids);
        for (size_t i = 0; i < dec->n_ids; i++)
            be16_store(action + 6 + 2 * i, dec->ids[i]);
    } else if (version == OF_1_0) {
        put_nx(NXAST_DEC_TTL, 16, out);
    } else {
        put_action(OFPAT11_DEC_NW_TTL, 8, out);
    }
}

static void encode_output_reg(const struct ofa_output_reg *output, struct buffer *out)
{
    uint8_t *action = put_nx(NXAST_OUTPUT_REG, 24, out);

    be16_store(action, (uint16_t)(output->source.first << 6 | (output->source.n_bits - 1)));
    be32_store(action + 2, nx_header(of_field((enum of_field_id)output->source.field)));
    be16_store(action + 6, output->max_len);
}

static void encode_set_queue(uint32_t queue, enum of_version version, struct buffer *out)
{
    if (version == OF_1_0)
        be32_store(put_nx(NXAST_SET_QUEUE, 16, out) + 2, queue);
    else
        be32_store(put_action(OFPAT11_SET_QUEUE, 8, out) + 4, queue);
}

/* Later versions say it with three actions. */
static void encode_enqueue(const struct ofa_enqueue *enqueue, enum of_version version,
                           struct buffer *out)
{
    if (version == OF_1_0) {
        uint8_t *action = put_action(OFPAT10_ENQUEUE, 16, out);

        be16_store(action + 4, enqueue->port);
        be32_store(action + 12, enqueue->queue);
        return;
    }
    encode_set_queue(enqueue->queue, version, out);
    encode_output(&(struct ofa_output){.port = enqueue->port, .max_len = UINT16_MAX}, version, out);
    put_nx(NXAST_POP_QUEUE, 16, out);
}

static void encode_stack(const struct ofa_stack *stack, struct buffer *out)
{
    uint8_t *action = put_nx(stack->ofa.type == OFA_STACK_PUSH ? NXAST_STACK_PUSH : NXAST_STACK_POP,
                             24, out);

    be16_store(action, stack->part.first);
    be32_store(action + 2, nx_header(of_field((enum of_field_id)stack->part.field)));
    be16_store(action + 6, stack->part.n_bits);
}

static void encode_clone(const struct ofa_nested *clone, enum of_version version,
                         struct buffer *out)
{
    size_t start = out->size;

    put_nx(NXAST_CLONE, 16, out);
    ofa_encode_actions(ofa_nested_list(clone), version, out);
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
}

static void encode_conjunction(const struct ofa_conjunction *conjunction, struct buffer *out)
{
    uint8_t *action = put_nx(NXAST_CONJUNCTION, 16, out);

    action[0] = conjunction->clause;
    action[1] = conjunction->n_clauses;
    be32_store(action + 2, conjunction->id);
}

static void encode_check_length(const struct ofa_check_length *check, struct buffer *out)
{
    uint8_t *action = put_nx(NXAST_CHECK_LENGTH, 24, out);

    be16_store(action, check->n_bytes);
    be16_store(action + 2, check->destination.first);
    be32_store(action + 4, nx_header(of_field((enum of_field_id)check->destination.field)));
}

static void encode_fin_timeout(const struct ofa_fin_timeout *fin, struct buffer *out)
{
    uint8_t *action = put_nx(NXAST_FIN_TIMEOUT, 16, out);

    be16_store(action, fin->idle_s);
    be16_store(action + 2, fin->hard_s);
}

static void encode_note(const struct ofa_note *note, struct buffer *out)
{
    memcpy(put_nx(NXAST_NOTE, NX_ACTION_HEADER_BYTES + note->n_bytes, out), note->bytes,
           note->n_bytes);
}

static void encode_bundle(const struct ofa_bundle *bundle, struct buffer *out)
{
    uint16_t subtype = bundle->destination.n_bits ? NXAST_BUNDLE_LOAD : NXAST_BUNDLE;

    ofa_encode_bundle(bundle, put_nx(subtype, wire_round_up_8(32 + 2U * bundle->n_members), out));
}

/* From 1.2 on, fields are set by set_field, but for the TTL, which has no number of OpenFlow's. */
static void encode_mpls(const struct ofa *ofa, enum of_version version, struct buffer *out)
{
    bool is_label = ofa->type == OFA_SET_MPLS_LABEL;
    struct of_value value;

    if (version < OF_1_2 || (!is_label && ofa->type != OFA_SET_MPLS_TC)) {
        ofa_encode_mpls(ofa, version, out);
        return;
    }
    const struct of_field *field = of_field(is_label ? FIELD_MPLS_LABEL : FIELD_MPLS_TC);
    of_value_from_u64(field, ((const struct ofa_mpls *)(const void *)ofa)->value, &value);
    encode_oxm_set_field(field, &value, NULL, version, out);
}

static void encode_action(const struct ofa *ofa, enum of_version version, struct buffer *out)
{
    const void *action = ofa;
    const struct ofa_resubmit *resubmit;

    switch ((enum ofa_type)ofa->type) {
    case OFA_OUTPUT:
        encode_output(action, version, out);
        break;
    case OFA_CONTROLLER:
        ofa_encode_controller(action, out);
        break;
    case OFA_RESUBMIT:
        resubmit = action;
        encode_resubmit(resubmit->in_port, resubmit->table_id, resubmit->looks_up_ct, out);
        break;
    case OFA_SET_FIELD:
        encode_set_field(action, version, out);
        break;
    case OFA_MOVE:
        encode_move(action, version, out);
        break;
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
    case OFA_PUSH_VLAN:
        encode_vlan(action, version, out);
        break;
    case OFA_POP_VLAN:
        encode_pop_vlan(version, out);
        break;
    case OFA_PUSH_MPLS:
    case OFA_POP_MPLS:
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_DEC_MPLS_TTL:
        encode_mpls(ofa, version, out);
        break;
    case OFA_DEC_TTL:
        encode_dec_ttl(action, version, out);
        break;
    case OFA_OUTPUT_REG:
        encode_output_reg(action, out);
        break;
    case OFA_ENQUEUE:
        encode_enqueue(action, version, out);
        break;
    case OFA_SET_QUEUE:
        encode_set_queue(((const struct ofa_queue *)action)->queue, version, out);
        break;
    case OFA_POP_QUEUE:
        put_nx(NXAST_POP_QUEUE, 16, out);
        break;
    case OFA_STACK_PUSH:
    case OFA_STACK_POP:
        encode_stack(action, out);
        break;
    case OFA_CLONE:
        encode_clone(action, version, out);
        break;
    case OFA_MULTIPATH:
        ofa_encode_multipath(action, put_nx(NXAST_MULTIPATH, 32, out));
        break;
    case OFA_BUNDLE:
        encode_bundle(action, out);
        break;
    case OFA_LEARN:
        ofa_encode_learn(action, out);
        break;
    case OFA_CONJUNCTION:
        encode_conjunction(action, out);
        break;
    case OFA_CHECK_LENGTH:
        encode_check_length(action, out);
        break;
    case OFA_FIN_TIMEOUT:
        encode_fin_timeout(action, out);
        break;
    case OFA_NOTE:
        encode_note(action, out);
        break;
    case OFA_CT:
        ofa_encode_ct(action, version, out);
        break;
    case OFA_NAT:
        ofa_encode_nat(action, out);
        break;
    case OFA_CT_CLEAR:
        put_nx(NXAST_CT_CLEAR, 16, out);
        break;
    case OFA_SAMPLE:
    case OFA_ENCAP:
    case OFA_DECAP:
    case OFA_DEC_NSH_TTL:
    case OFA_DELETE_FIELD:
        ofa_encode_encap(ofa, version, out);
        break;
    case OFA_EXIT:
        put_nx(NXAST_EXIT, 16, out);
        break;
    case OFA_GROUP:
        encode_group(action, version, out);
        break;
    case OFA_METER:
        if (version >= OF_1_5)
            be32_store(put_action(OFPAT15_METER, 8, out) + 4,
                       ((const struct ofa_meter *)action)->meter_id);
        break;
    case OFA_WRITE_METADATA:
        if (version == OF_1_0)
            encode_metadata10(action, out);
        break;
    case OFA_GOTO_TABLE:
        if (version == OF_1_0)
            encode_resubmit(OFPP_IN_PORT, ((const struct ofa_goto *)action)->table_id, false, out);
        break;
    case OFA_CLEAR_ACTIONS:
    case OFA_WRITE_ACTIONS:
        break; /* 1.0 has no action set. */
    }
}

void ofa_encode_actions(struct ofa_list list, enum of_version version, struct buffer *out)
{
    for_each_action (ofa, list)
        encode_action(ofa, version, out);
}

static size_t begin_instruction(uint16_t type, size_t n_bytes, struct buffer *out)
{
    size_t start = out->size;

    put_action(type, n_bytes, out);
    return start;
}

static void end_instruction(size_t start, struct buffer *out)
{
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
}

static void encode_instruction(const struct ofa *ofa, enum of_version version, struct buffer *out)
{
    const void *action = ofa;
    const struct ofa_metadata *metadata = action;
    size_t start;

    switch ((enum ofa_type)ofa->type) {
    case OFA_CLEAR_ACTIONS:
        begin_instruction(OFPIT_CLEAR_ACTIONS, 8, out);
        break;
    case OFA_WRITE_ACTIONS:
        start = begin_instruction(OFPIT_WRITE_ACTIONS, 8, out);
        ofa_encode_actions(ofa_nested_list(action), version, out);
        end_instruction(start, out);
        break;
    case OFA_WRITE_METADATA:
        start = begin_instruction(OFPIT_WRITE_METADATA, 24, out);
        memcpy(out->data + start + 8, &metadata->value, 8);
        memcpy(out->data + start + 16, &metadata->mask, 8);
        break;
    case OFA_GOTO_TABLE:
        start = begin_instruction(OFPIT_GOTO_TABLE, 8, out);
        out->data[start + 4] = ((const struct ofa_goto *)action)->table_id;
        break;
    default:
        break;
    }
}

static void encode_meter(struct ofa_list list, enum of_version version, struct buffer *out)
{
    if (version < OF_1_3 || version > OF_1_4)
        return;
    for_each_action (ofa, list) {
        const void *action = ofa;

        if (ofa->type == OFA_METER) {
            begin_instruction(OFPIT_METER, 8, out);
            be32_store(out->data + out->size - 4, ((const struct ofa_meter *)action)->meter_id);
            return;
        }
    }
}

void ofa_encode_instructions(struct ofa_list list, enum of_version version, struct buffer *out)
{
    encode_meter(list, version, out);

    size_t start = begin_instruction(OFPIT_APPLY_ACTIONS, 8, out);
    for_each_action (ofa, list) {
        if (!ofa_is_instruction(ofa))
            encode_action(ofa, version, out);
    }
    if (out->size == start + 8)
        out->size = start;
    else
        end_instruction(start, out);
    for_each_action (ofa, list) {
        if (ofa_is_instruction(ofa))
            encode_instruction(ofa, version, out);
    }
}
