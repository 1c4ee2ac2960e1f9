/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* database - the rows of one schema in memory, with the books kept about them.
 *
 * A row's contents (struct row_data) never change once a transaction is over: the next transaction
 * gives the row new contents and whoever still needs the old ones (a monitor that lags) holds a
 * reference.  The books - how often a row is strongly referred to, who refers to it weakly, and the
 * indexes - change with the columns that changed, so a commit costs what it touches.
 *
 * Rows are changed through transaction.h only.
 *
 * Threads  One.
 * Memory   The database owns rows and takes over its schema. */

#include <stdbool.h>
#include <stdint.h>
#include <urcu/list.h>
#include <uthash.h>

#include "lib/ovsdb/schema.h"
#include "ovsdb-lite/db_error.h"

struct row_data {
    uint32_t n_refs;
    struct uuid version;
    struct datum *columns[]; /* By column index. */
};

/* One weak reference, in the list of the row it points to. */
struct weak_ref {
    struct cds_list_head node;
    struct row *from;
};

struct row {
    struct uuid uuid;
    struct table *table;
    struct row_data *data;          /* As the current transaction sees it. */
    size_t n_strong_refs;           /* From other rows. */
    struct cds_list_head weak_refs; /* To this row. */
    struct row_change *change;      /* By the current transaction, or NULL. */
    bool is_deleted;                /* By the current transaction. */
    UT_hash_handle by_uuid;
    struct row **index_next; /* Per index: the next row in the bucket. */
};

struct index {
    struct column_schema **columns; /* Borrowed from the schema; ended by NULL. */
    struct row **buckets;
    size_t n_buckets, n_entries;
};

struct table {
    const struct table_schema *schema;
    struct database *db;
    struct row *rows; /* Those deleted by the current transaction included. */
    size_t n_rows;    /* Those not. */
    struct index *indexes;
    struct table **key_refs, **value_refs; /* By column: the table it refers to, or NULL. */
};

struct database {
    struct db_schema *schema;
    json_t *schema_json;
    struct table *tables;
    uint32_t hash_basis;
    bool is_read_only;
    const char *read_only_tag; /* What a change is refused with. */
    char read_only_reason[256];
    struct uuid last_txn_id;
};

struct database *database_create_take(struct db_schema *schema);
void database_destroy(struct database *db); /* NULL is fine. */

struct table *database_table(const struct database *db, const char *name);

/* The row, unless the current transaction has deleted it. */
struct row *table_row(const struct table *table, const struct uuid *uuid);

#define FOR_EACH_ROW(row, table)                                    \
    for ((row) = (table)->rows; (row); (row) = (row)->by_uuid.next) \
        if (!(row)->is_deleted)

/* --- Contents ------------------------------------------------------------------------------ */

struct row_data *row_data_create(const struct table_schema *table); /* Every column its default. */
struct row_data *row_data_clone(const struct table_schema *table, const struct row_data *data);
struct row_data *row_data_ref(struct row_data *data);
void row_data_unref(const struct table_schema *table, struct row_data *data);

/* --- For transaction.c --------------------------------------------------------------------- */

struct row *table_row_even_deleted(const struct table *table, const struct uuid *uuid);
struct row *table_add_row_take(struct table *table, const struct uuid *uuid, struct row_data *data);
void table_remove_row(struct row *row); /* Out of its table, and released. */

/* Index 'i' knows the row under its present values between these two. */
void index_add(struct table *table, size_t i, struct row *row);
void index_remove(struct table *table, size_t i, struct row *row);
/* Another row with the values 'row' has in index 'i', or NULL. */
struct row *index_find_twin(struct table *table, size_t i, const struct row *row);
/* Is there an index on 'column' alone?  '*i' is which. */
bool table_index_on(const struct table *table, const struct column_schema *column, size_t *i);
/* The first of the rows that may have 'value' in that index; row->index_next[i] leads on. */
struct row *index_first(struct table *table, size_t i, const struct datum *value);
