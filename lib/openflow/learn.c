/* SPDX-License-Identifier: Apache-2.0 */

/* learn() on the wire, its sense, and what it makes of a frame. */

#include "lib/openflow/learn.h"

#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/action_decode.h"
#include "lib/openflow/action_wire.h"
#include "lib/openflow/flow_mod.h"

/* The head of a specification. */
enum {
    SPEC_N_BITS = 0x07ff,
    SPEC_IS_IMMEDIATE = 0x2000,
    SPEC_KIND_SHIFT = 11,
    SPEC_KIND = 0x3 << SPEC_KIND_SHIFT,
    SPEC_RESERVED = 0xc000,
};

enum { LEARN_BYTES = 22, LEARN2_BYTES = 30 }; /* Behind the subtype, before the specifications. */

/* Decoding */

static enum of_error take_part(struct wire *wire, unsigned n_bits, struct ofa_part *part)
{
    const uint8_t *from = wire_take(wire, 6);
    struct of_subfield subfield;

    if (!from)
        return OFPBAC_BAD_LEN;
    enum of_error error = action_decode_part(wire_u32(from), wire_u16(from + 4), n_bits, &subfield);
    if (!error)
        *part = ofa_part_of(&subfield);
    return error;
}

static enum of_error take_value(struct wire *wire, unsigned n_bits, struct of_value *value)
{
    size_t n_bytes = 2 * ((n_bits + 15) / 16);
    const uint8_t *from = n_bytes > sizeof *value ? NULL : wire_take(wire, n_bytes);

    if (!from)
        return OFPBAC_BAD_LEN;
    memcpy(value->bytes + sizeof *value - n_bytes, from, n_bytes);

    /* Bits beyond are not the value's. */
    for (size_t bit = n_bits; bit < 8 * n_bytes; bit++) {
        if (value->bytes[sizeof *value - 1 - bit / 8] >> bit % 8 & 1)
            return OFPBAC_BAD_ARGUMENT;
    }
    return OF_OK;
}

static enum of_error take_spec(struct wire *wire, unsigned head, struct buffer *list)
{
    unsigned n_bits = head & SPEC_N_BITS, kind = (head & SPEC_KIND) >> SPEC_KIND_SHIFT;
    struct ofa_learn_spec spec;
    enum of_error error;

    if (head & SPEC_RESERVED || kind > OFA_LEARN_OUTPUT ||
        (kind == OFA_LEARN_OUTPUT && head & SPEC_IS_IMMEDIATE))
        return OFPBAC_BAD_ARGUMENT;
    memset(&spec, 0, sizeof spec);
    spec.kind = (uint8_t)kind;
    if (head & SPEC_IS_IMMEDIATE)
        error = take_value(wire, n_bits, &spec.value);
    else
        error = take_part(wire, n_bits, &spec.source);
    if (!error && kind != OFA_LEARN_OUTPUT)
        error = take_part(wire, n_bits, &spec.destination);
    if (!error)
        buffer_put(list, &spec, sizeof spec);
    return error;
}

/* The list's struct ofa_learn, which moves as specifications are appended. */
static struct ofa_learn *learn_at(struct buffer *list, size_t start)
{
    return (struct ofa_learn *)(void *)(list->data + start);
}

/* Completes the action that began at 'start'. */
static enum of_error finish_list(struct buffer *list, size_t start)
{
    size_t n_bytes = list->size - start;

    buffer_put_zeros(list, wire_round_up_8(n_bytes) - n_bytes);
    if (list->size - start > UINT16_MAX)
        return OFPBAC_TOO_MANY;
    struct ofa_learn *learn = learn_at(list, start);
    learn->ofa.n_bytes = (uint16_t)(list->size - start);
    learn->n_specs = (uint16_t)((n_bytes - sizeof *learn) / sizeof learn->specs[0]);
    return OF_OK;
}

static enum of_error take_specs(struct wire wire, struct buffer *list, size_t start)
{
    while (wire.left >= 2) {
        unsigned head = wire_u16(wire_take(&wire, 2));

        if (!head)
            break;
        enum of_error error = take_spec(&wire, head, list);
        if (error)
            return error;
    }
    if (!wire_is_zero(wire.next, wire.left))
        return OFPBAC_BAD_ARGUMENT;
    return finish_list(list, start);
}

static size_t put_learn(const uint8_t *body, struct buffer *list)
{
    size_t start = list->size;
    struct ofa_learn *learn = (struct ofa_learn *)(void *)ofa_put(list, OFA_LEARN);

    learn->idle_timeout_s = wire_u16(body);
    learn->hard_timeout_s = wire_u16(body + 2);
    learn->priority = wire_u16(body + 4);
    learn->cookie = be64_load(body + 6);
    learn->flags = body[15];
    learn->table_id = body[16];
    learn->fin_idle_s = wire_u16(body + 18);
    learn->fin_hard_s = wire_u16(body + 20);
    return start;
}

