/* SPDX-License-Identifier: Apache-2.0 */

/* One function per method.  Each returns the message that answers it, or NULL if the answer comes
 * later or not at all. */

#include "ovsdb-lite/request.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/long_work.h"
#include "ovsdb-lite/monitor_shape.h"
#include "ovsdb-lite/server_change.h"

struct call {
    struct session *session;
    const char *method;
    const json_t *params;
    json_t *id;              /* NULL for a notification. */
    struct monitor *created; /* The monitor the answer announces. */
};

static json_t *reply(const struct call *call, json_t *result)
{
    return jsonrpc_reply_take(result, call->id ? json_incref(call->id) : json_null());
}

static json_t *refuse(const struct call *call, const struct db_error *error)
{
    return jsonrpc_error_take(db_error_to_json(error),
                              call->id ? json_incref(call->id) : json_null());
}

static json_t *refuse_syntax(const struct call *call, const char *details)
{
    struct db_error error = DB_ERROR_INIT;

    db_error_set(&error, DB_SYNTAX_ERROR, "%s: %s", call->method, details);
    return refuse(call, &error);
}

static json_t *refuse_exhausted(const struct call *call, const char *details)
{
    struct db_error error = DB_ERROR_INIT;

    db_error_set(&error, DB_EXHAUSTED, "%s", details);
    return refuse(call, &error);
}

static json_t *unknown_method(const struct call *call)
{
    return jsonrpc_error_take(json_string("unknown method"),
                              call->id ? json_incref(call->id) : json_null());
}

/* The store named by the first parameter; else '*refusal' is the answer. */
static struct store *named_store(const struct call *call, size_t *index, json_t **refusal)
{
    const char *name = json_string_value(json_array_get(call->params, 0));
    struct store *store = name ? server_store(call->session->server, name, index) : NULL;
    struct db_error error = DB_ERROR_INIT;

    if (store)
        return store;
    if (name) {
        db_error_set(&error, DB_UNKNOWN_DB, "%s request specifies unknown database %s",
                     call->method, name);
        *refusal = refuse(call, &error);
    } else {
        *refusal = refuse_syntax(call, "the first parameter must name a database");
    }
    return NULL;
}

static json_t *do_list_dbs(struct call *call)
{
    const struct server *server = call->session->server;
    json_t *names = json_array();

    FOR_EACH_STORE(i, server)
    json_array_append_new(names, json_string(store_database(server->stores[i])->schema->name));
    return reply(call, names);
}

static json_t *do_get_schema(struct call *call)
{
    json_t *refusal;
    size_t index;
    struct store *store = named_store(call, &index, &refusal);

    return store ? reply(call, json_incref(store_database(store)->schema_json)) : refusal;
}

static json_t *do_transact(struct call *call)
{
    json_t *refusal;
    size_t index;

    if (!call->id)
        return NULL;
    if (!named_store(call, &index, &refusal))
        return refusal;
    session_transact(call->session, index, call->params, call->id, clock_now_ns() / MILLISECOND_NS);
    return NULL;
}

static json_t *do_cancel(struct call *call)
{
    struct waiting *waiting;

    /* RFC 7047, 4.1.4: a notification. */
    if (call->id)
        return unknown_method(call);
    cds_list_for_each_entry (waiting, &call->session->waits, node) {
        if (json_equal(waiting->id, json_array_get(call->params, 0))) {
            waiting_cancel(waiting);
            break;
        }
    }
    return NULL;
}

/* --- Monitors ------------------------------------------------------------------------------- */

static struct monitor *find_monitor(const struct call *call, const json_t *id)
{
    struct monitor *monitor;

    cds_list_for_each_entry (monitor, &call->session->monitors, node)
        if (json_equal(monitor->id, id))
            return monitor;
    return NULL;
}

static size_t n_clauses(const struct session *session)
{
    const struct monitor *monitor;
    size_t n = 0;

    cds_list_for_each_entry (monitor, &session->monitors, node)
        n += monitor_n_clauses(monitor);
    return n;
}

