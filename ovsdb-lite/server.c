/* SPDX-License-Identifier: Apache-2.0 */

/* The end of a round is a prepare watcher: libev runs it after all events of the round were handled
 * and before it blocks. */

#include "ovsdb-lite/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/acceptor.h"
#include "lib/log.h"
#include "lib/long_work.h"
#include "lib/unix_socket.h"
#include "ovsdb-lite/remote.h"
#include "ovsdb-lite/server_database.h"
#include "ovsdb-lite/session.h"

LOG_MODULE(server);

/* Descriptors that clients leave to files, control connections and the rest. */
enum { KEPT_DESCRIPTORS = 128 };

struct listener {
    struct cds_list_head node;
    struct server *server;
    char *socket_path;
    struct acceptor acceptor;
};

static void on_round_end(struct ev_loop *loop, struct ev_prepare *watcher, int events);
static void on_locked(void *owner, const char *name);
static void on_stolen(void *owner, const char *name);

static const struct lock_callbacks lock_callbacks = {.locked = on_locked, .stolen = on_stolen};

static size_t max_sessions(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= SERVER_MAX_SESSIONS + KEPT_DESCRIPTORS)
        return SERVER_MAX_SESSIONS;
    return limit.rlim_cur > 2 * KEPT_DESCRIPTORS ? limit.rlim_cur - KEPT_DESCRIPTORS
                                                 : limit.rlim_cur / 2;
}

struct server *server_create(struct ev_loop *loop)
{
    struct server *server = calloc(1, sizeof *server);

    if (!server)
        abort();
    server->loop = loop;
    server->max_sessions = max_sessions();
    uuid_generate(&server->id);
    server->locks = lock_table_create(&lock_callbacks);
    server->tls = tls_create();
    server->remotes = remotes_create(server);
    CDS_INIT_LIST_HEAD(&server->listeners);
    CDS_INIT_LIST_HEAD(&server->sessions);
    ev_prepare_init(&server->round_end, on_round_end);
    server->round_end.data = server;
    ev_prepare_start(loop, &server->round_end);
    return server;
}

static void listener_destroy(struct listener *listener)
{
    acceptor_stop(&listener->acceptor);
    unlink(listener->socket_path);
    cds_list_del(&listener->node);
    free(listener->socket_path);
    free(listener);
}

void server_destroy(struct server *server)
{
    struct listener *listener, *next_listener;
    struct session *session, *next_session;

    if (!server)
        return;
    long_work_stop();
    on_round_end(server->loop, &server->round_end, 0);
    ev_prepare_stop(server->loop, &server->round_end);
    cds_list_for_each_entry_safe (listener, next_listener, &server->listeners, node)
        listener_destroy(listener);
    cds_list_for_each_entry_safe (session, next_session, &server->sessions, node) {
        jsonrpc_flush(session->rpc);
        session_destroy(session);
    }
    remotes_destroy(server->remotes);
    tls_destroy(server->tls);
    FOR_EACH_STORE(i, server)
    {
        history_clear(&server->histories[i]);
        store_close(server->stores[i]);
    }
    lock_table_destroy(server->locks);
    free(server);
}

size_t server_add_store_take(struct server *server, struct store *store)
{
    size_t place = 0;

    while (place < server->n_stores && server->stores[place])
        place++;
    if (place == SERVER_MAX_STORES)
        abort();
    if (place == server->n_stores)
        server->n_stores++;
    history_init(&server->histories[place]);
    server->stores[place] = store;
    server_describe_store(server, place);
    return place;
}

void server_add_server_database(struct server *server)
{
    size_t place = server_add_store_take(server, server_database_create());

    server->server_database = place;
    server->has_server_database = true;
    FOR_EACH_STORE(i, server)
    {
        server_describe_store(server, i);
    }
}

void server_describe_store(struct server *server, size_t place)
{
    struct store *_server = server->stores[server->server_database];

    if (server->has_server_database)
        server_note_commit_take(
            server, server->server_database,
            server_database_put(_server, store_database(server->stores[place])));
}

void server_remove_store(struct server *server, size_t place)
{
    struct store *store = server->stores[place];

    if (server->has_server_database)
        server_note_commit_take(server, server->server_database,
                                server_database_remove(server->stores[server->server_database],
                                                       store_database(store)->schema->name));
    server->stores[place] = NULL;
    server->changed_tables[place] = 0;
    history_clear(&server->histories[place]);
    store_close(store);
}

