/* SPDX-License-Identifier: Apache-2.0 */

/* Any column of any record: get, set, add, remove, clear. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/condition.h"
#include "cli/context.h"
#include "cli/lookup.h"
#include "cli/nouns.h"
#include "cli/record.h"
#include "cli/store.h"
#include "lib/ovsdb/diff.h"

static bool is_uuid_column(const char *word)
{
    return !strcmp(word, "_uuid");
}

int record_want_words(struct context *context, const struct table_schema *table,
                      const char *const words[], size_t n_words, struct error *error)
{
    struct column_key target;
    int result = 0;

    for (size_t i = 0; !result && i < n_words; i++) {
        if (is_uuid_column(words[i]))
            continue;
        result = column_key_parse(table, words[i], &target, error);
        if (!result)
            store_want_column(context->store, table, target.column);
        column_key_fini(&target);
    }
    return result;
}

/* TABLE RECORD COLUMN...: the record and 'n' columns. */
static int prepare_words(struct context *context, struct invocation *invocation, size_t n,
                         struct error *error)
{
    const struct table_schema *table;
    int result = lookup_table(store_schema(context->store), invocation->args[0], &table, error);

    if (result)
        return result;
    lookup_want_row(context->store, table);
    return record_want_words(context, table, invocation->args + 2, n, error);
}

static int prepare_columns(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    return prepare_words(context, invocation, invocation->n_args - 2, error);
}

static int prepare_one_column(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    return prepare_words(context, invocation, 1, error);
}

/* The record of words 0 and 1; with --if-exists a missing one is NULL. */
static int find_record(struct context *context, struct invocation *invocation,
                       const struct table_schema **table, struct store_row **row,
                       struct error *error)
{
    int result = lookup_table(store_schema(context->store), invocation->args[0], table, error);

    if (result)
        return result;
    if (invocation_option(invocation, "--if-exists"))
        return lookup_row_if_any(context->store, *table, invocation->args[1], row, error);
    return lookup_row(context->store, *table, invocation->args[1], row, error);
}

static int check_mutable(const struct store_row *row, const struct column_schema *column,
                         struct error *error)
{
    if (column->is_mutable || store_row_is_new(row))
        return 0;
    return error_set(error, -EPERM, "column %s of %s can only be set when a record is created",
                     column->name, store_row_table(row)->name);
}

/* --- get ----------------------------------------------------------------------------------- */

static void print_text(struct invocation *invocation, const char *text)
{
    buffer_printf(&invocation->output, "%s\n", text);
}

static int get_key(struct context *context, struct invocation *invocation,
                   const struct column_key *target, const struct datum *map, json_t *json,
                   struct error *error)
{
    ptrdiff_t i;
    int result = column_key_find(target, map, &i, error);

    if (result)
        return result;
    if (i < 0 && invocation_option(invocation, "--if-exists")) {
        if (json)
            json_array_append_new(json, json_null());
        else
            print_text(invocation, "");
        return 0;
    }
    if (i < 0)
        return error_set(error, -ENOENT, "column %s of %s has no key %s", target->column->name,
                         shown(invocation->args[1]).text, shown(target->key).text);
    if (json) {
        json_array_append_new(json, value_atom_to_json(map->value_type, &map->values[i]));
        return 0;
    }
    value_format_atom(map->value_type, &map->values[i], context->options.style.data,
                      &invocation->output);
    buffer_putc(&invocation->output, '\n');
    return 0;
}

static void get_uuid(struct invocation *invocation, const struct store_row *row, json_t *json)
{
    char text[UUID_TEXT_BYTES];

    uuid_format(store_row_uuid(row), text);
    if (json)
        json_array_append_new(json, json_string(text));
    else
        print_text(invocation, text);
}

static int get_column(struct context *context, struct invocation *invocation,
                      const struct store_row *row, const char *word, json_t *json,
                      struct error *error)
{
    struct column_key target;

