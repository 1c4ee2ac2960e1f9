/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/interface.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/log.h"
#include "vswitchd/bridge.h"
#include "vswitchd/netdevs.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(interface);

struct interface *interface_create(struct bridge *bridge, struct wanted_interface *settings)
{
    struct interface *interface = calloc(1, sizeof *interface);

    if (!interface)
        abort();
    interface->name = strdup(settings->name);
    interface->bridge = bridge;
    interface->settings = settings;
    interface->ofport = OFPP_NONE;
    interface->dp_port = DP_PORT_NONE;
    interface->told.port = OFPP_NONE;
    if (settings->type == INTERFACE_PATCH)
        interface->counters = port_counters_create();
    return interface;
}

void interface_destroy(struct interface *interface)
{
    port_counters_unref(interface->counters);
    wanted_interface_destroy(interface->settings);
    free(interface->strangers);
    free(interface->name);
    free(interface);
}

bool interface_is_open(const struct interface *interface)
{
    return interface->settings->type == INTERFACE_PATCH ? !interface->settings->error.code
                                                        : interface->dp_port != DP_PORT_NONE;
}

const struct netdev *interface_netdev(const struct interface *interface)
{
    return interface->settings->type == INTERFACE_PATCH
               ? NULL
               : netdevs_find(interface->bridge->vswitch->netdevs, interface->name);
}

static void apply_fastpath(struct interface *interface)
{
    const struct error before = interface->fastpath_refusal;
    struct error *refusal = &interface->fastpath_refusal;
    enum dp_fastpath fastpath = interface->settings->fastpath;

    if (interface->settings->type == INTERFACE_INTERNAL && fastpath == DP_FASTPATH_XDP)
        fastpath = DP_FASTPATH_TC; /* What is asked for devices has a meaning for it too. */
    *refusal = (struct error)ERROR_INIT;
    if (interface->dp_port != DP_PORT_NONE &&
        datapath_port_set_fastpath(interface->bridge->vswitch->datapath, interface->dp_port,
                                   fastpath, refusal) &&
        strcmp(refusal->message, before.message))
        log_warn("interface %s: not by the path asked for: %s", interface->name, refusal->message);
}

/* What is not as wanted is told, but the port works. */
static void apply_device_settings(struct interface *interface)
{
    const struct wanted_interface *settings = interface->settings;
    struct netdevs *netdevs = interface->bridge->vswitch->netdevs;
    const struct netdev *netdev = interface_netdev(interface);
    bool is_changed = false;

    if (!netdev)
        return;
    if (settings->mtu_request && netdev->link.mtu != settings->mtu_request) {
        if (link_set_mtu(settings->name, settings->mtu_request, &interface->error))
            log_warn("%s", interface->error.message);
        is_changed = true;
    }
    if (settings->type == INTERFACE_INTERNAL && !mac_is_equal(netdev->link.mac, settings->mac)) {
        if (link_set_mac(settings->name, settings->mac, &interface->error))
            log_warn("%s", interface->error.message);
        is_changed = true;
    }
    if (is_changed)
        netdevs_refresh(netdevs, settings->name);
    interface_tell_link(interface);
    apply_fastpath(interface);
}

void interface_tell_link(struct interface *interface)
{
    const struct netdev *netdev = interface_netdev(interface);

    if (netdev && interface->dp_port != DP_PORT_NONE)
        datapath_port_set_link(interface->bridge->vswitch->datapath, interface->dp_port,
                               &netdev->link);
}

/* Takes 'strangers'.  True if it is news. */
static bool note_strangers(struct interface *interface, char *strangers)
{
    const char *now = strangers ? strangers : "";
    bool is_news = strcmp(now, interface->strangers ? interface->strangers : "");

    if (is_news && *now)
        log_warn("interface %s: programs of others are on its device: %s", interface->name, now);
    else if (is_news)
        log_info("interface %s: programs of others have gone from its device", interface->name);
    free(interface->strangers);
    interface->strangers = strangers;
    return is_news;
}

static bool look_for_strangers(struct interface *interface)
{
    struct buffer strangers = BUFFER_INIT;

    datapath_port_look(interface->bridge->vswitch->datapath, interface->dp_port, &strangers);
    if (!strangers.size) {
        buffer_fini(&strangers);
        return note_strangers(interface, NULL);
    }
    return note_strangers(interface, buffer_take_text(&strangers));
}

