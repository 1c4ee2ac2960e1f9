/* SPDX-License-Identifier: Apache-2.0 */

/* Nicira's actions from the wire. */

#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_decode.h"
#include "lib/openflow/action_controller.h"
#include "lib/openflow/action_ct.h"
#include "lib/openflow/action_encap.h"
#include "lib/openflow/action_links.h"
#include "lib/openflow/action_mpls.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/learn.h"

enum of_error action_decode_part(uint32_t header, unsigned first, unsigned n_bits,
                                 struct of_subfield *part)
{
    const struct of_field *field = of_field_by_header(header);

    if (!field && !of_field_option_by_header(header))
        return OFPBAC_BAD_SET_TYPE;
    if (!field || !of_field_has_place(field))
        return NXFMFC_INVALID_TLV_FIELD;
    if (!n_bits || first + n_bits > field->n_bits)
        return OFPBAC_BAD_SET_LEN;
    *part = (struct of_subfield){
        .field = field,
        .first = (uint16_t)first,
        .n_bits = (uint16_t)n_bits,
    };
    return OF_OK;
}

/* Where fields are named as in matches, unknown ones are refused as there. */
static enum of_error decode_match_part(uint32_t header, unsigned first, unsigned n_bits,
                                       struct of_subfield *part)
{
    enum of_error error = action_decode_part(header, first, n_bits, part);

    return error == OFPBAC_BAD_SET_TYPE ? OFPBMC_BAD_FIELD : error;
}

/* Of a field that can be written. */
static enum of_error decode_destination(uint32_t header, unsigned first, unsigned n_bits,
                                        struct ofa_part *part)
{
    struct of_subfield subfield;
    enum of_error error = decode_match_part(header, first, n_bits, &subfield);

    if (error)
        return error;
    if (!subfield.field->is_writable)
        return OFPBAC_BAD_SET_ARGUMENT;
    *part = ofa_part_of(&subfield);
    return OF_OK;
}

static enum of_error decode_reg_load2(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    return action_decode_set(wire_init(body, n_bytes), true, OFA_FORM_LOAD2, list);
}

static enum of_error decode_reg_load(const uint8_t *body, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    unsigned first = wire_u16(body) >> 6, n_bits = (wire_u16(body) & 0x3f) + 1U;
    const struct of_field *field = of_field_by_header(wire_u32(body + 2));
    uint64_t number = wire_u64(body + 6);

    if (!field && !of_field_option_by_header(wire_u32(body + 2)))
        return OFPBAC_BAD_SET_TYPE;
    if (!field || !of_field_has_place(field))
        return NXFMFC_INVALID_TLV_FIELD;
    if (first + n_bits > field->n_bits)
        return OFPBAC_BAD_SET_LEN;
    if (n_bits < 64 && number >> n_bits)
        return OFPBAC_BAD_ARGUMENT;
    if (!field->is_writable)
        return OFPBAC_BAD_SET_ARGUMENT;

    struct of_value value, mask;
    unsigned __int128 bits = n_bits < 64 ? (UINT64_C(1) << n_bits) - 1 : UINT64_MAX;
    unsigned __int128 shifted = (unsigned __int128)number << first;
    bits <<= first;
    memset(&value, 0, sizeof value);
    memset(&mask, 0, sizeof mask);
    for (size_t i = field->n_bytes; i-- > 0; shifted >>= 8, bits >>= 8) {
        value.bytes[i] = (uint8_t)shifted;
        mask.bytes[i] = (uint8_t)bits;
    }
    ofa_put_set_field(list, OFA_FORM_LOAD, field, &value, &mask);
    return OF_OK;
}

enum of_error action_put_move(const uint8_t *body, const uint8_t *headers, struct buffer *list)
{
    unsigned n_bits = wire_u16(body);
    struct of_subfield source, destination;
    enum of_error error = decode_match_part(wire_u32(headers), wire_u16(body + 2), n_bits, &source);

