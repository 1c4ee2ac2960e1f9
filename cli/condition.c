/* SPDX-License-Identifier: Apache-2.0 */

/* Keys of data are sorted, so that comparing as lists and as sets are both one pass. */

#include "cli/condition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/lookup.h"
#include "cli/shown.h"

int column_key_parse(const struct table_schema *table, const char *text, struct column_key *parsed,
                     struct error *error)
{
    size_t length = value_word_length(text);
    char *name = strndup(text, length);

    *parsed = (struct column_key){.rest = text + length};
    int result = lookup_column(table, name, &parsed->column, error);
    free(name);
    if (result || *parsed->rest != ':')
        return result;
    if (!column_type_is_map(&parsed->column->type))
        return error_set(error, -EINVAL, "column %s of %s is not a map: it has no keys",
                         parsed->column->name, table->name);
    length = value_word_length(++parsed->rest);
    if (!length)
        return error_set(error, -EINVAL, "%s: a key must follow the colon", shown(text).text);
    parsed->key = strndup(parsed->rest, length);
    parsed->rest += length;
    return 0;
}

void column_key_fini(struct column_key *parsed)
{
    free(parsed->key);
    parsed->key = NULL;
}

int column_key_find(const struct column_key *parsed, const struct datum *map, ptrdiff_t *index,
                    struct error *error)
{
    union atom key;
    int result = value_parse_atom(&parsed->column->type.key, parsed->key, NULL, &key, error);

    if (result)
        return result;
    *index = datum_find(map, &key);
    atom_fini(parsed->column->type.key.type, &key);
    return 0;
}

/* --- Operators ----------------------------------------------------------------------------- */

/* How many elements (pairs) of 'a' are in 'b' too. */
static size_t count_common(const struct datum *a, const struct datum *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++) {
        ptrdiff_t at = datum_find(b, &a->keys[i]);
        n += at >= 0 && (!a->values || !atom_compare(a->value_type, &a->values[i], &b->values[at]));
    }
    return n;
}

static int compare_atoms(enum atom_type type, const union atom *a, const union atom *b, size_t n)
{
    int order = 0;

    for (size_t i = 0; !order && i < n; i++)
        order = atom_compare(type, &a[i], &b[i]);
    return order;
}

/* The larger set is the one with more elements; only then the elements decide, and of maps first
 * all keys. */
static int compare(const struct datum *a, const struct datum *b)
{
    if (a->n != b->n)
        return a->n > b->n ? 1 : -1;
    int order = compare_atoms(a->key_type, a->keys, b->keys, a->n);
    return order || !a->values ? order : compare_atoms(a->value_type, a->values, b->values, a->n);
}

#define OPERATOR(name, expression)                                 \
    static bool name(const struct datum *a, const struct datum *b) \
    {                                                              \
        return expression;                                         \
    }

OPERATOR(is_equal, !compare(a, b))
OPERATOR(is_not_equal, compare(a, b))
OPERATOR(is_less, compare(a, b) < 0)
OPERATOR(is_greater, compare(a, b) > 0)
OPERATOR(is_at_most, compare(a, b) <= 0)
OPERATOR(is_at_least, compare(a, b) >= 0)
OPERATOR(is_subset, count_common(a, b) == a->n)
OPERATOR(is_superset, count_common(a, b) == b->n)
OPERATOR(is_proper_subset, count_common(a, b) == a->n && a->n < b->n)
OPERATOR(is_proper_superset, count_common(a, b) == b->n && b->n < a->n)
OPERATOR(is_disjoint, !count_common(a, b))

/* Longer names first: the first that fits is taken. */
static const struct {
    const char *name;
    bool (*holds)(const struct datum *, const struct datum *);
    bool is_of_sets, takes_many;
} operators[] = {
    {"{not-in}", is_disjoint, true, true},  {"{in}", is_subset, true, true},
    {"{!=}", is_not_equal, true, false},    {"{<=}", is_subset, true, false},
    {"{>=}", is_superset, true, false},     {"{=}", is_equal, true, false},
    {"{<}", is_proper_subset, true, false}, {"{>}", is_proper_superset, true, false},
    {"!=", is_not_equal, false, false},     {"<=", is_at_most, false, false},
    {">=", is_at_least, false, false},      {"=", is_equal, false, false},
    {"<", is_less, false, false},           {">", is_greater, false, false},
};