bool interface_look(struct interface *interface)
{
    const struct error before = interface->fastpath_refusal;

    interface->is_to_be_looked_at = false;
    if (interface->dp_port == DP_PORT_NONE)
        return false;
    bool is_news = look_for_strangers(interface);
    apply_fastpath(interface);
    return is_news || strcmp(before.message, interface->fastpath_refusal.message);
}

static void open_device(struct interface *interface)
{
    const struct wanted_interface *settings = interface->settings;
    struct vswitch *vswitch = interface->bridge->vswitch;
    bool is_internal = settings->type == INTERFACE_INTERNAL;
    const struct dp_port_config config = {
        .name = settings->name,
        .type = is_internal ? DP_PORT_INTERNAL : DP_PORT_NETDEV,
        .mac = is_internal ? &settings->mac : NULL,
        .mtu = is_internal ? settings->mtu_request : 0,
    };

    if (!is_internal && !netdevs_find(vswitch->netdevs, settings->name)) {
        error_set(&interface->error, -ENODEV, "could not open network device %s (No such device)",
                  settings->name);
        return;
    }
    if (datapath_port_add(vswitch->datapath, &config, &interface->dp_port, &interface->error)) {
        interface->dp_port = DP_PORT_NONE;
        return;
    }
    vswitch->by_dp_port[interface->dp_port] = interface;
    netdevs_refresh(vswitch->netdevs, settings->name);
    apply_device_settings(interface);
    look_for_strangers(interface);
    const struct netdev *netdev = interface_netdev(interface);
    interface->ifindex = netdev ? netdev->link.ifindex : 0;
    interface->arrival = netdev ? netdev->arrival : 0;
    memset(&interface->driver, 0, sizeof interface->driver);
    link_get_driver(settings->name, &interface->driver, NULL);
}

void interface_open(struct interface *interface)
{
    const struct error before = interface->error;

    if (interface->settings->error.code) {
        interface->error = interface->settings->error;
    } else if (interface->settings->type != INTERFACE_PATCH && !interface_is_open(interface)) {
        interface->error = (struct error)ERROR_INIT;
        open_device(interface);
    } else {
        return;
    }
    if (interface->error.code && strcmp(interface->error.message, before.message))
        log_warn("bridge %s: %s", interface->bridge->name, interface->error.message);
    else if (interface_is_open(interface))
        log_info("bridge %s: added interface %s", interface->bridge->name, interface->name);
}

void interface_close(struct interface *interface)
{
    struct vswitch *vswitch = interface->bridge->vswitch;

    if (interface->dp_port == DP_PORT_NONE)
        return;
    vswitch->by_dp_port[interface->dp_port] = NULL;
    datapath_port_remove(vswitch->datapath, interface->dp_port);
    interface->dp_port = DP_PORT_NONE;
    interface->ifindex = 0;
    free(interface->strangers);
    interface->strangers = NULL;
    netdevs_refresh(vswitch->netdevs, interface->name);
}

bool interface_has_lost_device(const struct interface *interface)
{
    const struct netdev *netdev = interface_netdev(interface);

    return interface->dp_port != DP_PORT_NONE && (!netdev || netdev->arrival != interface->arrival);
}

void interface_set_settings_take(struct interface *interface, struct wanted_interface *settings)
{
    wanted_interface_destroy(interface->settings);
    interface->settings = settings;
    if (interface->dp_port != DP_PORT_NONE) {
        interface->error = (struct error)ERROR_INIT;
        apply_device_settings(interface);
    }
}

bool interface_is_up(const struct interface *interface)
{
    const struct netdev *netdev = interface_netdev(interface);

    if (interface->settings->type == INTERFACE_PATCH)
        return true;
    return netdev && netdev->link.flags & IFF_UP && netdev->link.has_carrier;
}

static uint32_t features_of_speed(uint32_t mbps, bool is_full_duplex)
{
    switch (mbps) {
    case 10:
        return is_full_duplex ? OFPPF_10MB_FD : OFPPF_10MB_HD;
    case 100:
        return is_full_duplex ? OFPPF_100MB_FD : OFPPF_100MB_HD;
    case 1000:
        return is_full_duplex ? OFPPF_1GB_FD : OFPPF_1GB_HD;
    case 10000:
        return OFPPF_10GB_FD;
    case 40000:
        return OFPPF_40GB_FD;
    case 100000:
        return OFPPF_100GB_FD;
    case 1000000:
        return OFPPF_1TB_FD;
    default:
        return mbps ? OFPPF_OTHER : 0;
    }
}

