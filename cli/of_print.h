/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_print - OpenFlow messages for people, or as JSON.
 *
 * Threads  The main thread. */

#include <stddef.h>

#include "cli/context.h"
#include "lib/openflow/names.h"

/* When it was said, and by whom to whom; what is NULL is not told. */
struct of_print_place {
    const char *time, *from, *to;
};

/* One message behind 'out'. */
void of_print_put(const struct context *context, const struct of_print_place *place,
                  const void *data, size_t n_bytes, const struct of_names *names,
                  struct buffer *out);

/* One message, to the output of 'context', which is flushed. */
int of_print_now(struct context *context, const struct of_print_place *place, const void *data,
                 size_t n_bytes, const struct of_names *names, struct error *error);

/* All there is in a file; "-": standard input. */
int of_print_read(const char *path, struct buffer *bytes, struct error *error);
