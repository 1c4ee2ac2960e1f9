/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* operation - the ten operations of "transact" (RFC 7047, section 5.2), run one after another.
 *
 * Threads  One.  Memory  See the members of struct execution. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "ovsdb-lite/transaction.h"

struct execution {
    /* In. */
    struct database *db;
    const json_t *params; /* [db, operation...]; borrowed. */
    int64_t waited_ms;    /* Since the request came. */
    bool is_by_reader;    /* Operations that change something are refused. */
    bool (*owns_lock)(const char *lock, void *aux);
    void *aux;

    /* Out. */
    json_t *results;        /* The caller's; one per operation, and errors. */
    struct txn *txn;        /* Prepared: write it and finish it.  NULL: nothing to do. */
    char *comment;          /* The caller's; NULL if there was none. */
    bool must_wait;         /* A "wait" is not satisfied yet: try again. No results then. */
    int64_t deadline_ms;    /* Of that wait, from the request; INT64_MAX: none. */
    uint64_t waited_tables; /* Changes to these (as commit->tables) may satisfy it. */
    int64_t cost_ns;        /* Processor time. */
};

/* What one transaction may cost the other clients; then its error is "resources exhausted".  Time in
 * proportion to the work that was sent: a backup of 100,000 rows may be restored at once, a few words
 * that make the server compute cannot stop it. */
#define EXECUTION_MAX_NS   (500 * MILLISECOND_NS)
#define EXECUTION_MORE_NS  (MILLISECOND_NS / 20) /* For each operation, */
#define EXECUTION_LIMIT_NS (5 * SECOND_NS)       /* up to this. */
enum { EXECUTION_MAX_RESULT_VALUES = 500000, EXECUTION_MAX_COMPARISONS = 20000000 };

/* Runs all operations, and prepares the transaction. */
void execution_run(struct execution *execution);

/* Adds a failure that came after all operations. */
void execution_fail(struct execution *execution, const struct db_error *error);
