/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* crc32c - Castagnoli's checksum: of SCTP packets (RFC 9260, appendix A) and of the database file.
 *
 * Written out, here as in SCTP's header, the least significant byte comes first.
 *
 * Threads  Any. */

#include <stddef.h>
#include <stdint.h>

/* Continues 'crc' (0 to begin) over more bytes. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n_bytes);
