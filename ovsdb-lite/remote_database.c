/* SPDX-License-Identifier: Apache-2.0 */

/* The remotes that databases name are looked at again after every round with a change: marked those
 * that are wanted, made those that are missing, removed the rest. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "ovsdb-lite/remote_state.h"
#include "ovsdb-lite/session.h"
#include "ovsdb-lite/tls_source.h"

LOG_MODULE(manager);

/* "db:DB,TABLE,COLUMN" */
struct source {
    struct cds_list_head node;
    char *text;
    char *db, *table, *column; /* Looked up each time: databases and schemas come and go. */
};

static void source_free(struct source *source)
{
    cds_list_del(&source->node);
    free(source->text);
    free(source->db);
    free(source->table);
    free(source->column);
    free(source);
}

int remote_sources_add(struct remotes *remotes, const char *text, struct error *error)
{
    char db[64], table[64], column[64], end;
    struct source *source = calloc(1, sizeof *source);
    struct store *store;
    size_t place;

    if (!source)
        abort();
    if (sscanf(text, "db:%63[^,],%63[^,],%63[^,]%c", db, table, column, &end) != 3) {
        free(source);
        return error_set(error, -EINVAL, "%s: should be db:DB,TABLE,COLUMN", text);
    }
    store = server_store(remotes->server, db, &place);
    const struct table *found = store ? database_table(store_database(store), table) : NULL;
    if (!found || !table_schema_column(found->schema, column)) {
        free(source);
        return error_set(error, -ENOENT, "%s: no such %s", text,
                         !store   ? "database"
                         : !found ? "table"
                                  : "column");
    }
    source->text = strdup(text);
    source->db = strdup(db);
    source->table = strdup(table);
    source->column = strdup(column);
    cds_list_add_tail(&source->node, &remotes->sources);
    return 0;
}

static void on_refresh(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    struct remotes *remotes = timer->data;

    remotes->server->has_work = true;
}

void remote_sources_init(struct remotes *remotes)
{
    ev_timer_init(&remotes->refresh, on_refresh, REMOTE_REFRESH_S, REMOTE_REFRESH_S);
    remotes->refresh.data = remotes;
}

/* Without rows to write to, the server does not wake up. */
static void refresh_while_there_are_rows(struct remotes *remotes)
{
    const struct remote *remote;

    cds_list_for_each_entry (remote, &remotes->list, node) {
        if (remote->is_from_database && remote->table) {
            if (!ev_is_active(&remotes->refresh))
                ev_timer_again(remotes->server->loop, &remotes->refresh);
            return;
        }
    }
    ev_timer_stop(remotes->server->loop, &remotes->refresh);
}

void remote_sources_destroy(struct remotes *remotes)
{
    struct source *source, *next;

    ev_timer_stop(remotes->server->loop, &remotes->refresh);
    cds_list_for_each_entry_safe (source, next, &remotes->sources, node)
        source_free(source);
}

static struct source *find_source(const struct remotes *remotes, const char *text)
{
    struct source *source;

    cds_list_for_each_entry (source, &remotes->sources, node)
        if (!strcmp(source->text, text))
            return source;
    return NULL;
}

bool remote_sources_has(const struct remotes *remotes, const char *text)
{
    return find_source(remotes, text);
}

bool remote_sources_remove(struct remotes *remotes, const char *text)
{
    struct source *source = find_source(remotes, text);

    if (source)
        source_free(source);
    return source;
}

size_t remote_sources_list(const struct remotes *remotes, const char **texts, size_t max)
{
    struct source *source;
    size_t n = 0;

    cds_list_for_each_entry (source, &remotes->sources, node)
        if (n < max)
            texts[n++] = source->text;
    return n;
}

/* --- Rows to remotes ----------------------------------------------------------------------- */

static const struct datum *column_of(const struct row *row, const char *name, enum atom_type type)
{
    const struct column_schema *column = table_schema_column(row->table->schema, name);

    return column && column->type.key.type == type ? row->data->columns[column->index] : NULL;
}

