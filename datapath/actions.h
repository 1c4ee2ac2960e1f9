/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* actions - what the datapath does to a frame: the instruction set of a verdict.
 *
 * A list is executed in order.  Header changes are one instruction, DP_SET: replace the bits of
 * 'mask' in one 64-bit word of the flow key by those of 'value'.  Words of struct flow_key lie on
 * header fields (addresses, ports, TTL ...), so the executor needs a case for each word, not for each field.
 * Setting a header that this very frame lacks, or has cut short, does nothing.
 *
 * Values hold for every frame of the megaflow, because translation put every bit that a value
 * was derived from into the mask. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/flow.h"

enum dp_action_type {
    DP_OUTPUT,    /* Send to port 'arg'. */
    DP_SET,       /* Key word 'word': replace the bits in 'mask' by 'value'. */
    DP_PUSH_VLAN, /* 'arg' is TPID << 16 | TCI. */
    DP_POP_VLAN,  /* Outermost tag. */
    DP_PUSH_MPLS, /* Label stack entry 'arg' behind 'word' VLAN tags, with type 'value' in front. */
    DP_POP_MPLS,  /* The entry behind 'word' VLAN tags; type 'arg' then stands in front. */
    DP_SAVE,      /* Remember the frame ... */
    DP_RESTORE,   /* ... and go back to what was remembered last. */
    DP_METER,     /* Charge meter 'arg'; a frame that it drops misses the next 'value' actions. */
    DP_TRUNC,     /* The next DP_OUTPUT sends 'arg' bytes at most (>= 14). */
    DP_DELIVER,   /* Hand the frame, as it is now, to datapath_ops.deliver with 'arg'. */
    DP_DROP,      /* Count drop reason 'arg' on the ingress port.  Last. */
};

struct dp_action {
    uint8_t type; /* enum dp_action_type. */
    uint8_t word; /* DP_SET: index into the words of struct flow_key. */
    uint8_t pad[2];
    uint32_t arg;
    uint64_t value; /* Network byte order, as in the key. */
    uint64_t mask;
};

/* Enough to flood to every port with a tag of its own.  Longer verdicts are not cached but drop
 * (DROP_TOO_MANY_ACTIONS). */
enum { DP_ACTIONS_MAX = 8192 };

struct dp_actions {
    uint32_t n;
    struct dp_action list[DP_ACTIONS_MAX];
};

static inline bool dp_action_is_equal(const struct dp_action *a, const struct dp_action *b)
{
    return !memcmp(a, b, sizeof *a);
}
