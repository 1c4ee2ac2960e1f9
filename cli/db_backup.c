/* SPDX-License-Identifier: Apache-2.0 */

/* The file of a backup is Open vSwitch's database file of two records, schema and rows, so that
 * ovsdb-tool(1) and either server read it.
 *
 * Restoring is one transaction of the differences: what is as in the backup stays untouched, and rows
 * keep their UUIDs. */

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/batch.h"
#include "cli/db.h"
#include "cli/process.h"
#include "lib/durable.h"

/* --- backup -------------------------------------------------------------------------------- */

static void put_record_take(struct buffer *file, json_t *json)
{
    struct buffer text = BUFFER_INIT;
    struct table_style style = {.format = TABLE_OBJECTS};
    unsigned char sha1[SHA_DIGEST_LENGTH];

    json_print_take(json, &style, &text);
    SHA1(text.data, text.size, sha1);
    buffer_printf(file, "OVSDB JSON %zu ", text.size);
    for (size_t i = 0; i < sizeof sha1; i++)
        buffer_printf(file, "%02x", sha1[i]);
    buffer_putc(file, '\n');
    buffer_put(file, text.data, text.size);
    buffer_fini(&text);
}

/* Either the whole file is there under its name, or what was there before. */
static int replace_file(const char *path, const struct buffer *file, struct error *error)
{
    char *temporary;
    int result;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        abort();
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        result = -errno;
        free(temporary);
        return error_set_errno(error, result, "cannot write %s", path);
    }
    result = durable_write(fd, file->data, file->size);
    if (!result && (fchmod(fd, 0640) < 0 || fsync(fd) < 0))
        result = -errno;
    if (close(fd) < 0 && !result)
        result = -errno;
    if (!result && rename(temporary, path) < 0)
        result = -errno;
    if (result)
        unlink(temporary);
    else
        result = durable_sync_directory(path);
    free(temporary);
    return result ? error_set_errno(error, result, "cannot write %s", path) : 0;
}

static int put_contents(struct buffer *file, struct ovsdb_session *session,
                        const struct db_schema *schema, struct error *error)
{
    json_t *contents = db_read_contents(session, schema, error), *schema_json, *rows;
    const char *name;
    void *next;

    if (!contents)
        return error->code;
    if (ovsdb_session_call_take(session, "get_schema", json_pack("[s]", schema->name), &schema_json,
                                error)) {
        json_decref(contents);
        return error->code;
    }
    json_object_foreach_safe (contents, next, name, rows) {
        if (!json_object_size(rows))
            json_object_del(contents, name);
    }
    json_object_set_new(contents, "_date", json_integer((json_int_t)time(NULL) * 1000));
    json_object_set_new(contents, "_comment", json_string("weir db backup"));
    put_record_take(file, schema_json);
    put_record_take(file, contents);
    return 0;
}

int db_run_backup(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *path = db_argument(invocation, 0);
    struct ovsdb_session *session = batch_connect(context, error);
    const struct db_schema *schema = session ? ovsdb_session_schema(session, error) : NULL;
    struct buffer file = BUFFER_INIT;
    int result = schema ? put_contents(&file, session, schema, error) : error->code;

    ovsdb_session_destroy(session);
    if (!result && path && strcmp(path, "-"))
        result = replace_file(path, &file, error);
    else if (!result)
        buffer_put(&invocation->output, file.data, file.size);
    buffer_fini(&file);
    return result;
}

/* --- Reading a backup ---------------------------------------------------------------------- */

