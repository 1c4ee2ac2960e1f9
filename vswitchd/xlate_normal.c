/* SPDX-License-Identifier: Apache-2.0 */

/* NORMAL: the bridge as a learning VLAN switch (IEEE 802.1Q), with the port modes of Open vSwitch.
 *
 * The tag of a frame is classification: it says which VLAN the frame is in, and is rewritten to what each
 * output port expects.  Only what differs is changed, so a trunk's tag keeps its priority. */

#include "vswitchd/xlate_internal.h"

struct classified {
    const struct port_view *in; /* NULL: from a controller. */
    uint16_t tag_vid;           /* Of the frame's tag; 0: none, or a priority tag. */
    uint16_t vid;               /* The VLAN it is in; 0: none. */
    bool has_inner_tag;
    uint16_t inner_vid; /* In 'vid' as a service VLAN; 0: none. */
};

/* Addresses that bridges do not forward: link protocols, as ovs-vswitchd.conf.db(5) lists them under
 * other_config:forward-bpdu, besides 01:80:c2:00:00:0X. */
static bool is_link_protocol(struct mac mac)
{
    static const uint64_t addresses[] = {
        UINT64_C(0x00e02b000000), /* Extreme Discovery Protocol. */
        UINT64_C(0x00e02b000004), /* Ethernet Automatic Protection Switching. */
        UINT64_C(0x00e02b000006), UINT64_C(0x01000c000000), /* Inter-Switch Link. */
        UINT64_C(0x01000ccccccd),                           /* PVST+. */
        UINT64_C(0x01000ccdcdcd),                           /* Spanning tree uplink fast. */
    };
    uint64_t address = mac_to_u64(mac);

    if (mac_is_reserved(mac) || address >> 4 == UINT64_C(0x01000cccccc)) /* CDP, CFM and others. */
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        if (address == addresses[i])
            return true;
    }
    return false;
}

static void drop(struct xlate *x, enum drop_reason reason, const char *text)
{
    xlate_detail(x, "%s, dropping", text);
    x->reason = reason;
}

static void refuse_vlan(struct xlate *x)
{
    xlate_warn(x, "disallowed VLAN VID for this input port, dropping");
    x->reason = DROP_VLAN_FILTERED;
}

static void look_below(struct xlate *x, struct classified *frame)
{
    struct flow_vlan *looked = &x->looked.key.vlan[1];
    uint16_t tci = be16_host(x->now.flow.key.vlan[1].tci);

    frame->has_inner_tag = false;
    frame->inner_vid = 0;
    if (!xlate_has_tag(x))
        return;
    looked->tci.raw |= be16_from(VLAN_CFI).raw;
    if (!(tci & VLAN_CFI))
        return;
    looked->tci = be16_from(UINT16_MAX);
    looked->tpid = be16_from(UINT16_MAX);
    frame->has_inner_tag = true;
    frame->inner_vid = tci & VLAN_VID_MASK;
}

/* False: the frame goes no further. */
static bool classify(struct xlate *x, struct classified *frame)
{
    const struct port_view *in = frame->in;

    frame->tag_vid = frame->vid = xlate_has_tag(x) ? xlate_get_vid(x) : 0;
    look_below(x, frame);
    if (!in)
        return true;
    if (in->vlan_mode == PORT_VLAN_ACCESS) {
        if (frame->tag_vid) {
            xlate_complain(x,
                           "dropping VLAN %u tagged packet received on port %s configured as VLAN "
                           "%u access port",
                           frame->tag_vid, in->name, in->tag);
            refuse_vlan(x);
            return false;
        }
        frame->vid = in->tag;
        frame->inner_vid = 0;
        return true;
    }
    if (in->vlan_mode != PORT_VLAN_TRUNK && !frame->tag_vid)
        frame->vid = in->tag;
    if (!port_view_admits(in, frame->vid)) {
        xlate_complain(x,
                       "dropping VLAN %u packet received on port %s not configured for trunking "
                       "VLAN %u",
                       frame->vid, in->name, frame->vid);
        refuse_vlan(x);
        return false;
    }
    return true;
}

