/* SPDX-License-Identifier: Apache-2.0 */

/* Each call is one exchange on a socket of its own. */

#include "lib/netlink/qdisc.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <netlink/netlink.h>
#include <netlink/route/classifier.h>
#include <netlink/route/qdisc.h>
#include <string.h>

static struct nl_sock *open_socket(void)
{
    struct nl_sock *sock = nl_socket_alloc();

    if (sock && nl_connect(sock, NETLINK_ROUTE) < 0) {
        nl_socket_free(sock);
        return NULL;
    }
    return sock;
}

int qdisc_set_noqueue(int ifindex, struct error *error)
{
    struct nl_sock *sock = open_socket();
    struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
    int code = -NLE_NOMEM;

    if (sock && qdisc) {
        rtnl_tc_set_ifindex(TC_CAST(qdisc), ifindex);
        rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
        rtnl_tc_set_kind(TC_CAST(qdisc), "noqueue");
        code = rtnl_qdisc_add(sock, qdisc, NLM_F_CREATE | NLM_F_REPLACE);
    }
    if (qdisc)
        rtnl_qdisc_put(qdisc);
    if (sock)
        nl_socket_free(sock);
    if (code < 0)
        return error_set(error, -EIO, "interface number %d: cannot set its qdisc: %s", ifindex,
                         nl_geterror(code));
    return 0;
}

bool qdisc_is_clsact(int ifindex)
{
    struct nl_sock *sock = open_socket();
    struct nl_cache *cache;
    bool is_clsact = false;

    if (sock && rtnl_qdisc_alloc_cache(sock, &cache) >= 0) {
        struct rtnl_qdisc *qdisc = rtnl_qdisc_get_by_parent(cache, ifindex, TC_H_CLSACT);
        const char *kind = qdisc ? rtnl_tc_get_kind(TC_CAST(qdisc)) : NULL;

        is_clsact = kind && !strcmp(kind, "clsact");
        if (qdisc)
            rtnl_qdisc_put(qdisc);
        nl_cache_free(cache);
    }
    if (sock)
        nl_socket_free(sock);
    return is_clsact;
}

static int count_filters(int ifindex, uint32_t parent)
{
    struct nl_sock *sock = open_socket();
    struct nl_cache *cache;
    int n = -EIO;

    if (!sock)
        return -ENOMEM;
    if (rtnl_cls_alloc_cache(sock, ifindex, parent, &cache) >= 0) {
        n = nl_cache_nitems(cache);
        nl_cache_free(cache);
    }
    nl_socket_free(sock);
    return n;
}

int qdisc_n_egress_filters(int ifindex)
{
    return count_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
}

int qdisc_n_clsact_filters(int ifindex)
{
    int n_in = count_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
    int n_out = qdisc_n_egress_filters(ifindex);

    return n_in < 0 ? n_in : n_out < 0 ? n_out : n_in + n_out;
}
