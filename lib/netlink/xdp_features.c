/* SPDX-License-Identifier: Apache-2.0 */

/* The generic netlink family "netdev" (Documentation/netlink/specs/netdev.yaml); its header is younger than
 * what we build on. */

#include "lib/netlink/xdp_features.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/annotations.h"

enum {
    NETDEV_DEV_GET = 1,
    NETDEV_IFINDEX = 1,
    NETDEV_XDP_FEATURES = 3,
    NETDEV_XDP_RX_METADATA = 5,
    HAS_BASIC = 1 << 0,
    HAS_NDO_XMIT = 1 << 2,
    HAS_RX_VLAN_TAG = 1 << 2,
    REPLY_BYTES = 8192,
};

static int keep_attribute(const struct nlattr *attr, void *arg)
{
    const struct nlattr **attrs = arg;

    if (mnl_attr_get_type(attr) <= CTRL_ATTR_MCAST_GROUPS)
        attrs[mnl_attr_get_type(attr)] = attr;
    return MNL_CB_OK;
}

static int keep_attributes(const struct nlmsghdr *message, void *arg)
{
    return mnl_attr_parse(message, sizeof(struct genlmsghdr), keep_attribute, arg);
}

/* One question; 'attrs' point into 'reply'.  0 or negative errno. */
static int ask(struct mnl_socket *sock, uint16_t family, uint8_t command, uint16_t attr,
               const void *value, size_t n_bytes, uint8_t reply[static REPLY_BYTES],
               const struct nlattr *attrs[static CTRL_ATTR_MCAST_GROUPS + 1])
{
    uint8_t request[256];
    struct nlmsghdr *message = mnl_nlmsg_put_header(request);
    struct genlmsghdr *header;

    message->nlmsg_type = family;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = 1;
    header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->cmd = command;
    header->version = 1;
    mnl_attr_put(message, attr, n_bytes, value);
    if (mnl_socket_sendto(sock, message, message->nlmsg_len) < 0)
        return -errno;
    ssize_t n = mnl_socket_recvfrom(sock, reply, REPLY_BYTES);
    if (n < 0)
        return -errno;
    memset(attrs, 0, sizeof *attrs * (CTRL_ATTR_MCAST_GROUPS + 1));
    return mnl_cb_run(reply, (size_t)n, 1, mnl_socket_get_portid(sock), keep_attributes, attrs) < 0
               ? -errno
               : 0;
}

/* Absent: 0. */
static uint64_t flags_of(const struct nlattr *attr)
{
    return attr && mnl_attr_get_payload_len(attr) == sizeof(uint64_t) ? mnl_attr_get_u64(attr) : 0;
}

static int get(struct mnl_socket *sock, int ifindex, struct xdp_features *features)
{
    const struct nlattr *attrs[CTRL_ATTR_MCAST_GROUPS + 1];
    uint8_t reply[REPLY_BYTES];
    uint32_t index = (uint32_t)ifindex;
    int code = ask(sock, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, "netdev",
                   sizeof "netdev", reply, attrs);

    if (code || !attrs[CTRL_ATTR_FAMILY_ID])
        return code == -ENOENT || !code ? -EOPNOTSUPP : code;
    code = ask(sock, mnl_attr_get_u16(attrs[CTRL_ATTR_FAMILY_ID]), NETDEV_DEV_GET, NETDEV_IFINDEX,
               &index, sizeof index, reply, attrs);
    if (code)
        return code;
    uint64_t flags = flags_of(attrs[NETDEV_XDP_FEATURES]);
    features->is_native = flags & HAS_BASIC;
    features->can_be_sent_to = flags & HAS_NDO_XMIT;
    features->shows_tags = flags_of(attrs[NETDEV_XDP_RX_METADATA]) & HAS_RX_VLAN_TAG;
    return 0;
}

int xdp_features_get(int ifindex, struct xdp_features *features, struct error *error)
{
    struct mnl_socket *sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
    int code;

    memset(features, 0, sizeof *features);
    if (!sock)
        return error_set_errno(error, -errno, "cannot ask the kernel about XDP");
    code = mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : get(sock, ifindex, features);
    mnl_socket_close(sock);
    if (code)
        return error_set_errno(error, code, "interface number %d: cannot ask about XDP", ifindex);
    return 0;
}

bool xdp_features_takes_tags_out(const char *name)
{
    struct ethtool_value value = {.cmd = ETHTOOL_GFLAGS};
    struct ifreq request = {.ifr_data = (void *)&value};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), code;

    if (fd < 0)
        return true;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    code = ioctl(fd, SIOCETHTOOL, &request);
    close(fd);
    return code || value.data & ETH_FLAG_RXVLAN;
}
