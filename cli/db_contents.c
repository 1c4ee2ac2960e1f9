/* SPDX-License-Identifier: Apache-2.0 */

/* A whole database in one reading, and whether it is sound.
 *
 * The first contents of a monitor_cond leave defaults out, which makes them a tenth of what "select"
 * sends. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/control.h"
#include "cli/db.h"
#include "cli/process.h"

static json_t *lasting_columns(const struct table_schema *table)
{
    json_t *columns = json_array();

    for (size_t i = 0; i < table->n_columns; i++)
        if (!table->columns[i].is_ephemeral)
            json_array_append_new(columns, json_string(table->columns[i].name));
    return columns;
}

json_t *db_read_contents(struct ovsdb_session *session, const struct db_schema *schema,
                         struct error *error)
{
    json_t *requests = json_object(), *answer, *contents;
    const char *name, *uuid;
    json_t *rows, *row;

    for (size_t i = 0; i < schema->n_tables; i++)
        json_object_set_new(requests, schema->tables[i].name,
                            json_pack("[{s:o, s:{s:b, s:b, s:b, s:b}}]", "columns",
                                      lasting_columns(&schema->tables[i]), "select", "initial", 1,
                                      "insert", 0, "delete", 0, "modify", 0));
    if (ovsdb_session_call_take(session, "monitor_cond",
                                json_pack("[s, s, o]", schema->name, "contents", requests), &answer,
                                error))
        return NULL;
    contents = json_object();
    json_object_foreach (answer, name, rows) {
        json_t *table = json_object();
        json_object_foreach (rows, uuid, row) {
            json_t *values = json_object_get(row, "initial");
            json_object_set_new(table, uuid, values ? json_incref(values) : json_object());
        }
        json_object_set_new(contents, name, table);
    }
    json_decref(answer);
    json_decref(ovsdb_session_call_take(session, "monitor_cancel", json_pack("[s]", "contents"),
                                        &answer, NULL)
                    ? NULL
                    : answer);
    return contents;
}

struct datum *db_value(const struct column_schema *column, const json_t *row, struct error *error)
{
    const json_t *json = json_object_get(row, column->name);
    struct error unwanted = ERROR_INIT;
    struct datum *datum;

    if (!json)
        return datum_ref(column->default_value);
    if (!datum_from_json(&column->type, json, NULL, NULL, &datum, error ? error : &unwanted))
        return datum;
    return NULL;
}

/* --- check --------------------------------------------------------------------------------- */

static int check_reference(const json_t *contents, const struct base_type *base,
                           const union atom *atom, struct error *error)
{
    char text[UUID_TEXT_BYTES];

    if (base->type != ATOM_UUID || !base->ref_table || base->ref_type != REF_STRONG)
        return 0;
    uuid_format(&atom->uuid, text);
    if (json_object_get(json_object_get(contents, base->ref_table), text))
        return 0;
    return error_set(error, -EINVAL, "refers to row %s of %s, which does not exist", text,
                     base->ref_table);
}

static int check_value(const json_t *contents, const struct column_schema *column,
                       const json_t *row, struct error *error)
{
    struct datum *datum = db_value(column, row, error);
    int result = datum ? 0 : error->code;

    for (size_t i = 0; !result && i < datum->n; i++) {
        result = check_reference(contents, &column->type.key, &datum->keys[i], error);
        if (!result && datum->values)
            result = check_reference(contents, &column->type.value, &datum->values[i], error);
    }
    datum_unref(datum);
    return result ? error_prefix(error, "column %s", column->name) : 0;
}

static int check_table(const json_t *contents, const struct table_schema *table,
                       struct error *error)
{
    const json_t *rows = json_object_get(contents, table->name);
    const char *uuid;
    json_t *row;

    if (json_object_size(rows) > table->max_rows)
        return error_set(error, -ERANGE, "table %s has %zu rows, and may have %u", table->name,
                         json_object_size(rows), table->max_rows);
    json_object_foreach ((json_t *)rows, uuid, row) {
        for (size_t i = 0; i < table->n_columns; i++)
            if (check_value(contents, &table->columns[i], row, error) < 0)
                return error_prefix(error, "table %s, row %s", table->name, uuid);
    }
    return 0;
}

static int check_server(struct context *context, struct invocation *invocation, struct error *error)
{
    struct ovsdb_session *session = batch_connect(context, error);
    const struct db_schema *schema = session ? ovsdb_session_schema(session, error) : NULL;
    json_t *contents = schema ? db_read_contents(session, schema, error) : NULL;
    int result = contents ? 0 : error->code;
    size_t n_rows = 0;

    for (size_t i = 0; !result && i < schema->n_tables; i++) {
        result = check_table(contents, &schema->tables[i], error);
        n_rows += json_object_size(json_object_get(contents, schema->tables[i].name));
    }
    if (!result)
        context_print_value_take(context, invocation,
                                 json_sprintf("%s %s: %zu rows in %zu tables, sound", schema->name,
                                              schema->version, n_rows, schema->n_tables));
    json_decref(contents);
    ovsdb_session_destroy(session);
    return result;
}

/* Files are the server program's to judge; it need not run for that. */
int db_run_check(struct context *context, struct invocation *invocation, struct error *error)
{
    size_t n_files = invocation->n_args - 1;

    if (!n_files)
        return check_server(context, invocation, error);
    const char **argv = calloc(n_files + 3, sizeof *argv);
    char *program = process_find_program("ovsdb-lite", error);
    if (!argv)
        abort();
    argv[0] = program;
    argv[1] = "check";
    for (size_t i = 0; i < n_files; i++)
        argv[i + 2] = db_argument(invocation, i);
    int result = program ? process_run_output(argv, &invocation->output, error) : error->code;
    if (program && result)
        error_set(error, result, "not all of these files are sound");
    free(argv);
    free(program);
    return result;
}
