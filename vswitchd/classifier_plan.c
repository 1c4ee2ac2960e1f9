/* SPDX-License-Identifier: Apache-2.0 */

/* A flow "like the rules" has in each word the bits of some rule, any with the same probability.  So a
 * filter lets a tuple pass with probability (distinct bits among its rules) / (distinct bits among
 * all).  Distinct values are counted in a table of bounded size: whenever it is full, those whose hash
 * has one more zero bit at the end stay, as a sample of values (not of rules, which would make values
 * that are common look rare). */

#include "vswitchd/classifier_plan.h"

#include <stdlib.h>

enum {
    MAX_TUPLES = 64,
    MAX_CANDIDATES = 96,
    MAX_PAIRED = 7, /* Words tried in pairs. */
    MAX_VALUES = 2048,
    MIN_LOG2_SLOTS = 7,
    MAX_LOG2_SLOTS = 24,
};

/* Tuples that a filter must leave out on average to be worth its load. */
static const double MIN_GAIN = 1.0;

/* Tuples left over on average that make pairs of words worth trying. */
static const double MAX_LEFT = 2.0;

struct value {
    uint32_t hash;
    uint64_t tuples; /* 0: a free place. */
};

struct candidate {
    struct cls_filter_bits bits;
    uint64_t users;
    bool is_chosen;
    bool is_measured;

    struct value *values;
    uint32_t n_values;
    uint32_t log2_sampled; /* One of 2 to the power of this is in 'values'. */

    uint64_t n_distinct;     /* Values of each tuple, added up. */
    bool has_choice;         /* Some tuple has more than one. */
    double pass[MAX_TUPLES]; /* Probabilities. */
};

struct plan {
    struct cls_tuple *const *tuples;
    uint32_t n_tuples;
    uint64_t n_keys;
    uint32_t n_places; /* In each table of values; a power of two. */
    uint32_t n_candidates;
    struct candidate candidates[MAX_CANDIDATES];
    double passes[MAX_TUPLES]; /* Probabilities, with the filters chosen so far. */
};

static bool find_word(const struct cls_tuple *tuple, uint8_t word, uint64_t mask, uint8_t *place)
{
    for (uint32_t i = 0; i < tuple->n_words; i++) {
        if (tuple->words[i] == word) {
            *place = (uint8_t)i;
            return !(mask & ~tuple->masks[i]);
        }
    }
    return false;
}

bool cls_filter_bits_find(const struct cls_filter_bits *bits, const struct cls_tuple *tuple,
                          uint8_t places[2])
{
    if (!find_word(tuple, bits->words[0], bits->masks[0], &places[0]))
        return false;
    places[1] = places[0];
    return !bits->masks[1] || find_word(tuple, bits->words[1], bits->masks[1], &places[1]);
}

static void add_candidate(struct plan *plan, const struct cls_filter_bits *bits)
{
    uint8_t places[2];

    for (uint32_t i = 0; i < plan->n_candidates; i++)
        if (!memcmp(&plan->candidates[i].bits, bits, sizeof *bits))
            return;
    if (plan->n_candidates == MAX_CANDIDATES)
        return;

    struct candidate *candidate = &plan->candidates[plan->n_candidates++];
    candidate->bits = *bits;
    for (uint32_t i = 0; i < plan->n_tuples; i++)
        if (cls_filter_bits_find(bits, plan->tuples[i], places))
            candidate->users |= UINT64_C(1) << i;
}

static void add_word(struct plan *plan, uint8_t word, uint64_t mask)
{
    struct cls_filter_bits bits;

    memset(&bits, 0, sizeof bits); /* Padding too: these are compared as bytes. */
    bits.masks[0] = mask;
    bits.words[0] = bits.words[1] = word;
    add_candidate(plan, &bits);
}

static void add_words(struct plan *plan)
{
    uint64_t common[FLOW_WORDS];

    memset(common, 0xff, sizeof common);
    for (uint32_t i = 0; i < plan->n_tuples; i++)
        for (uint32_t w = 0; w < plan->tuples[i]->n_words; w++)
            common[plan->tuples[i]->words[w]] &= plan->tuples[i]->masks[w];

    for (uint8_t word = 0; word < FLOW_WORDS; word++)
        if (common[word] && common[word] != UINT64_MAX)
            add_word(plan, word, common[word]);
    for (uint32_t i = 0; i < plan->n_tuples; i++)
        for (uint32_t w = 0; w < plan->tuples[i]->n_words; w++)
            add_word(plan, plan->tuples[i]->words[w], plan->tuples[i]->masks[w]);
}

static struct value *find_value(struct value *values, uint32_t n_places, uint32_t hash)
{
    for (uint32_t i = hash >> 16;; i++) {
        struct value *value = &values[i & (n_places - 1)];
        if (!value->tuples || value->hash == hash)
            return value;
    }
}

