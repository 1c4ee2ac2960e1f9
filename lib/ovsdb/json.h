/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* json - builders for RFC 7047 notation, so that callers need not count brackets.
 *
 * Memory   What is returned is the caller's; '_take' arguments become part of it. */

#include <jansson.h>
#include <stddef.h>

#include "lib/ovsdb/uuid.h"

json_t *ovsdb_json_uuid(const struct uuid *uuid);     /* ["uuid", "..."] */
json_t *ovsdb_json_named_uuid(const char *uuid_name); /* ["named-uuid", "..."] */

/* ["set", elements]; 'elements' is a JSON array. */
json_t *ovsdb_json_set_take(json_t *elements);
json_t *ovsdb_json_empty_set(void);

/* An empty ["map", []], and one more pair in it. */
json_t *ovsdb_json_map(void);
void ovsdb_json_map_add_take(json_t *map, json_t *key, json_t *value);
void ovsdb_json_map_add_string(json_t *map, const char *key, const char *value);
void ovsdb_json_map_add_integer(json_t *map, const char *key, json_int_t value);

/* [column, function, value]: one clause of a "where", or one mutation. */
json_t *ovsdb_json_clause_take(const char *column, const char *function, json_t *value);

/* [["_uuid", "==", ["uuid", ...]]]: the "where" that is one row. */
json_t *ovsdb_json_where_uuid(const struct uuid *uuid);

/* How many values a text has, inner ones included: what it costs to keep. */
size_t ovsdb_json_n_values(const json_t *json);
