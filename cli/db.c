/* SPDX-License-Identifier: Apache-2.0 */

/* The database as a whole.  Its records have verbs of their own (record.c), which "db" may precede. */

#include "cli/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/batch.h"
#include "cli/control.h"
#include "cli/lookup.h"
#include "cli/nouns.h"
#include "lib/clock.h"

const char *db_argument(const struct invocation *invocation, size_t i)
{
    return invocation->n_args > i + 1 ? invocation->args[i + 1] : NULL;
}

/* --- list, schema, wait -------------------------------------------------------------------- */

static json_t *call(struct ovsdb_session *session, const char *method, json_t *params,
                    struct error *error)
{
    json_t *result;

    return ovsdb_session_call_take(session, method, params, &result, error) ? NULL : result;
}

static int add_database(struct table *table, struct ovsdb_session *session, const char *name,
                        struct error *error)
{
    json_t *schema = call(session, "get_schema", json_pack("[s]", name), error);

    if (!schema)
        return error->code;
    const char *version = json_string_value(json_object_get(schema, "version"));
    const char *checksum = json_string_value(json_object_get(schema, "cksum"));
    table_add_text(table, name);
    table_add_text(table, version ? version : "");
    table_add_text(table, checksum ? checksum : "");
    table_add_integer(table, (json_int_t)json_object_size(json_object_get(schema, "tables")));
    json_decref(schema);
    return 0;
}

