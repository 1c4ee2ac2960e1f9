/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* batch - database commands run together: one read, one transaction, one wait for the switch.
 *
 * A command that returns -EAGAIN from run() waits for the database to change (wait-until).
 *
 * Threads  The main thread. */

#include "cli/context.h"
#include "lib/ovsdb/session.h"

const char *batch_database(const struct options *options); /* Its name. */

/* A connection to the database that the options name; NULL with a sentence that says what to do. */
struct ovsdb_session *batch_connect(const struct context *context, struct error *error);

/* Runs all 'n' and prints nothing. */
int batch_run(struct context *context, struct invocation *invocations, size_t n,
              struct error *error);
