/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* remote_state - what remote.c (sockets) and remote_database.c (rows) share.
 *
 * Threads  One, the loop's. */

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <urcu/list.h>

#include "lib/acceptor.h"
#include "lib/connector.h"
#include "lib/ovsdb/uuid.h"
#include "lib/socket_address.h"
#include "ovsdb-lite/remote.h"
#include "ovsdb-lite/server.h"

enum { REMOTE_MAX_BACKOFF_MS = 8000, REMOTE_INACTIVITY_MS = 5000, REMOTE_REFRESH_S = 5 };

enum remote_state {
    REMOTE_VOID, /* Not understood, or cannot listen. */
    REMOTE_BACKOFF,
    REMOTE_CONNECTING,
    REMOTE_ACTIVE, /* Listens, or is connected. */
};

struct remotes {
    struct server *server;
    struct cds_list_head list;    /* Of struct remote. */
    struct cds_list_head sources; /* The "db:" remotes. */
    struct tls_settings tls;      /* As on the command line. */
    struct ev_timer refresh;      /* While there are rows, how long things last is written. */
};

struct remote {
    struct cds_list_head node;
    struct remotes *remotes;
    char *target;
    struct socket_address *address; /* NULL: not understood. */
    unsigned int max_backoff_ms, inactivity_ms;
    size_t n_sessions;
    struct error last_error;
    int64_t connected_ns, disconnected_ns; /* When it last happened; 0: never. */

    enum remote_state state;
    struct acceptor acceptor;     /* While a passive one is REMOTE_ACTIVE. */
    uint16_t bound_port;          /* 0: none. */
    struct handshakes handshakes; /* Of those who come to a passive one for TLS. */
    struct connector connector;
    struct ev_timer timer; /* While in REMOTE_BACKOFF. */
    double backoff_s;

    /* Of those that a database names. */
    bool is_from_database, is_wanted;
    size_t store;
    struct table *table; /* Compared only: NULL if the column holds the target itself. */
    struct uuid row;
    json_t *written; /* What the row was told, apart from how long it lasts; NULL: nothing yet. */
    int64_t written_ns;
};

/* Never NULL; 'error' says why it does not work. */
struct remote *remote_create(struct remotes *remotes, const char *target, struct error *error);
void remote_destroy(struct remote *remote);                               /* With its sessions. */
void remote_set_probe(struct remote *remote, unsigned int inactivity_ms); /* 0: never. */

int remote_sources_add(struct remotes *remotes, const char *text, struct error *error);
bool remote_sources_has(const struct remotes *remotes, const char *text);
bool remote_sources_remove(struct remotes *remotes, const char *text);
size_t remote_sources_list(const struct remotes *remotes, const char **texts, size_t max);
void remote_sources_init(struct remotes *remotes);
void remote_sources_destroy(struct remotes *remotes);
