/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_server_address - "tcp:IP[:PORT]", "unix:PATH", "ptcp:[PORT][:IP]", "punix:PATH" as socket addresses.
 *
 * As in ovs-vsctl(8), set-controller: the default port is 6653, IPv6 addresses may stand in brackets,
 * and "ptcp:" without an address listens on all of IPv4.  Host names are not looked up.
 *
 * Threads  Any. */

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/error.h"

enum { OF_DEFAULT_TCP_PORT = 6653 };

struct of_address {
    bool is_passive;
    char *path; /* Unix sockets; else NULL. */
    struct sockaddr_storage socket_address;
    socklen_t n_bytes;
};

/* free with of_address_destroy().  NULL, with 'error' set: not understood. */
struct of_address *of_address_parse(const char *target, struct error *error);
void of_address_destroy(struct of_address *address); /* NULL is fine. */

/* A non-blocking socket that listens, or has begun to connect; or negative errno. */
int of_address_open(const struct of_address *address, struct error *error);
