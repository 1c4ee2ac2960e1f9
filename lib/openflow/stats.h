/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* stats - statistics requests and replies ("multipart" from 1.3 on).
 *
 * A reply may be a series of messages: struct of_reply starts a new one whenever the next item would
 * pass 64 KiB, and marks all but the last with "more".  A reader walks each message with struct
 * of_items:
 *
 *     struct of_items items;
 *     error = of_items_init(&items, &message);
 *     while (of_next_flow_stats(&items, &stats))
 *         ...
 *     error = items.error;
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/byteorder.h"
#include "lib/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/openflow.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/wire.h"

struct of_match_shape;

/* Replies, sending side. */
struct of_reply {
    struct buffer *out;
    enum of_message_kind kind;
    enum of_form form;
    enum of_version version;
    uint32_t xid;
    size_t start;                 /* Of the message being filled. */
    struct of_match_shape *shape; /* Of the flows told so far; NULL: each is treated by itself. */
};

/* Kind, version, form and xid follow from the request. */
void of_reply_begin(struct of_reply *reply, const struct of_message *request, struct buffer *out);
void of_reply_end(struct of_reply *reply);
/* What is added from now on stands in another message. */
void of_reply_break(struct of_reply *reply);

/* Reading side. */
struct of_items {
    struct wire wire;
    enum of_version version;
    enum of_form form;
    of_port queue_port;  /* Of queues whose items do not say (queues.h). */
    enum of_error error; /* Of the item that could not be read; OF_OK at the end. */
};

void of_items_init(struct of_items *items, const struct of_message *message);
bool of_message_has_more(const struct of_message *message);

/* OF_DESC_*: strings as on the wire, cut to fit. */
struct of_desc {
    const char *manufacturer, *hardware, *software, *serial, *datapath;
};

void of_encode_desc(const struct of_desc *desc, const struct of_message *request,
                    struct buffer *out);

/* Points into 'text', which the caller provides: five NUL-terminated strings. */
struct of_desc_text {
    char manufacturer[257], hardware[257], software[257], serial[33], datapath[257];
};
enum of_error of_decode_desc(const struct of_message *message, struct of_desc_text *text);

/* OF_FLOW_STATS_*, OF_AGGREGATE_*. */
struct of_flow_stats_request {
    struct match match;
    be64 cookie, cookie_mask; /* 0: any. */
    of_port out_port;         /* OFPP_NONE: any. */
    uint32_t out_group;
    uint8_t table_id; /* OF_TABLE_ALL: all. */
};

void of_flow_stats_request_init(struct of_flow_stats_request *request); /* Every flow. */

/* A request of standard 1.0 form cannot carry a cookie nor fields beyond ofp_match. */
enum of_error of_decode_flow_stats_request(const struct of_message *message,
                                           struct of_flow_stats_request *request);
void of_encode_flow_stats_request(const struct of_flow_stats_request *request,
                                  enum of_message_kind kind, const struct of_protocol *protocol,
                                  uint32_t xid, struct buffer *out);

struct of_flow_stats {
    struct match match;
    be64 cookie;
    uint16_t priority;
    uint8_t table_id;
    uint16_t flags; /* enum of_flow_flags: 1.3 and later. */
    uint16_t idle_timeout_s, hard_timeout_s;
    uint16_t importance;
    uint32_t duration_s, duration_ns;
    int32_t idle_age_s, hard_age_s; /* -1: not known.  NXST_FLOW tells, 1.5 only the first. */
    uint64_t n_packets, n_bytes;    /* UINT64_MAX: not known. */
    struct ofa_list actions;        /* Borrowed; see of_next_flow_stats(). */
};

void of_reply_add_flow(struct of_reply *reply, const struct of_flow_stats *stats);

/* 'actions' is cleared and holds the list that stats->actions points to. */
bool of_next_flow_stats(struct of_items *items, struct buffer *actions,
                        struct of_flow_stats *stats);

struct of_aggregate {
    uint64_t n_packets, n_bytes;
    uint32_t n_flows;
};

void of_encode_aggregate(const struct of_aggregate *aggregate, const struct of_message *request,
                         struct buffer *out);
enum of_error of_decode_aggregate(const struct of_message *message, struct of_aggregate *aggregate);

/* OF_PORT_STATS_*: port OFPP_NONE asks for all. */
enum of_error of_decode_port_stats_request(const struct of_message *message, of_port *port);
void of_encode_port_stats_request(of_port port, enum of_version version, uint32_t xid,
                                  struct buffer *out);

struct of_port_stats {
    of_port port;
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes; /* UINT64_MAX: not known. */
    uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
    uint64_t rx_frame_errors, rx_over_errors, rx_crc_errors, collisions;
    uint32_t duration_s, duration_ns; /* From 1.3. */
};

void of_reply_add_port_stats(struct of_reply *reply, const struct of_port_stats *stats);
bool of_next_port_stats(struct of_items *items, struct of_port_stats *stats);

/* OF_PORT_DESC_*.  From 1.5 on one port can be asked for; OFPP_NONE: all. */
enum of_error of_decode_port_desc_request(const struct of_message *message, of_port *port);
void of_encode_port_desc_request(of_port port, enum of_version version, uint32_t xid,
                                 struct buffer *out);
void of_reply_add_port(struct of_reply *reply, const struct of_port_info *port);
bool of_next_port(struct of_items *items, struct of_port_info *port);
