/* SPDX-License-Identifier: Apache-2.0 */

/* Conflicts are rare and small, so losing one means to start over from a fresh read. */

#include "cli/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/control.h"
#include "cli/lookup.h"
#include "cli/process.h"
#include "cli/store.h"
#include "lib/clock.h"
#include "lib/rundir.h"

struct batch {
    struct context *context;
    struct invocation *invocations;
    size_t n;
    struct ovsdb_session *session;
};

const char *batch_database(const struct options *options)
{
    return options->database ? options->database : "Open_vSwitch";
}

/* With --retry a database that does not run yet is waited for. */
static struct ovsdb_session *connect_until(const struct context *context, struct error *error)
{
    const struct timespec pause = {.tv_nsec = 100 * MILLISECOND_NS};

    for (;;) {
        struct ovsdb_session *session =
            ovsdb_session_connect(context->options.db, batch_database(&context->options),
                                  context->tls, context->deadline_ns, error);
        if (session || !context->options.retry ||
            (error->code != -ENOENT && error->code != -ECONNREFUSED) ||
            clock_now_ns() >= context->deadline_ns)
            return session;
        nanosleep(&pause, NULL);
    }
}

struct ovsdb_session *batch_connect(const struct context *context, struct error *error)
{
    struct ovsdb_session *session = connect_until(context, error);

    if (session)
        return session;
    if (error->code == -ENOENT || error->code == -ECONNREFUSED)
        error_set(error, error->code,
                  "no database at %s; start the switch with \"weir up\", or "
                  "name another --rundir or --db",
                  context->options.db ? shown(context->options.db).text
                                      : shown(rundir_path()).text);
    else
        error_prefix(error, "cannot connect to the database");
    return NULL;
}

/* Commands that know bridges and ports need a database that has them. */
static int check_schema(const struct batch *batch, const struct db_schema *schema,
                        struct error *error)
{
    for (size_t i = 0; i < batch->n; i++)
        if (batch->invocations[i].command->group != GROUP_RECORD &&
            strcmp(schema->name, "Open_vSwitch"))
            return error_set(error, -EINVAL, "%s: database %s is not that of a switch",
                             batch->invocations[i].command->name, shown(schema->name).text);
    return 0;
}

static int prepare_all(struct batch *batch, struct error *error)
{
    int result = 0;

    store_want(batch->context->store, "Open_vSwitch", "cur_cfg");
    for (size_t i = 0; !result && i < batch->n; i++) {
        struct invocation *invocation = &batch->invocations[i];
        result = invocation->command->prepare(batch->context, invocation, error);
    }
    return result;
}

/* -EAGAIN: a command wants to wait until something changes. */
static int run_all(struct batch *batch, struct error *error)
{
    int result = 0;

    batch->context->exit_status = EXIT_SUCCESS;
    batch->context->n_tables = 0;
    buffer_clear(&batch->context->warnings);
    for (size_t i = 0; !result && i < batch->n; i++) {
        struct invocation *invocation = &batch->invocations[i];

        buffer_clear(&invocation->output);
        free(invocation->state);
        invocation->state = NULL;
        result = invocation->command->run(batch->context, invocation, error);
    }
    return result;
}

/* Every database has one row of Open_vSwitch; ours may be new and empty. */
static void ensure_root_row(struct store *store)
{
    const struct table_schema *table = db_schema_table(store_schema(store), "Open_vSwitch");

    if (table && !store_first(store, table))
        store_insert(store, table);
}

static int attempt(struct batch *batch, struct store_commit *commit, struct error *error)
{
    struct store *store = batch->context->store;
    int result = store_load(store, error);

    if (!result)
        ensure_root_row(store);
    if (!result)
        result = run_all(batch, error);
    if (result == -EAGAIN) {
        /* Watching begins before the read that decides, so that no change is missed. */
        bool was_watching = store_is_watching(store);
        result = store_watch(store, error);
        if (!result && was_watching)
            result = store_wait(store, error);
        return result ? result : -EAGAIN;
    }
    return result ? result : store_commit(store, commit, error);
}

