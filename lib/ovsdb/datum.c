/* SPDX-License-Identifier: Apache-2.0 */

/* One allocation holds the head, the keys and the values; only strings are outside it. */

#include "lib/ovsdb/datum.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ovsdb/json.h"

const char *atom_type_name(enum atom_type type)
{
    static const char *const names[] = {"void", "integer", "real", "boolean", "string", "uuid"};

    return names[type];
}

int atom_compare(enum atom_type type, const union atom *a, const union atom *b)
{
    switch (type) {
    case ATOM_INTEGER:
        return (a->integer > b->integer) - (a->integer < b->integer);
    case ATOM_REAL:
        return (a->real > b->real) - (a->real < b->real);
    case ATOM_BOOLEAN:
        return a->boolean - b->boolean;
    case ATOM_STRING:
        return strcmp(a->string, b->string);
    case ATOM_UUID:
        return uuid_compare(&a->uuid, &b->uuid);
    case ATOM_VOID:
        break;
    }
    return 0;
}

void atom_copy(enum atom_type type, union atom *to, const union atom *from)
{
    *to = *from;
    if (type == ATOM_STRING && !(to->string = strdup(from->string)))
        abort();
}

void atom_fini(enum atom_type type, union atom *atom)
{
    if (type == ATOM_STRING)
        free(atom->string);
}

struct datum *datum_create(enum atom_type key_type, enum atom_type value_type, size_t n)
{
    size_t n_atoms = value_type == ATOM_VOID ? n : 2 * n;
    struct datum *datum = calloc(1, sizeof *datum + n_atoms * sizeof(union atom));

    if (!datum || n > UINT32_MAX)
        abort();
    datum->n_refs = 1;
    datum->n = (uint32_t)n;
    datum->key_type = key_type;
    datum->value_type = value_type;
    datum->values = value_type == ATOM_VOID ? NULL : datum->keys + n;
    return datum;
}

static bool is_strictly_sorted(const struct datum *datum)
{
    for (size_t i = 1; i < datum->n; i++)
        if (atom_compare(datum->key_type, &datum->keys[i - 1], &datum->keys[i]) >= 0)
            return false;
    return true;
}

struct pair {
    union atom key, value;
};

static int compare_pairs(const void *a, const void *b, void *type)
{
    const struct pair *x = a, *y = b;

    return atom_compare(*(enum atom_type *)type, &x->key, &y->key);
}

static void sort(struct datum *datum)
{
    struct pair *pairs = calloc(datum->n, sizeof *pairs);
    enum atom_type type = datum->key_type;

    if (!pairs)
        abort();
    for (size_t i = 0; i < datum->n; i++) {
        pairs[i].key = datum->keys[i];
        if (datum->values)
            pairs[i].value = datum->values[i];
    }
    qsort_r(pairs, datum->n, sizeof *pairs, compare_pairs, &type);
    for (size_t i = 0; i < datum->n; i++) {
        datum->keys[i] = pairs[i].key;
        if (datum->values)
            datum->values[i] = pairs[i].value;
    }
    free(pairs);
}

int datum_seal(struct datum **datum, struct error *error)
{
    if (is_strictly_sorted(*datum))
        return 0;
    sort(*datum);
    if (is_strictly_sorted(*datum))
        return 0;
    bool is_map = (*datum)->values;
    datum_unref(*datum);
    *datum = NULL;
    return error_set(error, -EINVAL,
                     is_map ? "map contains a key twice" : "set contains a value twice");
}

struct datum *datum_ref(struct datum *datum)
{
    datum->n_refs++;
    return datum;
}

void datum_unref(struct datum *datum)
{
    if (!datum || --datum->n_refs)
        return;
    if (datum->key_type == ATOM_STRING)
        for (size_t i = 0; i < datum->n; i++)
            free(datum->keys[i].string);
    if (datum->value_type == ATOM_STRING)
        for (size_t i = 0; i < datum->n; i++)
            free(datum->values[i].string);
    free(datum);
}

bool datum_equal(const struct datum *a, const struct datum *b)
{
    return a == b || (a->n == b->n && !datum_compare(a, b));
}

