/* SPDX-License-Identifier: Apache-2.0 */

/* Everything a session sends but lock notifications goes through its list of answers or its
 * monitors, and so leaves at the end of the round. */

#include "ovsdb-lite/session.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/long_work.h"
#include "lib/ovsdb/json.h"
#include "ovsdb-lite/monitor_shape.h"
#include "ovsdb-lite/operation.h"
#include "ovsdb-lite/request.h"

LOG_MODULE(session);

/* A client with more than this unread gets no updates for a while: its monitors take notes. */
enum { LAG_BYTES = 1 << 20 };

static void waiting_free(struct waiting *waiting)
{
    struct server *server = waiting->session->server;

    server->n_waiting_values -= waiting->n_values;
    server->waiting_ns -= waiting->cost_ns;
    ev_timer_stop(server->loop, &waiting->timeout);
    cds_list_del(&waiting->node);
    json_decref(waiting->params);
    json_decref(waiting->id);
    free(waiting);
}

static void answer_free(struct answer *answer)
{
    cds_list_del(&answer->node);
    free(answer->text);
    free(answer);
}

void session_destroy(struct session *session)
{
    struct monitor *monitor, *next_monitor;
    struct waiting *waiting, *next_waiting;
    struct answer *answer, *next_answer;

    cds_list_del(&session->node);
    session->server->n_sessions--;
    session->server->n_readers -= session->is_reader;
    ev_timer_stop(session->server->loop, &session->probe);
    if (session->remote)
        remote_session_ended(session->remote);
    lock_release_all(session->server->locks, session);
    cds_list_for_each_entry_safe (waiting, next_waiting, &session->waits, node)
        waiting_free(waiting);
    cds_list_for_each_entry_safe (answer, next_answer, &session->answers, node)
        answer_free(answer);
    cds_list_for_each_entry_safe (monitor, next_monitor, &session->monitors, node) {
        cds_list_del(&monitor->node);
        monitor_destroy(monitor);
    }
    jsonrpc_destroy(session->rpc);
    free(session);
}

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_message *message, void *aux)
{
    struct session *session = aux;

    (void)rpc;
    if (session->is_ending)
        return;
    session->is_probing = false;
    if (ev_is_active(&session->probe))
        ev_timer_again(session->server->loop, &session->probe);
    if (message->type == JSONRPC_REQUEST || message->type == JSONRPC_NOTIFY)
        request_handle(aux, message);
}

static void on_closed(struct jsonrpc *rpc, const char *reason, void *aux)
{
    (void)rpc;
    if (*reason)
        log_warn_limited("client disconnected: %s", reason);
    session_destroy(aux);
}

static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};

static void on_silence(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    struct session *session = timer->data;

    (void)loop, (void)events;
    if (session->is_probing) {
        log_warn_limited("client disconnected: no answer to a probe");
        session_destroy(session);
        return;
    }
    session->is_probing = true;
    jsonrpc_send_take(session->rpc,
                      jsonrpc_request_take("echo", json_array(), json_string("echo")));
}

void session_set_probe(struct session *session, unsigned int interval_ms)
{
    ev_timer_stop(session->server->loop, &session->probe);
    session->is_probing = false;
    session->probe.repeat = interval_ms / 1000.0;
    if (interval_ms)
        ev_timer_again(session->server->loop, &session->probe);
}

struct session *session_create(struct server *server, struct stream *stream, bool is_reader)
{
    struct session *session = calloc(1, sizeof *session);

    if (!session)
        abort();
    session->server = server;
    CDS_INIT_LIST_HEAD(&session->monitors);
    CDS_INIT_LIST_HEAD(&session->waits);
    CDS_INIT_LIST_HEAD(&session->answers);
    cds_list_add_tail(&session->node, &server->sessions);
    server->n_sessions++;
    session->is_reader = is_reader;
    server->n_readers += is_reader;
    ev_timer_init(&session->probe, on_silence, 0, 0);
    session->probe.data = session;
    session->rpc = jsonrpc_create_take(server->loop, stream, &callbacks, session);
    return session;
}

/* --- Answers ------------------------------------------------------------------------------- */

