/* SPDX-License-Identifier: Apache-2.0 */

/* A flow "like the rules" has in each word the bits of some rule, any with the same probability.  So a
 * filter lets a tuple pass with probability (distinct bits among its rules) / (distinct bits among
 * all), counted on the sample in a scratch table that is a filter itself. */

#include "vswitchd/classifier_plan.h"

#include <stdlib.h>

enum {
    MAX_TUPLES = 64,
    MAX_CANDIDATES = 96,
    MAX_SAMPLE = 512, /* Rules of one tuple. */
    LOG2_SCRATCH = 15,
    MIN_LOG2_SLOTS = 7,
    MAX_LOG2_SLOTS = 24,
};

/* Tuples that a filter must leave out on average to be worth its load. */
static const double MIN_GAIN = 1.0;

struct candidate {
    uint64_t mask;
    uint64_t users;
    uint8_t word;
    bool is_chosen;
    uint32_t n_max_distinct; /* In one tuple, of the sample. */
    float pass[MAX_TUPLES];  /* Probabilities. */
};

struct plan {
    struct cls_tuple *const *tuples;
    uint32_t n_tuples;
    uint32_t n_candidates;
    struct candidate candidates[MAX_CANDIDATES];

    /* Masked words of sampled rules. */
    const uint64_t *sample[MAX_TUPLES][MAX_SAMPLE];
    uint32_t n_sample[MAX_TUPLES];
    uint64_t scratch[1 << LOG2_SCRATCH];
};

/* The tuple's mask for 'word', and where it is among its words. */
static uint64_t mask_of_word(const struct cls_tuple *tuple, uint8_t word, uint32_t *place)
{
    for (uint32_t i = 0; i < tuple->n_words; i++) {
        if (tuple->words[i] == word) {
            *place = i;
            return tuple->masks[i];
        }
    }
    return 0;
}

static void add_candidate(struct plan *plan, uint8_t word, uint64_t mask)
{
    for (uint32_t i = 0; i < plan->n_candidates; i++)
        if (plan->candidates[i].word == word && plan->candidates[i].mask == mask)
            return;
    if (plan->n_candidates == MAX_CANDIDATES)
        return;

    struct candidate *candidate = &plan->candidates[plan->n_candidates++];
    candidate->word = word;
    candidate->mask = mask;
    for (uint32_t i = 0, place; i < plan->n_tuples; i++)
        if (!(mask & ~mask_of_word(plan->tuples[i], word, &place)))
            candidate->users |= UINT64_C(1) << i;
}

static void find_candidates(struct plan *plan)
{
    uint64_t common[FLOW_WORDS];

    memset(common, 0xff, sizeof common);
    for (uint32_t i = 0; i < plan->n_tuples; i++)
        for (uint32_t w = 0; w < plan->tuples[i]->n_words; w++)
            common[plan->tuples[i]->words[w]] &= plan->tuples[i]->masks[w];

    for (uint8_t word = 0; word < FLOW_WORDS; word++)
        if (common[word] && common[word] != UINT64_MAX)
            add_candidate(plan, word, common[word]);
    for (uint32_t i = 0; i < plan->n_tuples; i++)
        for (uint32_t w = 0; w < plan->tuples[i]->n_words; w++)
            add_candidate(plan, plan->tuples[i]->words[w], plan->tuples[i]->masks[w]);
}

static void take_sample(struct plan *plan, uint32_t position)
{
    const struct cls_tuple *tuple = plan->tuples[position];
    const struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_relaxed);
    uint32_t n = 0;

    for (uint32_t i = 0; i < table->capacity && n < MAX_SAMPLE; i++) {
        uint64_t entry = atomic_load_explicit(&table->entries[i], memory_order_relaxed);
        if (cls_entry_is_rule(entry))
            plan->sample[position][n++] = cls_tuple_rule_words(tuple, cls_entry_rule(entry));
    }
    plan->n_sample[position] = n;
}

