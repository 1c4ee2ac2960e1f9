/* SPDX-License-Identifier: Apache-2.0 */

/* Indexes are chained hash tables; a row's links for all of them are one small array. */

#include "ovsdb-lite/database.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* --- Contents ------------------------------------------------------------------------------ */

static struct row_data *row_data_alloc(const struct table_schema *table)
{
    struct row_data *data = must(malloc(sizeof *data + table->n_columns * sizeof data->columns[0]));

    data->n_refs = 1;
    return data;
}

struct row_data *row_data_create(const struct table_schema *table)
{
    struct row_data *data = row_data_alloc(table);

    uuid_generate(&data->version);
    for (size_t i = 0; i < table->n_columns; i++)
        data->columns[i] = datum_ref(table->columns[i].default_value);
    return data;
}

struct row_data *row_data_clone(const struct table_schema *table, const struct row_data *data)
{
    struct row_data *clone = row_data_alloc(table);

    clone->version = data->version;
    for (size_t i = 0; i < table->n_columns; i++)
        clone->columns[i] = datum_ref(data->columns[i]);
    return clone;
}

struct row_data *row_data_ref(struct row_data *data)
{
    if (data)
        data->n_refs++;
    return data;
}

void row_data_unref(const struct table_schema *table, struct row_data *data)
{
    if (!data || --data->n_refs)
        return;
    for (size_t i = 0; i < table->n_columns; i++)
        datum_unref(data->columns[i]);
    free(data);
}

/* --- Tables -------------------------------------------------------------------------------- */

static void table_init(struct table *table, struct database *db, const struct table_schema *schema)
{
    table->schema = schema;
    table->db = db;
    table->indexes = must(calloc(schema->n_indexes + 1, sizeof *table->indexes));
    for (size_t i = 0; i < schema->n_indexes; i++) {
        table->indexes[i].columns = schema->indexes[i];
        table->indexes[i].n_buckets = 16;
        table->indexes[i].buckets = must(calloc(16, sizeof(struct row *)));
    }
    table->key_refs = must(calloc(schema->n_columns + 1, sizeof *table->key_refs));
    table->value_refs = must(calloc(schema->n_columns + 1, sizeof *table->value_refs));
    for (size_t i = 0; i < schema->n_columns; i++) {
        const struct column_type *type = &schema->columns[i].type;
        if (type->key.ref_table)
            table->key_refs[i] = database_table(db, type->key.ref_table);
        if (type->value.ref_table)
            table->value_refs[i] = database_table(db, type->value.ref_table);
    }
}

static void row_free(struct row *row)
{
    struct weak_ref *ref, *next;

    cds_list_for_each_entry_safe (ref, next, &row->weak_refs, node)
        free(ref);
    row_data_unref(row->table->schema, row->data);
    free(row->index_next);
    free(row);
}

static void table_fini(struct table *table)
{
    struct row *row, *next;

    HASH_ITER (by_uuid, table->rows, row, next) {
        HASH_DELETE(by_uuid, table->rows, row);
        row_free(row);
    }
    for (size_t i = 0; i < table->schema->n_indexes; i++)
        free(table->indexes[i].buckets);
    free(table->indexes);
    free(table->key_refs);
    free(table->value_refs);
}

struct database *database_create_take(struct db_schema *schema)
{
    struct database *db = must(calloc(1, sizeof *db));

    db->schema = schema;
    db->schema_json = db_schema_to_json(schema);
    if (getrandom(&db->hash_basis, sizeof db->hash_basis, 0) < 0)
        abort();
    uuid_generate(&db->last_txn_id);
    db->tables = must(calloc(schema->n_tables + 1, sizeof *db->tables));
    for (size_t i = 0; i < schema->n_tables; i++)
        table_init(&db->tables[i], db, &schema->tables[i]);
    return db;
}

void database_destroy(struct database *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->schema->n_tables; i++)
        table_fini(&db->tables[i]);
    free(db->tables);
    json_decref(db->schema_json);
    db_schema_destroy(db->schema);
    free(db);
}

struct table *database_table(const struct database *db, const char *name)
{
    const struct table_schema *schema = db_schema_table(db->schema, name);

