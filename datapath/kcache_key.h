/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kcache_key - from what userspace knows of a frame to what the kernel knows, and back.
 *
 * Two frames with the same kernel key are equal in all that kc_key_bits() lists for their kind; so a
 * verdict that looked at nothing else holds for both.  Much of it is there by absence: a frame with a key
 * has no second tag, is no fragment, has no label of MPLS.
 *
 * Threads  Plain values. */

#include <stdbool.h>

#include "datapath/kernel/layout.h"
#include "lib/flow.h"

/* What a key says depends on what kind of frame it is of. */
enum kc_kind {
    KC_KIND_IPV4,
    KC_KIND_IPV6,
    KC_KIND_ARP, /* And RARP, of which the key holds no more than of ... */
    KC_KIND_OTHER,
    KC_N_KINDS,
};

/* The key that BPF makes of the frame whose flow key is 'flow', which came in by the port of 'slot'.  False:
 * none. */
bool kc_key_from_flow(const struct flow_key *flow, uint16_t slot, struct kc_key *key);

enum kc_kind kc_key_kind(const struct kc_key *key);
enum kc_kind kc_flow_kind(const struct flow_key *flow); /* Of one that has a key. */

/* All of a flow key that a key of 'kind' says; and besides, what programs check frame by frame (TTL, TCP
 * flags). */
const struct flow_key *kc_key_bits(enum kc_kind kind);
void kc_shown_bits(enum kc_kind kind, struct flow_key *bits); /* Without the latter. */

/* The flow key of frames with 'key', as far as it says; the rest is zero. */
void kc_key_to_flow(const struct kc_key *key, uint32_t port_no, struct flow_key *flow);
