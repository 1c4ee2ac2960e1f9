/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* export - a database as a file that Open vSwitch's ovsdb-tool and ovsdb-server read.
 *
 * The way back, and to every tool that knows their format.  The rows go into one transaction; the
 * history does not go along.  A server may be using the file: what it has committed is exported.
 *
 * Threads  One. */

#include <stdio.h>

#include "lib/error.h"

int export_to_stream(const char *path, FILE *stream, struct error *error);

/* 'target' must not exist.  It is there whole or not at all. */
int export_to_file(const char *path, const char *target, struct error *error);
