/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ovsdb-lite/convert.h"
#include "ovsdb-lite/journal_format.h"
#include "ovsdb-lite/ovs_log.h"
#include "ovsdb-lite/ovs_record.h"
#include "ovsdb-lite/record.h"

/* --- The file ------------------------------------------------------------------------------ */

static int open_file(const char *path, struct stat *status, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), result;

    if (fd < 0)
        return errno == ELOOP ? error_set(error, -ELOOP, "%s: is a symbolic link", path)
                              : error_set_errno(error, -errno, "%s: cannot open", path);
    if (fstat(fd, status) < 0)
        result = error_set_errno(error, -errno, "%s", path);
    else if (!S_ISREG(status->st_mode))
        result = error_set(error, -EINVAL, "%s: not a regular file", path);
    else
        return fd;
    close(fd);
    return result;
}

bool saved_is_foreign(const char *path)
{
    char head[32];
    struct stat status;
    int fd = open_file(path, &status, NULL);
    ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);

    if (fd >= 0)
        close(fd);
    return n > 0 && (ovs_log_is_one(head, (size_t)n) || ovs_log_is_clustered(head, (size_t)n));
}

/* Not mapped: a server may cut the file while it is read. */
static int read_image(struct saved *saved, struct error *error)
{
    struct stat status;
    int fd = open_file(saved->path, &status, error), result = 0;
    size_t size = fd < 0 ? 0 : (size_t)status.st_size;

    if (fd < 0)
        return error->code;
    if (!(saved->image = malloc(size + 1)))
        result = error_set_errno(error, -ENOMEM, "%s: cannot read", saved->path);
    while (!result && saved->n_bytes < size) {
        ssize_t n = read(fd, saved->image + saved->n_bytes, size - saved->n_bytes);
        if (!n)
            break;
        if (n > 0)
            saved->n_bytes += (size_t)n;
        else if (errno != EINTR)
            result = error_set_errno(error, -errno, "%s: cannot read", saved->path);
    }
    close(fd);
    return result;
}

int saved_open(struct saved *saved, const char *path, struct error *error)
{
    *saved = (struct saved){.path = path, .limit = UINT64_MAX};
    int result = read_image(saved, error);

    if (!result && ovs_log_is_clustered(saved->image, saved->n_bytes))
        result = error_set(error, -EOPNOTSUPP,
                           "%s: a clustered database of Open vSwitch; only standalone ones can be "
                           "read (ovsdb-tool cluster-to-standalone makes one of it)",
                           path);
    if (result)
        saved_fini(saved);
    else if (ovs_log_is_one(saved->image, saved->n_bytes))
        saved->format = SAVED_OVS;
    return result;
}

static void forget_rows(struct saved *saved)
{
    database_destroy(saved->db);
    free(saved->last_comment);
    saved->db = NULL;
    saved->last_comment = NULL;
    saved->n_records = saved->n_transactions = saved->n_skipped = 0;
    saved->last_ms = 0;
}

void saved_fini(struct saved *saved)
{
    forget_rows(saved);
    free(saved->image);
    saved->image = NULL;
}

/* --- Records ------------------------------------------------------------------------------- */

static int read_schema(struct saved *saved, const json_t *json, struct error *error)
{
    struct db_schema *schema =
        db_schema_parse(saved->format == SAVED_OVS ? json : json_object_get(json, "schema"), error);

    if (!schema)
        return error_prefix(error, "schema");
    saved->db = database_create_take(schema);
    return 0;
}

static void note_transaction(struct saved *saved, const json_t *json)
{
    bool is_ovs = saved->format == SAVED_OVS;
    const json_t *time = json_object_get(json, is_ovs ? "_date" : "time");
    const char *comment = json_string_value(json_object_get(json, is_ovs ? "_comment" : "comment"));

    if (!json_is_integer(time) && !is_ovs)
        return; /* Rows that a rewritten file begins with. */
    saved->n_transactions++;
    saved->last_ms = json_integer_value(time);
    free(saved->last_comment);
    saved->last_comment = comment ? strdup(comment) : NULL;
}

int saved_apply(struct saved *saved, const char *body, size_t n_bytes, uint64_t number,
                struct error *error)
{
    json_error_t json_error;
    json_t *json = json_loadb(body, n_bytes, JSON_REJECT_DUPLICATES, &json_error);
    int result;

    if (!json)
        return error_set(error, -EBADMSG, "%s", json_error.text);
    if (!number)
        result = read_schema(saved, json, error);
    else if (saved->format == SAVED_OVS)
        result = ovs_record_apply(saved->db, json, error);
    else
        result = record_apply(saved->db, json, &saved->n_skipped, error);
    if (!result && number)
        note_transaction(saved, json);
    json_decref(json);
    return result;
}

