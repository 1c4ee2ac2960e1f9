/* SPDX-License-Identifier: Apache-2.0 */

/* libmnl reads the stream.  A socket keeps the namespace it was opened in. */

#include "lib/netlink/link_watch.h"

#include <errno.h>
#include <ev.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"

enum { LOWER_UP = 1 << 16, MESSAGE_BYTES = 32 * 1024, RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024 };

struct link_watch {
    struct ev_loop *loop;
    struct mnl_socket *sock;
    ev_io io;
    link_watch_callback *callback;
    void *aux;
};

static void parse_kind(const struct nlattr *link_info, struct link_info *info)
{
    const struct nlattr *attr;

    mnl_attr_for_each_nested(attr, link_info) if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
                                                  !mnl_attr_validate(attr, MNL_TYPE_STRING))
        snprintf(info->kind, sizeof info->kind, "%.*s", mnl_attr_get_payload_len(attr),
                 mnl_attr_get_str(attr));
}

static void parse_attribute(const struct nlattr *attr, struct link_event *event)
{
    struct link_info *info = &event->info;
    uint16_t n_bytes = mnl_attr_get_payload_len(attr);

    switch (mnl_attr_get_type(attr)) {
    case IFLA_IFNAME:
        snprintf(info->name, sizeof info->name, "%.*s", n_bytes, mnl_attr_get_str(attr));
        break;
    case IFLA_MTU:
        if (n_bytes == sizeof(uint32_t))
            info->mtu = (int)mnl_attr_get_u32(attr);
        break;
    case IFLA_MASTER:
        if (n_bytes == sizeof(uint32_t))
            info->master_ifindex = (int)mnl_attr_get_u32(attr);
        break;
    case IFLA_ADDRESS:
        if (n_bytes == sizeof info->mac)
            memcpy(&info->mac, mnl_attr_get_payload(attr), sizeof info->mac);
        break;
    case IFLA_LINKINFO:
        parse_kind(attr, info);
        break;
    case IFLA_XDP:
        xdp_programs_parse(attr, &event->xdp);
        break;
    }
}

/* False: it is no message about a link as such. */
static bool parse_link(const struct nlmsghdr *message, struct link_event *event)
{
    const struct ifinfomsg *header;
    const struct nlattr *attr;

    if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK)
        return false;
    if (mnl_nlmsg_get_payload_len(message) < sizeof *header)
        return false;
    header = mnl_nlmsg_get_payload(message);
    if (header->ifi_family != AF_UNSPEC) /* A bridge port's, for example. */
        return false;

    memset(event, 0, sizeof *event);
    event->kind = message->nlmsg_type == RTM_NEWLINK ? LINK_WATCH_CHANGED : LINK_WATCH_GONE;
    event->info.ifindex = header->ifi_index;
    event->info.flags = header->ifi_flags;
    event->info.has_carrier = header->ifi_flags & LOWER_UP;
    mnl_attr_for_each(attr, message, sizeof *header) parse_attribute(attr, event);
    return true;
}

/* False: nothing has happened to filters. */
static bool parse_filters(const struct nlmsghdr *message, struct link_event *event)
{
    const struct tcmsg *header;

    if ((message->nlmsg_type != RTM_NEWTFILTER && message->nlmsg_type != RTM_DELTFILTER &&
         message->nlmsg_type != RTM_DELQDISC) ||
        mnl_nlmsg_get_payload_len(message) < sizeof *header)
        return false;
    header = mnl_nlmsg_get_payload(message);
    memset(event, 0, sizeof *event);
    event->kind = LINK_WATCH_FILTERS;
    event->info.ifindex = header->tcm_ifindex;
    return true;
}

/* Calls back for each message in 'n' bytes.  True: the end of a dump was among them. */
static bool handle_messages(struct link_watch *watch, const void *bytes, int n)
{
    const struct nlmsghdr *message = bytes;

    for (; mnl_nlmsg_ok(message, n); message = mnl_nlmsg_next(message, &n)) {
        struct link_event event;

        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            return true;
        if (parse_link(message, &event) || parse_filters(message, &event))
            watch->callback(watch->aux, &event);
    }
    return false;
}

static void on_readable(struct ev_loop *loop UNUSED, ev_io *io, int events UNUSED)
{
    struct link_watch *watch = CONTAINER_OF(io, struct link_watch, io);
    char bytes[MESSAGE_BYTES];
    ssize_t n;

    while ((n = recv(io->fd, bytes, sizeof bytes, MSG_DONTWAIT)) != 0) {
        if (n > 0) {
            handle_messages(watch, bytes, (int)n);
        } else if (errno == ENOBUFS) {
            const struct link_event event = {.kind = LINK_WATCH_OVERFLOW};

            watch->callback(watch->aux, &event);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* Devices come in crowds when a host starts containers. */
static void enlarge_buffer(int fd)
{
    int n_bytes = RECEIVE_BUFFER_BYTES;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n_bytes, sizeof n_bytes))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n_bytes, sizeof n_bytes);
}

struct link_watch *link_watch_create(struct ev_loop *loop, link_watch_callback *callback, void *aux,
                                     struct error *error)
{
    struct link_watch *watch = calloc(1, sizeof *watch);

    if (!watch) {
        error_set(error, -ENOMEM, "cannot watch interfaces: out of memory");
        return NULL;
    }
    watch->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!watch->sock ||
        mnl_socket_bind(watch->sock, RTMGRP_LINK | RTMGRP_TC, MNL_SOCKET_AUTOPID) < 0) {
        error_set_errno(error, -errno, "cannot watch interfaces");
        if (watch->sock)
            mnl_socket_close(watch->sock);
        free(watch);
        return NULL;
    }
    watch->loop = loop;
    watch->callback = callback;
    watch->aux = aux;
    enlarge_buffer(mnl_socket_get_fd(watch->sock));
    ev_io_init(&watch->io, on_readable, mnl_socket_get_fd(watch->sock), EV_READ);
    ev_io_start(loop, &watch->io);
    return watch;
}

void link_watch_destroy(struct link_watch *watch)
{
    if (!watch)
        return;
    ev_io_stop(watch->loop, &watch->io);
    mnl_socket_close(watch->sock);
    free(watch);
}

int link_watch_scan(struct link_watch *watch, struct error *error)
{
    struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    char bytes[MESSAGE_BYTES];
    bool is_done = false;
    int code = 0;

    if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
        code = -errno;

    struct nlmsghdr *request = mnl_nlmsg_put_header(bytes);
    request->nlmsg_type = RTM_GETLINK;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
    if (!code && mnl_socket_sendto(sock, request, request->nlmsg_len) < 0)
        code = -errno;

    while (!code && !is_done) {
        ssize_t n = mnl_socket_recvfrom(sock, bytes, sizeof bytes);

        if (n > 0)
            is_done = handle_messages(watch, bytes, (int)n);
        else if (n == 0 || errno != EINTR)
            code = n == 0 ? -EIO : -errno;
    }
    if (sock)
        mnl_socket_close(sock);
    return code ? error_set_errno(error, code, "cannot list interfaces") : 0;
}
