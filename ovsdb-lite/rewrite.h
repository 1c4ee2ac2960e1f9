/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* rewrite - a database as the records of a file without history: the schema, then all rows.
 *
 * What a new file, a compacted, a converted and a repaired one begin with.
 *
 * Threads  One. */

#include "ovsdb-lite/database.h"
#include "ovsdb-lite/journal.h"

int rewrite_append_all(const struct database *db, struct journal *journal, struct error *error);

/* One record. */
int rewrite_append_take(struct journal *journal, json_t *json, struct error *error);