enum of_error ofa_decode_learn(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    size_t start = put_learn(body, list);

    if (wire_u16(body + 14) & ~(OFA_LEARN_SEND_FLOW_REM | OFA_LEARN_DELETE_LEARNED) ||
        body[16] == OF_TABLE_ALL || body[17])
        return OFPBAC_BAD_ARGUMENT;
    return take_specs(wire_init(body + LEARN_BYTES, n_bytes - LEARN_BYTES), list, start);
}

enum of_error ofa_decode_learn2(const uint8_t *body, size_t n_bytes, struct buffer *list)
{
    size_t start = put_learn(body, list);
    struct wire wire = wire_init(body + LEARN2_BYTES, n_bytes - LEARN2_BYTES);

    if (wire_u16(body + 14) &
            ~(OFA_LEARN_SEND_FLOW_REM | OFA_LEARN_DELETE_LEARNED | OFA_LEARN_WRITE_RESULT) ||
        body[16] == OF_TABLE_ALL || body[17] || !wire_is_zero(body + 28, 2))
        return OFPBAC_BAD_ARGUMENT;
    learn_at(list, start)->limit = wire_u32(body + 22);
    if (body[15] & OFA_LEARN_WRITE_RESULT) {
        const uint8_t *header = wire_take(&wire, 4);
        struct of_subfield part;

        if (!header)
            return OFPBAC_BAD_LEN;
        enum of_error error = action_decode_part(wire_u32(header), wire_u16(body + 26), 1, &part);
        if (error)
            return error;
        if (!part.field->is_writable)
            return OFPBAC_BAD_SET_ARGUMENT;
        learn_at(list, start)->result = ofa_part_of(&part);
    }
    return take_specs(wire, list, start);
}

/* Encoding */

static void put_part(struct ofa_part part, struct buffer *out)
{
    const struct of_field *field = of_field((enum of_field_id)part.field);
    uint8_t *to = buffer_put_zeros(out, 6);

    be32_store(to, field->nxm_header ? field->nxm_header : field->oxm_header);
    be16_store(to + 4, part.first);
}

static void put_spec(const struct ofa_learn_spec *spec, struct buffer *out)
{
    bool is_immediate = !spec->source.n_bits;
    unsigned n_bits = is_immediate ? spec->destination.n_bits : spec->source.n_bits;
    size_t n_bytes = 2 * ((n_bits + 15) / 16);

    be16_store(buffer_put_zeros(out, 2),
               (uint16_t)(n_bits | (unsigned)spec->kind << SPEC_KIND_SHIFT |
                          (is_immediate ? SPEC_IS_IMMEDIATE : 0U)));
    if (is_immediate)
        buffer_put(out, spec->value.bytes + sizeof spec->value - n_bytes, n_bytes);
    else
        put_part(spec->source, out);
    if (spec->kind != OFA_LEARN_OUTPUT)
        put_part(spec->destination, out);
}

void ofa_encode_learn(const struct ofa_learn *learn, struct buffer *out)
{
    bool is_second = learn->limit || learn->flags & OFA_LEARN_WRITE_RESULT;
    size_t start = out->size;
    uint8_t *body = (uint8_t *)buffer_put_zeros(out, NX_ACTION_HEADER_BYTES +
                                                         (is_second ? LEARN2_BYTES : LEARN_BYTES)) +
                    NX_ACTION_HEADER_BYTES;

    be16_store(body - 2, is_second ? NXAST_LEARN2 : NXAST_LEARN);
    be16_store(body, learn->idle_timeout_s);
    be16_store(body + 2, learn->hard_timeout_s);
    be16_store(body + 4, learn->priority);
    memcpy(body + 6, &learn->cookie, 8);
    body[15] = learn->flags;
    body[16] = learn->table_id;
    be16_store(body + 18, learn->fin_idle_s);
    be16_store(body + 20, learn->fin_hard_s);
    if (is_second) {
        be32_store(body + 22, learn->limit);
        be16_store(body + 26, learn->result.first);
    }
    if (learn->flags & OFA_LEARN_WRITE_RESULT) {
        const struct of_field *field = of_field((enum of_field_id)learn->result.field);
        be32_store(buffer_put_zeros(out, 4),
                   field->nxm_header ? field->nxm_header : field->oxm_header);
    }
    for (size_t i = 0; i < learn->n_specs; i++)
        put_spec(&learn->specs[i], out);
    buffer_put_zeros(out, wire_round_up_8(out->size - start) - (out->size - start));

    uint8_t *action = out->data + start;
    be16_store(action, OFPAT_VENDOR);
    be16_store(action + 2, (uint16_t)(out->size - start));
    be32_store(action + 4, NX_ACTION_VENDOR);
}

