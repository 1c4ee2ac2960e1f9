/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* references - who points to whom: strong references as counts, weak ones as lists.
 *
 * Every function moves the books from one value of a column to another and can be undone by calling
 * it the other way round.
 *
 * Threads  One. */

#include "ovsdb-lite/database.h"

struct ref_events {
    /* A row's last strong reference went. */
    void (*orphaned)(struct row *row, void *aux);
    /* 'from' refers weakly to a row that is not there. */
    void (*dangling)(struct row *from, void *aux);
    /* 'from' refers strongly to a row that is not there. */
    void (*missing)(struct row *from, const struct column_schema *column,
                    const struct table *target, const struct uuid *uuid, void *aux);
    void *aux;
};

/* Either datum may be NULL: the row did not, or will not, have the column. */
void references_move_column(struct row *row, const struct column_schema *column,
                            const struct datum *before, const struct datum *after,
                            const struct ref_events *events);

/* As above, for all columns. */
void references_move_row(struct row *row, const struct row_data *before,
                         const struct row_data *after, const struct ref_events *events);

/* 'datum' without elements that refer weakly to rows that are not there; NULL: all are. */
struct datum *references_without_dangling(const struct row *row, const struct column_schema *column,
                                          const struct datum *datum);
