/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_snoop - who listens to what a bridge and its controller say to each other ("ovs-ofctl snoop").
 *
 * A snooper that comes to RUNDIR/BRIDGE.snoop says hello, and is sent a copy of every OpenFlow message, but hellos,
 * that goes to or comes from one controller: the primary one if there is one, else one that is not
 * secondary, else any.  It stays with that controller when the connection to it is lost and made anew; it is
 * disconnected when there is no controller, and when the controller is removed.  What it says itself is not listened
 * to.  A passive target has no lasting peer: there the snooper goes with the connection.
 *
 * Copies are made where the connection reads and writes, so a snooper sees the order in which things happened.
 * One that does not read them in time is disconnected: what it had missed would look as if it was not said.
 *
 * Bounds   OF_SNOOPERS_MAX at a time for each bridge, OF_SNOOP_MAX_OUTPUT bytes waiting for each.
 *
 * Threads  The main thread.
 * Memory   Owned by the server's list. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu/list.h>

#include "lib/acceptor.h"
#include "lib/error.h"

struct of_connection;
struct of_server;
struct of_target;

enum {
    OF_SNOOPERS_MAX = 8,
    OF_SNOOP_MAX_OUTPUT = 4 << 20,
};

/* Of one server. */
struct of_snoops {
    struct cds_list_head list; /* Of struct of_snooper. */
    size_t n;                  /* Not closed ones. */
    char *socket_path;         /* NULL: no listener. */
    struct acceptor acceptor;
};

void of_snoops_init(struct of_server *server);
void of_snoops_fini(struct of_server *server);
int of_snoops_listen(struct of_server *server, const char *path, struct error *error);

/* A connected socket; taken.  How tests get in. */
void of_snoop_adopt_take(struct of_server *server, int fd);

/* Whole messages that 'connection', which is_snooped, has read or will write. */
void of_snoop_copy(struct of_connection *connection, const void *messages, size_t n_bytes);

/* Writes as much as snoopers take, and frees those that are closed. */
void of_snoops_flush(struct of_server *server);

void of_snoop_connection_up(struct of_connection *connection);
void of_snoop_connection_closed(struct of_connection *connection);
void of_snoop_target_removed(struct of_target *target);
