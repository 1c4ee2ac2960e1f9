/* SPDX-License-Identifier: Apache-2.0 */

/* Capacity doubles, so appending is linear over the life of a buffer. */

#include "lib/buffer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_fini(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer)BUFFER_INIT;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
}

void buffer_reserve(struct buffer *buffer, size_t more_bytes)
{
    size_t needed = buffer->size + more_bytes;
    size_t capacity = buffer->capacity ? buffer->capacity : 64;

    if (needed < buffer->size)
        abort();
    if (needed <= buffer->capacity)
        return;
    while (capacity < needed)
        capacity *= 2;
    buffer->data = realloc(buffer->data, capacity);
    if (!buffer->data)
        abort();
    buffer->capacity = capacity;
}

void *buffer_put_zeros(struct buffer *buffer, size_t n_bytes)
{
    void *tail = buffer_put_uninit(buffer, n_bytes);

    if (n_bytes)
        memset(tail, 0, n_bytes);
    return tail;
}

void *buffer_put(struct buffer *buffer, const void *from, size_t n_bytes)
{
    void *tail = buffer_put_uninit(buffer, n_bytes);

    if (n_bytes)
        memcpy(tail, from, n_bytes);
    return tail;
}

void buffer_pull(struct buffer *buffer, size_t n_bytes)
{
    assert(n_bytes <= buffer->size);
    buffer->size -= n_bytes;
    if (buffer->size)
        memmove(buffer->data, buffer->data + n_bytes, buffer->size);
}

void buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    buffer_reserve(buffer, 1);
    size_t room = buffer->capacity - buffer->size;
    int length = vsnprintf((char *)buffer->data + buffer->size, room, format, args);
    if (length < 0)
        abort();
    if ((size_t)length >= room) {
        buffer_reserve(buffer, (size_t)length + 1);
        vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, again);
    }
    va_end(again);
    buffer->size += (size_t)length;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buffer_vprintf(buffer, format, args);
    va_end(args);
}

void buffer_puts(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

void buffer_putc(struct buffer *buffer, char c)
{
    buffer_put(buffer, &c, 1);
}

const char *buffer_text(struct buffer *buffer)
{
    buffer_reserve(buffer, 1);
    buffer->data[buffer->size] = '\0';
    return (const char *)buffer->data;
}

char *buffer_take_text(struct buffer *buffer)
{
    buffer_text(buffer);
    char *text = (char *)buffer->data;
    *buffer = (struct buffer)BUFFER_INIT;
    return text;
}
