/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/generate/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/openflow/group_text.h"
#include "lib/rcu.h"
#include "tests/generate/generate.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/group_mod.h"
#include "vswitchd/lessons.h"
#include "vswitchd/meter_mod.h"
#include "vswitchd/packet_in.h"
#include "vswitchd/xlate.h"

/* Of datapath/internal.h. */
void datapath_inject_at(struct datapath *dp, uint32_t port_no, const void *frame, size_t n_bytes,
                        const struct virtio_net_hdr *vnet, int64_t now_ns);
bool datapath_maintain(struct datapath *dp, int64_t now_ns);

static void generate_port(struct random *random, struct rig_port *port)
{
    static const enum port_vlan_mode modes[] = {PORT_VLAN_TRUNK, PORT_VLAN_TRUNK, PORT_VLAN_ACCESS,
                                                PORT_VLAN_NATIVE_TAGGED, PORT_VLAN_NATIVE_UNTAGGED};
    static const uint32_t configs[] = {OFPPC_NO_FLOOD, OFPPC_NO_RECV, OFPPC_NO_FWD,
                                       OFPPC_NO_RECV_STP, OFPPC_NO_PACKET_IN};

    memset(port, 0, sizeof *port);
    port->vlan_mode = RANDOM_OF(random, modes);
    if (port->vlan_mode != PORT_VLAN_TRUNK)
        port->tag = pool_vlans[1 + random_below(random, 2)];
    if (port->vlan_mode != PORT_VLAN_ACCESS && random_chance(random, 30))
        port->trunks = (uint64_t)random_chance(random, 50) | 1U << 10;
    port->sends_priority_tags = random_chance(random, 20);
    if (random_chance(random, 10))
        port->config = RANDOM_OF(random, configs);
}

void generate_settings(struct random *random, struct rig_settings *settings)
{
    static const enum of_frag_mode frag_modes[] = {OF_FRAG_NORMAL, OF_FRAG_NORMAL, OF_FRAG_DROP,
                                                   OF_FRAG_NX_MATCH};

    settings->vlan_limit = (uint8_t)(1 + random_below(random, FLOW_N_VLANS));
    for (int b = 0; b < RIG_BRIDGES; b++) {
        struct rig_bridge *bridge = &settings->bridges[b];

        bridge->frag_mode = RANDOM_OF(random, frag_modes);
        bridge->forwards_bpdu = random_chance(random, 30);
        bridge->miss_goes_to_controller = random_chance(random, 50);
        for (int n = 1; n <= RIG_PORTS; n++)
            generate_port(random, &bridge->ports[n]);
    }
}

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    const struct rig *rig = aux;

    xlate_frame(rig->topology, key, packet, now_ns, NULL, verdict);
}

static void credit(void *aux, void *context, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns,
                   uint16_t tcp_flags)
{
    (void)aux;
    (void)tcp_flags;
    xlate_credit(context, n_packets, n_bytes, used_ns);
}

static void release(void *aux, void *context)
{
    (void)aux;
    xlate_release(context);
}

static void deliver(void *aux, void *context, uint32_t arg, const struct packet *packet,
                    const struct flow_key *key)
{
    (void)aux;
    xlate_deliver(context, arg, packet, key);
}

static const struct datapath_ops ops = {
    .translate = translate,
    .credit = credit,
    .release = release,
    .deliver = deliver,
};

static void note_output(void *arg, uint32_t dp_port, const struct packet *packet)
{
    const struct rig *rig = arg;
    const struct port_view *port = topology_port(rig->topology, dp_port);

    if (!port)
        abort();
    rig->output(rig->aux, port->bridge != rig->topology->bridges[0], port->ofp_port, packet);
}

static void station_changed(void *aux, uint16_t slot)
{
    const struct rig *rig = aux;

    datapath_invalidate(rig->dp, slot);
}

static void tables_changed(void *aux)
{
    station_changed(aux, DP_SLOT_ALL);
}

