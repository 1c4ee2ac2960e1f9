/* SPDX-License-Identifier: Apache-2.0 */

/* Items are cut in place: separators become NULs. */

#include "lib/openflow/text.h"

#include <stddef.h>
#include <string.h>

#include "lib/buffer.h"

bool text_parse_u64(const char *text, uint64_t *number)
{
    unsigned base = 10;
    uint64_t result = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (!*text)
        return false;
    for (; *text; text++) {
        int digit = text_hex_digit(*text);
        if (digit < 0 || (unsigned)digit >= base || __builtin_mul_overflow(result, base, &result) ||
            __builtin_add_overflow(result, (unsigned)digit, &result))
            return false;
    }
    *number = result;
    return true;
}

static bool is_space_or_comma(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The end of a value: a separator outside of brackets.  NULL if brackets do not match. */
static char *skip_value(char *p)
{
    int depth = 0;

    for (; *p && (depth || !is_space_or_comma(*p)); p++) {
        if (*p == '(' || *p == '[')
            depth++;
        else if ((*p == ')' || *p == ']') && --depth < 0)
            return NULL;
    }
    return depth ? NULL : p;
}

/* The parenthesis that closes a value, at its end or before "->"; NULL: there is none. */
static char *find_close(char *value, char *end)
{
    if (end[-1] == ')')
        return end - 1;
    for (char *p = end - 1; p > value; p--) {
        if (*p == ')')
            return p[1] == '-' && p[2] == '>' ? p : NULL;
    }
    return NULL;
}

bool text_next_item(char **cursor, struct text_item *item)
{
    char *p = *cursor;

    while (is_space_or_comma(*p))
        p++;
    if (!*p)
        return false;
    *item = (struct text_item){.key = p};
    p += strcspn(p, "=:(, \t\r\n)");
    if (*p == ')' || p == item->key) {
        item->key = NULL;
        return true;
    }
    item->mark = *p && strchr("=:(", *p) ? *p : '\0';
    if (!item->mark) {
        *cursor = *p ? p + 1 : p;
        *p = '\0';
        return true;
    }

    char *value = p + (item->mark != '(');
    char *end = skip_value(value);
    char *close = end && item->mark == '(' ? find_close(value, end) : end;
    if (!close) {
        item->key = NULL;
        return true;
    }
    *cursor = *end ? end + 1 : end;
    *end = '\0';
    if (item->mark == '(') {
        item->rest = close[1] ? close + 1 : NULL;
        *close = '\0';
    }
    item->value = item->mark == '(' ? value + 1 : value;
    *p = '\0';
    return true;
}

void text_format_duration(uint32_t seconds, uint32_t nanoseconds, struct buffer *out)
{
    buffer_printf(out, "%u", seconds);
    if (nanoseconds && nanoseconds % 1000000)
        buffer_printf(out, ".%09u", nanoseconds);
    else if (nanoseconds)
        buffer_printf(out, ".%03u", nanoseconds / 1000000);
    buffer_putc(out, 's');
}
