/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* import - taking over a database file of Open vSwitch's.
 *
 * The file is replaced by one of our format, in one step, with the rows it had; it stays beside it as
 * FILE.ovs.  An end that was not finished is left out, with a warning; any other damage is refused.
 *
 * Threads  One. */

#include "ovsdb-lite/database.h"
#include "ovsdb-lite/journal.h"

/* 'wanted' (may be NULL) is the schema that an older one of the same name gives way to.  The database
 * and the journal are the caller's. */
int import_file(const char *path, const json_t *wanted, struct database **db,
                struct journal **journal, struct error *error);
