/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* topology - bridges, ports and interfaces in the rows of a store: who is on whom, by name.
 *
 * Besides bridges that are rows there are fake ones: a port of a bridge with a tag and fake_bridge
 * set, to which all ports of that bridge with the same tag belong.  struct bridge is either.
 *
 * Threads  The main thread.
 * Memory   Rows are the store's. */

#include "cli/context.h"
#include "cli/lookup.h"
#include "cli/store.h"

/* A prepare() that wants all that is needed here, for commands that need nothing else. */
int topology_prepare(struct context *context, struct invocation *invocation, struct error *error);

struct store_row *topology_root(struct store *store); /* The row of Open_vSwitch. */

struct bridge {
    const char *name;       /* The row's. */
    struct store_row *row;  /* Of Bridge; of a fake bridge, its parent's. */
    struct store_row *fake; /* The port that makes it a fake bridge, or NULL. */
    int64_t vlan;           /* Of a fake bridge; else 0. */
};

/* False: there is none. */
bool topology_find_bridge(struct store *store, const char *name, struct bridge *bridge);
bool topology_find_fake_bridge(struct store *store, struct store_row *parent, int64_t vlan,
                               struct bridge *bridge);
bool topology_bridge_of_port(struct store *store, const struct store_row *port,
                             struct bridge *bridge);

/* NULL: there is none. */
struct store_row *topology_find_port(struct store *store, const char *name);
struct store_row *topology_find_interface(struct store *store, const char *name);
struct store_row *topology_port_of_interface(struct store *store,
                                             const struct store_row *interface);

/* The same with a sentence; the row of a bridge that must not be a fake one. */
int topology_get_bridge(struct store *store, const char *name, struct bridge *bridge,
                        struct error *error);
int topology_get_bridge_row(struct store *store, const char *name, struct store_row **row,
                            struct error *error);

/* -EEXIST with a sentence if a bridge, a port or an interface has the name. */
int topology_check_name_is_free(struct store *store, const char *name, struct error *error);

const char *topology_name(const struct store *store, const struct store_row *row);

/* The rows that a column refers to, sorted by name, in an array to free(). */
struct store_row **topology_referred(struct store *store, const struct store_row *row,
                                     const char *column, size_t *n);

/* All bridges and all ports of a bridge, its own among them, sorted by name, to free(). */
struct bridge *topology_bridges(struct store *store, size_t *n);
struct store_row **topology_ports(struct store *store, const struct bridge *bridge, size_t *n);

/* Single values of known columns. */
void topology_set_string(struct store *store, struct store_row *row, const char *column,
                         const char *text); /* NULL: empties an optional column. */
const char *topology_get_string(const struct store *store, const struct store_row *row,
                                const char *column); /* NULL: empty. */
void topology_set_integer(struct store *store, struct store_row *row, const char *column,
                          int64_t integer);
void topology_set_boolean(struct store *store, struct store_row *row, const char *column,
                          bool boolean);
void topology_clear(struct store *store, struct store_row *row, const char *column);
void topology_add_reference(struct store *store, struct store_row *from, const char *column,
                            const struct store_row *to);
void topology_remove_reference(struct store *store, struct store_row *from, const char *column,
                               const struct store_row *to);

/* New rows, already in their place.  An internal interface is a device that the switch makes. */
struct store_row *topology_add_bridge(struct store *store, const char *name);
struct store_row *topology_add_port(struct store *store, const struct bridge *bridge,
                                    const char *name);
struct store_row *topology_add_interface(struct store *store, struct store_row *port,
                                         const char *name);

/* Deletes with everything that only they hold. */
void topology_delete_port(struct store *store, struct store_row *port);
void topology_delete_bridge(struct store *store, const struct bridge *bridge);
