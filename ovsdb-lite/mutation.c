/* SPDX-License-Identifier: Apache-2.0 */

/* Arithmetic works on every element of a set; compiler built-ins catch overflow. */

#include "ovsdb-lite/mutation.h"

#include <math.h>
#include <string.h>

#include "lib/ovsdb/diff.h"

static bool parse_mutator(const char *name, enum mutator *mutator)
{
    static const char *const names[] = {"+=", "-=", "*=", "/=", "%=", "insert", "delete"};

    for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++) {
        if (!strcmp(names[i], name)) {
            *mutator = (enum mutator)i;
            return true;
        }
    }
    return false;
}

static bool is_arithmetic(enum mutator mutator)
{
    return mutator <= MUTATE_MODULO;
}

static bool can_compute(const struct column_type *type, enum mutator mutator)
{
    return !column_type_is_map(type) && (type->key.type == ATOM_INTEGER ||
                                         (type->key.type == ATOM_REAL && mutator != MUTATE_MODULO));
}

static bool parse_value(struct mutation *mutation, const json_t *json, named_uuid_resolver *resolve,
                        void *aux, struct error *cause)
{
    const struct column_type *type = &mutation->column->type;
    struct column_type loose = *type; /* Borrows what it points to. */

    if (is_arithmetic(mutation->mutator)) {
        /* The operand is a number; the bounds are for the result. */
        const char *scalar = type->key.type == ATOM_INTEGER ? "integer" : "real";
        json_t *name = json_string(scalar);
        column_type_parse(name, &loose, NULL);
        json_decref(name);
        bool result = !datum_from_json(&loose, json, resolve, aux, &mutation->value, cause);
        column_type_fini(&loose);
        return result;
    }
    loose.n_min = 0;
    if (mutation->mutator == MUTATE_DELETE)
        loose.n_max = COLUMN_UNLIMITED;
    if (!datum_from_json(&loose, json, resolve, aux, &mutation->value, cause))
        return true;
    /* Keys alone are enough to delete from a map. */
    loose.value = (struct base_type){.type = ATOM_VOID};
    return mutation->mutator == MUTATE_DELETE && column_type_is_map(type) &&
           !datum_from_json(&loose, json, resolve, aux, &mutation->value, cause);
}

bool mutation_parse(const struct table_schema *table, const json_t *json,
                    named_uuid_resolver *resolve, void *aux, struct mutation *mutation,
                    struct db_error *error)
{
    const char *column = json_string_value(json_array_get(json, 0));
    const char *mutator = json_string_value(json_array_get(json, 1));
    struct error cause = ERROR_INIT;

    *mutation = (struct mutation){.value = NULL};
    if (json_array_size(json) != 3 || !column || !mutator)
        return db_error_set(error, DB_SYNTAX_ERROR, "a mutation is [<column>, <mutator>, <value>]");
    mutation->column = table_schema_column(table, column);
    if (!mutation->column && find_column(table, column))
        return db_error_set(error, DB_CONSTRAINT, "Cannot mutate read-only column %s.", column);
    if (!mutation->column)
        return db_error_set(error, DB_UNKNOWN_COLUMN, "No column %s in table %s.", column,
                            table->name);
    if (!mutation->column->is_mutable)
        return db_error_set(error, DB_CONSTRAINT, "Cannot mutate immutable column %s in table %s.",
                            column, table->name);
    if (!parse_mutator(mutator, &mutation->mutator))
        return db_error_set(error, "unknown mutator", "No mutator named %s.", mutator);

    const struct column_type *type = &mutation->column->type;
    if (is_arithmetic(mutation->mutator)
            ? !can_compute(type, mutation->mutator)
            : !column_type_is_map(type) && type->n_max == 1 && type->n_min == 1)
        return db_error_set(error, DB_SYNTAX_ERROR,
                            "Type mismatch: \"%s\" mutator may not be applied to column %s.",
                            mutator, column);
    if (!parse_value(mutation, json_array_get(json, 2), resolve, aux, &cause))
        return db_error_from(error, &cause, column);
    return true;
}

void mutation_fini(struct mutation *mutation)
{
    datum_unref(mutation->value);
}

static bool compute_integer(enum mutator mutator, int64_t *x, int64_t y, struct db_error *error)
{
    bool overflows = false;

    if ((mutator == MUTATE_DIVIDE || mutator == MUTATE_MODULO) && !y)
        return db_error_set(error, DB_DOMAIN_ERROR, "Division by zero.");
    switch (mutator) {
    case MUTATE_ADD:
        overflows = __builtin_add_overflow(*x, y, x);
        break;
    case MUTATE_SUBTRACT:
        overflows = __builtin_sub_overflow(*x, y, x);
        break;
    case MUTATE_MULTIPLY:
        overflows = __builtin_mul_overflow(*x, y, x);
        break;
    case MUTATE_DIVIDE:
        overflows = y == -1 && *x == INT64_MIN;
        *x = overflows ? *x : *x / y;
        break;
    default:
        *x = y == -1 ? 0 : *x % y;
        break;
    }
    if (overflows)
        return db_error_set(error, DB_RANGE_ERROR, "Result of mutation is out of range.");
    return true;
}

static bool compute_real(enum mutator mutator, double *x, double y, struct db_error *error)
{
    if (mutator == MUTATE_DIVIDE && y == 0)
        return db_error_set(error, DB_DOMAIN_ERROR, "Division by zero.");
    *x = mutator == MUTATE_ADD        ? *x + y
         : mutator == MUTATE_SUBTRACT ? *x - y
         : mutator == MUTATE_MULTIPLY ? *x * y
                                      : *x / y;
    if (!isfinite(*x))
        return db_error_set(error, DB_RANGE_ERROR, "Result of mutation is out of range.");
    return true;
}

static struct datum *compute(const struct mutation *mutation, const struct datum *before,
                             struct db_error *error)
{
    struct datum *result = datum_create(before->key_type, ATOM_VOID, before->n);
    const union atom *operand = &mutation->value->keys[0];
    bool is_ok = true;

    for (size_t i = 0; is_ok && i < before->n; i++) {
        result->keys[i] = before->keys[i];
        if (before->key_type == ATOM_INTEGER)
            is_ok = compute_integer(mutation->mutator, &result->keys[i].integer, operand->integer,
                                    error);
        else
            is_ok = compute_real(mutation->mutator, &result->keys[i].real, operand->real, error);
    }
    if (!is_ok) {
        datum_unref(result);
        return NULL;
    }
    if (datum_seal(&result, NULL)) {
        db_error_set(error, DB_CONSTRAINT, "Result of mutation contains duplicates.");
        return NULL;
    }
    return result;
}

struct datum *mutation_apply(const struct mutation *mutation, const struct datum *before,
                             struct db_error *error)
{
    struct error cause = ERROR_INIT;
    struct datum *result;

    if (is_arithmetic(mutation->mutator))
        result = compute(mutation, before, error);
    else if (mutation->mutator == MUTATE_INSERT)
        result = datum_union(before, mutation->value);
    else
        result = datum_difference(before, mutation->value);
    if (result && column_type_check(&mutation->column->type, result, &cause)) {
        datum_unref(result);
        db_error_from(error, &cause, mutation->column->name);
        return NULL;
    }
    return result;
}
