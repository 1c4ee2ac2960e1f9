/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* checksum - the Internet checksum: computed (RFC 1071) or brought up to date (RFC 1624).
 *
 * A sum is carried unfolded in 64 bits, so that parts add up: pseudo header, header, payload.  All
 * parts but the last have an even number of bytes.  Sums are of words as they lie in memory; the
 * checksum is independent of byte order (RFC 1071 section 2B).
 *
 * Threads  Plain values. */

#include <stddef.h>
#include <stdint.h>

#include "lib/flow.h"

/* 'sum' plus the words of 'bytes'; an odd last byte is padded with zero. */
uint64_t checksum_add(uint64_t sum, const void *bytes, size_t n_bytes);

/* 'sum' plus the pseudo header of a transport of 'l4_bytes' (RFC 768, 793; RFC 8200 section 8.1). */
uint64_t checksum_add_pseudo_ipv4(uint64_t sum, be32 src, be32 dst, uint8_t proto,
                                  uint16_t l4_bytes);
uint64_t checksum_add_pseudo_ipv6(uint64_t sum, const struct ipv6_addr *src,
                                  const struct ipv6_addr *dst, uint8_t proto, uint32_t l4_bytes);

/* The folded sum: what a header whose checksum is completed by hardware carries. */
static inline be16 checksum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (be16){(uint16_t)sum};
}

/* The checksum field.  UDP sends 0xffff where this is 0 (RFC 768). */
static inline be16 checksum_finish(uint64_t sum)
{
    return (be16){(uint16_t)~checksum_fold(sum).raw};
}

static inline be16 checksum_of(const void *bytes, size_t n_bytes)
{
    return checksum_finish(checksum_add(0, bytes, n_bytes));
}

/* 'checksum' after a 16-bit word under it changed: HC' = ~(~HC + ~m + m') (RFC 1624, equation 3). */
static inline be16 checksum_update16(be16 checksum, be16 from, be16 to)
{
    return checksum_finish((uint64_t)(uint16_t)~checksum.raw + (uint16_t)~from.raw + to.raw);
}

static inline be16 checksum_update32(be16 checksum, be32 from, be32 to)
{
    return checksum_finish((uint64_t)(uint16_t)~checksum.raw + (uint32_t)~from.raw + to.raw);
}

/* The same for 'n_bytes', an even number that starts at an even offset of what is summed. */
be16 checksum_update(be16 checksum, const void *from, const void *to, size_t n_bytes);
