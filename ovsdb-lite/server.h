/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* server - databases, the clients connected to them, and what is due at the end of a loop round.
 *
 * Requests run as they arrive; their answers wait.  At the end of each round of the loop the server
 * retries waiting transactions that a change may have satisfied, syncs the file once for all that
 * was committed, then tells monitors, then answers.  So nothing is acknowledged or shown to others
 * that is not durable, many clients share one sync, and a client hears of its own change before the
 * answer to it.
 *
 * If a sync fails, nobody knows what the disk holds: all clients are disconnected, those who wait
 * without an answer, and the database is read-only, as of the last good sync, until a restart.
 *
 * Threads  The loop's.  While that is at work on rows and files, a second one answers echo requests,
 *          and does nothing else (lib/long_work.h).
 * Memory   The server owns its stores, listeners and sessions. */

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <urcu/list.h>

#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/error.h"
#include "lib/peer.h"
#include "lib/stream.h"
#include "ovsdb-lite/history.h"
#include "ovsdb-lite/lock.h"
#include "ovsdb-lite/store.h"
#include "ovsdb-lite/transaction.h"

struct monitor_shape;
struct remotes;
struct session;

enum { SERVER_MAX_SESSIONS = 1024, SERVER_MAX_STORES = 64 };

/* Transactions that wait are tried again at every change they may have waited for: bounds on what
 * all of them together keep and cost. */
enum { SERVER_MAX_WAITING_VALUES = 2000000 };
#define SERVER_MAX_WAITING_NS (500 * MILLISECOND_NS)

struct server {
    struct ev_loop *loop;
    struct store *stores[SERVER_MAX_STORES];     /* NULL: was removed. */
    struct history histories[SERVER_MAX_STORES]; /* Of each store. */
    uint64_t changed_tables[SERVER_MAX_STORES];  /* Since waits were last retried. */
    bool must_sync[SERVER_MAX_STORES];           /* Although nothing was appended. */
    size_t n_stores;                             /* Places in use, removed ones included. */
    size_t server_database;                      /* The place of _Server. */
    bool has_server_database;
    struct uuid id;
    struct lock_table *locks;

    struct tls *tls;              /* Owned. */
    struct monitor_shape *shapes; /* Of the monitors of all sessions. */

    struct cds_list_head listeners;
    struct remotes *remotes;
    struct cds_list_head sessions;
    size_t n_sessions, max_sessions;
    size_t
        n_readers; /* Of the sessions: those that may only read; at most half of 'max_sessions'. */
    struct peer_readers readers; /* Who they are.  Set before listening. */
    size_t n_waiting_values;     /* Of the transactions that wait. */
    int64_t waiting_ns;          /* What they cost when they were last tried. */
    struct ev_prepare round_end;
    bool has_work;

    uint64_t n_transactions, n_commits, n_syncs, n_updates, n_refused;
};

struct server *server_create(struct ev_loop *loop);
void server_destroy(struct server *server); /* NULL is fine.  Syncs what is committed. */

/* Takes the store and returns its place.  No other has a database of that name. */
size_t server_add_store_take(struct server *server, struct store *store);

/* Makes _Server from the stores there are.  Those that come later join it. */
void server_add_server_database(struct server *server);

/* The store in 'place' changed, came or goes: _Server says so. */
void server_describe_store(struct server *server, size_t place);
void server_remove_store(struct server *server, size_t place); /* Nobody refers to it any more. */

/* Listens.  The socket gets 0660, and an ACL for readers. */
int server_listen(struct server *server, const char *socket_path, struct error *error);

/* A session for the client at the other end of 'stream', which is taken; NULL if there are too many.
 * 'from' is for the log.  'socket_path' is where it came to, if that was a Unix socket. */
struct session *server_admit(struct server *server, struct stream *stream, const char *from,
                             const char *socket_path);

/* The store of the database 'name' and its place, or NULL. */
struct store *server_store(const struct server *server, const char *name, size_t *index);

#define FOR_EACH_STORE(PLACE, SERVER)                           \
    for (size_t PLACE = 0; PLACE < (SERVER)->n_stores; PLACE++) \
        if ((SERVER)->stores[PLACE])

/* For session.c: a commit has happened; monitors note it. Takes 'commit'. */
void server_note_commit_take(struct server *server, size_t store, struct commit *commit);

/* From now on clients that ask for a sign of life get one, also while the loop's thread is at work. */
void server_start_signs_of_life(struct server *server);

/* One line of counters, as memory/show prints them; and coverage. */
void server_describe_memory(const struct server *server, struct buffer *text);
void server_describe_coverage(const struct server *server, struct buffer *text);

/* Compacts the file of a database, or of each if 'name' is NULL. */
int server_compact(struct server *server, const char *name, struct error *error);
