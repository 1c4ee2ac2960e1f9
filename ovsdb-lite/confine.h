/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* confine - what the server gives up before it listens to anybody.
 *
 * A database needs its files and its sockets.  As another user it has no capabilities and cannot get any;
 * and a filter refuses the system calls that would make the process another program, a tracer, or a
 * stranger in other namespaces.  A filter of what is allowed would be stricter, and would end the
 * server whenever the C library learns a new call: this one names what must never happen.
 *
 * Threads  Before there are others. */

#include "lib/error.h"

/* "USER" or "USER:GROUP".  Creates the run directory for that user if there is none; everything else the
 * server is to use must be the user's already. */
int confine_become(const char *user, struct error *error);

/* From now on, in this process and its children. */
int confine_forbid_system_calls(struct error *error);
