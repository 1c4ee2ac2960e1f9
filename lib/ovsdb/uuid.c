/* SPDX-License-Identifier: Apache-2.0 */

/* Random bits come from the kernel, a block of them at a time. */

#include "lib/ovsdb/uuid.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void uuid_generate(struct uuid *uuid)
{
    static _Thread_local uint8_t pool[256];
    static _Thread_local size_t n_left;

    if (n_left < sizeof uuid->bytes) {
        if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool)
            abort();
        n_left = sizeof pool;
    }
    n_left -= sizeof uuid->bytes;
    memcpy(uuid->bytes, pool + n_left, sizeof uuid->bytes);
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0f) | 0x40);
    uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3f) | 0x80);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool has_dash_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool uuid_parse(const char *text, struct uuid *uuid)
{
    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        if (has_dash_before(i) && *text++ != '-')
            return false;
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return false;
        uuid->bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return !*text;
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        if (has_dash_before(i))
            *text++ = '-';
        *text++ = digits[uuid->bytes[i] >> 4];
        *text++ = digits[uuid->bytes[i] & 15];
    }
    *text = '\0';
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a, b, sizeof *a);
}

bool uuid_is_zero(const struct uuid *uuid)
{
    static const struct uuid zero;

    return uuid_equal(uuid, &zero);
}
