/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* crc32c - the Castagnoli checksum, as iSCSI and ext4 use it.
 *
 * Threads  Any. */

#include <stddef.h>
#include <stdint.h>

/* Continues 'crc' (0 to begin) over more bytes. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n_bytes);
