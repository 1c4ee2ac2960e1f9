/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* fake_bridge - the least bridge an OpenFlow server can serve: two ports, tables, and notes of what it was
 * asked to do.
 *
 * For tests and fuzzers; each includes its own copy. */

#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <urcu-qsbr.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/of_server.h"

struct fake_bridge {
    struct ev_loop *loop;
    struct flow_tables *tables;
    struct dp_meters *numbers;
    struct meter_table *meters;
    struct of_server *server;
    struct of_port_info ports[2]; /* Port 1 and LOCAL. */
    enum of_frag_mode frag_mode;
    unsigned int n_changed, n_synchronized, n_pushed, n_packet_outs, n_status_changes;
    unsigned int n_changed_at_barrier; /* n_changed when last synchronized. */
    size_t packet_out_bytes, resumed_bytes;
    unsigned int n_resumed, n_rests; /* Of the last one. */
    of_port packet_out_in_port;
    uint32_t packet_out_n_flows;
    unsigned int n_packet_outs_discarded;
};

static void fake_changed(void *aux)
{
    ((struct fake_bridge *)aux)->n_changed++;
}

static void fake_removed(void *aux, const struct rule *rule, enum flow_removed_reason reason)
{
    struct fake_bridge *bridge = aux;

    if (bridge->server)
        of_server_flow_removed(bridge->server, rule, reason, clock_now_ns());
}

static void fake_added(void *aux, const struct rule *rule)
{
    struct fake_bridge *bridge = aux;

    if (bridge->server)
        of_server_flow_added(bridge->server, rule);
}

static void fake_modified(void *aux, const struct rule *rule)
{
    struct fake_bridge *bridge = aux;

    if (bridge->server)
        of_server_flow_modified(bridge->server, rule);
}

static void fake_describe(void *aux UNUSED, struct of_switch_info *info)
{
    info->datapath_id = 0x00000a0b0c0d0e0f;
    info->desc.datapath = "a fake";
}

static size_t fake_list_ports(void *aux, struct of_port_info **ports)
{
    struct fake_bridge *bridge = aux;

    *ports = malloc(sizeof bridge->ports);
    memcpy(*ports, bridge->ports, sizeof bridge->ports);
    return ARRAY_SIZE(bridge->ports);
}

static struct of_port_info *fake_find_port(struct fake_bridge *bridge, of_port port)
{
    for (size_t i = 0; i < ARRAY_SIZE(bridge->ports); i++) {
        if (bridge->ports[i].port == port)
            return &bridge->ports[i];
    }
    return NULL;
}

static bool fake_get_port_stats(void *aux, of_port port, struct of_port_stats *stats)
{
    if (!fake_find_port(aux, port))
        return false;
    stats->rx_packets = 100u + port;
    stats->tx_packets = 200;
    return true;
}

static enum of_error fake_check_port_mod(void *aux, const struct of_port_mod *mod)
{
    const struct of_port_info *port = fake_find_port(aux, mod->port);

    if (!port)
        return OFPPMFC_BAD_PORT;
    return mac_is_equal(port->mac, mod->mac) ? OF_OK : OFPPMFC_BAD_HW_ADDR;
}

static void fake_port_mod(void *aux, const struct of_port_mod *mod)
{
    struct fake_bridge *bridge = aux;
    struct of_port_info *port = fake_find_port(bridge, mod->port);

    port->config = (port->config & ~mod->mask) | (mod->config & mod->mask);
    of_server_port_status(bridge->server, OFPPR_MODIFY, port);
}

struct outgoing {
    size_t n_bytes;
    of_port in_port;
    uint32_t n_flows; /* That it has seen. */
};

static struct outgoing *fake_prepare_packet_out(void *aux, const struct of_packet_out *packet)
{
    const struct fake_bridge *bridge = aux;
    struct outgoing *outgoing = malloc(sizeof *outgoing);

    *outgoing = (struct outgoing){
        .n_bytes = packet->frame_bytes,
        .in_port = packet->in_port,
        .n_flows = flow_tables_n_flows(bridge->tables),
    };
    return outgoing;
}

