/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* stream - bytes to and from one peer, plain or by TLS.
 *
 * Nothing here blocks: a call that would have to wait returns -EAGAIN, and stream_events() says what
 * for, as TLS may have to write before it can read.  TLS also reads ahead: while stream_has_more(),
 * poll() does not tell of bytes that are there.
 *
 * A TLS stream is good for reading and writing after stream_handshake(), which plain ones do not need.
 *
 * Threads  None: a stream belongs to one thread.
 * Memory   It owns its socket. */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/tls.h"

struct stream;

/* Each takes the connected stream socket 'fd' and makes it non-blocking. */
struct stream *stream_create(int fd);
/* NULL, with 'fd' closed: 'error' says what is wrong with the configuration.  'tls' is borrowed until
 * the handshake is over. */
struct stream *stream_create_tls(int fd, struct tls *tls, enum tls_role role, struct error *error);
void stream_destroy(struct stream *stream); /* NULL is fine. */

/* 0: done.  -EAGAIN: call again when stream_events() is met.  Else the stream is of no use. */
int stream_handshake(struct stream *stream, struct error *error);

/* As recv() and send(), but negative errno.  -EPROTO: stream_reason() knows more. */
ssize_t stream_read(struct stream *stream, void *bytes, size_t n_bytes);
ssize_t stream_write(struct stream *stream, const void *bytes, size_t n_bytes);

/* What to poll for until a call that returned -EAGAIN is worth repeating: after a handshake (0), a
 * read (POLLIN) or a write (POLLOUT). */
short stream_events(const struct stream *stream, short wanted);
bool stream_has_more(const struct stream *stream);
int stream_fd(const struct stream *stream);

/* For people: why a call returned 'code'. */
const char *stream_reason(const struct stream *stream, int code);