int datum_compare(const struct datum *a, const struct datum *b)
{
    size_t n = a->n < b->n ? a->n : b->n;

    if (a == b)
        return 0;
    assert(a->key_type == b->key_type && a->value_type == b->value_type);
    for (size_t i = 0; i < n; i++) {
        int order = atom_compare(a->key_type, &a->keys[i], &b->keys[i]);
        if (!order && a->values)
            order = atom_compare(a->value_type, &a->values[i], &b->values[i]);
        if (order)
            return order;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static uint32_t hash_bytes(const void *bytes, size_t n_bytes, uint32_t hash)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n_bytes; i++)
        hash = (hash ^ p[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static uint32_t hash_atom(enum atom_type type, const union atom *atom, uint32_t hash)
{
    switch (type) {
    case ATOM_INTEGER:
        return hash_bytes(&atom->integer, sizeof atom->integer, hash);
    case ATOM_REAL: {
        double real = atom->real == 0 ? 0 : atom->real; /* -0.0 equals 0.0. */
        return hash_bytes(&real, sizeof real, hash);
    }
    case ATOM_BOOLEAN:
        return hash_bytes(&atom->boolean, sizeof atom->boolean, hash);
    case ATOM_STRING:
        return hash_bytes(atom->string, strlen(atom->string), hash);
    case ATOM_UUID:
        return hash_bytes(&atom->uuid, sizeof atom->uuid, hash);
    case ATOM_VOID:
        break;
    }
    return hash;
}

uint32_t datum_hash(const struct datum *datum, uint32_t basis)
{
    uint32_t hash = hash_bytes(&datum->n, sizeof datum->n, basis ^ 2166136261u);

    for (size_t i = 0; i < datum->n; i++) {
        hash = hash_atom(datum->key_type, &datum->keys[i], hash);
        if (datum->values)
            hash = hash_atom(datum->value_type, &datum->values[i], hash);
    }
    return hash;
}

ptrdiff_t datum_find(const struct datum *datum, const union atom *key)
{
    size_t low = 0, high = datum->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = atom_compare(datum->key_type, key, &datum->keys[middle]);
        if (!order)
            return (ptrdiff_t)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

ptrdiff_t datum_find_string(const struct datum *datum, const char *key)
{
    union atom atom = {.string = (char *)key}; /* Only compared with. */

    return datum->key_type == ATOM_STRING ? datum_find(datum, &atom) : -1;
}

const char *datum_map_get(const struct datum *datum, const char *key)
{
    ptrdiff_t i = datum->value_type == ATOM_STRING ? datum_find_string(datum, key) : -1;

    return i < 0 ? NULL : datum->values[i].string;
}

json_t *atom_to_json(enum atom_type type, const union atom *atom)
{
    switch (type) {
    case ATOM_INTEGER:
        return json_integer(atom->integer);
    case ATOM_REAL:
        return json_real(atom->real);
    case ATOM_BOOLEAN:
        return json_boolean(atom->boolean);
    case ATOM_STRING:
        return json_string_nocheck(atom->string);
    case ATOM_UUID:
        return ovsdb_json_uuid(&atom->uuid);
    case ATOM_VOID:
        break;
    }
    return json_null();
}

json_t *datum_to_json(const struct datum *datum)
{
    if (datum->value_type == ATOM_VOID && datum->n == 1)
        return atom_to_json(datum->key_type, &datum->keys[0]);

    json_t *elements = json_array();
    for (size_t i = 0; i < datum->n; i++) {
        json_t *element = atom_to_json(datum->key_type, &datum->keys[i]);
        if (datum->values) {
            json_t *pair = json_array();
            json_array_append_new(pair, element);
            json_array_append_new(pair, atom_to_json(datum->value_type, &datum->values[i]));
            element = pair;
        }
        json_array_append_new(elements, element);
    }
    json_t *json = json_array();
    json_array_append_new(json, json_string(datum->values ? "map" : "set"));
    json_array_append_new(json, elements);
    return json;
}
