/* SPDX-License-Identifier: Apache-2.0 */

/* The device takes frames of its netdevs' largest size, and drops what the rings have seen. */

#include "datapath/port/exception_tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/kernel/head.h"
#include "datapath/kernel/pins.h"
#include "datapath/kernel/steal.h"
#include "datapath/port/packet_ring.h"
#include "datapath/port/tap.h"
#include "datapath/process.h"
#include "datapath/rewrite.h"
#include "datapath/worker.h"
#include "lib/annotations.h"
#include "lib/log.h"
#include "lib/netlink/link.h"
#include "lib/netlink/qdisc.h"

LOG_MODULE(exception_tap);

enum {
    HEAD_BYTES = sizeof(struct exception_head),
    HEAD_TYPE_OFFSET = offsetof(struct exception_head, type),
    TAG_BYTES = 4,
    MAX_MTU = 65521,          /* Of any tap: 65535 less an Ethernet header. */
    BATCH_BYTES = 256 * 1024, /* Keeps a batch in the processor's cache. */
};

/* What one worker reads. */
struct exception_queue {
    struct rx_source source;
    struct packet_ring *ring; /* Owned. */
};

struct exception_tap {
    struct datapath *dp;
    int fd;
    int ifindex;
    unsigned int n_queues;
    struct exception_queue queues[MAX_WORKERS];
    struct steal *steal;
    uint64_t n_overruns;
};

static struct dp_port *port_of_slot(const struct datapath *dp, uint16_t slot)
{
    return atomic_load_explicit(&dp->slots[slot], memory_order_consume);
}

/* Bytes of the head.  A tag that the kernel could not leave beside the frame (older ones cannot for MPLS) it
 * has put where a tag belongs, behind the head's addresses: '*tag' gets it. */
static uint32_t head_bytes(const uint8_t *head, uint32_t n_bytes, struct packet_ring_frame *tag)
{
    uint16_t type = be16_host(be16_load(head + HEAD_TYPE_OFFSET));

    if (type == EXCEPTION_HEAD_TYPE)
        return HEAD_BYTES;
    if (n_bytes < HEAD_BYTES + TAG_BYTES || tag->has_tag ||
        be16_host(be16_load(head + HEAD_TYPE_OFFSET + TAG_BYTES)) != EXCEPTION_HEAD_TYPE)
        return 0;
    tag->has_tag = true;
    tag->tpid = type;
    tag->tci = be16_host(be16_load(head + HEAD_TYPE_OFFSET + 2));
    return HEAD_BYTES + TAG_BYTES;
}

/* Takes the head off and puts the tag back.  NULL: the frame is not one that our program sent, or its port is
 * gone. */
static struct dp_port *behead(const struct datapath *dp, struct packet *packet,
                              struct packet_ring_frame *frame)
{
    static const uint8_t magic[] = EXCEPTION_HEAD_MAGIC;
    const uint8_t *head = packet->data;
    uint32_t n_bytes;

    if (packet->size < HEAD_BYTES || memcmp(head, magic, sizeof magic)) {
        packet->vnet.hdr_len = 0;
        return frame->has_tag && frame->tpid == EXCEPTION_TAG_TPID ? port_of_slot(dp, frame->tci)
                                                                   : NULL;
    }
    struct dp_port *port = port_of_slot(dp, be16_host(be16_load(head + sizeof magic)));
    n_bytes = head_bytes(head, packet->size, frame);
    if (!n_bytes)
        return NULL;
    packet->data += n_bytes;
    packet->size -= n_bytes;
    if (packet_needs_checksum(packet)) /* It counted from the head; an underflow will not pass. */
        packet->vnet.csum_start = (uint16_t)(packet->vnet.csum_start - n_bytes);
    packet->vnet.hdr_len = 0;
    if (frame->has_tag)
        rewrite_restore_vlan(packet, frame->tpid, frame->tci);
    return port;
}

static bool exception_tap_receive(struct rx_source *source, struct lane *lane)
{
    struct exception_queue *queue = CONTAINER_OF(source, struct exception_queue, source);
    struct packet *packets[BATCH_FRAMES];
    struct dp_port *ports[BATCH_FRAMES];
    unsigned int n = 0, n_bytes = 0;
    int result = 1;

    while (n < BATCH_FRAMES && n_bytes < BATCH_BYTES) {
        struct packet_ring_frame frame;

        packets[n] = lane_packet(lane, n);
        result = packet_ring_take(queue->ring, packets[n], &frame);
        if (!result)
            break;
        if (result < 0)
            continue;
        ports[n] = behead(lane->dp, packets[n], &frame);
        if (likely(ports[n]))
            n_bytes += packets[n++]->size;
    }
    if (n)
        process_batch(lane, packets, ports, n);
    packet_ring_release(queue->ring); /* All is sent. */
    process_end_of_queue(lane, result == 0);
    return true;
}