    if (is_uuid_column(word)) {
        get_uuid(invocation, row, json);
        return 0;
    }
    int result = column_key_parse(store_row_table(row), word, &target, error);
    if (!result && *target.rest)
        result = error_set(error, -EINVAL, "%s: only COLUMN or COLUMN:KEY can be read",
                           shown(word).text);
    if (!result) {
        const struct datum *datum = store_get(row, target.column);
        if (target.key) {
            result = get_key(context, invocation, &target, datum, json, error);
        } else if (json) {
            json_array_append_new(json, value_to_json(&target.column->type, datum));
        } else {
            value_format(&target.column->type, datum, context->options.style.data,
                         &invocation->output);
            buffer_putc(&invocation->output, '\n');
        }
    }
    column_key_fini(&target);
    return result;
}

static int run_get(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *name = invocation_option(invocation, "--id");
    const struct table_schema *table;
    struct store_row *row;
    int result = find_record(context, invocation, &table, &row, error);

    if (!result && name && invocation_option(invocation, "--if-exists"))
        result = error_set(error, -EINVAL, "get: --if-exists and --id exclude each other");
    if (result || !row)
        return result;
    if (name && (result = store_name_row(context->store, name, row, error)) < 0)
        return result;
    json_t *json = options_is_json(&context->options) ? json_array() : NULL;
    for (size_t i = 2; !result && i < invocation->n_args; i++)
        result = get_column(context, invocation, row, invocation->args[i], json, error);
    if (json && json_array_size(json) == 1)
        json_print_take(json_incref(json_array_get(json, 0)), &context->options.style,
                        &invocation->output);
    else if (json)
        json_print_take(json_incref(json), &context->options.style, &invocation->output);
    json_decref(json);
    return result;
}

/* --- set ----------------------------------------------------------------------------------- */

/* A map with the one pair key=text. */
static int parse_pair(struct context *context, const struct column_key *target, const char *text,
                      struct datum **pair, struct error *error)
{
    const struct column_type *type = &target->column->type;
    struct value_names names = store_names(context->store);
    union atom key, value;
    int result = value_parse_atom(&type->key, target->key, &names, &key, error);

    if (result)
        return result;
    if ((result = value_parse_atom(&type->value, text, &names, &value, error)) < 0) {
        atom_fini(type->key.type, &key);
        return result;
    }
    *pair = datum_create(type->key.type, type->value.type, 1);
    (*pair)->keys[0] = key;
    (*pair)->values[0] = value;
    return 0;
}

static int set_checked_take(struct store_row *row, const struct column_schema *column,
                            struct datum *datum, struct error *error)
{
    int result = check_mutable(row, column, error);

    if (!result)
        result = column_type_check(&column->type, datum, error);
    if (result)
        datum_unref(datum);
    else
        store_set_take(row, column, datum);
    return result;
}

/* The pairs of 'pair' outrank those that are there: a union keeps what its first argument has. */
static int set_key(struct context *context, struct store_row *row, const struct column_key *target,
                   const char *text, struct error *error)
{
    struct datum *pair;
    int result = parse_pair(context, target, text, &pair, error);

    if (result)
        return result;
    struct datum *merged = datum_union(pair, store_get(row, target->column));
    datum_unref(pair);
    return set_checked_take(row, target->column, merged, error);
}

int record_set_word(struct context *context, struct store_row *row, const char *word,
                    struct error *error)
{
    struct value_names names = store_names(context->store);
    struct column_key target;
    struct datum *datum;
    int result = column_key_parse(store_row_table(row), word, &target, error);

    if (!result && *target.rest != '=')
        result = error_set(error, -EINVAL, "%s: expected COLUMN=VALUE or COLUMN:KEY=VALUE",
                           shown(word).text);
    if (!result && target.key) {
        result = set_key(context, row, &target, target.rest + 1, error);
    } else if (!result) {
        result = value_parse(&target.column->type, target.rest + 1, &names, &datum, error);
        if (!result)
            result = set_checked_take(row, target.column, datum, error);
    }
    if (result && target.column)
        error_prefix(error, "column %s", target.column->name);
    column_key_fini(&target);
    return result;
}

static int run_set(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct table_schema *table;
    struct store_row *row;
    int result = find_record(context, invocation, &table, &row, error);

    for (size_t i = 2; !result && row && i < invocation->n_args; i++)
        result = record_set_word(context, row, invocation->args[i], error);
    return result;
}

/* --- add, remove, clear -------------------------------------------------------------------- */

