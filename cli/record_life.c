/* SPDX-License-Identifier: Apache-2.0 */

/* Whole records: create, destroy, wait-until. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/condition.h"
#include "cli/context.h"
#include "cli/lookup.h"
#include "cli/nouns.h"
#include "cli/record.h"
#include "cli/store.h"

static int find_table(struct context *context, struct invocation *invocation,
                      const struct table_schema **table, struct error *error)
{
    return lookup_table(store_schema(context->store), invocation->args[0], table, error);
}

/* --- create -------------------------------------------------------------------------------- */

static int prepare_create(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    const struct table_schema *table;
    int result = find_table(context, invocation, &table, error);

    if (result)
        return result;
    store_want_column(context->store, table, NULL);
    return record_want_words(context, table, invocation->args + 1, invocation->n_args - 1, error);
}

static int run_create(struct context *context, struct invocation *invocation, struct error *error)
{
    const char *name = invocation_option(invocation, "--id");
    const struct table_schema *table;
    struct uuid uuid;
    int result = find_table(context, invocation, &table, error);

    if (result)
        return result;
    struct store_row *row = store_insert(context->store, table);
    if (name && uuid_parse(name, &uuid))
        result = store_choose_uuid(context->store, row, &uuid, error);
    else if (name)
        result = store_name_row(context->store, name, row, error);
    else if (!table->is_root)
        buffer_printf(&context->warnings,
                      "weir: the new %s vanishes at once, as nothing refers to it: name it with "
                      "--id=@NAME and use the name in the same transaction\n",
                      table->name);
    for (size_t i = 1; !result && i < invocation->n_args; i++)
        result = record_set_word(context, row, invocation->args[i], error);
    if (!result) {
        struct store_row **state = malloc(sizeof *state);
        *state = row;
        invocation->state = state;
    }
    return result;
}

/* The UUID is the server's to choose. */
static int finish_create(struct context *context, struct invocation *invocation,
                         struct error *error)
{
    struct store_row *const *row = invocation->state;
    char text[UUID_TEXT_BYTES];

    (void)error;
    uuid_format(store_row_uuid(*row), text);
    if (options_is_json(&context->options))
        json_print_take(json_pack("{s:s}", "_uuid", text), &context->options.style,
                        &invocation->output);
    else
        buffer_printf(&invocation->output, "%s\n", text);
    return 0;
}

/* --- destroy ------------------------------------------------------------------------------- */

static int prepare_destroy(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    const struct table_schema *table;
    int result = find_table(context, invocation, &table, error);

    if (!result)
        lookup_want_row(context->store, table);
    return result;
}

static int run_destroy(struct context *context, struct invocation *invocation, struct error *error)
{
    bool is_all = invocation_option(invocation, "--all");
    bool if_exists = invocation_option(invocation, "--if-exists");
    const struct table_schema *table;
    int result = find_table(context, invocation, &table, error);

    if (!result && is_all == (invocation->n_args > 1))
        result = error_set(error, -EINVAL, "destroy: needs either --all or records of %s",
                           table->name);
    if (!result && is_all)
        for (struct store_row *row; (row = store_first(context->store, table));)
            store_delete(row);
    for (size_t i = 1; !result && i < invocation->n_args; i++) {
        struct store_row *row;
        result = if_exists
                     ? lookup_row_if_any(context->store, table, invocation->args[i], &row, error)
                     : lookup_row(context->store, table, invocation->args[i], &row, error);
        if (!result && row)
            store_delete(row);
    }
    return result;
}

/* --- wait-until ---------------------------------------------------------------------------- */

static int prepare_wait_until(struct context *context, struct invocation *invocation,
                              struct error *error)
{
    const struct table_schema *table;
    int result = find_table(context, invocation, &table, error);

    if (result)
        return result;
    lookup_want_row(context->store, table);
    for (size_t i = 2; !result && i < invocation->n_args; i++) {
        struct condition condition;
        result = condition_parse(context->store, table, invocation->args[i], &condition, error);
        if (result)
            break;
        store_want_column(context->store, table, condition.column);
        condition_fini(&condition);
    }
    return result;
}

static int run_wait_until(struct context *context, struct invocation *invocation,
                          struct error *error)
{
    const struct table_schema *table;
    struct store_row *row;
    int result = find_table(context, invocation, &table, error);

    if (!result)
        result = lookup_row_if_any(context->store, table, invocation->args[1], &row, error);
    if (!result && !row)
        return -EAGAIN;
    for (size_t i = 2; !result && i < invocation->n_args; i++) {
        struct condition condition;
        result = condition_parse(context->store, table, invocation->args[i], &condition, error);
        if (result)
            break;
        if (!condition_is_true(&condition, row))
            result = -EAGAIN;
        condition_fini(&condition);
    }
    return result;
}

/* --- comment ------------------------------------------------------------------------------- */

static int prepare_comment(struct context *context, struct invocation *invocation,
                           struct error *error)
{
    (void)context, (void)invocation, (void)error;
    return 0;
}

/* Every transaction carries what was typed; this adds words to it. */
static int run_comment(struct context *context, struct invocation *invocation, struct error *error)
{
    (void)context, (void)invocation, (void)error;
    return 0;
}

static const struct command rows[] = {
    {.name = "create",
     .arguments = "TABLE COLUMN[:KEY]=VALUE...",
     .options = "--id=",
     .summary = "Create a record and print its UUID",
     .group = GROUP_RECORD,
     .min_args = 2,
     .max_args = -1,
     .prepare = prepare_create,
     .run = run_create,
     .finish = finish_create},
    {.name = "destroy",
     .arguments = "TABLE [RECORD]...",
     .options = "--if-exists --all",
     .summary = "Delete records",
     .group = GROUP_RECORD,
     .min_args = 1,
     .max_args = -1,
     .prepare = prepare_destroy,
     .run = run_destroy},
    {.name = "wait-until",
     .arguments = "TABLE RECORD [COLUMN[:KEY]=VALUE]...",
     .summary = "Wait until a record exists and fulfils all conditions",
     .group = GROUP_RECORD,
     .min_args = 2,
     .max_args = -1,
     .prepare = prepare_wait_until,
     .run = run_wait_until},
    {.name = "comment",
     .arguments = "[WORD]...",
     .summary = "Add words to what the log of the database says about this transaction",
     .group = GROUP_RECORD,
     .max_args = -1,
     .prepare = prepare_comment,
     .run = run_comment},
};

const struct command_rows record_life_commands = {rows, ARRAY_SIZE(rows)};