struct store *server_store(const struct server *server, const char *name, size_t *index)
{
    for (*index = 0; *index < server->n_stores; ++*index)
        if (server->stores[*index] &&
            !strcmp(store_database(server->stores[*index])->schema->name, name))
            return server->stores[*index];
    return NULL;
}

/* --- Listening ----------------------------------------------------------------------------- */

struct session *server_admit(struct server *server, struct stream *stream, const char *from,
                             const char *socket_path)
{
    enum peer_role role = socket_path ? peer_role(stream_fd(stream), socket_path, &server->readers)
                                      : PEER_WRITER;
    bool is_reader = role == PEER_READER;

    if (role == PEER_STRANGER) {
        stream_destroy(stream);
        log_warn_limited("%s: refused a client of neither group", from);
        return NULL;
    }
    /* Who may only read is not to keep out who may write. */
    if (is_reader && server->n_readers >= server->max_sessions / 2) {
        stream_destroy(stream);
        log_warn_limited("%s: more than %zu clients that only read: refused one", from,
                         server->max_sessions / 2);
        return NULL;
    }
    if (server->n_sessions < server->max_sessions)
        return session_create(server, stream, is_reader);
    stream_destroy(stream);
    log_warn_limited("%s: more than %zu clients: refused one", from, server->max_sessions);
    return NULL;
}

static void on_accepted(int fd, void *aux)
{
    struct listener *listener = aux;

    server_admit(listener->server, stream_create(fd), listener->socket_path, listener->socket_path);
}

int server_listen(struct server *server, const char *socket_path, struct error *error)
{
    int fd = unix_socket_listen(socket_path, 0660, error);

    if (fd < 0)
        return fd;
    if (peer_readers_admit(&server->readers, socket_path, error)) {
        close(fd);
        unlink(socket_path);
        return error->code;
    }
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        abort();
    listener->server = server;
    listener->socket_path = strdup(socket_path);
    acceptor_start(&listener->acceptor, server->loop, fd, on_accepted, listener);
    cds_list_add_tail(&listener->node, &server->listeners);
    return 0;
}

/* --- Commits and the end of the round ------------------------------------------------------ */

void server_note_commit_take(struct server *server, size_t store, struct commit *commit)
{
    struct session *session;
    struct monitor *monitor;

    server->has_work = true;
    if (!commit)
        return;
    server->n_commits++;
    server->changed_tables[store] |= commit->tables;
    cds_list_for_each_entry (session, &server->sessions, node)
        cds_list_for_each_entry (monitor, &session->monitors, node)
            if (monitor->db == commit->db)
                monitor_note_commit(monitor, commit);
    history_add_take(&server->histories[store], commit);
}

static void answer_echoes(void *aux)
{
    struct server *server = aux;
    struct session *session;

    cds_list_for_each_entry (session, &server->sessions, node)
        jsonrpc_answer_echo(session->rpc);
}

void server_start_signs_of_life(struct server *server)
{
    long_work_start(server->loop, answer_echoes, server);
}

static bool take_changed_tables(struct server *server, size_t *store, uint64_t *tables)
{
    for (*store = 0; *store < server->n_stores; ++*store) {
        *tables = server->changed_tables[*store];
        server->changed_tables[*store] = 0;
        if (*tables)
            return true;
    }
    return false;
}

static void retry_waits(struct server *server)
{
    struct session *session;
    uint64_t tables;
    size_t store;

    while (take_changed_tables(server, &store, &tables))
        cds_list_for_each_entry (session, &server->sessions, node)
            session_retry_waits(session, store, tables);
}

/* Nobody is told anything about what may not be on the disk: clients are disconnected, and those
 * that come back find what the last good sync covered. */
static void go_read_only(struct server *server, size_t index, const struct error *error)
{
    struct store *store = server->stores[index];
    struct session *session, *next;
    struct error trouble = ERROR_INIT;

    cds_list_for_each_entry_safe (session, next, &server->sessions, node)
        session_destroy(session);
    history_clear(&server->histories[index]);
    if (store_revert(store, &trouble))
        log_err("%s", trouble.message);
    struct database *db = store_database(store);
    log_emer("%s; database %s is read-only until the server is restarted", error->message,
             db->schema->name);
    db->is_read_only = true;
    db->read_only_tag = DB_IO_ERROR;
    snprintf(db->read_only_reason, sizeof db->read_only_reason, "read-only: %.200s",
             error->message);
}

