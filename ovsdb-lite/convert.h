/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* convert - the rows of a database under another schema ("convert" of ovsdb-server(7)).
 *
 * Tables and columns that the new schema does not have are left out, those it adds begin with
 * defaults, and a column whose type changes keeps its values if they are values of the new type.
 * All that a transaction must fulfil holds for the result: references, numbers of rows, indexes.
 * Rows that nobody refers to any more go, as at the end of every transaction.
 *
 * Threads  One.
 * Memory   The result is the caller's; the old database is only read. */

#include "ovsdb-lite/database.h"

/* NULL: 'error' says why it cannot be. */
struct database *convert_database(const struct database *old, const json_t *schema_json,
                                  struct db_error *error);
