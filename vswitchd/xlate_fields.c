/* SPDX-License-Identifier: Apache-2.0 */

/* Reading and changing the frame as the tables see it. */

#include <string.h>

#include "vswitchd/xlate_internal.h"

of_port xlate_in_port(const struct xlate *x)
{
    return (of_port)be32_host(x->now.flow.key.in_port);
}

static struct flow_vlan *outer_tag(struct xlate *x)
{
    return &x->now.flow.key.vlan[0];
}

static bool is_tag(const struct flow_vlan *tag)
{
    return be16_host(tag->tci) & VLAN_CFI;
}

/* Tables that match one tag see a second one as what the frame carries: the type behind the first. */
static void hide_inner_tag(struct xlate *x)
{
    struct flow_key *key = &x->now.flow.key, *written = &x->now.written.key;
    struct flow_key *mask = &x->verdict->mask;
    bool is_there = be16_host(key->vlan[1].tci) & VLAN_CFI;

    mask->vlan[1].tpid = be16_from(UINT16_MAX);
    mask->vlan[1].tci.raw |= be16_from(VLAN_CFI).raw;
    if (!is_there)
        return;
    key->eth_type = key->vlan[1].tpid;
    memset(&key->vlan[1], 0, sizeof key->vlan[1]);
    memset(&key->nw_src, 0, sizeof *key - offsetof(struct flow_key, nw_src));

    written->eth_type = be16_from(UINT16_MAX);
    memset(&written->vlan[1], 0xff, sizeof written->vlan[1]);
    memset(&written->nw_src, 0xff, sizeof *key - offsetof(struct flow_key, nw_src));
}

void xlate_reset_metadata(struct xlate *x)
{
    memset((uint8_t *)&x->now.flow + sizeof(struct flow_key), 0,
           sizeof(struct flow) - sizeof(struct flow_key));
    x->now.flow.actset_output = be32_from(OFPP_UNSET);
}

void xlate_init_view(struct xlate *x, const struct flow *flow)
{
    struct flow_key *mask = &x->verdict->mask;

    memset(&x->now.written.key, 0, sizeof x->now - offsetof(struct xlate_state, written));
    memset(&x->looked, 0, sizeof x->looked);
    x->now.flow = *flow;
    x->now.flow.actset_output = be32_from(OFPP_UNSET);

    /* Registers and metadata are not the frame's: nobody has to look them up. */
    memset((uint8_t *)&x->now.written + sizeof(struct flow_key), 0xff,
           sizeof(struct flow) - sizeof(struct flow_key));

    mask->in_port = be32_from(UINT32_MAX);
    mask->recirc_id = be32_from(UINT32_MAX);
    mask->eth_type = be16_from(UINT16_MAX);
    if (x->topology->vlan_limit < FLOW_N_VLANS)
        hide_inner_tag(x);
    if (flow_is_ip(&x->now.flow.key))
        mask->nw_frag = NW_FRAG_ANY | NW_FRAG_LATER;

    x->base = x->now.flow.key;
    x->base_written = x->now.written.key;
}

/* No cache's key has these words. */
static void settle_inner(struct xlate *x)
{
    uint64_t *looked = flow_words(&x->looked);
    const uint64_t *written = flow_words(&x->now.written);

    for (size_t i = 0; i < FLOW_KEY_WORDS; i++) {
        if (!xlate_is_inner_word(i))
            continue;
        x->verdict->cacheable &= !(looked[i] & ~written[i]);
        looked[i] = 0;
    }
}

void xlate_settle(struct xlate *x)
{
    uint64_t *looked = flow_words(&x->looked), *mask = flow_key_words(&x->verdict->mask);
    const uint64_t *written = flow_words(&x->now.written);

    if (x->now.is_inner)
        settle_inner(x);
    for (size_t i = 0; i < FLOW_KEY_WORDS; i++) {
        if (!looked[i]) /* Most of them. */
            continue;
        mask[i] |= looked[i] & ~written[i];
        looked[i] = 0; /* Nobody asks for the rest. */
    }
}

/* VLAN tags */

/* Looks at every bit of both tags. */
static void know_tags(struct xlate *x)
{
    memset(x->looked.key.vlan, 0xff, sizeof x->looked.key.vlan);
    xlate_settle(x);
    memset(x->now.written.key.vlan, 0xff, sizeof x->now.written.key.vlan);
    x->is_retagged = true;
}

bool xlate_has_tag(struct xlate *x)
{
    x->looked.key.vlan[0].tci.raw |= be16_from(VLAN_CFI).raw;
    return is_tag(outer_tag(x));
}

uint16_t xlate_get_vid(struct xlate *x)
{
    x->looked.key.vlan[0].tci.raw |= be16_from(VLAN_CFI | VLAN_VID_MASK).raw;
    return be16_host(outer_tag(x)->tci) & VLAN_VID_MASK;
}

static void put_tci_bits(struct xlate *x, uint16_t bits, uint16_t value)
{
    struct flow_vlan *tag = outer_tag(x);

    xlate_settle(x);
    tag->tci = be16_from((uint16_t)((be16_host(tag->tci) & ~bits) | (value & bits)));
    x->now.written.key.vlan[0].tci.raw |= be16_from(bits).raw;
}

void xlate_put_vid(struct xlate *x, uint16_t vid)
{
    put_tci_bits(x, VLAN_VID_MASK, vid);
}

