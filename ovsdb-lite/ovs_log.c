/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/ovs_log.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MAGIC[] = "OVSDB JSON ", CLUSTER_MAGIC[] = "OVSDB CLUSTER ";

enum { SHA1_BYTES = 20, SHA1_DIGITS = 2 * SHA1_BYTES, MAX_LENGTH_DIGITS = 10 };

static bool begins_with(const char *image, size_t n_bytes, const char *magic)
{
    return n_bytes >= strlen(magic) && !memcmp(image, magic, strlen(magic));
}

bool ovs_log_is_one(const char *image, size_t n_bytes)
{
    return begins_with(image, n_bytes, MAGIC);
}

bool ovs_log_is_clustered(const char *image, size_t n_bytes)
{
    return begins_with(image, n_bytes, CLUSTER_MAGIC);
}

static void format_sha1(const char *bytes, size_t n_bytes, char digits[SHA1_DIGITS + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (!EVP_Digest(bytes, n_bytes, digest, NULL, EVP_sha1(), NULL))
        abort();
    for (int i = 0; i < SHA1_BYTES; i++)
        snprintf(digits + 2 * i, 3, "%02x", digest[i]);
}

/* --- Reading ------------------------------------------------------------------------------- */

struct record {
    const char *body;
    size_t body_bytes;
    char sha1[SHA1_DIGITS + 1];
};

/* Only the head: the body may reach beyond the end. */
static bool parse_head(const char *at, size_t n_left, struct record *record)
{
    const char *end = at + n_left, *digits = at + strlen(MAGIC);
    size_t length = 0;

    if (!begins_with(at, n_left, MAGIC))
        return false;
    for (at = digits; at < end && at - digits < MAX_LENGTH_DIGITS && isdigit((unsigned char)*at);
         at++)
        length = length * 10 + (size_t)(*at - '0');
    if (at == digits || end - at < 1 + SHA1_DIGITS + 1 || *at != ' ' || at[1 + SHA1_DIGITS] != '\n')
        return false;
    memcpy(record->sha1, at + 1, SHA1_DIGITS);
    record->sha1[SHA1_DIGITS] = '\0';
    record->body = at + 1 + SHA1_DIGITS + 1;
    record->body_bytes = length;
    return true;
}

static bool is_whole(const struct record *record, const char *end)
{
    char sha1[SHA1_DIGITS + 1];

    if (record->body_bytes > (size_t)(end - record->body))
        return false;
    format_sha1(record->body, record->body_bytes, sha1);
    return !strcasecmp(sha1, record->sha1);
}

static bool has_head(const char *at, const char *end)
{
    struct record record;

    while ((at = memmem(at, (size_t)(end - at), MAGIC, strlen(MAGIC))) != NULL) {
        if (parse_head(at, (size_t)(end - at), &record))
            return true;
        at++;
    }
    return false;
}

/* What stops the reading at 'at', where there is no whole record. */
static enum journal_verdict judge_stop(const char *at, const char *end)
{
    struct record record;

    if (has_head(at + 1, end))
        return JOURNAL_DAMAGED;
    if (!parse_head(at, (size_t)(end - at), &record))
        return JOURNAL_TORN;
    bool is_all_there = record.body_bytes <= (size_t)(end - record.body);
    return is_all_there && end[-1] ? JOURNAL_DAMAGED : JOURNAL_TORN;
}

enum journal_verdict ovs_log_judge(const char *image, size_t n_bytes, journal_reader *reader,
                                   void *aux, size_t *n_good, uint64_t *n_records,
                                   struct error *error)
{
    const char *at = image, *end = image + n_bytes;
    struct record record;

    *n_records = 0;
    for (*n_good = 0; at < end; *n_good = (size_t)(at - image)) {
        unsigned long long number = *n_records;

        if (!parse_head(at, (size_t)(end - at), &record) || !is_whole(&record, end)) {
            enum journal_verdict verdict = judge_stop(at, end);
            error_set(error, -EBADMSG, "record %llu at offset %zu %s", number, *n_good,
                      verdict == JOURNAL_TORN ? "was not finished" : "is damaged");
            return verdict;
        }
        if (reader(record.body, record.body_bytes, number, aux, error)) {
            error_prefix(error, "record %llu at offset %zu", number, *n_good);
            return JOURNAL_DAMAGED;
        }
        at = record.body + record.body_bytes;
        ++*n_records;
    }
    return JOURNAL_WHOLE;
}

/* --- Writing ------------------------------------------------------------------------------- */

void ovs_log_put(struct buffer *file, const char *body, size_t n_bytes)
{
    char sha1[SHA1_DIGITS + 1];

    format_sha1(body, n_bytes, sha1);
    buffer_printf(file, "%s%zu %s\n", MAGIC, n_bytes, sha1);
    buffer_put(file, body, n_bytes);
}

void ovs_log_put_take(struct buffer *file, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT), *line;
    int n = text ? asprintf(&line, "%s\n", text) : -1;

    if (n < 0)
        abort();
    ovs_log_put(file, line, (size_t)n);
    json_decref(json);
    free(line);
    free(text);
}
