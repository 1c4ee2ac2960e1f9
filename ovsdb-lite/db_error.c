/* SPDX-License-Identifier: Apache-2.0 */

/* Details that are cut short stay valid UTF-8, as they go into JSON. */

#include "ovsdb-lite/db_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool db_error_set(struct db_error *error, const char *tag, const char *format, ...)
{
    va_list args;

    error->tag = tag;
    va_start(args, format);
    vsnprintf(error->details, sizeof error->details, format, args);
    va_end(args);
    error_trim_text(error->details, sizeof error->details);
    return false;
}

bool db_error_from(struct db_error *error, const struct error *cause, const char *subject)
{
    return db_error_set(error, cause->code == -ERANGE ? DB_CONSTRAINT : DB_SYNTAX_ERROR, "%s: %s",
                        subject, cause->message);
}

json_t *db_error_to_json(const struct db_error *error)
{
    json_t *json = json_object(), *details = json_string(error->details);

    json_object_set_new(json, "error", json_string(error->tag));
    if (details && *error->details)
        json_object_set_new(json, "details", details);
    else
        json_decref(details);
    return json;
}
