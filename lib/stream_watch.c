/* SPDX-License-Identifier: Apache-2.0 */

/* What the stream waits for may differ after every call, so it is asked after every callback. */

#include "lib/stream_watch.h"

#include "lib/annotations.h"

static void follow_io(struct ev_loop *loop, struct ev_io *io, bool is_wanted, short poll_events)
{
    int events = (poll_events & POLLIN ? EV_READ : 0) | (poll_events & POLLOUT ? EV_WRITE : 0);

    if (is_wanted && ev_is_active(io) && (io->events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(loop, io);
    if (!is_wanted)
        return;
    /* Not without need: libev takes it for a new descriptor, which costs a system call. */
    if ((io->events & (EV_READ | EV_WRITE)) != events)
        ev_io_set(io, io->fd, events);
    ev_io_start(loop, io);
}

static void update(struct stream_watch *watch)
{
    follow_io(watch->loop, &watch->reader, watch->wants_read, stream_events(watch->stream, POLLIN));
    follow_io(watch->loop, &watch->writer, watch->wants_write,
              stream_events(watch->stream, POLLOUT));
    if (!watch->wants_read || !stream_has_more(watch->stream)) {
        ev_timer_stop(watch->loop, &watch->more);
    } else if (!ev_is_active(&watch->more)) {
        ev_timer_set(&watch->more, 0, 0);
        ev_timer_start(watch->loop, &watch->more);
    }
}

static void call(struct stream_watch *watch, void (*callback)(void *aux))
{
    bool is_gone = false;

    watch->is_gone = &is_gone;
    callback(watch->aux);
    if (is_gone)
        return;
    watch->is_gone = NULL;
    update(watch);
}

static void on_reader(struct ev_loop *loop UNUSED, struct ev_io *io, int events UNUSED)
{
    struct stream_watch *watch = io->data;

    call(watch, watch->readable);
}

static void on_writer(struct ev_loop *loop UNUSED, struct ev_io *io, int events UNUSED)
{
    struct stream_watch *watch = io->data;

    call(watch, watch->writable);
}

static void on_more(struct ev_loop *loop UNUSED, struct ev_timer *timer, int events UNUSED)
{
    struct stream_watch *watch = timer->data;

    call(watch, watch->readable);
}

void stream_watch_init(struct stream_watch *watch, struct ev_loop *loop, struct stream *stream,
                       void (*readable)(void *aux), void (*writable)(void *aux), void *aux)
{
    *watch = (struct stream_watch){
        .loop = loop, .stream = stream, .readable = readable, .writable = writable, .aux = aux};
    ev_io_init(&watch->reader, on_reader, stream_fd(stream), EV_READ);
    ev_io_init(&watch->writer, on_writer, stream_fd(stream), EV_WRITE);
    ev_timer_init(&watch->more, on_more, 0, 0);
    watch->reader.data = watch->writer.data = watch->more.data = watch;
}

void stream_watch_stop(struct stream_watch *watch)
{
    watch->wants_read = watch->wants_write = false;
    ev_io_stop(watch->loop, &watch->reader);
    ev_io_stop(watch->loop, &watch->writer);
    ev_timer_stop(watch->loop, &watch->more);
    if (watch->is_gone)
        *watch->is_gone = true;
    watch->is_gone = NULL;
}

void stream_watch_reading(struct stream_watch *watch, bool wants_read)
{
    watch->wants_read = wants_read;
    update(watch);
}

void stream_watch_writing(struct stream_watch *watch, bool wants_write)
{
    watch->wants_write = wants_write;
    update(watch);
}
