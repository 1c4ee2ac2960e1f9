/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* hash - fast, well-mixed hashes of words, for tables in memory.
 *
 * Not for authentication.  Values depend on a seed chosen at start (hash_seed), so that a sender
 * cannot prepare collisions; they never leave the process. */

#include <stddef.h>
#include <stdint.h>

extern uint64_t hash_seed; /* Random, set before main(). */

/* One round: two odd multipliers around a rotation keep every input bit alive in every output bit. */
static inline uint64_t hash_mix(uint64_t hash, uint64_t word)
{
    hash ^= word;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash << 29 | hash >> 35;
}

static inline uint32_t hash_finish(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return (uint32_t)hash;
}

static inline uint32_t hash_words(const uint64_t *words, size_t n_words, uint64_t basis)
{
    uint64_t hash = basis ^ hash_seed;

    for (size_t i = 0; i < n_words; i++)
        hash = hash_mix(hash, words[i]);
    return hash_finish(hash);
}

uint32_t hash_bytes(const void *bytes, size_t n_bytes, uint64_t basis);
