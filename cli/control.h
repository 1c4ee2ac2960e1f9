/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* control - questions to a running daemon over its control socket, for the commands that look.
 *
 * Threads  The main thread. */

#include <jansson.h>
#include <stddef.h>

#include "cli/context.h"

/* The names under which pidfiles and control sockets are found. */
#define DAEMON_SWITCH   "ovs-vswitchd"
#define DAEMON_DATABASE "ovsdb-server"

/* The daemon's text (the caller's to free), or NULL: it does not run, or it refused and 'error'
 * has its sentence.  'target': DAEMON_SWITCH, DAEMON_DATABASE, our names for them, or a socket's
 * path. */
char *control_call(const struct context *context, const char *target, const char *method,
                   size_t n_args, const char *const args[], struct error *error);

/* The same as JSON, where the daemon has that for the method; otherwise its text as a string. */
json_t *control_call_json(const struct context *context, const char *target, const char *method,
                          size_t n_args, const char *const args[], struct error *error);

/* Prints what the daemon answers, as text or as JSON: {"text": ...} where there is only text. */
int control_print(struct context *context, struct invocation *invocation, const char *target,
                  const char *method, size_t n_args, const char *const args[], struct error *error);

/* The daemon that --target names, DAEMON_SWITCH without it. */
const char *control_target(const struct invocation *invocation);

/* Commands whose first argument says what to do: each verb is one method of the switch. */
struct control_verb {
    const char *verb, *method;
    const char *usage; /* Of what follows the verb. */
    size_t min_args, max_args;
};

int control_check_verb(const struct invocation *invocation, const struct control_verb *verbs,
                       size_t n_verbs, struct error *error);

/* After control_check_verb(). */
int control_run_verb(struct context *context, struct invocation *invocation,
                     const struct control_verb *verbs, size_t n_verbs, struct error *error);
