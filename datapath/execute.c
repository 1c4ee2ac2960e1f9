/* SPDX-License-Identifier: Apache-2.0 */

/* A frame that was queued for sending is copied before it is changed; long ones make the queue go out
 * first, which costs less than copying them. */

#include "datapath/execute.h"

#include <stdlib.h>

#include "datapath/offload.h"
#include "datapath/rewrite.h"

enum { NO_TRUNCATION = UINT32_MAX, MAX_SAVED = 16 };

/* Frames that a DP_RESTORE goes back to.  No fast path: only frames with labels need it. */
struct saved {
    struct saved *next;
    struct packet packet; /* 'data' and 'start' mean nothing. */
    struct flow_key key;
    unsigned int n_labels;
    uint8_t bytes[];
};

struct execution {
    struct lane *lane;
    struct packet *packet;
    struct packet copy;         /* What 'packet' becomes when it has to be copied. */
    const struct flow_key *key; /* As it came, or 'own_key' once that is something else. */
    struct flow_key own_key;
    struct dp_port *in_port;
    void *context;
    uint32_t max_bytes;    /* Of the next output. */
    bool is_held;          /* The packet's bytes are queued. */
    bool is_over;          /* No memory: nothing more is done. */
    unsigned int n_labels; /* Pushed. */
    uint64_t n_missed;     /* Actions that a meter keeps from the frame. */
    unsigned int n_saved;
    struct saved *saved; /* Owned; the last one first. */
};

/* Before the bytes change. */
static void own_bytes(struct execution *x)
{
    if (!x->is_held)
        return;
    if (x->packet->size <= TX_COPY_MAX_FRAME &&
        tx_copy(x->lane, x->packet, x->packet->size, &x->copy))
        x->packet = &x->copy;
    else
        tx_flush(x->lane);
    x->is_held = false;
}

/* Its piece is another frame; without room for that, the frame itself is cut for as long as it
 * takes to send it. */
static void output_cut(struct execution *x, struct dp_port *port, uint32_t n_bytes)
{
    struct packet cut;
    struct tx_frame frame = {.packet = &cut, .in_port = x->in_port};
    bool is_copy = tx_copy(x->lane, x->packet, n_bytes, &cut);

    if (!is_copy) {
        own_bytes(x);
        cut = *x->packet;
        cut.size = n_bytes;
    }
    offload_cut(&cut);
    port->ops->send(x->lane, port, &frame);
    if (!is_copy)
        tx_flush(x->lane);
}

static void output(struct execution *x, uint32_t port_no)
{
    struct dp_port *port = datapath_port(x->lane->dp, port_no);
    struct tx_frame frame = {.packet = x->packet, .in_port = x->in_port};
    uint32_t max_bytes = x->max_bytes;

    x->max_bytes = NO_TRUNCATION;
    if (!port) {
        lane_drop(x->lane, x->in_port, DROP_NO_PORT);
        return;
    }
    x->lane->went_to |= port_bit(port);
    if (x->n_labels && packet_is_gso(x->packet) && max_bytes >= x->packet->size) {
        lane_drop(x->lane, x->in_port, DROP_NOT_SEGMENTABLE);
        return;
    }
    if (max_bytes < x->packet->size) {
        output_cut(x, port, max_bytes);
        return;
    }
    port->ops->send(x->lane, port, &frame);
    x->is_held |= frame.is_held;
}

static void deliver(struct execution *x, uint32_t arg)
{
    const struct datapath_ops *ops = x->lane->dp->ops;

    if (packet_needs_checksum(x->packet) && !packet_is_gso(x->packet)) {
        own_bytes(x);
        offload_complete_checksum(x->packet);
    }
    if (ops->deliver)
        ops->deliver(x->lane->dp->aux, x->context, arg, x->packet, x->key);
}

static void change_headers(struct execution *x, const struct dp_action *action)
{
    own_bytes(x);
    if (x->key != &x->own_key) {
        x->own_key = *x->key;
        x->key = &x->own_key;
    }
    rewrite_execute(x->packet, &x->own_key, action);
    if (action->type == DP_PUSH_MPLS)
        x->n_labels++;
    else if (action->type == DP_POP_MPLS && x->n_labels)
        x->n_labels--;
}

