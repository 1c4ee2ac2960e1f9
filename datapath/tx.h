/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tx - frames on their way out of a lane.
 *
 * Sends to netdevs wait until the batch ends and go to the kernel in one call.  Their bytes stay
 * where they are meanwhile: whoever wants to change them copies first, into the queue's own
 * memory, or flushes.  The virtio network header stands right in front of the frame, so that a frame is one
 * run of bytes for tap and packet socket alike.
 *
 * Threads  The lane's user. */

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "datapath/drop.h"
#include "lib/packet.h"

struct dp_port;
struct lane;

enum { TX_FRAMES = 128, TX_COPY_BYTES = 256 * 1024, TX_COPY_MAX_FRAME = 8192 };

/* One frame to one port. */
struct tx_frame {
    struct packet *packet;
    struct dp_port *in_port; /* Drops count there; NULL: nobody's. */
    bool is_held;            /* Set by 'send': the bytes are needed until the flush. */
};

struct tx {
    int fd; /* Packet socket, the lane's own; -1: none yet. */
    unsigned int n;
    struct mmsghdr messages[TX_FRAMES];
    struct iovec vectors[TX_FRAMES];
    struct sockaddr_ll addrs[TX_FRAMES];
    struct {
        struct dp_port *port, *in_port;
        uint32_t n_bytes;
    } about[TX_FRAMES];

    uint8_t *copies; /* Owned; TX_COPY_BYTES. */
    size_t n_copied;
};

bool tx_init(struct tx *tx); /* False: out of memory. */
void tx_fini(struct tx *tx);

/* Writes the virtio header in front of the frame and returns where it begins. */
static inline uint8_t *tx_with_header(struct packet *packet)
{
    uint8_t *from = packet->data - sizeof packet->vnet;

    memcpy(from, &packet->vnet, sizeof packet->vnet);
    return from;
}

/* Queues for the packet socket. */
void tx_queue(struct lane *lane, struct dp_port *port, struct tx_frame *frame);
void tx_flush(struct lane *lane);

/* Between frames: nobody but the queue uses copies. */
static inline void tx_reuse_copies(struct tx *tx)
{
    if (tx->n == 0)
        tx->n_copied = 0;
}

/* Makes '*copy' (which may be 'packet' itself) the first 'n_bytes' of 'packet', in memory of the queue.
 * False: there is no room. */
bool tx_copy(struct lane *lane, const struct packet *packet, uint32_t n_bytes, struct packet *copy);

void tx_count_sent(struct lane *lane, struct dp_port *port, uint32_t n_bytes);
void tx_count_failed(struct lane *lane, struct dp_port *port, struct dp_port *in_port, int error);
