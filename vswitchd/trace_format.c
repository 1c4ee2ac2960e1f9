/* SPDX-License-Identifier: Apache-2.0 */

/* The parts of a trace, as text and as JSON. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/openflow/flow_text.h"
#include "lib/openflow/frame_text.h"
#include "vswitchd/packet_in.h"
#include "vswitchd/trace_internal.h"

/* --- Flows ---------------------------------------------------------------------------------- */

/* The fields that say something about this flow, in full. */
static void add_shown_fields(const struct flow *flow, struct match *match)
{
    struct flow_key *mask = &match->mask.key;

    of_match_add_frame_fields(flow, match);
    mask->in_port = be32_from(UINT32_MAX);
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
    if (!flow->key.vlan[0].tci.raw) /* Without a first tag there is no second one. */
        match.mask.key.vlan[1].tci = be16_from(0);
    match_normalize(&match);
    buffer_puts(out, "recirc_id=0,eth,");
    of_match_format(&match, NULL, out);
}

/* --- Datapath actions ----------------------------------------------------------------------- */

static void put_delivery(const struct trace *trace, uint32_t arg, struct buffer *out)
{
    const struct packet_in *header = xlate_delivery(trace->verdict.context, arg);

    if (!header) {
        buffer_printf(out, "userspace(%u)", arg);
        return;
    }
    buffer_printf(out,
                  "userspace(pid=0,controller(reason=%u,dont_send=%d,continuation=0,recirc_id=0,"
                  "rule_cookie=%s%" PRIx64 ",controller_id=%u,max_len=%u))",
                  header->reason, !trace->learned, header->cookie.raw ? "0x" : "",
                  be64_host(header->cookie), header->controller_id,
                  header->max_bytes ? header->max_bytes : UINT16_MAX);
}

/* Only we know what a delivery is about. */
static void put_actions(const struct trace *trace, struct buffer *out)
{
    const struct dp_actions *actions = &trace->verdict.actions;
    struct buffer plain = BUFFER_INIT;
    struct flow_key all;

    memset(&all, UINT8_MAX, sizeof all);
    dp_actions_format(&plain, actions->list, actions->n, &trace->flow.key, &all, NULL, NULL);
    for (const char *at = buffer_text(&plain); *at;) {
        unsigned int arg;
        int n = 0;

        if (sscanf(at, "userspace(%u)%n", &arg, &n) == 1 && n) {
            put_delivery(trace, arg, out);
            at += n;
        } else {
            buffer_putc(out, *at++);
        }
    }
    buffer_fini(&plain);
}

/* --- What Open vSwitch does not tell -------------------------------------------------------- */

static void put_value(const struct of_field *field, const struct flow *flow, struct buffer *out)
{
    struct of_value value;

    of_field_get(field, flow, &value);
    of_value_format(field, &value, out);
}

/* Of several names for the same bits, one. */
static bool is_told(enum of_field_id id)
{
    return id != FIELD_IN_PORT && id != FIELD_IN_PORT_OXM && id != FIELD_CONJ_ID &&
           id != FIELD_ACTSET_OUTPUT && !(id >= FIELD_XREG0 && id <= FIELD_XXREG3) &&
           id != FIELD_VLAN_VID && id != FIELD_VLAN_PCP && id != FIELD_NW_TOS;
}

static bool has_changed(const struct trace *trace, const struct of_field *field)
{
    const struct flow *before = &trace->flow, *after = &trace->tracer.final_flow;
    struct of_value a, b;

    if (!is_told(field->id) || !of_field_is_meaningful(field, after, NULL))
        return false;
    of_field_get(field, before, &a);
    of_field_get(field, after, &b);
    return memcmp(a.bytes, b.bytes, field->n_bytes) != 0;
}

static void put_changes(const struct trace *trace, struct buffer *out)
{
    const char *separator = "\nRewritten: ";

    for (int id = 0; id < N_FIELDS; id++) {
        const struct of_field *field = of_field((enum of_field_id)id);

        if (!has_changed(trace, field))
            continue;
        buffer_printf(out, "%s%s ", separator, field->name);
        put_value(field, &trace->flow, out);
        buffer_puts(out, " to ");
        put_value(field, &trace->tracer.final_flow, out);
        separator = ", ";
    }
}

static json_t *changes_to_json(const struct trace *trace)
{
    json_t *changes = json_array();

    for (int id = 0; id < N_FIELDS; id++) {
        const struct of_field *field = of_field((enum of_field_id)id);
        struct buffer from = BUFFER_INIT, to = BUFFER_INIT;

        if (!has_changed(trace, field))
            continue;
        put_value(field, &trace->flow, &from);
        put_value(field, &trace->tracer.final_flow, &to);
        json_array_append_new(changes, json_pack("{s:s, s:s, s:s}", "field", field->name, "from",
                                                 buffer_text(&from), "to", buffer_text(&to)));
        buffer_fini(&from);
        buffer_fini(&to);
    }
    return changes;
}

/* The fields that keep a verdict out of the kernel, as names of fields. */
static void put_lacking(const struct trace *trace, const char *separator, struct buffer *out)
{
    struct flow mask = {.key = trace->outlook.fields};

    for (int id = 0; id < N_FIELDS; id++) {
        const struct of_field *field = of_field((enum of_field_id)id);
        struct of_value value;

        of_field_get(field, &mask, &value);
        if (!is_told(field->id) || !of_field_is_meaningful(field, &trace->flow, NULL) ||
            !memcmp(value.bytes, (const uint8_t[sizeof value]){0}, sizeof value))
            continue;
        buffer_printf(out, "%s%s", separator, field->name);
        separator = ", ";
    }
}

