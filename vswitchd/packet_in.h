/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* packet_in - frames on their way from workers to the controllers of a bridge.
 *
 * A bounded queue for each bridge: workers put copies in, the main thread takes them out.  When it is full
 * the frame is not sent to the controller, and that is counted; forwarding never waits.
 *
 * Threads  packet_in_push() on any thread; the rest on the main thread.
 * Memory   Entries are owned by the queue until taken; packet_in_free() them. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/flow.h"
#include "lib/openflow/continuation.h"
#include "lib/openflow/openflow.h"
#include "vswitchd/handoff.h"

enum { PACKET_IN_QUEUE_MAX = 100 };

struct packet_in {
    struct handoff_item item; /* The queue's. */
    of_port in_port;
    uint8_t table_id;
    uint8_t reason; /* enum of_packet_in_reason. */
    bool
        is_from_miss_flow; /* Of a table's miss entry: to OpenFlow 1.3 and later that is no match. */
    bool is_without_flow;  /* No flow matched: not for OpenFlow 1.3 and later. */
    uint16_t controller_id;
    uint32_t max_bytes;      /* 0: all of it. */
    be64 cookie;             /* All ones: no flow. */
    struct flow flow;        /* Metadata and registers as they were. */
    const uint8_t *userdata; /* Of the action: borrowed by a header, owned by an entry. */
    uint16_t n_userdata;
    struct of_continuation *continuation; /* A reference, or NULL: the frame does not wait. */
    uint32_t dp_port;                     /* By which the frame came. */
    uint32_t total_bytes;
    uint32_t n_bytes; /* Of 'frame': at most max_bytes. */
    uint8_t frame[];
};

struct packet_in_queue;

/* 'wake' is called from the pushing thread when the queue was empty (an ev_async_send, say). */
struct packet_in_queue *packet_in_queue_create(void (*wake)(void *aux), void *aux);
void packet_in_queue_destroy(struct packet_in_queue *queue); /* NULL is fine; no pushers left. */

/* Copies header and frame bytes.  -ENOBUFS: full, and counted. */
int packet_in_push(struct packet_in_queue *queue, const struct packet_in *header,
                   const uint8_t *frame);

/* All that are waiting, oldest first; NULL: none.  The next push wakes again. */
struct packet_in *packet_in_take_all(struct packet_in_queue *queue);

void packet_in_free(struct packet_in *packet);

/* The one behind, of those taken; NULL: it was the last. */
static inline struct packet_in *packet_in_next(const struct packet_in *packet)
{
    return (struct packet_in *)(void *)packet->item.next; /* Its first member. */
}

uint64_t packet_in_n_dropped(const struct packet_in_queue *queue);
