/* SPDX-License-Identifier: Apache-2.0 */

/* The file appears whole or not at all, and never in place of another one. */

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/tls_internal.h"

LOG_MODULE(tls_bootstrap);

int tls_learn_any(int is_ok, X509_STORE_CTX *store)
{
    (void)is_ok, (void)store;
    return 1;
}

static int write_certificate(X509 *certificate, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (!file)
        return -errno;
    bool is_written = PEM_write_X509(file, certificate) == 1 && !fflush(file) && !fsync(fd);
    int code = is_written ? 0 : errno ? -errno : -EIO;
    if (fclose(file) && !code)
        code = -errno;
    return code;
}

static int save(X509 *certificate, const char *path, struct error *error)
{
    char *temporary;

    if (asprintf(&temporary, "%s.%ld~", path, (long)getpid()) < 0)
        abort();
    unlink(temporary);
    int code = write_certificate(certificate, temporary);
    if (!code && link(temporary, path) < 0)
        code = -errno;
    unlink(temporary);
    free(temporary);
    if (code && code != -EEXIST)
        return error_set_errno(error, code, "CA certificate %s: cannot save what was learnt", path);
    return error_set(error, -EAGAIN, "learnt the CA certificate %s", path);
}

int tls_learn(SSL *session, const char *ca_cert, struct error *error)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(session); /* A server's lacks the first. */
    X509 *first = SSL_get0_peer_certificate(session);
    X509 *last = chain && sk_X509_num(chain) > 0 ? sk_X509_value(chain, sk_X509_num(chain) - 1)
                                                 : first;

    if (!last || X509_self_signed(last, 1) != 1)
        return error_set(error, -EPROTO,
                         "cannot learn the CA certificate: the peer does not send it");
    int result = save(last, ca_cert, error);
    if (result == -EAGAIN)
        log_warn("%s from the first TLS peer", error->message);
    return result;
}
