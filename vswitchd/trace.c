/* SPDX-License-Identifier: Apache-2.0 */

/* The layout is that of Open vSwitch's, which scripts and people read. */

#include "vswitchd/trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "vswitchd/xlate.h"

struct trace {
    const struct topology *topology;
    struct bridge_view *bridge;
    struct flow flow;
    struct flow final_flow;
    struct buffer *out;
};

static void put_line(void *aux, int depth, const char *text)
{
    struct trace *trace = aux;

    buffer_printf(trace->out, "%*s%s\n", *text ? 4 * depth : 0, "", text);
}

/* The fields that say something about this flow, in full. */
static void add_shown_fields(const struct flow *flow, struct match *match)
{
    struct flow_key *mask = &match->mask.key;

    mask->in_port = be32_from(UINT32_MAX);
    memset(&mask->eth_src, 0xff, sizeof mask->eth_src);
    memset(&mask->eth_dst, 0xff, sizeof mask->eth_dst);
    mask->eth_type = be16_from(UINT16_MAX);
    mask->vlan[0].tci = be16_from(UINT16_MAX);
    for (int id = 0; id < N_FIELDS; id++) {
        const struct of_field *field = of_field((enum of_field_id)id);

        if (field->prereq != PREREQ_NONE && field->prereq != PREREQ_VLAN &&
            field->engine != ENGINE_NOT_PARSED && of_field_is_meaningful(field, flow, NULL))
            of_field_add_mask(field, NULL, &match->mask);
    }
    for (int i = 0; i < FLOW_N_REGS; i++) {
        if (flow->regs[i].raw)
            match->mask.regs[i].raw = UINT32_MAX;
    }
    if (flow->metadata.raw)
        match->mask.metadata.raw = UINT64_MAX;
    if (flow->key.pkt_mark.raw)
        mask->pkt_mark.raw = UINT32_MAX;
}

/* Of tunnels and connections what is not 0. */
static void add_shown_beyond_registers(const struct flow *flow, struct match *match)
{
    static const struct of_value zero;

    for (int id = 0; id < N_FIELDS; id++) {
        const struct of_field *field = of_field((enum of_field_id)id);
        struct of_value value;

        of_field_get(field, flow, &value);
        if (field->offset >= offsetof(struct flow, tun_id) && id != FIELD_ACTSET_OUTPUT &&
            memcmp(&value, &zero, sizeof value) != 0)
            of_field_add_mask(field, NULL, &match->mask);
    }
}

static void put_flow(struct buffer *out, const struct flow *flow)
{
    struct match match = {.flow = *flow};

    add_shown_fields(flow, &match);
    add_shown_beyond_registers(flow, &match);
    match_normalize(&match);
    of_match_format(&match, NULL, out);
}

/* The part of the frame that the outcome depends on. */
static void put_megaflow(struct buffer *out, const struct flow *flow, const struct flow_key *mask)
{
    struct match match = {.flow = *flow};

    match.mask.key = *mask;
    match.mask.key.recirc_id = be32_from(0);
    match_normalize(&match);
    buffer_puts(out, "recirc_id=0,eth,");
    of_match_format(&match, NULL, out);
}

static void put_result(struct trace *trace, const struct verdict *verdict)
{
    buffer_puts(trace->out, "\nFinal flow: ");
    if (!memcmp(&trace->flow, &trace->final_flow, sizeof trace->flow))
        buffer_puts(trace->out, "unchanged");
    else
        put_flow(trace->out, &trace->final_flow);
    buffer_puts(trace->out, "\nMegaflow: ");
    put_megaflow(trace->out, &trace->flow, &verdict->mask);
    buffer_puts(trace->out, "\nDatapath actions: ");
    dp_actions_format(trace->out, verdict->actions.list, verdict->actions.n, &trace->flow.key, NULL,
                      NULL);
    buffer_putc(trace->out, '\n');
}

static int find_bridge(struct trace *trace, const struct trace_request *request,
                       struct error *error)
{
    if (!request->bridge) {
        uint32_t dp_port = be32_host(trace->flow.key.in_port);
        const struct port_view *port = topology_port(trace->topology, dp_port);

        if (!port)
            return error_set(error, -ENODEV, "datapath port %u belongs to no bridge", dp_port);
        trace->bridge = port->bridge;
        trace->flow.key.in_port = be32_from(port->ofp_port);
        return 0;
    }
    if (trace->topology)
        trace->bridge = topology_bridge(trace->topology, request->bridge);
    if (!trace->bridge)
        return error_set(error, -ENODEV, "%s: unknown bridge", request->bridge);
    return 0;
}

