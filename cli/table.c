/* SPDX-License-Identifier: Apache-2.0 */

/* Cells are kept in one growing array, row after row; widths are measured when printing. */

#include "cli/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shown.h"

struct cell {
    char *text;    /* Owned. */
    json_t *plain; /* Owned. */
    json_t *rfc;   /* Owned; NULL: as 'plain'. */
};

struct table {
    char **headings;
    size_t n_columns;
    struct cell *cells;
    size_t n_cells, max_cells;
};

static void *grow(void *array, size_t n, size_t element_bytes)
{
    array = reallocarray(array, n, element_bytes);
    if (!array)
        abort();
    return array;
}

struct table *table_create(void)
{
    struct table *table = calloc(1, sizeof *table);

    if (!table)
        abort();
    return table;
}

void table_destroy(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_columns; i++)
        free(table->headings[i]);
    for (size_t i = 0; i < table->n_cells; i++) {
        free(table->cells[i].text);
        json_decref(table->cells[i].plain);
        json_decref(table->cells[i].rfc);
    }
    free(table->headings);
    free(table->cells);
    free(table);
}

void table_add_column(struct table *table, const char *heading)
{
    table->headings = grow(table->headings, table->n_columns + 1, sizeof *table->headings);
    table->headings[table->n_columns++] = strdup(heading);
}

void table_add_cell_take(struct table *table, char *text, json_t *plain, json_t *rfc)
{
    if (table->n_cells == table->max_cells) {
        table->max_cells = table->max_cells ? 2 * table->max_cells : 64;
        table->cells = grow(table->cells, table->max_cells, sizeof *table->cells);
    }
    table->cells[table->n_cells++] = (struct cell){.text = text, .plain = plain, .rfc = rfc};
}

/* Bytes that are not UTF-8 have no JSON form. */
static json_t *json_text(const char *text)
{
    json_t *json = json_string(text);

    return json ? json : json_string("(not UTF-8)");
}

void table_add_text(struct table *table, const char *text)
{
    table_add_cell_take(table, strdup(text), json_text(text), NULL);
}

void table_add_integer(struct table *table, json_int_t number)
{
    struct buffer text = BUFFER_INIT;

    buffer_printf(&text, "%" JSON_INTEGER_FORMAT, number);
    table_add_cell_take(table, buffer_take_text(&text), json_integer(number), NULL);
}

size_t table_n_rows(const struct table *table)
{
    return table->n_columns ? table->n_cells / table->n_columns : 0;
}

static size_t count_characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* As many characters of 'text' as fit, and blanks up to the width unless it is the last column. */
static void print_padded(struct buffer *out, const char *text, size_t width, bool is_last)
{
    size_t n = 0;
    const char *end = text;

    while (*end && n < width) {
        end++;
        while ((*end & 0xc0) == 0x80)
            end++;
        n++;
    }
    buffer_put(out, text, (size_t)(end - text));
    for (; !is_last && n < width; n++)
        buffer_putc(out, ' ');
    buffer_putc(out, is_last ? '\n' : ' ');
}

/* The heading always fits; cells only up to the limit. */
static size_t *measure_columns(const struct table *table, const struct table_style *style)
{
    size_t *widths = grow(NULL, table->n_columns + 1, sizeof *widths);
    size_t limit = style->max_width ? style->max_width : SIZE_MAX;

    for (size_t i = 0; i < table->n_columns; i++)
        widths[i] = style->no_headings ? 0 : count_characters(table->headings[i]);
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t width = count_characters(table->cells[i].text);
        if (width > limit)
            width = limit;
        if (width > widths[i % table->n_columns])
            widths[i % table->n_columns] = width;
    }
    return widths;
}

static void print_as_table(const struct table *table, const struct table_style *style,
                           struct buffer *out)
{
    size_t *widths = measure_columns(table, style);

    for (size_t i = 0; !style->no_headings && i < table->n_columns; i++)
        print_padded(out, table->headings[i], widths[i], i + 1 == table->n_columns);
    for (size_t i = 0; !style->no_headings && i < table->n_columns; i++) {
        for (size_t n = 0; n < widths[i]; n++)
            buffer_putc(out, '-');
        buffer_putc(out, i + 1 == table->n_columns ? '\n' : ' ');
    }
    for (size_t i = 0; i < table->n_cells; i++)
        print_padded(out, table->cells[i].text, widths[i % table->n_columns],
                     (i + 1) % table->n_columns == 0);
    free(widths);
}

static void print_as_list(const struct table *table, bool has_headings, struct buffer *out)
{
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t column = i % table->n_columns;

        if (i && !column)
            buffer_putc(out, '\n');
        if (has_headings)
            buffer_printf(out, "%-20s: ", table->headings[column]);
        buffer_printf(out, "%s\n", table->cells[i].text);
    }
}

/* RFC 4180, section 2: quotes are doubled. */
static void print_csv_field(struct buffer *out, const char *text)
{
    if (!strpbrk(text, "\n\r\",")) {
        buffer_puts(out, text);
        return;
    }
    buffer_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buffer_putc(out, '"');
        buffer_putc(out, *text);
    }
    buffer_putc(out, '"');
}