static void push_stats(void *aux)
{
    const struct rig *rig = aux;

    datapath_push_stats(rig->dp);
}

static void no_wake(void *aux)
{
    (void)aux;
}

static void add_dp_port(struct rig *rig, int b, int n)
{
    char name[16];
    struct error error = ERROR_INIT;

    snprintf(name, sizeof name, "b%dp%d", b, n);
    const struct dp_port_config config = {
        .name = name,
        .type = rig->has_netdevs ? DP_PORT_NETDEV : DP_PORT_DUMMY,
    };
    if (datapath_port_add(rig->dp, &config, &rig->dp_ports[b][n], &error)) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
}

static struct port_view *add_port_view(struct rig *rig, struct bridge_view *bridge, int b, int n,
                                       const struct rig_port *settings)
{
    struct port_view *port =
        bridge_view_add_port(rig->topology, bridge, n == RIG_PATCH ? "patch" : "port", (of_port)n,
                             n == RIG_PATCH ? (uint32_t)DP_PORT_NONE : rig->dp_ports[b][n]);

    port->vlan_mode = settings->vlan_mode;
    port->tag = settings->tag;
    if (settings->trunks) {
        memset(port->trunks, 0, sizeof port->trunks);
        port->trunks[0] = settings->trunks;
    }
    port->sends_priority_tags = settings->sends_priority_tags;
    port->config = settings->config;
    return port;
}

static void build_topology(struct rig *rig, const struct rig_settings *settings)
{
    struct port_view *patch[RIG_BRIDGES] = {NULL};

    rig->topology = topology_create(settings->vlan_limit);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        struct bridge_view *bridge = topology_add_bridge(rig->topology, b ? "br1" : "br0");

        bridge->tables = rig->tables[b];
        bridge->meters = rig->meters[b];
        bridge->fdb = rig->fdb[b];
        bridge->packet_ins = rig->queue[b];
        bridge->lessons = rig->lessons[b];
        bridge->frag_mode = settings->bridges[b].frag_mode;
        bridge->forwards_bpdu = settings->bridges[b].forwards_bpdu;
        bridge->miss_goes_to_controller = settings->bridges[b].miss_goes_to_controller;
        for (int n = 1; n <= RIG_PORTS; n++)
            patch[b] = add_port_view(rig, bridge, b, n, &settings->bridges[b].ports[n]);
        port_counters_ref(rig->counters[b]);
        patch[b]->counters = rig->counters[b];
    }
    patch[0]->patch_peer = patch[1];
    patch[1]->patch_peer = patch[0];
}

static void meter_changed(void *aux, const struct meter *meter, bool is_gone)
{
    (void)meter;
    (void)is_gone;
    tables_changed(aux);
}

static const struct meter_table_events meter_events = {.changed = meter_changed};

void rig_init(struct rig *rig, const struct rig_settings *settings,
              const struct rig_options *options)
{
    static const struct flow_tables_events events = {
        .changed = tables_changed,
        .push_stats = push_stats,
    };
    const struct datapath_config config = {
        .misses_per_second = UINT32_MAX,
        .n_workers = options->has_netdevs,
        .cache_off = options->cache_off,
        .max_megaflows = options->max_megaflows,
        .instance = "test",
    };
    struct error error = ERROR_INIT;

    memset(rig, 0, sizeof *rig);
    rig->output = options->output;
    rig->aux = options->aux;
    rig->has_netdevs = options->has_netdevs;
    rig->dp = datapath_create(&config, &ops, rig, &error);
    if (!rig->dp) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    datapath_set_dummy_tx(rig->dp, note_output, rig);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        rig->tables[b] = flow_tables_create(&events, rig);
        rig->meters[b] = meter_table_create(datapath_meters(rig->dp), &meter_events, rig);
        rig->fdb[b] = fdb_create(FDB_DEFAULT_ENTRIES, FDB_DEFAULT_AGE_S, DP_N_SLOTS,
                                 station_changed, rig);
        rig->queue[b] = packet_in_queue_create(no_wake, NULL);
        rig->lessons[b] = lesson_queue_create(no_wake, NULL);
        rig->counters[b] = port_counters_create();
        for (int n = 1; n < RIG_PORTS; n++)
            add_dp_port(rig, b, n);
    }
    build_topology(rig, settings);
}