    if (!error)
        error = decode_match_part(wire_u32(headers + 4), wire_u16(body + 4), n_bits, &destination);
    if (!error && !destination.field->is_writable)
        error = OFPBAC_BAD_SET_ARGUMENT;
    if (error)
        return error;
    struct ofa_move *move = (struct ofa_move *)(void *)ofa_put(list, OFA_MOVE);
    move->source = (uint16_t)source.field->id;
    move->source_first = source.first;
    move->destination = (uint16_t)destination.field->id;
    move->destination_first = destination.first;
    move->n_bits = (uint16_t)n_bits;
    return OF_OK;
}

static enum of_error decode_reg_move(const uint8_t *body, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    return action_put_move(body, body + 6, list);
}

static void put_resubmit(of_port in_port, uint8_t table_id, struct buffer *list)
{
    struct ofa_resubmit *resubmit = (struct ofa_resubmit *)(void *)ofa_put(list, OFA_RESUBMIT);

    resubmit->in_port = in_port;
    resubmit->table_id = table_id;
}

static enum of_error decode_resubmit(const uint8_t *body, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    put_resubmit(wire_u16(body), OF_TABLE_ALL, list);
    return OF_OK;
}

static enum of_error decode_resubmit_table(const uint8_t *body, size_t n_bytes UNUSED,
                                           struct buffer *list)
{
    if (!wire_is_zero(body + 3, 3))
        return OFPBAC_BAD_ARGUMENT;
    put_resubmit(wire_u16(body), body[2], list);
    return OF_OK;
}

static enum of_error decode_resubmit_ct(const uint8_t *body, size_t n_bytes UNUSED,
                                        struct buffer *list)
{
    size_t start = list->size;

    if (!wire_is_zero(body + 3, 3))
        return OFPBAC_BAD_ARGUMENT;
    put_resubmit(wire_u16(body), body[2], list);
    ((struct ofa_resubmit *)(void *)(list->data + start))->looks_up_ct = true;
    return OF_OK;
}

static enum of_error put_tunnel(enum ofa_form form, uint64_t tun_id, struct buffer *list)
{
    const struct of_field *field = of_field(FIELD_TUN_ID);
    struct of_value value;

    of_value_from_u64(field, tun_id, &value);
    ofa_put_set_field(list, form, field, &value, NULL);
    return OF_OK;
}

static enum of_error decode_set_tunnel(const uint8_t *body, size_t n_bytes UNUSED,
                                       struct buffer *list)
{
    return put_tunnel(OFA_FORM_TUNNEL, wire_u32(body + 2), list);
}

static enum of_error decode_set_tunnel64(const uint8_t *body, size_t n_bytes UNUSED,
                                         struct buffer *list)
{
    return put_tunnel(OFA_FORM_TUNNEL64, wire_u64(body + 6), list);
}

static enum of_error decode_ct_clear(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                     struct buffer *list)
{
    ofa_put(list, OFA_CT_CLEAR);
    return OF_OK;
}

static enum of_error decode_write_metadata(const uint8_t *body, size_t n_bytes UNUSED,
                                           struct buffer *list)
{
    if (!wire_is_zero(body, 6))
        return NXBRC_MUST_BE_ZERO;
    action_put_metadata(body + 6, list);
    return OF_OK;
}

static enum of_error decode_output_trunc(const uint8_t *body, size_t n_bytes UNUSED,
                                         struct buffer *list)
{
    uint32_t max_bytes = wire_u32(body + 2);

    if (max_bytes < 14) /* Less than an Ethernet header cannot leave. */
        return OFPBAC_BAD_ARGUMENT;
    ofa_put_output(list, wire_u16(body), 0)->trunc_bytes = max_bytes;
    return OF_OK;
}