static int run_list(struct context *context, struct invocation *invocation, struct error *error)
{
    struct ovsdb_session *session = batch_connect(context, error);
    json_t *names = session ? call(session, "list_dbs", json_array(), error) : NULL, *name;
    struct table *table = table_create();
    int result = names ? 0 : error->code;
    size_t i;

    table_add_column(table, "name");
    table_add_column(table, "version");
    table_add_column(table, "checksum");
    table_add_column(table, "tables");
    json_array_foreach (names, i, name) {
        if (!result)
            result = add_database(table, session, json_string_value(name), error);
    }
    if (!result)
        table_print(table, &context->options.style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
    json_decref(names);
    ovsdb_session_destroy(session);
    return result;
}

static int run_schema(struct context *context, struct invocation *invocation, struct error *error)
{
    struct ovsdb_session *session = batch_connect(context, error);
    json_t *schema = session ? call(session, "get_schema",
                                    json_pack("[s]", batch_database(&context->options)), error)
                             : NULL;

    if (schema)
        json_print_take(schema, &context->options.style, &invocation->output);
    ovsdb_session_destroy(session);
    return schema ? 0 : error->code;
}

static bool has_name(const json_t *names, const char *name)
{
    const json_t *at;
    size_t i;

    json_array_foreach (names, i, at) {
        if (json_is_string(at) && !strcmp(json_string_value(at), name))
            return true;
    }
    return false;
}

static bool waits_for_presence(const char *state)
{
    return !strcmp(state, "added") || !strcmp(state, "connected");
}

/* A server that comes or goes is part of the waiting. */
static int run_wait(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *state = db_argument(invocation, 0), *name = batch_database(&context->options);
    const struct timespec pause = {.tv_nsec = 50 * MILLISECOND_NS};

    for (;;) {
        struct ovsdb_session *session = batch_connect(context, error);
        json_t *names = session ? call(session, "list_dbs", json_array(), error) : NULL;
        bool is_there = has_name(names, name), has_answer = names;
        json_decref(names);
        ovsdb_session_destroy(session);
        if (has_answer && is_there == waits_for_presence(state))
            return 0;
        if (clock_now_ns() >= context->deadline_ns)
            return error_set(error, -ETIMEDOUT, "timed out: database %s is not %s",
                             shown(name).text, state);
        nanosleep(&pause, NULL);
    }
}

/* --- dump ---------------------------------------------------------------------------------- */

/* Tables to dump, as invocations of "list": one read of them all, printed as that command does. */
static size_t make_lists(const struct db_schema *schema, const struct invocation *invocation,
                         struct invocation **lists, struct error *error)
{
    const struct table_schema *only = NULL;
    const char *name = db_argument(invocation, 0);
    size_t n = 0;

    *lists = calloc(schema->n_tables, sizeof **lists);
    if (!*lists)
        abort();
    if (name && lookup_table(schema, name, &only, error) < 0)
        return 0;
    for (size_t i = 0; i < schema->n_tables; i++) {
        if (only && only != &schema->tables[i])
            continue;
        struct invocation *list = &(*lists)[n++];
        list->command = command_find("list");
        list->args = calloc(2, sizeof *list->args);
        if (!list->args || !(list->args[0] = strdup(schema->tables[i].name)))
            abort();
        list->n_args = 1;
        memcpy(list->options, invocation->options, sizeof list->options);
        list->n_options = invocation->n_options;
    }
    return n;
}

static void print_lists(struct context *context, struct invocation *invocation,
                        struct invocation *lists, size_t n)
{
    bool is_json = options_is_json(&context->options) ||
                   context->options.style.format == TABLE_JSON;
    json_t *json = json_object();

    for (size_t i = 0; i < n; i++) {
        struct buffer *output = &lists[i].output;
        if (output->size && *output->data == '\n')
            buffer_pull(output, 1); /* What separates tables; here a title does. */
        if (is_json)
            json_object_set_new(json, lists[i].args[0], json_loads(buffer_text(output), 0, NULL));
        else if (output->size)
            buffer_printf(&invocation->output, "%s%s:\n%s", invocation->output.size ? "\n" : "",
                          lists[i].args[0], buffer_text(output));
    }
    if (is_json)
        json_print_take(json_incref(json), &context->options.style, &invocation->output);
    json_decref(json);
}

static int run_dump(struct context *context, struct invocation *invocation, struct error *error)
{
    struct ovsdb_session *session = batch_connect(context, error);
    const struct db_schema *schema = session ? ovsdb_session_schema(session, error) : NULL;
    struct invocation *lists = NULL;
    size_t n = schema ? make_lists(schema, invocation, &lists, error) : 0;

    ovsdb_session_destroy(session);
    int result = n ? batch_run(context, lists, n, error) : error->code;
    if (!result)
        print_lists(context, invocation, lists, n);
    for (size_t i = 0; i < n; i++) {
        free((char *)lists[i].args[0]);
        invocation_fini(&lists[i]);
    }
    free(lists);
    return result;
}

/* --- transact ------------------------------------------------------------------------------ */

static json_t *read_json(const char *text, struct error *error)
{
    json_error_t why;
    bool is_stdin = !strcmp(text, "-");
    json_t *json = is_stdin ? json_loadf(stdin, 0, &why) : json_loads(text, 0, &why);

    if (!json)
        error_set(error, -EINVAL, "%s: line %d, column %d: %s",
                  is_stdin ? "standard input" : "operations", why.line, why.column, why.text);
    return json;
}

/* The name of a database may stand in front, as ovsdb-client(1) wants it; one operation alone is a
 * list of one. */
static int check_operations(struct context *context, json_t **operations, struct error *error)
{
    if (json_is_object(*operations)) {
        *operations = json_pack("[o]", *operations);
        return 0;
    }
    if (!json_is_array(*operations))
        return error_set(error, -EINVAL, "db transact: expected an array of operations");
    const char *name = json_string_value(json_array_get(*operations, 0));
    if (!name)
        return 0;
    if (strcmp(name, batch_database(&context->options)))
        return error_set(error, -EINVAL,
                         "db transact: the operations are for database %s (--database=%s)",
                         shown(name).text, shown(name).text);
    json_array_remove(*operations, 0);
    return 0;
}

/* Which operation failed: results end with its error; one more than operations is the commit's. */
static int explain(const json_t *operations, const json_t *results, struct error *error)
{
    json_t *result;
    size_t i;

    json_array_foreach ((json_t *)results, i, result) {
        const char *name = json_string_value(json_object_get(result, "error"));
        const char *details = json_string_value(json_object_get(result, "details"));
        const json_t *operation = json_array_get(operations, i);
        const char *op = json_string_value(json_object_get(operation, "op"));
        const char *table = json_string_value(json_object_get(operation, "table"));
        if (!name)
            continue;
        if (!operation)
            return error_set(error, -EPROTO, "the transaction: %s%s%s", name, details ? ": " : "",
                             details ? details : "");
        return error_set(error, -EPROTO, "operation %zu (%s%s%s): %s%s%s", i + 1,
                         op ? shown(op).text : "?", table ? " " : "",
                         table ? shown(table).text : "", name, details ? ": " : "",
                         details ? details : "");
    }
    return error->code ? error->code : -EPROTO;
}

static int transact(struct context *context, struct invocation *invocation, json_t *operations,
                    struct error *error)
{
    struct ovsdb_session *session = batch_connect(context, error);
    json_t *copy = json_deep_copy(operations), *results = NULL;
    size_t n = json_array_size(operations);

    if (!session) {
        json_decref(copy);
        return error->code;
    }
    if (context->options.dry_run)
        json_array_append_new(copy, json_pack("{s:s}", "op", "abort"));
    int result = ovsdb_session_transact_take(session, copy, &results, error);
    const json_t *last = json_array_get(results, n);
    const char *why = json_string_value(json_object_get(last, "error"));
    if (context->options.dry_run && why && !strcmp(why, "aborted")) {
        json_array_remove(results, n);
        result = 0;
    }
    if (result && results)
        result = explain(operations, results, error);
    if (results)
        json_print_take(json_incref(results), &context->options.style, &invocation->output);
    json_decref(results);
    ovsdb_session_destroy(session);
    return result;
}

static int run_transact(struct context *context, struct invocation *invocation, struct error *error)
{
    json_t *operations = read_json(db_argument(invocation, 0), error);

    if (!operations)
        return error->code;
    int result = check_operations(context, &operations, error);
    if (!result)
        result = transact(context, invocation, operations, error);
    json_decref(operations);
    return result;
}

/* --- compact, convert ---------------------------------------------------------------------- */

static int run_compact(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *const args[] = {batch_database(&context->options)};
    char *text = control_call(context, DAEMON_DATABASE, "ovsdb-server/compact", 1, args, error);

    (void)invocation;
    free(text);
    return text ? 0 : error->code;
}

static int run_convert(struct context *context, struct invocation *invocation, struct error *error)
{
    json_error_t why;
    const char *path = db_argument(invocation, 0);
    json_t *schema = json_load_file(path, 0, &why), *answer = NULL;

    if (!schema)
        return error_set(error, -EINVAL, "%s: %s", shown(path).text, why.text);
    struct ovsdb_session *session = batch_connect(context, error);
    if (session)
        answer = call(session, "convert",
                      json_pack("[s, O]", batch_database(&context->options), schema), error);
    ovsdb_session_destroy(session);
    json_decref(schema);
    json_decref(answer);
    return answer ? 0 : error->code;
}

/* --- Verbs --------------------------------------------------------------------------------- */

static const struct db_verb verbs[] = {
    {"list-dbs", "", NULL, "databases of the server, with the versions of their schemas", 0, 0,
     run_list},
    {"schema", "", NULL, "the schema, as JSON", 0, 0, run_schema},
    {"dump", "[TABLE]", "--columns=", "all records, of one state", 0, 1, run_dump},
    {"transact", "OPERATIONS|-", NULL, "run operations of RFC 7047 as one transaction", 1, 1,
     run_transact},
    {"monitor", "[TABLE]...", "--columns= --timestamp", "records, and every change as it happens",
     0, SIZE_MAX, db_run_monitor},
    {"backup", "[FILE]", NULL, "write all that lasts to a file", 0, 1, db_run_backup},
    {"restore", "FILE|-", "--force", "make the database what a file says", 1, 1, db_run_restore},
    {"compact", "", NULL, "rewrite the file without its history", 0, 0, run_compact},
    {"check", "[FILE]...", NULL, "are files, or the database that is served, sound?", 0, SIZE_MAX,
     db_run_check},
    {"convert", "SCHEMA-FILE", NULL, "convert to another schema", 1, 1, run_convert},
    {"wait", "added|connected|removed", NULL, "until a database is there, or gone", 1, 1, run_wait},
};

static int check_verb(const struct db_verb *verb, const struct invocation *invocation,
                      struct error *error)
{
    size_t n = invocation->n_args - 1;

    for (size_t i = 0; i < invocation->n_options; i++) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)invocation->options[i].name_length,
                 invocation->options[i].name);
        if (!verb->options || !strstr(verb->options, name))
            return error_set(error, -EINVAL, "%s: db %s has no such option (see weir help db)",
                             name, verb->name);
    }
    if (n < verb->min_args || n > verb->max_args)
        return error_set(error, -EINVAL, "usage: weir db %s%s%s", verb->name,
                         *verb->usage ? " " : "", verb->usage);
    const char *first = db_argument(invocation, 0);
    if (verb->run == run_wait && !waits_for_presence(first) && strcmp(first, "removed"))
        return error_set(error, -EINVAL, "db wait: %s is not added, connected or removed",
                         shown(first).text);
    return 0;
}