/* Gives up half of the values. */
static void thin_out(const struct plan *plan, struct candidate *candidate)
{
    struct value *values = calloc(plan->n_places, sizeof *values);

    if (!values)
        abort();
    candidate->n_values = 0;
    candidate->log2_sampled++;
    for (uint32_t i = 0; i < plan->n_places; i++) {
        const struct value *from = &candidate->values[i];
        if (from->tuples && !(from->hash << (32 - candidate->log2_sampled))) {
            *find_value(values, plan->n_places, from->hash) = *from;
            candidate->n_values++;
        }
    }
    free(candidate->values);
    candidate->values = values;
}

static void note_value(const struct plan *plan, struct candidate *candidate, uint32_t hash,
                       uint32_t position)
{
    if (hash & ((UINT32_C(1) << candidate->log2_sampled) - 1))
        return;

    struct value *value = find_value(candidate->values, plan->n_places, hash);
    if (!value->tuples) {
        value->hash = hash;
        candidate->n_values++;
    }
    value->tuples |= UINT64_C(1) << position;
    while (candidate->n_values > plan->n_places / 2)
        thin_out(plan, candidate);
}

/* Shows the rules of one tuple to the candidates not measured yet. */
static void note_tuple(struct plan *plan, uint32_t position)
{
    const struct cls_tuple *tuple = plan->tuples[position];
    const struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_relaxed);
    struct use {
        struct candidate *candidate;
        uint8_t places[2];
    } uses[MAX_CANDIDATES];
    uint32_t n_uses = 0;

    for (uint32_t c = 0; c < plan->n_candidates; c++) {
        uses[n_uses].candidate = &plan->candidates[c];
        n_uses += !plan->candidates[c].is_measured &&
                  cls_filter_bits_find(&plan->candidates[c].bits, tuple, uses[n_uses].places);
    }
    for (uint32_t i = 0; i < table->capacity; i++) {
        const struct cls_rule *rule = cls_table_chain(table, i);
        if (!rule)
            continue;
        const uint64_t *words = rule->words;
        for (uint32_t u = 0; u < n_uses; u++) {
            struct candidate *candidate = uses[u].candidate;
            note_value(plan, candidate,
                       cls_filter_bits_hash(&candidate->bits, words[uses[u].places[0]],
                                            words[uses[u].places[1]]),
                       position);
        }
    }
}

static void evaluate(const struct plan *plan, struct candidate *candidate)
{
    uint32_t n_distinct[MAX_TUPLES] = {0};

    for (uint32_t i = 0; i < plan->n_places; i++)
        for (uint64_t set = candidate->values[i].tuples; set; set &= set - 1)
            n_distinct[__builtin_ctzll(set)]++;
    for (uint32_t i = 0; i < plan->n_tuples; i++) {
        bool is_user = candidate->users >> i & 1;
        candidate->pass[i] = is_user && candidate->n_values
                                 ? (double)n_distinct[i] / candidate->n_values
                                 : 1;
        candidate->n_distinct += (uint64_t)n_distinct[i] << candidate->log2_sampled;
        candidate->has_choice |= n_distinct[i] > 1;
    }
}

/* Measures the candidates that are new. */
static void measure(struct plan *plan)
{
    for (uint32_t c = 0; c < plan->n_candidates; c++) {
        struct candidate *candidate = &plan->candidates[c];
        if (!candidate->is_measured) {
            candidate->values = calloc(plan->n_places, sizeof *candidate->values);
            if (!candidate->values)
                abort();
        }
    }
    for (uint32_t i = 0; i < plan->n_tuples; i++)
        note_tuple(plan, i);
    for (uint32_t c = 0; c < plan->n_candidates; c++) {
        struct candidate *candidate = &plan->candidates[c];
        if (!candidate->is_measured) {
            evaluate(plan, candidate);
            candidate->is_measured = true;
            free(candidate->values);
        }
    }
}

/* Tuples that 'candidate' leaves out of those that pass so far. */
static double gain_of(const struct plan *plan, const struct candidate *candidate)
{
    double gain = 0;

    for (uint32_t i = 0; i < plan->n_tuples; i++)
        gain += plan->passes[i] * (1 - candidate->pass[i]);
    return gain;
}

/* The best of those not chosen that gains more than 'min_gain', or NULL. */
static struct candidate *find_best(struct plan *plan, double min_gain)
{
    struct candidate *best = NULL;

    for (uint32_t c = 0; c < plan->n_candidates; c++) {
        struct candidate *candidate = &plan->candidates[c];
        double gain = candidate->is_chosen ? 0 : gain_of(plan, candidate);

        if (gain > min_gain) {
            min_gain = gain;
            best = candidate;
        }
    }
    return best;
}

