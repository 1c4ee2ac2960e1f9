/* SPDX-License-Identifier: Apache-2.0 */

/* Every notation of RFC 7047 is a two-element array that begins with its kind. */

#include "lib/ovsdb/json.h"

#include <stdlib.h>

static json_t *tagged_take(const char *tag, json_t *value)
{
    json_t *json = json_array();

    if (!json || !value)
        abort();
    json_array_append_new(json, json_string(tag));
    json_array_append_new(json, value);
    return json;
}

json_t *ovsdb_json_uuid(const struct uuid *uuid)
{
    char text[UUID_TEXT_BYTES];

    uuid_format(uuid, text);
    return tagged_take("uuid", json_string_nocheck(text));
}

json_t *ovsdb_json_named_uuid(const char *uuid_name)
{
    return tagged_take("named-uuid", json_string(uuid_name));
}

json_t *ovsdb_json_set_take(json_t *elements)
{
    return tagged_take("set", elements);
}

json_t *ovsdb_json_empty_set(void)
{
    return tagged_take("set", json_array());
}

json_t *ovsdb_json_map(void)
{
    return tagged_take("map", json_array());
}

void ovsdb_json_map_add_take(json_t *map, json_t *key, json_t *value)
{
    json_t *pair = json_array();

    json_array_append_new(pair, key);
    json_array_append_new(pair, value);
    json_array_append_new(json_array_get(map, 1), pair);
}

void ovsdb_json_map_add_string(json_t *map, const char *key, const char *value)
{
    ovsdb_json_map_add_take(map, json_string(key), json_string(value));
}

void ovsdb_json_map_add_integer(json_t *map, const char *key, json_int_t value)
{
    ovsdb_json_map_add_take(map, json_string(key), json_integer(value));
}

json_t *ovsdb_json_clause_take(const char *column, const char *function, json_t *value)
{
    json_t *json = json_array();

    json_array_append_new(json, json_string(column));
    json_array_append_new(json, json_string(function));
    json_array_append_new(json, value);
    return json;
}

json_t *ovsdb_json_where_uuid(const struct uuid *uuid)
{
    json_t *where = json_array();

    json_array_append_new(where, ovsdb_json_clause_take("_uuid", "==", ovsdb_json_uuid(uuid)));
    return where;
}

size_t ovsdb_json_n_values(const json_t *json)
{
    size_t n = 1, i;
    const char *key;
    json_t *value;

    if (json_is_array(json)) {
        json_array_foreach (json, i, value)
            n += ovsdb_json_n_values(value);
    } else if (json_is_object(json)) {
        json_object_foreach ((json_t *)json, key, value)
            n += ovsdb_json_n_values(value);
    }
    return n;
}
