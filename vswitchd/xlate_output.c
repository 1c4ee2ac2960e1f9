/* SPDX-License-Identifier: Apache-2.0 */

/* Ports, sets of ports, and controllers. */

#include "vswitchd/xlate_internal.h"

static void emit_output(struct xlate *x, uint32_t dp_port)
{
    xlate_commit(x);
    if (x->now.trunc_bytes)
        xlate_emit(x, &(struct dp_action){.type = DP_TRUNC, .arg = x->now.trunc_bytes});
    xlate_emit(x, &(struct dp_action){.type = DP_OUTPUT, .arg = dp_port});
}

void xlate_to_port(struct xlate *x, const struct port_view *port)
{
    if (port->config & (OFPPC_PORT_DOWN | OFPPC_NO_FWD)) {
        xlate_warn(x, "%s set, skipping output",
                   port->config & OFPPC_PORT_DOWN ? "OFPPC_PORT_DOWN" : "OFPPC_NO_FWD");
        x->reason = DROP_OUTPUT_TO_NOWHERE;
    } else if (port->patch_peer) {
        xlate_into_patch(x, port);
    } else if (port->dp_port == DP_PORT_NONE) {
        xlate_warn(x, "port %s is not open", port->name);
        x->reason = DROP_NO_PORT;
    } else {
        emit_output(x, port->dp_port);
    }
}

static void to_port_number(struct xlate *x, of_port number)
{
    const struct port_view *port = bridge_view_port(x->bridge, number);

    if (port) {
        xlate_to_port(x, port);
        return;
    }
    xlate_warn(x, "Nonexistent output port");
    x->reason = DROP_OUTPUT_TO_NOWHERE;
}

static void to_all_but(struct xlate *x, of_port in_port, uint32_t but_config)
{
    for (size_t i = 0; i < x->bridge->n_ports && !x->has_failed; i++) {
        const struct port_view *port = x->bridge->ports[i];

        if (port->ofp_port != in_port && !(port->config & but_config))
            xlate_to_port(x, port);
    }
    x->reason = DROP_OUTPUT_TO_NOWHERE;
}

/* Frames are told whole, as in Open vSwitch: what max_len leaves out could only be asked for if it were
 * buffered.  NULL: no memory. */
static struct packet_in *send_to_controller(struct xlate *x, const struct ofa_controller *action)
{
    uint32_t index;

    xlate_commit(x);
    struct packet_in *header = xlate_add_delivery(x, action->userdata, action->n_userdata, &index);
    if (!header)
        return NULL;
    header->in_port = xlate_in_port(x);
    header->table_id = x->table_id;
    header->reason = action->reason;
    header->is_from_miss_flow = action->reason == OFPR_ACTION && x->rule &&
                                rule_is_table_miss(x->rule);
    header->is_without_flow = false;
    header->controller_id = action->controller_id;
    header->max_bytes = x->now.trunc_bytes;
    header->cookie = xlate_cookie(x);
    header->flow.key.in_port = x->now.flow.key.in_port;
    header->flow.key.pkt_mark = x->now.flow.key.pkt_mark;
    memcpy((uint8_t *)&header->flow + sizeof header->flow.key,
           (const uint8_t *)&x->now.flow + sizeof x->now.flow.key,
           sizeof header->flow - sizeof header->flow.key);
    xlate_deliver_metered(x, index, action->meter_id);
    return header;
}

void xlate_controller(struct xlate *x, const struct ofa_controller *action)
{
    if (action->pauses)
        xlate_pause(x, action);
    else
        send_to_controller(x, action);
}

void xlate_send_paused(struct xlate *x, const struct ofa_controller *action)
{
    struct packet_in *header = send_to_controller(x, action);

    if (!header)
        return;
    header->table_id = 0; /* As Open vSwitch. */
    header->is_from_miss_flow = false;
    header->continuation = x->continuation;
    of_continuation_ref(header->continuation);
}

void xlate_to_controller(struct xlate *x, uint16_t controller_id, enum of_packet_in_reason reason)
{
    const struct ofa_controller action = {
        .max_len = UINT16_MAX,
        .controller_id = controller_id,
        .reason = (uint8_t)reason,
    };

    xlate_controller(x, &action);
}

void xlate_miss_to_controller(struct xlate *x)
{
    const struct ofa_controller action = {.max_len = UINT16_MAX, .reason = OFPR_NO_MATCH};
    struct packet_in *header = send_to_controller(x, &action);

    if (header)
        header->is_without_flow = true;
}

