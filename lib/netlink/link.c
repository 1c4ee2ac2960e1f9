/* SPDX-License-Identifier: Apache-2.0 */

/* libnl builds the requests; its error codes become errno here. */

#include "lib/netlink/link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOWER_UP = 1 << 16 }; /* IFF_LOWER_UP, which <net/if.h> lacks: carrier. */

static int errno_of_nl(int nl_error)
{
    static const struct {
        int nl, code;
    } codes[] = {
        {NLE_NODEV, ENODEV},         {NLE_OBJ_NOTFOUND, ENODEV}, {NLE_PERM, EPERM},
        {NLE_NOACCESS, EACCES},      {NLE_BUSY, EBUSY},          {NLE_EXIST, EEXIST},
        {NLE_OPNOTSUPP, EOPNOTSUPP}, {NLE_RANGE, ERANGE},        {NLE_NOMEM, ENOMEM},
        {NLE_NOADDR, EADDRNOTAVAIL},
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].nl == -nl_error || codes[i].nl == nl_error)
            return -codes[i].code;
    return -EINVAL;
}

static int open_socket(struct nl_sock **sock, const char *name, struct error *error)
{
    *sock = nl_socket_alloc();
    if (!*sock)
        return error_set(error, -ENOMEM, "%s: out of memory", name);
    int code = nl_connect(*sock, NETLINK_ROUTE);
    if (code < 0) {
        nl_socket_free(*sock);
        return error_set(error, errno_of_nl(code), "%s: cannot open a netlink socket: %s", name,
                         nl_geterror(code));
    }
    return 0;
}

/* The link as the kernel has it; rtnl_link_put() it. */
static int get_link(int ifindex, const char *name, struct rtnl_link **link, struct error *error)
{
    struct nl_sock *sock;
    int code = open_socket(&sock, name, error);

    if (code)
        return code;
    code = rtnl_link_get_kernel(sock, ifindex, ifindex ? NULL : name, link);
    nl_socket_free(sock);
    if (code >= 0)
        return 0;
    code = errno_of_nl(code);
    if (code == -ENODEV)
        return error_set(error, code, "%s: no such interface", name);
    return error_set_errno(error, code, "%s: cannot look up the interface", name);
}

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

static void describe(struct rtnl_link *link, struct link_info *info)
{
    struct nl_addr *addr = rtnl_link_get_addr(link);

    memset(info, 0, sizeof *info);
    info->ifindex = rtnl_link_get_ifindex(link);
    copy_text(info->name, sizeof info->name, rtnl_link_get_name(link));
    copy_text(info->kind, sizeof info->kind, rtnl_link_get_type(link));
    info->flags = rtnl_link_get_flags(link);
    info->has_carrier = info->flags & LOWER_UP;
    if (addr && nl_addr_get_len(addr) == sizeof info->mac)
        memcpy(&info->mac, nl_addr_get_binary_addr(addr), sizeof info->mac);
    info->mtu = (int)rtnl_link_get_mtu(link);
    info->master_ifindex = rtnl_link_get_master(link);
}

int link_get(const char *name, struct link_info *info, struct error *error)
{
    struct rtnl_link *link;

    if (!name[0] || strlen(name) >= IFNAMSIZ) /* The kernel would cut it. */
        return error_set(error, -ENODEV, "%s: no such interface", name);
    int code = get_link(0, name, &link, error);
    if (code)
        return code;
    describe(link, info);
    rtnl_link_put(link);
    return 0;
}

int link_get_by_index(int ifindex, struct link_info *info, struct error *error)
{
    struct rtnl_link *link;
    char name[32];

    snprintf(name, sizeof name, "interface number %d", ifindex);
    if (ifindex <= 0)
        return error_set(error, -ENODEV, "%s: no such interface", name);
    int code = get_link(ifindex, name, &link, error);
    if (code)
        return code;
    describe(link, info);
    rtnl_link_put(link);
    return 0;
}

