/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* projection - some columns of rows: what "select" answers and "wait" compares.
 *
 * A row set holds each combination of values once, in the order they came.
 *
 * Threads  One.
 * Memory   A row set borrows its projection and holds references on what was added. */

#include "ovsdb-lite/condition.h"

struct projection {
    const struct table_schema *table;
    const struct column_schema **columns;
    size_t n_columns;
};

/* 'json' is an array of names, without duplicates; NULL for every column, _uuid and _version. */
bool projection_parse(const struct table_schema *table, const json_t *json,
                      struct projection *projection, struct db_error *error);
void projection_fini(struct projection *projection);

/* An object of the projection's columns. */
json_t *projection_to_json(const struct projection *projection, const struct uuid *uuid,
                           const struct row_data *data);

struct row_set {
    const struct projection *projection;
    struct row_set_entry *entries;
};

void row_set_init(struct row_set *set, const struct projection *projection);
void row_set_fini(struct row_set *set);
void row_set_add(struct row_set *set, const struct uuid *uuid, struct row_data *data);
bool row_set_equal(const struct row_set *a, const struct row_set *b);
json_t *row_set_to_json(const struct row_set *set);
