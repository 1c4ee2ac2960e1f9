/* SPDX-License-Identifier: Apache-2.0 */

/* The getters of client.h.  A column that is absent, empty or of another type reads as the
 * fallback: what the schema promises is checked where the rows come in. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ovsdb/replica.h"

const struct ovsdb_row *ovsdb_row_next(const struct ovsdb_row *row)
{
    return row->by_uuid.next;
}

const struct uuid *ovsdb_row_uuid(const struct ovsdb_row *row)
{
    return &row->uuid;
}

const char *ovsdb_row_table(const struct ovsdb_row *row)
{
    return row->table->name;
}

const struct datum *ovsdb_row_datum(const struct ovsdb_row *row, const char *column)
{
    static const struct datum nothing = {.n_refs = 1, .key_type = ATOM_STRING};
    const struct column_schema *schema = table_schema_column(row->table->schema, column);

    return schema && row->data[schema->index] ? row->data[schema->index] : &nothing;
}

size_t ovsdb_row_count(const struct ovsdb_row *row, const char *column)
{
    return ovsdb_row_datum(row, column)->n;
}

/* Key 'i', or NULL if there is none of this type. */
static const union atom *key_at(const struct ovsdb_row *row, const char *column, size_t i,
                                enum atom_type type)
{
    const struct datum *datum = ovsdb_row_datum(row, column);

    return datum->key_type == type && i < datum->n ? &datum->keys[i] : NULL;
}

const char *ovsdb_row_string_at(const struct ovsdb_row *row, const char *column, size_t i)
{
    const union atom *key = key_at(row, column, i, ATOM_STRING);

    return key ? key->string : NULL;
}

int64_t ovsdb_row_integer_at(const struct ovsdb_row *row, const char *column, size_t i)
{
    const union atom *key = key_at(row, column, i, ATOM_INTEGER);

    return key ? key->integer : 0;
}

const struct uuid *ovsdb_row_uuid_at(const struct ovsdb_row *row, const char *column, size_t i)
{
    const union atom *key = key_at(row, column, i, ATOM_UUID);

    return key ? &key->uuid : NULL;
}

const char *ovsdb_row_string(const struct ovsdb_row *row, const char *column)
{
    return ovsdb_row_string_at(row, column, 0);
}

int64_t ovsdb_row_integer(const struct ovsdb_row *row, const char *column, int64_t fallback)
{
    const union atom *key = key_at(row, column, 0, ATOM_INTEGER);

    return key ? key->integer : fallback;
}

double ovsdb_row_real(const struct ovsdb_row *row, const char *column, double fallback)
{
    const union atom *key = key_at(row, column, 0, ATOM_REAL);

    return key ? key->real : fallback;
}

bool ovsdb_row_bool(const struct ovsdb_row *row, const char *column, bool fallback)
{
    const union atom *key = key_at(row, column, 0, ATOM_BOOLEAN);

    return key ? key->boolean : fallback;
}

const char *ovsdb_row_map_get(const struct ovsdb_row *row, const char *column, const char *key)
{
    return datum_map_get(ovsdb_row_datum(row, column), key);
}

bool ovsdb_row_map_bool(const struct ovsdb_row *row, const char *column, const char *key,
                        bool fallback)
{
    const char *text = ovsdb_row_map_get(row, column, key);

    if (!text || (strcasecmp(text, "true") && strcasecmp(text, "false")))
        return fallback;
    return !strcasecmp(text, "true");
}

int64_t ovsdb_row_map_integer(const struct ovsdb_row *row, const char *column, const char *key,
                              int64_t fallback)
{
    const char *text = ovsdb_row_map_get(row, column, key);
    char *end;

    if (!text || !*text)
        return fallback;
    errno = 0;
    long long value = strtoll(text, &end, 0);
    return errno || *end ? fallback : value;
}

const struct ovsdb_row *ovsdb_row_ref_at(const struct ovsdb_row *row, const char *column, size_t i)
{
    const struct column_schema *schema = table_schema_column(row->table->schema, column);
    const struct datum *datum = ovsdb_row_datum(row, column);

    if (!schema || i >= datum->n)
        return NULL;
    const struct base_type *key = &schema->type.key, *value = &schema->type.value;
    const struct base_type *base = key->ref_table ? key : value;
    if (!base->ref_table)
        return NULL;
    const union atom *atoms = base == key ? datum->keys : datum->values;
    return ovsdb_client_row(row->table->replica->client, base->ref_table, &atoms[i].uuid);
}

bool ovsdb_row_differs(const struct ovsdb_row *before, const struct ovsdb_row *after,
                       const char *column)
{
    if (!before || !after)
        return before != after;
    return !datum_equal(ovsdb_row_datum(before, column), ovsdb_row_datum(after, column));
}