static uint32_t features_of_modes(uint32_t modes)
{
    static const struct {
        uint32_t mode, feature;
    } table[] = {
        {ETHTOOL_LINK_MODE_10baseT_Half_BIT, OFPPF_10MB_HD},
        {ETHTOOL_LINK_MODE_10baseT_Full_BIT, OFPPF_10MB_FD},
        {ETHTOOL_LINK_MODE_100baseT_Half_BIT, OFPPF_100MB_HD},
        {ETHTOOL_LINK_MODE_100baseT_Full_BIT, OFPPF_100MB_FD},
        {ETHTOOL_LINK_MODE_1000baseT_Half_BIT, OFPPF_1GB_HD},
        {ETHTOOL_LINK_MODE_1000baseT_Full_BIT, OFPPF_1GB_FD},
        {ETHTOOL_LINK_MODE_10000baseT_Full_BIT, OFPPF_10GB_FD},
        {ETHTOOL_LINK_MODE_TP_BIT, OFPPF_COPPER},
        {ETHTOOL_LINK_MODE_FIBRE_BIT, OFPPF_FIBER},
        {ETHTOOL_LINK_MODE_Autoneg_BIT, OFPPF_AUTONEG},
        {ETHTOOL_LINK_MODE_Pause_BIT, OFPPF_PAUSE},
        {ETHTOOL_LINK_MODE_Asym_Pause_BIT, OFPPF_PAUSE_ASYM},
    };
    uint32_t features = 0;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        features |= modes >> table[i].mode & 1 ? table[i].feature : 0;
    return features;
}

static uint32_t fastest_kbps(uint32_t features)
{
    if (features & OFPPF_10GB_FD)
        return 10000000;
    if (features & (OFPPF_1GB_HD | OFPPF_1GB_FD))
        return 1000000;
    if (features & (OFPPF_100MB_HD | OFPPF_100MB_FD))
        return 100000;
    return features & (OFPPF_10MB_HD | OFPPF_10MB_FD) ? 10000 : 0;
}

/* What the device can do is told only as far as OpenFlow had names for it in 1.0. */
static void describe_link(const struct link_driver *driver, struct of_port_info *info)
{
    info->current = features_of_speed(driver->speed_mbps, driver->is_full_duplex) |
                    (driver->is_copper ? OFPPF_COPPER : 0U) |
                    (driver->is_fiber ? OFPPF_FIBER : 0U) |
                    (driver->is_negotiated ? OFPPF_AUTONEG : 0U);
    info->supported = features_of_modes(driver->supported);
    info->advertised = features_of_modes(driver->advertised);
    info->current_speed_kbps = driver->speed_mbps * 1000;
    info->max_speed_kbps = fastest_kbps(info->supported);
}

void interface_describe(const struct interface *interface, struct of_port_info *info)
{
    const struct netdev *netdev = interface_netdev(interface);

    memset(info, 0, sizeof *info);
    info->port = interface->ofport;
    snprintf(info->name, sizeof info->name - 1, "%s", interface->name);
    info->config = interface->config;
    if (interface->settings->type == INTERFACE_PATCH) {
        info->state = OFPPS_LIVE;
        return;
    }
    if (netdev)
        info->mac = netdev->link.mac;
    if (!netdev || !(netdev->link.flags & IFF_UP))
        info->config |= OFPPC_PORT_DOWN;
    info->state = interface_is_up(interface) ? OFPPS_LIVE : OFPPS_LINK_DOWN;
    describe_link(&interface->driver, info);
}

void interface_get_stats(const struct interface *interface, struct interface_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    if (interface->counters) {
        const struct port_counters *counters = interface->counters;
        stats->port.rx_packets = atomic_load_explicit(&counters->rx_packets, memory_order_relaxed);
        stats->port.rx_bytes = atomic_load_explicit(&counters->rx_bytes, memory_order_relaxed);
        stats->port.tx_packets = atomic_load_explicit(&counters->tx_packets, memory_order_relaxed);
        stats->port.tx_bytes = atomic_load_explicit(&counters->tx_bytes, memory_order_relaxed);
    }
    if (interface->dp_port == DP_PORT_NONE)
        return;
    datapath_port_get_stats(interface->bridge->vswitch->datapath, interface->dp_port, &stats->port);
    stats->has_link = !link_get_stats(interface->name, &stats->link, NULL);
}