static enum of_error decode_dec_ttl_ids(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    size_t n_ids = wire_u16(body);

    if (!wire_is_zero(body + 2, 4))
        return NXBRC_MUST_BE_ZERO;
    if (!n_ids || 6 + 2 * n_ids > n_bytes)
        return OFPBAC_BAD_LEN;
    struct ofa_dec_ttl *dec =
        (struct ofa_dec_ttl *)(void *)ofa_put_longer(list, OFA_DEC_TTL, n_ids * sizeof dec->ids[0]);
    dec->n_ids = (uint16_t)n_ids;
    for (size_t i = 0; i < n_ids; i++)
        dec->ids[i] = wire_u16(body + 6 + 2 * i);
    return OF_OK;
}

static enum of_error put_output_reg(uint32_t header, unsigned first_and_n_bits, unsigned max_len,
                                    struct buffer *list)
{
    struct of_subfield source;
    enum of_error error = action_decode_part(header, first_and_n_bits >> 6,
                                             (first_and_n_bits & 0x3f) + 1, &source);

    if (error)
        return error;
    struct ofa_output_reg *output = (struct ofa_output_reg *)(void *)ofa_put(list, OFA_OUTPUT_REG);
    output->source = ofa_part_of(&source);
    output->max_len = (uint16_t)max_len;
    return OF_OK;
}

static enum of_error decode_output_reg(const uint8_t *body, size_t n_bytes UNUSED,
                                       struct buffer *list)
{
    if (!wire_is_zero(body + 8, 6))
        return OFPBAC_BAD_ARGUMENT;
    return put_output_reg(wire_u32(body + 2), wire_u16(body), wire_u16(body + 6), list);
}

static enum of_error decode_output_reg2(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    if (!wire_is_zero(body + 8, n_bytes - 8))
        return NXBRC_MUST_BE_ZERO;
    return put_output_reg(wire_u32(body + 4), wire_u16(body), wire_u16(body + 2), list);
}

static enum of_error decode_set_queue(const uint8_t *body, size_t n_bytes UNUSED,
                                      struct buffer *list)
{
    ((struct ofa_queue *)(void *)ofa_put(list, OFA_SET_QUEUE))->queue = wire_u32(body + 2);
    return OF_OK;
}

static enum of_error decode_pop_queue(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                      struct buffer *list)
{
    ofa_put(list, OFA_POP_QUEUE);
    return OF_OK;
}

static enum of_error decode_stack(enum ofa_type type, const uint8_t *body, struct buffer *list)
{
    struct of_subfield part;

    if (!wire_is_zero(body + 8, 6))
        return NXBRC_MUST_BE_ZERO;
    enum of_error error = decode_match_part(wire_u32(body + 2), wire_u16(body), wire_u16(body + 6),
                                            &part);
    if (!error && type == OFA_STACK_POP && !part.field->is_writable)
        error = OFPBAC_BAD_SET_ARGUMENT;
    if (!error)
        ((struct ofa_stack *)(void *)ofa_put(list, type))->part = ofa_part_of(&part);
    return error;
}

static enum of_error decode_push(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return decode_stack(OFA_STACK_PUSH, body, list);
}

static enum of_error decode_pop(const uint8_t *body, size_t n_bytes UNUSED, struct buffer *list)
{
    return decode_stack(OFA_STACK_POP, body, list);
}

enum of_error action_decode_clone(const uint8_t *body, size_t n_bytes,
                                  const struct action_context *context, struct buffer *list)
{
    const struct action_context inner = {context->version, context->nesting + 1};
    size_t start = ofa_begin_nested(list, OFA_CLONE);

    if (inner.nesting > ACTION_MAX_NESTING)
        return OFPBAC_TOO_MANY;
    enum of_error error = action_decode_list(body + 6, n_bytes - 6, &inner, list);
    if (!error && !ofa_end_nested(list, start))
        error = OFPBAC_TOO_MANY;
    return error;
}

/* OpenFlow's has no padding in front. */
static enum of_error decode_nx_group(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    if (!wire_is_zero(body, 2))
        return NXBRC_MUST_BE_ZERO;
    return action_decode_group(body + 2, n_bytes - 2, list);
}

