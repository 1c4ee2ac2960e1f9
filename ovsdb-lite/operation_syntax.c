/* SPDX-License-Identifier: Apache-2.0 */

/* One row per member of each operation. */

#include "ovsdb-lite/operation_syntax.h"

#include <string.h>

#include "lib/annotations.h"

enum kind { KIND_ID, KIND_STRING, KIND_NUMBER, KIND_BOOLEAN, KIND_ARRAY, KIND_OBJECT };

static const char *const kind_names[] = {
    [KIND_ID] = "an identifier",      [KIND_STRING] = "a string", [KIND_NUMBER] = "a number",
    [KIND_BOOLEAN] = "true or false", [KIND_ARRAY] = "an array",  [KIND_OBJECT] = "an object",
};

struct member {
    const char *operation, *name;
    enum kind kind;
    bool is_optional;
};

static const struct member members[] = {
    {"insert", "table", KIND_ID, false},
    {"insert", "row", KIND_OBJECT, false},
    {"insert", "uuid-name", KIND_ID, true},
    {"insert", "uuid", KIND_STRING, true},
    {"select", "table", KIND_ID, false},
    {"select", "where", KIND_ARRAY, false},
    {"select", "columns", KIND_ARRAY, true},
    {"update", "table", KIND_ID, false},
    {"update", "where", KIND_ARRAY, false},
    {"update", "row", KIND_OBJECT, false},
    {"mutate", "table", KIND_ID, false},
    {"mutate", "where", KIND_ARRAY, false},
    {"mutate", "mutations", KIND_ARRAY, false},
    {"delete", "table", KIND_ID, false},
    {"delete", "where", KIND_ARRAY, false},
    {"wait", "timeout", KIND_NUMBER, true},
    {"wait", "table", KIND_ID, false},
    {"wait", "where", KIND_ARRAY, false},
    {"wait", "columns", KIND_ARRAY, true},
    {"wait", "until", KIND_STRING, false},
    {"wait", "rows", KIND_ARRAY, false},
    {"commit", "durable", KIND_BOOLEAN, false},
    {"abort", NULL, KIND_ID, true},
    {"comment", "comment", KIND_STRING, false},
    {"assert", "lock", KIND_ID, false},
};

bool is_id(const char *name)
{
    return *name &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
               strlen(name) &&
           !(*name >= '0' && *name <= '9');
}

static bool is_of_kind(const json_t *json, enum kind kind)
{
    switch (kind) {
    case KIND_ID:
        return json_is_string(json) && is_id(json_string_value(json));
    case KIND_STRING:
        return json_is_string(json);
    case KIND_NUMBER:
        return json_is_number(json);
    case KIND_BOOLEAN:
        return json_is_boolean(json);
    case KIND_ARRAY:
        return json_is_array(json);
    case KIND_OBJECT:
        return json_is_object(json);
    }
    return false;
}

static bool is_member(const char *op, const char *name)
{
    if (!strcmp(name, "op"))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (!strcmp(members[i].operation, op) && members[i].name && !strcmp(members[i].name, name))
            return true;
    return false;
}

static bool check_member(const json_t *operation, const struct member *member,
                         struct db_error *error)
{
    const json_t *value = member->name ? json_object_get(operation, member->name) : NULL;

    if (!value && !member->is_optional)
        return db_error_set(error, DB_SYNTAX_ERROR, "\"%s\" needs a member \"%s\"",
                            member->operation, member->name);
    if (value && !is_of_kind(value, member->kind))
        return db_error_set(error, DB_SYNTAX_ERROR, "\"%s\" must be %s", member->name,
                            kind_names[member->kind]);
    return true;
}

bool operation_check_syntax(const json_t *operation, struct db_error *error)
{
    const char *op = json_string_value(json_object_get(operation, "op"));
    const char *name;
    const json_t *value;
    bool is_known = false;

    if (!op)
        return db_error_set(error, DB_SYNTAX_ERROR,
                            "an operation is an object with a string \"op\"");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (strcmp(members[i].operation, op))
            continue;
        is_known = true;
        if (!check_member(operation, &members[i], error))
            return false;
    }
    if (!is_known)
        return db_error_set(error, DB_SYNTAX_ERROR, "No operation \"%s\".", op);
    json_object_foreach ((json_t *)operation, name, value)
        if (!is_member(op, name))
            return db_error_set(error, DB_SYNTAX_ERROR, "\"%s\" has no member \"%s\"", op, name);
    return true;
}
