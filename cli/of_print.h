/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_print - OpenFlow messages for people, or as JSON.
 *
 * Threads  The main thread. */

#include <stddef.h>

#include "cli/context.h"
#include "lib/openflow/names.h"

/* One message, to the output of 'context', which is flushed. */
int of_print_now(struct context *context, const void *data, size_t n_bytes,
                 const struct of_names *names, struct error *error);
