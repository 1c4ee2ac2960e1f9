/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_vectors - which of up to 64 tuples have a rule that agrees with this byte of a flow?
 *
 * The filters of a group (classifier_plan.h) need masks that tuples share.  Where each tuple has a mask
 * of its own, with few rules, they tell little, and a lookup would probe one tuple after the other.  Such a
 * group has vectors, too: for one byte of the flow each, 256 sets of tuples, whatever their masks.  A
 * tuple with one rule is in all the sets of a flow only if the rule matches in all these bytes.
 *
 * Bound    CLS_VECTORS_MAX loads for a group.  A lookup uses them once it has probed CLS_PROBES_IN_VAIN tuples for
 *          nothing and CLS_MANY_LEFT are left in the group, and everywhere after CLS_MANY_IN_VAIN.  From then on, what
 *          is probed for nothing either has several rules, which agree with the flow in one byte each, or differs in
 *          other bytes only.
 *
 * Threads  As classifier_group.h, whose part this is.
 * Memory   2 KB a byte. */

#include <stdatomic.h>

#include "vswitchd/classifier_tuple.h"

enum { CLS_VECTORS_MAX = 16, CLS_PROBES_IN_VAIN = 2, CLS_MANY_IN_VAIN = 16, CLS_MANY_LEFT = 4 };

struct cls_vector {
    uint8_t word, shift; /* The byte of the flow. */
    uint64_t mask;       /* Of the word: what its users look at in that byte. */
    uint64_t users;      /* Tuples; the others are in every set. */
    _Atomic(uint64_t) sets[256];
};

struct cls_vectors {
    uint32_t n;
    struct cls_vector list[];
};

/* For 'n' tuples, which know their positions; NULL: none is of use. */
struct cls_vectors *cls_vectors_create(struct cls_tuple *const *tuples, uint32_t n);

/* Lets the vectors know a rule of 'tuple', before it is inserted. */
void cls_vectors_note_rule(struct cls_vectors *vectors, const struct cls_tuple *tuple,
                           const struct cls_rule *rule);

/* Those of 'tuples' that cannot match; if there are any, adds to 'consulted' what all vectors look at: with
 * just those that leave one out, lookups would consult ever other bits, and caches fill with masks. */
static inline uint64_t cls_vectors_leave_out(const struct cls_vectors *vectors, uint64_t tuples,
                                             const uint64_t *flow, uint64_t *consulted)
{
    uint64_t left = tuples;

    for (uint32_t i = 0; i < vectors->n && left; i++) {
        const struct cls_vector *vector = &vectors->list[i];
        uint8_t byte = (uint8_t)(flow[vector->word] >> vector->shift);

        left &= atomic_load_explicit(&vector->sets[byte], memory_order_relaxed);
    }
    for (uint32_t i = 0; i < vectors->n && left != tuples; i++)
        consulted[vectors->list[i].word] |= vectors->list[i].mask;
    return tuples & ~left;
}
