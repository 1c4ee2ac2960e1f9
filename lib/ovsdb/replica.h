/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* replica - the rows of client.h: tables, their watched columns, and updates applied to them.
 *
 * For client.c and its siblings only; programs use client.h, where a row's getters are declared.
 *
 * Threads  The client's.
 * Memory   The replica owns its rows; it borrows the schema. */

#include <urcu/list.h>
#include <uthash.h>

#include "lib/ovsdb/client.h"

struct replica_table {
    char *name;
    char **watched; /* Names; n_watched 0 means every column. */
    size_t n_watched;
    const struct table_schema *schema; /* NULL: the server has no such table. */
    struct ovsdb_row *rows;            /* By UUID; also in order of arrival. */
    struct replica *replica;
    UT_hash_handle by_name;
};

struct ovsdb_row {
    struct uuid uuid;
    struct replica_table *table;
    struct datum **data; /* By column index; NULL where a column is not watched. */
    bool is_stale;       /* Not yet seen in the contents that a reconnection brought. */
    UT_hash_handle by_uuid;
};

struct replica {
    struct ovsdb_client *client;
    const struct ovsdb_client_callbacks *callbacks;
    void *aux;
    struct replica_table *tables;
};

enum replica_form { REPLICA_UPDATES, REPLICA_UPDATES2 }; /* RFC 7047's, and Open vSwitch's. */

void replica_init(struct replica *replica, struct ovsdb_client *client,
                  const struct ovsdb_client_callbacks *callbacks, void *aux);
void replica_fini(struct replica *replica);
struct replica_table *replica_table_add(struct replica *replica, const char *name);
struct replica_table *replica_table(const struct replica *replica, const char *name);
void replica_table_watch(struct replica_table *table, const char *column);

/* Forgets all rows (with callbacks, if 'reports') and binds tables to 'schema' (NULL: to none). */
void replica_set_schema(struct replica *replica, const struct db_schema *schema, bool reports);

/* The "monitor-requests" object, of tables and columns the schema has. */
json_t *replica_monitor_requests(const struct replica *replica);

/* Applies a table-updates object.  'is_whole': these are all the rows there are.  -EPROTO if it
 * does not fit the schema; rows applied up to there stay. */
int replica_apply(struct replica *replica, const json_t *updates, enum replica_form form,
                  bool is_whole, struct error *error);
