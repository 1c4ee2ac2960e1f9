/* SPDX-License-Identifier: Apache-2.0 */

/* Reading a journal: telling a record that was not finished from one that was damaged.
 *
 * A write that was cut short leaves a record whose end is missing, or, as file systems extend a file
 * before they fill it, whose end is zero.  Nothing valid can follow it. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/crc32c.h"
#include "ovsdb-lite/journal.h"
#include "ovsdb-lite/journal_format.h"

enum { SECTOR_BYTES = 512 };

static bool read_hex(const char *text, size_t n_digits, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < n_digits; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *value = *value << 4 | (uint64_t)digit;
    }
    return true;
}

void journal_format_head(char head[JOURNAL_HEAD_BYTES + 1], uint32_t file_id)
{
    int n = snprintf(head, JOURNAL_HEAD_BYTES + 1, "weir-db 1 %08x ", file_id);

    snprintf(head + n, (size_t)(JOURNAL_HEAD_BYTES + 1 - n), "%08x    \n",
             crc32c(0, head, (size_t)n));
}

bool journal_parse_head(const char *image, size_t n_bytes, uint32_t *file_id)
{
    char expected[JOURNAL_HEAD_BYTES + 1];
    uint64_t id;

    if (n_bytes < JOURNAL_HEAD_BYTES || memcmp(image, "weir-db 1 ", 10) ||
        !read_hex(image + 10, 8, &id))
        return false;
    *file_id = (uint32_t)id;
    journal_format_head(expected, *file_id);
    return !memcmp(image, expected, JOURNAL_HEAD_BYTES);
}

bool journal_mend_head(char *image, size_t n_bytes)
{
    uint32_t file_id;

    for (size_t bit = 0; n_bytes >= JOURNAL_HEAD_BYTES && bit < JOURNAL_HEAD_BYTES * 8; bit++) {
        image[bit / 8] = (char)(image[bit / 8] ^ 1 << bit % 8);
        if (journal_parse_head(image, n_bytes, &file_id))
            return true;
        image[bit / 8] = (char)(image[bit / 8] ^ 1 << bit % 8);
    }
    return false;
}

void journal_format_record_head(char head[JOURNAL_RECORD_HEAD_BYTES + 1], uint32_t file_id,
                                uint64_t number, const char *body, size_t n_bytes)
{
    int n = snprintf(head, JOURNAL_RECORD_HEAD_BYTES + 1, "R %016llx %08zx %08x ",
                     (unsigned long long)number, n_bytes, crc32c(file_id, body, n_bytes));

    snprintf(head + n, (size_t)(JOURNAL_RECORD_HEAD_BYTES + 1 - n), "%08x\n",
             crc32c(file_id, head, (size_t)n));
}

struct record {
    uint64_t number;
    size_t body_bytes;
    uint32_t body_crc;
};

static bool parse_record_head(const char *head, uint32_t file_id, struct record *record)
{
    uint64_t length, body_crc, head_crc;

    if (head[0] != 'R' || head[1] != ' ' || head[18] != ' ' || head[27] != ' ' || head[36] != ' ' ||
        head[45] != '\n')
        return false;
    if (!read_hex(head + 2, 16, &record->number) || !read_hex(head + 19, 8, &length) ||
        !read_hex(head + 28, 8, &body_crc) || !read_hex(head + 37, 8, &head_crc))
        return false;
    record->body_bytes = (size_t)length;
    record->body_crc = (uint32_t)body_crc;
    return crc32c(file_id, head, 37) == head_crc;
}

/* A record is its head, its body and a newline. */
static size_t whole_bytes(const struct record *record)
{
    return JOURNAL_RECORD_HEAD_BYTES + record->body_bytes + 1;
}

static bool is_whole(const char *at, size_t n_left, uint32_t file_id, struct record *record)
{
    return n_left > JOURNAL_RECORD_HEAD_BYTES && parse_record_head(at, file_id, record) &&
           whole_bytes(record) <= n_left && at[whole_bytes(record) - 1] == '\n' &&
           crc32c(file_id, at + JOURNAL_RECORD_HEAD_BYTES, record->body_bytes) == record->body_crc;
}

bool journal_find_record(const char *image, size_t n_bytes, size_t offset, uint32_t file_id,
                         struct journal_record *found)
{
    const char *at = image + offset, *end = image + n_bytes;
    struct record record;

