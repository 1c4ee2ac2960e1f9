/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* record - changing a record by words, for the commands that take COLUMN=VALUE.
 *
 * Threads  The main thread. */

#include "cli/context.h"
#include "cli/store.h"

/* "COLUMN=VALUE" or "COLUMN:KEY=VALUE". */
int record_set_word(struct context *context, struct store_row *row, const char *word,
                    struct error *error);

/* Wants the columns that such words change. */
int record_want_words(struct context *context, const struct table_schema *table,
                      const char *const words[], size_t n_words, struct error *error);
