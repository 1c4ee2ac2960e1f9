/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/of_lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shown.h"

enum { CHUNK_BYTES = 64 << 10, MAX_LINE_BYTES = 64 << 10 };

const char *of_lines_name(const char *file)
{
    return strcmp(file, "-") ? file : "standard input";
}

int of_lines_read(struct of_lines *lines, const char *file, struct error *error)
{
    bool is_stdin = !strcmp(file, "-");
    FILE *stream = is_stdin ? stdin : fopen(file, "re");
    struct buffer *text = &lines->text;
    size_t n;
    int result = 0;

    if (!stream)
        return error_set_errno(error, -errno, "%s", shown(file).text);
    lines->file = of_lines_name(file);
    do {
        buffer_reserve(text, CHUNK_BYTES);
        n = fread(text->data + text->size, 1, CHUNK_BYTES, stream);
        text->size += n;
    } while (n);
    if (ferror(stream))
        result = error_set_errno(error, -errno, "%s", shown(file).text);
    if (!is_stdin)
        fclose(stream);
    return result;
}

void of_lines_fini(struct of_lines *lines)
{
    buffer_fini(&lines->text);
}

static int take_line(char *line, size_t length, of_line_taker *take, void *aux, struct error *error)
{
    if (strlen(line) != length)
        return error_set(error, -EINVAL, "a NUL byte is in the line");
    if (length > MAX_LINE_BYTES)
        return error_set(error, -E2BIG, "the line has %zu characters; no flow needs more than %d",
                         length, MAX_LINE_BYTES);
    line[strcspn(line, "#\r")] = '\0';
    char *text = line + strspn(line, " \t");
    return *text ? take(text, aux, error) : 0;
}

int of_lines_take(const struct of_lines *lines, of_line_taker *take, size_t *number, void *aux,
                  struct error *error)
{
    const char *at = (const char *)lines->text.data, *end = at + lines->text.size;
    struct buffer line = BUFFER_INIT;
    int result = 0;

    for (*number = 1; !result && at < end; at++, ++*number) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((line_end ? line_end : end) - at);

        buffer_clear(&line);
        buffer_put(&line, at, length);
        buffer_putc(&line, '\0');
        result = take_line((char *)line.data, length, take, aux, error);
        if (result)
            error_prefix(error, "%s, line %zu", shown(lines->file).text, *number);
        at += length;
    }
    buffer_fini(&line);
    return result;
}
