/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* operation_syntax - has an operation the members it should have, of the right kinds, and no others?
 *
 * RFC 7047 leaves open what an unknown member means; like Open vSwitch's server this one refuses it,
 * so that a misspelt "where" does not change every row of a table.
 *
 * Threads  Any. */

#include <jansson.h>

#include "ovsdb-lite/db_error.h"

/* Checks 'operation' by the name in its "op"; what its members mean is not looked at. */
bool operation_check_syntax(const json_t *operation, struct db_error *error);

/* RFC 7047's <id>: letters, digits and '_', no digit first. */
bool is_id(const char *name);
