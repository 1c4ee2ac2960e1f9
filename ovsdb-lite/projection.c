/* SPDX-License-Identifier: Apache-2.0 */

/* Entries are found by a hash of their values and then compared in full. */

#include "ovsdb-lite/projection.h"

#include <stdlib.h>
#include <string.h>

struct row_set_entry {
    uint32_t hash;
    struct uuid uuid;
    struct row_data *data;
    struct row_set_entry *twin; /* Another entry with the same hash. */
    UT_hash_handle by_hash;
};

static bool add_column(struct projection *projection, const json_t *json, struct db_error *error)
{
    const char *name = json_string_value(json);
    const struct column_schema *column = name ? find_column(projection->table, name) : NULL;

    if (!name)
        return db_error_set(error, DB_SYNTAX_ERROR, "\"columns\" must be an array of strings");
    if (!column)
        return db_error_set(error, DB_SYNTAX_ERROR, "No column %s in table %s.", name,
                            projection->table->name);
    for (size_t i = 0; i < projection->n_columns; i++)
        if (projection->columns[i] == column)
            return db_error_set(error, DB_SYNTAX_ERROR, "Column %s is named twice.", name);
    projection->columns[projection->n_columns++] = column;
    return true;
}

bool projection_parse(const struct table_schema *table, const json_t *json,
                      struct projection *projection, struct db_error *error)
{
    size_t n_max = table->n_columns + 2;

    *projection = (struct projection){.table = table};
    if (json && !json_is_array(json))
        return db_error_set(error, DB_SYNTAX_ERROR, "\"columns\" must be an array of strings");
    projection->columns = calloc(n_max + 1, sizeof *projection->columns);
    if (!projection->columns)
        abort();
    if (!json) {
        projection->columns[projection->n_columns++] = &column_uuid;
        projection->columns[projection->n_columns++] = &column_version;
        for (size_t i = 0; i < table->n_columns; i++)
            projection->columns[projection->n_columns++] = &table->columns[i];
        return true;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        /* Distinct columns cannot be more than there are. */
        if (!add_column(projection, json_array_get(json, i), error)) {
            projection_fini(projection);
            return false;
        }
    }
    return true;
}

void projection_fini(struct projection *projection)
{
    free(projection->columns);
    projection->columns = NULL;
}

json_t *projection_to_json(const struct projection *projection, const struct uuid *uuid,
                           const struct row_data *data)
{
    json_t *json = json_object();

    for (size_t i = 0; i < projection->n_columns; i++) {
        struct datum *datum = column_value(projection->columns[i], uuid, data);
        json_object_set_new(json, projection->columns[i]->name, datum_to_json(datum));
        datum_unref(datum);
    }
    return json;
}

void row_set_init(struct row_set *set, const struct projection *projection)
{
    *set = (struct row_set){.projection = projection};
}

static uint32_t hash_row(const struct projection *projection, const struct uuid *uuid,
                         const struct row_data *data)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < projection->n_columns; i++) {
        struct datum *datum = column_value(projection->columns[i], uuid, data);
        hash = datum_hash(datum, hash);
        datum_unref(datum);
    }
    return hash;
}

static bool rows_equal(const struct projection *projection, const struct uuid *a_uuid,
                       const struct row_data *a, const struct uuid *b_uuid,
                       const struct row_data *b)
{
    for (size_t i = 0; i < projection->n_columns; i++) {
        struct datum *x = column_value(projection->columns[i], a_uuid, a);
        struct datum *y = column_value(projection->columns[i], b_uuid, b);
        bool is_equal = datum_equal(x, y);

        datum_unref(x);
        datum_unref(y);
        if (!is_equal)
            return false;
    }
    return true;
}

static struct row_set_entry *find(const struct row_set *set, uint32_t hash, const struct uuid *uuid,
                                  const struct row_data *data)
{
    struct row_set_entry *entry;

    HASH_FIND(by_hash, set->entries, &hash, sizeof hash, entry);
    for (; entry; entry = entry->twin)
        if (rows_equal(set->projection, &entry->uuid, entry->data, uuid, data))
            return entry;
    return NULL;
}

void row_set_add(struct row_set *set, const struct uuid *uuid, struct row_data *data)
{
    uint32_t hash = hash_row(set->projection, uuid, data);
    struct row_set_entry *head;

    if (find(set, hash, uuid, data))
        return;
    struct row_set_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        abort();
    entry->hash = hash;
    entry->uuid = *uuid;
    entry->data = row_data_ref(data);
    HASH_FIND(by_hash, set->entries, &hash, sizeof hash, head);
    if (head) {
        entry->twin = head->twin;
        head->twin = entry;
    } else {
        HASH_ADD(by_hash, set->entries, hash, sizeof entry->hash, entry);
    }
}

typedef void entry_callback(const struct row_set *set, struct row_set_entry *entry, void *aux);

static void for_each_entry(const struct row_set *set, entry_callback *callback, void *aux)
{
    struct row_set_entry *head, *next_head;

    HASH_ITER (by_hash, set->entries, head, next_head) {
        for (struct row_set_entry *entry = head, *next; entry; entry = next) {
            next = entry->twin;
            callback(set, entry, aux);
        }
    }
}

static void free_entry(const struct row_set *set, struct row_set_entry *entry, void *aux)
{
    (void)aux;
    row_data_unref(set->projection->table, entry->data);
    free(entry);
}

void row_set_fini(struct row_set *set)
{
    struct row_set_entry *head, *next_head;

    /* Heads leave the hash before they are released. */
    HASH_ITER (by_hash, set->entries, head, next_head) {
        HASH_DELETE(by_hash, set->entries, head);
        for (struct row_set_entry *entry = head, *next; entry; entry = next) {
            next = entry->twin;
            free_entry(set, entry, NULL);
        }
    }
}

struct comparison {
    const struct row_set *other;
    bool is_subset;
    size_t n;
};

static void compare_entry(const struct row_set *set, struct row_set_entry *entry, void *aux)
{
    struct comparison *comparison = aux;

    (void)set;
    comparison->n++;
    if (!find(comparison->other, entry->hash, &entry->uuid, entry->data))
        comparison->is_subset = false;
}

bool row_set_equal(const struct row_set *a, const struct row_set *b)
{
    struct comparison ab = {b, true, 0}, ba = {a, true, 0};

    for_each_entry(a, compare_entry, &ab);
    for_each_entry(b, compare_entry, &ba);
    return ab.is_subset && ab.n == ba.n;
}

static void add_json(const struct row_set *set, struct row_set_entry *entry, void *aux)
{
    json_array_append_new(aux, projection_to_json(set->projection, &entry->uuid, entry->data));
}

json_t *row_set_to_json(const struct row_set *set)
{
    json_t *rows = json_array();

    for_each_entry(set, add_json, rows);
    return rows;
}
