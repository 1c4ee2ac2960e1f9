/* SPDX-License-Identifier: Apache-2.0 */

/* Changes as they happen, one line each, flushed at once: whoever reads them may be a program.  A
 * signal ends this as it ends any program. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/batch.h"
#include "cli/db.h"
#include "cli/lookup.h"
#include "cli/value.h"

struct monitor {
    struct context *context;
    const struct db_schema *schema;
    bool has_timestamp;
    bool is_initial;
    struct buffer lines;
};

static void format_now(char text[40])
{
    struct timespec now;
    struct tm broken_down;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &broken_down);
    size_t n = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &broken_down);
    snprintf(text + n, 40 - n, ".%03ldZ", now.tv_nsec / 1000000);
}

static void format_value(const struct column_schema *column, const json_t *row, struct buffer *out)
{
    struct error error = ERROR_INIT;
    struct datum *datum = db_value(column, row, &error);

    if (datum)
        value_format(&column->type, datum, DATA_STRING, out);
    else
        buffer_puts(out, error.message);
    datum_unref(datum);
}

/* Of a row that is new or goes: what is not a default.  Of one that changes: before and after. */
static void print_columns(struct monitor *monitor, const struct table_schema *table,
                          const json_t *old, const json_t *new)
{
    struct buffer *out = &monitor->lines;

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_schema *column = &table->columns[i];
        const json_t *row = new ? new : old;
        if (!json_object_get(old && new ? old : row, column->name))
            continue;
        struct datum *datum = db_value(column, row, NULL);
        bool is_default = datum && datum_equal(datum, column->default_value);
        datum_unref(datum);
        if (is_default && !(old && new))
            continue;
        buffer_printf(out, " %s=", column->name);
        if (old && new) {
            format_value(column, old, out);
            buffer_puts(out, "->");
        }
        format_value(column, row, out);
    }
    buffer_putc(out, '\n');
}

static json_t *plain_row(const struct table_schema *table, const json_t *row)
{
    json_t *plain = json_object();

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_schema *column = &table->columns[i];
        if (!json_object_get(row, column->name))
            continue;
        struct datum *datum = db_value(column, row, NULL);
        if (datum)
            json_object_set_new(plain, column->name, value_to_json(&column->type, datum));
        datum_unref(datum);
    }
    return plain;
}

static void print_json(struct monitor *monitor, const struct table_schema *table, const char *uuid,
                       const char *change, const json_t *old, const json_t *new)
{
    struct table_style style = {.format = TABLE_OBJECTS};
    json_t *json = json_pack("{s:s, s:s, s:s}", "table", table->name, "row", uuid, "change",
                             change);
    char now[40];

    if (monitor->has_timestamp) {
        format_now(now);
        json_object_set_new(json, "time", json_string(now));
    }
    if (old)
        json_object_set_new(json, "old", plain_row(table, old));
    if (new)
        json_object_set_new(json, "new", plain_row(table, new));
    json_print_take(json, &style, &monitor->lines);
}

static void print_change(struct monitor *monitor, const struct table_schema *table,
                         const char *uuid, const json_t *change)
{
    const json_t *old = json_object_get(change, "old"), *new = json_object_get(change, "new");
    const char *kind = monitor->is_initial ? "initial"
                       : !old              ? "insert"
                       : !new              ? "delete"
                                           : "modify";
    char now[40];

    if (options_is_json(&monitor->context->options) ||
        monitor->context->options.style.format == TABLE_JSON) {
        print_json(monitor, table, uuid, kind, old, new);
        return;
    }
    if (monitor->has_timestamp) {
        format_now(now);
        buffer_printf(&monitor->lines, "%s ", now);
    }
    buffer_printf(&monitor->lines, "%s %s %s", table->name, uuid, kind);
    print_columns(monitor, table, old, new);
}

static int print_updates_take(struct monitor *monitor, json_t *updates, struct error *error)
{
    FILE *out = monitor->context->out;
    const char *name, *uuid;
    json_t *changes, *change;

    buffer_clear(&monitor->lines);
    json_object_foreach (updates, name, changes) {
        const struct table_schema *table = db_schema_table(monitor->schema, name);
        json_object_foreach (changes, uuid, change) {
            if (table)
                print_change(monitor, table, uuid, change);
        }
    }
    json_decref(updates);
    fwrite(buffer_text(&monitor->lines), 1, monitor->lines.size, out);
    return fflush(out) ? error_set_errno(error, -errno, "cannot write the output") : 0;
}

/* {"columns": [...]} for --columns=A,B; all of them without it. */
static json_t *make_request(const struct table_schema *table, const char *names,
                            struct error *error)
{
    json_t *columns = json_array();
    char *copy = strdup(names ? names : ""), *rest = copy, *name;

    error->code = 0;
    while (!error->code && (name = strsep(&rest, ", "))) {
        const struct column_schema *column;
        if (*name && !lookup_column(table, name, &column, error))
            json_array_append_new(columns, json_string(column->name));
    }
    free(copy);
    if (!error->code && names)
        return json_pack("{s:o}", "columns", columns);
    json_decref(columns);
    return error->code ? NULL : json_object();
}

static json_t *make_requests(const struct db_schema *schema, const struct invocation *invocation,
                             struct error *error)
{
    const char *columns = invocation_option(invocation, "--columns");
    json_t *requests = json_object();
    int result = 0;

    for (size_t i = 0; !result && i < schema->n_tables && invocation->n_args == 1; i++)
        json_object_set_new(requests, schema->tables[i].name,
                            make_request(&schema->tables[i], NULL, error));
    for (size_t i = 0; !result && db_argument(invocation, i); i++) {
        const struct table_schema *table;
        json_t *request = NULL;
        result = lookup_table(schema, db_argument(invocation, i), &table, error);
        if (!result && !(request = make_request(table, columns, error)))
            result = error->code;
        if (request)
            json_object_set_new(requests, table->name, request);
    }
    if (!result)
        return requests;
    json_decref(requests);
    return NULL;
}

static int follow(struct monitor *monitor, struct ovsdb_session *session, json_t *requests,
                  struct error *error)
{
    json_t *updates;
    int result = ovsdb_session_monitor_take(session, requests, &updates, error);

    monitor->is_initial = true;
    while (!result && !(result = print_updates_take(monitor, updates, error))) {
        monitor->is_initial = false;
        result = ovsdb_session_wait_update(session, &updates, error);
    }
    if (result == -ETIMEDOUT && !monitor->is_initial)
        return 0; /* As long as --timeout said. */
    if (result == -ECONNRESET)
        error_set(error, result, "the database ended the connection");
    return result;
}

int db_run_monitor(struct context *context, struct invocation *invocation, struct error *error)
{
    struct monitor monitor = {.context = context,
                              .has_timestamp = invocation_option(invocation, "--timestamp")};

    if (invocation_option(invocation, "--columns") && invocation->n_args == 1)
        return error_set(error, -EINVAL, "db monitor: --columns needs the name of a table");
    struct ovsdb_session *session = batch_connect(context, error);
    if (session)
        monitor.schema = ovsdb_session_schema(session, error);
    json_t *requests = monitor.schema ? make_requests(monitor.schema, invocation, error) : NULL;
    int result = requests ? follow(&monitor, session, requests, error) : error->code;

    buffer_fini(&monitor.lines);
    ovsdb_session_destroy(session);
    return result;
}
