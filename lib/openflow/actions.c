/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/actions.h"

#include <assert.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/learn.h"

static const uint8_t sizes[] = {
    [OFA_OUTPUT] = sizeof(struct ofa_output),
    [OFA_CONTROLLER] = sizeof(struct ofa_controller),
    [OFA_RESUBMIT] = sizeof(struct ofa_resubmit),
    [OFA_SET_FIELD] = sizeof(struct ofa_set_field),
    [OFA_MOVE] = sizeof(struct ofa_move),
    [OFA_SET_VLAN_VID] = sizeof(struct ofa_vlan),
    [OFA_SET_VLAN_PCP] = sizeof(struct ofa_vlan),
    [OFA_PUSH_VLAN] = sizeof(struct ofa_vlan),
    [OFA_POP_VLAN] = sizeof(struct ofa),
    [OFA_PUSH_MPLS] = sizeof(struct ofa_mpls),
    [OFA_POP_MPLS] = sizeof(struct ofa_mpls),
    [OFA_SET_MPLS_LABEL] = sizeof(struct ofa_mpls),
    [OFA_SET_MPLS_TC] = sizeof(struct ofa_mpls),
    [OFA_SET_MPLS_TTL] = sizeof(struct ofa_mpls),
    [OFA_DEC_MPLS_TTL] = sizeof(struct ofa),
    [OFA_GROUP] = sizeof(struct ofa_group),
    [OFA_METER] = sizeof(struct ofa_meter),
    [OFA_DEC_TTL] = sizeof(struct ofa_dec_ttl),
    [OFA_OUTPUT_REG] = sizeof(struct ofa_output_reg),
    [OFA_ENQUEUE] = sizeof(struct ofa_enqueue),
    [OFA_SET_QUEUE] = sizeof(struct ofa_queue),
    [OFA_POP_QUEUE] = sizeof(struct ofa),
    [OFA_STACK_PUSH] = sizeof(struct ofa_stack),
    [OFA_STACK_POP] = sizeof(struct ofa_stack),
    [OFA_CLONE] = sizeof(struct ofa_nested),
    [OFA_MULTIPATH] = sizeof(struct ofa_multipath),
    [OFA_BUNDLE] = sizeof(struct ofa_bundle),
    [OFA_LEARN] = sizeof(struct ofa_learn),
    [OFA_CONJUNCTION] = sizeof(struct ofa_conjunction),
    [OFA_CHECK_LENGTH] = sizeof(struct ofa_check_length),
    [OFA_FIN_TIMEOUT] = sizeof(struct ofa_fin_timeout),
    [OFA_NOTE] = sizeof(struct ofa_note),
    [OFA_CT] = sizeof(struct ofa_ct),
    [OFA_NAT] = sizeof(struct ofa_nat),
    [OFA_CT_CLEAR] = sizeof(struct ofa),
    [OFA_SAMPLE] = sizeof(struct ofa_sample),
    [OFA_ENCAP] = sizeof(struct ofa_encap),
    [OFA_DECAP] = sizeof(struct ofa_decap),
    [OFA_DEC_NSH_TTL] = sizeof(struct ofa),
    [OFA_DELETE_FIELD] = sizeof(struct ofa_delete_field),
    [OFA_EXIT] = sizeof(struct ofa),
    [OFA_CLEAR_ACTIONS] = sizeof(struct ofa),
    [OFA_WRITE_ACTIONS] = sizeof(struct ofa_nested),
    [OFA_WRITE_METADATA] = sizeof(struct ofa_metadata),
    [OFA_GOTO_TABLE] = sizeof(struct ofa_goto),
};

static struct ofa *put(struct buffer *list, enum ofa_type type, size_t n_bytes)
{
    size_t padded = (n_bytes + 7) & ~(size_t)7;
    struct ofa *ofa = buffer_put_zeros(list, padded);

    ofa->type = (uint8_t)type;
    ofa->n_bytes = (uint16_t)padded;
    return ofa;
}

