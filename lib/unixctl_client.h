/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* unixctl_client - ask a running daemon over its control socket, and wait for the answer.
 *
 * Threads  Any. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/* The pid in 'pidfile', if that process holds the file's lock; else negative errno: -ENOENT (no
 * file) and -ESRCH (nobody holds it) both mean that the daemon does not run. */
pid_t unixctl_client_read_pidfile(const char *pidfile, struct error *error);

/* The control socket of 'target': a daemon's name ("ovs-vswitchd"), looked up by its pidfile in the
 * run directory, or an absolute path to a socket.  NULL on error, else the caller's to free. */
char *unixctl_client_find(const char *target, struct error *error);

/* Runs one command.  0 with the daemon's text in '*answer' (the caller's to free) and in
 * '*is_error' whether it is a refusal; negative errno with '*answer' NULL if there was no answer.
 * 'deadline_ns' is of clock_now_ns(), INT64_MAX for none. */
int unixctl_client_call(const char *socket_path, const char *command, size_t n_args,
                        const char *const args[], int64_t deadline_ns, char **answer,
                        bool *is_error, struct error *error);
