/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_plan - which bits of a flow tell most about the tuples it can match?
 *
 * Every word mask of a tuple is a possible filter, also for other tuples whose masks contain it; so is
 * what all masks of a word have in common; where one word says too little, so are pairs of words.  The
 * rules say how many tuples each would leave out of a flow like the rules.  Filters are chosen one
 * by one, each for what the ones before it let pass, until another would cost more than it saves.
 *
 * Threads  The classifier's writer only. */

#include <stdint.h>

#include "vswitchd/classifier_tuple.h"

struct cls_filter_bits {
    uint64_t masks[2]; /* The second is 0 if there is one word only. */
    uint8_t words[2];
};

static inline uint32_t cls_filter_bits_hash(const struct cls_filter_bits *bits, uint64_t word0,
                                            uint64_t word1)
{
    return (uint32_t)cls_hash_pair(hash_seed, word0 & bits->masks[0], word1 & bits->masks[1]);
}

/* Finds where among its words 'tuple' has those of 'bits'.  False: its masks lack some of the bits. */
bool cls_filter_bits_find(const struct cls_filter_bits *bits, const struct cls_tuple *tuple,
                          uint8_t places[2]);

struct cls_filter_plan {
    struct cls_filter_bits bits;
    uint64_t users; /* Positions of the tuples. */
    uint32_t log2_slots;
};

/* Plans at most 'max_plans' filters for 'n' tuples (64 at most), those with the fewest bits first;
 * returns how many.  '*n_left' tuples are what they let pass of a flow like the rules. */
uint32_t cls_plan_filters(struct cls_tuple *const *tuples, uint32_t n,
                          struct cls_filter_plan *plans, uint32_t max_plans, double *n_left);
