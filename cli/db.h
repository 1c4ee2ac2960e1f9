/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* db - what the verbs of "weir db" share: verbs as rows, and whole databases as JSON.
 *
 * Threads  The main thread. */

#include <jansson.h>

#include "cli/context.h"
#include "lib/ovsdb/session.h"

/* The words of one verb are the arguments behind it; its options are those of "db" that it names. */
struct db_verb {
    const char *name, *usage, *options, *summary;
    size_t min_args, max_args;
    command_callback *run;
};

int db_run_monitor(struct context *context, struct invocation *invocation, struct error *error);
int db_run_backup(struct context *context, struct invocation *invocation, struct error *error);
int db_run_restore(struct context *context, struct invocation *invocation, struct error *error);
int db_run_check(struct context *context, struct invocation *invocation, struct error *error);

/* The argument behind the verb, NULL if there are fewer. */
const char *db_argument(const struct invocation *invocation, size_t i);

/* All that lasts, in one reading: {table: {uuid: {column: value}}}, RFC 7047's notation, without the
 * values that are defaults.  NULL on error. */
json_t *db_read_contents(struct ovsdb_session *session, const struct db_schema *schema,
                         struct error *error);

/* The value of a column in such a row, its default if it is not there.  NULL on error, else the
 * caller's reference. */
struct datum *db_value(const struct column_schema *column, const json_t *row, struct error *error);
