/* SPDX-License-Identifier: Apache-2.0 */

/* IFLA_TARGET_NETNSID asks for a link of another namespace by the number it has in ours. */

#include "lib/netlink/peer.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <string.h>

#include "lib/netlink/qdisc.h"

#ifndef IFLA_TARGET_NETNSID
#define IFLA_TARGET_NETNSID 46
#endif

static bool parse_xdp(struct nlattr *attribute)
{
    struct nlattr *nested[IFLA_XDP_MAX + 1];

    return !nla_parse_nested(nested, IFLA_XDP_MAX, attribute, NULL) && nested[IFLA_XDP_ATTACHED] &&
           nla_get_u8(nested[IFLA_XDP_ATTACHED]);
}

static int on_link(struct nl_msg *message, void *arg)
{
    struct link_peer *peer = arg;
    struct nlmsghdr *header = nlmsg_hdr(message);
    struct ifinfomsg *info = nlmsg_data(header);
    struct nlattr *attributes[IFLA_MAX + 1];

    if (header->nlmsg_type != RTM_NEWLINK ||
        nlmsg_parse(header, sizeof *info, attributes, IFLA_MAX, NULL) < 0)
        return NL_SKIP;
    peer->flags = info->ifi_flags;
    if (attributes[IFLA_ADDRESS] && nla_len(attributes[IFLA_ADDRESS]) == sizeof peer->mac)
        memcpy(&peer->mac, nla_data(attributes[IFLA_ADDRESS]), sizeof peer->mac);
    if (attributes[IFLA_MTU])
        peer->mtu = (int)nla_get_u32(attributes[IFLA_MTU]);
    peer->has_xdp = attributes[IFLA_XDP] && parse_xdp(attributes[IFLA_XDP]);
    return NL_OK;
}

static int ask(struct nl_sock *sock, int32_t namespace, int ifindex, struct link_peer *peer)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    struct nl_msg *message = nlmsg_alloc_simple(RTM_GETLINK, 0);
    int code = -NLE_NOMEM;

    memset(peer, 0, sizeof *peer);
    if (message && !nlmsg_append(message, &info, sizeof info, NLMSG_ALIGNTO) &&
        !nla_put_s32(message, IFLA_TARGET_NETNSID, namespace)) {
        nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_link, peer);
        code = nl_send_auto(sock, message);
        if (code >= 0)
            code = nl_recvmsgs_default(sock);
    }
    nlmsg_free(message);
    return code < 0 ? -EIO : 0;
}

/* The namespace and index of the other end. */
static int find(struct nl_sock *sock, int ifindex, int32_t *namespace, int *peer_ifindex)
{
    struct rtnl_link *link;

    if (rtnl_link_get_kernel(sock, ifindex, NULL, &link) < 0)
        return -ENODEV;
    const char *kind = rtnl_link_get_type(link), *qdisc = rtnl_link_get_qdisc(link);
    bool is_veth = kind && !strcmp(kind, "veth");
    bool is_plain = qdisc && !strcmp(qdisc, "noqueue");

    *peer_ifindex = rtnl_link_get_link(link);
    bool is_elsewhere = rtnl_link_get_link_netnsid(link, namespace) >= 0 && *namespace >= 0;
    rtnl_link_put(link);
    return is_veth && is_plain && is_elsewhere && *peer_ifindex > 0 ? 0 : -ENOENT;
}

int link_get_peer(int ifindex, struct link_peer *peer)
{
    struct nl_sock *sock = nl_socket_alloc();
    int32_t namespace = -1;
    int peer_ifindex, code;

    if (!sock)
        return -ENOMEM;
    code = nl_connect(sock, NETLINK_ROUTE) < 0 ? -EIO : 0;
    if (!code)
        code = find(sock, ifindex, &namespace, &peer_ifindex);
    if (!code && qdisc_n_egress_filters(ifindex) != 0)
        code = -ENOENT;
    if (!code) {
        nl_socket_disable_seq_check(sock);
        code = ask(sock, namespace, peer_ifindex, peer);
    }
    nl_socket_free(sock);
    return code;
}
