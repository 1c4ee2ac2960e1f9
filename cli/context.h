/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* context - what all commands of one run of weir share.
 *
 * Threads  The main thread. */

#include <stdint.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/shown.h"
#include "lib/error.h"

struct store;
struct tls;

struct context {
    struct options options;
    struct tls *tls;        /* As the options say.  Owned. */
    int64_t deadline_ns;    /* Of clock_now_ns(); INT64_MAX: none. */
    struct store *store;    /* While database commands run. */
    struct buffer warnings; /* Whole lines for standard error, besides the one of a failure. */
    FILE *out;              /* For a command that prints while it runs; others have their output. */
    size_t n_tables;        /* Printed by the commands of a chain so far. */
    int exit_status;        /* What a command that succeeded wants to exit with. */
};

/* One column of names: without its heading, unless a format was asked for.  Takes 'table'. */
void context_print_names_take(struct context *context, struct invocation *invocation,
                              struct table *table);

/* One string or number, as a line or as JSON.  Takes 'value'. */
void context_print_value_take(struct context *context, struct invocation *invocation,
                              json_t *value);
