/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* packet - frames to and from controllers: packet_in and packet_out.
 *
 * Weir buffers no frames: buffer_id is always OF_BUFFER_NONE in a packet_in and is an error
 * (OFPBRC_BUFFER_UNKNOWN) in a packet_out.
 *
 * Memory   'frame' is borrowed from the message or the caller; struct of_packet_out owns its
 * actions.
 * Threads  Plain functions. */

#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/byteorder.h"
#include "lib/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"

struct of_packet_in {
    const uint8_t *frame;
    size_t frame_bytes;   /* Of 'frame'. */
    uint16_t total_bytes; /* Of the whole frame, which may be longer. */
    uint8_t reason;       /* enum of_packet_in_reason. */
    uint8_t table_id;
    be64 cookie;        /* All ones: no flow. */
    struct match match; /* in_port, metadata, registers: what the frame itself does not say. */

    /* Only NXT_PACKET_IN2 tells these, and NXT_RESUME brings the second back; borrowed. */
    const uint8_t *userdata, *continuation;
    size_t userdata_bytes, continuation_bytes;
};

/* What a frame does not say itself, between a flow and the match that tells it: in_port, marks, metadata and
 * registers; those that are 0 are left out, but for in_port. */
void of_metadata_to_match(const struct flow *flow, struct match *match);
void of_metadata_from_match(const struct match *match, struct flow *flow);

/* Forms of packet_in (NXT_SET_PACKET_IN_FORMAT). */
enum of_packet_in_format {
    OF_PACKET_IN_STANDARD = 0,
    OF_PACKET_IN_NXT = 1,
    OF_PACKET_IN_NXT2 = 2, /* Of properties. */
};

enum of_error of_decode_packet_in(const struct of_message *message, struct of_packet_in *packet);
void of_encode_packet_in(const struct of_packet_in *packet, enum of_version version,
                         enum of_packet_in_format format, struct buffer *out);

/* NXT_RESUME: what a controller sends back of an NXT_PACKET_IN2 that paused a frame; the same properties. */
enum of_error of_decode_resume(const struct of_message *message, struct of_packet_in *packet);
void of_encode_resume(const struct of_packet_in *packet, enum of_version version, uint32_t xid,
                      struct buffer *out);

struct of_packet_out {
    const uint8_t *frame;
    size_t frame_bytes;
    struct match metadata; /* From 1.5: what the frame is to come with; its in_port is below. */
    of_port in_port;       /* OFPP_CONTROLLER, OFPP_NONE, OFPP_LOCAL or a port. */
    struct buffer actions; /* Owned: a list of struct ofa. */
};

static inline struct ofa_list of_packet_out_actions(const struct of_packet_out *packet)
{
    return (struct ofa_list){.first = (const struct ofa *)(const void *)packet->actions.data,
                             .n_bytes = packet->actions.size};
}

/* Initializes 'packet'; of_packet_out_fini() it in any case. */
enum of_error of_decode_packet_out(const struct of_message *message, uint8_t n_tables,
                                   struct of_packet_out *packet);
void of_packet_out_fini(struct of_packet_out *packet);

/* May 'packet' be sent in this version without losing anything?  If not, that is left out. */
bool of_packet_out_fits(const struct of_packet_out *packet, enum of_version version);
void of_encode_packet_out(const struct of_packet_out *packet, enum of_version version, uint32_t xid,
                          struct buffer *out);
