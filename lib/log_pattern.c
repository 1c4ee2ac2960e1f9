/* SPDX-License-Identifier: Apache-2.0 */

/* An escape is expanded where it stands in the line, and then moved to the right if it is to be filled
 * up: nothing is allocated. */

#include "lib/log_pattern.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/annotations.h"

enum { MAX_TIME_FORMAT = 128, MAX_WIDTH = 1000 };

struct line {
    char *bytes;
    size_t length, size; /* 'size' leaves room for the 0. */
};

struct escape {
    bool is_left, is_zero;
    size_t width;
    const char *format; /* What stands in braces, or NULL. */
    size_t format_bytes;
};

static void put(struct line *line, const char *bytes, size_t n)
{
    size_t room = line->size - line->length;

    if (n > room)
        n = room;
    memcpy(line->bytes + line->length, bytes, n);
    line->length += n;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void PRINTF_LIKE(2, 3) put_format(struct line *line, const char *format, ...)
{
    char text[64];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_text(line, text);
}

/* The format with the fraction's digits in place of each run of '#'. */
static void fill_fraction(const struct escape *escape, long nanoseconds, char *format)
{
    char digits[16];
    size_t n = 0, n_digits = 0;

    snprintf(digits, sizeof digits, "%09u", (unsigned int)nanoseconds % 1000000000U);
    for (size_t i = 0; i < escape->format_bytes && n < MAX_TIME_FORMAT - 1; i++) {
        bool is_digit = escape->format[i] == '#';
        format[n++] = !is_digit ? escape->format[i] : n_digits < 9 ? digits[n_digits] : '0';
        n_digits = is_digit ? n_digits + 1 : 0;
    }
    format[n] = '\0';
}

static void put_time(struct line *line, const struct log_record *record,
                     const struct escape *escape, bool is_utc)
{
    char format[MAX_TIME_FORMAT] = "%Y-%m-%d %H:%M:%S", text[256];
    struct tm tm;

    if (escape->format_bytes)
        fill_fraction(escape, record->now.tv_nsec, format);
    if (is_utc)
        gmtime_r(&record->now.tv_sec, &tm);
    else
        localtime_r(&record->now.tv_sec, &tm);
    put(line, text, strftime(text, sizeof text, format, &tm));
}

static void put_host(struct line *line)
{
    char name[256] = "";

    gethostname(name, sizeof name - 1);
    put_text(line, name);
}

/* A process's first thread has its number. */
static void put_thread(struct line *line, const char *if_main, const char *before,
                       const char *after)
{
    if (gettid() == getpid())
        put_text(line, if_main);
    else
        put_format(line, "%sthread %ld%s", before, (long)gettid(), after);
}

static void put_escape(struct line *line, char letter, const struct escape *escape,
                       const struct log_record *record)
{
    switch (letter) {
    case 'A':
        put_text(line, record->program);
        break;
    case 'B':
        put_format(line, "%u", record->priority);
        break;
    case 'c':
        put_text(line, record->module);
        break;
    case 'd':
    case 'D':
        put_time(line, record, escape, letter == 'D');
        break;
    case 'E':
        put_host(line);
        break;
    case 'm':
        put(line, record->message, record->message_bytes);
        break;
    case 'N':
        put_format(line, "%u", record->number);
        break;
    case 'n':
        put_text(line, "\n");
        break;
    case 'p':
        put_text(line, record->level);
        break;
    case 'P':
        put_format(line, "%ld", (long)getpid());
        break;
    case 'r':
        put_format(line, "%" PRId64, record->uptime_ms);
        break;
    case 't':
        put_thread(line, "main", "", "");
        break;
    case 'T':
        put_thread(line, "", "(", ")");
        break;
    case '%':
        put_text(line, "%");
        break;
    default:
        break;
    }
}

static void fill_up(struct line *line, size_t start, const struct escape *escape)
{
    size_t length = line->length - start, n_missing;

    if (length >= escape->width)
        return;
    n_missing = escape->width - length;
    if (n_missing > line->size - line->length)
        n_missing = line->size - line->length;
    if (escape->is_left) {
        memset(line->bytes + line->length, ' ', n_missing);
    } else {
        memmove(line->bytes + start + n_missing, line->bytes + start, length);
        memset(line->bytes + start, escape->is_zero ? '0' : ' ', n_missing);
    }
    line->length += n_missing;
}

/* Reads what stands between '%' and the letter, and returns where the letter is. */
static const char *parse_escape(const char *p, struct escape *escape)
{
    if (*p == '-') {
        escape->is_left = true;
        p++;
    }
    if (*p == '0') {
        escape->is_zero = true;
        p++;
    }
    for (; isdigit((unsigned char)*p); p++)
        if (escape->width < MAX_WIDTH)
            escape->width = escape->width * 10 + (size_t)(*p - '0');
    return p;
}

size_t log_pattern_expand(const char *pattern, const struct log_record *record, char *bytes,
                          size_t size)
{
    struct line line = {.bytes = bytes, .size = size - 1};

    for (const char *p = pattern; *p && line.length < line.size;) {
        struct escape escape = {0};
        size_t n_literal = strcspn(p, "%");
        const char *end;

        put(&line, p, n_literal);
        p += n_literal;
        if (!*p)
            break;
        p = parse_escape(p + 1, &escape);
        if (!*p)
            break;
        char letter = *p++;
        if (*p == '{' && (letter == 'd' || letter == 'D') && (end = strchr(p, '}'))) {
            escape.format = p + 1;
            escape.format_bytes = (size_t)(end - p - 1);
            p = end + 1;
        }
        size_t start = line.length;
        put_escape(&line, letter, &escape, record);
        fill_up(&line, start, &escape);
    }
    bytes[line.length] = '\0';
    return line.length;
}