/* NULL: there is none, '*refusal' is the answer. */
static struct monitor *create_monitor(struct call *call, enum monitor_form form, size_t *index,
                                      json_t **refusal)
{
    const json_t *id = json_array_get(call->params, 1);
    size_t n_params = form == MONITOR_COND_SINCE ? 4 : 3;
    struct db_error error = DB_ERROR_INIT;
    struct store *store = named_store(call, index, refusal);

    if (!store)
        return NULL;
    if (json_array_size(call->params) != n_params) {
        *refusal = refuse_syntax(call, "wrong number of parameters");
        return NULL;
    }
    if (find_monitor(call, id)) {
        db_error_set(&error, DB_SYNTAX_ERROR, "duplicate monitor ID");
        *refusal = refuse(call, &error);
        return NULL;
    }
    if (call->session->n_monitors >= SESSION_MAX_MONITORS) {
        *refusal = refuse_exhausted(call, "the session has too many monitors");
        return NULL;
    }
    long_work_begin();
    struct monitor *monitor = monitor_create(store_database(store), id, form,
                                             json_array_get(call->params, 2), &error);
    long_work_end();
    if (!monitor) {
        *refusal = refuse(call, &error);
        return NULL;
    }
    if (n_clauses(call->session) + monitor_n_clauses(monitor) > SESSION_MAX_CLAUSES) {
        *refusal = refuse_exhausted(call, "the session's monitors have too many clauses");
        monitor_destroy(monitor);
        return NULL;
    }
    monitor_join_shape(monitor, &call->session->server->shapes, json_array_get(call->params, 2));
    cds_list_add_tail(&monitor->node, &call->session->monitors);
    call->session->n_monitors++;
    call->created = monitor;
    return monitor;
}

static json_t *initial_rows(struct monitor *monitor)
{
    long_work_begin();
    json_t *updates = monitor_initial(monitor);
    long_work_end();
    return updates;
}

static json_t *start_monitor(struct call *call, enum monitor_form form)
{
    json_t *refusal;
    size_t index;
    struct monitor *monitor = create_monitor(call, form, &index, &refusal);

    return monitor ? reply(call, initial_rows(monitor)) : refusal;
}

static json_t *do_monitor(struct call *call)
{
    return start_monitor(call, MONITOR_PLAIN);
}

static json_t *do_monitor_cond(struct call *call)
{
    return start_monitor(call, MONITOR_COND);
}

/* [found, last-txn-id, updates]: what came after the transaction the client knows, or everything. */
static json_t *do_monitor_cond_since(struct call *call)
{
    const char *known = json_string_value(json_array_get(call->params, 3));
    char current[UUID_TEXT_BYTES];
    json_t *refusal;
    struct uuid id;
    size_t index;

    if (json_array_size(call->params) == 4 && !known)
        return refuse_syntax(call, "last-txn-id must be a string");
    struct monitor *monitor = create_monitor(call, MONITOR_COND_SINCE, &index, &refusal);

    if (!monitor)
        return refusal;
    bool is_found = known && uuid_parse(known, &id) &&
                    history_replay(&call->session->server->histories[index], &id, monitor);
    json_t *result = json_array();
    uuid_format(&monitor->db->last_txn_id, current);
    json_array_append_new(result, json_boolean(is_found));
    json_array_append_new(result, json_string(current));
    json_array_append_new(result, is_found ? monitor_take_changes(monitor) : initial_rows(monitor));
    return reply(call, result);
}

static json_t *do_monitor_cond_change(struct call *call)
{
    const json_t *old_id = json_array_get(call->params, 0);
    json_t *new_id = json_array_get(call->params, 1);
    struct monitor *monitor = find_monitor(call, old_id);
    struct db_error error = DB_ERROR_INIT;
    json_t *update;

    if (json_array_size(call->params) != 3)
        return refuse_syntax(call, "wrong number of parameters");
    if (!monitor || monitor->form == MONITOR_PLAIN) {
        db_error_set(&error, DB_SYNTAX_ERROR, "unknown monitor session");
        return refuse(call, &error);
    }
    if (!json_equal(old_id, new_id) && find_monitor(call, new_id)) {
        db_error_set(&error, DB_SYNTAX_ERROR, "duplicate monitor ID");
        return refuse(call, &error);
    }
    json_t *due = monitor_take_update(monitor);
    if (due)
        session_answer_take(call->session, due, NULL);
    json_t *previous_id = monitor->id;
    monitor->id = new_id; /* The update says so already. */
    size_t max_clauses = SESSION_MAX_CLAUSES - n_clauses(call->session) +
                         monitor_n_clauses(monitor);
    long_work_begin();
    bool is_changed = monitor_change_conditions(monitor, json_array_get(call->params, 2),
                                                max_clauses, &update, &error);
    long_work_end();
    if (!is_changed) {
        monitor->id = previous_id;
        return refuse(call, &error);
    }
    json_incref(new_id);
    json_decref(previous_id);
    if (update)
        session_answer_take(call->session, update, NULL);
    return reply(call, json_object());
}

static json_t *do_monitor_cancel(struct call *call)
{
    struct monitor *monitor = find_monitor(call, json_array_get(call->params, 0));

    /* RFC 7047, 4.1.7: the error is a string. */
    if (!monitor)
        return jsonrpc_error_take(json_string(DB_UNKNOWN_MONITOR),
                                  call->id ? json_incref(call->id) : json_null());
    session_forget_monitor(call->session, monitor);
    return reply(call, json_object());
}

/* --- Locks ---------------------------------------------------------------------------------- */

