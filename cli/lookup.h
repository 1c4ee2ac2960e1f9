/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* lookup - tables, columns and records by what people type.
 *
 * Table and column names may be shortened as long as they stay unique; case, '-' and '_' do not
 * matter.  A record is a UUID, the start of one (4 digits or more), "." where there can be only
 * one, @name, or what ovs-vsctl(8) takes: a name, or for QoS, Controller and the like the name of
 * the port or bridge that uses it.
 *
 * Threads  None: these are plain functions. */

#include "cli/store.h"

int lookup_table(const struct db_schema *schema, const char *text,
                 const struct table_schema **table, struct error *error);
int lookup_column(const struct table_schema *table, const char *text,
                  const struct column_schema **column, struct error *error);

/* Wants what lookup_row() will read. */
void lookup_want_row(struct store *store, const struct table_schema *table);

/* 0 with '*row' NULL if there is no such record; an error if several answer to 'text'. */
int lookup_row_if_any(struct store *store, const struct table_schema *table, const char *text,
                      struct store_row **row, struct error *error);
int lookup_row(struct store *store, const struct table_schema *table, const char *text,
               struct store_row **row, struct error *error);

/* The column of a table whose names are compiled into weir; a server without it is an error of
 * ours, as every version of the schema has those. */
const struct column_schema *lookup_known_column(const struct store *store, const char *table,
                                                const char *column);
const struct table_schema *lookup_known_table(const struct store *store, const char *table);
