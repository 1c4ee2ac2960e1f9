/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* help - what weir says about itself.
 *
 * Threads  The main thread. */

#include "cli/context.h"

void help_print_all(struct buffer *out);
void help_print_command(const struct command *command, struct buffer *out);
/* The version of Open vSwitch whose tools and schema weir stands in for under their names. */
#define HELP_OVS_VERSION    "3.1.0"
#define HELP_SCHEMA_VERSION "8.8.0"

/* Names and arguments of all commands, as the completion of ovs-vsctl(8) reads them. */
void help_print_commands(struct buffer *out);
void help_print_version(struct buffer *out);
