/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* control - questions to a running daemon over its control socket, for the commands that look.
 *
 * Threads  The main thread. */

#include <stddef.h>

#include "cli/context.h"

/* The names under which pidfiles and control sockets are found. */
#define DAEMON_SWITCH   "ovs-vswitchd"
#define DAEMON_DATABASE "ovsdb-server"

/* The daemon's text (the caller's to free), or NULL: it does not run, or it refused and 'error' has
 * its sentence.  'target': DAEMON_SWITCH, DAEMON_DATABASE, our names for them, or a socket's path. */
char *control_call(const struct context *context, const char *target, const char *method,
                   size_t n_args, const char *const args[], struct error *error);

/* As control_call() to the switch, printed as it came or, for --json, as {"text": ...}. */
int control_print(struct context *context, struct invocation *invocation, const char *method,
                  size_t n_args, const char *const args[], struct error *error);
