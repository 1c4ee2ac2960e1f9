/* SPDX-License-Identifier: Apache-2.0 */

/* Each classifier of a dump comes first as a whole, without a handle, and then filter by filter. */

#include "lib/netlink/tc_filters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 32 * 1024 };

struct listing {
    struct tc_filter *filters;
    size_t n, max;
};

static void parse_options(const struct nlattr *options, struct tc_filter *filter)
{
    const struct nlattr *attr;

    mnl_attr_for_each_nested(attr, options)
    {
        if (mnl_attr_get_type(attr) == TCA_BPF_ID &&
            mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
            filter->program_id = mnl_attr_get_u32(attr);
    }
}

static int on_message(const struct nlmsghdr *message, void *aux)
{
    struct listing *listing = aux;
    const struct tcmsg *header = mnl_nlmsg_get_payload(message);
    struct tc_filter filter = {.kind = ""};
    const struct nlattr *attr, *options = NULL;

    if (message->nlmsg_type != RTM_NEWTFILTER ||
        mnl_nlmsg_get_payload_len(message) < sizeof *header || !header->tcm_handle)
        return MNL_CB_OK;
    filter.priority = (uint16_t)(header->tcm_info >> 16);
    filter.handle = header->tcm_handle;
    mnl_attr_for_each(attr, message, sizeof *header)
    {
        if (mnl_attr_get_type(attr) == TCA_KIND && !mnl_attr_validate(attr, MNL_TYPE_STRING))
            snprintf(filter.kind, sizeof filter.kind, "%.*s", mnl_attr_get_payload_len(attr),
                     mnl_attr_get_str(attr));
        else if (mnl_attr_get_type(attr) == TCA_OPTIONS)
            options = attr;
    }
    if (options && !strcmp(filter.kind, "bpf"))
        parse_options(options, &filter);
    if (listing->n < listing->max)
        listing->filters[listing->n++] = filter;
    return MNL_CB_OK;
}

static int receive(struct mnl_socket *sock, struct listing *listing)
{
    char bytes[MESSAGE_BYTES];
    int more = MNL_CB_OK;

    while (more > MNL_CB_STOP) {
        ssize_t n = mnl_socket_recvfrom(sock, bytes, sizeof bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -EIO;
        more = mnl_cb_run(bytes, (size_t)n, 0, mnl_socket_get_portid(sock), on_message, listing);
    }
    return more < 0 ? -errno : 0;
}

int tc_filters_list(int ifindex, bool is_egress, struct tc_filter *filters, size_t max)
{
    struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    struct listing listing = {.filters = filters, .max = max};
    char bytes[256];
    int code = 0;

    if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
        code = -errno;

    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_GETTFILTER;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct tcmsg *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
    header->tcm_ifindex = ifindex;
    header->tcm_parent = TC_H_MAKE(TC_H_CLSACT, is_egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
    if (!code && mnl_socket_sendto(sock, request, request->nlmsg_len) < 0)
        code = -errno;
    if (!code)
        code = receive(sock, &listing);
    if (sock)
        mnl_socket_close(sock);
    return code ? code : (int)listing.n;
}
