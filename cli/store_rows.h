/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* store_rows - what store.c and store_commit.c share.
 *
 * For these two only.  Threads  The store's. */

#include <uthash.h>

#include "cli/store.h"

struct store_row {
    struct uuid uuid; /* Of a new row: ours until it is committed. */
    struct store_table *table;
    struct datum **before; /* By column index; NULL where not loaded. */
    struct datum **now;    /* The same; NULL in a new row where nothing was set. */
    bool is_new, is_deleted, is_named;
    bool has_chosen_uuid;   /* Of a new row: the server must take ours. */
    ptrdiff_t insert_index; /* Of its operation in the transaction. */
    struct store_row *next;
    UT_hash_handle by_uuid;
};

struct store_table {
    const struct table_schema *schema;
    struct store *store;
    bool is_wanted;
    bool *is_column_wanted; /* By column index. */
    struct store_row *first, *last;
    struct store_row *rows_by_uuid;
};

/* "@name" and what it stands for. */
struct store_name {
    char *text;
    struct uuid uuid;
    struct store_row *row; /* NULL: used, but not yet given to a row. */
    UT_hash_handle hh;
};

struct store {
    struct ovsdb_session *session;
    const struct db_schema *schema;
    struct store_table *tables; /* By table index. */
    struct store_name *names;
    bool is_watching;
};
