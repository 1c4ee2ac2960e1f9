/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* stream_watch - a stream on a libev loop: calls when reading or writing is worth trying.
 *
 * Threads  The loop's.
 * Memory   Inside its owner, which may stop and free it in a callback.  The stream is borrowed. */

#include <ev.h>
#include <stdbool.h>

#include "lib/stream.h"

struct stream_watch {
    struct ev_loop *loop;
    struct stream *stream;
    void (*readable)(void *aux);
    void (*writable)(void *aux);
    void *aux;

    struct ev_io reader, writer;
    struct ev_timer more; /* TLS has read ahead. */
    bool wants_read, wants_write;
    bool *is_gone; /* Set by _stop() during a callback. */
};

/* Nothing is called before stream_watch_reading() or _writing(). */
void stream_watch_init(struct stream_watch *watch, struct ev_loop *loop, struct stream *stream,
                       void (*readable)(void *aux), void (*writable)(void *aux), void *aux);
void stream_watch_stop(struct stream_watch *watch);

void stream_watch_reading(struct stream_watch *watch, bool wants_read);
void stream_watch_writing(struct stream_watch *watch, bool wants_write);
