/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* db_error - why an operation or a transaction failed, in the terms of RFC 7047, section 3.1.
 *
 * The tag is one of the RFC's names, which clients act on; the details are for people.
 *
 * Threads  None.  Memory  Plain data. */

#include <jansson.h>
#include <stdbool.h>

#include "lib/annotations.h"
#include "lib/error.h"

enum { DB_ERROR_DETAILS_BYTES = 512 };

struct db_error {
    const char *tag; /* NULL: no error. */
    char details[DB_ERROR_DETAILS_BYTES];
};

#define DB_ERROR_INIT \
    {                 \
        .tag = NULL   \
    }

/* The names, so that each is spelled in one place. */
#define DB_SYNTAX_ERROR       "syntax error"
#define DB_CONSTRAINT         "constraint violation"
#define DB_REFERENTIAL        "referential integrity violation"
#define DB_UNKNOWN_COLUMN     "unknown column"
#define DB_UNKNOWN_DB         "unknown database"
#define DB_DUPLICATE_NAME     "duplicate uuid-name"
#define DB_DUPLICATE_UUID     "duplicate uuid"
#define DB_DOMAIN_ERROR       "domain error"
#define DB_RANGE_ERROR        "range error"
#define DB_TIMED_OUT          "timed out"
#define DB_NOT_OWNER          "not owner"
#define DB_ABORTED            "aborted"
#define DB_IO_ERROR           "I/O error"
#define DB_NOT_ALLOWED        "not allowed"
#define DB_UNKNOWN_MONITOR    "unknown monitor"
#define DB_EXHAUSTED          "resources exhausted"
#define DB_INVALID_PARAMETERS "invalid parameters"
#define DB_PERMISSION         "permission error"
#define DB_CANCELED           "canceled"

/* Returns false, so that 'return db_error_set(...)' is failure. */
bool db_error_set(struct db_error *error, const char *tag, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* From a value's refusal: -ERANGE becomes a constraint violation, the rest a syntax error. */
bool db_error_from(struct db_error *error, const struct error *cause, const char *subject);

json_t *db_error_to_json(const struct db_error *error); /* {"error": ..., "details": ...} */