struct ofa *ofa_put(struct buffer *list, enum ofa_type type)
{
    return put(list, type, sizes[type]);
}

struct ofa *ofa_put_longer(struct buffer *list, enum ofa_type type, size_t n_bytes)
{
    return put(list, type, sizes[type] + n_bytes);
}

struct ofa_output *ofa_put_output(struct buffer *list, of_port port, uint16_t max_len)
{
    struct ofa_output *output = (struct ofa_output *)(void *)ofa_put(list, OFA_OUTPUT);

    output->port = port;
    output->max_len = max_len;
    return output;
}

struct ofa_set_field *ofa_put_set_field(struct buffer *list, enum ofa_form form,
                                        const struct of_field *field, const struct of_value *value,
                                        const struct of_value *mask)
{
    struct of_value ones;

    if (!mask) {
        of_value_all_ones(field, &ones);
        mask = &ones;
    }
    size_t n_bytes = sizeof(struct ofa_set_field) + 2U * field->n_bytes;
    struct ofa_set_field *set = (struct ofa_set_field *)(void *)put(list, OFA_SET_FIELD, n_bytes);
    set->ofa.form = (uint8_t)form;
    set->field = (uint16_t)field->id;
    for (size_t i = 0; i < field->n_bytes; i++)
        set->bytes[i] = value->bytes[i] & mask->bytes[i];
    memcpy(set->bytes + field->n_bytes, mask->bytes, field->n_bytes);
    return set;
}

size_t ofa_begin_nested(struct buffer *list, enum ofa_type type)
{
    size_t start = list->size;

    ofa_put(list, type);
    return start;
}

bool ofa_end_nested(struct buffer *list, size_t start)
{
    struct ofa *ofa = (struct ofa *)(void *)(list->data + start);

    if (list->size - start > UINT16_MAX)
        return false;
    ofa->n_bytes = (uint16_t)(list->size - start);
    return true;
}

bool ofa_is_instruction(const struct ofa *ofa)
{
    return ofa->type >= OFA_CLEAR_ACTIONS;
}

bool ofa_has_instruction(struct ofa_list list)
{
    for_each_action (ofa, list) {
        if (ofa_is_instruction(ofa))
            return true;
    }
    return false;
}

static bool is_any_transport_port(enum of_field_id id)
{
    return id == FIELD_TCP_SRC || id == FIELD_TCP_DST || id == FIELD_UDP_SRC ||
           id == FIELD_UDP_DST || id == FIELD_SCTP_SRC || id == FIELD_SCTP_DST;
}

bool ofa_set_field_applies(const struct ofa_set_field *set, const struct flow *flow,
                           struct flow *consulted)
{
    enum of_field_id id = (enum of_field_id)set->field;

    if (set->ofa.form != OFA_FORM_LEGACY || !is_any_transport_port(id))
        return of_field_is_meaningful(of_field(id), flow, consulted);
    return of_field_is_meaningful(of_field(FIELD_TCP_SRC), flow, consulted) ||
           of_field_is_meaningful(of_field(FIELD_UDP_SRC), flow, consulted) ||
           of_field_is_meaningful(of_field(FIELD_SCTP_SRC), flow, consulted);
}

static bool bit_of(const uint8_t *bytes, size_t n_bytes, unsigned bit)
{
    return bytes[n_bytes - 1 - bit / 8] >> bit % 8 & 1;
}

bool ofa_next_load(const struct ofa_set_field *set, struct ofa_load *load)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);
    const uint8_t *value = ofa_set_field_value(set), *mask = ofa_set_field_mask(set);
    unsigned first = load->first + load->n_bits, end;

    while (first < field->n_bits && !bit_of(mask, field->n_bytes, first))
        first++;
    for (end = first; end < field->n_bits && end - first < 64; end++) {
        if (!bit_of(mask, field->n_bytes, end))
            break;
    }
    *load = (struct ofa_load){.first = first, .n_bits = end - first};
    for (unsigned bit = end; bit-- > first;)
        load->value = load->value << 1 | bit_of(value, field->n_bytes, bit);
    return end > first;
}
