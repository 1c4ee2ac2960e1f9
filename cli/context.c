/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/context.h"

#include <jansson.h>

void context_print_names_take(struct context *context, struct invocation *invocation,
                              struct table *table)
{
    struct table_style style = context->options.style;

    if (style.format == TABLE_DEFAULT)
        style.no_headings = true;
    table_print(table, &style, TABLE_TABLE, &invocation->output);
    table_destroy(table);
}

void context_print_value_take(struct context *context, struct invocation *invocation, json_t *value)
{
    if (options_is_json(&context->options)) {
        json_print_take(value, &context->options.style, &invocation->output);
        return;
    }
    if (json_is_string(value))
        buffer_printf(&invocation->output, "%s\n", json_string_value(value));
    else if (json_is_integer(value))
        buffer_printf(&invocation->output, "%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
    json_decref(value);
}
