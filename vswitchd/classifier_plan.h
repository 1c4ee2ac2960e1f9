/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_plan - which bits of a flow tell most about the tuples it can match?
 *
 * Every word mask of a tuple is a possible filter, also for other tuples whose masks contain it; so is
 * what all masks of a word have in common.  A sample of the rules says how many tuples each would
 * leave out of a flow like the rules.  They are chosen one by one, each for what the ones before it let
 * pass, until another would cost more than it saves.
 *
 * Threads  The classifier's writer only. */

#include <stdint.h>

#include "vswitchd/classifier_tuple.h"

struct cls_filter_plan {
    uint64_t mask;
    uint64_t users; /* Positions of the tuples. */
    uint8_t word;
    uint8_t log2_slots;
};

/* Plans at most 'max_plans' filters for 'n' tuples (64 at most), those with the fewest bits first;
 * returns how many. */
uint32_t cls_plan_filters(struct cls_tuple *const *tuples, uint32_t n,
                          struct cls_filter_plan *plans, uint32_t max_plans);
