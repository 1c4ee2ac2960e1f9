/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* client_txn - the transactions of client.h: building, and what an answer means.
 *
 * For client.c only.  Threads  The client's. */

#include <urcu/list.h>

#include "lib/ovsdb/client.h"

struct ovsdb_txn {
    struct cds_list_head node; /* In the client's list of those that wait for an answer. */
    struct ovsdb_client *client;
    json_t *operations; /* NULL once sent. */
    struct uuid last_row;
    json_t *last_update; /* Borrowed: the "row" of the operation that sets columns of last_row. */
    json_int_t id;
    bool is_empty; /* Nothing but comments and waits. */
    ovsdb_txn_callback *callback;
    void *aux;
};

/* Reads the answer to "transact": the "error" of a message, or its "result". */
enum ovsdb_txn_status ovsdb_txn_judge(const json_t *results, const json_t *failure,
                                      struct error *error);

/* Ends 'txn': calls back and releases it. */
void ovsdb_txn_complete(struct ovsdb_txn *txn, enum ovsdb_txn_status status, const char *message,
                        const json_t *results);

/* Queues it to the server, or to complete from the loop. */
void ovsdb_client_commit(struct ovsdb_client *client, struct ovsdb_txn *txn);