static bool is_admissible(struct xlate *x)
{
    const struct flow_key *key = &x->now.flow.key;
    uint16_t type = be16_host(key->eth_type);

    if ((type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ) && !xlate_has_tag(x)) {
        drop(x, DROP_VLAN_FILTERED, "the VLAN tag is cut short");
        return false;
    }
    return true;
}

static void learn(struct xlate *x, const struct classified *frame)
{
    struct fdb *fdb = x->bridge->fdb;
    struct mac mac = x->now.flow.key.eth_src;
    of_port port;

    if (!frame->in || mac_is_multicast(mac))
        return;
    port = frame->in->ofp_port;
    xlate_add_slot(x, fdb_slot(fdb, frame->vid, mac));
    if (x->may_learn && fdb_needs_learning(fdb, frame->vid, mac, port, x->now_ns)) {
        if (fdb_learn(fdb, frame->vid, mac, port, x->now_ns))
            xlate_detail(x, "learned that " MAC_FORMAT " is on port %s in VLAN %u", MAC_ARGS(mac),
                         frame->in->name, frame->vid);
    }

    /* If it could not be learned, or may not be because a cached verdict is being looked at again, then
     * the next frame has to try: no cache may keep it from that.  A trace is about frames that may. */
    if (!(x->tracer && !x->may_learn) && fdb_lookup(fdb, frame->vid, mac) != port &&
        fdb_needs_learning(fdb, frame->vid, mac, port, x->now_ns))
        x->verdict->cacheable = false;
    xlate_note(x, &(struct xlate_note){
                      .type = NOTE_STATION,
                      .station = {.fdb = fdb, .mac = mac, .vid = frame->vid, .port = port},
                  });
}

/* May the frame leave by 'port'?  By an access port only without a customer's VLAN in it, which
 * would look like one of this network there. */
static bool is_member(const struct classified *frame, const struct port_view *port)
{
    if (port->vlan_mode != PORT_VLAN_ACCESS)
        return port_view_admits(port, frame->vid);
    return frame->vid == port->tag && !frame->inner_vid;
}

static bool has_priority(struct xlate *x)
{
    x->looked.key.vlan[0].tci.raw |= be16_from(VLAN_PCP_MASK).raw;
    return be16_host(x->now.flow.key.vlan[0].tci) & VLAN_PCP_MASK;
}

/* Replaces the tag by one of VLAN 0 with its priority. */
static void leave_priority(struct xlate *x)
{
    uint16_t pcp = be16_host(x->now.flow.key.vlan[0].tci) & VLAN_PCP_MASK;

    xlate_pop_vlan(x);
    xlate_push_vlan(x, ETH_TYPE_VLAN, pcp);
}

static bool leaves_untagged(const struct classified *frame, const struct port_view *port)
{
    return port->vlan_mode == PORT_VLAN_ACCESS ||
           (port->vlan_mode == PORT_VLAN_NATIVE_UNTAGGED && frame->vid == port->tag);
}

/* Makes the frame's outer tag what 'port' expects.  A tag of VLAN 0 stays only for its priority. */
static void retag(struct xlate *x, const struct classified *frame, const struct port_view *port)
{
    bool is_untagged = leaves_untagged(frame, port);
    bool keeps_priority = !is_untagged || port->sends_priority_tags;
    uint16_t vid = is_untagged ? 0 : frame->vid;

    if (!xlate_has_tag(x)) {
        if (vid)
            xlate_push_vlan(x, ETH_TYPE_VLAN, vid);
    } else if (!vid && !(keeps_priority && has_priority(x))) {
        xlate_pop_vlan(x);
    } else if (is_untagged) {
        leave_priority(x);
    } else if (vid != frame->tag_vid) {
        xlate_put_vid(x, vid);
    }
}

