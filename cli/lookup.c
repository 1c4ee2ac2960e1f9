/* SPDX-License-Identifier: Apache-2.0 */

/* An exact name always wins over the beginning of others. */

#include "cli/lookup.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shown.h"

/* How records of a table are named: by a column of their own, or by the row that refers to them. */
struct record_name {
    const char *table;
    const char *column;          /* Of the table, or of 'via'. */
    const char *via, *reference; /* NULL: 'column' is the table's own. */
};

static const struct record_name record_names[] = {
    {"Bridge", "name", NULL, NULL},           {"Port", "name", NULL, NULL},
    {"Interface", "name", NULL, NULL},        {"Mirror", "name", NULL, NULL},
    {"Flow_Table", "name", NULL, NULL},       {"Manager", "target", NULL, NULL},
    {"Controller", "target", NULL, NULL},     {"Controller", "name", "Bridge", "controller"},
    {"NetFlow", "name", "Bridge", "netflow"}, {"sFlow", "name", "Bridge", "sflow"},
    {"IPFIX", "name", "Bridge", "ipfix"},     {"AutoAttach", "name", "Bridge", "auto_attach"},
    {"Database", "name", NULL, NULL},         {"Flow_Sample_Collector_Set", "id", NULL, NULL},
    {"QoS", "name", "Port", "qos"},
};

