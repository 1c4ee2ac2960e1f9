/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/forwarding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "vswitchd/bridge.h"
#include "vswitchd/of_server.h"
#include "vswitchd/topology.h"
#include "vswitchd/vswitch.h"
#include "vswitchd/xlate.h"

LOG_MODULE(forwarding);

/* --- The datapath's callbacks --------------------------------------------------------------- */

static void translate(void *vswitch_, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    const struct vswitch *vswitch = vswitch_;

    xlate_frame(topology_get(), key, packet, now_ns, NULL, verdict);
    if (unlikely(atomic_load_explicit(&vswitch->has_exact_flows, memory_order_relaxed)))
        memset(&verdict->mask, 0xff, sizeof verdict->mask);
}

static void credit(void *aux UNUSED, void *context, uint64_t n_packets, uint64_t n_bytes,
                   int64_t used_ns, uint16_t tcp_flags UNUSED)
{
    xlate_credit(context, n_packets, n_bytes, used_ns);
}

static void release(void *aux UNUSED, void *context)
{
    xlate_release(context);
}

static void deliver(void *aux UNUSED, void *context, uint32_t arg, const struct packet *packet,
                    const struct flow_key *key)
{
    xlate_deliver(context, arg, packet, key);
}

static void hold(void *aux, int fd)
{
    const struct vswitch *vswitch = aux;

    if (vswitch->hold)
        vswitch->hold(vswitch->aux, fd);
}

const struct datapath_ops forwarding_ops = {
    .translate = translate,
    .credit = credit,
    .release = release,
    .deliver = deliver,
    .hold = hold,
};

void forwarding_station_changed(void *aux, uint16_t slot)
{
    const struct vswitch *vswitch = aux;

    datapath_invalidate(vswitch->datapath, slot);
}

/* --- The picture --------------------------------------------------------------------------- */

static void add_port_view(struct topology *topology, struct bridge_view *view,
                          struct interface *interface)
{
    const struct port_vlans *vlans = &interface->settings->vlans;
    struct port_view *port = bridge_view_add_port(topology, view, interface->name,
                                                  interface->ofport, interface->dp_port);

    port->vlan_mode = vlans->mode;
    port->tag = vlans->tag;
    memcpy(port->trunks, vlans->trunks, sizeof port->trunks);
    port->sends_priority_tags = vlans->sends_priority_tags;
    port->config = interface->config;
    port->is_up = interface->was_up = interface_is_up(interface);
    if (interface->counters) {
        port_counters_ref(interface->counters);
        port->counters = interface->counters;
    }
}

static void add_bridge_view(struct topology *topology, struct bridge *bridge)
{
    struct bridge_view *view = topology_add_bridge(topology, bridge->name);
    struct interface *interface, *next;

    view->tables = bridge->tables;
    view->meters = bridge->meters;
    view->fdb = bridge->fdb;
    view->packet_ins = bridge->packet_ins;
    view->lessons = bridge->lessons;
    view->frag_mode = bridge->frag_mode;
    view->forwards_bpdu = bridge->forwards_bpdu;
    bridge->publishes_misses = bridge->server && of_server_wants_misses(bridge->server);
    view->miss_goes_to_controller = bridge->publishes_misses;
    view->id = bridge->id;
    HASH_ITER (by_name, bridge->interfaces, interface, next)
        if (interface_is_open(interface) && interface->ofport != OFPP_NONE)
            add_port_view(topology, view, interface);
}

static struct interface *find_interface(const struct vswitch *vswitch, const char *name)
{
    struct bridge *bridge, *next;

    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        struct interface *interface = bridge_interface(bridge, name);
        if (interface)
            return interface;
    }
    return NULL;
}

static struct port_view *view_of(const struct topology *topology, const struct interface *interface)
{
    struct bridge_view *view = topology_bridge(topology, interface->bridge->name);

    return view ? bridge_view_port_by_name(view, interface->name) : NULL;
}