/* Standard input as a file, for a program that reads files. */
static char *save_input(struct error *error)
{
    const char *directory = getenv("TMPDIR");
    char *path, chunk[1 << 16];
    size_t n;

    if (asprintf(&path, "%s/weir-restore.XXXXXX", directory ? directory : "/tmp") < 0)
        abort();
    int fd = mkostemp(path, O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    while (file && (n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        fwrite(chunk, 1, n, file);
    if (file && !ferror(stdin) && !fclose(file))
        return path;
    error_set_errno(error, -errno, "cannot keep standard input in %s", path);
    if (fd >= 0)
        unlink(path);
    free(path);
    return NULL;
}

/* "OVSDB JSON LENGTH SHA1\n" and the JSON; checksums were verified by who wrote it. */
static json_t *take_record(const char **at)
{
    const char *newline = strchr(*at, '\n');
    size_t n_bytes;

    if (!newline || sscanf(*at, "OVSDB JSON %zu", &n_bytes) != 1 ||
        strnlen(newline + 1, n_bytes) < n_bytes)
        return NULL;
    *at = newline + 1 + n_bytes;
    return json_loadb(newline + 1, n_bytes, 0, NULL);
}

struct backup {
    struct db_schema *schema;
    json_t *contents;
};

static void backup_fini(struct backup *backup)
{
    db_schema_destroy(backup->schema);
    json_decref(backup->contents);
}

/* The server's program reads every kind of database file and writes it as two records. */
static int backup_read_file(struct backup *backup, const char *path, struct error *error)
{
    char *program = process_find_program("ovsdb-lite", error);
    const char *const argv[] = {program, "export", path, NULL};
    struct buffer text = BUFFER_INIT;
    int result = program ? process_run_output(argv, &text, error) : error->code;

    free(program);
    if (result) {
        buffer_fini(&text);
        return error_set(error, result, "%s cannot be restored", shown(path).text);
    }
    const char *at = buffer_text(&text);
    json_t *schema = take_record(&at);
    backup->contents = take_record(&at);
    buffer_fini(&text);
    if (!schema || !(backup->schema = db_schema_parse(schema, error)))
        result = error_set(error, -EPROTO, "%s: no schema in it", shown(path).text);
    if (!backup->contents)
        backup->contents = json_object(); /* An empty database has no rows to write. */
    json_decref(schema);
    return result;
}

static int backup_read(struct backup *backup, const char *path, struct error *error)
{
    char *saved = NULL;

    *backup = (struct backup){.schema = NULL};
    if (!strcmp(path, "-") && !(path = saved = save_input(error)))
        return error->code;
    int result = backup_read_file(backup, path, error);
    if (saved)
        unlink(saved);
    free(saved);
    return result;
}

/* --- restore ------------------------------------------------------------------------------- */

struct restore {
    const struct db_schema *schema; /* The server's. */
    const json_t *backup, *current; /* As db_read_contents() has them. */
    json_t *operations;
    size_t n_changes;
};

static json_t *new_operation(const char *op, const struct table_schema *table)
{
    return json_pack("{s:s, s:s}", "op", op, "table", table->name);
}

static void add_take(struct restore *restore, json_t *operation)
{
    json_array_append_new(restore->operations, operation);
    restore->n_changes++;
}

/* The columns of 'row' that differ from 'current' (NULL: from a new row).  NULL on error. */
static json_t *differing_columns(const struct table_schema *table, const json_t *row,
                                 const json_t *current, struct error *error)
{
    json_t *values = json_object();

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_schema *column = &table->columns[i];
        if (column->is_ephemeral)
            continue;
        struct datum *wanted = db_value(column, row, error);
        struct datum *there = wanted ? db_value(column, current, error) : NULL;
        bool is_known = there;
        if (there && !datum_equal(wanted, there))
            json_object_set_new(values, column->name, datum_to_json(wanted));
        datum_unref(wanted);
        datum_unref(there);
        if (!is_known) {
            json_decref(values);
            error_prefix(error, "table %s, column %s", table->name, column->name);
            return NULL;
        }
    }
    return values;
}

static json_t *where_uuid(const char *uuid)
{
    return json_pack("[[s, s, [s, s]]]", "_uuid", "==", "uuid", uuid);
}

static int restore_row(struct restore *restore, const struct table_schema *table, const char *uuid,
                       const json_t *row, struct error *error)
{
    const json_t *current = json_object_get(json_object_get(restore->current, table->name), uuid);
    json_t *values = differing_columns(table, row, current, error);

    if (!values)
        return error->code;
    if (current && !json_object_size(values)) {
        json_decref(values);
        return 0;
    }
    json_t *operation = new_operation(current ? "update" : "insert", table);
    if (current)
        json_object_set_new(operation, "where", where_uuid(uuid));
    else
        json_object_set_new(operation, "uuid", json_string(uuid));
    json_object_set_new(operation, "row", values);
    add_take(restore, operation);
    return 0;
}

/* What was read must still be all there is when the transaction runs. */
static void expect_rows(struct restore *restore, const struct table_schema *table)
{
    const json_t *rows = json_object_get(restore->current, table->name);
    json_t *wait = new_operation("wait", table), *expected = json_array();
    const char *uuid;
    json_t *row;

    json_object_foreach ((json_t *)rows, uuid, row)
        json_array_append_new(expected, json_pack("{s:[s, s]}", "_uuid", "uuid", uuid));
    json_object_set_new(wait, "timeout", json_integer(0));
    json_object_set_new(wait, "where", json_array());
    json_object_set_new(wait, "columns", json_pack("[s]", "_uuid"));
    json_object_set_new(wait, "until", json_string("=="));
    json_object_set_new(wait, "rows", expected);
    json_array_append_new(restore->operations, wait);
}

static int restore_table(struct restore *restore, const struct table_schema *table,
                         struct error *error)
{
    const json_t *wanted = json_object_get(restore->backup, table->name);
    const json_t *current = json_object_get(restore->current, table->name);
    const char *uuid;
    json_t *row;
    int result = 0;

    expect_rows(restore, table);
    json_object_foreach ((json_t *)current, uuid, row) {
        if (json_object_get(wanted, uuid))
            continue;
        json_t *operation = new_operation("delete", table);
        json_object_set_new(operation, "where", where_uuid(uuid));
        add_take(restore, operation);
    }
    json_object_foreach ((json_t *)wanted, uuid, row) {
        if (!result)
            result = restore_row(restore, table, uuid, row, error);
    }
    return result;
}

/* -EAGAIN: rows came or went between reading and writing. */
static int restore_once(struct context *context, const struct backup *backup,
                        struct ovsdb_session *session, size_t *n_changes, struct error *error)
{
    json_t *results = NULL;
    struct restore restore = {.schema = ovsdb_session_schema(session, error),
                              .backup = backup->contents};
    json_t *current = db_read_contents(session, restore.schema, error);
    int result = current ? 0 : error->code;

    restore.current = current;
    restore.operations = json_array();
    for (size_t i = 0; !result && i < restore.schema->n_tables; i++)
        result = restore_table(&restore, &restore.schema->tables[i], error);
    json_array_append_new(restore.operations,
                          json_pack("{s:s, s:s}", "op", "comment", "comment", "weir db restore"));
    *n_changes = restore.n_changes;
    if (!result && restore.n_changes && !context->options.dry_run)
        result = ovsdb_session_transact_take(session, json_incref(restore.operations), &results,
                                             error);
    json_decref(restore.operations);
    json_decref(results);
    json_decref(current);
    return result;
}

static bool is_same_schema(const struct db_schema *a, const struct db_schema *b)
{
    json_t *one = db_schema_to_json(a), *other = db_schema_to_json(b);

    json_object_del(one, "cksum");
    json_object_del(other, "cksum");
    bool is_same = json_equal(one, other);
    json_decref(one);
    json_decref(other);
    return is_same;
}

enum { RESTORE_MAX_TRIES = 20 };

static int restore_all(struct context *context, struct invocation *invocation,
                       const struct backup *backup, struct ovsdb_session *session,
                       struct error *error)
{
    const struct db_schema *schema = ovsdb_session_schema(session, error);
    size_t n_changes = 0;
    int result = schema ? 0 : error->code;

    if (schema && !invocation_option(invocation, "--force") &&
        !is_same_schema(schema, backup->schema))
        result = error_set(error, -EINVAL,
                           "the schema of the backup is %s %s, that of the database %s %s; --force "
                           "restores what fits",
                           backup->schema->name, backup->schema->version, schema->name,
                           schema->version);
    for (int i = 0; !result && i < RESTORE_MAX_TRIES; i++) {
        result = restore_once(context, backup, session, &n_changes, error);
        if (result != -EAGAIN)
            break;
        result = i + 1 < RESTORE_MAX_TRIES ? 0 : -EAGAIN;
    }
    if (result == -EMSGSIZE)
        error_prefix(error, "too much for one transaction, start ovsdb-lite with a copy of %s",
                     shown(db_argument(invocation, 0)).text);
    if (result == -EAGAIN)
        error_set(error, result, "others change the database all the time; stop vswitchd first");
    if (!result)
        context_print_value_take(context, invocation,
                                 json_sprintf("%zu rows added, changed or deleted", n_changes));
    return result;
}

int db_run_restore(struct context *context, struct invocation *invocation, struct error *error)
{
    struct backup backup;
    int result = backup_read(&backup, db_argument(invocation, 0), error);
    struct ovsdb_session *session = result ? NULL : batch_connect(context, error);

    if (session)
        result = restore_all(context, invocation, &backup, session, error);
    else if (!result)
        result = error->code;
    ovsdb_session_destroy(session);
    backup_fini(&backup);
    return result;
}
