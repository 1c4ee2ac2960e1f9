/* SPDX-License-Identifier: Apache-2.0 */

/* Many records at once: list and find. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/condition.h"
#include "cli/context.h"
#include "cli/lookup.h"
#include "cli/nouns.h"
#include "cli/store.h"

/* The columns to print; NULL stands for _uuid. */
struct selection {
    const struct column_schema **columns; /* Owned. */
    size_t n;
};

static int select_named(const struct table_schema *table, const char *names,
                        struct selection *selection, struct error *error)
{
    char *copy = strdup(names), *rest = copy, *name;
    int result = 0;

    selection->columns = calloc(strlen(names) + 1, sizeof *selection->columns);
    while (!result && (name = strsep(&rest, ", "))) {
        const struct column_schema *column = NULL;
        if (!*name)
            continue;
        if (strcmp(name, "_uuid"))
            result = lookup_column(table, name, &column, error);
        selection->columns[selection->n++] = column;
    }
    free(copy);
    if (!result && !selection->n)
        result = error_set(error, -EINVAL, "--columns: names no column");
    return result;
}

static void select_all(const struct table_schema *table, struct selection *selection)
{
    selection->columns = calloc(table->n_columns + 1, sizeof *selection->columns);
    for (size_t i = 0; i < table->n_columns; i++)
        selection->columns[i + 1] = &table->columns[i];
    selection->n = table->n_columns + 1;
}

/* The caller frees selection->columns in any case. */
static int select_columns(struct invocation *invocation, const struct table_schema *table,
                          struct selection *selection, struct error *error)
{
    const char *names = invocation_option(invocation, "--columns");

    *selection = (struct selection){.n = 0};
    if (names)
        return select_named(table, names, selection, error);
    select_all(table, selection);
    return 0;
}

static int prepare_listing(struct context *context, struct invocation *invocation,
                           const struct table_schema **table, struct error *error)
{
    struct selection selection = {.n = 0};
    int result = lookup_table(store_schema(context->store), invocation->args[0], table, error);

    if (result)
        return result;
    store_want_column(context->store, *table, NULL);
    result = select_columns(invocation, *table, &selection, error);
    for (size_t i = 0; i < selection.n; i++)
        store_want_column(context->store, *table, selection.columns[i]);
    free(selection.columns);
    return result;
}

static int prepare_list(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct table_schema *table;
    int result = prepare_listing(context, invocation, &table, error);

    if (!result && invocation->n_args > 1)
        lookup_want_row(context->store, table);
    return result;
}

static int prepare_find(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct table_schema *table;
    int result = prepare_listing(context, invocation, &table, error);

    for (size_t i = 1; !result && i < invocation->n_args; i++) {
        struct condition condition;
        result = condition_parse(context->store, table, invocation->args[i], &condition, error);
        if (!result) {
            store_want_column(context->store, table, condition.column);
            condition_fini(&condition);
        }
    }
    return result;
}

static struct table *begin_table(const struct selection *selection)
{
    struct table *table = table_create();

    for (size_t i = 0; i < selection->n; i++)
        table_add_column(table, selection->columns[i] ? selection->columns[i]->name : "_uuid");
    return table;
}

static void add_uuid_cell(struct table *table, const struct store_row *row, enum table_data form)
{
    json_t *rfc = ovsdb_json_uuid(store_row_uuid(row));
    char text[UUID_TEXT_BYTES];

    uuid_format(store_row_uuid(row), text);
    table_add_cell_take(table, form == DATA_JSON ? json_dumps(rfc, JSON_COMPACT) : strdup(text),
                        json_string(text), rfc);
}

static void add_row(struct table *table, const struct selection *selection,
                    const struct store_row *row, const struct table_style *style)
{
    for (size_t i = 0; i < selection->n; i++) {
        const struct column_schema *column = selection->columns[i];
        struct buffer text = BUFFER_INIT;

        if (!column) {
            add_uuid_cell(table, row, style->data);
            continue;
        }
        const struct datum *datum = store_get(row, column);
        value_format(&column->type, datum, style->data, &text);
        table_add_cell_take(table, buffer_take_text(&text), value_to_json(&column->type, datum),
                            datum_to_json(datum));
    }
}

