/* SPDX-License-Identifier: Apache-2.0 */

/* Every wait is a poll() against the deadline. */

#include "lib/stream_blocking.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "lib/clock.h"

static int poll_until(int fd, short events, int64_t deadline_ns, struct error *error)
{
    struct pollfd pollfd = {.fd = fd, .events = events};

    for (;;) {
        int timeout_ms = -1;

        if (deadline_ns != INT64_MAX) {
            int64_t left_ns = deadline_ns - clock_now_ns();
            if (left_ns <= 0)
                return error_set(error, -ETIMEDOUT, "timed out");
            int64_t left_ms = left_ns / MILLISECOND_NS + 1;
            timeout_ms = left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
        }
        int n = poll(&pollfd, 1, timeout_ms);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return error_set_errno(error, -errno, "poll");
    }
}

int stream_wait_until(const struct stream *stream, short wanted, int64_t deadline_ns,
                      struct error *error)
{
    if (wanted & POLLIN && stream_has_more(stream))
        return 0;
    return poll_until(stream_fd(stream), stream_events(stream, wanted), deadline_ns, error);
}

static int connect_socket(const struct socket_address *address, int64_t deadline_ns,
                          struct error *error)
{
    int fd = socket_address_open(address, error), code = 0;
    socklen_t n_bytes = sizeof code;

    if (fd < 0)
        return fd;
    int result = poll_until(fd, POLLOUT, deadline_ns, error);
    if (!result && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n_bytes) < 0)
        code = errno;
    if (code)
        result = error_set_errno(error, -code, "cannot connect");
    if (!result)
        return fd;
    close(fd);
    return result;
}

static int shake_hands(struct stream *stream, int64_t deadline_ns, struct error *error)
{
    int result, waited;

    while ((result = stream_handshake(stream, error)) == -EAGAIN && !error->code)
        if ((waited = stream_wait_until(stream, 0, deadline_ns, error)) < 0)
            return waited;
    return result;
}

static struct stream *try_to_connect(const struct socket_address *address, struct tls *tls,
                                     int64_t deadline_ns, struct error *error)
{
    int fd = connect_socket(address, deadline_ns, error);

    if (fd < 0)
        return NULL;
    if (!address->is_tls)
        return stream_create(fd);
    struct stream *stream = stream_create_tls(fd, tls, TLS_CLIENT, error);
    if (!stream || !shake_hands(stream, deadline_ns, error))
        return stream;
    stream_destroy(stream);
    return NULL;
}

struct stream *stream_connect_until(const struct socket_address *address, struct tls *tls,
                                    int64_t deadline_ns, struct error *error)
{
    struct error trouble = ERROR_INIT;
    struct stream *stream = try_to_connect(address, tls, deadline_ns, &trouble);

    if (!stream && trouble.code == -EAGAIN) { /* The first connection has brought the CA. */
        trouble = (struct error)ERROR_INIT;
        stream = try_to_connect(address, tls, deadline_ns, &trouble);
    }
    if (!stream)
        error_set(error, trouble.code, "%s", trouble.message);
    return stream;
}