void xlate_push_vlan(struct xlate *x, uint16_t tpid, uint16_t tci)
{
    struct flow_vlan *tags = x->now.flow.key.vlan;
    struct tags_below *below = &x->now.below;

    know_tags(x);
    if (is_tag(&tags[0])) {
        if (is_tag(&tags[1])) {
            if (below->n == XLATE_MAX_BELOW) {
                xlate_fail(x, DROP_TOO_MANY_ACTIONS);
                return;
            }
            below->tags[below->n++] = tags[1];
        }
        tags[1] = tags[0];
    }
    tags[0].tpid = be16_from(tpid);
    tags[0].tci = be16_from(tci | VLAN_CFI);
}

void xlate_pop_vlan(struct xlate *x)
{
    struct flow_vlan *tags = x->now.flow.key.vlan;
    struct tags_below *below = &x->now.below;

    if (!xlate_has_tag(x))
        return;
    know_tags(x);
    tags[0] = tags[1];
    if (below->n > 0)
        tags[1] = below->tags[--below->n];
    else
        memset(&tags[1], 0, sizeof tags[1]);
}

void xlate_set_vlan_vid(struct xlate *x, const struct ofa_vlan *action)
{
    if (xlate_has_tag(x))
        xlate_put_vid(x, action->value);
    else if (action->push_if_none)
        xlate_push_vlan(x, ETH_TYPE_VLAN, action->value);
}

void xlate_set_vlan_pcp(struct xlate *x, const struct ofa_vlan *action)
{
    uint16_t pcp = (uint16_t)(action->value << VLAN_PCP_SHIFT);

    if (xlate_has_tag(x))
        put_tci_bits(x, VLAN_PCP_MASK, pcp);
    else if (action->push_if_none)
        xlate_push_vlan(x, ETH_TYPE_VLAN, pcp);
}

/* As the "present" bit is part of these fields, writing it adds or removes the tag. */
static void write_tci(struct xlate *x, const struct of_value *value, const struct of_value *mask)
{
    uint16_t bits = be16_host(be16_load(mask->bytes)), tci = be16_host(be16_load(value->bytes));
    struct flow_vlan *tag = outer_tag(x);
    bool has_tag = xlate_has_tag(x); /* Without one, these bits are nowhere in the frame. */

    if (bits & VLAN_CFI && has_tag != !!(tci & VLAN_CFI)) {
        know_tags(x);
        if (!(tci & VLAN_CFI)) {
            xlate_pop_vlan(x);
            return;
        }
        if (!be16_host(tag->tpid))
            tag->tpid = be16_from(ETH_TYPE_VLAN);
    }
    put_tci_bits(x, bits, tci);
}

/* Fields */

static bool is_tci(const struct of_field *field)
{
    return field->id == FIELD_VLAN_TCI || field->id == FIELD_VLAN_VID;
}

static void write_field(struct xlate *x, const struct of_field *field, const struct of_value *value,
                        const struct of_value *mask)
{
    if (is_tci(field)) {
        write_tci(x, value, mask);
        return;
    }
    /* Tells of one option and changes another, but not to what it is: then nothing changes. */
    if (field->id == FIELD_ND_OPTIONS_TYPE)
        x->looked.key.nd_options_type = UINT8_MAX;
    xlate_settle(x);
    of_field_set_masked(field, value, mask, &x->now.flow);
    of_field_add_mask(field, mask, &x->now.written);
}

void xlate_set_field(struct xlate *x, const struct ofa_set_field *set)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);
    struct of_value value = {.bytes = {0}}, mask = {.bytes = {0}};

    if (!ofa_set_field_applies(set, &x->now.flow, &x->looked)) {
        if (set->ofa.form != OFA_FORM_LEGACY)
            xlate_warn(x, "unmet prerequisites for %s, set_field ignored", field->name);
        return;
    }
    memcpy(value.bytes, ofa_set_field_value(set), field->n_bytes);
    memcpy(mask.bytes, ofa_set_field_mask(set), field->n_bytes);
    write_field(x, field, &value, &mask);
}

bool xlate_read_part(struct xlate *x, struct ofa_part part, struct of_value *value)
{
    const struct of_subfield from = ofa_part_subfield(part);

    memset(value, 0, sizeof *value);
    if (!of_field_is_meaningful(from.field, &x->now.flow, &x->looked))
        return false;
    of_subfield_add_mask(&from, &x->looked);
    of_subfield_get(&from, &x->now.flow, value);
    return true;
}

bool xlate_write_part(struct xlate *x, struct ofa_part part, const struct of_value *value)
{
    const struct of_subfield to = ofa_part_subfield(part);
    struct of_value placed, mask;

    if (!of_field_is_meaningful(to.field, &x->now.flow, &x->looked))
        return false;
    of_subfield_place(&to, value, &placed, &mask);
    write_field(x, to.field, &placed, &mask);
    return true;
}

void xlate_write_number(struct xlate *x, struct ofa_part part, uint64_t number)
{
    struct of_value value = {.bytes = {0}};

    be64_store(value.bytes + sizeof value - 8, number);
    xlate_write_part(x, part, &value);
}

void xlate_move(struct xlate *x, const struct ofa_move *move)
{
    const struct ofa_part from = {move->source, move->source_first, move->n_bits};
    const struct ofa_part to = {move->destination, move->destination_first, move->n_bits};
    struct of_value value;

    if (of_field_is_meaningful(of_field((enum of_field_id)to.field), &x->now.flow, &x->looked) &&
        xlate_read_part(x, from, &value)) {
        xlate_write_part(x, to, &value);
        xlate_trace_part(x, to);
    }
}

void xlate_write_metadata(struct xlate *x, const struct ofa_metadata *metadata)
{
    be64 *now = &x->now.flow.metadata;

    now->raw = (now->raw & ~metadata->mask.raw) | (metadata->value.raw & metadata->mask.raw);
}
