/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/flow_text.h"

#include <string.h>

#include "lib/buffer.h"
#include "lib/openflow/action_controller.h"
#include "lib/openflow/action_ct.h"
#include "lib/openflow/action_encap.h"
#include "lib/openflow/action_links.h"
#include "lib/openflow/action_mpls.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/learn.h"

static void format_output(const struct ofa_output *output, const struct of_names *names,
                          struct buffer *out)
{
    if (output->trunc_bytes) {
        buffer_puts(out, "output(port=");
        of_port_format(output->port, names, out);
        buffer_printf(out, ",max_len=%u)", output->trunc_bytes);
        return;
    }
    if (output->port < OFPP_MAX)
        buffer_puts(out, "output:");
    of_port_format(output->port, names, out);
    if (output->port == OFPP_CONTROLLER)
        buffer_printf(out, ":%u", output->max_len);
}

static void format_resubmit(const struct ofa_resubmit *resubmit, const struct of_names *names,
                            struct buffer *out)
{
    if (resubmit->in_port != OFPP_IN_PORT && resubmit->table_id == OF_TABLE_ALL &&
        !resubmit->looks_up_ct) {
        buffer_puts(out, "resubmit:");
        of_port_format(resubmit->in_port, names, out);
        return;
    }
    buffer_puts(out, "resubmit(");
    if (resubmit->in_port != OFPP_IN_PORT)
        of_port_format(resubmit->in_port, names, out);
    buffer_putc(out, ',');
    if (resubmit->table_id != OF_TABLE_ALL)
        of_table_format(resubmit->table_id, names, out);
    buffer_puts(out, resubmit->looks_up_ct ? ",ct)" : ")");
}

static const struct {
    uint16_t field;
    const char *name;
} legacy_names[] = {
    {FIELD_ETH_SRC, "mod_dl_src"},  {FIELD_ETH_DST, "mod_dl_dst"}, {FIELD_IPV4_SRC, "mod_nw_src"},
    {FIELD_IPV4_DST, "mod_nw_dst"}, {FIELD_NW_TOS, "mod_nw_tos"},  {FIELD_IP_ECN, "mod_nw_ecn"},
    {FIELD_IP_TTL, "mod_nw_ttl"},   {FIELD_TCP_SRC, "mod_tp_src"}, {FIELD_TCP_DST, "mod_tp_dst"},
    {FIELD_UDP_SRC, "mod_tp_src"},  {FIELD_UDP_DST, "mod_tp_dst"}, {FIELD_SCTP_SRC, "mod_tp_src"},
    {FIELD_SCTP_DST, "mod_tp_dst"},
};

static const char *legacy_name(enum of_field_id field)
{
    for (size_t i = 0; i < sizeof legacy_names / sizeof legacy_names[0]; i++) {
        if (legacy_names[i].field == field)
            return legacy_names[i].name;
    }
    return NULL;
}

static void format_loads(const struct ofa_set_field *set, struct buffer *out)
{
    struct of_subfield part = {.field = of_field((enum of_field_id)set->field)};
    struct ofa_load load = {.first = 0};

    while (ofa_next_load(set, &load)) {
        buffer_printf(out, load.value ? "load:0x%llx->" : "load:%llx->",
                      (unsigned long long)load.value);
        part.first = (uint16_t)load.first;
        part.n_bits = (uint16_t)load.n_bits;
        of_subfield_format(&part, out);
        buffer_putc(out, ',');
    }
    out->size--; /* The last comma; a mask of zeros prints nothing and has none to take. */
}

static bool has_mask_bits(const struct ofa_set_field *set)
{
    struct ofa_load load = {.first = 0};

    return ofa_next_load(set, &load);
}

