/* SPDX-License-Identifier: Apache-2.0 */

/* The head is taken off without moving the frame: it is read to where the frame is then in place.  Only a tag
 * that the tap put back costs a move of the two addresses. */

#include "datapath/port/exception_tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/kernel/head.h"
#include "datapath/kernel/steal.h"
#include "datapath/offload.h"
#include "datapath/port/tap.h"
#include "datapath/process.h"
#include "datapath/worker.h"
#include "lib/annotations.h"
#include "lib/netlink/link.h"
#include "lib/netlink/qdisc.h"

enum {
    HEAD_BYTES = sizeof(struct exception_head),
    ADDRS_BYTES = 12,
    TAG_BYTES = 4,
    QUEUE_FRAMES = 4000,
    MAX_MTU = 65521,          /* Of any tap: 65535 less an Ethernet header. */
    BATCH_BYTES = 256 * 1024, /* Keeps a batch in the processor's cache. */
};

struct exception_tap {
    struct datapath *dp;
    unsigned int n_queues;
    int fds[MAX_WORKERS];
    struct rx_source sources[MAX_WORKERS];
    struct steal *steal;
};

/* Takes the head off.  NULL: the frame is not one that our program sent. */
static struct dp_port *behead(const struct datapath *dp, struct packet *packet)
{
    static const uint8_t magic[] = EXCEPTION_HEAD_MAGIC;
    const uint8_t *head = packet->data - HEAD_BYTES;
    uint16_t type = be16_host(be16_load(head + offsetof(struct exception_head, type)));

    if (memcmp(head, magic, sizeof magic))
        return NULL;
    struct dp_port *port = atomic_load_explicit(
        &dp->slots[be16_host(be16_load(head + sizeof magic))], memory_order_consume);
    if (type != EXCEPTION_HEAD_TYPE) {
        uint8_t tag[TAG_BYTES];

        if (packet->size < TAG_BYTES + ADDRS_BYTES)
            return NULL;
        memcpy(tag, head + ADDRS_BYTES, sizeof tag);
        memmove(packet->data, packet->data + TAG_BYTES, ADDRS_BYTES);
        memcpy(packet->data + ADDRS_BYTES, tag, sizeof tag);
    }
    if (packet_needs_checksum(packet)) /* It counted from the head; an underflow will not pass. */
        packet->vnet.csum_start = (uint16_t)(packet->vnet.csum_start - HEAD_BYTES);
    packet->vnet.hdr_len = 0;
    return port;
}

static bool exception_tap_receive(struct rx_source *source, struct lane *lane)
{
    struct packet *packets[BATCH_FRAMES];
    struct dp_port *ports[BATCH_FRAMES];
    unsigned int n = 0, n_bytes = 0;
    int result = 1;

    while (n < BATCH_FRAMES && n_bytes < BATCH_BYTES) {
        packets[n] = lane_packet(lane, n);
        result = tap_read(source->fd, packets[n], HEAD_BYTES);
        if (result == -EMSGSIZE)
            continue;
        if (result <= 0)
            break;
        ports[n] = behead(lane->dp, packets[n]);
        if (likely(ports[n])) /* Else the port is gone. */
            n_bytes += packets[n++]->size;
    }
    if (n)
        process_batch(lane, packets, ports, n);
    return result >= 0 || result == -EIO || result == -EMSGSIZE;
}

static int configure(const char *name, struct error *error)
{
    struct link_info info;
    int code = link_get(name, &info, error);

    if (!code)
        code = link_set_txqlen(name, QUEUE_FRAMES, error);
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

static int watch_queues(struct exception_tap *tap, struct error *error)
{
    for (unsigned int i = 0; i < tap->n_queues; i++) {
        tap->sources[i] = (struct rx_source){
            .fd = tap->fds[i],
            .receive = exception_tap_receive,
            .dp = tap->dp,
        };
        int code = worker_add_source(tap->dp, i, RX_PLACE_EXCEPTION_TAP, &tap->sources[i]);
        if (code)
            return error_set_errno(error, code, "cannot watch the exception tap");
    }
    return 0;
}

struct exception_tap *exception_tap_create(struct datapath *dp, struct error *error)
{
    struct exception_tap *tap = calloc(1, sizeof *tap);
    char name[IFNAMSIZ];

    if (!tap) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    tap->dp = dp;
    snprintf(name, sizeof name, "%.10s-miss", dp->instance);
    if (tap_open(name, tap->fds, dp->config.n_workers, error)) {
        free(tap);
        return NULL;
    }
    tap->n_queues = dp->config.n_workers;

    int ifindex = configure(name, error);
    if (ifindex > 0)
        tap->steal = steal_create(ifindex, error);
    if (!tap->steal || watch_queues(tap, error)) {
        exception_tap_destroy(tap);
        return NULL;
    }
    return tap;
}

void exception_tap_destroy(struct exception_tap *tap)
{
    if (!tap)
        return;
    steal_destroy(tap->steal);
    for (unsigned int i = 0; i < tap->n_queues; i++)
        worker_remove_source(tap->dp, i, RX_PLACE_EXCEPTION_TAP);
    datapath_synchronize(tap->dp);
    tap_close(tap->fds, tap->n_queues);
    free(tap);
}

int exception_tap_attach(struct exception_tap *tap, int ifindex, uint16_t slot, struct error *error)
{
    return steal_attach(tap->steal, ifindex, slot, error);
}

void exception_tap_detach(struct exception_tap *tap, int ifindex)
{
    steal_detach(tap->steal, ifindex);
}
