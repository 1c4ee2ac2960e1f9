/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* session - one client's connection: its requests, monitors, waiting transactions and answers.
 *
 * Threads  One, the loop's.
 * Memory   The server owns sessions; a session frees itself when its connection ends. */

#include "lib/jsonrpc.h"
#include "ovsdb-lite/monitor.h"
#include "ovsdb-lite/remote.h"
#include "ovsdb-lite/server.h"

/* A transaction whose "wait" is not satisfied. */
struct waiting {
    struct cds_list_head node;
    struct session *session;
    json_t *params, *id;
    size_t store;
    int64_t start_ms;
    uint64_t tables; /* Changes to these may help. */
    size_t n_values; /* Of 'params'. */
    int64_t cost_ns;
    struct ev_timer timeout;
};

/* An answer that is held until the end of the round. */
struct answer {
    struct cds_list_head node;
    char *text; /* As JSON it would be ten times as large. */
    size_t n_bytes;
    struct monitor *announces; /* The monitor this is the reply to, or NULL. */
};

enum {
    SESSION_MAX_MONITORS = 64,
    SESSION_MAX_CLAUSES = 100000, /* Of all its monitors' conditions. */
    SESSION_MAX_LOCKS = 64,
    SESSION_MAX_LOCK_NAME_BYTES = 255
};

struct session {
    struct cds_list_head node;
    struct server *server;
    struct jsonrpc *rpc;
    struct cds_list_head monitors, waits, answers;
    size_t n_monitors, n_locks; /* Requested ones included. */
    size_t answer_bytes;        /* Of 'answers'. */
    struct remote *remote;      /* Where it came from, or NULL. */
    struct ev_timer probe;      /* Runs while nothing comes. */
    bool is_probing;
    bool is_reader;       /* May change nothing. */
    bool is_change_aware; /* Wants to stay when databases change, come or go. */
    bool is_ending;       /* Until its answers are sent; it is not heard any more. */
};

/* Takes 'stream'. */
struct session *session_create(struct server *server, struct stream *stream, bool is_reader);
void session_destroy(struct session *session);

/* A client that is silent for so long is asked whether it is there, and cut off if it is as long
 * silent again.  0: never. */
void session_set_probe(struct session *session, unsigned int interval_ms);

/* The database 'db' of 'store' goes, or gets another schema: waits for it and monitors of it are
 * cancelled, and the session ends unless the client knows what that means. */
void session_leave_store(struct session *session, size_t store, const struct database *db);

/* Ends the session after its answers, unless the client is aware of databases that change. */
void session_note_change(struct session *session);

/* The parts of the round's end. */
void session_retry_waits(struct session *session, size_t store, uint64_t tables);
void session_send_updates(struct session *session); /* Unless the client does not read. */
void session_send_answers(struct session *session);

/* For request.c. */
void session_answer_take(struct session *session, json_t *message, struct monitor *announces);
void session_transact(struct session *session, size_t store, const json_t *params, const json_t *id,
                      int64_t start_ms);
void session_forget_monitor(struct session *session, struct monitor *monitor);
void waiting_cancel(struct waiting *waiting); /* Answers "canceled". */
