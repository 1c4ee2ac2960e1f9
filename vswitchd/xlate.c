/* SPDX-License-Identifier: Apache-2.0 */

/* The walk: tables, action lists, action sets, bridges.  goto_table is a loop; resubmit and patch
 * ports recurse, so their stack frames are kept small. */

#include "vswitchd/xlate.h"

#include <stdlib.h>
#include <string.h>

#include "vswitchd/action_set.h"
#include "vswitchd/xlate_internal.h"

/* Limits */

void xlate_fail(struct xlate *x, enum drop_reason reason)
{
    if (x->has_failed)
        return;
    x->has_failed = true;
    x->failure = reason;
    xlate_trace_failure(x, reason);
}

bool xlate_may_spend(struct xlate *x, size_t n_steps)
{
    if (x->has_failed)
        return false;
    x->n_steps += n_steps;
    if (x->n_steps <= XLATE_MAX_STEPS)
        return true;
    xlate_fail(x, DROP_TOO_MANY_STEPS);
    return false;
}

bool xlate_may_descend(struct xlate *x)
{
    if (x->has_failed)
        return false;
    if (x->depth >= XLATE_MAX_DEPTH) {
        xlate_fail(x, DROP_RECURSION_TOO_DEEP);
        return false;
    }
    if (x->n_resubmits >= XLATE_MAX_RESUBMITS) {
        xlate_fail(x, DROP_TOO_MANY_RESUBMITS);
        return false;
    }
    x->n_resubmits++;
    return true;
}

/* Actions */

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

static void xlate_action_set(struct xlate *x);

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

/* Tables */

/* Without frag_mode nx-match, tables see no ports in any fragment, lest the first be treated unlike
 * the later ones. */
static bool hides_ports(struct xlate *x)
{
    const struct flow_key *key = &x->now.flow.key;

    if (x->now.is_inner && flow_is_ip(key))
        x->looked.key.nw_frag = NW_FRAG_ANY | NW_FRAG_LATER;
    return x->bridge->frag_mode != OF_FRAG_NX_MATCH && flow_is_ip(key) && key->nw_frag;
}

static struct rule *xlate_lookup(struct xlate *x, uint8_t table_id, of_port in_port)
{
    struct flow_key *key = &x->now.flow.key;
    be32 saved_in_port = key->in_port;
    be16 tp_src = key->tp_src, tp_dst = key->tp_dst;

    key->in_port = be32_from(in_port);
    if (hides_ports(x))
        key->tp_src = key->tp_dst = be16_from(0);
    size_t n_clauses = 0;
    struct rule *rule = flow_tables_lookup(x->bridge->tables, x->version, table_id, &x->now.flow,
                                           &x->looked, &n_clauses);
    xlate_may_spend(x, n_clauses);
    if (x->trace)
        x->tracer->looked_up = x->now.flow;
    key->tp_src = tp_src;
    key->tp_dst = tp_dst;
    key->in_port = saved_in_port;
    return rule;
}

/* What table_mod has said about such packets, or what the controllers expect. */
static bool miss_goes_to_controller(struct xlate *x, enum of_table_miss miss)
{
    const struct port_view *in = bridge_view_port(x->bridge, xlate_in_port(x));
    bool wanted = miss == OF_MISS_DEFAULT ? x->bridge->miss_goes_to_controller
                                          : miss == OF_MISS_CONTROLLER;

    return wanted && !(in && in->config & OFPPC_NO_PACKET_IN);
}

/* The table to go on with, or LIST_ENDS. */
static int xlate_miss(struct xlate *x, uint8_t table_id, enum on_miss on_miss)
{
    enum of_table_miss miss = on_miss == MISS_TO_CONTROLLER
                                  ? flow_tables_miss(x->bridge->tables, table_id)
                                  : OF_MISS_DROP;
    bool has_packet_in = miss_goes_to_controller(x, miss);

    xlate_trace_miss(x, table_id, has_packet_in);
    x->reason = DROP_TABLE_MISS;
    x->table_id = table_id;
    x->rule = NULL;
    if (miss == OF_MISS_CONTINUE && table_id + 1 < OF_N_TABLES - 1)
        return table_id + 1;
    if (has_packet_in) {
        be64 cookie = x->cookie;

        x->cookie = be64_from(0);
        xlate_miss_to_controller(x);
        x->cookie = cookie;
    } else {
        xlate_trace(x, TRACE_ACTION, "drop");
    }
    return LIST_ENDS;
}

