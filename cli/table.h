/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* table - rows and columns, printed the way the person or the script wants them.
 *
 *     --format=table|list|csv|html|json   as ovs-vsctl(8); json is {"headings": ..., "data": ...}
 *     --json                              an array of objects with the headings as names
 *
 * A cell has its text and its JSON; which is used follows from the format.
 *
 * Threads  None: a table belongs to one caller. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"
#include "lib/error.h"

enum table_format {
    TABLE_DEFAULT,
    TABLE_TABLE,
    TABLE_LIST,
    TABLE_CSV,
    TABLE_HTML,
    TABLE_JSON,
    TABLE_OBJECTS
};
enum table_data { DATA_STRING, DATA_BARE, DATA_JSON }; /* How values look in text formats. */

struct table_style {
    enum table_format format; /* TABLE_DEFAULT: what the command prefers. */
    enum table_data data;
    bool no_headings, is_pretty;
    size_t max_width; /* Of a column of TABLE_TABLE, in characters; 0: any. */
};

struct table;

struct table *table_create(void);
void table_destroy(struct table *table); /* NULL is fine. */

/* All headings first, then cell by cell, row by row. */
void table_add_column(struct table *table, const char *heading);
void table_add_text(struct table *table, const char *text); /* A string. */
void table_add_integer(struct table *table, json_int_t number);
/* Takes 'text' (malloc()ed), 'plain' (for objects) and 'rfc' (for --format=json; NULL: 'plain'). */
void table_add_cell_take(struct table *table, char *text, json_t *plain, json_t *rfc);

size_t table_n_rows(const struct table *table);

/* 'fallback' is the format for TABLE_DEFAULT. */
void table_print(const struct table *table, const struct table_style *style,
                 enum table_format fallback, struct buffer *out);

int table_format_parse(const char *text, enum table_format *format, struct error *error);
int table_data_parse(const char *text, enum table_data *data, struct error *error);

/* One JSON document and a newline. */
void json_print_take(json_t *json, const struct table_style *style, struct buffer *out);