static int on_record(const char *body, size_t n_bytes, uint64_t number, void *aux,
                     struct error *error)
{
    const struct saved *saved = aux;

    if (number >= saved->limit)
        return error_set(error, -ECANCELED, "not wanted");
    return saved_apply(aux, body, n_bytes, number, error);
}

void saved_read(struct saved *saved)
{
    saved->why = (struct error)ERROR_INIT;
    saved->verdict = (saved->format == SAVED_OVS ? ovs_log_judge : journal_judge)(
        saved->image, saved->n_bytes, on_record, saved, &saved->n_good, &saved->n_records,
        &saved->why);
    if (!saved->db && saved->verdict != JOURNAL_DAMAGED) {
        saved->verdict = JOURNAL_DAMAGED;
        error_set(&saved->why, -EBADMSG, "record 0, the schema, is missing at offset %zu",
                  saved->n_good);
    }
}

int saved_check(const struct saved *saved, struct error *error)
{
    struct db_error why = DB_ERROR_INIT;

    for (size_t t = 0; t < saved->db->schema->n_tables; t++) {
        const struct table *table = &saved->db->tables[t];
        const struct row *row;

        FOR_EACH_ROW(row, table)
        for (size_t i = 0; i < table->schema->n_columns; i++) {
            const struct column_schema *column = &table->schema->columns[i];
            const struct datum *datum = row->data->columns[i];
            /* What nobody set may be outside of the range. */
            if (!datum_equal(datum, column->default_value) &&
                column_type_check(&column->type, datum, error))
                return error_prefix(error, "table %s column %s", table->schema->name, column->name);
        }
    }
    struct database *copy = convert_database(saved->db, saved->db->schema_json, &why);
    if (!copy)
        return error_set(error, -EBADMSG, "%s", why.details);
    database_destroy(copy);
    return 0;
}

struct database *saved_take_database(struct saved *saved)
{
    struct database *db = saved->db;

    saved->db = NULL;
    return db;
}

/* --- Salvage ------------------------------------------------------------------------------- */

struct found {
    struct journal_record *records;
    size_t n, n_allocated;
};

static void find_all(const struct saved *saved, uint32_t file_id, struct found *found)
{
    struct journal_record record;

    for (size_t offset = JOURNAL_HEAD_BYTES;
         journal_find_record(saved->image, saved->n_bytes, offset, file_id, &record);
         offset = record.offset + record.n_bytes) {
        if (found->n == found->n_allocated) {
            found->n_allocated = 2 * found->n_allocated + 64;
            found->records = reallocarray(found->records, found->n_allocated,
                                          sizeof *found->records);
            if (!found->records)
                abort();
        }
        found->records[found->n++] = record;
    }
}

static int compare_numbers(const void *a, const void *b)
{
    const struct journal_record *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool is_same(const struct journal_record *a, const struct journal_record *b)
{
    return a->body_bytes == b->body_bytes && !memcmp(a->body, b->body, a->body_bytes);
}

/* Stops before the first number that is missing, that two different records claim, or whose record
 * cannot be applied. */
static void apply_in_order(struct saved *saved, const struct found *found)
{
    for (size_t i = 0; i < found->n && saved->n_records < saved->limit; i++) {
        const struct journal_record *record = &found->records[i], *next = record + 1;

        if (record->number < saved->n_records)
            continue; /* A second copy. */
        if (record->number > saved->n_records ||
            (i + 1 < found->n && next->number == record->number && !is_same(record, next)) ||
            saved_apply(saved, record->body, record->body_bytes, record->number, &saved->why))
            return;
        saved->n_records++;
    }
}

static void salvage_ours(struct saved *saved)
{
    struct found found = {.n = 0};
    uint32_t file_id;

    if (!journal_parse_head(saved->image, saved->n_bytes, &file_id) &&
        !(journal_mend_head(saved->image, saved->n_bytes) &&
          journal_parse_head(saved->image, saved->n_bytes, &file_id)))
        return;
    find_all(saved, file_id, &found);
    if (found.n)
        qsort(found.records, found.n, sizeof *found.records, compare_numbers);
    apply_in_order(saved, &found);
    free(found.records);
}

void saved_salvage(struct saved *saved)
{
    void (*const salvage)(struct saved *) = saved->format == SAVED_OVS ? saved_read : salvage_ours;

    forget_rows(saved);
    salvage(saved);
    /* Again without the record that stopped it, which may have been applied by half. */
    saved->limit = saved->n_records;
    forget_rows(saved);
    salvage(saved);
    saved->limit = UINT64_MAX;
}
