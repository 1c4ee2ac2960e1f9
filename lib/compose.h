/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* compose - a frame that has given fields: flow_extract() the other way round.
 *
 * What is not said is filled in so that the frame is a sound one: lengths and checksums are right, the
 * TTL is 64, types and protocols are those for experiments.  It is as short as it can be, but at least
 * COMPOSE_MIN_BYTES.  Not every key has a frame (later fragments have no ports), so a caller who takes keys from
 * others extracts the frame's key again and compares.
 *
 * Threads  Plain functions. */

#include "lib/flow.h"

struct buffer;

enum {
    COMPOSE_MIN_BYTES = 60,
    COMPOSE_ETH_TYPE = 0x88b5, /* IEEE 802's, for local experiments. */
    COMPOSE_TTL = 64,
};

/* Appends a frame with the fields of 'key' that have a bit in 'known'. */
void compose_frame(const struct flow_key *key, const struct flow_key *known, struct buffer *out);
