/* SPDX-License-Identifier: Apache-2.0 */

/* One step per event: a handshake that is ready for more waits for its next turn. */

#include "lib/handshake.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/annotations.h"

struct handshake {
    struct cds_list_head node;
    struct handshakes *set;
    struct stream *stream;
    struct ev_io io;
    struct ev_timer timeout;
};

static struct stream *release(struct handshake *handshake)
{
    struct stream *stream = handshake->stream;

    ev_io_stop(handshake->set->loop, &handshake->io);
    ev_timer_stop(handshake->set->loop, &handshake->timeout);
    cds_list_del(&handshake->node);
    handshake->set->n--;
    free(handshake);
    return stream;
}

static void fail(struct handshake *handshake, const char *reason)
{
    struct handshakes *set = handshake->set;

    stream_destroy(release(handshake));
    set->done(NULL, reason, set->aux);
}

static void watch(struct handshake *handshake)
{
    short events = stream_events(handshake->stream, 0);

    ev_io_stop(handshake->set->loop, &handshake->io);
    ev_io_set(&handshake->io, handshake->io.fd, events & POLLOUT ? EV_WRITE : EV_READ);
    ev_io_start(handshake->set->loop, &handshake->io);
}

static void on_ready(struct ev_loop *loop UNUSED, struct ev_io *io, int events UNUSED)
{
    struct handshake *handshake = io->data;
    struct handshakes *set = handshake->set;
    struct error error = ERROR_INIT;
    int code = stream_handshake(handshake->stream, &error);

    if (!code)
        set->done(release(handshake), "", set->aux);
    else if (code == -EAGAIN && !error.code)
        watch(handshake);
    else
        fail(handshake, error.message);
}

static void on_timeout(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    fail(timer->data, "TLS was not set up in time");
}

void handshakes_init(struct handshakes *set, struct ev_loop *loop,
                     void (*done)(struct stream *stream, const char *reason, void *aux), void *aux)
{
    *set = (struct handshakes){.loop = loop, .done = done, .aux = aux};
    CDS_INIT_LIST_HEAD(&set->list);
}

void handshakes_stop(struct handshakes *set)
{
    while (set->n)
        stream_destroy(release(cds_list_first_entry(&set->list, struct handshake, node)));
}

void handshakes_add_take(struct handshakes *set, struct stream *stream)
{
    struct handshake *handshake = calloc(1, sizeof *handshake);

    if (!handshake)
        abort();
    if (set->n >= HANDSHAKES_MAX)
        fail(cds_list_first_entry(&set->list, struct handshake, node),
             "more peers set up TLS than there is room for");
    handshake->set = set;
    handshake->stream = stream;
    ev_io_init(&handshake->io, on_ready, stream_fd(stream), EV_READ);
    ev_timer_init(&handshake->timeout, on_timeout, HANDSHAKE_SECONDS, 0);
    handshake->io.data = handshake->timeout.data = handshake;
    ev_timer_start(set->loop, &handshake->timeout);
    cds_list_add_tail(&handshake->node, &set->list);
    set->n++;
    watch(handshake);
}
