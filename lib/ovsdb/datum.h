/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* datum - the value of one column of one row: a set of atoms, or a map from atoms to atoms.
 *
 * A scalar is a set of one.  A datum never changes once it was made: rows share it by counting
 * references, so copying a row costs a pointer per column, and two equal pointers are equal values.
 * Keys are sorted and distinct, which makes lookup a binary search and comparison one pass.
 *
 * Threads  None: counts are not atomic; a datum belongs to one thread's database or replica.
 * Memory   datum_ref() and datum_unref(). */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/ovsdb/uuid.h"

enum atom_type { ATOM_VOID, ATOM_INTEGER, ATOM_REAL, ATOM_BOOLEAN, ATOM_STRING, ATOM_UUID };

union atom {
    int64_t integer;
    double real;
    bool boolean;
    char *string; /* Owned by the datum; UTF-8. */
    struct uuid uuid;
};

struct datum {
    uint32_t n_refs;
    uint32_t n;                                  /* Elements or pairs. */
    enum atom_type key_type : 8, value_type : 8; /* value_type is ATOM_VOID for a set. */
    union atom *values;                          /* n of them; NULL for a set. */
    union atom keys[];
};

const char *atom_type_name(enum atom_type type); /* "integer" ... */
int atom_compare(enum atom_type type, const union atom *a, const union atom *b);
void atom_copy(enum atom_type type, union atom *to, const union atom *from);
void atom_fini(enum atom_type type, union atom *atom);

/* A datum of 'n' zeroed atoms to fill in before datum_seal(), which sorts and says -EINVAL on a
 * duplicate key (the datum is then released).  Until sealed it must not be shared. */
struct datum *datum_create(enum atom_type key_type, enum atom_type value_type, size_t n);
int datum_seal(struct datum **datum, struct error *error);

struct datum *datum_ref(struct datum *datum);
void datum_unref(struct datum *datum); /* NULL is fine. */

bool datum_equal(const struct datum *a, const struct datum *b);
int datum_compare(const struct datum *a, const struct datum *b); /* A total order. */
uint32_t datum_hash(const struct datum *datum, uint32_t basis);

/* The index of 'key', or -1. */
ptrdiff_t datum_find(const struct datum *datum, const union atom *key);
ptrdiff_t datum_find_string(const struct datum *datum, const char *key);
/* For a map from strings to strings: the value of 'key', or NULL. */
const char *datum_map_get(const struct datum *datum, const char *key);

/* RFC 7047 notation: a single element as it is, else ["set", [...]]; maps as ["map", [...]]. */
json_t *datum_to_json(const struct datum *datum);
json_t *atom_to_json(enum atom_type type, const union atom *atom);
