/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* connector - a stream to an address, made on a loop: connecting, and TLS if the address says so.
 *
 * Threads  The loop's.
 * Memory   Inside its owner.
 * Time     Connecting may take CONNECTOR_SECONDS, and TLS HANDSHAKE_SECONDS more. */

#include <ev.h>

#include "lib/handshake.h"
#include "lib/socket_address.h"

enum { CONNECTOR_SECONDS = 5 };

struct connector {
    struct ev_loop *loop;
    struct tls *tls;
    /* Takes the stream; or it is NULL, 'code' negative errno, and 'reason' for people. */
    void (*done)(struct stream *stream, int code, const char *reason, void *aux);
    void *aux;

    int fd; /* While connecting; else -1. */
    bool is_tls;
    struct ev_io connecting;
    struct ev_timer timeout;
    struct handshakes handshakes; /* One at most. */
};

/* 'tls' is borrowed; NULL will do while no address is TLS. */
void connector_init(struct connector *connector, struct ev_loop *loop, struct tls *tls,
                    void (*done)(struct stream *stream, int code, const char *reason, void *aux),
                    void *aux);
void connector_stop(struct connector *connector); /* Gives up, without a call. */

/* 0: 'done' comes later, from the loop, if the connector is not stopped.  Negative errno: it does not. */
int connector_start(struct connector *connector, const struct socket_address *address,
                    struct error *error);
