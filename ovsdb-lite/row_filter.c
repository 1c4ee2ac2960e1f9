/* SPDX-License-Identifier: Apache-2.0 */

/* The hash covers the column too, by its index, so one table serves all columns. */

#include "ovsdb-lite/row_filter.h"

#include <stdlib.h>
#include <string.h>

struct equal_clause {
    struct equal_clause *next;
    const struct column_schema *column;
    struct datum *value;
};

enum { MIN_BUCKETS = 16 };

void row_filter_init(struct row_filter *filter, const struct database *db)
{
    *filter = (struct row_filter){.hash_basis = db->hash_basis};
}

void row_filter_fini(struct row_filter *filter)
{
    for (size_t i = 0; i < filter->n_buckets; i++) {
        for (struct equal_clause *equal = filter->buckets[i], *next; equal; equal = next) {
            next = equal->next;
            datum_unref(equal->value);
            free(equal);
        }
    }
    free(filter->buckets);
    free(filter->columns);
    condition_fini(&filter->scanned);
    *filter = (struct row_filter){.n_equal = 0};
}

static struct equal_clause **bucket_of(const struct row_filter *filter,
                                       const struct column_schema *column,
                                       const struct datum *value)
{
    uint32_t hash = datum_hash(value, filter->hash_basis ^ (uint32_t)column->index);

    return &filter->buckets[hash & (filter->n_buckets - 1)];
}

static void grow(struct row_filter *filter)
{
    struct equal_clause **old = filter->buckets;
    size_t n_old = filter->n_buckets;

    filter->n_buckets = n_old ? 2 * n_old : MIN_BUCKETS;
    filter->buckets = calloc(filter->n_buckets, sizeof *filter->buckets);
    if (!filter->buckets)
        abort();
    for (size_t i = 0; i < n_old; i++) {
        for (struct equal_clause *equal = old[i], *next; equal; equal = next) {
            struct equal_clause **bucket = bucket_of(filter, equal->column, equal->value);
            next = equal->next;
            equal->next = *bucket;
            *bucket = equal;
        }
    }
    free(old);
}

static void note_column(struct row_filter *filter, const struct column_schema *column)
{
    for (size_t i = 0; i < filter->n_columns; i++)
        if (filter->columns[i] == column)
            return;
    filter->columns = realloc(filter->columns, (filter->n_columns + 1) * sizeof *filter->columns);
    if (!filter->columns)
        abort();
    filter->columns[filter->n_columns++] = column;
}

static bool has_equal(const struct row_filter *filter, const struct column_schema *column,
                      const struct datum *value)
{
    const struct equal_clause *equal = *bucket_of(filter, column, value);

    for (; equal; equal = equal->next)
        if (equal->column == column && datum_equal(equal->value, value))
            return true;
    return false;
}

static void add_equal(struct row_filter *filter, const struct clause *clause)
{
    struct equal_clause *equal = calloc(1, sizeof *equal);

    if (!equal)
        abort();
    if (filter->n_equal == filter->n_buckets)
        grow(filter);
    struct equal_clause **bucket = bucket_of(filter, clause->column, clause->value);
    *equal = (struct equal_clause){*bucket, clause->column, datum_ref(clause->value)};
    *bucket = equal;
    filter->n_equal++;
    note_column(filter, clause->column);
}

static void add_scanned(struct row_filter *filter, const struct clause *clause)
{
    struct condition *scanned = &filter->scanned;

    scanned->clauses = realloc(scanned->clauses,
                               (scanned->n_clauses + 1) * sizeof *scanned->clauses);
    if (!scanned->clauses)
        abort();
    scanned->clauses[scanned->n_clauses] = *clause;
    scanned->clauses[scanned->n_clauses++].value = clause->value ? datum_ref(clause->value) : NULL;
}

bool row_filter_add(struct row_filter *filter, const struct table *table, const json_t *json,
                    struct db_error *error)
{
    struct condition condition;

    if (!json)
        return true;
    if (!json_is_array(json))
        return db_error_set(error, DB_SYNTAX_ERROR, "\"where\" must be an array of conditions");
    if (json_array_size(json) + row_filter_n_clauses(filter) > ROW_FILTER_MAX_CLAUSES)
        return db_error_set(error, DB_EXHAUSTED, "the condition has more than %d clauses",
                            ROW_FILTER_MAX_CLAUSES);
    if (!condition_parse(table->schema, json, NULL, NULL, &condition, error))
        return false;
    for (size_t i = 0; i < condition.n_clauses; i++) {
        const struct clause *clause = &condition.clauses[i];
        if (clause->function == CLAUSE_EQ)
            add_equal(filter, clause);
        else if (filter->scanned.n_clauses < ROW_FILTER_MAX_SCANNED)
            add_scanned(filter, clause);
        else
            db_error_set(error, DB_EXHAUSTED,
                         "the condition has more than %d clauses that are not \"==\"",
                         ROW_FILTER_MAX_SCANNED);
    }
    condition_fini(&condition);
    return !error->tag;
}

bool row_filter_fits(const struct row_filter *filter, const struct uuid *uuid,
                     const struct row_data *data)
{
    if (!row_filter_n_clauses(filter))
        return true;
    for (size_t i = 0; i < filter->n_columns; i++) {
        struct datum *value = column_value(filter->columns[i], uuid, data);
        bool fits = has_equal(filter, filter->columns[i], value);
        datum_unref(value);
        if (fits)
            return true;
    }
    return filter->scanned.n_clauses && condition_fits_any(&filter->scanned, uuid, data);
}

size_t row_filter_n_clauses(const struct row_filter *filter)
{
    return filter->scanned.n_clauses + filter->n_equal;
}
