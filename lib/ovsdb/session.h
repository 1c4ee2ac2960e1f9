/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* session - a database connection for a program that waits: the CLI.
 *
 *     struct ovsdb_session *session = ovsdb_session_connect(NULL, "Open_vSwitch", NULL, deadline, &error);
 *     json_t *operations = json_array();         RFC 7047 operations, without the database name
 *     if (!ovsdb_session_transact_take(session, operations, &results, &error)) ...
 *
 * Threads  None: a session belongs to one caller.
 * Time     'deadline_ns' is of clock_now_ns() and bounds every wait; INT64_MAX for none. */

#include <jansson.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/ovsdb/json.h"
#include "lib/ovsdb/schema.h"

struct ovsdb_session;
struct tls;

/* 'remote': a socket path, with or without "unix:", "tcp:IP[:PORT]" or "ssl:IP[:PORT]"; NULL for
 * RUNDIR/db.sock.  'tls' is borrowed for the call, and may be NULL where there is no "ssl:".  NULL on
 * error. */
struct ovsdb_session *ovsdb_session_connect(const char *remote, const char *database,
                                            struct tls *tls, int64_t deadline_ns,
                                            struct error *error);
void ovsdb_session_destroy(struct ovsdb_session *session); /* NULL is fine. */
void ovsdb_session_set_deadline(struct ovsdb_session *session, int64_t deadline_ns);

/* The database's schema, asked for once; the session owns it.  NULL on error. */
const struct db_schema *ovsdb_session_schema(struct ovsdb_session *session, struct error *error);

/* Runs operations as one transaction.  0 with all results (the caller's; one per operation) in
 * '*results'.  If an operation failed, the sentence is the server's, the code is -EAGAIN for a wait
 * that timed out and -EPROTO otherwise, and '*results' has what the server sent (or NULL).
 * Takes 'operations'. */
int ovsdb_session_transact_take(struct ovsdb_session *session, json_t *operations, json_t **results,
                                struct error *error);

/* All rows of 'table' that match 'where' (a JSON array of clauses; NULL: all), with '_uuid' and the
 * named columns (NULL array: all), as a JSON array of row objects.  NULL on error.
 * Takes 'where' and 'columns'. */
json_t *ovsdb_session_select_take(struct ovsdb_session *session, const char *table, json_t *where,
                                  json_t *columns, struct error *error);

/* Starts an RFC 7047 "monitor"; its first contents (table -> uuid -> {"new": row}) are the
 * caller's, in '*initial'.  Takes 'requests': {table: {"columns": [...]}}. */
int ovsdb_session_monitor_take(struct ovsdb_session *session, json_t *requests, json_t **initial,
                               struct error *error);

/* Waits for the next change of what is monitored: '*updates' has the same form with "old" and
 * "new", and is the caller's.  -ETIMEDOUT at the deadline. */
int ovsdb_session_wait_update(struct ovsdb_session *session, json_t **updates, struct error *error);

/* Any other method ("list_dbs" ...).  0 with the result, the caller's; -EPROTO with the server's
 * error as a sentence.  Takes 'params'. */
int ovsdb_session_call_take(struct ovsdb_session *session, const char *method, json_t *params,
                            json_t **result, struct error *error);
int ovsdb_session_fd(const struct ovsdb_session *session); /* For poll(). */
