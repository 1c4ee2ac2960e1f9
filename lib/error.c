/* SPDX-License-Identifier: Apache-2.0 */

/* Sentences are cut at ERROR_MESSAGE_BYTES; they are for reading, never for parsing. */

#include "lib/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_trim_text(char *text, size_t capacity)
{
    enum { MOST_CONTINUATION_BYTES = 3 };
    size_t n = strlen(text);

    /* Back to before the last character that may be incomplete. */
    if (n + 1 < capacity)
        return;
    for (int i = 0; i < MOST_CONTINUATION_BYTES && n && (text[n - 1] & 0xc0) == 0x80; i++)
        n--;
    if (n && (text[n - 1] & 0x80))
        n--;
    text[n] = '\0';
}

int error_set(struct error *error, int code, const char *format, ...)
{
    va_list args;

    if (!error)
        return code;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    error_trim_text(error->message, sizeof error->message);
    return code;
}

int error_set_errno(struct error *error, int code, const char *format, ...)
{
    va_list args;

    if (!error)
        return code;
    error->code = code;
    va_start(args, format);
    int length = vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof error->message)
        snprintf(error->message + length, sizeof error->message - (size_t)length, ": %s",
                 strerror(-code));
    error_trim_text(error->message, sizeof error->message);
    return code;
}

int error_prefix(struct error *error, const char *format, ...)
{
    char first[ERROR_MESSAGE_BYTES];
    va_list args;

    if (!error)
        return 0;
    memcpy(first, error->message, sizeof first);
    va_start(args, format);
    int length = vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof error->message)
        snprintf(error->message + length, sizeof error->message - (size_t)length, ": %s", first);
    error_trim_text(error->message, sizeof error->message);
    return error->code;
}
