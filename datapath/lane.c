/* SPDX-License-Identifier: Apache-2.0 */

/* Buffers are mapped, not touched: pages appear as frames of their size do. */

#include <stdlib.h>
#include <sys/mman.h>

#include "datapath/internal.h"

enum { LANE_BUFFERS_BYTES = BATCH_FRAMES * LANE_BUFFER_STRIDE };

struct lane *lane_create(struct datapath *dp, unsigned int index)
{
    struct lane *lane = aligned_alloc(64, sizeof *lane);
    void *buffers = mmap(NULL, LANE_BUFFERS_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (!lane || buffers == MAP_FAILED) {
        if (buffers != MAP_FAILED)
            munmap(buffers, LANE_BUFFERS_BYTES);
        free(lane);
        return NULL;
    }
    memset(lane, 0, sizeof *lane);
    lane->dp = dp;
    lane->index = index;
    lane->buffers = buffers;
    lane->microflows = microflow_create();
    if (!tx_init(&lane->tx) || !lane->microflows) {
        lane_destroy(lane);
        return NULL;
    }
    return lane;
}

void lane_destroy(struct lane *lane)
{
    if (!lane)
        return;
    for (unsigned int i = 0; i < lane->n_offers; i++)
        megaflow_put(lane->offers[i].flow);
    microflow_destroy(lane->microflows);
    tx_fini(&lane->tx);
    munmap(lane->buffers, LANE_BUFFERS_BYTES);
    free(lane);
}

struct packet *lane_packet(struct lane *lane, unsigned int i)
{
    struct packet *packet = &lane->packets[i];

    packet_init(packet, lane->buffers + (size_t)i * LANE_BUFFER_STRIDE, LANE_BUFFER_BYTES);
    return packet;
}
