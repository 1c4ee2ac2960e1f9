/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* unixctl - the control socket that ovs-appctl(8) talks to.
 *
 * A command is a JSON-RPC request whose parameters are strings; its answer is text.  Built in are
 * list-commands, version, vlog/... and set-options (with which a client may ask for JSON).  A command may answer later: the request stays good until it is answered, even if
 * the client has gone.  There are 100 connections at most; one that is silent makes room for the next.
 *
 * Threads  The loop's.
 * Memory   The server copies names and usages; 'aux' is the caller's. */

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/peer.h"

struct unixctl_server;
struct unixctl_request;

/* argv[0] is the command's name; argv[argc] is NULL.  Answer exactly once, now or later. */
typedef void unixctl_callback(struct unixctl_request *request, int argc, const char *const argv[],
                              void *aux);

/* Listens at 'socket_path' (0660).  'version' is what the version command prints.  NULL on error. */
struct unixctl_server *unixctl_server_create(struct ev_loop *loop, const char *socket_path,
                                             const char *version, struct error *error);
/* Removes the socket.  Answers that are queued are sent as far as the socket takes them at once. */
void unixctl_server_destroy(struct unixctl_server *server); /* NULL is fine. */

/* 'usage' is the arguments' text in list-commands; max_args -1 is no limit. */
void unixctl_command_register(struct unixctl_server *server, const char *name, const char *usage,
                              int min_args, int max_args, unixctl_callback *callback, void *aux);

/* Lets 'readers' in, too, to use the built-in commands that change nothing and those in 'names', which
 * NULL ends and which are registered already. */
int unixctl_admit_readers(struct unixctl_server *server, const struct peer_readers *readers,
                          const char *const names[], struct error *error);

/* Appends the commands whose names begin with 'prefix' and their usages, as list-commands prints them, names filled up to
 * 'width'. */
void unixctl_list_commands(const struct unixctl_server *server, const char *prefix, int width,
                           struct buffer *text);

/* Each of these answers and ends the request.  Texts get a line's end if they lack it. */
void unixctl_reply(struct unixctl_request *request, const char *text);
void unixctl_reply_format(struct unixctl_request *request, const char *format, ...)
    PRINTF_LIKE(2, 3);
void unixctl_reply_json_take(struct unixctl_request *request, json_t *json);
void unixctl_reply_error(struct unixctl_request *request, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* True if the client asked for JSON: then unixctl_reply_json_take() serves it best. */
bool unixctl_request_wants_json(const struct unixctl_request *request);
