/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* appctl - weir under the name ovs-appctl: that program's words, output and exit statuses.
 *
 * Threads  The main thread. */

#include <stdio.h>

int appctl_run(size_t n_words, const char *const words[], FILE *out, FILE *err);
