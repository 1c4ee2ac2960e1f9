/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* mutation - changes relative to a column's value (RFC 7047, section 5.1): arithmetic on numbers,
 * insertion into and deletion from sets and maps.
 *
 * Threads  One.  Memory  mutation_fini() releases the value. */

#include "ovsdb-lite/condition.h"

enum mutator {
    MUTATE_ADD,
    MUTATE_SUBTRACT,
    MUTATE_MULTIPLY,
    MUTATE_DIVIDE,
    MUTATE_MODULO,
    MUTATE_INSERT,
    MUTATE_DELETE,
};

struct mutation {
    enum mutator mutator;
    const struct column_schema *column;
    struct datum *value;
};

bool mutation_parse(const struct table_schema *table, const json_t *json,
                    named_uuid_resolver *resolve, void *aux, struct mutation *mutation,
                    struct db_error *error);
void mutation_fini(struct mutation *mutation);

/* The new value, a reference of the caller's; NULL if it may not be. */
struct datum *mutation_apply(const struct mutation *mutation, const struct datum *before,
                             struct db_error *error);
