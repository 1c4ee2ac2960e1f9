/* SPDX-License-Identifier: Apache-2.0 */

/* Everything that refers to a database - monitors, waits, history - goes before the database does.
 * Answers are still sent at the end of the round. */

#include "ovsdb-lite/server_change.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "lib/long_work.h"
#include "ovsdb-lite/convert.h"
#include "ovsdb-lite/session.h"

LOG_MODULE(server_change);

static void leave_store(struct server *server, size_t place, const struct database *db)
{
    struct session *session;

    cds_list_for_each_entry (session, &server->sessions, node)
        session_leave_store(session, place, db);
    history_clear(&server->histories[place]);
    server->changed_tables[place] = 0;
    server->has_work = true;
}

/* Puts 'db' in the place of the old database. */
static bool exchange(struct server *server, size_t place, struct database **db,
                     struct db_error *error)
{
    struct store *store = server->stores[place];
    struct database *old = store_database(store);
    struct error trouble = ERROR_INIT;

    if (old->is_read_only)
        return db_error_set(error, old->read_only_tag, "%s", old->read_only_reason);
    if (store_exchange_database(store, db, &trouble))
        return db_error_set(error, DB_IO_ERROR, "%s", trouble.message);
    return true;
}

bool server_convert(struct server *server, size_t place, const json_t *schema_json,
                    struct db_error *error)
{
    struct store *store = server->stores[place];
    struct database *old = store_database(store);

    long_work_begin();
    struct database *db = convert_database(old, schema_json, error);
    bool is_exchanged = db && exchange(server, place, &db, error);
    long_work_end();
    if (!db)
        return false;
    if (!is_exchanged) {
        database_destroy(db);
        return false;
    }
    leave_store(server, place, old);
    server->must_sync[place] = true; /* The directory may have refused: then nobody is answered. */
    log_info("database %s: converted from schema version %s to %s", old->schema->name,
             old->schema->version, store_database(store)->schema->version);
    database_destroy(old);
    server_describe_store(server, place);
    return true;
}

int server_add_file(struct server *server, const char *path, const json_t *schema_json,
                    struct error *error)
{
    struct session *session;
    struct store *store;
    size_t n_stores = 0, other;

    FOR_EACH_STORE(i, server)
    {
        n_stores++;
    }
    if (n_stores >= SERVER_MAX_STORES - 1)
        return error_set(error, -E2BIG, "%s: more than %d databases", path, SERVER_MAX_STORES - 2);
    store = store_open(path, schema_json, error);
    if (!store)
        return error->code;
    const char *name = store_database(store)->schema->name;
    if (*name == '_' || server_store(server, name, &other)) {
        error_set(error, -EEXIST, "%s: a second database named %s", path, name);
        store_close(store);
        return error->code;
    }
    server_add_store_take(server, store);
    cds_list_for_each_entry (session, &server->sessions, node)
        session_note_change(session);
    return 0;
}

int server_remove_database(struct server *server, const char *name, struct error *error)
{
    size_t place;
    struct store *store = server_store(server, name, &place);

    if (!store || (server->has_server_database && place == server->server_database))
        return error_set(error, -ENOENT, "%s: no such database", name);
    leave_store(server, place, store_database(store));
    server_remove_store(server, place);
    return 0;
}

void server_reconnect(struct server *server)
{
    struct session *session;

    cds_list_for_each_entry (session, &server->sessions, node)
        session->is_ending = true;
    server->has_work = true;
}