static char fold(char c)
{
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

enum resemblance { IS_DIFFERENT, IS_BEGINNING, IS_SAME };

static enum resemblance compare_names(const char *name, const char *text)
{
    size_t i = 0;

    while (text[i] && fold(name[i]) == fold(text[i]))
        i++;
    return text[i] ? IS_DIFFERENT : name[i] ? IS_BEGINNING : IS_SAME;
}

/* Keeps the best of candidates offered one by one. */
struct choice {
    const char *text;
    const void *best;
    const char *names[3]; /* Of the first that begin with 'text'. */
    size_t n;
};

/* True once nothing better can come. */
static bool choice_offer(struct choice *choice, const char *name, const void *candidate)
{
    enum resemblance resemblance = compare_names(name, choice->text);

    if (resemblance == IS_DIFFERENT)
        return false;
    choice->best = candidate;
    if (choice->n < ARRAY_SIZE(choice->names))
        choice->names[choice->n] = name;
    choice->n = resemblance == IS_SAME ? 1 : choice->n + 1;
    return resemblance == IS_SAME;
}

static int no_such_table(const struct db_schema *schema, const char *text, struct error *error)
{
    struct buffer names = BUFFER_INIT;

    for (size_t i = 0; i < schema->n_tables; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", schema->tables[i].name);
    error_set(error, -ENOENT, "there is no table %s, only %s", shown(text).text,
              buffer_text(&names));
    buffer_fini(&names);
    return -ENOENT;
}

int lookup_table(const struct db_schema *schema, const char *text,
                 const struct table_schema **table, struct error *error)
{
    struct choice choice = {.text = text};

    for (size_t i = 0; *text && i < schema->n_tables; i++)
        if (choice_offer(&choice, schema->tables[i].name, &schema->tables[i]))
            break;
    *table = choice.n == 1 ? choice.best : NULL;
    if (choice.n > 1)
        return error_set(error, -EINVAL, "table %s could be %s or %s: write more of it",
                         shown(text).text, choice.names[0], choice.names[1]);
    if (!*table)
        return no_such_table(schema, text, error);
    return 0;
}

int lookup_column(const struct table_schema *table, const char *text,
                  const struct column_schema **column, struct error *error)
{
    struct choice choice = {.text = text};

    for (size_t i = 0; *text && i < table->n_columns; i++)
        if (choice_offer(&choice, table->columns[i].name, &table->columns[i]))
            break;
    *column = choice.n == 1 ? choice.best : NULL;
    if (choice.n > 1)
        return error_set(error, -EINVAL, "column %s of %s could be %s or %s: write more of it",
                         shown(text).text, table->name, choice.names[0], choice.names[1]);
    if (!*column)
        return error_set(error, -ENOENT, "table %s has no column %s (weir list %s shows them)",
                         table->name, shown(text).text, table->name);
    return 0;
}

void lookup_want_row(struct store *store, const struct table_schema *table)
{
    store_want(store, table->name, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(record_names); i++) {
        const struct record_name *name = &record_names[i];

        if (strcmp(name->table, table->name))
            continue;
        store_want(store, name->via ? name->via : table->name, name->column);
        if (name->via)
            store_want(store, name->via, name->reference);
    }
}

static int found(struct store_row *candidate, const char *text, struct store_row **row,
                 struct error *error)
{
    if (*row && *row != candidate)
        return error_set(error, -EINVAL,
                         "%s stands for more than one record of %s: use a UUID instead",
                         shown(text).text, store_row_table(candidate)->name);
    *row = candidate;
    return 0;
}

/* Is 'text' in a column of strings or whole numbers? */
static bool has_text(const struct datum *datum, const char *text)
{
    union atom number;

    if (datum->key_type == ATOM_STRING)
        return datum_find_string(datum, text) >= 0;
    return datum->key_type == ATOM_INTEGER &&
           !value_parse_atom(&(const struct base_type){.type = ATOM_INTEGER}, text, NULL, &number,
                             NULL) &&
           datum_find(datum, &number) >= 0;
}

static int find_by_name(struct store *store, const struct table_schema *table,
                        const struct record_name *name, const char *text, struct store_row **row,
                        struct error *error)
{
    const struct table_schema *named = db_schema_table(store_schema(store),
                                                       name->via ? name->via : table->name);
    const struct column_schema *column = named ? table_schema_column(named, name->column) : NULL;
    const struct column_schema *reference = named && name->via
                                                ? table_schema_column(named, name->reference)
                                                : NULL;
    int result = 0;

    if (!column || (name->via && !reference))
        return 0;
    for (struct store_row *at = store_first(store, named); !result && at; at = store_next(at)) {
        if (!has_text(store_get(at, column), text))
            continue;
        if (!name->via) {
            result = found(at, text, row, error);
            continue;
        }
        const struct datum *references = store_get(at, reference);
        for (size_t i = 0; !result && i < references->n; i++) {
            struct store_row *referred = store_find_uuid(store, table, &references->keys[i].uuid);
            if (referred)
                result = found(referred, text, row, error);
        }
    }
    return result;
}

static bool is_start_of_uuid(const char *text)
{
    size_t n_digits = 0;

    for (const char *p = text; *p; p++) {
        if (!isxdigit((unsigned char)*p) && *p != '-')
            return false;
        n_digits += *p != '-';
    }
    return n_digits >= 4 && strlen(text) < UUID_TEXT_BYTES;
}

static int find_by_start_of_uuid(struct store *store, const struct table_schema *table,
                                 const char *text, struct store_row **row, struct error *error)
{
    int result = 0;

    for (struct store_row *at = store_first(store, table); !result && at; at = store_next(at)) {
        char uuid[UUID_TEXT_BYTES];
        uuid_format(store_row_uuid(at), uuid);
        if (!strncmp(uuid, text, strlen(text)))
            result = found(at, text, row, error);
    }
    return result;
}

static int find_only(struct store *store, const struct table_schema *table, struct store_row **row,
                     struct error *error)
{
    *row = store_first(store, table);
    if (*row && store_next(*row))
        return error_set(error, -EINVAL,
                         "\".\" is only good where a table has one record; "
                         "%s has several",
                         table->name);
    return 0;
}

int lookup_row_if_any(struct store *store, const struct table_schema *table, const char *text,
                      struct store_row **row, struct error *error)
{
    struct value_names names = store_names(store);
    struct uuid uuid;
    int result = 0;

    *row = NULL;
    if (!strcmp(text, ".") && table->max_rows == 1)
        return find_only(store, table, row, error);
    if (uuid_parse(text, &uuid) ||
        (*text == '@' && !names.resolve(names.aux, text, &uuid, error))) {
        *row = store_find_uuid(store, table, &uuid);
        return 0;
    }
    for (size_t i = 0; !result && i < ARRAY_SIZE(record_names); i++)
        if (!strcmp(record_names[i].table, table->name))
            result = find_by_name(store, table, &record_names[i], text, row, error);
    if (!result && !*row && is_start_of_uuid(text))
        result = find_by_start_of_uuid(store, table, text, row, error);
    return result;
}

int lookup_row(struct store *store, const struct table_schema *table, const char *text,
               struct store_row **row, struct error *error)
{
    int result = lookup_row_if_any(store, table, text, row, error);

    if (!result && !*row)
        result = error_set(error, -ENOENT, "table %s has no record %s", table->name,
                           shown(text).text);
    return result;
}

const struct table_schema *lookup_known_table(const struct store *store, const char *name)
{
    const struct table_schema *table = db_schema_table(store_schema(store), name);

    if (!table)
        abort();
    return table;
}

const struct column_schema *lookup_known_column(const struct store *store, const char *table,
                                                const char *name)
{
    const struct column_schema *column = table_schema_column(lookup_known_table(store, table),
                                                             name);

    if (!column)
        abort();
    return column;
}
