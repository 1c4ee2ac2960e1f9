/* SPDX-License-Identifier: Apache-2.0 */

/* From a request to a translation of it. */

#include "vswitchd/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/openflow/action_codec.h"
#include "lib/openflow/flow_text.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/group_table.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/trace_internal.h"

static int find_bridge_by_name(struct trace *trace, const struct trace_request *request,
                               struct error *error)
{
    if (!request->bridge)
        return 0;
    if (trace->topology)
        trace->bridge = topology_bridge(trace->topology, request->bridge);
    return trace->bridge ? 0 : error_set(error, -ENODEV, "%s: unknown bridge", request->bridge);
}

static int find_bridge_by_port(struct trace *trace, struct error *error)
{
    uint32_t dp_port = be32_host(trace->flow.key.in_port);
    const struct port_view *port = trace->topology ? topology_port(trace->topology, dp_port) : NULL;

    if (!port)
        return error_set(error, -ENODEV, "no OpenFlow port for datapath port %u", dp_port);
    trace->bridge = port->bridge;
    trace->flow.key.in_port = be32_from(port->ofp_port);
    return 0;
}

static int parse_flow(struct trace *trace, const struct trace_request *request, struct error *error)
{
    struct match match;

    if (!request->bridge)
        return trace_parse_dp_flow(request->flow_text, trace->topology, &trace->flow.key, error);

    int code = of_match_parse(request->flow_text, request->names, &match, error);
    if (code)
        return error_prefix(error, "Bad openflow flow syntax: %s", request->flow_text);
    trace->flow = match.flow;
    if (!match.mask.key.in_port.raw)
        trace->flow.key.in_port = be32_from(OFPP_NONE);

    /* A tag that is matched by its ID alone is a tag of some type. */
    if (be16_host(match.flow.key.vlan[0].tci) & VLAN_CFI && !match.flow.key.vlan[0].tpid.raw)
        trace->flow.key.vlan[0].tpid = be16_from(ETH_TYPE_VLAN);
    return 0;
}

static int parse_packet(struct trace *trace, const struct trace_request *request,
                        struct error *error)
{
    if (!request->packet)
        return 0;
    if (request->packet_bytes < 14)
        return error_set(error, -EINVAL, "Packet data too short for Ethernet");
    if (request->packet_bytes > PACKET_MAX_BYTES)
        return error_set(error, -EINVAL, "the packet has %zu bytes; %d are possible",
                         request->packet_bytes, PACKET_MAX_BYTES);
    trace->packet = (struct packet){
        .start = (uint8_t *)request->packet,
        .data = (uint8_t *)request->packet,
        .capacity = (uint32_t)request->packet_bytes,
        .size = (uint32_t)request->packet_bytes,
    };
    flow_extract(&trace->packet, trace->flow.key.in_port, &trace->flow.key);
    return 0;
}