/* Sense */

static const struct of_field *field_of(struct ofa_part part)
{
    return of_field((enum of_field_id)part.field);
}

/* The new flow is of this match, as far as it is known beforehand. */
static void add_to_match(const struct ofa_learn_spec *spec, struct match *match)
{
    struct of_subfield part = ofa_part_subfield(spec->destination);

    if (!spec->source.n_bits)
        of_subfield_set(&part, &spec->value, &match->flow);
    of_subfield_add_mask(&part, &match->mask);
}

enum of_error ofa_check_learn(const struct ofa_learn *learn, const struct match *match)
{
    struct match learned;

    match_init_any(&learned);
    for (size_t i = 0; i < learn->n_specs; i++) {
        const struct ofa_learn_spec *spec = &learn->specs[i];

        if (spec->source.n_bits && !of_field_match_allows(field_of(spec->source), match))
            return OFPBAC_MATCH_INCONSISTENT;
        if (spec->kind == OFA_LEARN_OUTPUT)
            continue;
        if (!of_field_match_allows(field_of(spec->destination), &learned))
            return OFPBAC_MATCH_INCONSISTENT;
        if (spec->kind == OFA_LEARN_MATCH)
            add_to_match(spec, &learned);
        else if (!field_of(spec->destination)->is_writable)
            return OFPBAC_BAD_SET_ARGUMENT;
    }
    return OF_OK;
}

/* Execution */

static void put_load(const struct ofa_learn_spec *spec, const struct of_value *value,
                     struct buffer *actions)
{
    struct of_subfield part = ofa_part_subfield(spec->destination);
    struct flow bits, mask_bits;
    struct of_value shifted, mask;

    memset(&bits, 0, sizeof bits);
    memset(&mask_bits, 0, sizeof mask_bits);
    of_subfield_set(&part, value, &bits);
    of_subfield_add_mask(&part, &mask_bits);
    of_field_get(part.field, &bits, &shifted);
    of_field_get(part.field, &mask_bits, &mask);
    ofa_put_set_field(actions, OFA_FORM_LOAD, part.field, &shifted, &mask);
}

static void put_output(const struct of_value *value, struct buffer *actions)
{
    uint64_t number = be64_host(be64_load(value->bytes + sizeof *value - 8));

    if (number <= UINT16_MAX)
        ofa_put_output(actions, (of_port)number, number == OFPP_CONTROLLER ? UINT16_MAX : 0);
}

void ofa_learn_execute(const struct ofa_learn *learn, const struct flow *flow,
                       struct flow *consulted, struct of_flow_mod *mod)
{
    of_flow_mod_init(mod);
    mod->table_id = learn->table_id;
    mod->priority = learn->priority;
    mod->new_cookie = learn->cookie;
    mod->modify_cookie = true;
    mod->idle_timeout_s = learn->idle_timeout_s;
    mod->hard_timeout_s = learn->hard_timeout_s;
    if (learn->flags & OFA_LEARN_SEND_FLOW_REM)
        mod->flags |= OFFF_SEND_FLOW_REM;
    if (learn->fin_idle_s || learn->fin_hard_s) {
        struct ofa_fin_timeout *fin = (struct ofa_fin_timeout *)(void *)ofa_put(&mod->actions,
                                                                                OFA_FIN_TIMEOUT);
        fin->idle_s = learn->fin_idle_s;
        fin->hard_s = learn->fin_hard_s;
    }

    for (size_t i = 0; i < learn->n_specs; i++) {
        const struct ofa_learn_spec *spec = &learn->specs[i];
        struct of_value value = spec->value;

        if (spec->source.n_bits) {
            struct of_subfield source = ofa_part_subfield(spec->source);
            of_subfield_add_mask(&source, consulted);
            of_subfield_get(&source, flow, &value);
        }
        if (spec->kind == OFA_LEARN_OUTPUT) {
            put_output(&value, &mod->actions);
        } else if (spec->kind == OFA_LEARN_LOAD) {
            put_load(spec, &value, &mod->actions);
        } else {
            struct of_subfield part = ofa_part_subfield(spec->destination);
            of_subfield_set(&part, &value, &mod->match.flow);
            of_subfield_add_mask(&part, &mod->match.mask);
        }
    }
}
