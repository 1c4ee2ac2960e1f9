/* SPDX-License-Identifier: Apache-2.0 */

/* Values read from RFC 7047 notation and checked against their type. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ovsdb/type.h"

struct reader {
    const struct column_type *type;
    named_uuid_resolver *resolve; /* May be NULL. */
    void *aux;
    struct error *error;
};

static const char *kind_of(const json_t *json)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a real",    [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",        [JSON_NULL] = "null"};

    return json ? kinds[json_typeof(json)] : "nothing";
}

/* ["tag", value]: the value, else NULL. */
static const json_t *untag(const json_t *json, const char *tag)
{
    const char *first = json_string_value(json_array_get(json, 0));

    return json_array_size(json) == 2 && first && !strcmp(first, tag) ? json_array_get(json, 1)
                                                                      : NULL;
}

static int read_uuid(const struct reader *reader, const json_t *json, struct uuid *uuid)
{
    const char *text = json_string_value(untag(json, "uuid"));
    const char *name = json_string_value(untag(json, "named-uuid"));

    if (text && !uuid_parse(text, uuid))
        return error_set(reader->error, -EINVAL, "\"%s\" is not a UUID", text);
    if (text)
        return 0;
    if (name && reader->resolve && reader->resolve(name, uuid, reader->aux))
        return 0;
    if (name)
        return error_set(reader->error, -EINVAL, "\"%s\" does not name a row", name);
    return error_set(reader->error, -EINVAL,
                     "expected [\"uuid\", \"...\"] or [\"named-uuid\", \"...\"], found %s",
                     kind_of(json));
}

static int read_integer(const struct reader *reader, const json_t *json, int64_t *integer)
{
    if (json_is_integer(json)) {
        *integer = json_integer_value(json);
        return 0;
    }
    double real = json_is_real(json) ? json_real_value(json) : NAN;
    /* 1e3 is an integer to JSON. */
    if (fabs(real) <= 9007199254740992.0 && real == floor(real)) {
        *integer = (int64_t)real;
        return 0;
    }
    return error_set(reader->error, -EINVAL, "expected an integer, found %s", kind_of(json));
}

static int read_atom(const struct reader *reader, enum atom_type type, const json_t *json,
                     union atom *atom)
{
    switch (type) {
    case ATOM_INTEGER:
        return read_integer(reader, json, &atom->integer);
    case ATOM_REAL:
        if (!json_is_number(json))
            break;
        atom->real = json_number_value(json);
        return 0;
    case ATOM_BOOLEAN:
        if (!json_is_boolean(json))
            break;
        atom->boolean = json_is_true(json);
        return 0;
    case ATOM_STRING:
        if (!json_is_string(json))
            break;
        if (!(atom->string = strdup(json_string_value(json))))
            abort();
        return 0;
    case ATOM_UUID:
        return read_uuid(reader, json, &atom->uuid);
    case ATOM_VOID:
        break;
    }
    return error_set(reader->error, -EINVAL, "expected a value of type %s, found %s",
                     atom_type_name(type), kind_of(json));
}

static size_t n_characters(const char *utf8)
{
    size_t n = 0;

    for (; *utf8; utf8++)
        n += (*utf8 & 0xc0) != 0x80;
    return n;
}

static int check_range(const struct base_type *base, const union atom *atom, struct error *error)
{
    if (base->type == ATOM_INTEGER) {
        int64_t min = base->range.integer.min, max = base->range.integer.max;
        if (atom->integer < min || atom->integer > max)
            return error_set(error, -ERANGE, "%lld is not in the valid range %lld to %lld",
                             (long long)atom->integer, (long long)min, (long long)max);
    } else if (base->type == ATOM_REAL) {
        if (atom->real < base->range.real.min || atom->real > base->range.real.max)
            return error_set(error, -ERANGE, "%g is not in the valid range %g to %g", atom->real,
                             base->range.real.min, base->range.real.max);
    } else if (base->type == ATOM_STRING) {
        size_t n = n_characters(atom->string);
        if (n < base->range.string.min_length)
            return error_set(error, -ERANGE, "\"%.60s\" has %zu characters, fewer than %u",
                             atom->string, n, base->range.string.min_length);
        if (n > base->range.string.max_length)
            return error_set(error, -ERANGE, "\"%.60s\" has %zu characters, more than %u",
                             atom->string, n, base->range.string.max_length);
    }
    return 0;
}

