/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* uuid - the name of a row.
 *
 * Threads  Any. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT_BYTES = 37 }; /* With the NUL. */

struct uuid {
    uint8_t bytes[16];
};

void uuid_generate(struct uuid *uuid); /* Random, version 4. */

/* The 36 characters of RFC 4122 and nothing else; false if 'text' is not that. */
bool uuid_parse(const char *text, struct uuid *uuid);
void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_BYTES]);

bool uuid_equal(const struct uuid *a, const struct uuid *b);
int uuid_compare(const struct uuid *a, const struct uuid *b); /* As memcmp(). */
bool uuid_is_zero(const struct uuid *uuid);