/* Is there a switch that will do what was configured?  Its pidfile is beside the database. */
static bool is_switch_running(const struct context *context)
{
    const char *db = context->options.db;

    if (!db)
        return process_daemon_pid(DAEMON_SWITCH) != 0;
    if (!strncmp(db, "unix:", 5))
        db += 5;
    const char *slash = strrchr(db, '/');
    char *pidfile = NULL;
    if (asprintf(&pidfile, "%.*s/%s.pid", slash ? (int)(slash - db) : 1, slash ? db : ".",
                 DAEMON_SWITCH) < 0)
        abort();
    bool is_running = process_pidfile_pid(pidfile) != 0;
    free(pidfile);
    return is_running;
}

/* Looks about once a second whether the switch is still there to wait for. */
static int wait_for_cur_cfg(struct batch *batch, int64_t next_cfg, struct error *error)
{
    json_t *initial, *updates;
    json_t *requests = json_pack("{s:{s:[s]}}", "Open_vSwitch", "columns", "cur_cfg");
    int result = ovsdb_session_monitor_take(batch->session, requests, &initial, error);

    updates = initial;
    while (!result) {
        const json_t *rows = json_object_get(updates, "Open_vSwitch"), *row;
        const char *uuid;
        int64_t cur_cfg = -1;

        json_object_foreach ((json_t *)rows, uuid, row) {
            const json_t *value = json_object_get(json_object_get(row, "new"), "cur_cfg");
            if (json_is_integer(value))
                cur_cfg = json_integer_value(value);
        }
        json_decref(updates);
        updates = NULL;
        if (cur_cfg >= next_cfg)
            return 0;
        do {
            if (!is_switch_running(batch->context))
                return error_set(error, -ESRCH, "vswitchd ended before it had done this");
            int64_t second_ns = clock_now_ns() + SECOND_NS;
            int64_t limit_ns = batch->context->deadline_ns;
            ovsdb_session_set_deadline(batch->session, second_ns < limit_ns ? second_ns : limit_ns);
            result = ovsdb_session_wait_update(batch->session, &updates, error);
        } while (result == -ETIMEDOUT && clock_now_ns() < batch->context->deadline_ns);
    }
    json_decref(updates);
    ovsdb_session_set_deadline(batch->session, batch->context->deadline_ns);
    if (result == -ETIMEDOUT)
        error_set(error, result,
                  "the change is in the database, but vswitchd has not done it "
                  "within the timeout");
    return result;
}

/* What vswitchd says about the interfaces that this transaction created. */
static int report_new_interfaces(struct batch *batch, struct error *error)
{
    struct store *store = batch->context->store;
    const struct table_schema *table = lookup_known_table(store, "Interface");
    json_t *rows, *row;
    size_t i;

    bool has_new = false;
    for (struct store_row *new = store_first(store, table); new; new = store_next(new))
        has_new |= store_row_is_new(new);
    if (!has_new)
        return 0;
    rows = ovsdb_session_select_take(batch->session, "Interface",
                                     json_pack("[[s, s, i]]", "ofport", "==", -1),
                                     json_pack("[s, s, s]", "_uuid", "name", "error"), error);
    if (!rows)
        return error->code;
    json_array_foreach (rows, i, row) {
        const char *text = json_string_value(json_array_get(json_object_get(row, "_uuid"), 1));
        const json_t *why = json_object_get(row, "error");
        struct uuid uuid;
        struct store_row *mine = text && uuid_parse(text, &uuid)
                                     ? store_find_new(store, table, &uuid)
                                     : NULL;
        if (!mine)
            continue;
        buffer_printf(&batch->context->warnings, "weir: port %s does not work: %s\n",
                      json_string_value(json_object_get(row, "name")),
                      json_is_string(why) ? json_string_value(why)
                                          : "the log of vswitchd says why");
        batch->context->exit_status = batch->context->options.as_vsctl ? EXIT_SUCCESS
                                                                       : EXIT_PORT_ERROR;
    }
    json_decref(rows);
    return 0;
}

