/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* random - numbers for generators: the same ones for the same seed, on every machine. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline void random_init(struct random *random, uint64_t seed)
{
    random->state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* Marsaglia's xorshift64, multiplied. */
static inline uint32_t random_u32(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return (uint32_t)((random->state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static inline uint32_t random_below(struct random *random, uint32_t n)
{
    return (uint32_t)((uint64_t)random_u32(random) * n >> 32);
}

static inline bool random_chance(struct random *random, uint32_t percent)
{
    return random_below(random, 100) < percent;
}

#define RANDOM_OF(random, array) ((array)[random_below(random, sizeof(array) / sizeof(array)[0])])