static const struct db_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static int check_db(const struct invocation *invocation, struct error *error)
{
    const struct db_verb *verb = find_verb(invocation->args[0]);
    struct buffer known = BUFFER_INIT;

    if (verb)
        return check_verb(verb, invocation, error);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        buffer_printf(&known, "%s%s", i ? ", " : "", verbs[i].name);
    error_set(error, -EINVAL, "db: %s is not one of %s, nor a command for records",
              shown(invocation->args[0]).text, buffer_text(&known));
    buffer_fini(&known);
    return error->code;
}

static int run_db(struct context *context, struct invocation *invocation, struct error *error)
{
    return find_verb(invocation->args[0])->run(context, invocation, error);
}

static void explain_db(struct buffer *out)
{
    buffer_putc(out, '\n');
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        struct buffer usage = BUFFER_INIT;
        buffer_printf(&usage, "%s %s", verbs[i].name, verbs[i].usage);
        buffer_printf(out, "  %-28s %s%s%s%s\n", buffer_text(&usage), verbs[i].summary,
                      verbs[i].options ? " (" : "", verbs[i].options ? verbs[i].options : "",
                      verbs[i].options ? ")" : "");
        buffer_fini(&usage);
    }
    buffer_puts(out, "\n  Before any command about records it may stand, too: db get is get.\n");
}

static const struct command rows[] = {
    {.name = "db",
     .arguments = "VERB [ARGUMENT]...",
     .options = "--columns= --timestamp --force",
     .summary =
         "The database as a whole: list-dbs, schema, dump, transact, monitor, backup, restore, "
         "compact, check, convert, wait",
     .group = GROUP_RECORD,
     .min_args = 1,
     .max_args = -1,
     .check = check_db,
     .explain = explain_db,
     .run = run_db},
};

const struct command_rows db_commands = {rows, ARRAY_SIZE(rows)};
