/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* wanted_tables - what rows of Flow_Table ask of the flow tables of a bridge: a name, how many flows, and what happens
 * to one more.
 *
 * Threads  The main thread.
 * Memory   Owned by the picture (wanted.h). */

#include <stddef.h>
#include <stdint.h>

#include "vswitchd/flow_table.h"

struct ovsdb_row;

struct wanted_table {
    uint8_t table_id;
    char *name;                      /* NULL: none. */
    struct of_subfield *groups;      /* Owned; what 'limits' has. */
    struct flow_table_limits limits; /* Columns flow_limit, overflow_policy, groups. */
};

struct wanted_tables {
    struct wanted_table *tables;
    size_t n;
};

/* Of a row of Bridge.  What cannot be had is logged and left out. */
void wanted_tables_read(const struct ovsdb_row *bridge, struct wanted_tables *tables);
void wanted_tables_fini(struct wanted_tables *tables);
