/* SPDX-License-Identifier: Apache-2.0 */

/* At any time there is a socket that connects, a handshake, or nothing. */

#include "lib/connector.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/annotations.h"

void connector_stop(struct connector *connector)
{
    ev_io_stop(connector->loop, &connector->connecting);
    ev_timer_stop(connector->loop, &connector->timeout);
    if (connector->fd >= 0)
        close(connector->fd);
    connector->fd = -1;
    handshakes_stop(&connector->handshakes);
}

static void fail(struct connector *connector, int code, const char *reason)
{
    connector_stop(connector);
    connector->done(NULL, code, reason, connector->aux);
}

static void on_handshake(struct stream *stream, const char *reason, void *aux)
{
    struct connector *connector = aux;

    connector->done(stream, stream ? 0 : -EPROTO, reason, connector->aux);
}

static void on_connected(struct ev_loop *loop UNUSED, struct ev_io *io, int events UNUSED)
{
    struct connector *connector = io->data;
    struct error error = ERROR_INIT;
    socklen_t n_bytes = sizeof(int);
    int fd = connector->fd, code = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n_bytes) < 0)
        code = errno;
    if (code) {
        fail(connector, -code, strerror(code));
        return;
    }
    connector->fd = -1;
    connector_stop(connector);
    if (!connector->is_tls) {
        connector->done(stream_create(fd), 0, "", connector->aux);
        return;
    }
    struct stream *stream = stream_create_tls(fd, connector->tls, TLS_CLIENT, &error);
    if (stream)
        handshakes_add_take(&connector->handshakes, stream);
    else
        fail(connector, error.code, error.message);
}

static void on_timeout(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    fail(timer->data, -ETIMEDOUT, strerror(ETIMEDOUT));
}

void connector_init(struct connector *connector, struct ev_loop *loop, struct tls *tls,
                    void (*done)(struct stream *stream, int code, const char *reason, void *aux),
                    void *aux)
{
    *connector = (struct connector){.loop = loop, .tls = tls, .done = done, .aux = aux, .fd = -1};
    ev_io_init(&connector->connecting, on_connected, -1, EV_WRITE);
    ev_timer_init(&connector->timeout, on_timeout, CONNECTOR_SECONDS, 0);
    connector->connecting.data = connector->timeout.data = connector;
    handshakes_init(&connector->handshakes, loop, on_handshake, connector);
}

int connector_start(struct connector *connector, const struct socket_address *address,
                    struct error *error)
{
    int fd = socket_address_open(address, error);

    if (fd < 0)
        return fd;
    connector->fd = fd;
    connector->is_tls = address->is_tls;
    ev_io_set(&connector->connecting, fd, EV_WRITE);
    ev_io_start(connector->loop, &connector->connecting);
    ev_timer_set(&connector->timeout, CONNECTOR_SECONDS, 0);
    ev_timer_start(connector->loop, &connector->timeout);
    return 0;
}