/* Fills in 'pass' and 'n_max_distinct'. */
static void measure(struct plan *plan, struct candidate *candidate)
{
    uint32_t n_distinct_all = 0;

    memset(plan->scratch, 0, sizeof plan->scratch);
    for (uint32_t i = 0; i < plan->n_tuples; i++) {
        uint32_t n_distinct = 0, place = 0;

        if (!(candidate->users >> i & 1))
            continue;
        mask_of_word(plan->tuples[i], candidate->word, &place);
        for (uint32_t s = 0; s < plan->n_sample[i]; s++) {
            uint64_t bits = plan->sample[i][s][place] & candidate->mask;
            uint64_t *slot =
                &plan->scratch[cls_hash_word(bits, candidate->word) >> (64 - LOG2_SCRATCH)];
            n_distinct_all += !*slot;
            n_distinct += !(*slot >> i & 1);
            *slot |= UINT64_C(1) << i;
        }
        candidate->pass[i] = (float)n_distinct;
        if (n_distinct > candidate->n_max_distinct)
            candidate->n_max_distinct = n_distinct;
    }
    for (uint32_t i = 0; i < plan->n_tuples; i++)
        if (candidate->users >> i & 1)
            candidate->pass[i] /= (float)n_distinct_all;
}

static double gain_of(const struct plan *plan, const struct candidate *candidate,
                      const double *passes)
{
    double gain = 0;

    for (uint32_t i = 0; i < plan->n_tuples; i++)
        if (candidate->users >> i & 1)
            gain += passes[i] * (1 - (double)candidate->pass[i]);
    return gain;
}

/* The best of what is left, or NULL.  'passes' are the probabilities with those chosen so far. */
static struct candidate *choose(struct plan *plan, double *passes)
{
    struct candidate *best = NULL;
    double best_gain = MIN_GAIN;

    for (uint32_t i = 0; i < plan->n_candidates; i++) {
        struct candidate *candidate = &plan->candidates[i];
        double gain = candidate->is_chosen ? 0 : gain_of(plan, candidate, passes);

        if (gain > best_gain) {
            best_gain = gain;
            best = candidate;
        }
    }
    if (best) {
        best->is_chosen = true;
        for (uint32_t i = 0; i < plan->n_tuples; i++)
            if (best->users >> i & 1)
                passes[i] *= (double)best->pass[i];
    }
    return best;
}

static uint8_t log2_above(uint64_t n)
{
    uint8_t log2 = MIN_LOG2_SLOTS;

    while (log2 < MAX_LOG2_SLOTS && UINT64_C(1) << log2 < n)
        log2++;
    return log2;
}

/* Two slots a rule in all filters together, but no more than eight for each distinct value. */
static void size_filters(const struct plan *plan, struct cls_filter_plan *plans, uint32_t n,
                         const uint32_t *n_max_distinct)
{
    uint64_t n_keys = 0;
    uint32_t n_max_keys = 1;

    for (uint32_t i = 0; i < plan->n_tuples; i++) {
        n_keys += plan->tuples[i]->n_keys;
        if (plan->tuples[i]->n_keys > n_max_keys)
            n_max_keys = plan->tuples[i]->n_keys;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t n_distinct = n_max_distinct[i];
        if (n_distinct > MAX_SAMPLE / 4)
            n_distinct = n_distinct * n_max_keys / MAX_SAMPLE + n_distinct;
        uint64_t n_slots = 2 * n_keys / n;
        plans[i].log2_slots = log2_above(n_slots < 8 * n_distinct ? n_slots : 8 * n_distinct);
    }
}

static int compare_plans(const void *a_, const void *b_)
{
    const struct cls_filter_plan *a = a_, *b = b_;

    return __builtin_popcountll(a->mask) - __builtin_popcountll(b->mask);
}

uint32_t cls_plan_filters(struct cls_tuple *const *tuples, uint32_t n,
                          struct cls_filter_plan *plans, uint32_t max_plans)
{
    uint32_t n_max_distinct[MAX_TUPLES], n_plans = 0;
    double passes[MAX_TUPLES];

    assert(n <= 64 && max_plans <= 64);
    if ((double)n <= MIN_GAIN)
        return 0;
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        abort();
    plan->tuples = tuples;
    plan->n_tuples = n;
    find_candidates(plan);
    for (uint32_t i = 0; i < n; i++) {
        take_sample(plan, i);
        passes[i] = 1;
    }
    for (uint32_t i = 0; i < plan->n_candidates; i++)
        measure(plan, &plan->candidates[i]);

    for (const struct candidate *chosen; n_plans < max_plans && (chosen = choose(plan, passes));) {
        plans[n_plans] = (struct cls_filter_plan){
            .word = chosen->word, .mask = chosen->mask, .users = chosen->users};
        n_max_distinct[n_plans++] = chosen->n_max_distinct;
    }
    size_filters(plan, plans, n_plans, n_max_distinct);
    qsort(plans, n_plans, sizeof plans[0], compare_plans);
    free(plan);
    return n_plans;
}