static int configure(const char *name, struct error *error)
{
    struct link_info info;
    int code = link_get(name, &info, error);

    if (!code)
        code = link_set_mtu(name, MAX_MTU, error);
    if (!code)
        link_set_silent(name, NULL); /* Not possible without IPv6, and not needed. */
    if (!code)
        code = link_set_up(name, error);
    if (!code)
        qdisc_set_noqueue(info.ifindex, NULL); /* With one it is slower, no more. */
    return code ? code : info.ifindex;
}

static int open_queues(struct exception_tap *tap, int ifindex, struct error *error)
{
    uint16_t group = 0;

    while (tap->n_queues < tap->dp->config.n_workers) {
        struct exception_queue *queue = &tap->queues[tap->n_queues];

        queue->ring = packet_ring_create(ifindex, tap->dp->config.n_workers > 1 ? &group : NULL,
                                         error);
        if (!queue->ring)
            return error->code;
        datapath_hold(tap->dp, packet_ring_fd(queue->ring));
        queue->source = (struct rx_source){
            .fd = packet_ring_fd(queue->ring),
            .receive = exception_tap_receive,
            .dp = tap->dp,
        };
        int code = worker_add_source(tap->dp, tap->n_queues++, RX_PLACE_EXCEPTION_TAP,
                                     &queue->source);
        if (code)
            return error_set_errno(error, code, "cannot watch the exception tap");
    }
    return 0;
}

void exception_tap_name(const char *instance, char name[IFNAMSIZ])
{
    snprintf(name, IFNAMSIZ, "%.10s-miss", instance);
}

bool exception_tap_is_left(const struct datapath *dp)
{
    char name[IFNAMSIZ];

    exception_tap_name(dp->owner.instance, name);
    return if_nametoindex(name) != 0;
}

/* Its number, which is 'ifindex' if it has to be made; 0: any. */
static int open_device(struct exception_tap *tap, int ifindex, struct error *error)
{
    char name[IFNAMSIZ];

    exception_tap_name(tap->dp->owner.instance, name);
    tap->fd = tap_open_unread(name, &tap->dp->owner, ifindex, error);
    return tap->fd < 0 ? tap->fd : configure(name, error);
}

/* Programs that an earlier daemon has left, and that mean the same slots as we do, go on sending to its tap: if that
 * has gone it is made again under the number it had.  Others must not reach ours. */
static int open_first(struct exception_tap *tap, struct error *error)
{
    int adopted = pins_tap_ifindex(tap->dp->owner.instance), ifindex;
    char name[IFNAMSIZ];

    exception_tap_name(tap->dp->owner.instance, name);
    if (!adopted || (int)if_nametoindex(name) != adopted)
        tap_remove_leftover(name);
    ifindex = open_device(tap, adopted, error);
    if (ifindex != -EBUSY || !adopted)
        return ifindex;
    *error = (struct error)ERROR_INIT;
    return open_device(tap, 0, error);
}

static struct exception_tap *exception_tap_create(struct datapath *dp, struct error *error)
{
    struct exception_tap *tap = calloc(1, sizeof *tap);

    if (!tap) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    tap->dp = dp;
    tap->ifindex = open_first(tap, error);
    if (tap->ifindex > 0)
        tap->steal = steal_create(&dp->owner, tap->ifindex, error);
    if (!tap->steal || open_queues(tap, tap->ifindex, error)) {
        exception_tap_destroy(tap);
        return NULL;
    }
    struct kcache *kcache = steal_create_kcache(tap->steal, dp);
    if (!kcache) {
        error_set(error, -ENOMEM, "out of memory");
        exception_tap_destroy(tap);
        return NULL;
    }
    datapath_set_kcache(dp, kcache);
    if (dp->has_taken_over)
        steal_take_over(tap->steal);
    return tap;
}

bool exception_tap_open(struct datapath *dp)
{
    if (!dp->exception_tap && !dp->exception_tap_refusal.code) {
        dp->exception_tap = exception_tap_create(dp, &dp->exception_tap_refusal);
        if (dp->exception_tap)
            dp->exception_tap_refusal = (struct error)ERROR_INIT;
        else
            log_warn("no exception tap, ports use AF_PACKET: %s",
                     dp->exception_tap_refusal.message);
    }
    return dp->exception_tap;
}

