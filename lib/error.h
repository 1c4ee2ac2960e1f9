/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* error - a sentence for a person, beside an errno for the code.
 *
 * The first failure says what happened and to what; callers only put their own subject in front of
 * it.  A struct error lives on the caller's stack; ERROR_INIT is "no error".
 *
 *     struct error error = ERROR_INIT;
 *     if (port_open(name, &error) < 0)
 *         log_warn("%s", error.message);
 *
 * Threads  None: an error belongs to one caller. */

#include <stddef.h>

#include "lib/annotations.h"

enum { ERROR_MESSAGE_BYTES = 256 };

struct error {
    int code; /* 0, or negative errno. */
    char message[ERROR_MESSAGE_BYTES];
};

#define ERROR_INIT \
    {              \
        .code = 0  \
    }

/* Records 'code' (negative errno) and the sentence, and returns 'code'.  A NULL 'error' only
 * returns 'code'. */
int error_set(struct error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* As error_set(), and appends ": " and strerror(-code). */
int error_set_errno(struct error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "<text>: " before the sentence that is there, and returns its code. */
int error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* Takes what may be half a UTF-8 character off the end of a text that fills its 'capacity': sentences
 * go into JSON, which has no half characters. */
void error_trim_text(char *text, size_t capacity);
