/* SPDX-License-Identifier: Apache-2.0 */

/* The bridge as its OpenFlow server sees it: struct of_server_ops. */

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rundir.h"
#include "vswitchd/bridge.h"
#include "vswitchd/flow_journal.h"
#include "vswitchd/forwarding.h"
#include "vswitchd/lessons.h"
#include "vswitchd/of_server.h"
#include "vswitchd/status.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(bridge_openflow);

/* What port_mod may change; OFPPC_PORT_DOWN is the device's own. */
enum {
    CONFIG_BITS = OFPPC_NO_STP | OFPPC_NO_RECV | OFPPC_NO_RECV_STP | OFPPC_NO_FLOOD | OFPPC_NO_FWD |
                  OFPPC_NO_PACKET_IN
};

static void describe(void *aux, struct of_switch_info *info)
{
    const struct bridge *bridge = aux;

    memset(info, 0, sizeof *info);
    info->datapath_id = bridge->datapath_id;
    info->desc.datapath = bridge->description;
}

static int compare_ports(const void *a, const void *b)
{
    const struct of_port_info *first = a, *second = b;

    return first->port < second->port ? -1 : first->port > second->port;
}

static bool has_port(const struct interface *interface)
{
    return interface_is_open(interface) && interface->ofport != OFPP_NONE;
}

static size_t list_ports(void *aux, struct of_port_info **ports)
{
    struct bridge *bridge = aux;
    struct interface *interface, *next;
    size_t n_ports = 0;

    *ports = calloc(HASH_CNT(by_name, bridge->interfaces) + 1, sizeof **ports);
    if (!*ports)
        abort();
    HASH_ITER (by_name, bridge->interfaces, interface, next)
        if (has_port(interface))
            interface_describe(interface, &(*ports)[n_ports++]);
    qsort(*ports, n_ports, sizeof **ports, compare_ports);
    return n_ports;
}

static bool get_port_stats(void *aux, of_port port, struct of_port_stats *stats)
{
    const struct bridge *bridge = aux;
    const struct interface *interface = bridge_interface_by_ofport(bridge, port);
    struct interface_stats from;

    if (!interface)
        return false;
    interface_get_stats(interface, &from);
    stats->rx_packets = from.port.rx_packets;
    stats->tx_packets = from.port.tx_packets;
    stats->rx_bytes = from.port.rx_bytes;
    stats->tx_bytes = from.port.tx_bytes;
    stats->rx_dropped = from.port.rx_dropped;
    stats->tx_dropped = from.port.tx_dropped;
    stats->rx_errors = from.port.rx_errors;
    stats->tx_errors = from.port.tx_errors;
    if (from.has_link) {
        stats->rx_frame_errors = from.link.rx_frame_errors;
        stats->rx_over_errors = from.link.rx_over_errors;
        stats->rx_crc_errors = from.link.rx_crc_errors;
        stats->collisions = from.link.collisions;
    }
    return true;
}

static enum of_error check_port_mod(void *aux, const struct of_port_mod *mod)
{
    const struct bridge *bridge = aux;
    const struct interface *interface = bridge_interface_by_ofport(bridge, mod->port);
    struct of_port_info info;

    if (!interface)
        return OFPPMFC_BAD_PORT;
    interface_describe(interface, &info);
    return mac_is_equal(info.mac, mod->mac) ? OF_OK : OFPPMFC_BAD_HW_ADDR;
}

static void port_mod(void *aux, const struct of_port_mod *mod)
{
    struct bridge *bridge = aux;
    struct interface *interface = bridge_interface_by_ofport(bridge, mod->port);
    struct error error = ERROR_INIT;

    if (mod->mask & OFPPC_PORT_DOWN && interface->settings->type != INTERFACE_PATCH) {
        if (mod->config & OFPPC_PORT_DOWN)
            link_set_down(interface->name, &error);
        else
            link_set_up(interface->name, &error);
        if (error.code)
            log_warn("bridge %s: %s", bridge->name, error.message);
    }
    interface->config &= ~(mod->mask & CONFIG_BITS);
    interface->config |= mod->config & mod->mask & CONFIG_BITS;
    flow_journal_put_port(bridge->journal, &interface->settings->uuid, interface->config);
    forwarding_publish(bridge->vswitch);
    bridge_tell_ports(bridge);
}

