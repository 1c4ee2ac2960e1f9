/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* type - what a column may hold (RFC 7047, section 3.2), and values read against it.
 *
 * Errors tell the kinds of refusal apart: -EINVAL is notation that is not a value of this type
 * (RFC: "syntax error"), a wrong number of elements included; -ERANGE a value that the type forbids
 * ("constraint violation").
 *
 * Threads  None; as for datum.h.
 * Memory   A type owns its enumeration and its table name. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/ovsdb/datum.h"

enum ref_type { REF_STRONG, REF_WEAK };

struct base_type {
    enum atom_type type;
    struct datum *enumeration; /* A set, or NULL: anything. */
    union {
        struct {
            int64_t min, max;
        } integer;
        struct {
            double min, max;
        } real;
        struct {
            uint32_t min_length, max_length; /* In characters, not bytes. */
        } string;
    } range;
    char *ref_table; /* ATOM_UUID: the table referred to, or NULL. */
    enum ref_type ref_type;
};

enum { COLUMN_UNLIMITED = UINT32_MAX };

struct column_type {
    struct base_type key;
    struct base_type value; /* ATOM_VOID: a set. */
    uint32_t n_min, n_max;
};

/* What ["named-uuid", name] stands for; false if it stands for nothing. */
typedef bool named_uuid_resolver(const char *name, struct uuid *uuid, void *aux);

int column_type_parse(const json_t *json, struct column_type *type, struct error *error);
json_t *column_type_to_json(const struct column_type *type);
void column_type_fini(struct column_type *type);

bool column_type_is_map(const struct column_type *type);
bool column_type_is_scalar(const struct column_type *type);    /* Exactly one atom. */
bool column_type_is_optional(const struct column_type *type);  /* None or one, not a map. */
bool column_type_is_composite(const struct column_type *type); /* Map, or room for many. */

/* The value of a column nobody has set. */
struct datum *column_type_default(const struct column_type *type);

/* Reads RFC 7047 notation.  'resolve' may be NULL: then there are no named UUIDs. */
int datum_from_json(const struct column_type *type, const json_t *json,
                    named_uuid_resolver *resolve, void *aux, struct datum **datum,
                    struct error *error);

/* As datum_from_json() without the limits on the number of elements: for differences. */
int datum_from_json_unsized(const struct column_type *type, const json_t *json,
                            named_uuid_resolver *resolve, void *aux, struct datum **datum,
                            struct error *error);

/* Is the value within all bounds of the type?  -ERANGE if not. */
int column_type_check(const struct column_type *type, const struct datum *datum,
                      struct error *error);
