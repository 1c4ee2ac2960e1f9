/* SPDX-License-Identifier: Apache-2.0 */

/* A new file and a compacted one are the same thing: the schema, then all rows. */

#include "ovsdb-lite/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "ovsdb-lite/journal.h"
#include "ovsdb-lite/record.h"

LOG_MODULE(store);

enum { ROWS_A_RECORD = 1000, MIN_COMPACTION_BYTES = 16 << 20, COMPACTION_FACTOR = 4 };

struct store {
    char *path;
    struct database *db;
    struct journal *journal; /* NULL: in memory. */
    uint64_t compact_bytes;  /* Size of the file when it had no history. */
};

static struct store *store_new(const char *path)
{
    struct store *store = calloc(1, sizeof *store);

    if (!store)
        abort();
    store->path = path ? strdup(path) : NULL;
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    journal_close(store->journal);
    database_destroy(store->db);
    free(store->path);
    free(store);
}

struct database *store_database(const struct store *store)
{
    return store->db;
}

struct store *store_create_in_memory_take(struct db_schema *schema)
{
    struct store *store = store_new(NULL);

    store->db = database_create_take(schema);
    return store;
}

/* --- Loading ------------------------------------------------------------------------------- */

struct loading {
    struct store *store;
    const json_t *wanted; /* The schema to convert to, if the file's is older. */
    char *old_version;    /* Of the file, if it is to be converted. */
    size_t n_skipped;
};

/* As for "8.3.1": -1, 0 or 1. */
static int compare_versions(const char *a, const char *b)
{
    int x[3] = {0}, y[3] = {0};

    sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2]);
    sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2]);
    for (int i = 0; i < 3; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

/* An older version of the wanted schema gives way to it.  Any other schema has come by conversion
 * or from somebody else: the file is served as it is. */
static bool is_outdated(const struct db_schema *in_file, const struct db_schema *wanted)
{
    return !strcmp(in_file->name, wanted->name) && *in_file->version &&
           compare_versions(in_file->version, wanted->version) < 0;
}

static int choose_schema(struct loading *loading, const json_t *in_file, struct error *error)
{
    struct db_schema *schema = db_schema_parse(in_file, error);
    struct db_schema *wanted = NULL;

    if (!schema)
        return error_prefix(error, "schema");
    if (loading->wanted && !(wanted = db_schema_parse(loading->wanted, error))) {
        db_schema_destroy(schema);
        return error_prefix(error, "wanted schema");
    }
    if (!wanted || !is_outdated(schema, wanted)) {
        db_schema_destroy(wanted);
        loading->store->db = database_create_take(schema);
        return 0;
    }
    loading->old_version = strdup(schema->version);
    db_schema_destroy(schema);
    loading->store->db = database_create_take(wanted);
    return 0;
}

static int load_record(const char *body, size_t n_bytes, uint64_t number, void *aux,
                       struct error *error)
{
    struct loading *loading = aux;
    json_error_t json_error;
    json_t *json = json_loadb(body, n_bytes, 0, &json_error);
    int result;

    if (!json)
        return error_set(error, -EBADMSG, "%s", json_error.text);
    if (!number)
        result = choose_schema(loading, json_object_get(json, "schema"), error);
    else
        result = record_apply(loading->store->db, json, &loading->n_skipped, error);
    json_decref(json);
    return result;
}

/* --- Writing a file without history -------------------------------------------------------- */

static int append_json_take(struct journal *journal, json_t *json, struct error *error)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    if (!text)
        abort();
    int result = journal_append(journal, text, strlen(text), error);
    free(text);
    return result;
}

static int append_rows(const struct database *db, struct journal *journal, struct error *error)
{
    json_t *record = json_object();
    size_t n = 0;
    int result = 0;

    for (size_t t = 0; !result && t < db->schema->n_tables; t++) {
        struct row *row;

        FOR_EACH_ROW(row, &db->tables[t])
        {
            record_add_insert(record, row->table->schema, &row->uuid, row->data);
            if (++n % ROWS_A_RECORD)
                continue;
            result = append_json_take(journal, record, error);
            record = json_object();
            if (result)
                break;
        }
    }
    if (!result && json_object_size(record))
        return append_json_take(journal, record, error);
    json_decref(record);
    return result;
}

static int write_whole(struct store *store, struct error *error)
{
    struct journal *journal = journal_create(store->path, store->journal, error);

    if (!journal)
        return error->code;
    json_t *first = json_pack("{s:O}", "schema", store->db->schema_json);
    int result = append_json_take(journal, first, error);
    if (!result)
        result = append_rows(store->db, journal, error);
    if (!result)
        result = journal_publish(journal, store->journal, error);
    if (result) {
        journal_close(journal);
        return result;
    }
    journal_close(store->journal);
    store->journal = journal;
    store->compact_bytes = journal_size_bytes(journal);
    return 0;
}

int store_exchange_database(struct store *store, struct database **db, struct error *error)
{
    struct database *old = store->db;

    store->db = *db;
    int result = store->journal ? write_whole(store, error) : 0;
    if (result)
        store->db = old;
    else
        *db = old;
    return result;
}