static void print_as_csv(const struct table *table, bool has_headings, struct buffer *out)
{
    for (size_t i = 0; has_headings && i < table->n_columns; i++) {
        print_csv_field(out, table->headings[i]);
        buffer_putc(out, i + 1 == table->n_columns ? '\n' : ',');
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        print_csv_field(out, table->cells[i].text);
        buffer_putc(out, (i + 1) % table->n_columns == 0 ? '\n' : ',');
    }
}

static void print_html_cell(struct buffer *out, const char *element, const char *text)
{
    buffer_printf(out, "    <%s>", element);
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buffer_puts(out, "&amp;");
            break;
        case '<':
            buffer_puts(out, "&lt;");
            break;
        case '>':
            buffer_puts(out, "&gt;");
            break;
        case '"':
            buffer_puts(out, "&quot;");
            break;
        default:
            buffer_putc(out, *text);
        }
    }
    buffer_printf(out, "</%s>\n", element);
}

static void print_as_html(const struct table *table, bool has_headings, struct buffer *out)
{
    buffer_puts(out, "<table border=1>\n");
    for (size_t i = 0; has_headings && i < table->n_columns; i++) {
        buffer_puts(out, i ? "" : "  <tr>\n");
        print_html_cell(out, "th", table->headings[i]);
        buffer_puts(out, i + 1 < table->n_columns ? "" : "  </tr>\n");
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        buffer_puts(out, i % table->n_columns ? "" : "  <tr>\n");
        print_html_cell(out, "td", table->cells[i].text);
        buffer_puts(out, (i + 1) % table->n_columns ? "" : "  </tr>\n");
    }
    buffer_puts(out, "</table>\n");
}

static json_t *make_data(const struct table *table)
{
    json_t *headings = json_array(), *data = json_array(), *row = NULL;

    for (size_t i = 0; i < table->n_columns; i++)
        json_array_append_new(headings, json_text(table->headings[i]));
    for (size_t i = 0; i < table->n_cells; i++) {
        if (i % table->n_columns == 0)
            json_array_append_new(data, row = json_array());
        json_t *cell = table->cells[i].rfc ? table->cells[i].rfc : table->cells[i].plain;
        json_array_append(row, cell);
    }
    return json_pack("{s:o, s:o}", "data", data, "headings", headings);
}

static json_t *make_objects(const struct table *table)
{
    json_t *objects = json_array(), *object = NULL;

    for (size_t i = 0; i < table->n_cells; i++) {
        if (i % table->n_columns == 0)
            json_array_append_new(objects, object = json_object());
        json_object_set(object, table->headings[i % table->n_columns], table->cells[i].plain);
    }
    return objects;
}

void table_print(const struct table *table, const struct table_style *style,
                 enum table_format fallback, struct buffer *out)
{
    switch (style->format == TABLE_DEFAULT ? fallback : style->format) {
    case TABLE_DEFAULT:
    case TABLE_TABLE:
        print_as_table(table, style, out);
        return;
    case TABLE_LIST:
        print_as_list(table, !style->no_headings, out);
        return;
    case TABLE_CSV:
        print_as_csv(table, !style->no_headings, out);
        return;
    case TABLE_HTML:
        print_as_html(table, !style->no_headings, out);
        return;
    case TABLE_JSON:
        json_print_take(make_data(table), style, out);
        return;
    case TABLE_OBJECTS:
        json_print_take(make_objects(table), style, out);
        return;
    }
}

static int find_word(const char *text, const char *const words[], size_t n, const char *subject,
                     struct error *error)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(text, words[i]))
            return (int)i;
    return error_set(error, -EINVAL, "%s=%s: not one of the known forms (see weir help)", subject,
                     shown(text).text);
}

int table_format_parse(const char *text, enum table_format *format, struct error *error)
{
    static const char *const words[] = {"table", "list", "csv", "html", "json"};
    static const enum table_format formats[] = {TABLE_TABLE, TABLE_LIST, TABLE_CSV, TABLE_HTML,
                                                TABLE_JSON};
    int i = find_word(text, words, ARRAY_SIZE(words), "--format", error);

    if (i >= 0)
        *format = formats[i];
    return i < 0 ? i : 0;
}

int table_data_parse(const char *text, enum table_data *data, struct error *error)
{
    static const char *const words[] = {"string", "bare", "json"};
    static const enum table_data forms[] = {DATA_STRING, DATA_BARE, DATA_JSON};
    int i = find_word(text, words, ARRAY_SIZE(words), "--data", error);

    if (i >= 0)
        *data = forms[i];
    return i < 0 ? i : 0;
}

void json_print_take(json_t *json, const struct table_style *style, struct buffer *out)
{
    size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) |
                   (style->is_pretty ? JSON_INDENT(2) : JSON_COMPACT);
    char *text = json_dumps(json, flags);

    if (!text)
        abort();
    buffer_puts(out, text);
    buffer_putc(out, '\n');
    free(text);
    json_decref(json);
}