static int parse_operator(const char *word, const char **at, int *operator, struct error * error)
{
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        size_t length = strlen(operators[i].name);
        if (!strncmp(*at, operators[i].name, length)) {
            *operator=(int) i;
            *at += length;
            return 0;
        }
    }
    return error_set(
        error, -EINVAL,
        "%s: expected an operator (such as =, != or {in}) and a value behind the column",
        shown(word).text);
}

/* --- Conditions ---------------------------------------------------------------------------- */

static struct column_type value_type_of(const struct column_type *map)
{
    return (struct column_type){
        .key = map->value, .value.type = ATOM_VOID, .n_min = 0, .n_max = COLUMN_UNLIMITED};
}

/* "_uuid" is a column to people, but not to the schema. */
static int parse_uuid_condition(const char *text, struct condition *condition, struct error *error)
{
    static const struct column_type type = {
        .key = {.type = ATOM_UUID}, .value = {.type = ATOM_VOID}, .n_max = COLUMN_UNLIMITED};
    const char *at = text + strlen("_uuid");
    int result = parse_operator(text, &at, &condition->operator, error);

    if (result)
        return result;
    return value_parse_part(&type, at, NULL, &condition->operand, error);
}

/* A value that the column could have; {in} and {not-in} also take several where it holds one. */
static int parse_whole(const struct column_type *type, bool takes_many, const char *text,
                       const struct value_names *names, struct datum **operand, struct error *error)
{
    struct column_type wide = *type;

    if (takes_many) {
        wide.n_min = 0;
        wide.n_max = COLUMN_UNLIMITED;
    }
    return value_parse(&wide, text, names, operand, error);
}

static int parse_operand(struct store *store, struct condition *condition,
                         const struct column_key *target, struct error *error)
{
    struct value_names names = store_names(store);
    const struct column_type *type = &target->column->type;

    if (!target->key)
        return parse_whole(type, operators[condition->operator].takes_many, target->rest, &names,
                           &condition->operand, error);

    struct column_type of_value = value_type_of(type);
    condition->key = datum_create(type->key.type, ATOM_VOID, 1);
    int result = value_parse_atom(&type->key, target->key, NULL, &condition->key->keys[0], error);
    if (result) {
        condition->key->n = 0;
        return result;
    }
    if (!value_parse_part(&of_value, target->rest, &names, &condition->operand, NULL))
        return 0;
    /* Not a list: one value with characters that would have to be quoted in a list. */
    condition->operand = datum_create(of_value.key.type, ATOM_VOID, 1);
    result = value_parse_atom(&of_value.key, target->rest, &names, &condition->operand->keys[0],
                              error);
    if (result)
        condition->operand->n = 0;
    return result;
}

int condition_parse(struct store *store, const struct table_schema *table, const char *text,
                    struct condition *condition, struct error *error)
{
    struct column_key target;

    memset(condition, 0, sizeof *condition);
    if (value_word_length(text) == 5 && !strncmp(text, "_uuid", 5))
        return parse_uuid_condition(text, condition, error);

    int result = column_key_parse(table, text, &target, error);
    condition->column = target.column;
    if (!result)
        result = parse_operator(text, &target.rest, &condition->operator, error);
    if (!result)
        result = parse_operand(store, condition, &target, error);
    column_key_fini(&target);
    if (result)
        condition_fini(condition);
    return result;
}

void condition_fini(struct condition *condition)
{
    datum_unref(condition->key);
    datum_unref(condition->operand);
    condition->key = condition->operand = NULL;
}

static bool compare_value_of_key(const struct condition *condition, const struct datum *map)
{
    ptrdiff_t i = datum_find(map, &condition->key->keys[0]);

    if (i < 0 && !operators[condition->operator].is_of_sets)
        return false;
    struct datum *value = datum_create(map->value_type, ATOM_VOID, i >= 0);
    if (i >= 0)
        atom_copy(map->value_type, &value->keys[0], &map->values[i]);
    bool holds = operators[condition->operator].holds(value, condition->operand);
    datum_unref(value);
    return holds;
}

bool condition_is_true(const struct condition *condition, const struct store_row *row)
{
    if (condition->column) {
        const struct datum *value = store_get(row, condition->column);
        return condition->key ? compare_value_of_key(condition, value)
                              : operators[condition->operator].holds(value, condition->operand);
    }
    struct datum *uuid = datum_create(ATOM_UUID, ATOM_VOID, 1);
    uuid->keys[0].uuid = *store_row_uuid(row);
    bool holds = operators[condition->operator].holds(uuid, condition->operand);
    datum_unref(uuid);
    return holds;
}
