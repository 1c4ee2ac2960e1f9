/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* condition - "COLUMN[:KEY]OPERATOR VALUE", as find and wait-until take it, and "COLUMN[:KEY]" and
 * "COLUMN[:KEY]=VALUE" of get and set.
 *
 * Operators are those of ovs-vsctl(8): = != < > <= >= compare as lists, {=} {!=} {<} {>} {<=} {>=}
 * {in} {not-in} as sets.  With a KEY that a record does not have, the first kind is never true and
 * the second compares with the empty set.
 *
 * Threads  None.  Memory  A condition owns its value and key. */

#include "cli/store.h"

/* What a word begins with: COLUMN[:KEY]. */
struct column_key {
    const struct column_schema *column;
    char *key;        /* Owned; NULL: none.  Of a map. */
    const char *rest; /* In the word, behind it. */
};

int column_key_parse(const struct table_schema *table, const char *text, struct column_key *parsed,
                     struct error *error);
void column_key_fini(struct column_key *parsed);

/* The value of key 'text' in a map: 0 and '*index' -1 if it is not there. */
int column_key_find(const struct column_key *parsed, const struct datum *map, ptrdiff_t *index,
                    struct error *error);

struct condition {
    const struct column_schema *column; /* NULL: _uuid. */
    struct uuid uuid;
    int operator;          /* Index into a table of condition.c. */
    struct datum *key;     /* NULL: the whole column. */
    struct datum *operand; /* Of the column's type, or of one value of the map. */
};

int condition_parse(struct store *store, const struct table_schema *table, const char *text,
                    struct condition *condition, struct error *error);
void condition_fini(struct condition *condition);
bool condition_is_true(const struct condition *condition, const struct store_row *row);
