/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* offload - can what the sender left for the hardware be done, and where is it now?
 *
 * A virtio network header comes from a guest or a foreign process and may say anything.  It is
 * checked once, on arrival, against the frame; what passes is normalised: only NEEDS_CSUM remains
 * in 'flags', and 'hdr_len' is what the headers say.
 *
 * A frame that is cut (DP_TRUNC) is a sample for somebody to look at, and no GSO frame any more.  A checksum that
 * was left to hardware is that of the piece, if the field is in it, as the kernel makes it when it cuts a frame.
 *
 * Threads  A packet has one owner. */

#include <stdbool.h>

#include "lib/packet.h"

/* Before flow_extract(): is the header well-formed, and inside the frame?  Normalises flags. */
bool offload_check_header(struct packet *packet);

/* After flow_extract(): is it about the headers that are there?  Sets hdr_len. */
bool offload_check_frame(struct packet *packet, const struct flow_key *key);

/* 'n_bytes' have been inserted (or, if negative, removed) behind the MAC addresses. */
void offload_shift(struct packet *packet, int n_bytes);

/* Computes the checksum that was left to hardware.  False, and nothing done, for a GSO frame, whose
 * segments each need one. */
bool offload_complete_checksum(struct packet *packet);

/* After the frame has been cut. */
void offload_cut(struct packet *packet);

static inline void offload_clear(struct packet *packet)
{
    memset(&packet->vnet, 0, sizeof packet->vnet);
}
