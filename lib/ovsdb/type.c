/* SPDX-License-Identifier: Apache-2.0 */

/* Types are read from and written to the notation of RFC 7047, section 3.2; values of them are in
 * type_value.c. */

#include "lib/ovsdb/type.h"

#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

static int atom_type_parse(const json_t *json, enum atom_type *type, struct error *error)
{
    const char *name = json_string_value(json);

    for (int i = ATOM_INTEGER; name && i <= ATOM_UUID; i++) {
        if (!strcmp(name, atom_type_name((enum atom_type)i))) {
            *type = (enum atom_type)i;
            return 0;
        }
    }
    return error_set(error, -EINVAL, "\"%s\" is not an atomic type",
                     name ? name : "(not a string)");
}

static void base_type_init(struct base_type *base, enum atom_type type)
{
    *base = (struct base_type){.type = type};
    if (type == ATOM_INTEGER) {
        base->range.integer.min = INT64_MIN;
        base->range.integer.max = INT64_MAX;
    } else if (type == ATOM_REAL) {
        base->range.real.min = -DBL_MAX;
        base->range.real.max = DBL_MAX;
    } else if (type == ATOM_STRING) {
        base->range.string.max_length = UINT32_MAX;
    }
}

static void base_type_fini(struct base_type *base)
{
    datum_unref(base->enumeration);
    free(base->ref_table);
    base->enumeration = NULL;
    base->ref_table = NULL;
}

static int parse_integer(const json_t *json, const char *member, int64_t *value,
                         struct error *error)
{
    const json_t *number = json_object_get(json, member);

    if (!number)
        return 0;
    if (!json_is_integer(number))
        return error_set(error, -EINVAL, "%s is not an integer", member);
    *value = json_integer_value(number);
    return 0;
}

static int parse_real(const json_t *json, const char *member, double *value, struct error *error)
{
    const json_t *number = json_object_get(json, member);

    if (!number)
        return 0;
    if (!json_is_number(number))
        return error_set(error, -EINVAL, "%s is not a number", member);
    *value = json_number_value(number);
    return 0;
}

static int parse_length(const json_t *json, const char *member, uint32_t *value,
                        struct error *error)
{
    int64_t length = *value;
    int result = parse_integer(json, member, &length, error);

    if (!result && (length < 0 || length > UINT32_MAX))
        result = error_set(error, -EINVAL, "%s is out of range", member);
    *value = (uint32_t)length;
    return result;
}

static int parse_reference(const json_t *json, struct base_type *base, struct error *error)
{
    const json_t *table = json_object_get(json, "refTable");
    const char *type = json_string_value(json_object_get(json, "refType"));

    if (!table)
        return 0;
    if (!json_is_string(table))
        return error_set(error, -EINVAL, "refTable is not a string");
    base->ref_table = strdup(json_string_value(table));
    base->ref_type = type && !strcmp(type, "weak") ? REF_WEAK : REF_STRONG;
    if (type && strcmp(type, "weak") && strcmp(type, "strong"))
        return error_set(error, -EINVAL, "refType \"%s\" is neither strong nor weak", type);
    return 0;
}

static int parse_range(const json_t *json, struct base_type *base, struct error *error)
{
    int result = 0;

    if (base->type == ATOM_INTEGER) {
        result = parse_integer(json, "minInteger", &base->range.integer.min, error);
        if (!result)
            result = parse_integer(json, "maxInteger", &base->range.integer.max, error);
        if (!result && base->range.integer.min > base->range.integer.max)
            result = error_set(error, -EINVAL, "minInteger exceeds maxInteger");
    } else if (base->type == ATOM_REAL) {
        result = parse_real(json, "minReal", &base->range.real.min, error);
        if (!result)
            result = parse_real(json, "maxReal", &base->range.real.max, error);
        if (!result && base->range.real.min > base->range.real.max)
            result = error_set(error, -EINVAL, "minReal exceeds maxReal");
    } else if (base->type == ATOM_STRING) {
        result = parse_length(json, "minLength", &base->range.string.min_length, error);
        if (!result)
            result = parse_length(json, "maxLength", &base->range.string.max_length, error);
        if (!result && base->range.string.min_length > base->range.string.max_length)
            result = error_set(error, -EINVAL, "minLength exceeds maxLength");
    } else if (base->type == ATOM_UUID) {
        result = parse_reference(json, base, error);
    }
    return result;
}

static int base_type_parse(const json_t *json, struct base_type *base, struct error *error)
{
    enum atom_type type = ATOM_VOID;
    bool is_object = json_is_object(json);
    int result = atom_type_parse(is_object ? json_object_get(json, "type") : json, &type, error);

    if (result)
        return result;
    base_type_init(base, type);
    if (!is_object)
        return 0;
    const json_t *enumeration = json_object_get(json, "enum");
    if (enumeration) {
        struct column_type any = {.key = *base, .n_min = 1, .n_max = COLUMN_UNLIMITED};
        result = datum_from_json(&any, enumeration, NULL, NULL, &base->enumeration, error);
    }
    if (!result)
        result = parse_range(json, base, error);
    if (result)
        base_type_fini(base);
    return result;
}