void session_answer_take(struct session *session, json_t *message, struct monitor *announces)
{
    struct answer *answer = calloc(1, sizeof *answer);

    if (!answer)
        abort();
    long_work_begin();
    answer->text = json_dumps(message, JSON_COMPACT);
    if (!answer->text)
        abort();
    json_decref(message);
    long_work_end();
    answer->n_bytes = strlen(answer->text);
    answer->announces = announces;
    cds_list_add_tail(&answer->node, &session->answers);
    session->answer_bytes += answer->n_bytes;
    if (session->answer_bytes > JSONRPC_PAUSE_BYTES)
        jsonrpc_hold(session->rpc); /* The connection's own limit does not see them yet. */
    session->server->has_work = true;
}

void session_send_answers(struct session *session)
{
    struct answer *answer, *next;

    cds_list_for_each_entry_safe (answer, next, &session->answers, node) {
        jsonrpc_send_text(session->rpc, answer->text, answer->n_bytes);
        if (answer->announces)
            answer->announces->is_announced = true;
        answer_free(answer);
    }
    if (session->answer_bytes > JSONRPC_PAUSE_BYTES) {
        long_work_begin();
        malloc_trim(0); /* What large answers were made from lies scattered. */
        long_work_end();
    }
    session->answer_bytes = 0;
    jsonrpc_release(session->rpc);
}

void session_send_updates(struct session *session)
{
    struct buffer text = BUFFER_INIT;
    struct monitor *monitor;

    cds_list_for_each_entry (monitor, &session->monitors, node) {
        if (!monitor->is_announced || !monitor_has_notes(monitor))
            continue;
        if (jsonrpc_backlog_bytes(session->rpc) > LAG_BYTES)
            break;
        buffer_clear(&text);
        long_work_begin();
        bool has_update = monitor_put_update(monitor, &text);
        long_work_end();
        if (!has_update)
            continue;
        session->server->n_updates++;
        jsonrpc_send_text(session->rpc, (const char *)text.data, text.size);
    }
    buffer_fini(&text);
}

void session_forget_monitor(struct session *session, struct monitor *monitor)
{
    struct answer *answer;

    cds_list_for_each_entry (answer, &session->answers, node)
        if (answer->announces == monitor)
            answer->announces = NULL;
    cds_list_del(&monitor->node);
    session->n_monitors--;
    monitor_destroy(monitor);
}

/* --- Transactions -------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return clock_now_ns() / MILLISECOND_NS;
}

static bool owns_lock(const char *lock, void *aux)
{
    struct session *session = aux;

    return lock_is_owned(session->server->locks, session, lock);
}

/* Writes and finishes what 'execution' prepared, or adds the reason why not to its results. */
static void commit(struct session *session, size_t index, struct execution *execution)
{
    struct server *server = session->server;
    struct store *store = server->stores[index];
    struct database *db = store_database(store);
    struct db_error failure = DB_ERROR_INIT;
    struct error error = ERROR_INIT;

    if (execution->txn->n_changes && session->is_reader)
        db_error_set(&failure, DB_PERMISSION, "members of the read-only group change nothing");
    else if (execution->txn->n_changes && db->is_read_only)
        db_error_set(&failure, db->read_only_tag, "%s", db->read_only_reason);
    else if (execution->txn->n_changes &&
             store_write(store, execution->txn, execution->comment, &error)) {
        db_error_set(&failure, DB_IO_ERROR, "%s", error.message);
        log_err_limited("%s", error.message);
        server->has_work = true; /* What was written of it is gone for good before that is said. */
    }
    if (failure.tag) {
        server->n_refused++;
        execution_fail(execution, &failure);
        txn_abort(execution->txn);
        return;
    }
    server_note_commit_take(server, index, txn_finish(execution->txn));
}

static void run_transaction(struct session *session, size_t store, struct execution *execution)
{
    struct server *server = session->server;

    execution->db = store_database(server->stores[store]);
    execution->is_by_reader = session->is_reader;
    execution->owns_lock = owns_lock;
    execution->aux = session;
    server->n_transactions++;
    long_work_begin();
    execution_run(execution);
    if (execution->txn)
        commit(session, store, execution);
    long_work_end();
    free(execution->comment);
}

static void note_cost(struct waiting *waiting, const struct execution *execution)
{
    waiting->session->server->waiting_ns += execution->cost_ns - waiting->cost_ns;
    waiting->cost_ns = execution->cost_ns;
}

