/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* client - a copy of some tables of a database server, kept up to date on a libev loop.
 *
 * The program says which tables and columns it wants, and gets a call for every row that comes,
 * changes or goes, then one call when a consistent state is reached.  The client asks for
 * monitor_cond_since, then monitor_cond, then monitor, whichever the server knows.  When the
 * connection is lost the copy stays readable; after reconnecting only real differences are reported.
 *
 *     client = ovsdb_client_create(loop, socket_path, "Open_vSwitch", &callbacks, aux);
 *     ovsdb_client_watch(client, "Bridge", NULL);                 every column
 *     ovsdb_client_watch(client, "Port", "name", "tag", NULL);    these
 *     ovsdb_client_start(client);
 *
 * Reading a row (columns are named; a column the server's schema lacks reads as empty):
 *
 *     const struct ovsdb_row *row;
 *     OVSDB_FOR_EACH_ROW (row, client, "Bridge")
 *         use(ovsdb_row_string(row, "name"), ovsdb_row_map_get(row, "other_config", "hwaddr"));
 *
 * Threads  The loop's.
 * Memory   The client owns rows and what their getters return: good until the next change, that is,
 *          until the program returns to the loop.  In a callback old and new row are both good.
 * Time     Reconnects after 0.1 s, doubling to 8 s.  The socket is probed (echo) every 5 s when
 *          silent, and given up after 5 s more. */

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/annotations.h"
#include "lib/error.h"
#include "lib/ovsdb/json.h"
#include "lib/ovsdb/schema.h"
#include "lib/ovsdb/uuid.h"

struct ovsdb_client;
struct ovsdb_row;
struct ovsdb_txn;
struct tls;

enum ovsdb_change { OVSDB_INSERT, OVSDB_MODIFY, OVSDB_DELETE };

struct ovsdb_client_callbacks {
    /* One row changed.  'before' is NULL for an insert, 'after' for a delete.  A row keeps its
     * address as long as it exists in the copy, so 'after' may be remembered until its delete. */
    void (*row_changed)(struct ovsdb_client *, enum ovsdb_change, const char *table,
                        const struct ovsdb_row *before, const struct ovsdb_row *after, void *aux);
    /* The rows are consistent again: one transaction of the server (or the first contents, or what
     * a reconnection brought) has been applied. */
    void (*updated)(struct ovsdb_client *, void *aux);
    /* The connection came up with contents in place (true) or was lost (false). */
    void (*connected)(struct ovsdb_client *, bool is_connected, void *aux);
};

/* --- Life ---------------------------------------------------------------------------------- */

/* 'remote' is a socket path, with or without "unix:" before it, or "tcp:IP[:PORT]" or "ssl:IP[:PORT]".
 * 'callbacks' is kept; members may be NULL. */
struct ovsdb_client *ovsdb_client_create(struct ev_loop *loop, const char *remote,
                                         const char *database,
                                         const struct ovsdb_client_callbacks *callbacks, void *aux);

/* Adds a table with the named columns (NULL ends the list; none means all). Before _start(). */
void ovsdb_client_watch(struct ovsdb_client *client, const char *table, ...)
    __attribute__((sentinel));
void ovsdb_client_set_tls(struct ovsdb_client *client, struct tls *tls); /* Borrowed; for "ssl:". */
void ovsdb_client_start(struct ovsdb_client *client);

/* Transactions that are not answered yet complete with OVSDB_TXN_LOST. */
void ovsdb_client_destroy(struct ovsdb_client *client); /* NULL is fine. */

bool ovsdb_client_is_connected(const struct ovsdb_client *client); /* And contents are in place. */
const struct db_schema *ovsdb_client_schema(const struct ovsdb_client *client); /* NULL: not yet. */

/* --- Rows ---------------------------------------------------------------------------------- */

const struct ovsdb_row *ovsdb_client_row(const struct ovsdb_client *client, const char *table,
                                         const struct uuid *uuid); /* NULL: none. */
const struct ovsdb_row *ovsdb_client_first(const struct ovsdb_client *client, const char *table);
const struct ovsdb_row *ovsdb_row_next(const struct ovsdb_row *row);
size_t ovsdb_client_n_rows(const struct ovsdb_client *client, const char *table);

#define OVSDB_FOR_EACH_ROW(row, client, table) \
    for ((row) = ovsdb_client_first(client, table); (row); (row) = ovsdb_row_next(row))

const struct uuid *ovsdb_row_uuid(const struct ovsdb_row *row);
const char *ovsdb_row_table(const struct ovsdb_row *row);

/* The value itself; never NULL: an empty set for a column that is not there. */
const struct datum *ovsdb_row_datum(const struct ovsdb_row *row, const char *column);
size_t ovsdb_row_count(const struct ovsdb_row *row, const char *column); /* Elements or pairs. */

/* The first element, for scalars and optional columns; the fallback (NULL for strings and UUIDs) if
 * the column is empty or of another type. */
const char *ovsdb_row_string(const struct ovsdb_row *row, const char *column);
int64_t ovsdb_row_integer(const struct ovsdb_row *row, const char *column, int64_t fallback);
double ovsdb_row_real(const struct ovsdb_row *row, const char *column, double fallback);
bool ovsdb_row_bool(const struct ovsdb_row *row, const char *column, bool fallback);

/* Element 'i' of a set (key 'i' of a map), i < ovsdb_row_count(). */
const struct uuid *ovsdb_row_uuid_at(const struct ovsdb_row *row, const char *column, size_t i);
int64_t ovsdb_row_integer_at(const struct ovsdb_row *row, const char *column, size_t i);
const char *ovsdb_row_string_at(const struct ovsdb_row *row, const char *column, size_t i);

/* Maps from strings to strings: the value of a key, NULL if it is not there. */
const char *ovsdb_row_map_get(const struct ovsdb_row *row, const char *column, const char *key);
bool ovsdb_row_map_bool(const struct ovsdb_row *row, const char *column, const char *key,
                        bool fallback); /* "true" or "false". */
int64_t ovsdb_row_map_integer(const struct ovsdb_row *row, const char *column, const char *key,
                              int64_t fallback);

/* The row that element 'i' of a column of references points to; NULL if it is not in the copy. */
const struct ovsdb_row *ovsdb_row_ref_at(const struct ovsdb_row *row, const char *column, size_t i);

/* Did 'column' change?  Either row may be NULL. */
bool ovsdb_row_differs(const struct ovsdb_row *before, const struct ovsdb_row *after,
                       const char *column);

/* --- Transactions -------------------------------------------------------------------------- */

enum ovsdb_txn_status {
    OVSDB_TXN_SUCCESS,   /* Durable; its changes are already in the copy. */
    OVSDB_TXN_UNCHANGED, /* There was nothing to do: nothing was sent. */
    OVSDB_TXN_TRY_AGAIN, /* A wait operation timed out: someone else was first. */
    OVSDB_TXN_REFUSED,   /* 'message' says why. */
    OVSDB_TXN_LOST,      /* The connection went first: it may or may not have happened. */
};

/* 'results' is the array of RFC 7047, section 4.1.3 (NULL unless the server answered), good during
 * the call. 'message' is "" unless the status is a failure. */
typedef void ovsdb_txn_callback(enum ovsdb_txn_status status, const char *message,
                                const json_t *results, void *aux);

struct ovsdb_txn *ovsdb_txn_create(struct ovsdb_client *client);
void ovsdb_txn_destroy(struct ovsdb_txn *txn); /* Gives up one that was not committed. */

/* Each takes its JSON arguments (see lib/ovsdb/json.h for building values). */

/* 'uuid_name' (NULL: none) lets other operations refer to the row: ovsdb_json_named_uuid(). */
void ovsdb_txn_insert_take(struct ovsdb_txn *txn, const char *table, const char *uuid_name,
                           json_t *row);
void ovsdb_txn_update_take(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid,
                           json_t *columns);
void ovsdb_txn_mutate_take(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid,
                           const char *column, const char *mutator, json_t *value);
void ovsdb_txn_delete(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid);
/* Fails with OVSDB_TXN_TRY_AGAIN unless the row still has these values. */
void ovsdb_txn_wait_take(struct ovsdb_txn *txn, const char *table, const struct uuid *uuid,
                         json_t *columns);
void ovsdb_txn_comment(struct ovsdb_txn *txn, const char *text);
void ovsdb_txn_op_take(struct ovsdb_txn *txn, json_t *operation);

/* What a daemon that reports status calls: sets 'column' of a row in the copy unless it has that
 * value already, and says whether it will be sent.  All columns of one row become one update.
 * A column that the server's schema does not have is skipped. */
bool ovsdb_txn_set_take(struct ovsdb_txn *txn, const struct ovsdb_row *row, const char *column,
                        json_t *value);

/* Sends.  Takes 'txn'.  'callback' (may be NULL) comes exactly once, never before this returns;
 * while there is no connection it comes with OVSDB_TXN_LOST. */
void ovsdb_txn_commit_take(struct ovsdb_txn *txn, ovsdb_txn_callback *callback, void *aux);
