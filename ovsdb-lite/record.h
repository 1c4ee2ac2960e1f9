/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* record - the JSON of one transaction in the database file (docs/database-file.md).
 *
 *     {"time": MS, "comment": "...",
 *      "insert": {TABLE: {UUID: {COLUMN: VALUE}}},      columns at their default left out
 *      "modify": {TABLE: {UUID: {COLUMN: DIFFERENCE}}}, as in diff.h
 *      "delete": {TABLE: [UUID]}}
 *
 * Threads  One. */

#include <jansson.h>

#include "ovsdb-lite/transaction.h"

/* NULL: the transaction changes nothing that is kept. */
json_t *record_of_txn(const struct txn *txn, const char *comment);

/* Adds a row to the "insert" of a record that is being made. */
void record_add_insert(json_t *record, const struct table_schema *table, const struct uuid *uuid,
                       const struct row_data *data);

/* Applies a record to a database that is being loaded.  Tables and columns the schema does not have
 * are skipped and counted. */
int record_apply(struct database *db, const json_t *record, size_t *n_skipped, struct error *error);