static void fake_send_packet_out(void *aux, struct outgoing *outgoing)
{
    struct fake_bridge *bridge = aux;

    bridge->n_packet_outs++;
    bridge->packet_out_bytes = outgoing->n_bytes;
    bridge->packet_out_in_port = outgoing->in_port;
    bridge->packet_out_n_flows = outgoing->n_flows;
    free(outgoing);
}

static void fake_discard_packet_out(void *aux, struct outgoing *outgoing)
{
    ((struct fake_bridge *)aux)->n_packet_outs_discarded++;
    free(outgoing);
}

static void fake_resume(void *aux, const struct of_packet_in *packet,
                        const struct of_continuation *continuation)
{
    struct fake_bridge *bridge = aux;

    bridge->n_resumed++;
    bridge->resumed_bytes = packet->frame_bytes;
    bridge->n_rests = 0;
    struct of_continuation_rest rest;
    for (size_t at = 0; of_continuation_next(continuation, &at, &rest);)
        bridge->n_rests++;
}

static void fake_push_stats(void *aux)
{
    ((struct fake_bridge *)aux)->n_pushed++;
}

static void fake_synchronize(void *aux)
{
    struct fake_bridge *bridge = aux;

    bridge->n_synchronized++;
    bridge->n_changed_at_barrier = bridge->n_changed;
}

static void fake_set_frag_mode(void *aux, enum of_frag_mode mode)
{
    ((struct fake_bridge *)aux)->frag_mode = mode;
}

static void fake_status_changed(void *aux)
{
    ((struct fake_bridge *)aux)->n_status_changes++;
}

static struct of_server_ops fake_ops = {
    .describe = fake_describe,
    .list_ports = fake_list_ports,
    .get_port_stats = fake_get_port_stats,
    .check_port_mod = fake_check_port_mod,
    .port_mod = fake_port_mod,
    .prepare_packet_out = fake_prepare_packet_out,
    .send_packet_out = fake_send_packet_out,
    .discard_packet_out = fake_discard_packet_out,
    .resume = fake_resume,
    .push_stats = fake_push_stats,
    .synchronize = fake_synchronize,
    .set_frag_mode = fake_set_frag_mode,
    .status_changed = fake_status_changed,
};

/* 'socket_path' may be NULL. */
static inline struct fake_bridge *fake_bridge_create(const char *socket_path, uint32_t versions)
{
    static const struct flow_tables_events events = {
        .changed = fake_changed,
        .removed = fake_removed,
        .added = fake_added,
        .modified = fake_modified,
    };
    struct fake_bridge *bridge = calloc(1, sizeof *bridge);
    struct error error = ERROR_INIT;

    bridge->loop = ev_loop_new(EVFLAG_AUTO);
    bridge->tables = flow_tables_create(&events, bridge);
    bridge->numbers = dp_meters_create();
    bridge->meters = meter_table_create(bridge->numbers, NULL, NULL);
    bridge->ports[0] = (struct of_port_info){
        .port = 1, .name = "p1", .mac = {{2, 0, 0, 0, 0, 1}}, .current = OFPPF_10GB_FD};
    bridge->ports[1] = (struct of_port_info){
        .port = OFPP_LOCAL, .name = "br0", .mac = {{2, 0, 0, 0, 0, 2}}, .config = OFPPC_PORT_DOWN};

    const struct of_server_config config = {
        .loop = bridge->loop,
        .name = "br0",
        .socket_path = socket_path,
        .tables = bridge->tables,
        .meters = bridge->meters,
        .ops = &fake_ops,
        .aux = bridge,
        .versions = versions,
    };
    bridge->server = of_server_create(&config, &error);
    if (!bridge->server)
        abort();
    return bridge;
}

static inline void fake_bridge_destroy(struct fake_bridge *bridge)
{
    struct of_server *server = bridge->server;

    bridge->server = NULL;
    of_server_destroy(server);
    flow_tables_destroy(bridge->tables);
    meter_table_destroy(bridge->meters);
    dp_meters_destroy(bridge->numbers);
    ev_loop_destroy(bridge->loop);
    free(bridge);
}
