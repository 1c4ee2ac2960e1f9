/* SPDX-License-Identifier: Apache-2.0 */

/* 64 bits hold the sum of 2^32 32-bit words: no carry is lost within any frame. */

#include "lib/checksum.h"

#include <assert.h>
#include <string.h>

uint64_t checksum_add(uint64_t sum, const void *bytes, size_t n_bytes)
{
    const uint8_t *from = bytes;

    for (; n_bytes >= 4; from += 4, n_bytes -= 4) {
        uint32_t word;
        memcpy(&word, from, sizeof word);
        sum += word;
    }
    uint32_t tail = 0; /* Two halves of a word may swap places: 2^16 is 1 in this arithmetic. */
    memcpy(&tail, from, n_bytes);
    return sum + tail;
}

uint64_t checksum_add_pseudo_ipv4(uint64_t sum, be32 src, be32 dst, uint8_t proto,
                                  uint16_t l4_bytes)
{
    return sum + src.raw + dst.raw + be16_from(proto).raw + be16_from(l4_bytes).raw;
}

uint64_t checksum_add_pseudo_ipv6(uint64_t sum, const struct ipv6_addr *src,
                                  const struct ipv6_addr *dst, uint8_t proto, uint32_t l4_bytes)
{
    sum = checksum_add(sum, src, sizeof *src);
    sum = checksum_add(sum, dst, sizeof *dst);
    return sum + be32_from(proto).raw + be32_from(l4_bytes).raw;
}

be16 checksum_update(be16 checksum, const void *from, const void *to, size_t n_bytes)
{
    assert(n_bytes % 2 == 0);
    be16 removed = checksum_finish(checksum_add(0, from, n_bytes));
    uint64_t sum = (uint64_t)(uint16_t)~checksum.raw + removed.raw;
    return checksum_finish(checksum_add(sum, to, n_bytes));
}