static void sync_stores(struct server *server)
{
    FOR_EACH_STORE(i, server)
    {
        struct error error = ERROR_INIT;

        bool must_sync = store_needs_sync(server->stores[i]) || server->must_sync[i];

        server->must_sync[i] = false;
        if (!must_sync || store_database(server->stores[i])->is_read_only)
            continue;
        server->n_syncs++;
        long_work_begin();
        int result = store_sync(server->stores[i], &error);
        long_work_end();
        if (result)
            go_read_only(server, i, &error);
    }
}

static int compact(struct store *store, struct error *error)
{
    long_work_begin();
    int result = store_compact(store, error);
    long_work_end();
    return result;
}

static void compact_if_due(struct server *server)
{
    FOR_EACH_STORE(i, server)
    {
        struct error error = ERROR_INIT;

        if (store_wants_compaction(server->stores[i]) && compact(server->stores[i], &error))
            log_warn_limited("cannot compact: %s", error.message);
    }
}

static void end_round(struct server *server)
{
    struct session *session, *next;
    bool had_work = server->has_work;

    if (server->has_work) {
        server->has_work = false;
        retry_waits(server);
        sync_stores(server);
    }
    /* Also without work: a client that lagged may have caught up. */
    cds_list_for_each_entry_safe (session, next, &server->sessions, node) {
        session_send_updates(session);
        if (!cds_list_empty(&session->answers)) {
            session_send_answers(session);
            session_send_updates(session);
        }
        jsonrpc_flush(session->rpc);
        if (session->is_ending)
            session_destroy(session);
    }
    /* Last, as it may end a session that waits for an answer. */
    if (had_work)
        remotes_run(server->remotes);
}

static void on_round_end(struct ev_loop *loop, struct ev_prepare *watcher, int events)
{
    struct server *server = watcher->data;

    (void)loop, (void)events;
    do
        end_round(server);
    while (server->has_work);
    compact_if_due(server);
}

/* --- Lock notifications -------------------------------------------------------------------- */

static void notify_lock(struct session *session, const char *method, const char *name)
{
    session_answer_take(session, jsonrpc_notify_take(method, json_pack("[s]", name)), NULL);
}

static void on_locked(void *owner, const char *name)
{
    notify_lock(owner, "locked", name);
}

static void on_stolen(void *owner, const char *name)
{
    notify_lock(owner, "stolen", name);
}

/* --- What operators see -------------------------------------------------------------------- */

static size_t count_cells(const struct database *db, size_t *n_rows)
{
    size_t n_cells = 0;

    *n_rows = 0;
    for (size_t i = 0; i < db->schema->n_tables; i++) {
        *n_rows += db->tables[i].n_rows;
        n_cells += db->tables[i].n_rows * db->tables[i].schema->n_columns;
    }
    return n_cells;
}

void server_describe_memory(const struct server *server, struct buffer *text)
{
    size_t n_cells = 0, n_rows = 0, n_monitors = 0, n_waits = 0, backlog_bytes = 0;
    struct session *session;

    FOR_EACH_STORE(i, server)
    {
        size_t n;
        n_cells += count_cells(store_database(server->stores[i]), &n);
        n_rows += n;
    }
    cds_list_for_each_entry (session, &server->sessions, node) {
        struct cds_list_head *entry;
        cds_list_for_each(entry, &session->monitors) n_monitors++;
        cds_list_for_each(entry, &session->waits) n_waits++;
        backlog_bytes += jsonrpc_backlog_bytes(session->rpc);
    }
    buffer_printf(text, "backlog:%zu cells:%zu monitors:%zu rows:%zu sessions:%zu triggers:%zu\n",
                  backlog_bytes, n_cells, n_monitors, n_rows, server->n_sessions, n_waits);
}

void server_describe_coverage(const struct server *server, struct buffer *text)
{
    const struct {
        const char *name;
        uint64_t total;
    } events[] = {
        {"txn_executed", server->n_transactions}, {"txn_committed", server->n_commits},
        {"txn_refused", server->n_refused},       {"file_synced", server->n_syncs},
        {"update_sent", server->n_updates},
    };

    buffer_puts(text, "Event coverage since the start:\n");
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        buffer_printf(text, "%-24s total: %llu\n", events[i].name,
                      (unsigned long long)events[i].total);
}

int server_compact(struct server *server, const char *name, struct error *error)
{
    FOR_EACH_STORE(i, server)
    {
        if (name && strcmp(store_database(server->stores[i])->schema->name, name))
            continue;
        int result = compact(server->stores[i], error);
        if (result)
            return result;
    }
    return 0;
}
