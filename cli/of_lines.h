/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_lines - the lines of a file of flows or groups, as often as they are needed: what comes from a
 * pipe can be read only once.
 *
 * Threads  The main thread.
 * Memory   The whole text is kept. */

#include "lib/buffer.h"
#include "lib/error.h"

struct of_lines {
    const char *file; /* As sentences name it; borrowed. */
    struct buffer text;
};

#define OF_LINES_INIT       \
    {                       \
        .text = BUFFER_INIT \
    }

const char *of_lines_name(const char *file); /* "-" is standard input. */

int of_lines_read(struct of_lines *lines, const char *file, struct error *error);
void of_lines_fini(struct of_lines *lines);

/* Hands each line that is not empty to 'take', without its comment and the blanks in front; it may be
 * changed.  '*number' is always that of the line. */
typedef int of_line_taker(char *line, void *aux, struct error *error);
int of_lines_take(const struct of_lines *lines, of_line_taker *take, size_t *number, void *aux,
                  struct error *error);