static int parse_counts(const json_t *json, struct column_type *type, struct error *error)
{
    const json_t *min = json_object_get(json, "min"), *max = json_object_get(json, "max");
    json_int_t n_min = min ? json_integer_value(min) : 1;
    json_int_t n_max = max ? json_integer_value(max) : 1;

    if (min && (!json_is_integer(min) || (n_min != 0 && n_min != 1)))
        return error_set(error, -EINVAL, "min must be 0 or 1");
    if (json_is_string(max) && !strcmp(json_string_value(max), "unlimited"))
        n_max = COLUMN_UNLIMITED;
    else if (max && (!json_is_integer(max) || n_max < 1 || n_max > COLUMN_UNLIMITED))
        return error_set(error, -EINVAL, "max must be a positive integer or \"unlimited\"");
    type->n_min = (uint32_t)n_min;
    type->n_max = (uint32_t)n_max;
    return 0;
}

int column_type_parse(const json_t *json, struct column_type *type, struct error *error)
{
    *type = (struct column_type){.n_min = 1, .n_max = 1};
    if (!json_is_object(json))
        return base_type_parse(json, &type->key, error);

    int result = base_type_parse(json_object_get(json, "key"), &type->key, error);
    if (result)
        return error_prefix(error, "key");
    const json_t *value = json_object_get(json, "value");
    if (value && (result = base_type_parse(value, &type->value, error)) < 0)
        error_prefix(error, "value");
    if (!result)
        result = parse_counts(json, type, error);
    if (result)
        column_type_fini(type);
    return result;
}

void column_type_fini(struct column_type *type)
{
    base_type_fini(&type->key);
    base_type_fini(&type->value);
    *type = (struct column_type){.n_min = 0};
}

static void put(json_t *object, const char *member, json_t *value)
{
    json_object_set_new(object, member, value);
}

static void put_range(json_t *json, const struct base_type *base)
{
    switch (base->type) {
    case ATOM_INTEGER:
        if (base->range.integer.min != INT64_MIN)
            put(json, "minInteger", json_integer(base->range.integer.min));
        if (base->range.integer.max != INT64_MAX)
            put(json, "maxInteger", json_integer(base->range.integer.max));
        break;
    case ATOM_REAL:
        if (base->range.real.min > -DBL_MAX)
            put(json, "minReal", json_real(base->range.real.min));
        if (base->range.real.max < DBL_MAX)
            put(json, "maxReal", json_real(base->range.real.max));
        break;
    case ATOM_STRING:
        if (base->range.string.min_length)
            put(json, "minLength", json_integer(base->range.string.min_length));
        if (base->range.string.max_length != UINT32_MAX)
            put(json, "maxLength", json_integer(base->range.string.max_length));
        break;
    case ATOM_UUID:
        if (base->ref_table)
            put(json, "refTable", json_string(base->ref_table));
        if (base->ref_table && base->ref_type == REF_WEAK)
            put(json, "refType", json_string("weak"));
        break;
    case ATOM_BOOLEAN:
    case ATOM_VOID:
        break;
    }
}

static json_t *base_type_to_json(const struct base_type *base)
{
    json_t *json = json_object();

    put(json, "type", json_string(atom_type_name(base->type)));
    if (base->enumeration) {
        json_t *values = datum_to_json(base->enumeration);
        put(json, "enum", values);
    }
    put_range(json, base);
    if (json_object_size(json) > 1)
        return json;
    json_decref(json);
    return json_string(atom_type_name(base->type));
}

json_t *column_type_to_json(const struct column_type *type)
{
    json_t *key = base_type_to_json(&type->key);

    if (column_type_is_scalar(type) && json_is_string(key))
        return key;
    json_t *json = json_object();
    put(json, "key", key);
    if (column_type_is_map(type))
        put(json, "value", base_type_to_json(&type->value));
    if (type->n_min != 1)
        put(json, "min", json_integer(type->n_min));
    if (type->n_max != 1)
        put(json, "max",
            type->n_max == COLUMN_UNLIMITED ? json_string("unlimited") : json_integer(type->n_max));
    return json;
}

bool column_type_is_map(const struct column_type *type)
{
    return type->value.type != ATOM_VOID;
}

bool column_type_is_scalar(const struct column_type *type)
{
    return type->n_min == 1 && type->n_max == 1 && !column_type_is_map(type);
}

bool column_type_is_optional(const struct column_type *type)
{
    return type->n_min == 0 && type->n_max == 1 && !column_type_is_map(type);
}

bool column_type_is_composite(const struct column_type *type)
{
    return type->n_max > 1;
}