static unsigned int number_of(const struct row *row, const char *name, unsigned int otherwise)
{
    const struct datum *datum = column_of(row, name, ATOM_INTEGER);

    if (!datum || datum->n != 1 || datum->keys[0].integer < 0)
        return otherwise;
    return datum->keys[0].integer < INT32_MAX ? (unsigned int)datum->keys[0].integer : INT32_MAX;
}

static struct remote *find_remote(struct remotes *remotes, const char *target)
{
    struct remote *remote;

    cds_list_for_each_entry (remote, &remotes->list, node)
        if (remote->is_from_database && !strcmp(remote->target, target))
            return remote;
    return NULL;
}

static struct remote *want(struct remotes *remotes, const char *target)
{
    struct remote *remote = find_remote(remotes, target);
    struct error error = ERROR_INIT;

    if (!remote) {
        remote = remote_create(remotes, target, &error);
        remote->is_from_database = true;
        if (error.code)
            log_warn("manager %s", error.message);
    }
    remote->is_wanted = true;
    return remote;
}

static void want_row(struct remotes *remotes, size_t store, const struct row *row)
{
    const struct datum *target = column_of(row, "target", ATOM_STRING);

    if (!target || target->n != 1)
        return;
    struct remote *remote = want(remotes, target->keys[0].string);
    bool is_silent = remote->address && remote->address->path;
    remote->store = store;
    remote->table = row->table;
    if (memcmp(&remote->row, &row->uuid, sizeof row->uuid) != 0) {
        json_decref(remote->written); /* That was another row's. */
        remote->written = NULL;
    }
    remote->row = row->uuid;
    remote->max_backoff_ms = number_of(row, "max_backoff", REMOTE_MAX_BACKOFF_MS);
    remote_set_probe(remote,
                     number_of(row, "inactivity_probe", is_silent ? 0 : REMOTE_INACTIVITY_MS));
}

static void want_source(struct remotes *remotes, const struct source *source)
{
    size_t place;
    const struct store *store = server_store(remotes->server, source->db, &place);
    struct table *table = store ? database_table(store_database(store), source->table) : NULL;
    const struct column_schema *column = table ? table_schema_column(table->schema, source->column)
                                               : NULL;
    struct row *row;

    if (!column)
        return;
    struct table *referred = table->key_refs[column->index];

    FOR_EACH_ROW(row, table)
    {
        const struct datum *datum = row->data->columns[column->index];

        for (size_t i = 0; i < datum->n; i++) {
            struct row *manager = referred ? table_row(referred, &datum->keys[i].uuid) : NULL;
            if (manager)
                want_row(remotes, place, manager);
            else if (datum->key_type == ATOM_STRING)
                want(remotes, datum->keys[i].string);
        }
    }
}

static void follow(struct remotes *remotes)
{
    struct remote *remote, *next;
    struct source *source;

    cds_list_for_each_entry (remote, &remotes->list, node) {
        remote->is_wanted = !remote->is_from_database;
        remote->table = NULL; /* It may be gone. */
    }
    cds_list_for_each_entry (source, &remotes->sources, node)
        want_source(remotes, source);
    cds_list_for_each_entry_safe (remote, next, &remotes->list, node) {
        if (remote->is_wanted)
            continue;
        log_info("manager %s: removed", remote->target);
        remote_destroy(remote);
    }
}

/* --- Remotes to rows ----------------------------------------------------------------------- */

static void add_pair(json_t *pairs, const char *key, const char *value)
{
    json_array_append_new(pairs, json_pack("[s, s]", key, value));
}

static void add_number(json_t *pairs, const char *key, long long number)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", number);
    add_pair(pairs, key, text);
}

/* If there is more than one connection, those of the first. */
static void add_locks(json_t *pairs, const struct remote *remote)
{
    static const char *const keys[] = {
        [LOCK_HELD] = "locks_held", [LOCK_WAITING] = "locks_waiting", [LOCK_LOST] = "locks_lost"};
    const struct server *server = remote->remotes->server;
    const struct session *session;

    cds_list_for_each_entry (session, &server->sessions, node) {
        if (session->remote != remote)
            continue;
        for (int state = LOCK_HELD; state <= LOCK_LOST; state++) {
            char *names = lock_names(server->locks, session, (enum lock_claim_state)state);
            if (*names)
                add_pair(pairs, keys[state], names);
            free(names);
        }
        return;
    }
}

