/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* text - numbers and words of flow text.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

/* The value of a hex digit, or -1. */
static inline int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decimal or 0x..., the whole of 'text'; false if it is no number or does not fit. */
bool text_parse_u64(const char *text, uint64_t *number);

/* One "key=value" of a list, or a word alone. */
struct text_item {
    char *key;   /* NUL-terminated, never empty. */
    char *value; /* NUL-terminated; NULL if there is none. */
    char mark;   /* What stood between: '=', ':', '(' or '\0'. */
    char *rest;  /* "->..." behind the closing parenthesis; or NULL. */
};

/* Cuts the next item off '*cursor', which is changed: items end at a comma, white space or a
 * closing parenthesis outside of parentheses; "key(value)" keeps what is inside whole.  False at
 * the end.  'item->key' is NULL where parentheses do not match. */
bool text_next_item(char **cursor, struct text_item *item);

/* "5s", "5.007s", "5.007000001s". */
struct buffer;
void text_format_duration(uint32_t seconds, uint32_t nanoseconds, struct buffer *out);