    return schema ? &db->tables[schema->index] : NULL;
}

struct row *table_row_even_deleted(const struct table *table, const struct uuid *uuid)
{
    struct row *row;

    HASH_FIND(by_uuid, table->rows, uuid, sizeof *uuid, row);
    return row;
}

struct row *table_row(const struct table *table, const struct uuid *uuid)
{
    struct row *row = table_row_even_deleted(table, uuid);

    return row && !row->is_deleted ? row : NULL;
}

struct row *table_add_row_take(struct table *table, const struct uuid *uuid, struct row_data *data)
{
    struct row *row = must(calloc(1, sizeof *row));

    row->uuid = *uuid;
    row->table = table;
    row->data = data;
    CDS_INIT_LIST_HEAD(&row->weak_refs);
    if (table->schema->n_indexes)
        row->index_next = must(calloc(table->schema->n_indexes, sizeof *row->index_next));
    HASH_ADD(by_uuid, table->rows, uuid, sizeof row->uuid, row);
    table->n_rows++;
    return row;
}

void table_remove_row(struct row *row)
{
    HASH_DELETE(by_uuid, row->table->rows, row);
    row_free(row);
}

/* --- Indexes ------------------------------------------------------------------------------- */

static uint32_t hash_columns(const struct database *db, struct column_schema *const *columns,
                             const struct row *row)
{
    uint32_t hash = db->hash_basis;

    for (; *columns; columns++)
        hash = datum_hash(row->data->columns[(*columns)->index], hash);
    return hash;
}

static struct row **bucket_of(const struct table *table, size_t i, uint32_t hash)
{
    struct index *index = &table->indexes[i];

    return &index->buckets[hash & (index->n_buckets - 1)];
}

static void index_grow(struct table *table, size_t i)
{
    struct index *index = &table->indexes[i];
    struct row **old = index->buckets;
    size_t n_old = index->n_buckets;

    index->n_buckets *= 2;
    index->buckets = must(calloc(index->n_buckets, sizeof *index->buckets));
    for (size_t b = 0; b < n_old; b++) {
        for (struct row *row = old[b], *next; row; row = next) {
            next = row->index_next[i];
            struct row **bucket = bucket_of(table, i, hash_columns(table->db, index->columns, row));
            row->index_next[i] = *bucket;
            *bucket = row;
        }
    }
    free(old);
}

void index_add(struct table *table, size_t i, struct row *row)
{
    struct index *index = &table->indexes[i];

    struct row **bucket = bucket_of(table, i, hash_columns(table->db, index->columns, row));
    row->index_next[i] = *bucket;
    *bucket = row;
    if (++index->n_entries > index->n_buckets)
        index_grow(table, i);
}

void index_remove(struct table *table, size_t i, struct row *row)
{
    struct index *index = &table->indexes[i];
    struct row **link = bucket_of(table, i, hash_columns(table->db, index->columns, row));

    while (*link != row)
        link = &(*link)->index_next[i];
    *link = row->index_next[i];
    index->n_entries--;
}

static bool columns_equal(struct column_schema *const *columns, const struct row *a,
                          const struct row *b)
{
    for (; *columns; columns++) {
        size_t c = (*columns)->index;
        if (!datum_equal(a->data->columns[c], b->data->columns[c]))
            return false;
    }
    return true;
}

struct row *index_find_twin(struct table *table, size_t i, const struct row *row)
{
    struct index *index = &table->indexes[i];
    struct row *other = *bucket_of(table, i, hash_columns(table->db, index->columns, row));

    for (; other; other = other->index_next[i])
        if (other != row && columns_equal(index->columns, other, row))
            return other;
    return NULL;
}

bool table_index_on(const struct table *table, const struct column_schema *column, size_t *i)
{
    for (*i = 0; *i < table->schema->n_indexes; ++*i) {
        struct column_schema **columns = table->indexes[*i].columns;
        if (columns[0] == column && !columns[1])
            return true;
    }
    return false;
}

struct row *index_first(struct table *table, size_t i, const struct datum *value)
{
    return *bucket_of(table, i, datum_hash(value, table->db->hash_basis));
}
