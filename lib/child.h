/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* child - processes of our own, which say when they are ready, and what their parent shall hold for them.
 *
 * A child has a socket to its parent.  Its end means that the child is no more.
 *
 * To hold is to keep a descriptor open beyond the end of the child that opened it, until the next one is ready: the
 * kernel waits for a grace period for each packet socket that is closed for good, a tenth of a second in
 * all, and would do so before the parent hears that the process has ended.
 *
 * Threads  The main thread; child_fork() before there are others. */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

/* As fork(): '*fd' is where to speak to the other one, and is to be closed. */
pid_t child_fork(int *fd, struct error *error);

/* In the child. */
void child_say_ready(int fd);
void child_ask_to_hold(int fd, int held_fd);

/* True once the child says so, false if it ends before. */
bool child_wait_until_ready(int fd);

/* Waits for its end; its status, as of waitpid(). */
int child_wait(pid_t pid);
_Noreturn void child_exit_like(int status);

/* Restarts a child whenever a signal ends it (SIGTERM, SIGINT and SIGHUP excepted), and holds what it is asked to.
 * Returns in the child, 0 with '*fd', or negative errno; the parent calls 'on_first_ready' once, and
 * exits as the last child does. */
int child_supervise(const char *program, void (*on_first_ready)(void *arg), void *arg, int *fd,
                    struct error *error);
