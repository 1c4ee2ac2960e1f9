/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* remote - where clients come from: listeners, connections that the server makes itself, and the
 * managers that a database names.
 *
 * "db:DB,TABLE,COLUMN" stands for the targets in that column, or in the "target" of the rows it
 * refers to, as they change.  Of such a row max_backoff and inactivity_probe are honoured;
 * is_connected and status are written back.
 *
 * A connection that the server makes is tried again after a pause that doubles from one second to
 * max_backoff.  Clients by TCP that say nothing are asked after inactivity_probe (5 s), and
 * disconnected if they do not answer in the same time again.
 *
 * Threads  One, the loop's.
 * Memory   The server owns its remotes; a session may belong to one. */

#include <stdbool.h>

#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/tls.h"

struct remote;
struct remotes;
struct server;

struct remotes *remotes_create(struct server *server);
void remotes_destroy(struct remotes *remotes);

/* What "ssl:" and "pssl:" use, "db:DB,TABLE,COLUMN" in place of files included.  The texts are kept.
 * Before the first remote. */
int remotes_set_tls(struct remotes *remotes, const struct tls_settings *tls, struct error *error);

/* "tcp:IP:PORT", "ptcp:PORT[:IP]", "ssl:IP:PORT", "pssl:PORT[:IP]", "unix:PATH", "punix:PATH" or
 * "db:DB,TABLE,COLUMN". */
int remotes_add(struct remotes *remotes, const char *text, struct error *error);

/* Of what remotes_add() was given: is 'text' there; removes it (false: it was not there); all, one a
 * line, in order. */
bool remotes_has(const struct remotes *remotes, const char *text);
bool remotes_remove(struct remotes *remotes, const char *text);
void remotes_describe(const struct remotes *remotes, struct buffer *lines);

/* Follows the databases, and writes back what has changed. */
void remotes_run(struct remotes *remotes);

/* For session.c: one of its sessions is over. */
void remote_session_ended(struct remote *remote);