static int run_add(struct context *context, struct invocation *invocation, struct error *error)
{
    struct value_names names = store_names(context->store);
    const struct column_schema *column;
    const struct table_schema *table;
    struct store_row *row;
    struct datum *part;
    int result = find_record(context, invocation, &table, &row, error);

    if (!result && row)
        result = lookup_column(table, invocation->args[2], &column, error);
    for (size_t i = 3; !result && row && i < invocation->n_args; i++) {
        result = value_parse_part(&column->type, invocation->args[i], &names, &part, error);
        if (result)
            break;
        struct datum *merged = datum_union(store_get(row, column), part); /* Old pairs stay. */
        datum_unref(part);
        result = set_checked_take(row, column, merged, error);
    }
    return result;
}

/* From a map either pairs or, without '=', keys are removed. */
static int parse_removal(struct context *context, const struct column_schema *column,
                         const char *word, struct datum **part, struct error *error)
{
    struct value_names names = store_names(context->store);
    struct column_type keys = column->type;
    bool has_pairs = column_type_is_map(&column->type) && *word != '[' &&
                     (word[value_word_length(word)] == '=' || *word == '{');

    if (!has_pairs)
        keys.value = (struct base_type){.type = ATOM_VOID};
    keys.n_max = COLUMN_UNLIMITED;
    return value_parse_part(&keys, word, &names, part, error);
}

static int run_remove(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct column_schema *column;
    const struct table_schema *table;
    struct store_row *row;
    struct datum *part;
    int result = find_record(context, invocation, &table, &row, error);

    if (!result && row)
        result = lookup_column(table, invocation->args[2], &column, error);
    for (size_t i = 3; !result && row && i < invocation->n_args; i++) {
        result = parse_removal(context, column, invocation->args[i], &part, error);
        if (result)
            break;
        struct datum *left = datum_difference(store_get(row, column), part);
        datum_unref(part);
        result = set_checked_take(row, column, left, error);
    }
    return result;
}

static int run_clear(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct table_schema *table;
    struct store_row *row;
    int result = find_record(context, invocation, &table, &row, error);

    for (size_t i = 2; !result && row && i < invocation->n_args; i++) {
        const struct column_schema *column;
        result = lookup_column(table, invocation->args[i], &column, error);
        if (!result && column->type.n_min > 0)
            result = error_set(error, -ERANGE,
                               "column %s of %s must have a value: it cannot be "
                               "cleared",
                               column->name, table->name);
        if (!result)
            result = set_checked_take(
                row, column, datum_create(column->type.key.type, column->type.value.type, 0),
                error);
    }
    return result;
}

static const struct command rows[] = {
    {.name = "get",
     .arguments = "TABLE RECORD [COLUMN[:KEY]]...",
     .options = "--if-exists --id=",
     .summary = "Print values of columns of a record",
     .group = GROUP_RECORD,
     .min_args = 2,
     .max_args = -1,
     .prepare = prepare_columns,
     .run = run_get},
    {.name = "set",
     .arguments = "TABLE RECORD COLUMN[:KEY]=VALUE...",
     .options = "--if-exists",
     .summary = "Set columns of a record",
     .group = GROUP_RECORD,
     .min_args = 3,
     .max_args = -1,
     .prepare = prepare_columns,
     .run = run_set},
    {.name = "add",
     .arguments = "TABLE RECORD COLUMN [KEY=]VALUE...",
     .options = "--if-exists",
     .summary = "Add elements to a column that is a set or a map",
     .group = GROUP_RECORD,
     .min_args = 4,
     .max_args = -1,
     .prepare = prepare_one_column,
     .run = run_add},
    {.name = "remove",
     .arguments = "TABLE RECORD COLUMN KEY[=VALUE]...",
     .options = "--if-exists",
     .summary = "Remove elements from a column that is a set or a map",
     .group = GROUP_RECORD,
     .min_args = 4,
     .max_args = -1,
     .prepare = prepare_one_column,
     .run = run_remove},
    {.name = "clear",
     .arguments = "TABLE RECORD COLUMN...",
     .options = "--if-exists",
     .summary = "Empty columns of a record",
     .group = GROUP_RECORD,
     .min_args = 3,
     .max_args = -1,
     .prepare = prepare_columns,
     .run = run_clear},
};

const struct command_rows record_commands = {rows, ARRAY_SIZE(rows)};