static int parse_flow(struct trace *trace, const struct trace_request *request, struct error *error)
{
    struct match match;

    if (!request->bridge)
        return trace_parse_dp_flow(request->flow_text, &trace->flow.key, error);

    int code = of_match_parse(request->flow_text, request->names, &match, error);
    if (code)
        return code;
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
    struct packet packet = {
        .start = (uint8_t *)request->packet,
        .data = (uint8_t *)request->packet,
        .capacity = (uint32_t)request->packet_bytes,
        .size = (uint32_t)request->packet_bytes,
    };

    if (!request->packet)
        return 0;
    if (request->packet_bytes < 14 || request->packet_bytes > PACKET_MAX_BYTES)
        return error_set(error, -EINVAL, "the packet has %zu bytes; 14 to %d are possible",
                         request->packet_bytes, PACKET_MAX_BYTES);
    flow_extract(&packet, trace->flow.key.in_port, &trace->flow.key);
    return 0;
}

int trace_flow(const struct topology *topology, const struct trace_request *request,
               struct buffer *out, struct error *error)
{
    static const struct packet learns; /* That there is one is all that matters. */
    struct trace trace = {.topology = topology, .out = out};
    const struct xlate_tracer tracer = {
        .line = put_line,
        .aux = &trace,
        .final_flow = &trace.final_flow,
    };
    struct verdict *verdict;
    int code = parse_flow(&trace, request, error);

    trace.flow.actset_output = be32_from(OFPP_UNSET);

    if (!code)
        code = parse_packet(&trace, request, error);
    if (!code)
        code = find_bridge(&trace, request, error);
    if (code)
        return code;

    verdict = calloc(1, sizeof *verdict);
    if (!verdict)
        return error_set(error, -ENOMEM, "no memory for the trace");
    verdict->cacheable = true;
    buffer_puts(out, "Flow: ");
    put_flow(out, &trace.flow);
    buffer_putc(out, '\n');
    xlate_flow(trace.topology, trace.bridge, &trace.flow, request->learns ? &learns : NULL,
               clock_now_ns(), &tracer, verdict);
    put_result(&trace, verdict);
    xlate_release(verdict->context);
    free(verdict);
    return 0;
}

/* The command */

static int parse_hex(const char *text, struct buffer *bytes, struct error *error)
{
    int high = -1;

    for (const char *at = text; *at; at++) {
        int digit;

        if (isspace((unsigned char)*at))
            continue;
        if (!isxdigit((unsigned char)*at))
            return error_set(error, -EINVAL, "%s: neither an option nor a packet in hex", text);
        digit = isdigit((unsigned char)*at) ? *at - '0' : tolower((unsigned char)*at) - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            *(uint8_t *)buffer_put_uninit(bytes, 1) = (uint8_t)(high << 4 | digit);
            high = -1;
        }
    }
    return high < 0 ? 0 : error_set(error, -EINVAL, "the packet has half a byte at its end");
}

static int parse_options(int n_args, const char *const args[], struct trace_request *request,
                         struct buffer *packet, struct error *error)
{
    for (int i = 0; i < n_args; i++) {
        const char *arg = args[i][0] == '-' && args[i][1] == '-' ? args[i] + 1 : args[i];
        int code;

        if (!strcmp(arg, "-generate")) {
            request->learns = true;
            continue;
        }
        if (!strcmp(arg, "-consistent"))
            continue; /* Tables are read in one version anyway. */
        code = parse_hex(arg, packet, error);
        if (code)
            return code;
        request->learns = true;
        request->packet = packet->data;
        request->packet_bytes = packet->size;
    }
    return 0;
}

static bool is_dp_flow(const char *text)
{
    return strchr(text, '(') != NULL;
}

static bool find_port(void *aux, const char *name, of_port *number)
{
    const struct port_view *port = bridge_view_port_by_name(aux, name);

    if (!port)
        return false;
    *number = port->ofp_port;
    return true;
}

int trace_command(int n_args, const char *const args[], struct buffer *out, struct error *error)
{
    const struct topology *topology = topology_get();
    struct of_names names = {.find_port = NULL};
    struct trace_request request = {.flow_text = n_args > 0 ? args[0] : NULL};
    struct buffer packet = BUFFER_INIT;
    int n_used = 1, code;

    if (n_args < 1)
        return error_set(error, -EINVAL, "a bridge and a flow, or a datapath flow, are required");
    if (!is_dp_flow(args[0])) {
        if (n_args < 2)
            return error_set(error, -EINVAL, "%s: a flow is required too", args[0]);
        request.flow_text = args[1];
        request.bridge = is_dp_flow(args[1]) ? NULL : args[0];
        n_used = 2;
    }
    if (request.bridge && topology)
        names.aux = topology_bridge(topology, request.bridge);
    if (names.aux) {
        names.find_port = find_port;
        request.names = &names;
    }
    code = parse_options(n_args - n_used, args + n_used, &request, &packet, error);
    if (!code)
        code = trace_flow(topology, &request, out, error);
    buffer_fini(&packet);
    return code;
}