int link_get_stats(const char *name, struct link_stats *stats, struct error *error)
{
    struct rtnl_link *link;

    memset(stats, 0, sizeof *stats);
    int code = get_link(0, name, &link, error);
    if (code)
        return code;
    stats->rx_packets = rtnl_link_get_stat(link, RTNL_LINK_RX_PACKETS);
    stats->rx_bytes = rtnl_link_get_stat(link, RTNL_LINK_RX_BYTES);
    stats->rx_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_ERRORS);
    stats->rx_dropped = rtnl_link_get_stat(link, RTNL_LINK_RX_DROPPED);
    stats->tx_packets = rtnl_link_get_stat(link, RTNL_LINK_TX_PACKETS);
    stats->tx_bytes = rtnl_link_get_stat(link, RTNL_LINK_TX_BYTES);
    stats->tx_errors = rtnl_link_get_stat(link, RTNL_LINK_TX_ERRORS);
    stats->tx_dropped = rtnl_link_get_stat(link, RTNL_LINK_TX_DROPPED);
    stats->multicast = rtnl_link_get_stat(link, RTNL_LINK_MULTICAST);
    stats->collisions = rtnl_link_get_stat(link, RTNL_LINK_COLLISIONS);
    stats->rx_over_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_OVER_ERR);
    stats->rx_crc_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_CRC_ERR);
    stats->rx_frame_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_FRAME_ERR);
    stats->rx_fifo_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_FIFO_ERR);
    stats->rx_missed_errors = rtnl_link_get_stat(link, RTNL_LINK_RX_MISSED_ERR);
    rtnl_link_put(link);
    return 0;
}

/* Drivers */

static int ethtool(int fd, const char *name, void *command)
{
    struct ifreq request = {.ifr_data = command};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

static void get_speed(int fd, const char *name, struct link_driver *driver)
{
    union {
        struct ethtool_link_settings settings;
        /* Three masks follow, of as many words as a signed char can count. */
        uint8_t room[sizeof(struct ethtool_link_settings) + 3 * 127 * sizeof(uint32_t)];
    } command = {.settings.cmd = ETHTOOL_GLINKSETTINGS};

    /* The first call is answered by the size of the masks, negated. */
    if (ethtool(fd, name, &command) || command.settings.link_mode_masks_nwords >= 0)
        return;
    command.settings.link_mode_masks_nwords = (int8_t)-command.settings.link_mode_masks_nwords;
    command.settings.cmd = ETHTOOL_GLINKSETTINGS;
    if (ethtool(fd, name, &command))
        return;
    if (command.settings.speed != (uint32_t)SPEED_UNKNOWN)
        driver->speed_mbps = command.settings.speed;
    driver->is_full_duplex = command.settings.duplex == DUPLEX_FULL;
    driver->is_copper = command.settings.port == PORT_TP;
    driver->is_fiber = command.settings.port == PORT_FIBRE;
    driver->is_negotiated = command.settings.autoneg == AUTONEG_ENABLE;
    driver->supported = command.settings.link_mode_masks[0];
    driver->advertised = command.settings.link_mode_masks[command.settings.link_mode_masks_nwords];
}

int link_get_driver(const char *name, struct link_driver *driver, struct error *error)
{
    struct ethtool_drvinfo command = {.cmd = ETHTOOL_GDRVINFO};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), code;

    memset(driver, 0, sizeof *driver);
    if (fd < 0)
        return error_set_errno(error, -errno, "%s: cannot open a socket", name);
    code = ethtool(fd, name, &command);
    if (!code) {
        snprintf(driver->name, sizeof driver->name, "%s", command.driver);
        snprintf(driver->version, sizeof driver->version, "%s", command.version);
        snprintf(driver->firmware, sizeof driver->firmware, "%s", command.fw_version);
        snprintf(driver->bus, sizeof driver->bus, "%s", command.bus_info);
        get_speed(fd, name, driver);
    }
    close(fd);
    if (code == -ENODEV)
        return error_set(error, code, "%s: no such interface", name);
    return code ? error_set_errno(error, code, "%s: cannot ask the driver", name) : 0;
}

/* Changes */

static int change_link(const char *name, struct rtnl_link *changes, const char *what,
                       struct error *error)
{
    struct link_info info;
    struct nl_sock *sock;
    int code = changes ? link_get(name, &info, error)
                       : error_set(error, -ENOMEM, "%s: out of memory", name);

