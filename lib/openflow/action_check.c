/* SPDX-License-Identifier: Apache-2.0 */

/* Actions against the match they belong to.  What earlier actions do to the frame's tags counts:
 * the check works on a copy of the match that follows them. */

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/learn.h"

struct checker {
    const struct ofa_check *rules;
    bool is_in_ct;
    struct match match;
};

static bool match_has_vlan(const struct match *match)
{
    return be16_host(match->flow.key.vlan[0].tci) & VLAN_CFI;
}

static void set_vlan(struct match *match, uint16_t tci)
{
    match->flow.key.vlan[0].tci = be16_from(tci);
    match->mask.key.vlan[0].tci = be16_from(UINT16_MAX);
}

/* OpenFlow 1.0 lets an action do nothing where its header is missing; later versions refuse it. */
static enum of_error inconsistent(const struct checker *checker)
{
    return checker->rules->version == OF_1_0 ? OF_OK : OFPBAC_MATCH_INCONSISTENT;
}

static enum of_error check_port(const struct checker *checker, of_port port)
{
    if (port < checker->rules->max_ports || (port >= OFPP_IN_PORT && port < OFPP_NONE))
        return OF_OK;
    return OFPBAC_BAD_OUT_PORT;
}

static const struct {
    uint16_t source, destination;
} transports[] = {
    {FIELD_TCP_SRC, FIELD_TCP_DST},
    {FIELD_UDP_SRC, FIELD_UDP_DST},
    {FIELD_SCTP_SRC, FIELD_SCTP_DST},
};

/* "mod_tp_src" becomes the port of the protocol that the match tells. */
static enum of_error check_legacy_port(const struct checker *checker, struct ofa_set_field *set)
{
    for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
        uint16_t own = of_field((enum of_field_id)set->field)->offset ==
                               of_field(FIELD_TCP_SRC)->offset
                           ? transports[i].source
                           : transports[i].destination;
        if (of_field_match_allows(of_field((enum of_field_id)own), &checker->match)) {
            set->field = own;
            return OF_OK;
        }
    }
    return inconsistent(checker);
}

static bool is_transport_port(uint16_t field)
{
    for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
        if (field == transports[i].source || field == transports[i].destination)
            return true;
    }
    return false;
}

static enum of_error check_set_field(struct checker *checker, struct ofa_set_field *set)
{
    const struct of_field *field = of_field((enum of_field_id)set->field);

    if (field->engine == ENGINE_CT && !checker->is_in_ct)
        return OFPBAC_BAD_SET_ARGUMENT;
    if (set->ofa.form == OFA_FORM_LEGACY && is_transport_port(set->field))
        return check_legacy_port(checker, set);
    if (!of_field_match_allows(field, &checker->match))
        return set->ofa.form == OFA_FORM_LEGACY ? inconsistent(checker) : OFPBAC_MATCH_INCONSISTENT;
    if (field->id == FIELD_VLAN_VID && !match_has_vlan(&checker->match))
        return OFPBAC_MATCH_INCONSISTENT;
    if (field->id == FIELD_VLAN_TCI)
        set_vlan(&checker->match, be16_host(be16_load(ofa_set_field_value(set))));
    return OF_OK;
}

static enum of_error check_move(const struct checker *checker, const struct ofa_move *move)
{
    if (of_field((enum of_field_id)move->destination)->engine == ENGINE_CT && !checker->is_in_ct)
        return OFPBAC_BAD_SET_ARGUMENT;
    if (of_field_match_allows(of_field((enum of_field_id)move->source), &checker->match) &&
        of_field_match_allows(of_field((enum of_field_id)move->destination), &checker->match))
        return OF_OK;
    return OFPBAC_MATCH_INCONSISTENT;
}

static enum of_error check_vlan(struct checker *checker, struct ofa_vlan *vlan)
{
    vlan->flow_has_vlan = match_has_vlan(&checker->match);
    if (vlan->ofa.type == OFA_PUSH_VLAN) {
        if (be16_host(checker->match.flow.key.vlan[FLOW_N_VLANS - 1].tci) & VLAN_CFI)
            return OFPBAC_BAD_TAG;
        checker->match.flow.key.vlan[1] = checker->match.flow.key.vlan[0];
        checker->match.mask.key.vlan[1] = checker->match.mask.key.vlan[0];
        set_vlan(&checker->match, VLAN_CFI);
        return OF_OK;
    }
    if (!vlan->flow_has_vlan && !vlan->push_if_none)
        return inconsistent(checker);
    set_vlan(&checker->match, VLAN_CFI);
    return OF_OK;
}

