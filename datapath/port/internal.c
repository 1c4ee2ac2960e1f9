/* SPDX-License-Identifier: Apache-2.0 */

/* The host's end is the netdev, ours the descriptors: what the host sends is read from them, what is written
 * to them the host receives.  One queue for each worker. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/port/exception_tap.h"
#include "datapath/port/port.h"
#include "datapath/port/tap.h"
#include "datapath/process.h"
#include "datapath/worker.h"
#include "lib/log.h"
#include "lib/netlink/link.h"

LOG_MODULE(internal);

/* Keeps a batch's bytes in the processor's cache. */
enum { BATCH_BYTES = 256 * 1024 };

struct internal {
    unsigned int n_queues;
    bool has_program;     /* On its TC egress. */
    struct error refusal; /* Why not. */
    int fds[MAX_WORKERS];
    struct rx_source sources[MAX_WORKERS];
};

static const char *internal_path(const struct dp_port *port)
{
    return port->is_kernel_cached ? "TC" : "tap";
}

static int internal_set_fastpath(struct dp_port *port, enum dp_fastpath fastpath,
                                 struct error *error)
{
    const struct internal *internal = port->private;

    if (fastpath == DP_FASTPATH_XDP)
        return error_set(error, -EOPNOTSUPP, "an internal port has no XDP");
    if (!internal->has_program)
        return fastpath == DP_FASTPATH_OFF
                   ? 0
                   : error_set(error, internal->refusal.code, "%s", internal->refusal.message);
    return port_set_kernel_cached(port, fastpath != DP_FASTPATH_OFF, error);
}

static void internal_send(struct lane *lane, struct dp_port *port, struct tx_frame *frame)
{
    struct internal *internal = port->private;
    struct packet *packet = frame->packet;
    int fd = internal->fds[lane->index % internal->n_queues];
    ssize_t n;

    do
        n = write(fd, tx_with_header(packet), packet->size + sizeof packet->vnet);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        tx_count_failed(lane, port, frame->in_port, errno);
    else
        tx_count_sent(lane, port, packet->size);
}

static bool internal_receive(struct rx_source *source, struct lane *lane)
{
    struct packet *packets[BATCH_FRAMES];
    struct dp_port *ports[BATCH_FRAMES];
    unsigned int n = 0, n_bytes = 0;
    int result = 1;

    while (n < BATCH_FRAMES && n_bytes < BATCH_BYTES) {
        packets[n] = lane_packet(lane, n);
        result = tap_read(source->fd, packets[n]);
        if (result == -EMSGSIZE) {
            lane_drop(lane, source->port, DROP_TOO_LONG);
            continue;
        }
        if (result <= 0)
            break;
        n_bytes += packets[n]->size;
        ports[n++] = source->port;
    }
    if (n)
        process_batch(lane, packets, ports, n);
    process_end_of_queue(lane, result == 0);
    return result >= 0 || result == -EIO || result == -EMSGSIZE; /* EIO: it is down. */
}

static void internal_stop(struct dp_port *port)
{
    struct internal *internal = port->private;

    port_hide_from_kernel(port);
    if (internal->has_program)
        exception_tap_detach(port->dp->exception_tap, port->ifindex);
    for (unsigned int i = 0; i < internal->n_queues; i++)
        worker_remove_source(port->dp, i, port->port_no);
}

static void internal_close(struct dp_port *port)
{
    struct internal *internal = port->private;

    tap_remove(internal->fds, internal->n_queues);
    free(internal);
}

/* Without it frames merely take the longer way. */
static void join_flow_cache(struct dp_port *port)
{
    struct internal *internal = port->private;
    if (!exception_tap_open(port->dp))
        internal->refusal = port->dp->exception_tap_refusal;
    else if (!exception_tap_attach_egress(port->dp->exception_tap, port->ifindex, port->slot,
                                          &internal->refusal))
        port->is_kernel_cached = internal->has_program = true;
}

/* While no daemon runs the device has no carrier, but what the kernel has cached goes on: the host must not forget
 * its neighbours for that.  (Since Linux 5.16.) */
static void keep_neighbours(const char *name)
{
    static const char *const settings[][2] = {{"ipv4", "arp_evict_nocarrier"},
                                              {"ipv6", "ndisc_evict_nocarrier"}};

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        char path[128];

        snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", settings[i][0], name,
                 settings[i][1]);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (write(fd, "0", 1) < 0)
            log_dbg("%s: %s", path, strerror(errno));
        close(fd);
    }
}

static int configure(struct dp_port *port, const struct dp_port_config *config, struct error *error)
{
    struct link_info info;
    int code = link_get(port->name, &info, error);

    if (!code && config->mac)
        code = link_set_mac(port->name, *config->mac, error);
    if (!code && config->mtu)
        code = link_set_mtu(port->name, config->mtu, error);
    if (code)
        return code;
    port->ifindex = info.ifindex;
    keep_neighbours(port->name);
    join_flow_cache(port);
    port_publish_to_kernel(port, &info);
    return 0;
}

int port_internal_open(struct dp_port *port, const struct dp_port_config *config,
                       struct error *error)
{
    static const struct port_ops ops = {
        .path = internal_path,
        .send = internal_send,
        .set_fastpath = internal_set_fastpath,
        .stop = internal_stop,
        .close = internal_close,
    };
    struct datapath *dp = port->dp;
    struct internal *internal = calloc(1, sizeof *internal);
    int code;

    if (!internal)
        return error_set(error, -ENOMEM, "%s: out of memory", port->name);
    internal->n_queues = dp->config.n_workers;
    code = tap_open(port->name, &dp->owner, internal->fds, internal->n_queues, error);
    if (code) {
        free(internal);
        return code;
    }
    port->ops = &ops;
    port->private = internal;
    code = configure(port, config, error);
    for (unsigned int i = 0; i < internal->n_queues && !code; i++) {
        internal->sources[i] = (struct rx_source){
            .fd = internal->fds[i],
            .receive = internal_receive,
            .dp = dp,
            .port = port,
        };
        code = worker_add_source(dp, i, port->port_no, &internal->sources[i]);
        if (code)
            error_set_errno(error, code, "%s: cannot watch it", port->name);
    }
    if (code) {
        internal_stop(port);
        datapath_synchronize(dp);
        internal_close(port);
    }
    return code;
}