static void format_set_field(const struct ofa_set_field *set, const struct of_names *names,
                             struct buffer *out)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);
    const char *name = set->ofa.form == OFA_FORM_LEGACY ? legacy_name(field->id) : NULL;
    struct of_value value = {.bytes = {0}}, mask = {.bytes = {0}};

    if (set->ofa.form == OFA_FORM_LOAD && has_mask_bits(set)) {
        format_loads(set, out);
        return;
    }
    memcpy(value.bytes, ofa_set_field_value(set), field->n_bytes);
    memcpy(mask.bytes, ofa_set_field_mask(set), field->n_bytes);
    if (set->ofa.form == OFA_FORM_TUNNEL || set->ofa.form == OFA_FORM_TUNNEL64) {
        buffer_printf(out, "set_tunnel%s:0x%llx", set->ofa.form == OFA_FORM_TUNNEL ? "" : "64",
                      (unsigned long long)of_value_u64(field, &value));
        return;
    }
    if (name)
        buffer_printf(out, "%s:", name);
    else
        buffer_puts(out, "set_field:");
    if (field->id == FIELD_IN_PORT)
        of_port_format((of_port)of_value_u64(field, &value), names, out);
    else
        of_value_format_masked(field, &value, &mask, out);
    if (!name)
        buffer_printf(out, "->%s", field->name);
}

static void format_move(const struct ofa_move *move, struct buffer *out)
{
    struct of_subfield source = {of_field((enum of_field_id)move->source), move->source_first,
                                 move->n_bits};
    struct of_subfield destination = {of_field((enum of_field_id)move->destination),
                                      move->destination_first, move->n_bits};

    buffer_puts(out, "move:");
    of_subfield_format(&source, out);
    buffer_puts(out, "->");
    of_subfield_format(&destination, out);
}

static void format_vlan(const struct ofa_vlan *vlan, const char *part, struct buffer *out)
{
    buffer_printf(out, "%s_vlan_%s:%u", vlan->push_if_none ? "mod" : "set", part, vlan->value);
}

static void format_metadata(const struct ofa_metadata *metadata, struct buffer *out)
{
    unsigned long long value = be64_host(metadata->value);

    buffer_printf(out, value ? "write_metadata:0x%llx" : "write_metadata:%llx", value);
    if (metadata->mask.raw != UINT64_MAX)
        buffer_printf(out, "/0x%llx", (unsigned long long)be64_host(metadata->mask));
}

static void format_part(struct ofa_part part, struct buffer *out)
{
    struct of_subfield subfield = ofa_part_subfield(part);

    of_subfield_format(&subfield, out);
}

static void format_dec_ttl(const struct ofa_dec_ttl *dec, struct buffer *out)
{
    buffer_puts(out, "dec_ttl");
    for (size_t i = 0; i < dec->n_ids; i++)
        buffer_printf(out, "%c%u", i ? ',' : '(', dec->ids[i]);
    if (dec->n_ids)
        buffer_putc(out, ')');
}

static void format_enqueue(const struct ofa_enqueue *enqueue, const struct of_names *names,
                           struct buffer *out)
{
    buffer_puts(out, "enqueue:");
    of_port_format(enqueue->port, names, out);
    buffer_printf(out, ":%u", enqueue->queue);
}

static void format_check_length(const struct ofa_check_length *check, struct buffer *out)
{
    buffer_printf(out, "check_pkt_larger(%u)->", check->n_bytes);
    format_part(check->destination, out);
}

static void format_conjunction(const struct ofa_conjunction *conjunction, struct buffer *out)
{
    buffer_printf(out, "conjunction(%u,%u/%u)", conjunction->id, conjunction->clause + 1U,
                  conjunction->n_clauses);
}

static void format_fin_timeout(const struct ofa_fin_timeout *fin, struct buffer *out)
{
    buffer_puts(out, "fin_timeout(");
    if (fin->idle_s)
        buffer_printf(out, "idle_timeout=%u", fin->idle_s);
    if (fin->hard_s)
        buffer_printf(out, "%shard_timeout=%u", fin->idle_s ? "," : "", fin->hard_s);
    buffer_putc(out, ')');
}

static void format_note(const struct ofa_note *note, struct buffer *out)
{
    buffer_puts(out, "note:");
    for (size_t i = 0; i < note->n_bytes; i++)
        buffer_printf(out, "%s%02x", i ? "." : "", note->bytes[i]);
}

static void format_list(struct ofa_list list, const struct of_names *names, struct buffer *out);

static void format_nested(const char *name, const struct ofa_nested *nested,
                          const struct of_names *names, struct buffer *out)
{
    buffer_puts(out, name);
    buffer_putc(out, '(');
    format_list(ofa_nested_list(nested), names, out);
    buffer_putc(out, ')');
}

