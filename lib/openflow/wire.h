/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* wire - a cursor over bytes that came from a peer.
 *
 * wire_take() is the only way forward: it returns NULL rather than go past the end, so a decoder
 * that checks what it takes cannot over-read.
 *
 * Threads  Plain values. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/byteorder.h"

struct wire {
    const uint8_t *next;
    size_t left;
};

static inline struct wire wire_init(const void *bytes, size_t n_bytes)
{
    return (struct wire){.next = bytes, .left = n_bytes};
}

static inline const void *wire_take(struct wire *wire, size_t n_bytes)
{
    const uint8_t *taken = wire->next;

    if (n_bytes > wire->left)
        return NULL;
    wire->next += n_bytes;
    wire->left -= n_bytes;
    return taken;
}

static inline uint16_t wire_u16(const void *from)
{
    return be16_host(be16_load(from));
}

static inline uint32_t wire_u32(const void *from)
{
    return be32_host(be32_load(from));
}

static inline uint64_t wire_u64(const void *from)
{
    return be64_host(be64_load(from));
}

static inline bool wire_is_zero(const void *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        if (((const uint8_t *)bytes)[i])
            return false;
    }
    return true;
}

static inline size_t wire_round_up_8(size_t n_bytes)
{
    return (n_bytes + 7) & ~(size_t)7;
}
