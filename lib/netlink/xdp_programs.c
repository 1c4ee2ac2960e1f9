/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/netlink/xdp_programs.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { MESSAGE_BYTES = 32 * 1024 };

void xdp_programs_parse(const struct nlattr *xdp, struct xdp_programs *programs)
{
    const struct nlattr *attr;

    mnl_attr_for_each_nested(attr, xdp)
    {
        if (mnl_attr_get_payload_len(attr) != sizeof(uint32_t))
            continue;
        switch (mnl_attr_get_type(attr)) {
        case IFLA_XDP_DRV_PROG_ID:
            programs->native = mnl_attr_get_u32(attr);
            break;
        case IFLA_XDP_SKB_PROG_ID:
            programs->generic = mnl_attr_get_u32(attr);
            break;
        case IFLA_XDP_HW_PROG_ID:
            programs->hardware = mnl_attr_get_u32(attr);
            break;
        }
    }
}

static int on_message(const struct nlmsghdr *message, void *programs)
{
    const struct nlattr *attr;

    if (message->nlmsg_type != RTM_NEWLINK ||
        mnl_nlmsg_get_payload_len(message) < sizeof(struct ifinfomsg))
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
    {
        if (mnl_attr_get_type(attr) == IFLA_XDP)
            xdp_programs_parse(attr, programs);
    }
    return MNL_CB_STOP;
}

int xdp_programs_get(int ifindex, struct xdp_programs *programs)
{
    struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    char bytes[MESSAGE_BYTES];
    ssize_t n = -1;
    int code = 0;

    memset(programs, 0, sizeof *programs);
    if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
        code = -errno;

    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST;
    struct ifinfomsg *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
    header->ifi_index = ifindex;
    mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    if (!code && mnl_socket_sendto(sock, request, request->nlmsg_len) < 0)
        code = -errno;
    if (!code)
        n = mnl_socket_recvfrom(sock, bytes, sizeof bytes);
    if (!code && (n < 0 || mnl_cb_run(bytes, (size_t)n, 0, mnl_socket_get_portid(sock), on_message,
                                      programs) < 0))
        code = -errno;
    if (sock)
        mnl_socket_close(sock);
    return code;
}
