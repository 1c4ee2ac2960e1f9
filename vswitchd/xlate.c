/* SPDX-License-Identifier: Apache-2.0 */

/* A translation from its beginning to its end, what it may cost, and the way through a bridge. */

#include "vswitchd/xlate.h"

#include <stdlib.h>
#include <string.h>

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
    if (x->bridge->frag_mode == OF_FRAG_DROP && xlate_hides_ports(x)) {
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