static enum of_error check_pop_vlan(struct checker *checker)
{
    bool has_vlan = match_has_vlan(&checker->match);

    checker->match.flow.key.vlan[0] = checker->match.flow.key.vlan[1];
    checker->match.mask.key.vlan[0] = checker->match.mask.key.vlan[1];
    memset(&checker->match.flow.key.vlan[1], 0, sizeof checker->match.flow.key.vlan[1]);
    memset(&checker->match.mask.key.vlan[1], 0, sizeof checker->match.mask.key.vlan[1]);
    return has_vlan ? OF_OK : inconsistent(checker);
}

static bool match_has_mpls(const struct match *match)
{
    return of_field_match_allows(of_field(FIELD_MPLS_LABEL), match);
}

/* What is behind a label is not known. */
static enum of_error check_mpls(struct checker *checker, const struct ofa_mpls *mpls)
{
    bool is_allowed = mpls->ofa.type == OFA_PUSH_MPLS || match_has_mpls(&checker->match);

    checker->match.flow.key.eth_type = be16_from((uint16_t)mpls->value);
    checker->match.mask.key.eth_type = be16_from(UINT16_MAX);
    if (mpls->ofa.type == OFA_PUSH_MPLS)
        checker->match.flow.key.nw_proto = checker->match.mask.key.nw_proto = 0;
    return is_allowed ? OF_OK : inconsistent(checker);
}

static enum of_error check_goto(const struct checker *checker, const struct ofa_goto *go)
{
    const struct ofa_check *rules = checker->rules;

    if (rules->table_id != OF_TABLE_ALL && go->table_id <= rules->table_id)
        return OFPBIC_BAD_TABLE_ID;
    return go->table_id < rules->n_tables ? OF_OK : OFPBIC_BAD_TABLE_ID;
}

static enum of_error check_part(const struct checker *checker, struct ofa_part part)
{
    return of_field_match_allows(of_field((enum of_field_id)part.field), &checker->match)
               ? OF_OK
               : OFPBAC_MATCH_INCONSISTENT;
}

static enum of_error check_enqueue(const struct checker *checker, of_port port)
{
    return port < checker->rules->max_ports || port == OFPP_IN_PORT || port == OFPP_LOCAL
               ? OF_OK
               : OFPBAC_BAD_OUT_PORT;
}

static enum of_error check_bundle(const struct checker *checker, const struct ofa_bundle *bundle)
{
    for (size_t i = 0; i < bundle->n_members; i++) {
        of_port port = bundle->members[i];

        if (port >= checker->rules->max_ports && port != OFPP_LOCAL && port != OFPP_NONE)
            return OFPBAC_BAD_OUT_PORT;
    }
    return bundle->destination.n_bits ? check_part(checker, bundle->destination) : OF_OK;
}

static enum of_error check_list(struct checker *checker, struct ofa_list list, bool is_set);

/* What is done to a clone is not done to the frame. */
static enum of_error check_clone(const struct checker *checker, const struct ofa_nested *clone)
{
    struct checker inner = *checker;

    return check_list(&inner, ofa_nested_list(clone), false);
}

static enum of_error allows(const struct checker *checker, enum of_field_id field)
{
    return of_field_match_allows(of_field(field), &checker->match) ? OF_OK
                                                                   : OFPBAC_MATCH_INCONSISTENT;
}

/* Whatever the version: nothing but IP has connections. */
static enum of_error check_ct(const struct checker *checker, const struct ofa_ct *ct)
{
    struct checker inner = *checker;
    enum of_error error = allows(checker, FIELD_IP_PROTO);