/* The same for a frame with two tags, of which access ports know nothing: they take and leave both. */
static void retag_both(struct xlate *x, const struct classified *frame,
                       const struct port_view *port)
{
    bool from_access = frame->in && frame->in->vlan_mode == PORT_VLAN_ACCESS;
    struct flow_vlan outer = x->now.flow.key.vlan[0], inner = x->now.flow.key.vlan[1];
    uint16_t pcp = be16_host(outer.tci) & VLAN_PCP_MASK;
    uint16_t outer_tci = frame->vid | pcp, inner_tci = be16_host(inner.tci) & ~VLAN_CFI;

    xlate_pop_vlan(x);
    xlate_pop_vlan(x);
    if (from_access) {
        inner.tpid = be16_from(ETH_TYPE_VLAN);
        inner_tci = 0;
    }
    if (port->vlan_mode == PORT_VLAN_ACCESS) {
        outer.tpid = be16_from(ETH_TYPE_VLAN);
        outer_tci = inner_tci = 0;
    } else if (leaves_untagged(frame, port)) {
        outer = inner;
        outer_tci = inner_tci;
        inner_tci = 0;
    }
    if (port->sends_priority_tags)
        outer_tci = (uint16_t)((outer_tci & VLAN_VID_MASK) | pcp);
    if (!outer_tci)
        return;
    if (inner_tci)
        xlate_push_vlan(x, be16_host(inner.tpid), inner_tci);
    xlate_push_vlan(x, be16_host(outer.tpid), outer_tci);
}

static void send_by(struct xlate *x, const struct classified *frame, const struct port_view *port)
{
    const struct flow_vlan tags[FLOW_N_VLANS] = {
        x->now.flow.key.vlan[0],
        x->now.flow.key.vlan[1],
    };
    const struct flow_vlan written[FLOW_N_VLANS] = {
        x->now.written.key.vlan[0],
        x->now.written.key.vlan[1],
    };
    const struct tags_below below = x->now.below;

    if (frame->has_inner_tag)
        retag_both(x, frame, port);
    else
        retag(x, frame, port);
    xlate_to_port(x, port);

    xlate_settle(x);
    memcpy(x->now.flow.key.vlan, tags, sizeof tags);
    memcpy(x->now.written.key.vlan, written, sizeof written);
    x->now.below = below;
}

/* Not to ports that are down, as a bridge's own port often is: each frame would count as a drop. */
static void flood(struct xlate *x, const struct classified *frame)
{
    for (size_t i = 0; i < x->bridge->n_ports && !x->has_failed; i++) {
        const struct port_view *port = x->bridge->ports[i];

        if (port != frame->in && port->is_up && !(port->config & OFPPC_NO_FLOOD) &&
            is_member(frame, port))
            send_by(x, frame, port);
    }
}

static void forward(struct xlate *x, const struct classified *frame)
{
    struct mac mac = x->now.flow.key.eth_dst;
    const struct port_view *port;

    x->reason = DROP_OUTPUT_TO_NOWHERE;
    xlate_add_slot(x, fdb_slot(x->bridge->fdb, frame->vid, mac));
    of_port number = fdb_lookup(x->bridge->fdb, frame->vid, mac);
    if (number == OFPP_NONE) {
        xlate_detail(x, "no learned MAC for destination, flooding");
        flood(x, frame);
        return;
    }

    port = bridge_view_port(x->bridge, number);
    if (!port) {
        drop(x, DROP_NO_PORT, "learned port is unknown");
    } else if (port == frame->in) {
        drop(x, DROP_OUTPUT_TO_NOWHERE, "learned port is input port");
    } else if (!is_member(frame, port)) {
        drop(x, DROP_VLAN_FILTERED, "learned port does not carry the VLAN");
    } else {
        xlate_detail(x, "forwarding to learned port");
        send_by(x, frame, port);
    }
}

void xlate_normal(struct xlate *x)
{
    of_port in_port = xlate_in_port(x);
    struct classified frame = {.in = bridge_view_port(x->bridge, in_port)};

    memset(&x->looked.key.eth_src, 0xff, sizeof x->looked.key.eth_src);
    memset(&x->looked.key.eth_dst, 0xff, sizeof x->looked.key.eth_dst);
    if (!frame.in && in_port != OFPP_NONE && in_port != OFPP_CONTROLLER) {
        xlate_complain(x, "received packet on unknown port %u", in_port);
        xlate_warn(x, "no input bundle, dropping");
        x->reason = DROP_NO_PORT;
        return;
    }
    if (!is_admissible(x) || !classify(x, &frame))
        return;
    if (frame.in && is_link_protocol(x->now.flow.key.eth_dst) && !x->bridge->forwards_bpdu) {
        drop(x, DROP_RESERVED_MULTICAST, "packet has reserved destination MAC");
        return;
    }
    learn(x, &frame);
    forward(x, &frame);
}
