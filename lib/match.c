/* SPDX-License-Identifier: Apache-2.0 */

/* Word by word; no field is known here. */

#include "lib/match.h"

#include <stdlib.h>

void match_normalize(struct match *match)
{
    uint64_t *flow = flow_words(&match->flow);
    const uint64_t *mask = flow_words_const(&match->mask);

    for (size_t i = 0; i < FLOW_WORDS; i++)
        flow[i] &= mask[i];
}

bool match_covers(const struct match *wide, const struct match *narrow)
{
    const uint64_t *wide_flow = flow_words_const(&wide->flow);
    const uint64_t *wide_mask = flow_words_const(&wide->mask);
    const uint64_t *narrow_flow = flow_words_const(&narrow->flow);
    const uint64_t *narrow_mask = flow_words_const(&narrow->mask);
    uint64_t difference = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++) {
        difference |= wide_mask[i] & ~narrow_mask[i];
        difference |= (wide_flow[i] ^ narrow_flow[i]) & wide_mask[i];
    }
    return !difference;
}

bool match_overlaps(const struct match *a, const struct match *b)
{
    const uint64_t *a_flow = flow_words_const(&a->flow), *a_mask = flow_words_const(&a->mask);
    const uint64_t *b_flow = flow_words_const(&b->flow), *b_mask = flow_words_const(&b->mask);
    uint64_t difference = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        difference |= (a_flow[i] ^ b_flow[i]) & a_mask[i] & b_mask[i];
    return !difference;
}

bool match_contains(const struct match *match, const struct flow *flow)
{
    const uint64_t *words = flow_words_const(flow);
    const uint64_t *match_words = flow_words_const(&match->flow);
    const uint64_t *mask = flow_words_const(&match->mask);
    uint64_t difference = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        difference |= (match_words[i] ^ words[i]) & mask[i];
    return !difference;
}

void minimatch_init(struct minimatch *mini, const struct match *match)
{
    const uint64_t *flow = flow_words_const(&match->flow);
    const uint64_t *mask = flow_words_const(&match->mask);
    size_t n = 0, n_words;

    mini->word_set = 0;
    for (size_t i = 0; i < FLOW_WORDS; i++)
        mini->word_set |= (uint64_t)(mask[i] != 0) << i;
    n_words = minimatch_n_words(mini);
    for (uint64_t set = mini->word_set; set; set &= set - 1) {
        int i = __builtin_ctzll(set);

        mini->words[n] = mask[i];
        mini->words[n_words + n++] = flow[i] & mask[i];
    }
}

struct minimatch *minimatch_create(const struct match *match)
{
    size_t n_words = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++)
        n_words += flow_words_const(&match->mask)[i] != 0;
    struct minimatch *mini = malloc(sizeof *mini + 2 * n_words * sizeof mini->words[0]);
    if (!mini)
        abort();
    minimatch_init(mini, match);
    return mini;
}

void minimatch_expand(const struct minimatch *mini, struct match *match)
{
    const uint64_t *mini_mask = minimatch_mask(mini), *mini_flow = minimatch_flow(mini);
    uint64_t *flow = flow_words(&match->flow), *mask = flow_words(&match->mask);

    match_init_any(match);
    for (uint64_t set = mini->word_set; set; set &= set - 1) {
        int word = __builtin_ctzll(set);

        mask[word] = *mini_mask++;
        flow[word] = *mini_flow++;
    }
}

bool minimatch_is_equal(const struct minimatch *a, const struct minimatch *b)
{
    return a->word_set == b->word_set && !memcmp(a, b, minimatch_bytes(a));
}

size_t minimatch_bytes(const struct minimatch *mini)
{
    return sizeof *mini + 2 * minimatch_n_words(mini) * sizeof mini->words[0];
}