    inner.is_in_ct = true;
    if (!error && ct->zone_source.n_bits)
        error = check_part(checker, ct->zone_source);
    if (!error && ct->alg == OFCT_ALG_FTP)
        error = allows(checker, FIELD_TCP_SRC);
    if (!error && ct->alg == OFCT_ALG_TFTP)
        error = allows(checker, FIELD_UDP_SRC);
    return error ? error : check_list(&inner, ofa_ct_list(ct), false);
}

static enum of_error check_nat(const struct checker *checker, const struct ofa_nat *nat)
{
    if (!checker->is_in_ct)
        return OFPBAC_BAD_ARGUMENT;
    if (nat->family == 4)
        return allows(checker, FIELD_IPV4_SRC);
    return nat->family == 6 ? allows(checker, FIELD_IPV6_SRC) : OF_OK;
}

static enum of_error check_sample(const struct checker *checker, const struct ofa_sample *sample)
{
    return sample->port == OFPP_NONE || sample->port == OFPP_IN_PORT || sample->port == OFPP_LOCAL
               ? OF_OK
               : check_port(checker, sample->port);
}

/* A rule of a conjunction does nothing else. */
static bool mixes_conjunction(struct ofa_list list)
{
    bool has_conjunction = false, has_other = false;

    for_each_action (ofa, list) {
        has_conjunction |= ofa->type == OFA_CONJUNCTION;
        has_other |= ofa->type != OFA_CONJUNCTION && ofa->type != OFA_NOTE;
    }
    return has_conjunction && has_other;
}

/* The action set has a place for each of few types (OpenFlow 1.3.5, section 5.10). */
static bool may_be_in_set(const struct ofa *ofa)
{
    switch ((enum ofa_type)ofa->type) {
    case OFA_OUTPUT:
        return !((const struct ofa_output *)(const void *)ofa)->trunc_bytes;
    case OFA_RESUBMIT:
    case OFA_SET_FIELD:
    case OFA_MOVE:
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
    case OFA_PUSH_VLAN:
    case OFA_POP_VLAN:
    case OFA_PUSH_MPLS:
    case OFA_POP_MPLS:
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_DEC_MPLS_TTL:
    case OFA_DEC_TTL:
    case OFA_GROUP:
    case OFA_SET_QUEUE:
    case OFA_CT:
    case OFA_CT_CLEAR:
    case OFA_DEC_NSH_TTL:
    case OFA_ENCAP:
    case OFA_DECAP:
        return true;
    default:
        return false;
    }
}

static enum of_error check_action(struct checker *checker, struct ofa *ofa, bool is_set)
{
    void *action = ofa;

