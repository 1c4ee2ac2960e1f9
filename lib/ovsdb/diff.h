/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* diff - what "modify" of the update2 and update3 notifications says about a column.
 *
 * A set's difference is the elements in one of both; a map's is the pairs that are new or changed,
 * and those removed with the value they had.  A column that holds at most one value is simply given
 * anew.  Applying is the same operation as computing, so a difference applied twice is undone.
 *
 * Threads  None; as for datum.h.  Memory  Results are the caller's references. */

#include "lib/ovsdb/type.h"

/* What turns 'before' into 'after'. */
struct datum *datum_diff(const struct column_type *type, struct datum *before, struct datum *after);

/* 'before' with 'diff' applied. */
struct datum *datum_apply_diff(const struct column_type *type, struct datum *before,
                               struct datum *diff);

/* Set operations on sorted data, for mutations.  A map's union keeps the pairs 'a' has; the
 * difference takes away the pairs of 'b' whose value is equal, or, if 'b' is a set, its keys. */
struct datum *datum_union(const struct datum *a, const struct datum *b);
struct datum *datum_difference(const struct datum *a, const struct datum *b);
