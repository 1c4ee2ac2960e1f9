/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* topology - bridges, ports and interfaces in the rows of a store: who is on whom, by name.
 *
 * Threads  The main thread.
 * Memory   Rows are the store's. */

#include "cli/context.h"
#include "cli/lookup.h"
#include "cli/store.h"

/* A prepare() that wants all that is needed here, for commands that need nothing else. */
int topology_prepare(struct context *context, struct invocation *invocation, struct error *error);

struct store_row *topology_root(struct store *store); /* The row of Open_vSwitch. */

/* NULL: there is none. */
struct store_row *topology_find_bridge(struct store *store, const char *name);
struct store_row *topology_find_port(struct store *store, const char *name);
struct store_row *topology_find_interface(struct store *store, const char *name);
struct store_row *topology_bridge_of_port(struct store *store, const struct store_row *port);
struct store_row *topology_port_of_interface(struct store *store,
                                             const struct store_row *interface);

/* The same with a sentence. */
int topology_get_bridge(struct store *store, const char *name, struct store_row **bridge,
                        struct error *error);

const char *topology_name(const struct store *store, const struct store_row *row);

/* The rows that a column refers to, sorted by name, in an array to free(). */
struct store_row **topology_referred(struct store *store, const struct store_row *row,
                                     const char *column, size_t *n);

/* Single values of known columns. */
void topology_set_string(struct store *store, struct store_row *row, const char *column,
                         const char *text); /* NULL: empties an optional column. */
const char *topology_get_string(const struct store *store, const struct store_row *row,
                                const char *column); /* NULL: empty. */
void topology_add_reference(struct store *store, struct store_row *from, const char *column,
                            const struct store_row *to);
void topology_remove_reference(struct store *store, struct store_row *from, const char *column,
                               const struct store_row *to);

/* Deletes with everything that only they hold. */
void topology_delete_port(struct store *store, struct store_row *bridge, struct store_row *port);
void topology_delete_bridge(struct store *store, struct store_row *bridge);