static struct outgoing *prepare_packet_out(void *aux, const struct of_packet_out *packet)
{
    return forwarding_prepare_packet_out(aux, packet);
}

static void send_packet_out(void *aux, struct outgoing *outgoing)
{
    forwarding_send(aux, outgoing);
}

static void discard_packet_out(void *aux UNUSED, struct outgoing *outgoing)
{
    forwarding_discard(outgoing);
}

static void resume(void *aux, const struct of_packet_in *packet,
                   const struct of_continuation *continuation)
{
    forwarding_resume(aux, packet, continuation);
}

static void push_stats(void *aux)
{
    const struct bridge *bridge = aux;

    datapath_push_stats(bridge->vswitch->datapath);
}

/* What frames before this have taught is done, too. */
static void synchronize(void *aux)
{
    const struct bridge *bridge = aux;

    datapath_synchronize(bridge->vswitch->datapath);
    lessons_apply(bridge->lessons, bridge->tables, clock_now_ns());
}

static void set_frag_mode(void *aux, enum of_frag_mode mode)
{
    struct bridge *bridge = aux;

    if (bridge->frag_mode == mode)
        return;
    bridge->frag_mode = mode;
    forwarding_publish(bridge->vswitch);
}

/* Whether table misses go to a controller is part of the picture. */
static void status_changed(void *aux)
{
    const struct bridge *bridge = aux;

    if (bridge->server && of_server_wants_misses(bridge->server) != bridge->publishes_misses)
        forwarding_publish(bridge->vswitch);
    status_update(bridge->vswitch->status);
}

static const struct of_server_ops ops = {
    .describe = describe,
    .list_ports = list_ports,
    .get_port_stats = get_port_stats,
    .check_port_mod = check_port_mod,
    .port_mod = port_mod,
    .prepare_packet_out = prepare_packet_out,
    .send_packet_out = send_packet_out,
    .discard_packet_out = discard_packet_out,
    .resume = resume,
    .push_stats = push_stats,
    .synchronize = synchronize,
    .set_frag_mode = set_frag_mode,
    .status_changed = status_changed,
};

static struct of_server *create_server(struct bridge *bridge, uint32_t of_versions)
{
    char *socket_path = rundir_bridge_socket(bridge->name);
    char *snoop_path = rundir_snoop_socket(bridge->name);
    struct error error = ERROR_INIT;
    const struct of_server_config config = {
        .loop = bridge->vswitch->loop,
        .name = bridge->name,
        .socket_path = socket_path,
        .snoop_path = snoop_path,
        .tables = bridge->tables,
        .meters = bridge->meters,
        .tls = bridge->vswitch->tls,
        .ops = &ops,
        .aux = bridge,
        .versions = of_versions,
    };
    struct of_server *server = of_server_create(&config, &error);

    if (!server && strcmp(error.message, bridge->server_error.message))
        log_err("bridge %s: %s", bridge->name, error.message);
    bridge->server_error = error;
    free(socket_path);
    free(snoop_path);
    return server;
}

void bridge_open_server(struct bridge *bridge, const struct wanted_bridge *wanted)
{
    if (bridge->server)
        of_server_set_versions(bridge->server, wanted->of_versions);
    else
        bridge->server = create_server(bridge, wanted->of_versions);
    if (!bridge->server)
        return;
    of_server_set_packet_in_queue(bridge->server, wanted->packet_in_queue);
    of_server_set_controllers(bridge->server, wanted->controllers, wanted->n_controllers);
}

void bridge_set_tables(struct bridge *bridge, const struct wanted_tables *wanted)
{
    static const struct wanted_table plain = {.limits.max_flows = UINT32_MAX};
    const struct wanted_table *tables[OF_N_TABLES] = {NULL};

    for (size_t i = 0; i < wanted->n; i++)
        tables[wanted->tables[i].table_id] = &wanted->tables[i];
    for (size_t i = 0; i < OF_N_TABLES; i++) {
        const struct wanted_table *table = tables[i] ? tables[i] : &plain;
        flow_tables_set_limits(bridge->tables, (uint8_t)i, &table->limits);
        if (bridge->server)
            of_server_set_table_name(bridge->server, (uint8_t)i, table->name);
    }
}