static void close_device(struct exception_tap *tap)
{
    exception_tap_n_overruns(tap);
    for (unsigned int i = 0; i < tap->n_queues; i++)
        worker_remove_source(tap->dp, i, RX_PLACE_EXCEPTION_TAP);
    datapath_synchronize(tap->dp);
    for (unsigned int i = 0; i < tap->n_queues; i++)
        packet_ring_destroy(tap->queues[i].ring);
    tap->n_queues = 0;
    tap_remove(&tap->fd, 1);
    tap->fd = -1;
}

void exception_tap_destroy(struct exception_tap *tap)
{
    if (!tap)
        return;
    steal_destroy(tap->steal);
    close_device(tap);
    free(tap);
}

/* --- What others do to the device ------------------------------------------------------------ */

/* False: it is not in this namespace any more. */
static bool find_device(const struct exception_tap *tap, struct link_info *info)
{
    return tap->fd >= 0 && tap->n_queues == tap->dp->config.n_workers &&
           !link_get_by_index(tap->ifindex, info, NULL) && tap_is_named(tap->fd, info->name);
}

static bool is_in_order(const struct exception_tap *tap, const struct link_info *info)
{
    char name[IFNAMSIZ];

    exception_tap_name(tap->dp->owner.instance, name);
    return info->flags & IFF_UP && info->mtu == MAX_MTU && !strcmp(info->name, name);
}

static int put_in_order(struct exception_tap *tap, const struct link_info *info,
                        struct error *error)
{
    char name[IFNAMSIZ];
    int code;

    exception_tap_name(tap->dp->owner.instance, name);
    code = strcmp(info->name, name) ? link_rename(info->name, name, error) : 0;
    return code ? code : configure(name, error);
}

/* Under the number that programs send to. */
static int make_again(struct exception_tap *tap, struct error *error)
{
    int ifindex;

    close_device(tap);
    ifindex = open_device(tap, tap->ifindex, error);
    if (ifindex < 0)
        return ifindex;
    if (ifindex != tap->ifindex)
        return error_set(error, -EEXIST, "another device has its name");
    return open_queues(tap, ifindex, error);
}

void exception_tap_heal(struct exception_tap *tap)
{
    struct error error = ERROR_INIT;
    struct link_info info;
    bool is_there = find_device(tap, &info);
    int code;

    if (is_there && is_in_order(tap, &info))
        return;
    code = is_there ? put_in_order(tap, &info, &error) : make_again(tap, &error);
    if (code < 0)
        log_err_limited("the exception tap is gone, frames of flows that are not cached are lost: "
                        "%s",
                        error.message);
    else
        log_warn("the exception tap had been %s by somebody: it is back",
                 is_there ? "changed" : "removed");
}

int exception_tap_ifindex(const struct exception_tap *tap)
{
    return tap->ifindex;
}

int exception_tap_attach(struct exception_tap *tap, int ifindex, uint16_t slot, struct error *error)
{
    return steal_attach(tap->steal, ifindex, slot, error);
}

int exception_tap_attach_egress(struct exception_tap *tap, int ifindex, uint16_t slot,
                                struct error *error)
{
    return steal_attach_egress(tap->steal, ifindex, slot, error);
}

/* For the maintenance thread, which the tap need not outlive. */
static void note_xdp(struct exception_tap *tap)
{
    atomic_store_explicit(&tap->dp->has_xdp, steal_has_xdp(tap->steal), memory_order_relaxed);
}

void exception_tap_take_over(struct exception_tap *tap)
{
    steal_take_over(tap->steal);
    note_xdp(tap);
}

int exception_tap_attach_xdp(struct exception_tap *tap, const struct link_info *link,
                             struct error *error)
{
    int result = steal_attach_xdp(tap->steal, link, error);

    note_xdp(tap);
    return result;
}

void exception_tap_detach_xdp(struct exception_tap *tap, int ifindex)
{
    steal_detach_xdp(tap->steal, ifindex);
    note_xdp(tap);
}

int exception_tap_set_cached(struct exception_tap *tap, int ifindex, bool is_cached,
                             struct error *error)
{
    return steal_set_cached(tap->steal, ifindex, is_cached, error);
}

int exception_tap_restore(struct exception_tap *tap, int ifindex, struct error *error)
{
    return steal_restore(tap->steal, ifindex, error);
}

void exception_tap_detach(struct exception_tap *tap, int ifindex)
{
    steal_detach(tap->steal, ifindex);
    note_xdp(tap);
}

uint64_t exception_tap_n_overruns(struct exception_tap *tap)
{
    for (unsigned int i = 0; i < tap->n_queues; i++)
        tap->n_overruns += packet_ring_overruns(tap->queues[i].ring);
    return tap->n_overruns;
}
