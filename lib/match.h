/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* match - a set of flows: those that equal 'flow' in every bit of 'mask'.
 *
 * Invariant: flow & ~mask == 0, so equal matches are equal bytes.  struct minimatch is the same in
 * the space its non-zero mask words need; rules and classifiers keep that form.
 *
 * Threads  Plain values. */

#include "lib/flow.h"

struct match {
    struct flow flow;
    struct flow mask;
};

/* Words of the mask in order of their index, then the words of the flow, in one allocation. */
struct minimatch {
    uint64_t word_set; /* Bit i: word i of struct flow has mask bits. */
    uint64_t words[];  /* n mask words, then n flow words; n = popcount(word_set). */
};

static inline void match_init_any(struct match *match)
{
    memset(match, 0, sizeof *match);
}

static inline bool match_is_equal(const struct match *a, const struct match *b)
{
    return !memcmp(a, b, sizeof *a);
}

void match_normalize(struct match *match); /* Clears flow bits outside the mask. */

/* Does every flow in 'narrow' lie in 'wide' too?  ("loose" flow_mod and stats matching,
 * OpenFlow 1.3.5 section 6.4.) */
bool match_covers(const struct match *wide, const struct match *narrow);
bool match_overlaps(const struct match *a, const struct match *b); /* Can a flow lie in both? */
bool match_contains(const struct match *match, const struct flow *flow);

static inline size_t minimatch_n_words(const struct minimatch *mini)
{
    return (size_t)__builtin_popcountll(mini->word_set);
}

static inline const uint64_t *minimatch_mask(const struct minimatch *mini)
{
    return mini->words;
}

static inline const uint64_t *minimatch_flow(const struct minimatch *mini)
{
    return mini->words + minimatch_n_words(mini);
}

enum { MINIMATCH_MAX_WORDS = 2 * FLOW_WORDS };

struct minimatch *minimatch_create(const struct match *match); /* free() it. */

/* The same in 'mini', which has room for MINIMATCH_MAX_WORDS words. */
void minimatch_init(struct minimatch *mini, const struct match *match);
void minimatch_expand(const struct minimatch *mini, struct match *match);
bool minimatch_is_equal(const struct minimatch *a, const struct minimatch *b);
size_t minimatch_bytes(const struct minimatch *mini);
