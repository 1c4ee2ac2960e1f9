/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* transaction - changes to the rows of one database that happen together or not at all.
 *
 * Operations change rows in place and remember what was there; txn_prepare() then does what RFC
 * 7047, section 3.2 asks at the end: collects rows nobody refers to, drops weak references to rows
 * that are gone, and checks references, row limits and indexes.  After it succeeded only writing the
 * change to disk can still fail, so the caller does that before txn_finish().
 *
 *     txn_create -> txn_insert, txn_set_take, txn_delete -> txn_prepare -> txn_finish
 *                                                       any time before:  txn_abort
 *
 * One transaction of a database at a time.
 *
 * Threads  One.
 * Memory   txn_finish() and txn_abort() release the transaction. */

#include <stdbool.h>
#include <stdint.h>

#include "ovsdb-lite/database.h"

struct row_change {
    struct table *table;
    struct uuid uuid;
    struct row_data *before; /* NULL: inserted. */
    struct row_data *after;  /* NULL: deleted.  Set by txn_finish(). */

    struct row *row;   /* While the transaction is open. */
    bool is_accounted; /* References are counted as of row->data, not 'before'. */
};

struct txn {
    struct database *db;
    struct row_change **changes; /* Owned; in order of first touch. */
    size_t n_changes, n_allocated;
    struct row **suspects; /* Rows that may have lost their last reference. */
    size_t n_suspects, n_suspects_allocated;
    struct row **dangling; /* Rows given a weak reference to nothing. */
    size_t n_dangling, n_dangling_allocated;
};

/* What a transaction did, once it is done: shared by whoever reports it. */
struct commit {
    struct database *db;
    struct row_change **changes;
    size_t n_changes;
    uint64_t tables; /* Bit (index % 64) of every table with a change. */
    struct uuid id;  /* The database's last_txn_id after it. */
};

struct txn *txn_create(struct database *db);
struct row *txn_insert(struct txn *txn, struct table *table, const struct uuid *uuid);
void txn_set_take(struct txn *txn, struct row *row, const struct column_schema *column,
                  struct datum *datum);
void txn_delete(struct txn *txn, struct row *row);

/* True: consistent, and n_changes is what there is to write.  False: abort it. */
bool txn_prepare(struct txn *txn, struct db_error *error);

/* The contents a change will leave, or NULL for a deleted row; between prepare and finish. */
const struct row_data *row_change_result(const struct row_change *change);

struct commit *txn_finish(struct txn *txn); /* NULL: nothing changed. */
void txn_abort(struct txn *txn);
void commit_destroy(struct commit *commit); /* NULL is fine. */

/* For loading a file: takes references into account for rows added without a transaction, all of
 * them there already.  False if one refers to a row that does not exist. */
bool database_account_all(struct database *db, struct db_error *error);
