/* SPDX-License-Identifier: Apache-2.0 */

/* Action lists and action sets.  What a list contains can lead back to tables, so stack frames are kept small. */

#include "vswitchd/action_set.h"
#include "vswitchd/xlate_internal.h"

static void xlate_resubmit(struct xlate *x, const struct ofa_resubmit *resubmit)
{
    uint8_t table_id = resubmit->table_id == OF_TABLE_ALL ? x->table_id : resubmit->table_id;
    of_port in_port = resubmit->in_port == OFPP_IN_PORT ? xlate_in_port(x) : resubmit->in_port;
    const struct rule *rule = x->rule;
    uint8_t from_table_id = x->table_id;
    bool is_backward = table_id <= x->table_id;

    /* Only going back can go on for ever, so going forward is not counted as depth. */
    if (xlate_may_descend(x)) {
        x->depth += is_backward;
        xlate_walk(x, table_id, in_port, MISS_IS_SILENT);
        x->depth -= is_backward;
    }
    x->table_id = from_table_id;
    x->rule = rule;
}

static void tell_of_ttl(struct xlate *x, const struct ofa_dec_ttl *action)
{
    if (!action->n_ids)
        xlate_to_controller(x, 0, OFPR_INVALID_TTL);
    for (size_t i = 0; i < action->n_ids; i++)
        xlate_to_controller(x, action->ids[i], OFPR_INVALID_TTL);
}

/* False: the list ends here. */
static bool xlate_dec_ttl(struct xlate *x, const struct ofa_dec_ttl *action)
{
    uint8_t *ttl = &x->now.flow.key.nw_ttl;

    x->looked.key.eth_type = be16_from(UINT16_MAX);
    if (!flow_is_ip(&x->now.flow.key))
        return true;
    x->looked.key.nw_ttl = UINT8_MAX;
    if (*ttl > 1) {
        xlate_settle(x);
        (*ttl)--;
        x->now.written.key.nw_ttl = UINT8_MAX;
        return true;
    }
    xlate_warn(x, "IPv4 decrement TTL exception");
    tell_of_ttl(x, action);
    x->reason = DROP_BAD_TTL;
    return false;
}

/* What tables can match of the action set: an output that no group hides. */
static void note_set_output(struct xlate *x, const struct ofa *ofa)
{
    of_port port = OFPP_UNSET;

    for (size_t i = x->action_set_first; i < x->n_action_set; i++) {
        if (x->action_set[i]->type == OFA_GROUP)
            return;
    }
    if (ofa->type == OFA_OUTPUT)
        port = ((const struct ofa_output *)(const void *)ofa)->port;
    else if (ofa->type != OFA_GROUP)
        return;
    x->now.flow.actset_output = be32_from(port);
}

void xlate_write_actions(struct xlate *x, struct ofa_list list)
{
    for_each_action (ofa, list) {
        if (x->n_action_set == XLATE_MAX_ACTION_SET) {
            xlate_fail(x, DROP_TOO_MANY_ACTIONS);
            return;
        }
        note_set_output(x, ofa);
        x->action_set[x->n_action_set++] = ofa;
    }
}

/* What happens to a clone is forgotten, but for what left the switch.  As in Open vSwitch it executes the action
 * set of its own, and exit in it ends the lists around it too. */
static void xlate_clone(struct xlate *x, const struct ofa_nested *clone)
{
    const struct xlate_state before = x->now;
    size_t n_action_set = x->n_action_set;
    bool is_in_bucket = x->is_in_bucket;
    struct xlate_region region;
    struct xlate_stack stack;

    if (!xlate_may_descend(x))
        return;
    xlate_begin_region(x, &region);
    xlate_save_stack(x, &stack);
    x->is_in_bucket = false;
    xlate_list(x, ofa_nested_list(clone));
    xlate_finish_pause(x);
    xlate_action_set(x);
    x->is_in_bucket = is_in_bucket;
    xlate_restore_stack(x, &stack);
    x->n_action_set = n_action_set;
    xlate_settle(x); /* Before what was written there is forgotten. */
    x->now = before;
    xlate_end_region(x, &region);
}

/* A step is what it costs to set a field. */
static size_t steps_of(const struct ofa *action)
{
    enum { LESSON = 64, DELIVERY = 8 };

    switch (action->type) {
    case OFA_LEARN:
        return LESSON + ((const struct ofa_learn *)(const void *)action)->n_specs;
    case OFA_CONTROLLER:
        return DELIVERY + ((const struct ofa_controller *)(const void *)action)->n_userdata / 16;
    case OFA_BUNDLE:
        return 1 + ((const struct ofa_bundle *)(const void *)action)->n_members / 4;
    case OFA_MULTIPATH:
        return 16;
    default:
        return 1;
    }
}

