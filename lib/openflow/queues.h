/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* queues - the queues of ports: their counters (OF_QUEUE_STATS_*) and configuration
 * (OF_QUEUE_CONFIG_*, a message of its own until 1.3 and statistics since).
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/stats.h"

enum { OF_QUEUE_ALL = -1 };

struct of_queue_request {
    of_port port;      /* OFPP_NONE: all. */
    uint32_t queue_id; /* OF_QUEUE_ALL: all. */
};

/* Statistics and, from 1.4 on, configuration name a queue; before, only a port. */
enum of_error of_decode_queue_request(const struct of_message *message,
                                      struct of_queue_request *request);
void of_encode_queue_request(const struct of_queue_request *request, enum of_message_kind kind,
                             enum of_version version, uint32_t xid, struct buffer *out);

struct of_queue_stats {
    of_port port;
    uint32_t queue_id;
    uint64_t tx_bytes, tx_packets, tx_errors; /* UINT64_MAX: not known. */
    uint32_t duration_s, duration_ns;         /* From 1.3; UINT32_MAX: not known. */
};

void of_reply_add_queue_stats(struct of_reply *reply, const struct of_queue_stats *stats);
bool of_next_queue_stats(struct of_items *items, struct of_queue_stats *stats);

/* Rates are in tenths of a percent of the port's speed; OF_QUEUE_NO_RATE: not limited. */
enum { OF_QUEUE_NO_RATE = UINT16_MAX };

struct of_queue_config {
    of_port port;
    uint32_t queue_id;
    uint16_t min_rate, max_rate;
};

/* A reply to 'request', as of_reply_begin().  Until 1.3 its head names the port that was asked for. */
void of_reply_begin_queue_config(struct of_reply *reply, const struct of_message *request,
                                 of_port port, struct buffer *out);
void of_reply_add_queue_config(struct of_reply *reply, const struct of_queue_config *config);
void of_items_init_queue_config(struct of_items *items, const struct of_message *message);
bool of_next_queue_config(struct of_items *items, struct of_queue_config *config);
