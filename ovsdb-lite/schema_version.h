/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* schema_version - which of two schemas of one name is older.
 *
 * Threads  Any. */

#include "lib/ovsdb/schema.h"

/* An older version of 'wanted' gives way to it.  A schema of another name, a newer one, or one without
 * a version has come by conversion or from somebody else, and stays. */
bool schema_is_outdated(const struct db_schema *schema, const json_t *wanted);
