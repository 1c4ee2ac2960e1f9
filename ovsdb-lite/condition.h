/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* condition - the "where" of an operation or of a monitor (RFC 7047, section 5.1).
 *
 * An operation wants rows that fit all clauses, a monitor those that fit any; an empty condition
 * fits every row in both.  A clause may also be true or false.
 *
 * Threads  One.  Memory  condition_fini() releases what _parse() built. */

#include <stdbool.h>

#include "ovsdb-lite/database.h"

enum clause_function {
    CLAUSE_LT,
    CLAUSE_LE,
    CLAUSE_EQ,
    CLAUSE_NE,
    CLAUSE_GE,
    CLAUSE_GT,
    CLAUSE_INCLUDES,
    CLAUSE_EXCLUDES,
    CLAUSE_TRUE,
    CLAUSE_FALSE,
};

struct clause {
    enum clause_function function;
    const struct column_schema *column;
    struct datum *value;
};

struct condition {
    struct clause *clauses;
    size_t n_clauses;
};

bool condition_parse(const struct table_schema *table, const json_t *json,
                     named_uuid_resolver *resolve, void *aux, struct condition *condition,
                     struct db_error *error);
void condition_fini(struct condition *condition);

bool condition_fits_all(const struct condition *condition, const struct uuid *uuid,
                        const struct row_data *data);
bool condition_fits_any(const struct condition *condition, const struct uuid *uuid,
                        const struct row_data *data);

/* Calls back for each row of 'table' that fits all clauses, until the callback returns false.  It
 * may change or delete the row it is given.  Uses the UUID or an index where a clause allows. */
void condition_for_each(const struct condition *condition, struct table *table,
                        bool (*callback)(struct row *row, void *aux), void *aux);

/* --- Columns by name, "_uuid" and "_version" included --------------------------------------- */

/* Not in table_schema's array: their 'index' is out of its range. */
extern const struct column_schema column_uuid, column_version;

const struct column_schema *find_column(const struct table_schema *table, const char *name);
bool column_is_pseudo(const struct column_schema *column);

/* The value of any column; the caller's reference. */
struct datum *column_value(const struct column_schema *column, const struct uuid *uuid,
                           const struct row_data *data);
