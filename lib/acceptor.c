/* SPDX-License-Identifier: Apache-2.0 */

/* One connection per call: libev comes back while there are more. */

#include "lib/acceptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "lib/log.h"
#include "lib/unix_socket.h"

LOG_MODULE(acceptor);

static const double REST_S = 0.5;

static void on_ready(struct ev_loop *loop, struct ev_io *watcher, int events UNUSED)
{
    struct acceptor *acceptor = watcher->data;
    int fd = unix_socket_accept(watcher->fd);

    if (fd >= 0) {
        acceptor->accepted(fd, acceptor->aux);
        return;
    }
    if (fd == -EAGAIN || fd == -EINTR || fd == -ECONNABORTED)
        return;
    log_warn_limited("cannot accept a connection: %s", strerror(-fd));
    ev_io_stop(loop, watcher);
    ev_timer_set(&acceptor->resume, REST_S, 0);
    ev_timer_start(loop, &acceptor->resume);
}

static void on_resume(struct ev_loop *loop, struct ev_timer *timer, int events UNUSED)
{
    struct acceptor *acceptor = timer->data;

    ev_io_start(loop, &acceptor->ready);
}

void acceptor_start(struct acceptor *acceptor, struct ev_loop *loop, int fd,
                    void (*accepted)(int fd, void *aux), void *aux)
{
    *acceptor = (struct acceptor){.loop = loop, .accepted = accepted, .aux = aux};
    ev_io_init(&acceptor->ready, on_ready, fd, EV_READ);
    ev_timer_init(&acceptor->resume, on_resume, 0, 0);
    acceptor->ready.data = acceptor->resume.data = acceptor;
    ev_io_start(loop, &acceptor->ready);
}

void acceptor_stop(struct acceptor *acceptor)
{
    ev_io_stop(acceptor->loop, &acceptor->ready);
    ev_timer_stop(acceptor->loop, &acceptor->resume);
    close(acceptor->ready.fd);
}