    if (is_set && !may_be_in_set(ofa))
        return OFPBAC_BAD_TYPE;
    switch ((enum ofa_type)ofa->type) {
    case OFA_OUTPUT:
        return check_port(checker, ((const struct ofa_output *)action)->port);
    case OFA_OUTPUT_REG:
        return check_part(checker, ((const struct ofa_output_reg *)action)->source);
    case OFA_ENQUEUE:
        return check_enqueue(checker, ((const struct ofa_enqueue *)action)->port);
    case OFA_STACK_PUSH:
    case OFA_STACK_POP:
        return check_part(checker, ((const struct ofa_stack *)action)->part);
    case OFA_CLONE:
        return check_clone(checker, action);
    case OFA_MULTIPATH:
        return check_part(checker, ((const struct ofa_multipath *)action)->destination);
    case OFA_BUNDLE:
        return check_bundle(checker, action);
    case OFA_LEARN:
        return ofa_check_learn(action, &checker->match);
    case OFA_CHECK_LENGTH:
        return check_part(checker, ((const struct ofa_check_length *)action)->destination);
    case OFA_SET_FIELD:
        return check_set_field(checker, action);
    case OFA_MOVE:
        return check_move(checker, action);
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
    case OFA_PUSH_VLAN:
        return check_vlan(checker, action);
    case OFA_POP_VLAN:
        return check_pop_vlan(checker);
    case OFA_PUSH_MPLS:
    case OFA_POP_MPLS:
        return check_mpls(checker, action);
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_DEC_MPLS_TTL:
        return match_has_mpls(&checker->match) ? OF_OK : inconsistent(checker);
    case OFA_DEC_TTL:
        return of_field_match_allows(of_field(FIELD_IP_TTL), &checker->match)
                   ? OF_OK
                   : inconsistent(checker);
    case OFA_WRITE_ACTIONS:
        return check_list(checker, ofa_nested_list(action), true);
    case OFA_GOTO_TABLE:
        return check_goto(checker, action);
    case OFA_METER:
        return is_set ? OFPBAC_BAD_TYPE : OF_OK;
    case OFA_FIN_TIMEOUT:
        return of_field_match_allows(of_field(FIELD_TCP_FLAGS), &checker->match)
                   ? OF_OK
                   : inconsistent(checker);
    case OFA_RESUBMIT:
        return ((const struct ofa_resubmit *)action)->looks_up_ct
                   ? allows(checker, FIELD_CT_NW_PROTO)
                   : OF_OK;
    case OFA_CT:
        return check_ct(checker, action);
    case OFA_NAT:
        return check_nat(checker, action);
    case OFA_DEC_NSH_TTL:
        return allows(checker, FIELD_NSH_TTL);
    case OFA_SAMPLE:
        return check_sample(checker, action);
    case OFA_DELETE_FIELD:
        return of_field_is_option(
                   of_field((enum of_field_id)((const struct ofa_delete_field *)action)->field))
                   ? OF_OK
                   : OFPBAC_BAD_ARGUMENT;
    case OFA_ENCAP:
    case OFA_DECAP:
    case OFA_CT_CLEAR:
    case OFA_CONTROLLER:
    case OFA_GROUP:
    case OFA_SET_QUEUE:
    case OFA_POP_QUEUE:
    case OFA_CONJUNCTION:
    case OFA_NOTE:
    case OFA_EXIT:
    case OFA_CLEAR_ACTIONS:
    case OFA_WRITE_METADATA:
        return OF_OK;
    }
    return OFPBAC_BAD_TYPE;
}

static enum of_error check_list(struct checker *checker, struct ofa_list list, bool is_set)
{
    for_each_action (ofa, list) {
        enum of_error error = check_action(checker, (struct ofa *)(uintptr_t)ofa, is_set);
        if (error)
            return error;
    }
    return OF_OK;
}

enum of_error ofa_check(struct buffer *list, const struct match *match,
                        const struct ofa_check *check)
{
    struct checker checker = {.rules = check, .match = *match};
    struct ofa_list all = {.first = (const struct ofa *)(const void *)list->data,
                           .n_bytes = list->size};

    if (list->size && mixes_conjunction(all))
        return NXBAC_BAD_CONJUNCTION;
    return list->size ? check_list(&checker, all, false) : OF_OK;
}

/* 'meter_since': the first version with a meter where the list stands. */
static bool list_fits(struct ofa_list list, enum of_version version, enum of_version meter_since)
{
    for_each_action (ofa, list) {
        const void *action = ofa;
        enum of_version since = OF_1_0;

        switch ((enum ofa_type)ofa->type) {
        case OFA_CLEAR_ACTIONS:
        case OFA_WRITE_ACTIONS:
        case OFA_PUSH_VLAN:
            since = OF_1_1;
            break;
        case OFA_ENCAP:
        case OFA_DECAP:
        case OFA_DEC_NSH_TTL:
            since = OF_1_3;
            break;
        case OFA_METER:
            since = meter_since;
            break;
        default:
            break;
        }
        if (version < since)
            return false;
        if (ofa_is_nested(ofa) && !list_fits(ofa_nested_list(action), version, OF_1_5))
            return false;
        if (ofa->type == OFA_CT && !list_fits(ofa_ct_list(action), version, OF_1_5))
            return false;
    }
    return true;
}

bool ofa_flow_fits(struct ofa_list list, enum of_version version)
{
    return list_fits(list, version, OF_1_3);
}

bool ofa_actions_fit(struct ofa_list list, enum of_version version)
{
    return list_fits(list, version, OF_1_5);
}

