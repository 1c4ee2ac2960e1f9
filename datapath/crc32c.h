/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* crc32c - the checksum of SCTP (RFC 9260, appendix A).
 *
 * Only rewritten SCTP ports need it: a table of 16 entries is small and fast enough.
 *
 * Threads  Plain values. */

#include <stddef.h>
#include <stdint.h>

/* Continues 'crc', which starts as UINT32_MAX, over 'bytes'. */
uint32_t crc32c_add(uint32_t crc, const void *bytes, size_t n_bytes);

/* As it stands in the header, least significant byte first. */
static inline uint32_t crc32c_finish(uint32_t crc)
{
    return ~crc;
}