/* The keys of ovs-vswitchd.conf.db(5), table Manager. */
static json_t *status_pairs(const struct remote *remote)
{
    static const char *const states[] = {[REMOTE_VOID] = "VOID",
                                         [REMOTE_BACKOFF] = "BACKOFF",
                                         [REMOTE_CONNECTING] = "CONNECTING",
                                         [REMOTE_ACTIVE] = "ACTIVE"};
    json_t *pairs = json_array();

    add_pair(pairs, "state", states[remote->state]);
    if (remote->last_error.code)
        add_pair(pairs, "last_error", remote->last_error.message);
    if (remote->bound_port)
        add_number(pairs, "bound_port", remote->bound_port);
    if (remote->n_sessions > 1)
        add_number(pairs, "n_connections", (long long)remote->n_sessions);
    if (remote->n_sessions)
        add_locks(pairs, remote);
    return pairs;
}

/* How long something lasts would be news with every look: alone, it is so once in a while only. */
static bool is_news(struct remote *remote, json_t *pairs, int64_t now_ns)
{
    if (remote->written && json_equal(remote->written, pairs) &&
        now_ns - remote->written_ns < REMOTE_REFRESH_S * SECOND_NS)
        return false;
    json_decref(remote->written);
    remote->written = json_copy(pairs);
    remote->written_ns = now_ns;
    return true;
}

static json_t *status_take(const struct remote *remote, json_t *pairs, int64_t now_ns)
{
    if (remote->connected_ns)
        add_number(pairs, "sec_since_connect", (now_ns - remote->connected_ns) / SECOND_NS);
    if (remote->disconnected_ns)
        add_number(pairs, "sec_since_disconnect", (now_ns - remote->disconnected_ns) / SECOND_NS);
    return json_pack("[s, o]", "map", pairs);
}

static void set_column(struct txn *txn, struct row *row, const char *name, json_t *json)
{
    const struct column_schema *column = table_schema_column(row->table->schema, name);
    struct datum *datum = NULL;

    if (column && !datum_from_json(&column->type, json, NULL, NULL, &datum, NULL)) {
        if (datum_equal(datum, row->data->columns[column->index]))
            datum_unref(datum);
        else
            txn_set_take(txn, row, column, datum);
    }
    json_decref(json);
}

static void write_status(struct remotes *remotes, size_t index)
{
    struct store *store = remotes->server->stores[index];
    struct txn *txn = txn_create(store_database(store));
    struct db_error why = DB_ERROR_INIT;
    struct error error = ERROR_INIT;
    int64_t now_ns = clock_now_ns();
    struct remote *remote;

    cds_list_for_each_entry (remote, &remotes->list, node) {
        if (!remote->is_from_database || remote->store != index || !remote->table)
            continue;
        struct row *row = table_row(remote->table, &remote->row);
        if (!row)
            continue;
        set_column(txn, row, "is_connected", json_boolean(remote->n_sessions));
        json_t *pairs = status_pairs(remote);
        if (is_news(remote, pairs, now_ns))
            set_column(txn, row, "status", status_take(remote, pairs, now_ns));
        else
            json_decref(pairs);
    }
    if (txn->n_changes && txn_prepare(txn, &why) && txn->n_changes &&
        !store_write(store, txn, NULL, &error))
        server_note_commit_take(remotes->server, index, txn_finish(txn));
    else
        txn_abort(txn);
}

void remotes_run(struct remotes *remotes)
{
    struct source *source;

    size_t place;

    tls_source_follow(remotes->server, &remotes->tls);
    follow(remotes);
    refresh_while_there_are_rows(remotes);
    cds_list_for_each_entry (source, &remotes->sources, node) {
        const struct store *store = server_store(remotes->server, source->db, &place);
        if (store && !store_database(store)->is_read_only)
            write_status(remotes, place);
    }
}