int store_compact(struct store *store, struct error *error)
{
    if (!store->journal)
        return 0;
    uint64_t before = journal_size_bytes(store->journal);
    int result = write_whole(store, error);
    if (result)
        store->compact_bytes = before; /* Not again before the file has grown a good deal more. */
    else
        log_info("%s: compacted from %llu to %llu bytes", store->path, (unsigned long long)before,
                 (unsigned long long)store->compact_bytes);
    return result;
}

bool store_wants_compaction(const struct store *store)
{
    uint64_t size = store_file_bytes(store);

    return size > MIN_COMPACTION_BYTES && size / COMPACTION_FACTOR > store->compact_bytes;
}

/* --- Opening ------------------------------------------------------------------------------- */

/* `ovs-vsctl init` would make the same row. */
static void add_root_row(struct database *db)
{
    struct table *table = database_table(db, "Open_vSwitch");
    struct uuid uuid;

    if (!table || !table->schema->is_root || table->schema->max_rows != 1)
        return;
    uuid_generate(&uuid);
    table_add_row_take(table, &uuid, row_data_create(table->schema));
}

static int create_file(struct store *store, const json_t *schema_json, struct error *error)
{
    struct db_schema *schema = db_schema_parse(schema_json, error);

    if (!schema)
        return error_prefix(error, "schema");
    store->db = database_create_take(schema);
    add_root_row(store->db);
    int result = write_whole(store, error);
    if (!result)
        log_info("%s: created, schema %s %s", store->path, schema->name, schema->version);
    return result;
}

int store_create_file(const char *path, const json_t *schema_json, struct error *error)
{
    struct store *store = store_new(path);
    int result = create_file(store, schema_json, error);

    store_close(store);
    return result;
}

static int convert(struct store *store, const struct loading *loading, struct error *error)
{
    char *backup;

    if (asprintf(&backup, "%s.backup-%s", store->path, loading->old_version) < 0)
        abort();
    int result = link(store->path, backup) < 0 && errno != EEXIST
                     ? error_set_errno(error, -errno, "%s: cannot keep the old file", backup)
                     : store_compact(store, error);
    if (!result)
        log_info("%s: converted from schema %s to %s (%zu values left out), the old file is %s",
                 store->path, loading->old_version, store->db->schema->version, loading->n_skipped,
                 backup);
    free(backup);
    return result;
}

static int finish_loading(struct store *store, const struct loading *loading, struct error *error)
{
    struct db_error why = DB_ERROR_INIT;

    store->compact_bytes = journal_size_bytes(store->journal);
    if (!database_account_all(store->db, &why))
        return error_set(error, -EBADMSG, "%s: %s", store->path, why.details);
    if (loading->old_version)
        return convert(store, loading, error);
    /* Each start is a chance to forget history; small files are not worth a rewrite. */
    struct error trouble = ERROR_INIT;
    if (journal_size_bytes(store->journal) > MIN_COMPACTION_BYTES && store_compact(store, &trouble))
        log_warn("cannot compact: %s", trouble.message);
    return 0;
}

struct store *store_open(const char *path, const json_t *schema_json, struct error *error)
{
    struct store *store = store_new(path);
    struct loading loading = {.store = store, .wanted = schema_json};
    int result = 0;

    store->journal = journal_open(path, load_record, &loading, error);
    if (store->journal)
        result = finish_loading(store, &loading, error);
    else if (error->code == -ENOENT && schema_json)
        result = create_file(store, schema_json, error);
    else
        result = error->code;
    free(loading.old_version);
    if (result) {
        store_close(store);
        return NULL;
    }
    return store;
}

/* --- Running ------------------------------------------------------------------------------- */

int store_write(struct store *store, const struct txn *txn, const char *comment,
                struct error *error)
{
    json_t *record = store->journal ? record_of_txn(txn, comment) : NULL;

    return record ? append_json_take(store->journal, record, error) : 0;
}

int store_sync(struct store *store, struct error *error)
{
    return store->journal ? journal_sync(store->journal, error) : 0;
}

int store_revert(struct store *store, struct error *error)
{
    json_t *schema_json = json_incref(store->db->schema_json);
    struct database *old = store->db;
    struct loading loading = {.store = store, .wanted = schema_json};
    struct db_error why = DB_ERROR_INIT;

    store->db = NULL;
    int result = journal_read_durable(store->journal, load_record, &loading, error);
    if (!result && !database_account_all(store->db, &why))
        result = error_set(error, -EBADMSG, "%s: %s", store->path, why.details);
    if (result) {
        database_destroy(store->db);
        store->db = old;
    } else {
        database_destroy(old);
    }
    free(loading.old_version);
    json_decref(schema_json);
    return result;
}

bool store_needs_sync(const struct store *store)
{
    return store->journal && journal_needs_sync(store->journal);
}

uint64_t store_file_bytes(const struct store *store)
{
    return store->journal ? journal_size_bytes(store->journal) : 0;
}

uint64_t store_n_records(const struct store *store)
{
    return store->journal ? journal_n_records(store->journal) : 0;
}
