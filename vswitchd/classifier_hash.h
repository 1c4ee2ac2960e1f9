/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* classifier_hash - hashes of a few masked words, for the classifier's tables.
 *
 * Folded multiplication takes two words a round in about the time hash_mix() needs for one.  Both
 * factors hide behind the seed, which has to be random in all its bits: nobody can choose words then
 * that make a factor 0. */

#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"

static inline uint64_t cls_hash_pair(uint64_t hash, uint64_t word0, uint64_t word1)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word0) *
                                ((hash_seed << 32 | hash_seed >> 32) ^ word1);

    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline uint32_t cls_hash_words(const uint64_t *words, size_t n)
{
    uint64_t hash = hash_seed;

#pragma GCC unroll 4
    for (size_t i = 0; i < n; i += 2)
        hash = cls_hash_pair(hash, words[i], i + 1 < n ? words[i + 1] : 0);
    return (uint32_t)hash;
}
