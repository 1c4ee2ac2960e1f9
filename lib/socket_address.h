/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* socket_address - "tcp:IP[:PORT]", "unix:PATH", "ptcp:[PORT][:IP]", "punix:PATH" as socket addresses;
 * "ssl:" and "pssl:" are TCP on which TLS is to be spoken.
 *
 * As in ovs-vsctl(8), set-controller and set-manager: IPv6 addresses may stand in brackets, and
 * "ptcp:" without an address listens on all of IPv4.  Host names are not looked up.
 *
 * Threads  Any. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/error.h"

struct socket_address {
    bool is_passive;
    bool is_tls;
    char *path; /* Unix sockets; else NULL. */
    struct sockaddr_storage socket_address;
    socklen_t n_bytes;
};

/* NULL, with 'error' set: not understood, or the path of a socket outside the run directory. */
struct socket_address *socket_address_parse(const char *target, uint16_t default_port,
                                            struct error *error);
/* For targets that the operator wrote: any path will do. */
struct socket_address *socket_address_parse_trusted(const char *target, uint16_t default_port,
                                                    struct error *error);
void socket_address_destroy(struct socket_address *address); /* NULL is fine. */

/* A non-blocking socket that listens, or has begun to connect; or negative errno. */
int socket_address_open(const struct socket_address *address, struct error *error);