/* What may stand in an action list, and is no instruction. */
static int check_is_action(const struct ofa *action, struct error *error)
{
    static const struct {
        enum ofa_type type;
        const char *name;
    } instructions[] = {
        {OFA_GOTO_TABLE, "goto_table"},
        {OFA_WRITE_ACTIONS, "write_actions"},
        {OFA_CLEAR_ACTIONS, "clear_actions"},
        {OFA_WRITE_METADATA, "write_metadata"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
        if (action->type == instructions[i].type)
            return error_set(error, -EINVAL, "%s instruction not allowed here",
                             instructions[i].name);
    }
    return 0;
}

static bool has_group(void *bridge, uint32_t group_id)
{
    const struct flow_tables *tables = ((const struct bridge_view *)bridge)->tables;

    return group_table_lookup(flow_tables_groups(tables), flow_tables_version(tables), group_id);
}

static bool has_meter(void *bridge, uint32_t meter_id)
{
    const struct bridge_view *view = bridge;

    return view->meters && meter_table_lookup(view->meters, meter_id);
}

static enum of_error check_actions(struct trace *trace, bool is_consistent)
{
    const struct ofa_list list = {.first = (const struct ofa *)(const void *)trace->actions.data,
                                  .n_bytes = trace->actions.size};
    const struct ofa_check check = {
        .version = is_consistent ? OF_1_1 : OF_1_0,
        .table_id = OF_TABLE_ALL,
        .n_tables = OF_N_TABLES - 1,
        .max_ports = OFPP_MAX,
    };
    const struct ofa_referents referents = {
        .has_group = has_group,
        .has_meter = has_meter,
        .aux = (void *)(uintptr_t)trace->bridge,
    };
    struct match match = {.flow = trace->flow};

    match.mask.key.eth_type = be16_from(UINT16_MAX);
    match.mask.key.nw_proto = match.mask.key.nw_frag = UINT8_MAX;
    match.mask.key.vlan[0].tci = match.mask.key.vlan[1].tci = be16_from(UINT16_MAX);
    enum of_error wrong = ofa_check(&trace->actions, &match, &check);
    return wrong ? wrong : ofa_check_references(list, &referents);
}

static int parse_actions(struct trace *trace, const struct trace_request *request,
                         struct error *error)
{
    if (!request->actions)
        return 0;
    int code = of_actions_parse(request->actions, request->names, &trace->actions, error);
    const struct ofa_list list = {.first = (const struct ofa *)(const void *)trace->actions.data,
                                  .n_bytes = trace->actions.size};
    for_each_action (ofa, list) {
        if (code || (code = check_is_action(ofa, error)))
            break;
    }
    if (code)
        return code;
    enum of_error wrong = check_actions(trace, request->is_consistent);
    return wrong ? error_set(error, -EINVAL, "Bad actions: %s", of_error_name(wrong)) : 0;
}

static void walk(struct trace *trace, const struct trace_request *request)
{
    const struct packet *packet = request->learns ? &trace->packet : NULL;
    const struct ofa_list actions = {
        .first = (const struct ofa *)(const void *)trace->actions.data,
        .n_bytes = trace->actions.size,
    };

    trace->learned = request->learns;
    trace->verdict.cacheable = true;
    trace->tracer.failure = DROP_N_REASONS;
    if (request->actions)
        xlate_packet_out(trace->topology, trace->bridge, flow_tables_version(trace->bridge->tables),
                         &trace->flow, packet, actions, clock_now_ns(), &trace->tracer,
                         &trace->verdict);
    else
        xlate_flow(trace->topology, trace->bridge, &trace->flow, packet, clock_now_ns(),
                   &trace->tracer, &trace->verdict);
}

static void look_ahead(struct trace *trace, struct datapath *datapath)
{
    struct flow_key key = trace->flow.key;
    const struct port_view *in = bridge_view_port(trace->bridge, (of_port)be32_host(key.in_port));

    key.in_port = be32_from(in ? in->dp_port : DP_PORT_NONE);
    trace->has_outlook = true;
    datapath_foresee(datapath, &key, &trace->verdict, &trace->outlook);
}

struct trace *trace_create(const struct topology *topology, const struct trace_request *request,
                           struct error *error)
{
    struct trace *trace = calloc(1, sizeof *trace);

    if (!trace)
        abort();
    trace->topology = topology;
    int code = find_bridge_by_name(trace, request, error);
    if (!code)
        code = parse_flow(trace, request, error);
    if (!code)
        code = parse_packet(trace, request, error);
    if (!code && !trace->bridge)
        code = find_bridge_by_port(trace, error);
    if (!code)
        code = parse_actions(trace, request, error);
    if (code) {
        trace_destroy(trace);
        return NULL;
    }
    trace->flow.actset_output = be32_from(OFPP_UNSET);
    walk(trace, request);
    if (request->datapath && !request->actions)
        look_ahead(trace, request->datapath);
    return trace;
}

void trace_destroy(struct trace *trace)
{
    if (!trace)
        return;
    xlate_release(trace->verdict.context);
    trace_tree_fini(&trace->tracer.tree);
    buffer_fini(&trace->actions);
    free(trace);
}

int trace_flow(const struct topology *topology, const struct trace_request *request,
               struct buffer *out, struct error *error)
{
    struct trace *trace = trace_create(topology, request, error);

    if (!trace)
        return error->code;
    trace_format(trace, out);
    trace_destroy(trace);
    return 0;
}

json_t *trace_flow_json(const struct topology *topology, const struct trace_request *request,
                        struct error *error)
{
    struct trace *trace = trace_create(topology, request, error);
    json_t *json = trace ? trace_to_json(trace) : NULL;

    trace_destroy(trace);
    return json;
}
