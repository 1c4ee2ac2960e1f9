/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/packet_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct packet_in_queue {
    struct handoff waiting; /* Of struct packet_in. */
};

struct packet_in_queue *packet_in_queue_create(void (*wake)(void *aux), void *aux)
{
    struct packet_in_queue *queue = malloc(sizeof *queue);

    if (!queue)
        abort();
    handoff_init(&queue->waiting, PACKET_IN_QUEUE_MAX, wake, aux);
    return queue;
}

void packet_in_queue_destroy(struct packet_in_queue *queue)
{
    if (!queue)
        return;
    for (struct packet_in *packet = packet_in_take_all(queue), *next; packet; packet = next) {
        next = packet_in_next(packet);
        packet_in_free(packet);
    }
    handoff_fini(&queue->waiting);
    free(queue);
}

void packet_in_free(struct packet_in *packet)
{
    of_continuation_unref(packet->continuation);
    free(packet);
}

static struct packet_in *copy_packet(const struct packet_in *header, const uint8_t *frame)
{
    struct packet_in *packet = malloc(sizeof *packet + header->n_bytes + header->n_userdata);

    if (packet) {
        memcpy(packet, header, sizeof *packet);
        memcpy(packet->frame, frame, header->n_bytes);
        packet->userdata = packet->frame + header->n_bytes;
        if (header->n_userdata)
            memcpy(packet->frame + header->n_bytes, header->userdata, header->n_userdata);
        if (packet->continuation)
            of_continuation_ref(packet->continuation);
    }
    return packet;
}

int packet_in_push(struct packet_in_queue *queue, const struct packet_in *header,
                   const uint8_t *frame)
{
    /* A flood should cost a look, not a copy. */
    struct packet_in *packet = handoff_is_full(&queue->waiting) ? NULL : copy_packet(header, frame);

    if (!packet) {
        handoff_count_lost(&queue->waiting);
        return -ENOBUFS;
    }
    if (handoff_push(&queue->waiting, &packet->item))
        return 0;
    packet_in_free(packet);
    return -ENOBUFS;
}

struct packet_in *packet_in_take_all(struct packet_in_queue *queue)
{
    return (struct packet_in *)(void *)handoff_take_all(&queue->waiting);
}

uint64_t packet_in_n_dropped(const struct packet_in_queue *queue)
{
    return handoff_n_lost(&queue->waiting);
}
