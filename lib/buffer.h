/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* buffer - bytes that grow at the end: messages being encoded, text being printed.
 *
 * Memory   The buffer owns 'data'.  Running out of memory ends the process, as configuration and
 *          control messages are bounded before they get here.
 * Threads  None: a buffer belongs to one caller. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/annotations.h"

struct buffer {
    uint8_t *data; /* Owned; NULL while capacity is 0. */
    size_t size;
    size_t capacity;
};

#define BUFFER_INIT  \
    {                \
        .data = NULL \
    }

void buffer_fini(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);                      /* Keeps the memory. */
void buffer_reserve(struct buffer *buffer, size_t more_bytes); /* data may move. */

/* Appends 'n_bytes' that the caller fills; valid until the next call that grows the buffer.  Messages are made
 * of many such pieces, so it is inline. */
static inline void *buffer_put_uninit(struct buffer *buffer, size_t n_bytes)
{
    if (unlikely(n_bytes > buffer->capacity - buffer->size))
        buffer_reserve(buffer, n_bytes);
    void *tail = buffer->data ? buffer->data + buffer->size : NULL;
    buffer->size += n_bytes;
    return tail;
}

void *buffer_put_zeros(struct buffer *buffer, size_t n_bytes);
void *buffer_put(struct buffer *buffer, const void *from, size_t n_bytes);

/* Removes the first 'n_bytes', which must be there. */
void buffer_pull(struct buffer *buffer, size_t n_bytes);

/* Text: the bytes are followed by a NUL that does not count in 'size'. */
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_vprintf(struct buffer *buffer, const char *format, va_list args);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_putc(struct buffer *buffer, char c);

/* The text so far, never NULL; valid until the next change. */
const char *buffer_text(struct buffer *buffer);

/* Hands the NUL-terminated text to the caller, who frees it, and leaves the buffer empty. */
char *buffer_take_text(struct buffer *buffer);