static void walk(struct xlate *x, uint8_t table_id, of_port in_port, enum on_miss on_miss)
{
    const struct rule *first = NULL;
    uint8_t first_table_id = table_id;
    bool is_in_bucket = x->is_in_bucket;

    x->is_in_bucket = false;
    for (;;) {
        struct rule *rule = xlate_lookup(x, table_id, in_port);
        int next;

        xlate_note(x, &(struct xlate_note){
                          .type = NOTE_TABLE,
                          .table = {x->bridge->tables, table_id, rule != NULL},
                      });
        if (!rule) {
            next = xlate_miss(x, table_id, on_miss);
            if (next == LIST_ENDS)
                break;
            table_id = (uint8_t)next;
            continue;
        }
        xlate_note(x, &(struct xlate_note){.type = NOTE_RULE, .rule = rule});
        xlate_trace_rule(x, table_id, rule);
        if (!first) {
            first = rule;
            first_table_id = table_id;
        }
        x->rule = rule;
        x->table_id = table_id;
        next = xlate_list(x, rule_get_actions(rule, x->version));
        if (next == LIST_ENDS || x->has_exited || !xlate_may_descend(x))
            break;
        table_id = (uint8_t)next;
        in_port = xlate_in_port(x);
        on_miss = MISS_TO_CONTROLLER;
    }
    x->rule = first;
    x->table_id = first_table_id;
    x->is_in_bucket = is_in_bucket;
}

void xlate_walk(struct xlate *x, uint8_t table_id, of_port in_port, enum on_miss on_miss)
{
    struct trace_node *trace = x->trace;

    walk(x, table_id, in_port, on_miss);
    x->trace = trace;
}

/* The action set */

/* The actions of this bridge in the order of their execution stand behind them meanwhile. */
static void xlate_action_set(struct xlate *x)
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

/* Bridges */

/* Spanning tree's frames (802.2 to its address) have a setting of their own. */
static bool is_spanning_tree(struct xlate *x)
{
    static const struct mac address = {{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}};

    if (be16_host(x->now.flow.key.eth_type) != ETH_TYPE_NONE)
        return false;
    memset(&x->looked.key.eth_dst, 0xff, sizeof x->looked.key.eth_dst);
    return mac_is_equal(x->now.flow.key.eth_dst, address);
}

static bool may_receive(struct xlate *x, const struct port_view *port)
{
    uint32_t settings = port->config & (OFPPC_NO_RECV | OFPPC_NO_RECV_STP | OFPPC_PORT_DOWN);

    if (!settings || settings & OFPPC_PORT_DOWN)
        return !settings;
    return !(settings & (is_spanning_tree(x) ? OFPPC_NO_RECV_STP : OFPPC_NO_RECV));
}

static void through_bridge(struct xlate *x)
{
    const struct port_view *in = bridge_view_port(x->bridge, xlate_in_port(x));

    xlate_trace_bridge(x);
    x->version = flow_tables_version(x->bridge->tables);
    if (in && !may_receive(x, in)) {
        xlate_detail(x, "port %s is configured not to receive, dropping", in->name);
        x->reason = DROP_PORT_NO_RECEIVE;
        return;
    }
    if (x->bridge->frag_mode == OF_FRAG_DROP && hides_ports(x)) {
        xlate_detail(x, "fragments are dropped by configuration");
        x->reason = DROP_FRAGMENT;
        return;
    }
    xlate_walk(x, 0, xlate_in_port(x), MISS_TO_CONTROLLER);
    xlate_finish_pause(x);
    xlate_trace_into_table(x);
    xlate_action_set(x);
}

static void count_patch(struct xlate *x, const struct port_view *port, enum xlate_note_type type)
{
    if (port->counters)
        xlate_note(x, &(struct xlate_note){.type = type, .counters = port->counters});
}

