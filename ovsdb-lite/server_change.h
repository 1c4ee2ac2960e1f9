/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* server_change - databases that come, go, or get another schema while clients are connected.
 *
 * As ovsdb-server(7) has it: transactions that wait for such a database and monitors of it are
 * cancelled.  Clients that asked for it (set_db_change_aware) are told; the others are disconnected,
 * and find what there is when they come back.
 *
 * Threads  One, the loop's. */

#include "ovsdb-lite/server.h"

/* The database in 'place' gets the schema, and the file with it, or neither does. */
bool server_convert(struct server *server, size_t place, const json_t *schema_json,
                    struct db_error *error);

/* Opens a file and serves it.  'schema_json' is for one that does not exist; NULL: it must. */
int server_add_file(struct server *server, const char *path, const json_t *schema_json,
                    struct error *error);
int server_remove_database(struct server *server, const char *name, struct error *error);

/* Ends all sessions, so that clients connect again. */
void server_reconnect(struct server *server);
