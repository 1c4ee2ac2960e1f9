/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/of_limiter.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/clock.h"

struct waiting_message {
    struct cds_list_head node;
    size_t n_bytes;
    uint8_t bytes[];
};

struct waiting_port {
    struct cds_list_head node;
    of_port port;
    struct cds_list_head messages; /* Oldest first; never empty. */
    uint32_t n;
};

void of_limiter_init(struct of_limiter *limiter)
{
    *limiter = (struct of_limiter){.rate = 0};
    CDS_INIT_LIST_HEAD(&limiter->ports);
}

/* The oldest message of a port, out of its queue.  The port goes with its last one. */
static struct waiting_message *take_oldest(struct of_limiter *limiter, struct waiting_port *port)
{
    struct waiting_message *message = cds_list_entry(port->messages.next, struct waiting_message,
                                                     node);

    cds_list_del(&message->node);
    limiter->stats.n_waiting--;
    if (!--port->n) {
        cds_list_del(&port->node);
        free(port);
    }
    return message;
}

static void drop_one(struct of_limiter *limiter)
{
    struct waiting_port *port, *longest = NULL;

    cds_list_for_each_entry (port, &limiter->ports, node)
        if (!longest || port->n > longest->n)
            longest = port;
    free(take_oldest(limiter, longest));
    limiter->stats.n_dropped++;
}

void of_limiter_fini(struct of_limiter *limiter)
{
    while (limiter->stats.n_waiting)
        drop_one(limiter);
}

void of_limiter_set(struct of_limiter *limiter, uint32_t rate, uint32_t burst, int64_t now_ns)
{
    burst = burst ? burst : rate / 4;
    burst = burst || !rate ? burst : 1;
    if (limiter->rate == rate && limiter->burst == burst)
        return;
    of_limiter_fini(limiter);
    limiter->stats = (struct of_limiter_stats){.n_waiting = 0};
    limiter->rate = rate;
    limiter->burst = burst;
    limiter->n_tokens = burst;
    limiter->filled_ns = now_ns;
}

static bool take_token(struct of_limiter *limiter, int64_t now_ns)
{
    if (now_ns > limiter->filled_ns) {
        limiter->n_tokens += (double)(now_ns - limiter->filled_ns) * limiter->rate / SECOND_NS;
        limiter->filled_ns = now_ns;
        if (limiter->n_tokens > limiter->burst)
            limiter->n_tokens = limiter->burst;
    }
    if (limiter->n_tokens < 1)
        return false;
    limiter->n_tokens--;
    return true;
}

static struct waiting_port *find_or_create_port(struct of_limiter *limiter, of_port number)
{
    struct waiting_port *port;

    cds_list_for_each_entry (port, &limiter->ports, node)
        if (port->port == number)
            return port;
    port = calloc(1, sizeof *port);
    if (!port)
        abort();
    port->port = number;
    CDS_INIT_LIST_HEAD(&port->messages);
    cds_list_add_tail(&port->node, &limiter->ports);
    return port;
}

static void enqueue(struct of_limiter *limiter, of_port number, const struct buffer *message)
{
    struct waiting_message *waiting = malloc(sizeof *waiting + message->size);

    if (!waiting)
        abort();
    if (limiter->stats.n_waiting >= limiter->burst)
        drop_one(limiter);
    struct waiting_port *port = find_or_create_port(limiter, number);
    waiting->n_bytes = message->size;
    memcpy(waiting->bytes, message->data, message->size);
    cds_list_add_tail(&waiting->node, &port->messages);
    port->n++;
    limiter->stats.n_waiting++;
    limiter->stats.n_queued++;
}

bool of_limiter_send(struct of_limiter *limiter, of_port port, const struct buffer *message,
                     int64_t now_ns, struct buffer *out)
{
    if (limiter->rate && (limiter->stats.n_waiting || !take_token(limiter, now_ns))) {
        enqueue(limiter, port, message);
        return false;
    }
    limiter->stats.n_bypassed++;
    buffer_put(out, message->data, message->size);
    return true;
}

/* The port's turn comes again behind the others. */
static struct waiting_message *take_next(struct of_limiter *limiter)
{
    struct waiting_port *port = cds_list_entry(limiter->ports.next, struct waiting_port, node);

    cds_list_del(&port->node);
    cds_list_add_tail(&port->node, &limiter->ports);
    return take_oldest(limiter, port);
}

bool of_limiter_run(struct of_limiter *limiter, int64_t now_ns, struct buffer *out)
{
    if (!limiter->stats.n_waiting || !take_token(limiter, now_ns))
        return false;
    struct waiting_message *message = take_next(limiter);
    buffer_put(out, message->bytes, message->n_bytes);
    free(message);
    return true;
}

int64_t of_limiter_next_ns(const struct of_limiter *limiter)
{
    if (!limiter->stats.n_waiting)
        return INT64_MAX;
    return limiter->filled_ns + (int64_t)((1 - limiter->n_tokens) * SECOND_NS / limiter->rate) + 1;
}