    if (!code)
        code = open_socket(&sock, name, error);
    if (!code) {
        struct rtnl_link *link = rtnl_link_alloc();

        rtnl_link_set_ifindex(link, info.ifindex);
        code = rtnl_link_change(sock, link, changes, 0);
        if (code < 0)
            code = error_set_errno(error, errno_of_nl(code), "%s: cannot %s", name, what);
        rtnl_link_put(link);
        nl_socket_free(sock);
    }
    if (changes)
        rtnl_link_put(changes);
    return code < 0 ? code : 0;
}

int link_set_up(const char *name, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();

    if (changes)
        rtnl_link_set_flags(changes, IFF_UP);
    return change_link(name, changes, "set it up", error);
}

int link_set_down(const char *name, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();

    if (changes)
        rtnl_link_unset_flags(changes, IFF_UP);
    return change_link(name, changes, "set it down", error);
}

int link_set_mtu(const char *name, int mtu, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();
    char what[64];

    snprintf(what, sizeof what, "set its MTU to %d", mtu);
    if (changes)
        rtnl_link_set_mtu(changes, (unsigned int)mtu);
    return change_link(name, changes, what, error);
}

int link_set_mac(const char *name, struct mac mac, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();
    struct nl_addr *addr = nl_addr_build(AF_LLC, &mac, sizeof mac);

    if (changes && addr)
        rtnl_link_set_addr(changes, addr);
    if (addr)
        nl_addr_put(addr);
    return change_link(name, changes, "set its MAC address", error);
}

int link_set_txqlen(const char *name, unsigned int n_frames, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();

    if (changes)
        rtnl_link_set_txqlen(changes, n_frames);
    return change_link(name, changes, "set its queue length", error);
}

int link_set_alias(const char *name, const char *alias, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();

    if (changes)
        rtnl_link_set_ifalias(changes, alias);
    return change_link(name, changes, "set its alias", error);
}

int link_get_alias(const char *name, char *alias, size_t n_bytes, struct error *error)
{
    struct rtnl_link *link;
    int code = get_link(0, name, &link, error);

    if (code)
        return code;
    copy_text(alias, n_bytes, rtnl_link_get_ifalias(link));
    rtnl_link_put(link);
    return 0;
}

bool link_is_plugged(const char *name)
{
    struct rtnl_link *link;

    if (get_link(0, name, &link, NULL))
        return false;
    bool is_plugged = rtnl_link_get_carrier(link);
    rtnl_link_put(link);
    return is_plugged;
}

int link_set_promiscuous(const char *name, bool is_promiscuous, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();

    if (changes && is_promiscuous)
        rtnl_link_set_flags(changes, IFF_PROMISC);
    else if (changes)
        rtnl_link_unset_flags(changes, IFF_PROMISC);
    return change_link(name, changes, "set whether it is promiscuous", error);
}

int link_set_silent(const char *name, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();

    if (changes) {
        rtnl_link_set_flags(changes, IFF_NOARP);
        rtnl_link_inet6_set_addr_gen_mode(changes, IN6_ADDR_GEN_MODE_NONE);
    }
    return change_link(name, changes, "keep it silent", error);
}

/* One that is up cannot be renamed before Linux 6.2. */
int link_rename(const char *name, const char *new_name, struct error *error)
{
    struct rtnl_link *changes = rtnl_link_alloc();
    struct link_info info;

    if (link_get(name, &info, error) == 0 && info.flags & IFF_UP)
        link_set_down(name, NULL);
    if (changes)
        rtnl_link_set_name(changes, new_name);
    return change_link(name, changes, "rename it", error);
}

int link_delete(const char *name, struct error *error)
{
    struct link_info info;
    struct nl_sock *sock;
    int code = link_get(name, &info, error);

    if (!code)
        code = open_socket(&sock, name, error);
    if (code)
        return code;
    struct rtnl_link *link = rtnl_link_alloc();
    rtnl_link_set_ifindex(link, info.ifindex);
    code = rtnl_link_delete(sock, link);
    rtnl_link_put(link);
    nl_socket_free(sock);
    return code < 0 ? error_set_errno(error, errno_of_nl(code), "%s: cannot delete it", name) : 0;
}
