/* SPDX-License-Identifier: Apache-2.0 */

/* A list under a mutex: at most PACKET_IN_QUEUE_MAX frames are in it, and whoever needs more than some
 * thousand packet_ins a second has a slower controller to wait for. */

#include "vswitchd/packet_in.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mutex.h"

struct packet_in_queue {
    void (*wake)(void *aux);
    void *aux;
    _Atomic(uint64_t) n_dropped;
    struct mutex lock;
    struct packet_in *first GUARDED_BY(lock);
    struct packet_in **end GUARDED_BY(lock);
    unsigned int n GUARDED_BY(lock);
};

struct packet_in_queue *packet_in_queue_create(void (*wake)(void *aux), void *aux)
{
    struct packet_in_queue *queue = calloc(1, sizeof *queue);

    if (!queue)
        abort();
    queue->wake = wake;
    queue->aux = aux;
    mutex_init(&queue->lock);
    mutex_lock(&queue->lock);
    queue->end = &queue->first;
    mutex_unlock(&queue->lock);
    return queue;
}

void packet_in_queue_destroy(struct packet_in_queue *queue)
{
    if (!queue)
        return;
    for (struct packet_in *packet = packet_in_take_all(queue), *next; packet; packet = next) {
        next = packet->next;
        free(packet);
    }
    mutex_fini(&queue->lock);
    free(queue);
}

static int drop(struct packet_in_queue *queue, struct packet_in *packet)
{
    free(packet);
    atomic_fetch_add_explicit(&queue->n_dropped, 1, memory_order_relaxed);
    return -ENOBUFS;
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
        packet->next = NULL;
    }
    return packet;
}

static bool is_full(struct packet_in_queue *queue)
{
    mutex_lock(&queue->lock);
    bool full = queue->n >= PACKET_IN_QUEUE_MAX;
    mutex_unlock(&queue->lock);
    return full;
}

int packet_in_push(struct packet_in_queue *queue, const struct packet_in *header,
                   const uint8_t *frame)
{
    /* A flood should cost a look, not a copy. */
    struct packet_in *packet = is_full(queue) ? NULL : copy_packet(header, frame);

    if (!packet)
        return drop(queue, NULL);
    mutex_lock(&queue->lock);
    if (queue->n >= PACKET_IN_QUEUE_MAX) {
        mutex_unlock(&queue->lock);
        return drop(queue, packet);
    }
    bool was_empty = !queue->n++;
    *queue->end = packet;
    queue->end = &packet->next;
    mutex_unlock(&queue->lock);
    if (was_empty)
        queue->wake(queue->aux);
    return 0;
}

struct packet_in *packet_in_take_all(struct packet_in_queue *queue)
{
    mutex_lock(&queue->lock);
    struct packet_in *first = queue->first;
    queue->first = NULL;
    queue->end = &queue->first;
    queue->n = 0;
    mutex_unlock(&queue->lock);
    return first;
}

uint64_t packet_in_n_dropped(const struct packet_in_queue *queue)
{
    return atomic_load_explicit(&queue->n_dropped, memory_order_relaxed);
}