/* False: the rest of the list is not executed. */
static bool xlate_action(struct xlate *x, const struct ofa *action)
{
    if (!xlate_may_spend(x, steps_of(action)))
        return false;
    switch ((enum ofa_type)action->type) {
    case OFA_OUTPUT: {
        const struct ofa_output *output = (const void *)action;

        xlate_output(x, output->port, output->trunc_bytes);
        return true;
    }
    case OFA_CONTROLLER:
        xlate_controller(x, (const void *)action);
        return true;
    case OFA_RESUBMIT:
        xlate_resubmit(x, (const void *)action);
        return true;
    case OFA_SET_FIELD:
        xlate_set_field(x, (const void *)action);
        return true;
    case OFA_MOVE:
        xlate_move(x, (const void *)action);
        return true;
    case OFA_SET_VLAN_VID:
        xlate_set_vlan_vid(x, (const void *)action);
        return true;
    case OFA_SET_VLAN_PCP:
        xlate_set_vlan_pcp(x, (const void *)action);
        return true;
    case OFA_PUSH_VLAN:
        xlate_push_vlan(x, ((const struct ofa_vlan *)(const void *)action)->value, 0);
        return true;
    case OFA_POP_VLAN:
        xlate_pop_vlan(x);
        return true;
    case OFA_PUSH_MPLS:
        xlate_push_mpls(x, (uint16_t)((const struct ofa_mpls *)(const void *)action)->value);
        return true;
    case OFA_POP_MPLS:
        xlate_pop_mpls(x, (uint16_t)((const struct ofa_mpls *)(const void *)action)->value);
        return true;
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
        xlate_set_mpls(x, (const void *)action);
        return true;
    case OFA_DEC_MPLS_TTL:
        return xlate_dec_mpls_ttl(x);
    case OFA_DEC_TTL:
        return xlate_dec_ttl(x, (const void *)action);
    case OFA_OUTPUT_REG:
        xlate_output_reg(x, (const void *)action);
        return true;
    case OFA_ENQUEUE:
        xlate_enqueue(x, (const void *)action);
        return true;
    case OFA_STACK_PUSH:
        xlate_push(x, (const void *)action);
        return true;
    case OFA_STACK_POP:
        xlate_pop(x, (const void *)action);
        return true;
    case OFA_CLONE:
        xlate_clone(x, (const void *)action);
        return true;
    case OFA_MULTIPATH:
        xlate_multipath(x, (const void *)action);
        return true;
    case OFA_BUNDLE:
        xlate_bundle(x, (const void *)action);
        return true;
    case OFA_LEARN:
        xlate_learn(x, (const void *)action);
        return true;
    case OFA_FIN_TIMEOUT:
        xlate_fin_timeout(x, (const void *)action);
        return true;
    case OFA_CHECK_LENGTH:
        xlate_check_length(x, (const void *)action);
        return true;
    case OFA_EXIT:
        x->has_exited = true;
        return false;
    case OFA_POP_QUEUE: /* Queues are the kernel's: see docs/differences-from-ovs.md. */
        xlate_detail(x, "queue = 0");
        return true;
    case OFA_SET_QUEUE:
    case OFA_CONJUNCTION: /* By lookups. */
    case OFA_NOTE:
    case OFA_CT_CLEAR: /* Nothing was tracked. */
        return true;
    case OFA_CT: /* Refused with the flow, these. */
    case OFA_NAT:
    case OFA_SAMPLE:
    case OFA_ENCAP:
    case OFA_DECAP:
    case OFA_DEC_NSH_TTL:
        return true;
    case OFA_DELETE_FIELD:
        of_field_delete_option(
            of_field(
                (enum of_field_id)((const struct ofa_delete_field *)(const void *)action)->field),
            &x->now.flow);
        return true;
    case OFA_CLEAR_ACTIONS:
        xlate_trace_set(x, "was");
        x->n_action_set = x->action_set_first;
        x->now.flow.actset_output = be32_from(OFPP_UNSET);
        return true;
    case OFA_WRITE_ACTIONS:
        xlate_write_actions(x, ofa_nested_list((const void *)action));
        xlate_trace_set(x, "is");
        return true;
    case OFA_WRITE_METADATA:
        xlate_write_metadata(x, (const void *)action);
        return true;
    case OFA_GROUP:
        return xlate_group(x, ((const struct ofa_group *)(const void *)action)->group_id);
    case OFA_METER:
        xlate_meter(x, ((const struct ofa_meter *)(const void *)action)->meter_id);
        return true;
    case OFA_GOTO_TABLE:
        break; /* By xlate_list(). */
    }
    return false;
}

int xlate_list(struct xlate *x, struct ofa_list list)
{
    if (!list.n_bytes)
        xlate_trace(x, TRACE_ACTION, "drop");
    for_each_action (ofa, list) {
        xlate_trace_ofa(x, ofa);
        if (ofa->type == OFA_GOTO_TABLE)
            return ((const struct ofa_goto *)(const void *)ofa)->table_id;
        if (!xlate_action(x, ofa) || x->has_failed || x->has_exited) {
            xlate_keep_rest(x, ofa_next(ofa), ofa_end(list));
            break;
        }
    }
    return LIST_ENDS;
}

/* The actions of this bridge in the order of their execution stand behind them meanwhile. */
void xlate_action_set(struct xlate *x)
{
    const struct ofa **set = x->action_set + x->action_set_first;
    size_t first = x->action_set_first, end = x->n_action_set, n = end - first;
    bool is_in_action_set = x->is_in_action_set;
    struct trace_node *trace = x->trace;

    if (x->has_failed || !n)
        return;
    if (n > XLATE_MAX_ACTION_SET - end) {
        xlate_fail(x, DROP_TOO_MANY_ACTIONS);
        return;
    }
    x->n_action_set += action_set_order(set, n, set + n);

    size_t ordered_end = x->n_action_set;
    if (ordered_end > end)
        xlate_trace_action_set(x);
    x->action_set_first = ordered_end; /* What is executed now is in the set no more. */
    x->is_in_action_set = true;
    for (size_t i = end; i < ordered_end && !x->has_exited; i++) {
        const struct ofa *action = x->action_set[i];

        xlate_trace_ofa(x, action);
        if (!xlate_action(x, action) || x->has_failed || x->has_exited) {
            while (++i < ordered_end)
                xlate_keep_rest(x, x->action_set[i], ofa_next(x->action_set[i]));
            break;
        }
    }
    x->is_in_action_set = is_in_action_set;
    xlate_finish_pause(x);
    x->action_set_first = first;
    x->n_action_set = end;
    x->trace = trace;
}