/* Adds to the 'n_plans' there are; returns how many there are then. */
static uint32_t choose(struct plan *plan, const struct candidate **plans, uint32_t n_plans,
                       uint32_t max_plans)
{
    struct candidate *best;

    while (n_plans < max_plans && (best = find_best(plan, MIN_GAIN))) {
        best->is_chosen = true;
        plans[n_plans++] = best;
        for (uint32_t i = 0; i < plan->n_tuples; i++)
            plan->passes[i] *= best->pass[i];
    }
    return n_plans;
}

static double count_left(const struct plan *plan)
{
    double n_left = 0;

    for (uint32_t i = 0; i < plan->n_tuples; i++)
        n_left += plan->passes[i];
    return n_left;
}

static void add_pair(struct plan *plan, const struct candidate *a, const struct candidate *b)
{
    struct cls_filter_bits bits;

    if (a->bits.words[0] == b->bits.words[0]) {
        add_word(plan, a->bits.words[0], a->bits.masks[0] | b->bits.masks[0]);
        return;
    }
    memset(&bits, 0, sizeof bits);
    bits.masks[0] = a->bits.masks[0];
    bits.masks[1] = b->bits.masks[0];
    bits.words[0] = a->bits.words[0];
    bits.words[1] = b->bits.words[0];
    add_candidate(plan, &bits);
}

/* Of the words that most tuples have that still pass, and that have more than one value. */
static void add_pairs(struct plan *plan)
{
    const struct candidate *words[MAX_PAIRED];
    bool is_taken[MAX_CANDIDATES] = {false};
    uint32_t n_words = 0, n_candidates = plan->n_candidates;

    while (n_words < MAX_PAIRED) {
        double most = 0;
        uint32_t best = 0;
        for (uint32_t c = 0; c < n_candidates; c++) {
            const struct candidate *candidate = &plan->candidates[c];
            double n = 0;
            for (uint64_t set = candidate->users; set; set &= set - 1)
                n += plan->passes[__builtin_ctzll(set)];
            if (!is_taken[c] && candidate->has_choice && n > most) {
                most = n;
                best = c;
            }
        }
        if (most <= 0)
            break;
        is_taken[best] = true;
        words[n_words++] = &plan->candidates[best];
    }
    for (uint32_t a = 0; a < n_words; a++)
        for (uint32_t b = a + 1; b < n_words; b++)
            add_pair(plan, words[a], words[b]);
}

static uint32_t log2_above(uint64_t n)
{
    uint32_t log2 = MIN_LOG2_SLOTS;

    while (log2 < MAX_LOG2_SLOTS && UINT64_C(1) << log2 < n)
        log2++;
    return log2;
}

static int compare_plans(const void *a_, const void *b_)
{
    const struct cls_filter_bits *a = &((const struct cls_filter_plan *)a_)->bits;
    const struct cls_filter_bits *b = &((const struct cls_filter_plan *)b_)->bits;

    return __builtin_popcountll(a->masks[0]) + __builtin_popcountll(a->masks[1]) -
           __builtin_popcountll(b->masks[0]) - __builtin_popcountll(b->masks[1]);
}

static void init_plan(struct plan *plan, struct cls_tuple *const *tuples, uint32_t n)
{
    plan->tuples = tuples;
    plan->n_tuples = n;
    for (uint32_t i = 0; i < n; i++) {
        plan->n_keys += tuples[i]->n_keys;
        plan->passes[i] = 1;
    }
    plan->n_places = 4;
    while (plan->n_places < 2 * MAX_VALUES && plan->n_places < 2 * plan->n_keys)
        plan->n_places *= 2;
    add_words(plan);
}

uint32_t cls_plan_filters(struct cls_tuple *const *tuples, uint32_t n,
                          struct cls_filter_plan *plans, uint32_t max_plans, double *n_left)
{
    const struct candidate *chosen[MAX_TUPLES];
    uint32_t n_plans;

    assert(n <= MAX_TUPLES && max_plans <= MAX_TUPLES);
    *n_left = n;
    if ((double)n <= MIN_GAIN)
        return 0;
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        abort();
    init_plan(plan, tuples, n);
    measure(plan);
    n_plans = choose(plan, chosen, 0, max_plans);
    if (n_plans < max_plans && count_left(plan) > MAX_LEFT) {
        add_pairs(plan);
        measure(plan);
        n_plans = choose(plan, chosen, n_plans, max_plans);
    }

    /* Two slots a rule in all filters together: fewer let more tuples pass, more leave the caches. */
    for (uint32_t i = 0; i < n_plans; i++) {
        uint64_t n_slots = 2 * plan->n_keys / n_plans, n_max = 4 * chosen[i]->n_distinct;
        plans[i] = (struct cls_filter_plan){
            .bits = chosen[i]->bits,
            .users = chosen[i]->users,
            .log2_slots = log2_above(n_slots < n_max ? n_slots : n_max),
        };
    }
    qsort(plans, n_plans, sizeof plans[0], compare_plans);
    *n_left = count_left(plan);
    free(plan);
    return n_plans;
}
