/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* handshake - TLS streams on a loop until they are good for use.
 *
 * Peers that are not authenticated yet are kept apart from those that are, so they cannot use up
 * anybody's place: a set holds few of them, each for a few seconds, and when it is full the one
 * that has been at it longest goes.
 *
 * Threads  The loop's.
 * Memory   A set is inside its owner.  It owns the streams until they are done. */

#include <ev.h>
#include <stddef.h>
#include <urcu/list.h>

#include "lib/stream.h"

enum { HANDSHAKES_MAX = 64, HANDSHAKE_SECONDS = 5 };

struct handshakes {
    struct ev_loop *loop;
    struct cds_list_head list; /* Oldest first. */
    size_t n;
    /* Takes the stream; or it is NULL, and 'reason' is for people. */
    void (*done)(struct stream *stream, const char *reason, void *aux);
    void *aux;
};

void handshakes_init(struct handshakes *set, struct ev_loop *loop,
                     void (*done)(struct stream *stream, const char *reason, void *aux), void *aux);
void handshakes_stop(struct handshakes *set); /* Ends them all, without a call. */

/* 'done' is called from the loop, never before this returns. */
void handshakes_add_take(struct handshakes *set, struct stream *stream);
