/* SPDX-License-Identifier: Apache-2.0 */

/* A word before a colon is a method, unless a slash or dot says that it is a path. */

#include "lib/ovsdb/remote.h"

#include <errno.h>
#include <string.h>

#include "lib/socket_address.h"

const char *ovsdb_remote_path(const char *remote)
{
    if (!strncmp(remote, "unix:", 5))
        return remote + 5;
    return strchr(remote, ':') && *remote != '/' && *remote != '.' ? NULL : remote;
}

int ovsdb_remote_check(const char *remote, struct error *error)
{
    if (ovsdb_remote_path(remote))
        return 0;
    if (strncmp(remote, "tcp:", 4) != 0 && strncmp(remote, "ssl:", 4) != 0)
        return error_set(error, -EINVAL, "%s: a database is unix:PATH, tcp:IP:PORT or ssl:IP:PORT",
                         remote);
    struct socket_address *address = socket_address_parse(remote, OVSDB_DEFAULT_PORT, error);
    socket_address_destroy(address);
    return address ? 0 : error->code;
}
