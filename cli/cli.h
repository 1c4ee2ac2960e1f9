/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* cli - one run of weir, from its words to its exit status.
 *
 * Threads  The main thread. */

#include <stdio.h>

/* argv[0] is skipped.  Output goes to 'out', sentences about failures to 'err'. */
int cli_run(int argc, const char *const argv[], FILE *out, FILE *err);