static int check_atom(const struct base_type *base, const union atom *atom, struct error *error)
{
    if (!base->enumeration)
        return check_range(base, atom, error);
    if (datum_find(base->enumeration, atom) >= 0)
        return 0;
    json_t *value = atom_to_json(base->type, atom), *allowed = datum_to_json(base->enumeration);
    char *value_text = json_dumps(value, JSON_ENCODE_ANY);
    char *allowed_text = json_dumps(untag(allowed, "set") ? untag(allowed, "set") : allowed,
                                    JSON_ENCODE_ANY);
    int result = error_set(error, -ERANGE, "%.80s is not one of the allowed values (%s)",
                           value_text, allowed_text);
    free(value_text);
    free(allowed_text);
    json_decref(value);
    json_decref(allowed);
    return result;
}

static int read_checked(const struct reader *reader, const struct base_type *base,
                        const json_t *json, union atom *atom)
{
    int result = read_atom(reader, base->type, json, atom);

    return result ? result : check_atom(base, atom, reader->error);
}

static int read_element(const struct reader *reader, const json_t *json, struct datum *datum,
                        size_t i)
{
    if (!datum->values)
        return read_checked(reader, &reader->type->key, json, &datum->keys[i]);
    if (json_array_size(json) != 2)
        return error_set(reader->error, -EINVAL, "expected a pair [key, value] in a map, found %s",
                         kind_of(json));
    int result = read_checked(reader, &reader->type->key, json_array_get(json, 0), &datum->keys[i]);
    return result ? result
                  : read_checked(reader, &reader->type->value, json_array_get(json, 1),
                                 &datum->values[i]);
}

/* 'code' is the kind of refusal: a wrong number in what is read is notation (-EINVAL), in what was
 * computed a bound of the type (-ERANGE). */
static int check_count(const struct column_type *type, size_t n, int code, struct error *error)
{
    const char *kind = column_type_is_map(type) ? "pairs" : "values";

    if (n < type->n_min)
        return error_set(error, code, "%zu %s where at least %u must be", n, kind, type->n_min);
    if (n > type->n_max)
        return error_set(error, code, "%zu %s where at most %u may be", n, kind, type->n_max);
    return 0;
}

static int read_datum(const struct column_type *type, const json_t *json, bool is_sized,
                      named_uuid_resolver *resolve, void *aux, struct datum **datum,
                      struct error *error)
{
    struct reader reader = {type, resolve, aux, error};
    bool is_map = column_type_is_map(type);
    const json_t *elements = untag(json, is_map ? "map" : "set");
    bool is_single = !is_map && !elements;
    int result = 0;

    *datum = NULL;
    if (!is_single && !json_is_array(elements))
        return error_set(error, -EINVAL, "expected [\"%s\", [...]], found %s",
                         is_map ? "map" : "set", kind_of(json));

    size_t n = is_single ? 1 : json_array_size(elements);
    if (is_sized && (result = check_count(type, n, -EINVAL, error)) < 0)
        return result;
    *datum = datum_create(type->key.type, type->value.type, n);
    for (size_t i = 0; !result && i < n; i++)
        result = read_element(&reader, is_single ? json : json_array_get(elements, i), *datum, i);
    if (!result && (result = datum_seal(datum, error)) < 0)
        return result;
    if (result) {
        datum_unref(*datum);
        *datum = NULL;
    }
    return result;
}

int datum_from_json(const struct column_type *type, const json_t *json,
                    named_uuid_resolver *resolve, void *aux, struct datum **datum,
                    struct error *error)
{
    return read_datum(type, json, true, resolve, aux, datum, error);
}

int datum_from_json_unsized(const struct column_type *type, const json_t *json,
                            named_uuid_resolver *resolve, void *aux, struct datum **datum,
                            struct error *error)
{
    return read_datum(type, json, false, resolve, aux, datum, error);
}

int column_type_check(const struct column_type *type, const struct datum *datum,
                      struct error *error)
{
    int result = check_count(type, datum->n, -ERANGE, error);

    for (size_t i = 0; !result && i < datum->n; i++) {
        result = check_atom(&type->key, &datum->keys[i], error);
        if (!result && datum->values)
            result = check_atom(&type->value, &datum->values[i], error);
    }
    return result;
}

static void default_atom(const struct base_type *base, union atom *atom)
{
    *atom = (union atom){.integer = 0};
    if (base->type == ATOM_STRING && !(atom->string = strdup("")))
        abort();
}

/* RFC 7047, 5.2.1: a scalar that nobody set is 0, false, "" or the zero UUID, even where a range
 * or an enumeration excludes that. */
struct datum *column_type_default(const struct column_type *type)
{
    struct datum *datum = datum_create(type->key.type, type->value.type, type->n_min);

    if (type->n_min) {
        default_atom(&type->key, &datum->keys[0]);
        if (datum->values)
            default_atom(&type->value, &datum->values[0]);
    }
    return datum;
}
