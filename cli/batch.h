/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* batch - database commands run together: one read, one transaction, one wait for the switch.
 *
 * A command that returns -EAGAIN from run() waits for the database to change (wait-until).
 *
 * Threads  The main thread. */

#include "cli/context.h"

/* Runs all 'n' and prints nothing. */
int batch_run(struct context *context, struct invocation *invocations, size_t n,
              struct error *error);
