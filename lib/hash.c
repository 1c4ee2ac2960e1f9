/* SPDX-License-Identifier: Apache-2.0 */

/* The seed comes from the kernel; without it (a very early boot) addresses and time must do. */

#include "lib/hash.h"

#include <string.h>
#include <sys/random.h>

#include "lib/clock.h"

uint64_t hash_seed;

__attribute__((constructor)) static void hash_choose_seed(void)
{
    if (getrandom(&hash_seed, sizeof hash_seed, GRND_NONBLOCK) != sizeof hash_seed)
        hash_seed = (uint64_t)clock_now_ns() ^ (uintptr_t)&hash_seed;
}

uint32_t hash_bytes(const void *bytes, size_t n_bytes, uint64_t basis)
{
    const uint8_t *from = bytes;
    uint64_t hash = hash_seed ^ basis ^ n_bytes;

    for (; n_bytes >= 8; from += 8, n_bytes -= 8) {
        uint64_t word;
        memcpy(&word, from, sizeof word);
        hash = hash_mix(hash, word);
    }
    uint64_t tail = 0;
    memcpy(&tail, from, n_bytes);
    return hash_finish(hash_mix(hash, tail));
}