static enum of_error decode_conjunction(const uint8_t *body, size_t n_bytes UNUSED,
                                        struct buffer *list)
{
    unsigned clause = body[0], n_clauses = body[1];

    if (clause >= n_clauses || n_clauses < 2 || n_clauses > 64)
        return NXBAC_BAD_CONJUNCTION;
    struct ofa_conjunction *conjunction =
        (struct ofa_conjunction *)(void *)ofa_put(list, OFA_CONJUNCTION);
    conjunction->clause = (uint8_t)clause;
    conjunction->n_clauses = (uint8_t)n_clauses;
    conjunction->id = wire_u32(body + 2);
    return OF_OK;
}

static enum of_error decode_check_length(const uint8_t *body, size_t n_bytes UNUSED,
                                         struct buffer *list)
{
    struct ofa_part destination;

    if (!wire_is_zero(body + 8, 6))
        return NXBRC_MUST_BE_ZERO;
    enum of_error error = decode_destination(wire_u32(body + 4), wire_u16(body + 2), 1,
                                             &destination);
    if (error)
        return error;
    struct ofa_check_length *check = (struct ofa_check_length *)(void *)ofa_put(list,
                                                                                OFA_CHECK_LENGTH);
    check->n_bytes = wire_u16(body);
    check->destination = destination;
    return OF_OK;
}

static enum of_error decode_fin_timeout(const uint8_t *body, size_t n_bytes UNUSED,
                                        struct buffer *list)
{
    struct ofa_fin_timeout *fin = (struct ofa_fin_timeout *)(void *)ofa_put(list, OFA_FIN_TIMEOUT);
    fin->idle_s = wire_u16(body);
    fin->hard_s = wire_u16(body + 2);
    return OF_OK;
}

static enum of_error decode_note(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    struct ofa_note *note = (struct ofa_note *)(void *)ofa_put_longer(list, OFA_NOTE, n_bytes);

    note->n_bytes = (uint16_t)n_bytes;
    memcpy(note->bytes, body, n_bytes);
    return OF_OK;
}

static enum of_error decode_exit(const uint8_t *body UNUSED, size_t n_bytes UNUSED,
                                 struct buffer *list)
{
    ofa_put(list, OFA_EXIT);
    return OF_OK;
}

