/* SPDX-License-Identifier: Apache-2.0 */

/* What the kernel flow cache has to know of a port's device to send there itself. */

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "datapath/kernel/xdp.h"
#include "datapath/port/exception_tap.h"
#include "datapath/port/port.h"
#include "lib/log.h"
#include "lib/netlink/peer.h"

LOG_MODULE(publish);

enum { ETH_HEADER_BYTES = 14, PEERS_AT_ONCE = 32 };

/* As the packet socket would: a tag is not counted.  A tap takes anything. */
static uint32_t max_bytes(const struct dp_port *port, const struct link_info *info)
{
    return port->type == DP_PORT_INTERNAL ? UINT32_MAX : (uint32_t)info->mtu + ETH_HEADER_BYTES;
}

static bool dp_has_xdp(struct datapath *dp)
{
    return atomic_load_explicit(&dp->has_xdp, memory_order_relaxed);
}

/* A veth to another namespace: frames may go straight to its other end, unless something there or here wants to
 * see them on their way. */
static void look_at_peer(int ifindex, struct kcache_port *to)
{
    struct link_peer peer;

    to->has_peer = !link_get_peer(ifindex, &peer) && peer.flags & IFF_UP && !peer.has_xdp;
    if (to->has_peer) {
        memcpy(&to->peer_mac, &peer.mac, sizeof peer.mac);
        if ((uint32_t)peer.mtu + ETH_HEADER_BYTES < to->max_bytes)
            to->max_bytes = (uint32_t)peer.mtu + ETH_HEADER_BYTES;
    }
}

void port_publish_to_kernel(struct dp_port *port, const struct link_info *info)
{
    struct kcache *kcache = datapath_kcache(port->dp);
    struct kcache_port to = {
        .ifindex = info->ifindex,
        .redirect_flags = port->type == DP_PORT_INTERNAL ? BPF_F_INGRESS : 0,
        .max_bytes = max_bytes(port, info),
        .takes_xdp = port->type == DP_PORT_NETDEV && dp_has_xdp(port->dp) &&
                     xdp_can_send_to(info->ifindex),
    };

    if (!kcache)
        return;
    port->is_kernel_reachable = true;
    if (port->type == DP_PORT_NETDEV)
        look_at_peer(info->ifindex, &to);
    if (info->flags & IFF_UP)
        kcache_set_port(kcache, port->port_no, &to);
    else
        kcache_clear_port(kcache, port->port_no); /* Userspace counts what it cannot send. */
}

void port_refresh_xdp(struct datapath *dp)
{
    struct kcache *kcache = datapath_kcache(dp);

    if (!kcache || !dp_has_xdp(dp))
        return;
    for (uint32_t port_no = 1; port_no <= DP_MAX_PORTS; port_no++) {
        struct dp_port *port = datapath_port(dp, port_no);

        if (port && port->type == DP_PORT_NETDEV && port->is_kernel_reachable)
            kcache_set_port_xdp(kcache, port_no, xdp_can_send_to(port->ifindex));
    }
}

/* Nobody tells of what happens at the other end. */
void port_refresh_peers(struct datapath *dp)
{
    struct kcache *kcache = datapath_kcache(dp);
    uint32_t numbers[PEERS_AT_ONCE];
    struct kcache_port ports[PEERS_AT_ONCE];
    uint32_t n = kcache_list_ports(kcache, &dp->next_peer, numbers, ports, PEERS_AT_ONCE);

    for (uint32_t i = 0; i < n; i++) {
        const struct kcache_port before = ports[i];

        look_at_peer(ports[i].ifindex, &ports[i]);
        if (ports[i].has_peer != before.has_peer || ports[i].peer_mac != before.peer_mac)
            kcache_change_peer(kcache, numbers[i], &ports[i]);
    }
}

void port_restore_program(struct dp_port *port)
{
    struct error error = ERROR_INIT;

    if (!port->dp->exception_tap)
        return;
    int result = exception_tap_restore(port->dp->exception_tap, port->ifindex, &error);
    if (result > 0)
        log_warn("port %s: somebody had removed the filter of the device: it is back", port->name);
    else if (result < 0 && result != -ENODEV) /* Or the device itself is going. */
        log_err_limited("port %s: the filter of the device has gone and cannot be put back: %s",
                        port->name, error.message);
}

int port_set_kernel_cached(struct dp_port *port, bool is_cached, struct error *error)
{
    if (port->is_kernel_cached == is_cached)
        return 0;
    int code = exception_tap_set_cached(port->dp->exception_tap, port->ifindex, is_cached, error);
    if (!code)
        port->is_kernel_cached = is_cached;
    return code;
}

void port_hide_from_kernel(struct dp_port *port)
{
    if (datapath_kcache(port->dp))
        kcache_clear_port(datapath_kcache(port->dp), port->port_no);
}