void xlate_into_patch(struct xlate *x, const struct port_view *port)
{
    if (!xlate_may_descend(x))
        return;
    count_patch(x, port, NOTE_PATCH_TX);
    count_patch(x, port->patch_peer, NOTE_PATCH_RX);

    const struct xlate_state before = x->now;
    struct bridge_view *bridge = x->bridge;
    uint64_t version = x->version;
    const struct rule *rule = x->rule;
    uint8_t table_id = x->table_id;
    size_t action_set_first = x->action_set_first, n_action_set = x->n_action_set;
    struct trace_node *trace = x->trace;
    bool has_exited = x->has_exited;
    struct xlate_region region;
    struct xlate_stack stack;

    xlate_begin_region(x, &region);
    xlate_save_stack(x, &stack);
    x->n_stack = 0;
    x->bridge = port->patch_peer->bridge;
    x->now.flow.key.in_port = be32_from(port->patch_peer->ofp_port);
    xlate_reset_metadata(x);
    x->action_set_first = n_action_set;
    x->depth++;
    through_bridge(x);
    x->depth--;

    xlate_restore_stack(x, &stack);
    xlate_settle(x); /* Before what was written there is forgotten. */
    x->now = before;
    xlate_end_region(x, &region);
    x->has_exited = has_exited;
    x->bridge = bridge;
    x->version = version;
    x->rule = rule;
    x->table_id = table_id;
    x->action_set_first = action_set_first;
    x->n_action_set = n_action_set;
    x->trace = trace;
}

/* A whole translation */

static void xlate_init(struct xlate *x, const struct topology *topology, int64_t now_ns,
                       struct xlate_tracer *tracer, struct verdict *verdict)
{
    x->topology = topology;
    x->tracer = tracer;
    x->trace = tracer ? &tracer->tree.root : NULL;
    x->verdict = verdict;
    x->now_ns = now_ns;
    x->may_learn = false;
    memset(&x->base_below, 0, sizeof x->base_below);
    x->n_changes = 0;
    x->is_retagged = false;
    x->bridge = NULL;
    x->rule = NULL;
    x->cookie = be64_from(UINT64_MAX);
    x->table_id = 0;
    x->is_packet_out = x->is_in_bucket = x->is_in_action_set = false;
    x->depth = x->n_resubmits = 0;
    x->n_steps = 0;
    x->action_set_first = x->n_action_set = 0;
    x->has_failed = x->has_exited = false;
    x->packet = NULL;
    x->pause = NULL;
    x->continuation = NULL;
    x->stack = NULL;
    x->n_stack = 0;
    x->n_buckets = 0;
    x->reason = DROP_BY_FLOW;
    x->record.n_notes = 0;
    x->record.capacity = XLATE_NOTES_INLINE;
    x->record.notes = x->record.inline_notes;
    x->record.n_deliveries = 0;
    x->record.deliveries = NULL;
    x->record.delivery_bytes = 0;
}

static bool has_effect(const struct dp_action *action)
{
    return action->type == DP_OUTPUT || action->type == DP_DELIVER || action->type == DP_METER;
}

/* What nobody comes back for need not be saved. */
static void drop_vain_saves(struct dp_actions *actions)
{
    unsigned int n_restores = 0;

    for (uint32_t i = actions->n; i-- > 0;) {
        const struct dp_action *action = &actions->list[i];

        if (action->type == DP_RESTORE) {
            n_restores++;
        } else if (action->type == DP_SAVE && n_restores) {
            n_restores--;
        } else if (action->type == DP_SAVE) {
            actions->n--;
            memmove(&actions->list[i], &actions->list[i + 1],
                    (actions->n - i) * sizeof actions->list[0]);
        }
    }
}

/* Changes that no output follows are for nobody. */
static void drop_trailing_changes(struct dp_actions *actions)
{
    bool has_restored = false;

    while (actions->n > 0 && !has_effect(&actions->list[actions->n - 1]))
        has_restored |= actions->list[--actions->n].type == DP_RESTORE;
    if (has_restored)
        drop_vain_saves(actions);
}

