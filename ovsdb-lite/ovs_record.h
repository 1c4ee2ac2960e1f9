/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ovs_record - the JSON of one transaction in Open vSwitch's database files.
 *
 *     {"_date": MS, "_comment": "...", "_is_diff": true,
 *      TABLE: {UUID: {COLUMN: VALUE} or null}}
 *
 * null deletes a row.  A row that is not there yet is inserted, with the values given and the others
 * at their default.  Of one that is there the given columns change: to the value, or, with
 * "_is_diff", by the difference (as in diff.h).
 *
 * Threads  One. */

#include <jansson.h>

#include "ovsdb-lite/database.h"

/* Applies a record.  No books are kept of references and indexes: when all records are applied,
 * saved_check() says whether the rows are sound. */
int ovs_record_apply(struct database *db, const json_t *record, struct error *error);

/* One transaction that inserts all rows. */
json_t *ovs_record_of_database(const struct database *db, const char *comment);