void rig_fini(struct rig *rig)
{
    for (int b = 0; b < RIG_BRIDGES; b++) {
        datapath_flush(rig->dp);
        meter_table_destroy(rig->meters[b]);
    }
    datapath_destroy(rig->dp);
    rcu_wait_for_callbacks();
    topology_destroy(rig->topology);
    for (int b = 0; b < RIG_BRIDGES; b++) {
        flow_tables_destroy(rig->tables[b]);
        packet_in_queue_destroy(rig->queue[b]);
        lesson_queue_destroy(rig->lessons[b]);
        rig->dp = NULL;
        fdb_destroy(rig->fdb[b]);
        port_counters_unref(rig->counters[b]);
    }
}

void rig_flow_mod(struct rig *rig, int bridge, const struct of_flow_mod *flow, int64_t now_ns)
{
    if (flow_mod_apply(rig->tables[bridge], flow, now_ns) != OF_OK) {
        fprintf(stderr, "a flow_mod was refused\n");
        abort();
    }
    flow_tables_publish(rig->tables[bridge]);
}

/* By way of the wire, which numbers the buckets. */
void rig_put_group(struct rig *rig, int bridge, const char *text, int64_t now_ns)
{
    struct buffer wire = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct of_group_mod mod, decoded;
    struct of_message message;

    if (of_group_mod_parse(text, OFGC_ADD_OR_MOD, NULL, &mod, &error)) {
        fprintf(stderr, "%s: %s\n", text, error.message);
        abort();
    }
    of_encode_group_mod(&mod, OF_1_5, 1, &wire);
    if (of_decode_message(wire.data, wire.size, &message) ||
        of_decode_group_mod(&message, OF_N_TABLES, &decoded) ||
        group_mod_apply(rig->tables[bridge], &decoded, now_ns)) {
        fprintf(stderr, "%s: refused\n", text);
        abort();
    }
    of_group_mod_fini(&decoded);
    of_group_mod_fini(&mod);
    buffer_fini(&wire);
    flow_tables_publish(rig->tables[bridge]);
}

void rig_put_meter(struct rig *rig, int bridge, const char *text, int64_t now_ns)
{
    struct error error = ERROR_INIT;
    struct of_meter_mod mod;

    if (of_meter_mod_parse(text, OFMC_ADD, &mod, &error)) {
        fprintf(stderr, "%s: %s\n", text, error.message);
        abort();
    }
    if (meter_table_lookup(rig->meters[bridge], mod.meter.meter_id))
        mod.command = OFMC_MODIFY;
    if (meter_mod_apply(rig->meters[bridge], rig->tables[bridge], &mod, now_ns)) {
        fprintf(stderr, "%s: refused\n", text);
        abort();
    }
    of_meter_mod_fini(&mod);
}

void rig_delete_meter(struct rig *rig, int bridge, uint32_t meter_id, int64_t now_ns)
{
    struct of_meter_mod mod = {.command = OFMC_DELETE, .meter.meter_id = meter_id};

    meter_mod_apply(rig->meters[bridge], rig->tables[bridge], &mod, now_ns);
}

void rig_send(struct rig *rig, int bridge, int port, const void *frame, size_t n_bytes,
              const struct virtio_net_hdr *vnet, int64_t now_ns)
{
    datapath_inject_at(rig->dp, rig->dp_ports[bridge][port], frame, n_bytes, vnet, now_ns);
    for (int b = 0; b < RIG_BRIDGES; b++)
        lessons_apply(rig->lessons[b], rig->tables[b], now_ns);
}

void rig_maintain(struct rig *rig, int64_t now_ns)
{
    datapath_maintain(rig->dp, now_ns);
}
