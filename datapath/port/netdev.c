/* SPDX-License-Identifier: Apache-2.0 */

/* In by the exception tap if the kernel lets us, else by a packet socket; out by the lanes'
 * packet sockets. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/port/exception_tap.h"
#include "datapath/port/packet_socket.h"
#include "datapath/port/port.h"
#include "datapath/worker.h"
#include "lib/log.h"
#include "lib/netlink/link.h"

LOG_MODULE(netdev);

struct netdev {
    int reader_fd;       /* -1: frames come by the exception tap. */
    unsigned int worker; /* That reads 'reader_fd'. */
    bool has_xdp;
    struct error refusal; /* Why there is a reader. */
    struct rx_source source;
};

static const char *netdev_path(const struct dp_port *port)
{
    const struct netdev *netdev = port->private;

    if (netdev->reader_fd >= 0)
        return "AF_PACKET";
    if (netdev->has_xdp)
        return "XDP";
    return port->is_kernel_cached ? "TC" : "exception tap";
}

/* If what stood in the way of our filter has gone.  A frame that is on its way just now may come twice. */
static void leave_reader(struct dp_port *port)
{
    struct netdev *netdev = port->private;
    struct link_info info;

    if (!port->dp->exception_tap || link_get_by_index(port->ifindex, &info, NULL) ||
        exception_tap_attach(port->dp->exception_tap, port->ifindex, port->slot, &netdev->refusal))
        return;
    worker_remove_source(port->dp, netdev->worker, port->port_no);
    datapath_synchronize(port->dp);
    close(netdev->reader_fd);
    netdev->reader_fd = -1;
    port->is_kernel_cached = true;
    port_publish_to_kernel(port, &info);
    log_info("port %s: uses TC now", port->name);
}

static int netdev_set_fastpath(struct dp_port *port, enum dp_fastpath fastpath, struct error *error)
{
    struct netdev *netdev = port->private;
    struct link_info info;
    int code = 0;

    if (fastpath != DP_FASTPATH_XDP) {
        if (netdev->has_xdp)
            exception_tap_detach_xdp(port->dp->exception_tap, port->ifindex);
        netdev->has_xdp = false;
    }
    if (netdev->reader_fd >= 0)
        leave_reader(port);
    if (netdev->reader_fd >= 0)
        return fastpath == DP_FASTPATH_OFF
                   ? 0
                   : error_set(error, netdev->refusal.code, "%s", netdev->refusal.message);
    code = port_set_kernel_cached(port, fastpath != DP_FASTPATH_OFF, error);
    if (code || fastpath != DP_FASTPATH_XDP)
        return code;
    code = link_get_by_index(port->ifindex, &info, error);
    if (!code)
        code = exception_tap_attach_xdp(port->dp->exception_tap, &info, error);
    netdev->has_xdp = !code;
    port_refresh_xdp(port->dp);
    return code;
}

static void netdev_stop(struct dp_port *port)
{
    struct netdev *netdev = port->private;

    if (netdev->reader_fd >= 0)
        worker_remove_source(port->dp, netdev->worker, port->port_no);
    else
        exception_tap_detach(port->dp->exception_tap, port->ifindex);
    port_hide_from_kernel(port);
    packet_socket_set_promiscuous(port->dp->lanes[0]->tx.fd, port->ifindex, false);
}

static void netdev_close(struct dp_port *port)
{
    struct netdev *netdev = port->private;

    if (netdev->reader_fd >= 0)
        close(netdev->reader_fd);
    free(netdev);
}

/* With the first netdev port: the lanes' sockets. */
static int open_senders(struct datapath *dp, struct error *error)
{
    for (unsigned int i = 0; i < dp->n_lanes; i++) {
        struct tx *tx = &dp->lanes[i]->tx;

        if (tx->fd >= 0)
            continue;
        int fd = packet_socket_open_sender(error);
        if (fd < 0)
            return fd;
        tx->fd = fd;
        datapath_hold(dp, fd);
    }
    return 0;
}

static int open_reader(struct dp_port *port, struct netdev *netdev, struct error *error)
{
    struct datapath *dp = port->dp;

    netdev->reader_fd = packet_socket_open_reader(port->ifindex, error);
    if (netdev->reader_fd < 0)
        return netdev->reader_fd;
    netdev->worker = port->port_no % dp->config.n_workers;
    netdev->source = (struct rx_source){
        .fd = netdev->reader_fd,
        .receive = packet_socket_receive,
        .dp = dp,
        .port = port,
    };
    int code = worker_add_source(dp, netdev->worker, port->port_no, &netdev->source);
    if (code) {
        close(netdev->reader_fd);
        return error_set_errno(error, code, "cannot watch the device");
    }
    return 0;
}

static int open_receive_path(struct dp_port *port, struct netdev *netdev, struct error *error)
{
    netdev->reader_fd = -1;
    if (!exception_tap_open(port->dp)) {
        netdev->refusal = port->dp->exception_tap_refusal;
    } else if (!exception_tap_attach(port->dp->exception_tap, port->ifindex, port->slot,
                                     &netdev->refusal)) {
        port->is_kernel_cached = true;
        return 0;
    }
    return open_reader(port, netdev, error);
}

int port_netdev_open(struct dp_port *port, const struct dp_port_config *config, struct error *error)
{
    static const struct port_ops ops = {
        .path = netdev_path,
        .send = tx_queue,
        .set_fastpath = netdev_set_fastpath,
        .stop = netdev_stop,
        .close = netdev_close,
    };
    struct link_info info;
    int code = link_get(config->name, &info, error);

    if (!code && (info.flags & IFF_LOOPBACK))
        code = error_set(error, -EINVAL, "%s: a loopback device cannot be a port", config->name);
    if (!code)
        code = open_senders(port->dp, error);
    if (code) {
        return code;
    }

    struct netdev *netdev = calloc(1, sizeof *netdev);
    if (!netdev)
        return error_set(error, -ENOMEM, "%s: out of memory", config->name);
    port->ops = &ops;
    port->private = netdev;
    port->ifindex = info.ifindex;
    code = open_receive_path(port, netdev, error);
    if (code) {
        error_prefix(error, "%s", config->name);
        free(netdev);
        return code;
    }
    port_publish_to_kernel(port, &info);
    code = packet_socket_set_promiscuous(port->dp->lanes[0]->tx.fd, port->ifindex, true);
    if (code)
        log_warn("port %s: cannot be made promiscuous: %s", port->name, strerror(-code));
    return 0;
}