static void put_reason(const struct trace *trace, struct buffer *out)
{
    buffer_puts(out, trace->outlook.reason);
    put_lacking(trace, ": ", out);
}

static void put_outlook(const struct trace *trace, struct buffer *out)
{
    static const char *const texts[] = {
        [DP_CACHE_NONE] = "no cache (each frame is translated)",
        [DP_CACHE_USERSPACE] = "userspace megaflow",
        [DP_CACHE_KERNEL] = "kernel flow cache",
    };
    const struct dp_outlook *outlook = &trace->outlook;

    if (!trace->has_outlook)
        return;
    buffer_printf(out, "\nServed by: %s", texts[outlook->cache]);
    if (outlook->path)
        buffer_printf(out, ", by %s", outlook->path);
    if (outlook->reason) {
        buffer_puts(out, "; ");
        put_reason(trace, out);
    }
}

static json_t *outlook_to_json(const struct trace *trace)
{
    const struct dp_outlook *outlook = &trace->outlook;
    struct buffer reason = BUFFER_INIT;

    if (!trace->has_outlook)
        return json_null();
    if (outlook->reason)
        put_reason(trace, &reason);
    json_t *json = json_pack("{s:s, s:s?, s:s?}", "cache", dp_cache_name(outlook->cache), "path",
                             outlook->path, "reason",
                             outlook->reason ? buffer_text(&reason) : NULL);
    buffer_fini(&reason);
    return json;
}

/* NULL: the frame goes somewhere. */
static const struct dp_action *find_drop(const struct trace *trace)
{
    const struct dp_actions *actions = &trace->verdict.actions;

    return actions->n == 1 && actions->list[0].type == DP_DROP ? &actions->list[0] : NULL;
}

static void put_drop(const struct trace *trace, struct buffer *out)
{
    const struct dp_action *drop = find_drop(trace);

    if (drop)
        buffer_printf(out, "\nDropped: %s (%s)", drop_reason_name((enum drop_reason)drop->arg),
                      drop_reason_text((enum drop_reason)drop->arg));
}

static json_t *drop_to_json(const struct trace *trace)
{
    const struct dp_action *drop = find_drop(trace);

    return drop ? json_pack("{s:s, s:s}", "reason", drop_reason_name((enum drop_reason)drop->arg),
                            "meaning", drop_reason_text((enum drop_reason)drop->arg))
                : json_null();
}

/* NULL: the walk came to its end. */
static const char *failure_text(const struct trace *trace)
{
    switch (trace->tracer.failure) {
    case DROP_N_REASONS:
        return NULL;
    case DROP_RECURSION_TOO_DEEP:
        return "Recursion too deep";
    case DROP_TOO_MANY_RESUBMITS:
        return "Too many resubmits";
    case DROP_TOO_MANY_LABELS:
        return "Too many MPLS labels";
    default:
        return drop_reason_text(trace->tracer.failure);
    }
}

/* --- All of it ------------------------------------------------------------------------------ */

void trace_format(const struct trace *trace, struct buffer *out)
{
    buffer_puts(out, "Flow: ");
    put_flow(out, &trace->flow);
    buffer_putc(out, '\n');
    trace_node_format(&trace->tracer.tree.root, out);
    buffer_puts(out, "\nFinal flow: ");
    if (!memcmp(&trace->flow, &trace->tracer.final_flow, sizeof trace->flow))
        buffer_puts(out, "unchanged");
    else
        put_flow(out, &trace->tracer.final_flow);
    put_changes(trace, out);
    put_outlook(trace, out);
    put_drop(trace, out);
    buffer_puts(out, "\nMegaflow: ");
    put_megaflow(out, &trace->flow, &trace->verdict.mask);
    buffer_puts(out, "\nDatapath actions: ");
    put_actions(trace, out);
    if (failure_text(trace))
        buffer_printf(out, "\nTranslation failed (%s), packet is dropped.", failure_text(trace));
    buffer_putc(out, '\n');
}

json_t *trace_to_json(const struct trace *trace)
{
    struct buffer flow = BUFFER_INIT, final_flow = BUFFER_INIT, megaflow = BUFFER_INIT;
    struct buffer actions = BUFFER_INIT;

    put_flow(&flow, &trace->flow);
    put_flow(&final_flow, &trace->tracer.final_flow);
    put_megaflow(&megaflow, &trace->flow, &trace->verdict.mask);
    put_actions(trace, &actions);
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:s?}", "bridge", trace->bridge->name,
        "flow", buffer_text(&flow), "steps", trace_node_to_json(&trace->tracer.tree.root),
        "final_flow", buffer_text(&final_flow), "rewritten", changes_to_json(trace), "megaflow",
        buffer_text(&megaflow), "datapath_actions", buffer_text(&actions), "served_by",
        outlook_to_json(trace), "dropped", drop_to_json(trace), "failed", failure_text(trace));
    buffer_fini(&flow);
    buffer_fini(&final_flow);
    buffer_fini(&megaflow);
    buffer_fini(&actions);
    return json;
}