static bool is_patch_to(const struct interface *interface, const char *peer)
{
    return interface->settings->type == INTERFACE_PATCH && interface->settings->peer &&
           !strcmp(interface->settings->peer, peer);
}

/* Both ends must name each other. */
static void link_patch(const struct topology *topology, struct interface *interface)
{
    struct interface *peer;

    if (interface->settings->type != INTERFACE_PATCH || !interface_is_open(interface))
        return;
    peer = find_interface(interface->bridge->vswitch, interface->settings->peer);
    interface->error = (struct error)ERROR_INIT;
    if (!peer || !is_patch_to(peer, interface->name) || !interface_is_open(peer)) {
        error_set(&interface->error, -ENODEV, "No usable peer '%s' exists in 'system' datapath.",
                  interface->settings->peer);
        return;
    }
    struct port_view *view = view_of(topology, interface);
    if (view)
        view->patch_peer = view_of(topology, peer);
}

/* Workers may have learned from the old picture until now. */
static void forget_stale_stations(struct vswitch *vswitch)
{
    struct bridge *bridge, *next;
    bool is_synchronized = false;

    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        if (!bridge->n_stale_ports)
            continue;
        if (!is_synchronized)
            datapath_synchronize(vswitch->datapath);
        is_synchronized = true;
        bridge_forget_stale_stations(bridge);
    }
}

void forwarding_publish(struct vswitch *vswitch)
{
    struct topology *topology = topology_create(vswitch->vlan_limit);
    struct bridge *bridge, *next_bridge;
    struct interface *interface, *next;

    HASH_ITER (by_name, vswitch->bridges, bridge, next_bridge)
        if (!vswitch->is_waiting_for_flows)
            add_bridge_view(topology, bridge);
    HASH_ITER (by_name, vswitch->bridges, bridge, next_bridge)
        HASH_ITER (by_name, bridge->interfaces, interface, next)
            link_patch(topology, interface);
    topology_publish(topology);
    datapath_invalidate(vswitch->datapath, DP_SLOT_ALL);
    forget_stale_stations(vswitch);
}

/* --- Packet-out ---------------------------------------------------------------------------- */

static uint32_t dp_port_of(const struct bridge *bridge, of_port port)
{
    const struct interface *interface = bridge_interface_by_ofport(bridge, port);

    return interface ? interface->dp_port : DP_PORT_NONE;
}

/* A controller's frame, as a frame of the datapath. */
struct outgoing {
    struct packet packet;
    struct flow_key key;
    uint8_t *memory;
    struct dp_actions *actions; /* Only as many as there are. */
    void *context;
};

/* What translation makes of it: as metadata says, and with the OpenFlow number of the port. */
struct draft {
    struct flow flow;
    struct verdict *verdict;
};

/* Empty, without touching the 200 KB where actions may go. */
static struct verdict *create_verdict(void)
{
    struct verdict *verdict = malloc(sizeof *verdict);

    if (!verdict)
        return NULL;
    verdict->actions.n = 0;
    memset(&verdict->mask, 0, sizeof verdict->mask);
    memset(verdict->slots, 0, sizeof verdict->slots);
    verdict->n_slots = 0;
    verdict->cacheable = true;
    verdict->context = verdict->last = NULL;
    return verdict;
}

/* NULL, and nothing to clean up: it is dropped. */
static struct outgoing *begin(const struct bridge *bridge, const struct bridge_view *view,
                              const uint8_t *frame, size_t n_bytes, const struct match *metadata,
                              struct draft *draft)
{
    size_t capacity = PACKET_HEADROOM + n_bytes + PACKET_HEADROOM;
    of_port in_port = (of_port)be32_host(metadata->flow.key.in_port);
    struct outgoing *outgoing = view ? calloc(1, sizeof *outgoing) : NULL;
    uint8_t *memory = view ? calloc(1, capacity) : NULL;