static void save(struct execution *x)
{
    struct saved *saved = NULL;

    if (x->n_saved < MAX_SAVED)
        saved = malloc(sizeof *saved + x->packet->size);
    if (!saved) {
        lane_drop(x->lane, x->in_port, DROP_NO_MEMORY);
        x->is_over = true;
        return;
    }
    saved->next = x->saved;
    saved->packet = *x->packet;
    saved->key = *x->key;
    saved->n_labels = x->n_labels;
    memcpy(saved->bytes, x->packet->data, x->packet->size);
    x->saved = saved;
    x->n_saved++;
}

static void forget(struct execution *x)
{
    struct saved *saved = x->saved;

    x->saved = saved->next;
    x->n_saved--;
    free(saved);
}

/* What is pushed and popped is in front: the end of the frame has stayed where it was. */
static void restore(struct execution *x)
{
    struct saved *saved = x->saved;

    if (!saved)
        return;
    own_bytes(x);
    struct packet *packet = x->packet, now = *packet;
    *packet = saved->packet;
    packet->start = now.start;
    packet->capacity = now.capacity;
    packet->data = now.data + now.size - packet->size;
    memcpy(packet->data, saved->bytes, packet->size);
    x->own_key = saved->key;
    x->key = &x->own_key;
    x->n_labels = saved->n_labels;
    forget(x);
}

/* What its first segment carries, which is what the kernel tells its programs. */
static uint32_t first_bytes(const struct packet *packet)
{
    uint32_t n_bytes = packet->vnet.gso_size;

    return packet_is_gso(packet) && n_bytes < packet->size ? n_bytes : packet->size;
}

/* False: the frame is dropped. */
static bool meter(struct execution *x, uint32_t number)
{
    const struct dp_band *band = dp_meters_apply(x->lane->dp->meters, number, x->packet->size,
                                                 first_bytes(x->packet), x->lane->now_ns);

    if (!band)
        return true;
    if (!band->remarks) {
        lane_drop(x->lane, x->in_port, DROP_METER);
        return false;
    }
    own_bytes(x);
    rewrite_drop_precedence(x->packet, band->precedence);
    return true;
}

static void execute_action(struct execution *x, const struct dp_action *action)
{
    switch ((enum dp_action_type)action->type) {
    case DP_OUTPUT:
        output(x, action->arg);
        break;
    case DP_SET:
        own_bytes(x);
        rewrite_set(x->packet, x->key, action->word, action->value, action->mask);
        break;
    case DP_PUSH_VLAN:
        own_bytes(x);
        rewrite_push_vlan(x->packet, (uint16_t)(action->arg >> 16), (uint16_t)action->arg);
        break;
    case DP_POP_VLAN:
        own_bytes(x);
        rewrite_pop_vlan(x->packet);
        break;
    case DP_PUSH_MPLS:
    case DP_POP_MPLS:
        change_headers(x, action);
        break;
    case DP_SAVE:
        save(x);
        break;
    case DP_RESTORE:
        restore(x);
        break;
    case DP_METER:
        if (!meter(x, action->arg))
            x->n_missed = action->value;
        break;
    case DP_TRUNC:
        x->max_bytes = action->arg < 14 ? 14 : action->arg;
        break;
    case DP_DELIVER:
        deliver(x, action->arg);
        break;
    case DP_DROP:
        if (action->arg < DROP_N_REASONS)
            lane_drop(x->lane, x->in_port, (enum drop_reason)action->arg);
        break;
    }
}

void execute_actions(struct lane *lane, struct packet *packet, const struct flow_key *key,
                     const struct dp_action *actions, uint32_t n_actions, void *context,
                     struct dp_port *in_port)
{
    struct execution x = {
        .lane = lane,
        .packet = packet,
        .key = key,
        .in_port = in_port,
        .context = context,
        .max_bytes = NO_TRUNCATION,
    };

    tx_reuse_copies(&lane->tx);
    for (uint32_t i = 0; i < n_actions && !x.is_over; i++) {
        if (x.n_missed)
            x.n_missed--;
        else
            execute_action(&x, &actions[i]);
    }
    while (x.saved)
        forget(&x);
}
