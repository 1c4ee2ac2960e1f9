/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* server_database - "_Server", in which Open vSwitch's clients look up the databases there are.
 *
 * It lives in memory, has one row per database and cannot be changed by clients.
 *
 * Threads  One. */

#include "ovsdb-lite/store.h"
#include "ovsdb-lite/transaction.h"

/* With one row, its own. */
struct store *server_database_create(void);

/* Makes the row of 'db' say what is so; the caller tells clients of the commit.  NULL: it did. */
struct commit *server_database_put(struct store *store, const struct database *db);
struct commit *server_database_remove(struct store *store, const char *name);
