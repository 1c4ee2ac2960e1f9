/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* remote - how a client names the database it wants: a socket's path, with or without "unix:" before it,
 * "tcp:IP[:PORT]" or "ssl:IP[:PORT]".
 *
 * Threads  Any. */

#include "lib/error.h"

enum { OVSDB_DEFAULT_PORT = 6640 };

/* The path of a Unix socket, which is part of 'remote', or NULL. */
const char *ovsdb_remote_path(const char *remote);

/* Is it one of these? */
int ovsdb_remote_check(const char *remote, struct error *error);
