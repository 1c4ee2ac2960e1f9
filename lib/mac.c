/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/mac.h"

#include <ctype.h>
#include <stddef.h>

static uint8_t digit_value(char digit)
{
    return (uint8_t)(isdigit((unsigned char)digit) ? digit - '0'
                                                   : tolower((unsigned char)digit) - 'a' + 10);
}

bool mac_parse(const char *text, struct mac *mac)
{
    struct mac parsed;

    for (size_t i = 0; i < sizeof parsed.bytes; i++, text += 3) {
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
            text[2] != (i < 5 ? ':' : '\0'))
            return false;
        parsed.bytes[i] = (uint8_t)(digit_value(text[0]) << 4 | digit_value(text[1]));
    }
    *mac = parsed;
    return true;
}
