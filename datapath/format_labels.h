/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* format_labels - MPLS labels in the notation of ovs-dpctl(8).
 *
 * There a change of a label is told as the whole label that results.  The datapath changes bits, so what is known
 * of the labels of a frame is followed from its match through its actions; where that is not enough for all of a
 * label, each part is told with a mask.
 *
 * Threads  Plain functions. */

#include <stdint.h>

#include "lib/buffer.h"
#include "lib/flow.h"

/* The labels of a match, "label=5/0xfffff,tc=0/0,ttl=64/0xff,bos=1/1"; nothing if it tells none. */
void format_labels(struct buffer *out, const struct flow_key *key, const struct flow_key *mask);

/* The outermost labels of a frame, and which bits of them are known. */
struct known_labels {
    uint32_t lse[FLOW_N_MPLS], known[FLOW_N_MPLS];
};

/* 'mask': what of 'key' is so; either may be NULL. */
void known_labels_init(struct known_labels *labels, const struct flow_key *key,
                       const struct flow_key *mask);
void known_labels_push(struct known_labels *labels, uint32_t lse);
void known_labels_pop(struct known_labels *labels);

/* Sets bits of the outermost label; format_label_set() also tells it: "label=5,tc=0,ttl=64,bos=1". */
void known_labels_set(struct known_labels *labels, uint32_t value, uint32_t mask);
void format_label_set(struct buffer *out, struct known_labels *labels, uint32_t value,
                      uint32_t mask);
