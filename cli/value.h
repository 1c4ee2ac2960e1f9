/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* value - values of columns as ovs-vsctl(8) writes them: 5, tap0, "two words", [1, 2], {a=b};
 * in sets of whole numbers also ranges: 1-10,20.
 *
 * Where one value is expected it may also stand as it is, without quotes: mac=00:11:22:33:44:55.
 *
 * Threads  None: these are plain functions.
 * Memory   A datum made here is the caller's reference. */

#include <jansson.h>

#include "cli/table.h"
#include "lib/buffer.h"
#include "lib/ovsdb/type.h"

/* What "@name" stands for, in columns that refer to rows. */
struct value_names {
    int (*resolve)(void *aux, const char *name, struct uuid *uuid, struct error *);
    void *aux; /* NULL resolve: there are no names. */
};

/* A whole column; its limits are checked. */
int value_parse(const struct column_type *type, const char *text, const struct value_names *names,
                struct datum **datum, struct error *error);

/* The same with any number of elements: what is added, removed or compared with. */
int value_parse_part(const struct column_type *type, const char *text,
                     const struct value_names *names, struct datum **datum, struct error *error);

/* One key or value of a map, or one element: 'text' is all of it. */
int value_parse_atom(const struct base_type *base, const char *text,
                     const struct value_names *names, union atom *atom, struct error *error);

/* How many bytes at the start of 'text' are one word of the notation, quotes included. */
size_t value_word_length(const char *text);

void value_format_atom(enum atom_type type, const union atom *atom, enum table_data form,
                       struct buffer *out);
void value_format(const struct column_type *type, const struct datum *datum, enum table_data form,
                  struct buffer *out);

/* As plain JSON: sets are arrays, maps objects, optional values null or the value, UUIDs
 * strings. */
json_t *value_to_json(const struct column_type *type, const struct datum *datum);
json_t *value_atom_to_json(enum atom_type type, const union atom *atom);