const struct action_row action_nx_rows[] = {
    {OF_1_0, OF_1_5, NXAST_RESUBMIT, 16, false, decode_resubmit},
    {OF_1_0, OF_1_5, NXAST_REG_MOVE, 24, false, decode_reg_move},
    {OF_1_0, OF_1_5, NXAST_REG_LOAD, 24, false, decode_reg_load},
    {OF_1_0, OF_1_5, NXAST_RESUBMIT_TABLE, 16, false, decode_resubmit_table},
    {OF_1_0, OF_1_5, NXAST_DEC_TTL, 16, false, action_decode_dec_ttl},
    {OF_1_0, OF_1_5, NXAST_CONTROLLER, 16, false, ofa_decode_controller},
    {OF_1_0, OF_1_5, NXAST_CONTROLLER2, 16, true, ofa_decode_controller2},
    {OF_1_0, OF_1_0, NXAST_WRITE_METADATA, 32, false, decode_write_metadata},
    {OF_1_0, OF_1_5, NXAST_REG_LOAD2, 16, true, decode_reg_load2},
    {OF_1_0, OF_1_5, NXAST_OUTPUT_TRUNC, 16, false, decode_output_trunc},
    {OF_1_0, OF_1_5, NXAST_SET_QUEUE, 16, false, decode_set_queue},
    {OF_1_0, OF_1_5, NXAST_POP_QUEUE, 16, false, decode_pop_queue},
    {OF_1_0, OF_1_5, NXAST_NOTE, 16, true, decode_note},
    {OF_1_0, OF_1_5, NXAST_MULTIPATH, 32, false, ofa_decode_multipath},
    {OF_1_0, OF_1_5, NXAST_BUNDLE, 32, true, ofa_decode_bundle},
    {OF_1_0, OF_1_5, NXAST_BUNDLE_LOAD, 32, true, ofa_decode_bundle_load},
    {OF_1_0, OF_1_5, NXAST_OUTPUT_REG, 24, false, decode_output_reg},
    {OF_1_0, OF_1_5, NXAST_LEARN, 32, true, ofa_decode_learn},
    {OF_1_0, OF_1_5, NXAST_EXIT, 16, false, decode_exit},
    {OF_1_0, OF_1_5, NXAST_FIN_TIMEOUT, 16, false, decode_fin_timeout},
    {OF_1_0, OF_1_5, NXAST_DEC_TTL_IDS, 24, true, decode_dec_ttl_ids},
    {OF_1_0, OF_1_0, NXAST_PUSH_MPLS, 16, false, ofa_decode_push_mpls},
    {OF_1_0, OF_1_0, NXAST_POP_MPLS, 16, false, ofa_decode_pop_mpls},
    {OF_1_0, OF_1_0, NXAST_SET_MPLS_TTL, 16, false, ofa_decode_mpls_ttl},
    {OF_1_0, OF_1_0, NXAST_DEC_MPLS_TTL, 16, false, ofa_decode_dec_mpls_ttl},
    {OF_1_0, OF_1_0, NXAST_SET_MPLS_LABEL, 16, false, ofa_decode_mpls_label_nx},
    {OF_1_0, OF_1_0, NXAST_SET_MPLS_TC, 16, false, ofa_decode_mpls_tc},
    {OF_1_0, OF_1_5, NXAST_STACK_PUSH, 24, false, decode_push},
    {OF_1_0, OF_1_5, NXAST_STACK_POP, 24, false, decode_pop},
    {OF_1_0, OF_1_5, NXAST_OUTPUT_REG2, 24, false, decode_output_reg2},
    {OF_1_0, OF_1_5, NXAST_CONJUNCTION, 16, false, decode_conjunction},
    {OF_1_0, OF_1_0, NXAST_GROUP, 16, false, decode_nx_group},
    {OF_1_0, OF_1_5, NXAST_CLONE, 16, true, NULL},
    {OF_1_0, OF_1_5, NXAST_LEARN2, 40, true, ofa_decode_learn2},
    {OF_1_0, OF_1_5, NXAST_CHECK_LENGTH, 24, false, decode_check_length},
    {OF_1_0, OF_1_5, NXAST_SET_TUNNEL, 16, false, decode_set_tunnel},
    {OF_1_0, OF_1_5, NXAST_SET_TUNNEL64, 24, false, decode_set_tunnel64},
    {OF_1_0, OF_1_5, NXAST_RESUBMIT_TABLE_CT, 16, false, decode_resubmit_ct},
    {OF_1_0, OF_1_5, NXAST_CT, 24, true, NULL},
    {OF_1_0, OF_1_5, NXAST_NAT, 16, true, ofa_decode_nat},
    {OF_1_0, OF_1_5, NXAST_CT_CLEAR, 16, false, decode_ct_clear},
    {OF_1_0, OF_1_5, NXAST_SAMPLE, 24, false, ofa_decode_sample},
    {OF_1_0, OF_1_5, NXAST_SAMPLE2, 32, false, ofa_decode_sample2},
    {OF_1_0, OF_1_5, NXAST_SAMPLE3, 32, false, ofa_decode_sample3},
    {OF_1_3, OF_1_5, NXAST_ENCAP, 16, true, ofa_decode_encap},
    {OF_1_3, OF_1_5, NXAST_DECAP, 16, false, ofa_decode_decap},
    {OF_1_3, OF_1_5, NXAST_DEC_NSH_TTL, 16, false, ofa_decode_dec_nsh_ttl},
    {OF_1_0, OF_1_5, NXAST_DELETE_FIELD, 24, false, ofa_decode_delete_field},
};

const size_t action_n_nx_rows = ARRAY_SIZE(action_nx_rows);