/* What an output to the controller gives as its reason; of controller(...) it is an argument. */
static enum of_packet_in_reason output_reason(const struct xlate *x)
{
    if (x->is_packet_out)
        return OFPR_PACKET_OUT;
    if (x->is_in_bucket)
        return OFPR_GROUP;
    return x->is_in_action_set ? OFPR_ACTION_SET : OFPR_ACTION;
}

/* What packet-outs send to the tables. */
static void to_tables(struct xlate *x)
{
    const struct rule *rule = x->rule;
    uint8_t table_id = x->table_id;

    if (!xlate_may_descend(x))
        return;
    x->depth++;
    xlate_walk(x, 0, xlate_in_port(x), MISS_TO_CONTROLLER);
    x->depth--;
    x->rule = rule;
    x->table_id = table_id;
}

static void to_one(struct xlate *x, of_port port)
{
    if (port != xlate_in_port(x)) {
        to_port_number(x, port);
        return;
    }
    xlate_warn(x, "skipping output to input port");
    x->reason = DROP_OUTPUT_TO_NOWHERE;
}

void xlate_enqueue(struct xlate *x, const struct ofa_enqueue *action)
{
    if (action->port == xlate_in_port(x))
        x->reason = DROP_OUTPUT_TO_NOWHERE; /* Of this, traces say nothing. */
    else
        xlate_output(x, action->port, 0);
}

static void to_truncated(struct xlate *x, of_port port, uint32_t trunc_bytes)
{
    uint32_t before = x->now.trunc_bytes;

    if (port != OFPP_IN_PORT && port != OFPP_LOCAL && port >= OFPP_MAX) {
        xlate_warn(x, "output_trunc does not support port: %u", port);
        return;
    }
    if (!before || trunc_bytes < before)
        x->now.trunc_bytes = trunc_bytes;
    xlate_output(x, port, 0);
    x->now.trunc_bytes = before;
}

void xlate_output_reg(struct xlate *x, const struct ofa_output_reg *action)
{
    struct of_value value;

    xlate_read_part(x, action->source, &value);
    uint64_t number = be64_host(be64_load(value.bytes + sizeof value - 8));
    if (number <= UINT16_MAX) {
        xlate_detail(x, "output port is %llu", (unsigned long long)number);
        xlate_output(x, (of_port)number, 0);
        return;
    }
    xlate_warn(x, "output port %llu is out of range", (unsigned long long)number);
    x->reason = DROP_OUTPUT_TO_NOWHERE;
}

/* Of a frame that is still to be segmented, the length of its segments counts. */
static uint32_t length_on_the_wire(const struct packet *packet)
{
    uint32_t size = packet->size;

    if (packet_is_gso(packet) && packet->l4_offset != PACKET_OFFSET_NONE) {
        uint32_t segment = packet->vnet.hdr_len + packet->vnet.gso_size;
        return segment < size ? segment : size;
    }
    return size;
}

/* Flows do not know lengths: the verdict holds for this frame alone. */
void xlate_check_length(struct xlate *x, const struct ofa_check_length *action)
{
    bool is_larger = x->packet && length_on_the_wire(x->packet) > action->n_bytes;

    x->verdict->cacheable = false;
    if (x->packet && x->packet->size)
        xlate_trace(x, TRACE_NOTE, "the frame is %slarger", is_larger ? "" : "not ");
    else
        xlate_trace(x, TRACE_NOTE, "taken for a frame that is not larger");
    xlate_write_number(x, action->destination, is_larger);
}

void xlate_output(struct xlate *x, of_port port, uint32_t trunc_bytes)
{
    if (trunc_bytes) {
        to_truncated(x, port, trunc_bytes);
        return;
    }
    switch (port) {
    case OFPP_IN_PORT:
        to_port_number(x, xlate_in_port(x));
        break;
    case OFPP_TABLE:
        to_tables(x);
        break;
    case OFPP_NORMAL:
        xlate_normal(x);
        break;
    case OFPP_FLOOD:
        to_all_but(x, xlate_in_port(x), OFPPC_NO_FLOOD);
        break;
    case OFPP_ALL:
        to_all_but(x, xlate_in_port(x), 0);
        break;
    case OFPP_CONTROLLER:
        xlate_to_controller(x, 0, output_reason(x));
        break;
    case OFPP_NONE:
        break;
    default:
        to_one(x, port);
        break;
    }
}
