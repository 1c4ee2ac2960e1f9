/* SPDX-License-Identifier: Apache-2.0 */

/* OpenSSL keeps its errors in a queue of the thread, which is emptied before each call. */

#include "lib/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One write is not to keep others waiting. */
enum { MAX_WRITE_BYTES = 256 << 10 };

struct stream {
    int fd;
    struct tls *tls; /* Until the handshake is over. */
    SSL *ssl;        /* NULL: plain. */
    int failure;     /* Of 'ssl', which must not be asked for more then; or 0. */
    /* What the last call of its sort waits for. */
    short handshake_events, read_events, write_events;
    char reason[160];
};

struct stream *stream_create(int fd)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        abort();
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    stream->fd = fd;
    stream->read_events = POLLIN;
    stream->write_events = POLLOUT;
    return stream;
}

struct stream *stream_create_tls(int fd, struct tls *tls, enum tls_role role, struct error *error)
{
    SSL *ssl = tls_session_create(tls, role, error);

    if (!ssl) {
        close(fd);
        return NULL;
    }
    struct stream *stream = stream_create(fd);
    stream->tls = tls;
    stream->ssl = ssl;
    stream->handshake_events = role == TLS_SERVER ? POLLIN : POLLOUT;
    if (SSL_set_fd(ssl, fd) != 1)
        abort();
    return stream;
}

void stream_destroy(struct stream *stream)
{
    if (!stream)
        return;
    if (stream->ssl && !stream->failure && SSL_is_init_finished(stream->ssl)) {
        ERR_clear_error();
        SSL_shutdown(stream->ssl); /* Without it the peer cannot tell an end from a cut. */
        ERR_clear_error();
    }
    SSL_free(stream->ssl);
    close(stream->fd);
    free(stream);
}

/* Notes why OpenSSL failed, and returns -EPROTO. */
static int note_reason(struct stream *stream)
{
    long verdict = SSL_get_verify_result(stream->ssl);
    unsigned long code = ERR_peek_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;

    if (verdict != X509_V_OK)
        snprintf(stream->reason, sizeof stream->reason, "TLS: the peer's certificate: %s",
                 X509_verify_cert_error_string(verdict));
    else
        snprintf(stream->reason, sizeof stream->reason, "TLS: %s", text ? text : "protocol error");
    return -EPROTO;
}

/* What a call that returned 'result' means, as negative errno; 0 at the end of the stream. */
static int judge(struct stream *stream, int result, short *events)
{
    int saved_errno = errno;

    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *events = POLLIN;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        *events = POLLOUT;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        stream->failure = saved_errno ? -saved_errno : -ECONNRESET;
        return stream->failure;
    default:
        stream->failure = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                              ? -ECONNRESET
                              : note_reason(stream);
        return stream->failure;
    }
}

int stream_handshake(struct stream *stream, struct error *error)
{
    if (!stream->ssl || SSL_is_init_finished(stream->ssl))
        return 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(stream->ssl);
    if (result == 1)
        return tls_session_admit(stream->tls, stream->ssl, error);
    int code = judge(stream, result, &stream->handshake_events);
    if (code == -EAGAIN)
        return code;
    if (!code || code == -ECONNRESET)
        return error_set(error, -ECONNRESET, "the peer ended the connection before TLS was set up");
    return error_set(error, code, "%s", stream_reason(stream, code));
}

ssize_t stream_read(struct stream *stream, void *bytes, size_t n_bytes)
{
    size_t n_read = 0;

    if (!stream->ssl) {
        ssize_t n = recv(stream->fd, bytes, n_bytes, MSG_DONTWAIT);
        return n < 0 ? -errno : n;
    }
    if (stream->failure)
        return stream->failure;
    while (n_read < n_bytes) {
        size_t n;

        ERR_clear_error();
        errno = 0;
        int result = SSL_read_ex(stream->ssl, (char *)bytes + n_read, n_bytes - n_read, &n);
        if (result == 1) {
            stream->read_events = POLLIN;
            n_read += n;
            continue;
        }
        int code = judge(stream, result, &stream->read_events);
        return n_read ? (ssize_t)n_read : code; /* An end or error comes again. */
    }
    return (ssize_t)n_read;
}

/* A TLS 1.3 server may refuse a client that takes itself for connected: why, is there to be read. */
static int judge_write(struct stream *stream, int result)
{
    int code = judge(stream, result, &stream->write_events);
    char byte;
    size_t n;

    if (code != -EPIPE && code != -ECONNRESET)
        return code ? code : -EPIPE;
    ERR_clear_error();
    result = SSL_peek_ex(stream->ssl, &byte, 1, &n);
    if (result != 1 && SSL_get_error(stream->ssl, result) == SSL_ERROR_SSL &&
        ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
        stream->failure = note_reason(stream);
    return stream->failure;
}

ssize_t stream_write(struct stream *stream, const void *bytes, size_t n_bytes)
{
    size_t n_written = 0;

    if (!stream->ssl) {
        ssize_t n = send(stream->fd, bytes, n_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        return n < 0 ? -errno : n;
    }
    if (stream->failure)
        return stream->failure;
    while (n_written < n_bytes && n_written < MAX_WRITE_BYTES) {
        size_t n;

        ERR_clear_error();
        errno = 0;
        int result = SSL_write_ex(stream->ssl, (const char *)bytes + n_written, n_bytes - n_written,
                                  &n);
        if (result == 1) {
            stream->write_events = POLLOUT;
            n_written += n;
            continue;
        }
        int code = judge_write(stream, result);
        return n_written ? (ssize_t)n_written : code;
    }
    return (ssize_t)n_written;
}

short stream_events(const struct stream *stream, short wanted)
{
    if (!wanted)
        return stream->handshake_events;
    return (short)((wanted & POLLIN ? stream->read_events : 0) |
                   (wanted & POLLOUT ? stream->write_events : 0));
}

bool stream_has_more(const struct stream *stream)
{
    return stream->ssl && SSL_pending(stream->ssl) > 0;
}

int stream_fd(const struct stream *stream)
{
    return stream->fd;
}

const char *stream_reason(const struct stream *stream, int code)
{
    return code == -EPROTO && *stream->reason ? stream->reason : strerror(-code);
}
