/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* row_filter - which rows of a table a monitor wants: those that fit any of its clauses, or all if
 * there is none.
 *
 * Controllers ask for thousands of rows one by one ("datapath == this, or that, ..."), and every
 * changed row is held against every monitor.  Clauses with "==" are found by the row's own value
 * in a hash table, so only the others cost time for each row, and only those are few.
 *
 * Threads  One.  Memory  row_filter_fini() releases what was added. */

#include "ovsdb-lite/condition.h"

struct equal_clause;

struct row_filter {
    struct condition scanned; /* Clauses that are tried one after another. */
    struct equal_clause **buckets;
    size_t n_buckets, n_equal;
    const struct column_schema **columns; /* That clauses in 'buckets' are about. */
    size_t n_columns;
    uint32_t hash_basis;
};

enum { ROW_FILTER_MAX_SCANNED = 1000, ROW_FILTER_MAX_CLAUSES = 50000 };

void row_filter_init(struct row_filter *filter, const struct database *db);
void row_filter_fini(struct row_filter *filter);

/* Adds the clauses of 'json', a "where"; NULL: none.  Fails, too, beyond the limits above. */
bool row_filter_add(struct row_filter *filter, const struct table *table, const json_t *json,
                    struct db_error *error);

bool row_filter_fits(const struct row_filter *filter, const struct uuid *uuid,
                     const struct row_data *data);

size_t row_filter_n_clauses(const struct row_filter *filter);
