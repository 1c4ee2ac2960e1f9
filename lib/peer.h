/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* peer - who is at the other end of a Unix socket, and what that person may do.
 *
 * Whoever the permissions of a socket let in may do everything: root, its owner, and the members of its
 * group.  Beside them one group may be named whose members only read.  The socket gets an ACL for
 * them, so that strangers are kept out by the kernel still, and when one comes, its credentials (and
 * all its groups) as of connect() say which sort it is.  Members of both groups may do everything.
 *
 * Threads  Any. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

enum peer_role { PEER_STRANGER, PEER_READER, PEER_WRITER };

/* The group whose members read, or none. */
struct peer_readers {
    bool is_set;
    gid_t group;
};

/* By name or number. */
int peer_readers_parse(const char *text, struct peer_readers *readers, struct error *error);

/* Lets 'readers' connect to the socket at 'socket_path', and pass through its directory if that is ours and
 * has no ACL.  -EOPNOTSUPP: the file system has no ACLs. */
int peer_readers_admit(const struct peer_readers *readers, const char *socket_path,
                       struct error *error);

/* Of the peer at 'fd', which came to 'socket_path'. */
enum peer_role peer_role(int fd, const char *socket_path, const struct peer_readers *readers);
