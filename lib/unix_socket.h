/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* unix_socket - stream sockets with a path, long paths included.
 *
 * A socket address holds 107 bytes of path; what is longer goes through /proc/self/fd.  All
 * descriptors returned are close-on-exec.  Return values are a descriptor or negative errno.
 *
 * Threads  Any. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

/* A non-blocking listener with the given permissions.  A socket that is in the way is removed if
 * nobody listens on it; with a listener behind it the answer is -EADDRINUSE. */
int unix_socket_listen(const char *path, mode_t mode, struct error *error);

int unix_socket_connect(const char *path, struct error *error); /* Blocking, without end. */

/* Waits for its turn if the listener has too many waiting, at most
 * until the deadline; -ETIMEDOUT at 'deadline_ns' of clock_now_ns().  The socket is non-blocking. */
int unix_socket_connect_until(const char *path, int64_t deadline_ns, struct error *error);

/* Non-blocking, and connected: -EAGAIN if the listener has too many waiting. */
int unix_socket_connect_now(const char *path, struct error *error);

/* A connection from 'listener', non-blocking; -EAGAIN when there is none. */
int unix_socket_accept(int listener);