static bool goes_nowhere(const struct dp_actions *actions)
{
    uint32_t n = actions->n;

    while (n > 0 && (actions->list[n - 1].type == DP_METER || !has_effect(&actions->list[n - 1])))
        n--;
    return !n;
}

/* A tag's bits mean nothing without the one that says it is there. */
static void complete_mask(struct flow_key *mask)
{
    for (size_t i = 0; i < FLOW_N_VLANS; i++) {
        if (mask->vlan[i].tci.raw)
            mask->vlan[i].tci.raw |= be16_from(VLAN_CFI).raw;
    }
}

static void xlate_finish(struct xlate *x)
{
    struct dp_actions *actions = &x->verdict->actions;

    free(x->stack);
    xlate_forget_pause(x);
    xlate_settle(x);
    complete_mask(&x->verdict->mask);
    if (x->tracer)
        x->tracer->final_flow = x->now.flow;
    xlate_finish_record(x);
    if (x->has_failed) {
        actions->n = 0;
        x->reason = x->failure;
        x->verdict->cacheable &= x->reason != DROP_NO_MEMORY && x->reason != DROP_TOO_MANY_ACTIONS;
    }
    drop_trailing_changes(actions);
    if (goes_nowhere(actions))
        actions->list[actions->n++] = (struct dp_action){.type = DP_DROP, .arg = x->reason};
}

void xlate_frame(const struct topology *topology, const struct flow_key *key,
                 const struct packet *packet, int64_t now_ns, struct xlate_tracer *tracer,
                 struct verdict *verdict)
{
    const struct port_view *in = topology_port(topology, be32_host(key->in_port));
    struct flow flow;

    if (!in) {
        verdict->mask.in_port = be32_from(UINT32_MAX);
        verdict->actions.list[0] = (struct dp_action){.type = DP_DROP, .arg = DROP_NO_BRIDGE};
        verdict->actions.n = 1;
        return;
    }
    flow.key = *key;
    flow.key.in_port = be32_from(in->ofp_port);
    memset((uint8_t *)&flow + sizeof flow.key, 0, sizeof flow - sizeof flow.key);
    xlate_flow(topology, in->bridge, &flow, packet, now_ns, tracer, verdict);
}

void xlate_flow(const struct topology *topology, struct bridge_view *bridge,
                const struct flow *flow, const struct packet *packet, int64_t now_ns,
                struct xlate_tracer *tracer, struct verdict *verdict)
{
    struct xlate x;

    xlate_init(&x, topology, now_ns, tracer, verdict);
    x.may_learn = packet != NULL;
    x.packet = packet;
    x.bridge = bridge;
    xlate_init_view(&x, flow);
    through_bridge(&x);
    xlate_finish(&x);
}

void xlate_packet_out(const struct topology *topology, struct bridge_view *bridge, uint64_t version,
                      const struct flow *flow, const struct packet *packet, struct ofa_list actions,
                      int64_t now_ns, struct xlate_tracer *tracer, struct verdict *verdict)
{
    struct xlate x;

    xlate_init(&x, topology, now_ns, tracer, verdict);
    x.may_learn = tracer && packet;
    x.packet = packet;
    x.bridge = bridge;
    x.version = version;
    x.is_packet_out = true;
    xlate_init_view(&x, flow);
    xlate_trace_bridge(&x);
    xlate_list(&x, actions);
    xlate_finish_pause(&x);
    xlate_action_set(&x);
    xlate_finish(&x);
}

void xlate_resume(const struct topology *topology, struct bridge_view *bridge,
                  const struct flow *flow, const struct packet *packet,
                  const struct of_continuation *continuation, int64_t now_ns,
                  struct verdict *verdict)
{
    struct xlate x;

    xlate_init(&x, topology, now_ns, NULL, verdict);
    x.may_learn = true;
    x.packet = packet;
    x.bridge = bridge;
    x.version = flow_tables_version(bridge->tables);
    xlate_init_view(&x, flow);
    xlate_go_on(&x, continuation);
    xlate_finish_pause(&x);
    xlate_action_set(&x);
    xlate_finish(&x);
}
