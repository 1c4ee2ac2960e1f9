/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* process - the two daemons as processes: found, started, asked for, stopped.
 *
 * Threads  The main thread.
 * Time     Waiting for an end polls every 5 ms. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/buffer.h"
#include "lib/error.h"

/* The path of one of our programs: beside this one, where an installation or a build tree keeps
 * it, or on the PATH.  NULL if there is none, else the caller's to free. */
char *process_find_program(const char *name, struct error *error);

/* Runs a program to its end, with our standard streams.  argv[0] is its path.  -EIO if it fails. */
int process_run(const char *const argv[], struct error *error);

/* The same, but appends what it prints to 'output'. */
int process_run_output(const char *const argv[], struct buffer *output, struct error *error);

/* The pid of a running daemon ("ovs-vswitchd"), 0 if it does not run. */
pid_t process_daemon_pid(const char *daemon);

pid_t process_pidfile_pid(const char *pidfile); /* The same by the path of the pidfile. */

/* Does it see the network that we see? */
bool process_shares_network(pid_t pid);

/* The command line of a process, NULL at its end; free() it, and '*text', which holds the words.  NULL: it cannot be
 * read. */
const char **process_read_argv(pid_t pid, char **text);

/* SIGTERM, and until 'deadline_ns' wait that it ends.  A daemon that does not run is stopped. */
int process_stop_daemon(const char *daemon, int64_t deadline_ns, struct error *error);

/* Waits for the end of a daemon that was told to exit.  -ETIMEDOUT at the deadline. */
int process_wait_daemon(const char *daemon, int64_t deadline_ns);