/* A transaction may have several waits; the one that is not met decides when to look again. */
static void start_timeout(struct waiting *waiting, const struct execution *execution)
{
    struct ev_loop *loop = waiting->session->server->loop;

    ev_timer_stop(loop, &waiting->timeout);
    if (execution->deadline_ms == INT64_MAX)
        return;
    ev_now_update(loop);
    ev_timer_set(&waiting->timeout,
                 (double)(execution->deadline_ms - execution->waited_ms + 1) / 1000, 0);
    ev_timer_start(loop, &waiting->timeout);
}

static void retry(struct waiting *waiting)
{
    struct execution execution = {.params = waiting->params,
                                  .waited_ms = now_ms() - waiting->start_ms};

    run_transaction(waiting->session, waiting->store, &execution);
    if (execution.must_wait) {
        waiting->tables = execution.waited_tables;
        note_cost(waiting, &execution);
        start_timeout(waiting, &execution);
        json_decref(execution.results);
        return;
    }
    session_answer_take(waiting->session,
                        jsonrpc_reply_take(execution.results, json_incref(waiting->id)), NULL);
    waiting_free(waiting);
}

static void on_timeout(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)loop, (void)events;
    retry(timer->data);
}

static void wait_for_change(struct session *session, size_t store, const json_t *params,
                            const json_t *id, int64_t start_ms, const struct execution *execution)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);

    if (!waiting)
        abort();
    waiting->session = session;
    waiting->params = json_incref((json_t *)params);
    waiting->id = json_incref((json_t *)id);
    waiting->store = store;
    waiting->start_ms = start_ms;
    waiting->tables = execution->waited_tables;
    waiting->n_values = ovsdb_json_n_values(params);
    session->server->n_waiting_values += waiting->n_values;
    cds_list_add_tail(&waiting->node, &session->waits);
    ev_timer_init(&waiting->timeout, on_timeout, 0, 0);
    waiting->timeout.data = waiting;
    note_cost(waiting, execution);
    start_timeout(waiting, execution);
}

static bool may_wait(const struct server *server, const json_t *params,
                     const struct execution *execution)
{
    return server->waiting_ns + execution->cost_ns <= SERVER_MAX_WAITING_NS &&
           server->n_waiting_values + ovsdb_json_n_values(params) <= SERVER_MAX_WAITING_VALUES;
}

static void refuse_to_wait(struct execution *execution)
{
    struct db_error error = DB_ERROR_INIT;

    db_error_set(&error, DB_EXHAUSTED, "too many transactions wait already");
    execution_fail(execution, &error);
    execution->must_wait = false;
}

void session_transact(struct session *session, size_t store, const json_t *params, const json_t *id,
                      int64_t start_ms)
{
    struct execution execution = {.params = params, .waited_ms = now_ms() - start_ms};

    run_transaction(session, store, &execution);
    if (execution.must_wait && !may_wait(session->server, params, &execution))
        refuse_to_wait(&execution);
    if (execution.must_wait) {
        wait_for_change(session, store, params, id, start_ms, &execution);
        json_decref(execution.results);
        return;
    }
    session_answer_take(session, jsonrpc_reply_take(execution.results, json_incref((json_t *)id)),
                        NULL);
}

void session_retry_waits(struct session *session, size_t store, uint64_t tables)
{
    struct waiting *waiting, *next;

    cds_list_for_each_entry_safe (waiting, next, &session->waits, node)
        if (waiting->store == store && waiting->tables & tables)
            retry(waiting);
}

void waiting_cancel(struct waiting *waiting)
{
    session_answer_take(waiting->session,
                        jsonrpc_error_take(json_string(DB_CANCELED), json_incref(waiting->id)),
                        NULL);
    waiting_free(waiting);
}

/* --- Databases that change ------------------------------------------------------------------ */

void session_note_change(struct session *session)
{
    if (session->is_change_aware)
        return;
    session->is_ending = true;
    session->server->has_work = true;
}

void session_leave_store(struct session *session, size_t store, const struct database *db)
{
    struct monitor *monitor, *next_monitor;
    struct waiting *waiting, *next_waiting;

    cds_list_for_each_entry_safe (monitor, next_monitor, &session->monitors, node) {
        if (monitor->db != db)
            continue;
        session_answer_take(
            session, jsonrpc_notify_take("monitor_canceled", json_pack("[O]", monitor->id)), NULL);
        session_forget_monitor(session, monitor);
    }
    cds_list_for_each_entry_safe (waiting, next_waiting, &session->waits, node)
        if (waiting->store == store)
            waiting_cancel(waiting);
    session_note_change(session);
}