static void format_action(const struct ofa *ofa, const struct of_names *names, struct buffer *out)
{
    const void *action = ofa;

    switch ((enum ofa_type)ofa->type) {
    case OFA_OUTPUT:
        format_output(action, names, out);
        break;
    case OFA_CONTROLLER:
        ofa_format_controller(action, out);
        break;
    case OFA_RESUBMIT:
        format_resubmit(action, names, out);
        break;
    case OFA_SET_FIELD:
        format_set_field(action, names, out);
        break;
    case OFA_MOVE:
        format_move(action, out);
        break;
    case OFA_SET_VLAN_VID:
        format_vlan(action, "vid", out);
        break;
    case OFA_SET_VLAN_PCP:
        format_vlan(action, "pcp", out);
        break;
    case OFA_PUSH_VLAN:
        buffer_printf(out, "push_vlan:0x%04x", ((const struct ofa_vlan *)action)->value);
        break;
    case OFA_POP_VLAN:
        buffer_puts(out, ofa->form == OFA_FORM_LEGACY ? "strip_vlan" : "pop_vlan");
        break;
    case OFA_PUSH_MPLS:
    case OFA_POP_MPLS:
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_DEC_MPLS_TTL:
        ofa_format_mpls(ofa, out);
        break;
    case OFA_DEC_TTL:
        format_dec_ttl(action, out);
        break;
    case OFA_OUTPUT_REG:
        buffer_puts(out, "output:");
        format_part(((const struct ofa_output_reg *)action)->source, out);
        break;
    case OFA_ENQUEUE:
        format_enqueue(action, names, out);
        break;
    case OFA_SET_QUEUE:
        buffer_printf(out, "set_queue:%u", ((const struct ofa_queue *)action)->queue);
        break;
    case OFA_POP_QUEUE:
        buffer_puts(out, "pop_queue");
        break;
    case OFA_STACK_PUSH:
    case OFA_STACK_POP:
        buffer_puts(out, ofa->type == OFA_STACK_PUSH ? "push:" : "pop:");
        format_part(((const struct ofa_stack *)action)->part, out);
        break;
    case OFA_CLONE:
        format_nested("clone", action, names, out);
        break;
    case OFA_MULTIPATH:
        ofa_format_multipath(action, out);
        break;
    case OFA_BUNDLE:
        ofa_format_bundle(action, names, out);
        break;
    case OFA_LEARN:
        ofa_format_learn(action, names, out);
        break;
    case OFA_CONJUNCTION:
        format_conjunction(action, out);
        break;
    case OFA_CHECK_LENGTH:
        format_check_length(action, out);
        break;
    case OFA_FIN_TIMEOUT:
        format_fin_timeout(action, out);
        break;
    case OFA_NOTE:
        format_note(action, out);
        break;
    case OFA_EXIT:
        buffer_puts(out, "exit");
        break;
    case OFA_CT:
        ofa_format_ct(action, names, out);
        break;
    case OFA_NAT:
        ofa_format_nat(action, out);
        break;
    case OFA_CT_CLEAR:
        buffer_puts(out, "ct_clear");
        break;
    case OFA_SAMPLE:
    case OFA_ENCAP:
    case OFA_DECAP:
    case OFA_DEC_NSH_TTL:
    case OFA_DELETE_FIELD:
        ofa_format_encap(ofa, names, out);
        break;
    case OFA_GROUP:
        buffer_printf(out, "group:%u", ((const struct ofa_group *)action)->group_id);
        break;
    case OFA_METER:
        buffer_printf(out, "meter:%u", ((const struct ofa_meter *)action)->meter_id);
        break;
    case OFA_CLEAR_ACTIONS:
        buffer_puts(out, "clear_actions");
        break;
    case OFA_WRITE_ACTIONS:
        format_nested("write_actions", action, names, out);
        break;
    case OFA_WRITE_METADATA:
        format_metadata(action, out);
        break;
    case OFA_GOTO_TABLE:
        buffer_puts(out, "goto_table:");
        of_table_format(((const struct ofa_goto *)action)->table_id, names, out);
        break;
    }
}

static void format_list(struct ofa_list list, const struct of_names *names, struct buffer *out)
{
    if (!list.n_bytes) {
        buffer_puts(out, "drop");
        return;
    }
    for_each_action (ofa, list) {
        if (ofa != list.first)
            buffer_putc(out, ',');
        format_action(ofa, names, out);
    }
}

void of_actions_format(struct ofa_list list, const struct of_names *names, struct buffer *out)
{
    format_list(list, names, out);
}
