/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* acceptor - takes connections from a listening socket.
 *
 * While the process has no descriptor left, a waiting connection would be offered again at once, and
 * the loop would spin: the acceptor rests for half a second instead.
 *
 * Threads  The loop's.
 * Memory   Inside its owner; it may be stopped from its own callback. */

#include <ev.h>

struct acceptor {
    struct ev_loop *loop;
    struct ev_io ready;
    struct ev_timer resume;
    void (*accepted)(int fd, void *aux);
    void *aux;
};

/* Takes the listening, non-blocking socket 'fd'.  'accepted' gets non-blocking sockets to keep. */
void acceptor_start(struct acceptor *acceptor, struct ev_loop *loop, int fd,
                    void (*accepted)(int fd, void *aux), void *aux);
void acceptor_stop(struct acceptor *acceptor); /* Closes the listener. */
