/* SPDX-License-Identifier: Apache-2.0 */

/* Where scripts look at answers, their words are those of ovsdb-server. */

#include "ovsdb-lite/control.h"

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "ovsdb-lite/remote.h"
#include "ovsdb-lite/server_change.h"

static void reply_buffer_fini(struct unixctl_request *request, struct buffer *text)
{
    unixctl_reply(request, buffer_text(text));
    buffer_fini(text);
}

static void reply_result(struct unixctl_request *request, int result, const struct error *error)
{
    if (result)
        unixctl_reply_error(request, "%s", error->message);
    else
        unixctl_reply(request, NULL);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* --- Databases ----------------------------------------------------------------------------- */

static void cmd_list_dbs(struct unixctl_request *request, int argc UNUSED,
                         const char *const argv[] UNUSED, void *aux)
{
    const struct server *server = aux;
    const char *names[SERVER_MAX_STORES];
    struct buffer text = BUFFER_INIT;
    size_t n = 0;

    FOR_EACH_STORE(i, server)
    {
        names[n++] = store_database(server->stores[i])->schema->name;
    }
    qsort(names, n, sizeof names[0], compare_names);
    for (size_t i = 0; i < n; i++)
        buffer_printf(&text, "%s\n", names[i]);
    reply_buffer_fini(request, &text);
}

static void cmd_add_db(struct unixctl_request *request, int argc UNUSED, const char *const argv[],
                       void *aux)
{
    struct error error = ERROR_INIT;

    reply_result(request, server_add_file(aux, argv[1], NULL, &error), &error);
}

static void cmd_remove_db(struct unixctl_request *request, int argc UNUSED,
                          const char *const argv[], void *aux)
{
    struct error error = ERROR_INIT;

    if (argv[1][0] == '_')
        unixctl_reply_error(request, "Cannot remove reserved database.");
    else if (server_remove_database(aux, argv[1], &error))
        unixctl_reply_error(request, "Failed to find the database.");
    else
        unixctl_reply(request, NULL);
}

static void cmd_storage_status(struct unixctl_request *request, int argc UNUSED,
                               const char *const argv[], void *aux)
{
    size_t place;
    const struct store *store = server_store(aux, argv[1], &place);
    const struct database *db = store ? store_database(store) : NULL;

    if (!db)
        unixctl_reply_error(request, "Failed to find the database.");
    else if (db->is_read_only && argv[1][0] != '_')
        unixctl_reply_format(request, "status: %s\n", db->read_only_reason);
    else
        unixctl_reply(request, "status: ok");
}

static void cmd_compact(struct unixctl_request *request, int argc, const char *const argv[],
                        void *aux)
{
    struct error error = ERROR_INIT;
    size_t place;

    if (argc > 1 && argv[1][0] == '_')
        unixctl_reply_error(request, "cannot compact built-in databases");
    else if (argc > 1 && !server_store(aux, argv[1], &place))
        unixctl_reply_error(request, "no database by that name");
    else
        reply_result(request, server_compact(aux, argc > 1 ? argv[1] : NULL, &error), &error);
}

/* --- Remotes ------------------------------------------------------------------------------- */

static void cmd_list_remotes(struct unixctl_request *request, int argc UNUSED,
                             const char *const argv[] UNUSED, void *aux)
{
    const struct server *server = aux;
    struct buffer text = BUFFER_INIT;

    remotes_describe(server->remotes, &text);
    reply_buffer_fini(request, &text);
}

static void cmd_add_remote(struct unixctl_request *request, int argc UNUSED,
                           const char *const argv[], void *aux)
{
    struct server *server = aux;
    struct error error = ERROR_INIT;

    if (remotes_has(server->remotes, argv[1]))
        unixctl_reply(request, NULL);
    else
        reply_result(request, remotes_add(server->remotes, argv[1], &error), &error);
}

static void cmd_remove_remote(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[], void *aux)
{
    struct server *server = aux;

    if (remotes_remove(server->remotes, argv[1]))
        unixctl_reply(request, NULL);
    else
        unixctl_reply_error(request, "no such remote");
}

static void cmd_reconnect(struct unixctl_request *request, int argc UNUSED,
                          const char *const argv[] UNUSED, void *aux)
{
    server_reconnect(aux);
    unixctl_reply(request, NULL);
}

/* --- What operators see -------------------------------------------------------------------- */

static void cmd_memory_show(struct unixctl_request *request, int argc UNUSED,
                            const char *const argv[] UNUSED, void *aux)
{
    struct buffer text = BUFFER_INIT;

    server_describe_memory(aux, &text);
    reply_buffer_fini(request, &text);
}

static void cmd_coverage_show(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[] UNUSED, void *aux)
{
    struct buffer text = BUFFER_INIT;

    server_describe_coverage(aux, &text);
    reply_buffer_fini(request, &text);
}

/* A standalone server is what scripts for active-backup pairs call active. */
static void cmd_sync_status(struct unixctl_request *request, int argc UNUSED,
                            const char *const argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(request, "state: active\n");
}

/* What a large answer or a compaction leaves is always given back: there is nothing to switch. */
static void cmd_trim(struct unixctl_request *request, int argc UNUSED, const char *const argv[],
                     void *aux UNUSED)
{
    if (strcmp(argv[1], "on") && strcmp(argv[1], "off"))
        unixctl_reply_error(request, "invalid argument");
    else
        unixctl_reply(request, NULL);
}

void control_register(struct unixctl_server *unixctl, struct server *server)
{
    static const struct {
        const char *name, *usage;
        int min_args, max_args;
        unixctl_callback *callback;
    } commands[] = {
        {"ovsdb-server/list-dbs", "", 0, 0, cmd_list_dbs},
        {"ovsdb-server/add-db", "FILE", 1, 1, cmd_add_db},
        {"ovsdb-server/remove-db", "DB", 1, 1, cmd_remove_db},
        {"ovsdb-server/get-db-storage-status", "DB", 1, 1, cmd_storage_status},
        {"ovsdb-server/compact", "[DB]", 0, 1, cmd_compact},
        {"ovsdb-server/list-remotes", "", 0, 0, cmd_list_remotes},
        {"ovsdb-server/add-remote", "REMOTE", 1, 1, cmd_add_remote},
        {"ovsdb-server/remove-remote", "REMOTE", 1, 1, cmd_remove_remote},
        {"ovsdb-server/reconnect", "", 0, 0, cmd_reconnect},
        {"ovsdb-server/sync-status", "", 0, 0, cmd_sync_status},
        {"ovsdb-server/memory-trim-on-compaction", "on|off", 1, 1, cmd_trim},
        {"memory/show", "", 0, 0, cmd_memory_show},
        {"coverage/show", "", 0, 0, cmd_coverage_show},
    };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        unixctl_command_register(unixctl, commands[i].name, commands[i].usage, commands[i].min_args,
                                 commands[i].max_args, commands[i].callback, server);
}