/* Between two tables of a chain there is a blank line, but none between lines of JSON. */
static void print_table(struct context *context, struct invocation *invocation,
                        const struct table *table)
{
    enum table_format format = context->options.style.format;

    if (context->n_tables++ && format != TABLE_JSON && format != TABLE_OBJECTS)
        buffer_putc(&invocation->output, '\n');
    table_print(table, &context->options.style, TABLE_LIST, &invocation->output);
}

static int list_named(struct context *context, struct invocation *invocation,
                      const struct table_schema *schema, const struct selection *selection,
                      struct table *table, struct error *error)
{
    bool if_exists = invocation_option(invocation, "--if-exists");
    int result = 0;

    for (size_t i = 1; !result && i < invocation->n_args; i++) {
        struct store_row *row;
        result = if_exists
                     ? lookup_row_if_any(context->store, schema, invocation->args[i], &row, error)
                     : lookup_row(context->store, schema, invocation->args[i], &row, error);
        if (!result && row)
            add_row(table, selection, row, &context->options.style);
    }
    return result;
}

static int run_list(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct table_schema *schema;
    struct selection selection = {.n = 0};
    int result = lookup_table(store_schema(context->store), invocation->args[0], &schema, error);

    if (!result)
        result = select_columns(invocation, schema, &selection, error);
    struct table *table = begin_table(&selection);
    if (!result && invocation->n_args > 1)
        result = list_named(context, invocation, schema, &selection, table, error);
    else if (!result)
        for (struct store_row *row = store_first(context->store, schema); row;
             row = store_next(row))
            add_row(table, &selection, row, &context->options.style);
    if (!result)
        print_table(context, invocation, table);
    table_destroy(table);
    free(selection.columns);
    return result;
}

static bool fulfils_all(const struct condition *conditions, size_t n, const struct store_row *row)
{
    for (size_t i = 0; i < n; i++)
        if (!condition_is_true(&conditions[i], row))
            return false;
    return true;
}

static int run_find(struct context *context, struct invocation *invocation, struct error *error)
{
    const struct table_schema *schema;
    struct selection selection = {.n = 0};
    struct condition *conditions = calloc(invocation->n_args, sizeof *conditions);
    size_t n = 0;
    int result = lookup_table(store_schema(context->store), invocation->args[0], &schema, error);

    if (!result)
        result = select_columns(invocation, schema, &selection, error);
    for (size_t i = 1; !result && i < invocation->n_args; i++)
        if (!(result = condition_parse(context->store, schema, invocation->args[i], &conditions[n],
                                       error)))
            n++;
    if (!result) {
        struct table *table = begin_table(&selection);
        for (struct store_row *row = store_first(context->store, schema); row;
             row = store_next(row))
            if (fulfils_all(conditions, n, row))
                add_row(table, &selection, row, &context->options.style);
        print_table(context, invocation, table);
        table_destroy(table);
    }
    while (n)
        condition_fini(&conditions[--n]);
    free(conditions);
    free(selection.columns);
    return result;
}

static const struct command rows[] = {
    {.name = "list",
     .arguments = "TABLE [RECORD]...",
     .options = "--if-exists --columns=",
     .summary = "Print records of a table, all of them unless some are named",
     .group = GROUP_RECORD,
     .min_args = 1,
     .max_args = -1,
     .prepare = prepare_list,
     .run = run_list},
    {.name = "find",
     .arguments = "TABLE [COLUMN[:KEY]=VALUE]...",
     .options = "--columns=",
     .summary = "Print the records that fulfil all conditions",
     .group = GROUP_RECORD,
     .min_args = 1,
     .max_args = -1,
     .prepare = prepare_find,
     .run = run_find},
};

const struct command_rows record_list_commands = {rows, ARRAY_SIZE(rows)};
