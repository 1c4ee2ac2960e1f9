/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* journal_format - the fixed-width lines that docs/database-file.md describes.
 *
 * Between journal.c and journal_read.c.  Threads  Any. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ovsdb-lite/journal.h"

enum { JOURNAL_MAX_BODY_BYTES = 1 << 30 };

void journal_format_head(char head[JOURNAL_HEAD_BYTES + 1], uint32_t file_id);
bool journal_parse_head(const char *image, size_t n_bytes, uint32_t *file_id);

/* Makes the first line right again if one of its bits flipped. */
bool journal_mend_head(char *image, size_t n_bytes);

void journal_format_record_head(char head[JOURNAL_RECORD_HEAD_BYTES + 1], uint32_t file_id,
                                uint64_t number, const char *body, size_t n_bytes);

struct journal_record {
    uint64_t number;
    size_t offset, n_bytes; /* Of the whole record. */
    const char *body;
    size_t body_bytes;
};

/* The first whole record that begins at 'offset' or later, wherever that is: what can be saved of a
 * damaged file.  False if there is none. */
bool journal_find_record(const char *image, size_t n_bytes, size_t offset, uint32_t file_id,
                         struct journal_record *found);
