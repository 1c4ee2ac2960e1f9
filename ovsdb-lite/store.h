/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* store - a database and the file it lives in.
 *
 * The first record of the file is its schema, the others are transactions: rows inserted, columns
 * changed, rows deleted.  Ephemeral columns are never written.
 *
 * Threads  One.
 * Memory   The store owns its database and its journal. */

#include "ovsdb-lite/database.h"
#include "ovsdb-lite/transaction.h"

struct store;

/* Opens the file, or creates it with 'schema_json' and a first row in a root table that may have
 * only one.  A file whose schema of the same name is an older version than 'schema_json' is converted,
 * and the old file kept as FILE.backup-VERSION; any other keeps its own schema.  NULL on error, with
 * the errors of journal_open(). */
struct store *store_open(const char *path, const json_t *schema_json, struct error *error);

/* Makes the file as store_open() would; -EEXIST if there is one. */
int store_create_file(const char *path, const json_t *schema_json, struct error *error);

/* A database that lives in memory alone.  Takes 'schema'. */
struct store *store_create_in_memory_take(struct db_schema *schema);
void store_close(struct store *store); /* NULL is fine. */

struct database *store_database(const struct store *store);

/* Writes what a prepared transaction changes.  'comment' may be NULL. */
int store_write(struct store *store, const struct txn *txn, const char *comment,
                struct error *error);

/* Makes all that was written durable. */
int store_sync(struct store *store, struct error *error);
bool store_needs_sync(const struct store *store);

/* After a failed sync: forgets what is in memory and not known to be on the disk, with all ephemeral
 * columns.  Whatever refers to the database must be gone; store_database() is another one then. */
int store_revert(struct store *store, struct error *error);

/* Puts '*db' in the place of the database, in the file too, which is written anew as for
 * store_compact(); '*db' is then the old one, the caller's.  After an error nothing has changed. */
int store_exchange_database(struct store *store, struct database **db, struct error *error);

/* Rewrites the file without its history. */
int store_compact(struct store *store, struct error *error);
bool store_wants_compaction(const struct store *store);

uint64_t store_file_bytes(const struct store *store);
uint64_t store_n_records(const struct store *store);
