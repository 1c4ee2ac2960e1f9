/* SPDX-License-Identifier: Apache-2.0 */

#include "ovsdb-lite/schema_version.h"

#include <stdio.h>
#include <string.h>

/* As for "8.3.1": -1, 0 or 1. */
static int compare_versions(const char *a, const char *b)
{
    int x[3] = {0}, y[3] = {0};

    sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2]);
    sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2]);
    for (int i = 0; i < 3; i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

bool schema_is_outdated(const struct db_schema *schema, const json_t *wanted)
{
    const char *name = json_string_value(json_object_get(wanted, "name"));
    const char *version = json_string_value(json_object_get(wanted, "version"));

    return name && version && !strcmp(schema->name, name) && *schema->version &&
           compare_versions(schema->version, version) < 0;
}
