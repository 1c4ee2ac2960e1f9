/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* store - the rows some commands need, with their changes, until these are one transaction.
 *
 * Commands first say which columns they want, then the store reads those of all rows at once.  What
 * a command changes, the next one in the chain sees.  Committing sends the least that makes the
 * changes: elements added and removed where a column is a set or a map, so that other clients who
 * change other elements are not disturbed; a row that vanished meanwhile makes it start over.
 *
 *     store_want(store, "Port", "name");
 *     if (!store_load(store, error))
 *         for (row = store_first(store, table); row; row = store_next(row)) ...
 *     store_set_take(row, column, datum);
 *     store_commit(store, ...);
 *
 * Threads  None: a store belongs to one run of commands.
 * Memory   The store owns rows and values; store_load() and store_destroy() end them. */

#include <stdbool.h>
#include <stdint.h>

#include "cli/value.h"
#include "lib/error.h"
#include "lib/ovsdb/schema.h"
#include "lib/ovsdb/session.h"

struct store;
struct store_row;

/* Borrows session and schema. */
struct store *store_create(struct ovsdb_session *session, const struct db_schema *schema);
void store_destroy(struct store *store); /* NULL is fine. */
const struct db_schema *store_schema(const struct store *store);

/* What to load.  Names the server's schema does not have are ignored; a NULL column is none. */
void store_want(struct store *store, const char *table, const char *column);
void store_want_column(struct store *store, const struct table_schema *table,
                       const struct column_schema *column);

/* Reads all rows; changes and names made so far are forgotten. */
int store_load(struct store *store, struct error *error);

/* Waits until something that was loaded changes in the server; then load again. */
int store_wait(struct store *store, struct error *error);
int store_watch(struct store *store, struct error *error); /* Before the load that decides. */
bool store_is_watching(const struct store *store);

/* Rows in order of arrival, without the deleted ones. */
struct store_row *store_first(const struct store *store, const struct table_schema *table);
struct store_row *store_next(const struct store_row *row);
struct store_row *store_find_uuid(const struct store *store, const struct table_schema *table,
                                  const struct uuid *uuid);
/* The row whose string column is 'text'. */
struct store_row *store_find_string(const struct store *store, const struct table_schema *table,
                                    const struct column_schema *column, const char *text);

/* After the commit: the row that it created under this UUID, or NULL. */
struct store_row *store_find_new(const struct store *store, const struct table_schema *table,
                                 const struct uuid *uuid);

const struct table_schema *store_row_table(const struct store_row *row);
const struct uuid *
store_row_uuid(const struct store_row *row); /* Of a new row: final once committed. */
bool store_row_is_new(const struct store_row *row);
const struct datum *store_get(const struct store_row *row, const struct column_schema *column);

/* Changes. */
void store_set_take(struct store_row *row, const struct column_schema *column, struct datum *datum);
struct store_row *store_insert(struct store *store, const struct table_schema *table);
void store_delete(struct store_row *row);

/* "@name" as a row that is or will be created: for --id and values. */
int store_name_row(struct store *store, const char *name, struct store_row *row,
                   struct error *error);
struct value_names store_names(struct store *store);
/* Gives a new row the UUID that somebody chose, instead of one of the server's. */
int store_choose_uuid(struct store *store, struct store_row *row, const struct uuid *uuid,
                      struct error *error);
bool store_was_named(const struct store_row *row); /* Does an @name stand for it? */

struct store_commit {
    const char *comment; /* For the log of the database. */
    bool wants_next_cfg;
    bool is_dry;
    bool was_changed; /* Answer: something was sent. */
    int64_t next_cfg; /* Answer, if wanted and changed. */
};

/* -EAGAIN: another client was first; load and run again. */
int store_commit(struct store *store, struct store_commit *commit, struct error *error);