static const char *lock_name(const struct call *call)
{
    const char *name = json_array_size(call->params) == 1
                           ? json_string_value(json_array_get(call->params, 0))
                           : NULL;

    return name && strlen(name) <= SESSION_MAX_LOCK_NAME_BYTES ? name : NULL;
}

static bool has_too_many_locks(const struct call *call)
{
    return call->session->n_locks >= SESSION_MAX_LOCKS;
}

static json_t *locked_reply(const struct call *call, bool is_owned)
{
    json_t *result = json_object();

    json_object_set_new(result, "locked", json_boolean(is_owned));
    return reply(call, result);
}

static json_t *do_lock(struct call *call)
{
    const char *name = lock_name(call);
    bool is_owned;

    if (!name)
        return refuse_syntax(call, "the parameter must be a lock's name");
    if (has_too_many_locks(call))
        return refuse_exhausted(call, "the session has too many locks");
    if (!lock_request(call->session->server->locks, call->session, name, &is_owned))
        return refuse_syntax(call, "must issue \"unlock\" before new lock request");
    call->session->n_locks++;
    return locked_reply(call, is_owned);
}

static json_t *do_steal(struct call *call)
{
    const char *name = lock_name(call);

    if (!name)
        return refuse_syntax(call, "the parameter must be a lock's name");
    if (has_too_many_locks(call))
        return refuse_exhausted(call, "the session has too many locks");
    if (!lock_steal(call->session->server->locks, call->session, name))
        return refuse_syntax(call, "must issue \"unlock\" before new lock request");
    call->session->n_locks++;
    return locked_reply(call, true);
}

static json_t *do_unlock(struct call *call)
{
    const char *name = lock_name(call);

    if (!name)
        return refuse_syntax(call, "the parameter must be a lock's name");
    if (!lock_release(call->session->server->locks, call->session, name))
        return refuse_syntax(call, "lock is not held and was not requested");
    call->session->n_locks--;
    return reply(call, json_object());
}

/* --- Open vSwitch's additions --------------------------------------------------------------- */

static json_t *do_set_db_change_aware(struct call *call)
{
    const json_t *is_aware = json_array_get(call->params, 0);

    if (json_array_size(call->params) != 1 || !json_is_boolean(is_aware))
        return refuse_syntax(call, "the parameter must be true or false");
    call->session->is_change_aware = json_is_true(is_aware);
    return reply(call, json_object());
}

static json_t *do_convert(struct call *call)
{
    const json_t *schema = json_array_get(call->params, 1);
    struct db_error error = DB_ERROR_INIT;
    json_t *refusal;
    size_t index;

    if (!named_store(call, &index, &refusal))
        return refusal;
    if (json_array_size(call->params) != 2)
        return refuse_syntax(call, "wrong number of parameters");
    if (!server_convert(call->session->server, index, schema, &error))
        return refuse(call, &error);
    return reply(call, json_object());
}

static json_t *do_get_server_id(struct call *call)
{
    char text[UUID_TEXT_BYTES];

    uuid_format(&call->session->server->id, text);
    return reply(call, json_string(text));
}

static json_t *refuse_reader(const struct call *call)
{
    struct db_error error = DB_ERROR_INIT;

    db_error_set(&error, DB_PERMISSION, "%s is not for members of the read-only group",
                 call->method);
    return refuse(call, &error);
}

static json_t *dispatch(struct call *call)
{
    static const struct {
        const char *method;
        json_t *(*run)(struct call *);
        bool is_for_writers; /* Besides, transactions of others must not change anything. */
    } methods[] = {
        {"transact", do_transact, false},
        {"list_dbs", do_list_dbs, false},
        {"get_schema", do_get_schema, false},
        {"cancel", do_cancel, false},
        {"monitor", do_monitor, false},
        {"monitor_cond", do_monitor_cond, false},
        {"monitor_cond_since", do_monitor_cond_since, false},
        {"monitor_cond_change", do_monitor_cond_change, false},
        {"monitor_cancel", do_monitor_cancel, false},
        {"lock", do_lock, true},
        {"steal", do_steal, true},
        {"unlock", do_unlock, true},
        {"set_db_change_aware", do_set_db_change_aware, false},
        {"get_server_id", do_get_server_id, false},
        {"convert", do_convert, true},
    };

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (!strcmp(methods[i].method, call->method))
            return methods[i].is_for_writers && call->session->is_reader ? refuse_reader(call)
                                                                         : methods[i].run(call);
    return unknown_method(call);
}

void request_handle(struct session *session, const struct jsonrpc_message *message)
{
    struct call call = {.session = session,
                        .method = message->method,
                        .params = message->params,
                        .id = message->type == JSONRPC_REQUEST ? message->id : NULL};
    json_t *answer = dispatch(&call);

    if (answer && call.id) {
        session_answer_take(session, answer, call.created);
        return;
    }
    json_decref(answer);
    if (call.created)
        call.created->is_announced = true;
}
