/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* help - what weir says about itself.
 *
 * Threads  The main thread. */

#include "cli/context.h"

void help_print_all(struct buffer *out);
void help_print_command(const struct command *command, struct buffer *out);
void help_print_version(struct buffer *out);
