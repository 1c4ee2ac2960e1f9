/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes above 0x7f pass: they are UTF-8 or they are harmless. */

#include "cli/shown.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *find_end_of_character(const char *at)
{
    do
        at++;
    while ((*at & 0xc0) == 0x80);
    return at;
}

struct shown shown(const char *word)
{
    static const size_t room = SHOWN_BYTES - sizeof "\\xNN...";
    struct shown shown = {.text = ""};
    size_t used = 0;

    while (*word) {
        const char *next = find_end_of_character(word);
        size_t n_bytes = (size_t)(next - word);
        unsigned char first = (unsigned char)*word;

        if (used + n_bytes > room) {
            memcpy(shown.text + used, "...", 4);
            return shown;
        }
        if (first < 0x20 || first == 0x7f || n_bytes > 4)
            used += (size_t)snprintf(shown.text + used, 5, "\\x%02x", first), next = word + 1;
        else
            memcpy(shown.text + used, word, n_bytes), used += n_bytes;
        word = next;
    }
    if (!used)
        memcpy(shown.text, "\"\"", 3);
    return shown;
}