    while (at < end && (at = memchr(at, 'R', (size_t)(end - at))) != NULL) {
        if (is_whole(at, (size_t)(end - at), file_id, &record)) {
            *found = (struct journal_record){record.number, (size_t)(at - image),
                                             whole_bytes(&record), at + JOURNAL_RECORD_HEAD_BYTES,
                                             record.body_bytes};
            return true;
        }
        at++;
    }
    return false;
}

/* One flipped bit away from a record that ends with the file?  Then it was whole once. */
static bool is_flipped_head(const char *at, size_t n_left, uint32_t file_id)
{
    char head[JOURNAL_RECORD_HEAD_BYTES];
    struct record record;

    if (n_left <= JOURNAL_RECORD_HEAD_BYTES)
        return false;
    memcpy(head, at, sizeof head);
    for (size_t bit = 0; bit < sizeof head * 8; bit++) {
        head[bit / 8] = (char)(head[bit / 8] ^ 1 << bit % 8);
        if (parse_record_head(head, file_id, &record) && whole_bytes(&record) == n_left)
            return true;
        head[bit / 8] = (char)(head[bit / 8] ^ 1 << bit % 8);
    }
    return false;
}

/* Zeros where data never arrived: a part of a disk sector, or the end of the file. */
static bool has_hole(const char *image, size_t start, size_t end)
{
    static const char zeros[SECTOR_BYTES];

    if (!image[end - 1])
        return true;
    for (size_t at = start; at < end;) {
        size_t next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
        size_t n = (next < end ? next : end) - at;
        if (n >= 4 && !memcmp(image + at, zeros, n))
            return true;
        at += n;
    }
    return false;
}

/* What stops the reading at 'offset', where there is no whole record. */
static enum journal_verdict judge_stop(const char *image, size_t n_bytes, size_t offset,
                                       uint32_t file_id)
{
    const char *at = image + offset;
    size_t n_left = n_bytes - offset;
    struct journal_record next;
    struct record record;

    if (journal_find_record(image, n_bytes, offset + 1, file_id, &next))
        return JOURNAL_DAMAGED;
    if (n_left <= JOURNAL_RECORD_HEAD_BYTES || !parse_record_head(at, file_id, &record))
        return is_flipped_head(at, n_left, file_id) ? JOURNAL_DAMAGED : JOURNAL_TORN;
    if (whole_bytes(&record) > n_left)
        return JOURNAL_TORN;
    return has_hole(image, offset, offset + whole_bytes(&record)) ? JOURNAL_TORN : JOURNAL_DAMAGED;
}

static enum journal_verdict stop(const char *image, size_t n_bytes, size_t offset, uint32_t file_id,
                                 uint64_t number, struct error *error)
{
    enum journal_verdict verdict = judge_stop(image, n_bytes, offset, file_id);

    if (verdict == JOURNAL_TORN)
        error_set(error, -EBADMSG, "record %llu at offset %zu was not finished: %zu bytes cut",
                  (unsigned long long)number, offset, n_bytes - offset);
    else
        error_set(error, -EBADMSG, "record %llu at offset %zu is damaged",
                  (unsigned long long)number, offset);
    return verdict;
}

enum journal_verdict journal_judge(const char *image, size_t n_bytes, journal_reader *reader,
                                   void *aux, size_t *n_good, uint64_t *n_records,
                                   struct error *error)
{
    uint32_t file_id;
    size_t offset = JOURNAL_HEAD_BYTES;

    *n_good = 0;
    *n_records = 0;
    if (!journal_parse_head(image, n_bytes, &file_id)) {
        error_set(error, -EBADMSG, "the first line (offset 0) is not that of a Weir database");
        return JOURNAL_DAMAGED;
    }
    for (*n_good = offset; offset < n_bytes; *n_good = offset) {
        struct record record;
        const char *at = image + offset;

        if (!is_whole(at, n_bytes - offset, file_id, &record))
            return stop(image, n_bytes, offset, file_id, *n_records, error);
        if (record.number != *n_records) {
            error_set(error, -EBADMSG, "record %llu at offset %zu stands where %llu should be",
                      (unsigned long long)record.number, offset, (unsigned long long)*n_records);
            return JOURNAL_DAMAGED;
        }
        if (reader(at + JOURNAL_RECORD_HEAD_BYTES, record.body_bytes, record.number, aux, error)) {
            error_prefix(error, "record %llu at offset %zu", (unsigned long long)record.number,
                         offset);
            return JOURNAL_DAMAGED;
        }
        offset += whole_bytes(&record);
        ++*n_records;
    }
    return JOURNAL_WHOLE;
}