bool ofa_outputs_to(struct ofa_list list, of_port port)
{
    if (port == OFPP_NONE)
        return true;
    for_each_action (ofa, list) {
        const void *action = ofa;

        if (ofa->type == OFA_OUTPUT && ((const struct ofa_output *)action)->port == port)
            return true;
        if (ofa->type == OFA_CONTROLLER && port == OFPP_CONTROLLER)
            return true;
        if (ofa->type == OFA_ENQUEUE && ((const struct ofa_enqueue *)action)->port == port)
            return true;
        if (ofa_is_nested(ofa) && ofa_outputs_to(ofa_nested_list(action), port))
            return true;
    }
    return false;
}

bool ofa_outputs_to_group(struct ofa_list list, uint32_t group_id)
{
    if (group_id == (uint32_t)OF_GROUP_ANY)
        return true;
    for_each_action (ofa, list) {
        const void *action = ofa;

        if (ofa->type == OFA_GROUP && ((const struct ofa_group *)action)->group_id == group_id)
            return true;
        if (ofa_is_nested(ofa) && ofa_outputs_to_group(ofa_nested_list(action), group_id))
            return true;
    }
    return false;
}

/* Actions that nothing here executes. */
static bool lacks_engine(const struct ofa *ofa)
{
    switch ((enum ofa_type)ofa->type) {
    case OFA_CT:
    case OFA_SAMPLE:
    case OFA_ENCAP:
    case OFA_DECAP:
    case OFA_DEC_NSH_TTL:
        return true;
    default:
        return false;
    }
}

static bool sets_unparsed_field(const struct ofa *ofa)
{
    const void *action = ofa;
    uint16_t field = ofa->type == OFA_SET_FIELD ? ((const struct ofa_set_field *)action)->field
                     : ofa->type == OFA_MOVE    ? ((const struct ofa_move *)action)->destination
                                                : FIELD_IN_PORT;

    return of_field((enum of_field_id)field)->engine == ENGINE_NOT_PARSED;
}

static uint64_t option_bit(uint16_t field)
{
    return of_field_is_option(of_field((enum of_field_id)field))
               ? UINT64_C(1) << (field - FIELD_TUN_METADATA0)
               : 0;
}

uint64_t ofa_options(struct ofa_list list)
{
    uint64_t options = 0;

    for_each_action (ofa, list) {
        const void *action = ofa;
        const struct ofa_move *move = action;

        if (ofa->type == OFA_SET_FIELD)
            options |= option_bit(((const struct ofa_set_field *)action)->field);
        else if (ofa->type == OFA_MOVE)
            options |= option_bit(move->source) | option_bit(move->destination);
        else if (ofa->type == OFA_STACK_PUSH || ofa->type == OFA_STACK_POP)
            options |= option_bit(((const struct ofa_stack *)action)->part.field);
        else if (ofa->type == OFA_DELETE_FIELD)
            options |= option_bit(((const struct ofa_delete_field *)action)->field);
        else if (ofa_is_nested(ofa))
            options |= ofa_options(ofa_nested_list(action));
    }
    return options;
}

enum of_error ofa_check_engines(struct ofa_list list)
{
    for_each_action (ofa, list) {
        enum of_error error = OF_OK;

        if (lacks_engine(ofa))
            return OFPBAC_BAD_TYPE;
        if (sets_unparsed_field(ofa))
            return OFPBAC_BAD_SET_ARGUMENT;
        if (ofa_is_nested(ofa))
            error = ofa_check_engines(ofa_nested_list((const void *)ofa));
        if (error)
            return error;
    }
    return OF_OK;
}

/* A meter of controller() need not be there, as in Open vSwitch. */
enum of_error ofa_check_references(struct ofa_list list, const struct ofa_referents *referents)
{
    for_each_action (ofa, list) {
        const void *action = ofa;
        enum of_error error = OF_OK;

        if (ofa->type == OFA_GROUP &&
            !referents->has_group(referents->aux, ((const struct ofa_group *)action)->group_id))
            return OFPBAC_BAD_OUT_GROUP;
        if (ofa->type == OFA_METER &&
            !referents->has_meter(referents->aux, ((const struct ofa_meter *)action)->meter_id))
            return OFPMMFC_INVALID_METER;
        if (ofa_is_nested(ofa))
            error = ofa_check_references(ofa_nested_list(action), referents);
        if (error)
            return error;
    }
    return OF_OK;
}
