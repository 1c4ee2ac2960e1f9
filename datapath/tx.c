/* SPDX-License-Identifier: Apache-2.0 */

/* One sendmmsg() for frames to any number of devices: each message has its own address. */

#include "datapath/tx.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "datapath/internal.h"

bool tx_init(struct tx *tx)
{
    tx->fd = -1;
    tx->n = 0;
    tx->n_copied = 0;
    tx->copies = malloc(TX_COPY_BYTES);
    for (unsigned int i = 0; i < TX_FRAMES; i++) {
        tx->addrs[i] = (struct sockaddr_ll){.sll_family = AF_PACKET};
        tx->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &tx->addrs[i],
            .msg_namelen = sizeof tx->addrs[i],
            .msg_iov = &tx->vectors[i],
            .msg_iovlen = 1,
        };
    }
    return tx->copies;
}

void tx_fini(struct tx *tx)
{
    if (tx->fd >= 0)
        close(tx->fd);
    free(tx->copies);
}

void tx_queue(struct lane *lane, struct dp_port *port, struct tx_frame *frame)
{
    struct tx *tx = &lane->tx;
    struct packet *packet = frame->packet;

    if (tx->n == TX_FRAMES)
        tx_flush(lane);
    unsigned int i = tx->n++;
    tx->vectors[i].iov_base = tx_with_header(packet);
    tx->vectors[i].iov_len = packet->size + sizeof packet->vnet;
    tx->addrs[i].sll_ifindex = port->ifindex;
    tx->about[i].port = port;
    tx->about[i].in_port = frame->in_port;
    tx->about[i].n_bytes = packet->size;
    frame->is_held = true;
}

void tx_flush(struct lane *lane)
{
    struct tx *tx = &lane->tx;
    unsigned int i = 0;

    while (i < tx->n) {
        int n = sendmmsg(tx->fd, tx->messages + i, tx->n - i, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        for (int sent = 0; sent < n; sent++, i++)
            tx_count_sent(lane, tx->about[i].port, tx->about[i].n_bytes);
        if (n <= 0) { /* About the first one; the others deserve their try. */
            tx_count_failed(lane, tx->about[i].port, tx->about[i].in_port, errno);
            i++;
        }
    }
    tx->n = 0;
}

bool tx_copy(struct lane *lane, const struct packet *packet, uint32_t n_bytes, struct packet *copy)
{
    struct tx *tx = &lane->tx;
    const uint8_t *from = packet->data;
    size_t wanted = (PACKET_HEADROOM + (size_t)n_bytes + 63) / 64 * 64;

    if (TX_COPY_BYTES - tx->n_copied < wanted)
        return false;
    *copy = *packet;
    copy->start = tx->copies + tx->n_copied;
    copy->data = copy->start + PACKET_HEADROOM;
    copy->capacity = (uint32_t)wanted;
    copy->size = n_bytes;
    memcpy(copy->data, from, n_bytes);
    tx->n_copied += wanted;
    return true;
}

void tx_count_sent(struct lane *lane, struct dp_port *port, uint32_t n_bytes)
{
    struct dp_port_counters *counters = &port->counters[lane->index];

    counter_add(&counters->tx_packets, 1);
    counter_add(&counters->tx_bytes, n_bytes);
}

static enum drop_reason tx_reason(int error)
{
    switch (error) {
    case ENOBUFS:
    case EAGAIN:
        return DROP_TX_FULL;
    case ENETDOWN:
    case EIO: /* A tap of ours that is down. */
        return DROP_TX_DOWN;
    case EMSGSIZE:
        return DROP_TOO_LONG;
    case ENXIO:
    case ENODEV:
    case EBADFD: /* A tap whose device is gone. */
        return DROP_NO_PORT;
    case ENOMEM:
        return DROP_NO_MEMORY;
    case EINVAL: /* What the kernel says to offload requests that it cannot follow. */
        return DROP_BAD_OFFLOAD;
    default:
        return DROP_TX_ERROR;
    }
}

void tx_count_failed(struct lane *lane, struct dp_port *port, struct dp_port *in_port, int error)
{
    enum drop_reason reason = tx_reason(error);

    counter_add(&port->counters[lane->index].tx_dropped, 1);
    if (reason == DROP_TX_ERROR || reason == DROP_BAD_OFFLOAD)
        counter_add(&port->counters[lane->index].tx_errors, 1);
    lane_drop(lane, in_port, reason);
}
