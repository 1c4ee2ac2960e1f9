/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* file_command - what ovsdb-lite does with a database file instead of serving it.
 *
 *     ovsdb-lite check [--repair] FILE...
 *     ovsdb-lite export FILE [TARGET]
 *
 * Threads  One. */

#include <stdbool.h>

/* True: the command line was one of these, and '*status' is what to exit with. */
bool file_command_run(int argc, char *argv[], int *status);