    draft->verdict = view ? create_verdict() : NULL;
    if (!outgoing || !memory || !draft->verdict) {
        log_warn_limited("bridge %s: a controller's frame dropped: %s", bridge->name,
                         view ? "no memory" : "the bridge is not forwarding");
        free(outgoing);
        free(memory);
        free(draft->verdict);
        return NULL;
    }
    outgoing->memory = memory;
    packet_init(&outgoing->packet, memory, (uint32_t)capacity);
    memcpy(outgoing->packet.data, frame, n_bytes);
    outgoing->packet.size = (uint32_t)n_bytes;
    flow_extract(&outgoing->packet, be32_from(dp_port_of(bridge, in_port)), &outgoing->key);
    memset(&draft->flow, 0, sizeof draft->flow);
    draft->flow.key = outgoing->key;
    of_metadata_from_match(metadata, &draft->flow);
    outgoing->key.pkt_mark = draft->flow.key.pkt_mark;
    return outgoing;
}

/* Takes the verdict. */
static struct outgoing *finish(struct outgoing *outgoing, struct verdict *verdict)
{
    size_t n_bytes = offsetof(struct dp_actions, list) +
                     verdict->actions.n * sizeof verdict->actions.list[0];

    outgoing->context = verdict->context;
    outgoing->actions = malloc(n_bytes);
    if (outgoing->actions)
        memcpy(outgoing->actions, &verdict->actions, n_bytes);
    free(verdict);
    if (outgoing->actions)
        return outgoing;
    forwarding_discard(outgoing);
    return NULL;
}

struct outgoing *forwarding_prepare_packet_out(struct bridge *bridge,
                                               const struct of_packet_out *packet_out)
{
    const struct topology *topology = topology_get();
    struct bridge_view *view = topology_bridge(topology, bridge->name);
    struct match metadata = packet_out->metadata;
    struct draft draft;

    metadata.flow.key.in_port = be32_from(packet_out->in_port);
    struct outgoing *outgoing = begin(bridge, view, packet_out->frame, packet_out->frame_bytes,
                                      &metadata, &draft);
    if (!outgoing)
        return NULL;
    xlate_packet_out(topology, view, flow_tables_next_version(view->tables), &draft.flow,
                     &outgoing->packet, of_packet_out_actions(packet_out), clock_now_ns(), NULL,
                     draft.verdict);
    return finish(outgoing, draft.verdict);
}

void forwarding_send(struct bridge *bridge, struct outgoing *outgoing)
{
    int64_t now_ns = clock_now_ns();

    xlate_teach(outgoing->context, now_ns);
    datapath_execute(bridge->vswitch->datapath, &outgoing->packet, &outgoing->key,
                     outgoing->actions, outgoing->context);
    xlate_credit(outgoing->context, 1, outgoing->packet.size, now_ns);
    forwarding_discard(outgoing);
}

void forwarding_discard(struct outgoing *outgoing)
{
    xlate_release(outgoing->context);
    free(outgoing->actions);
    free(outgoing->memory);
    free(outgoing);
}

void forwarding_resume(struct bridge *bridge, const struct of_packet_in *packet,
                       const struct of_continuation *continuation)
{
    const struct topology *topology = topology_get();
    struct bridge_view *view = topology_bridge(topology, bridge->name);
    struct match metadata = packet->match;
    struct draft draft;

    if (!metadata.mask.key.in_port.raw)
        metadata.flow.key.in_port = be32_from(OFPP_NONE);
    struct outgoing *outgoing = begin(bridge, view, packet->frame, packet->frame_bytes, &metadata,
                                      &draft);
    if (!outgoing)
        return;
    xlate_resume(topology, view, &draft.flow, &outgoing->packet, continuation, clock_now_ns(),
                 draft.verdict);
    outgoing = finish(outgoing, draft.verdict);
    if (outgoing)
        forwarding_send(bridge, outgoing);
}
