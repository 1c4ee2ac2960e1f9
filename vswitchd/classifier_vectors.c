/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes that many tuples look at are tried; those stay whose sets are smallest for bytes as the rules have
 * them.  As with filters, a bit may be set though no rule needs it any more. */

#include "vswitchd/classifier_vectors.h"

#include <stdlib.h>

enum {
    MAX_TRIED = 40,
    MAX_RULES = 64, /* A tuple with more would be in most sets. */
};

struct trial {
    uint8_t word, shift;
    uint32_t n_users;
    double n_left; /* Tuples, on average. */
    struct cls_vector *vector;
};

/* The place of 'word' among the words of 'tuple', or -1. */
static int find_place(const struct cls_tuple *tuple, uint8_t word)
{
    if (!(tuple->word_set >> word & 1))
        return -1;
    return __builtin_popcountll(tuple->word_set & ((UINT64_C(1) << word) - 1));
}

static uint8_t byte_of(const uint64_t *words, int place, uint8_t shift)
{
    return (uint8_t)(words[place] >> shift);
}

static void note_byte(struct cls_vector *vector, uint32_t position, uint8_t byte, uint8_t mask)
{
    uint8_t others = (uint8_t)~mask, some = others;

    do {
        _Atomic(uint64_t) *set = &vector->sets[byte | some];
        uint64_t before = atomic_load_explicit(set, memory_order_relaxed);

        atomic_store_explicit(set, before | UINT64_C(1) << position, memory_order_relaxed);
        some = (uint8_t)((some - 1) & others);
    } while (some != others);
}

static void note_rule(struct cls_vector *vector, const struct cls_tuple *tuple,
                      const struct cls_rule *rule)
{
    int place = find_place(tuple, vector->word);

    note_byte(vector, tuple->position, byte_of(rule->words, place, vector->shift),
              byte_of(tuple->masks, place, vector->shift));
}

/* Calls 'each' for one rule of each masked flow. */
static void each_rule(const struct cls_tuple *tuple, struct cls_vector *vector,
                      void (*each)(struct cls_vector *vector, const struct cls_tuple *tuple,
                                   const struct cls_rule *rule))
{
    const struct cls_table *table = atomic_load_explicit(&tuple->table, memory_order_relaxed);

    for (uint32_t i = 0; i < table->capacity; i++) {
        const struct cls_rule *rule = cls_table_chain(table, i);
        if (rule)
            each(vector, tuple, rule);
    }
}

static struct cls_vector *vector_create(const struct trial *trial, struct cls_tuple *const *tuples,
                                        uint32_t n)
{
    struct cls_vector *vector = calloc(1, sizeof *vector);

    if (!vector)
        abort();
    vector->word = trial->word;
    vector->shift = trial->shift;
    for (uint32_t i = 0; i < n; i++) {
        int place = find_place(tuples[i], vector->word);
        uint64_t mask = place < 0 ? 0 : tuples[i]->masks[place] & UINT64_C(0xff) << vector->shift;

        if (mask && tuples[i]->n_keys <= MAX_RULES) {
            vector->mask |= mask;
            vector->users |= UINT64_C(1) << i;
        }
    }
    for (size_t i = 0; i < 256; i++)
        atomic_init(&vector->sets[i], ~vector->users);
    for (uint32_t i = 0; i < n; i++)
        if (vector->users >> i & 1)
            each_rule(tuples[i], vector, note_rule);
    return vector;
}

/* Tuples in the sets of bytes as the tuples' first rules have them. */
static double count_left(const struct cls_vector *vector, struct cls_tuple *const *tuples,
                         uint32_t n)
{
    uint64_t all = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
    uint32_t n_left = 0, n_bytes = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct cls_table *table = atomic_load_explicit(&tuples[i]->table,
                                                             memory_order_relaxed);
        const struct cls_rule *rule = NULL;

        if (!(vector->users >> i & 1))
            continue;
        for (uint32_t j = 0; j < table->capacity && !rule; j++)
            rule = cls_table_chain(table, j);
        if (!rule)
            continue;
        uint8_t byte = byte_of(rule->words, find_place(tuples[i], vector->word), vector->shift);
        uint64_t set = atomic_load_explicit(&vector->sets[byte], memory_order_relaxed);
        n_left += (uint32_t)__builtin_popcountll(set & all);
        n_bytes++;
    }
    return n_bytes ? (double)n_left / n_bytes : n;
}

static int compare_users(const void *a, const void *b)
{
    return (int)((const struct trial *)b)->n_users - (int)((const struct trial *)a)->n_users;
}

static int compare_left(const void *a_, const void *b_)
{
    const struct trial *a = a_, *b = b_;

    if (a->n_left != b->n_left)
        return a->n_left > b->n_left ? 1 : -1;
    return compare_users(a, b);
}

/* Bytes that any tuple looks at, those of most tuples first. */
static uint32_t list_bytes(struct cls_tuple *const *tuples, uint32_t n, struct trial *trials)
{
    uint32_t n_users[FLOW_WORDS][8] = {{0}}, n_trials = 0;

    for (uint32_t i = 0; i < n; i++)
        for (uint32_t w = 0; w < tuples[i]->n_words && tuples[i]->n_keys <= MAX_RULES; w++)
            for (uint32_t b = 0; b < 8; b++)
                n_users[tuples[i]->words[w]][b] += (tuples[i]->masks[w] >> 8 * b & 0xff) != 0;
    for (uint32_t w = 0; w < FLOW_WORDS; w++)
        for (uint32_t b = 0; b < 8; b++)
            if (n_users[w][b])
                trials[n_trials++] = (struct trial){
                    .word = (uint8_t)w, .shift = (uint8_t)(8 * b), .n_users = n_users[w][b]};
    qsort(trials, n_trials, sizeof trials[0], compare_users);
    return n_trials < MAX_TRIED ? n_trials : MAX_TRIED;
}

struct cls_vectors *cls_vectors_create(struct cls_tuple *const *tuples, uint32_t n)
{
    struct trial trials[FLOW_WORDS * 8];
    uint32_t n_trials = list_bytes(tuples, n, trials), n_kept;
    struct cls_vectors *vectors;

    for (uint32_t i = 0; i < n_trials; i++) {
        trials[i].vector = vector_create(&trials[i], tuples, n);
        trials[i].n_left = count_left(trials[i].vector, tuples, n);
    }
    qsort(trials, n_trials, sizeof trials[0], compare_left);
    n_kept = n_trials < CLS_VECTORS_MAX ? n_trials : CLS_VECTORS_MAX;
    vectors = n_kept ? malloc(sizeof *vectors + n_kept * sizeof vectors->list[0]) : NULL;
    if (n_kept && !vectors)
        abort();
    for (uint32_t i = 0; i < n_trials; i++) {
        if (i < n_kept)
            memcpy(&vectors->list[i], trials[i].vector, sizeof vectors->list[i]);
        free(trials[i].vector);
    }
    if (vectors)
        vectors->n = n_kept;
    return vectors;
}

void cls_vectors_note_rule(struct cls_vectors *vectors, const struct cls_tuple *tuple,
                           const struct cls_rule *rule)
{
    for (uint32_t i = 0; i < vectors->n; i++)
        if (vectors->list[i].users >> tuple->position & 1)
            note_rule(&vectors->list[i], tuple, rule);
}
