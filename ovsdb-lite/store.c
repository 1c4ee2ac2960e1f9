/* SPDX-License-Identifier: Apache-2.0 */

/* A new file and a compacted one are the same thing: the schema, then all rows. */

#include "ovsdb-lite/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "ovsdb-lite/aside.h"
#include "ovsdb-lite/convert.h"
#include "ovsdb-lite/import.h"
#include "ovsdb-lite/journal.h"
#include "ovsdb-lite/record.h"
#include "ovsdb-lite/rewrite.h"
#include "ovsdb-lite/saved.h"
#include "ovsdb-lite/schema_version.h"

LOG_MODULE(store);

enum { MIN_COMPACTION_BYTES = 16 << 20, COMPACTION_FACTOR = 4 };

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
    size_t n_skipped;
};

static int load_schema(struct loading *loading, const json_t *json, struct error *error)
{
    struct db_schema *schema = db_schema_parse(json, error);

    if (!schema)
        return error_prefix(error, "schema");
    loading->store->db = database_create_take(schema);
    return 0;
}

static int load_record(const char *body, size_t n_bytes, uint64_t number, void *aux,
                       struct error *error)
{
    struct loading *loading = aux;
    json_error_t json_error;
    json_t *json = json_loadb(body, n_bytes, JSON_REJECT_DUPLICATES, &json_error);
    int result;

    if (!json)
        return error_set(error, -EBADMSG, "%s", json_error.text);
    if (!number)
        result = load_schema(loading, json_object_get(json, "schema"), error);
    else
        result = record_apply(loading->store->db, json, &loading->n_skipped, error);
    json_decref(json);
    return result;
}

/* --- Writing a file without history -------------------------------------------------------- */

static int write_whole(struct store *store, struct error *error)
{
    struct journal *journal = journal_create(store->path, store->journal, error);

    if (!journal)
        return error->code;
    int result = rewrite_append_all(store->db, journal, error);
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

/* Gives the rows the wanted schema; the old file stays beside the new one. */
static int convert(struct store *store, const json_t *wanted, struct error *error)
{
    struct db_error why = DB_ERROR_INIT;
    struct database *db = convert_database(store->db, wanted, &why);
    char *suffix, *kept = NULL;

    if (!db)
        return error_set(error, -EBADMSG, "%s: %s", store->path, why.details);
    if (asprintf(&suffix, "backup-%s", store->db->schema->version) < 0)
        abort();
    int result = aside_keep(store->path, suffix, &kept, error);
    if (!result)
        result = store_exchange_database(store, &db, error);
    if (!result)
        log_info("%s: converted from schema %s to %s, the old file is %s", store->path,
                 db->schema->version, store->db->schema->version, kept);
    database_destroy(db);
    free(kept);
    free(suffix);
    return result;
}

static int finish_loading(struct store *store, const json_t *wanted, struct error *error)
{
    struct db_error why = DB_ERROR_INIT;

    if (!store->db)
        return error_set(error, -EBADMSG, "%s: record 0, the schema, is missing", store->path);
    store->compact_bytes = journal_size_bytes(store->journal);
    if (!database_account_all(store->db, &why))
        return error_set(error, -EBADMSG, "%s: %s", store->path, why.details);
    if (wanted && schema_is_outdated(store->db->schema, wanted))
        return convert(store, wanted, error);
    /* Each start is a chance to forget history; small files are not worth a rewrite. */
    struct error trouble = ERROR_INIT;
    if (journal_size_bytes(store->journal) > MIN_COMPACTION_BYTES && store_compact(store, &trouble))
        log_warn("cannot compact: %s", trouble.message);
    return 0;
}

static int open_own(struct store *store, const json_t *schema_json, struct error *error)
{
    struct loading loading = {.store = store};

    store->journal = journal_open(store->path, load_record, &loading, error);
    if (store->journal)
        return finish_loading(store, schema_json, error);
    if (error->code == -ENOENT && schema_json)
        return create_file(store, schema_json, error);
    return error->code;
}

static int open_foreign(struct store *store, const json_t *schema_json, struct error *error)
{
    int result = import_file(store->path, schema_json, &store->db, &store->journal, error);

    if (!result)
        store->compact_bytes = journal_size_bytes(store->journal);
    return result;
}

struct store *store_open(const char *path, const json_t *schema_json, struct error *error)
{
    struct store *store = store_new(path);

    if (!(saved_is_foreign(path) ? open_foreign : open_own)(store, schema_json, error))
        return store;
    store_close(store);
    return NULL;
}

/* --- Running ------------------------------------------------------------------------------- */

int store_write(struct store *store, const struct txn *txn, const char *comment,
                struct error *error)
{
    json_t *record = store->journal ? record_of_txn(txn, comment) : NULL;

    return record ? rewrite_append_take(store->journal, record, error) : 0;
}

int store_sync(struct store *store, struct error *error)
{
    return store->journal ? journal_sync(store->journal, error) : 0;
}

int store_revert(struct store *store, struct error *error)
{
    struct database *old = store->db;
    struct loading loading = {.store = store};
    struct db_error why = DB_ERROR_INIT;

    store->db = NULL;
    int result = journal_read_durable(store->journal, load_record, &loading, error);
    if (!result && !database_account_all(store->db, &why))
        result = error_set(error, -EBADMSG, "%s: %s", store->path, why.details);
    database_destroy(result ? store->db : old);
    if (result)
        store->db = old;
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