static int wait_for_switch(struct batch *batch, const struct store_commit *commit,
                           struct error *error)
{
    if (!commit->wants_next_cfg || !commit->was_changed || commit->is_dry)
        return 0;
    if (!is_switch_running(batch->context)) {
        buffer_puts(&batch->context->warnings,
                    "weir: saved; vswitchd is not running and will do it when it starts "
                    "(weir up)\n");
        return 0;
    }
    int result = wait_for_cur_cfg(batch, commit->next_cfg, error);
    return result ? result : report_new_interfaces(batch, error);
}

static int finish_all(struct batch *batch, struct error *error)
{
    int result = 0;

    for (size_t i = 0; !result && i < batch->n; i++) {
        struct invocation *invocation = &batch->invocations[i];
        if (invocation->command->finish)
            result = invocation->command->finish(batch->context, invocation, error);
    }
    return result;
}

/* Others changed the same rows again and again, or nobody made true what is waited for. */
static int say_timed_out(const struct batch *batch, struct error *error)
{
    for (size_t i = 0; i < batch->n; i++) {
        const struct invocation *invocation = &batch->invocations[i];
        if (!strcmp(invocation->command->name, "wait-until"))
            return error_set(error, -ETIMEDOUT, "timed out: wait-until %s %s has not come true",
                             shown(invocation->args[0]).text, shown(invocation->args[1]).text);
    }
    return error_set(error, -ETIMEDOUT, "timed out");
}

enum { COMMENT_MAX_BYTES = 4096 };

/* What was typed, for whoever reads the log of the database. */
static void describe(const struct batch *batch, struct buffer *comment)
{
    buffer_puts(comment, "weir:");
    for (size_t i = 0; i < batch->n && comment->size < COMMENT_MAX_BYTES; i++) {
        const struct invocation *invocation = &batch->invocations[i];
        buffer_puts(comment, i ? " --" : "");
        for (size_t j = 0; j < invocation->n_options; j++)
            buffer_printf(comment, " %s", shown(invocation->options[j].name).text);
        buffer_printf(comment, " %s", invocation->command->name);
        for (size_t j = 0; j < invocation->n_args && comment->size < COMMENT_MAX_BYTES; j++)
            buffer_printf(comment, " %s", shown(invocation->args[j]).text);
    }
}

static int run_connected(struct batch *batch, struct error *error)
{
    const struct options *options = &batch->context->options;
    struct buffer comment = BUFFER_INIT;
    describe(batch, &comment);
    struct store_commit commit = {.comment = buffer_text(&comment),
                                  .wants_next_cfg = !options->no_wait,
                                  .is_dry = options->dry_run};
    int result = prepare_all(batch, error);

    while (!result && (result = attempt(batch, &commit, error)) == -EAGAIN)
        result = clock_now_ns() < batch->context->deadline_ns ? 0 : -ETIMEDOUT;
    if (result == -ETIMEDOUT && !store_is_watching(batch->context->store))
        error_set(error, result, "the database does not answer");
    else if (result == -ETIMEDOUT)
        say_timed_out(batch, error);
    if (!result)
        result = wait_for_switch(batch, &commit, error);
    if (!result && !commit.is_dry)
        result = finish_all(batch, error);
    buffer_fini(&comment);
    return result;
}

int batch_run(struct context *context, struct invocation *invocations, size_t n,
              struct error *error)
{
    struct batch batch = {.context = context, .invocations = invocations, .n = n};
    if (!(batch.session = batch_connect(context, error)))
        return error->code;
    const struct db_schema *schema = ovsdb_session_schema(batch.session, error);
    int result = schema ? check_schema(&batch, schema, error)
                        : error_prefix(error, "the database does not tell its schema");
    if (!result) {
        context->store = store_create(batch.session, schema);
        result = run_connected(&batch, error);
        store_destroy(context->store);
        context->store = NULL;
    }
    ovsdb_session_destroy(batch.session);
    return result;
}
