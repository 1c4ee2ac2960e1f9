/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* schema - the tables and columns of one database (RFC 7047, section 3.2).
 *
 * Threads  None while it is made; read-only afterwards.
 * Memory   The schema owns everything below it. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "lib/ovsdb/type.h"

struct column_schema {
    char *name;
    size_t index; /* Among the columns of the table, and of a row's data. */
    struct column_type type;
    struct datum *default_value;
    bool is_mutable, is_ephemeral;
    UT_hash_handle by_name;
};

struct table_schema {
    char *name;
    size_t index;                  /* Among the tables of the database. */
    struct column_schema *columns; /* Sorted by name; without _uuid and _version. */
    size_t n_columns;
    struct column_schema *columns_by_name;
    uint32_t max_rows;
    bool is_root;
    struct column_schema ***indexes; /* n_indexes lists of columns, each ended by NULL. */
    size_t n_indexes;
    UT_hash_handle by_name;
};

struct db_schema {
    char *name, *version, *checksum; /* checksum may be NULL. */
    struct table_schema *tables;     /* Sorted by name. */
    size_t n_tables;
    struct table_schema *tables_by_name;
};

/* NULL: 'error' says what is wrong, and where. */
struct db_schema *db_schema_parse(const json_t *json, struct error *error);
json_t *db_schema_to_json(const struct db_schema *schema);
void db_schema_destroy(struct db_schema *schema); /* NULL is fine. */

struct table_schema *db_schema_table(const struct db_schema *schema, const char *name);
struct column_schema *table_schema_column(const struct table_schema *table, const char *name);
