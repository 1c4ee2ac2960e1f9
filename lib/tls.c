/* SPDX-License-Identifier: Apache-2.0 */

/* One SSL_CTX is kept, made of what the files held when they were last looked at.  What is read is read
 * here, into memory of bounded size, so that neither a fifo nor a password prompt can stop the loop.
 * The other half, learning a CA, is in tls_bootstrap.c. */

#include "lib/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/tls_internal.h"

LOG_MODULE(tls);

enum { MAX_FILE_BYTES = 1 << 20, MAX_CERTIFICATES = 1000 };

static const char DEFAULT_CIPHERS[] = "HIGH:!MD5:!PSK:!SRP";
/* Without certificates there would be nothing to check. */
static const char NEVER_CIPHERS[] = ":!aNULL:!eNULL";

/* --- Settings ------------------------------------------------------------------------------ */

int tls_option(struct tls_settings *settings, int option, const char *value)
{
    switch (option) {
    case TLS_OPTION_PRIVATE_KEY:
        settings->private_key = value;
        return 0;
    case TLS_OPTION_CERTIFICATE:
        settings->certificate = value;
        return 0;
    case TLS_OPTION_CA_CERT:
    case TLS_OPTION_BOOTSTRAP_CA_CERT:
        settings->ca_cert = value;
        settings->bootstraps_ca = option == TLS_OPTION_BOOTSTRAP_CA_CERT;
        return 0;
    case TLS_OPTION_PEER_CA_CERT:
        settings->peer_ca_cert = value;
        return 0;
    case TLS_OPTION_PROTOCOLS:
        settings->protocols = value;
        return 0;
    case TLS_OPTION_CIPHERS:
        settings->ciphers = value;
        return 0;
    case TLS_OPTION_CIPHERSUITES:
        settings->ciphersuites = value;
        return 0;
    default:
        return -ENOENT;
    }
}

const char *tls_options_help(void)
{
    return "TLS, for ssl: and pssl: (files in PEM format):\n"
           "  -p, --private-key=FILE  our private key\n"
           "  -c, --certificate=FILE  our certificate\n"
           "  -C, --ca-cert=FILE      whose certificates peers must have; none: anybody's\n"
           "  --bootstrap-ca-cert=FILE\n"
           "                          the same; if there is no such file, learn it from the first "
           "peer\n"
           "  --peer-ca-cert=FILE     certificate to send along, for peers that learn\n"
           "  --ssl-protocols=LIST    of TLSv1.2 and TLSv1.3 (default: both)\n"
           "  --ssl-ciphers=LIST      ciphers for TLS 1.2, as OpenSSL names them\n"
           "  --ssl-ciphersuites=LIST ciphers for TLS 1.3\n";
}

static const char **setting_at(struct tls_settings *settings, size_t i)
{
    const char **const all[N_SETTINGS] = {
        &settings->private_key,  &settings->certificate, &settings->ca_cert,
        &settings->peer_ca_cert, &settings->protocols,   &settings->ciphers,
        &settings->ciphersuites,
    };

    return all[i];
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

struct tls *tls_create(void)
{
    struct tls *tls = calloc(1, sizeof *tls);

    if (!tls)
        abort();
    return tls;
}

void tls_destroy(struct tls *tls)
{
    if (!tls)
        return;
    tls_configure(tls, &(struct tls_settings){0});
    SSL_CTX_free(tls->context);
    free(tls);
}

void tls_configure(struct tls *tls, const struct tls_settings *settings)
{
    struct tls_settings wanted = *settings;
    bool is_changed = tls->settings.bootstraps_ca != wanted.bootstraps_ca;

    tls->settings.bootstraps_ca = wanted.bootstraps_ca;
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const char **kept = setting_at(&tls->settings, i), **given = setting_at(&wanted, i);

        if (*given && !**given)
            *given = NULL;
        if (is_same(*kept, *given))
            continue;
        is_changed = true;
        free((char *)*kept);
        *kept = *given ? strdup(*given) : NULL;
    }
    if (!is_changed)
        return;
    SSL_CTX_free(tls->context); /* What it was made of counts no more. */
    tls->context = NULL;
}

bool tls_is_configured(const struct tls *tls)
{
    return tls->settings.private_key || tls->settings.certificate || tls->settings.ca_cert;
}

/* --- Files --------------------------------------------------------------------------------- */

static int read_all(int fd, struct contents *contents)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (status.st_size > MAX_FILE_BYTES)
        return -EFBIG;
    contents->bytes = malloc((size_t)status.st_size + 1);
    if (!contents->bytes)
        abort();
    contents->mode = status.st_mode;
    while (contents->n_bytes < (size_t)status.st_size) {
        ssize_t n = read(fd, contents->bytes + contents->n_bytes,
                         (size_t)status.st_size - contents->n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (!n)
            break;
        contents->n_bytes += (size_t)n;
    }
    return 0;
}

static void contents_fini(struct contents *contents)
{
    if (contents->bytes)
        OPENSSL_cleanse(contents->bytes, contents->n_bytes);
    free(contents->bytes);
}

/* A memory BIO over the file, which lasts as long as '*contents'; NULL on error. */
static BIO *open_file(const char *what, const char *path, struct contents *contents,
                      struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int result = fd < 0 ? -errno : read_all(fd, contents);

    if (fd >= 0)
        close(fd);
    if (result == -EINVAL) {
        error_set(error, result, "%s %s: not a regular file", what, path);
        return NULL;
    }
    if (result) {
        error_set_errno(error, result, "%s %s", what, path);
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(contents->bytes, (int)contents->n_bytes);
    if (!bio)
        abort();
    return bio;
}

static int no_password(char *text, int size, int is_for_writing, void *aux)
{
    (void)text, (void)size, (void)is_for_writing, (void)aux;
    return -1;
}

/* Reads certificates one after the other and gives each to 'take'. */
static int read_certificates(SSL_CTX *context, const char *what, const char *path,
                             bool (*take)(SSL_CTX *, X509 *, size_t index), struct error *error)
{
    struct contents contents = {0};
    BIO *bio = open_file(what, path, &contents, error);
    size_t n = 0;
    bool is_ok = bio;
    X509 *certificate;

    while (is_ok && n < MAX_CERTIFICATES &&
           (certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        is_ok = take(context, certificate, n++);
        X509_free(certificate);
    }
    BIO_free(bio);
    contents_fini(&contents);
    if (!bio)
        return error->code;
    if (!is_ok || !n)
        return error_set(error, -EINVAL, "%s %s: %s", what, path,
                         n ? "OpenSSL does not take it" : "has no PEM certificate");
    return 0;
}

static bool take_own(SSL_CTX *context, X509 *certificate, size_t index)
{
    return index ? SSL_CTX_add1_chain_cert(context, certificate) == 1
                 : SSL_CTX_use_certificate(context, certificate) == 1;
}

static bool take_sent_along(SSL_CTX *context, X509 *certificate, size_t index)
{
    (void)index;
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

static bool take_ca(SSL_CTX *context, X509 *certificate, size_t index)
{
    (void)index;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1 &&
           SSL_CTX_add_client_CA(context, certificate) == 1;
}

static int load_key(SSL_CTX *context, const char *path, struct error *error)
{
    struct contents contents = {0};
    BIO *bio = open_file("private key", path, &contents, error);

    if (!bio) {
        contents_fini(&contents);
        return error->code;
    }
    if (contents.mode & S_IROTH)
        log_warn("private key %s: everybody on this machine may read it", path);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    contents_fini(&contents);
    if (!key)
        return error_set(error, -EINVAL, "private key %s: not a PEM private key without a password",
                         path);
    bool is_taken = SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    return is_taken
               ? 0
               : error_set(error, -EINVAL, "private key %s: does not fit the certificate", path);
}

static int load_ca(SSL_CTX *context, const struct tls_settings *settings, struct error *error)
{
    if (!strcmp(settings->ca_cert, "none")) {
        log_warn_limited("ca-cert is none: TLS peers are not authenticated");
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    if (settings->bootstraps_ca && access(settings->ca_cert, F_OK) < 0 && errno == ENOENT) {
        log_warn_limited("CA certificate %s: to be learnt from the first peer", settings->ca_cert);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           tls_learn_any);
        return 0;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return read_certificates(context, "CA certificate", settings->ca_cert, take_ca, error);
}

static int load_files(SSL_CTX *context, const struct tls_settings *settings, struct error *error)
{
    int result = read_certificates(context, "certificate", settings->certificate, take_own, error);

    if (!result)
        result = load_key(context, settings->private_key, error);
    if (!result && settings->peer_ca_cert)
        result = read_certificates(context, "peer CA certificate", settings->peer_ca_cert,
                                   take_sent_along, error);
    return result ? result : load_ca(context, settings, error);
}

/* --- Protocols and ciphers ----------------------------------------------------------------- */

static int set_protocols(SSL_CTX *context, const char *list, struct error *error)
{
    char *copy = strdup(list ? list : "TLSv1.2,TLSv1.3"), *rest = copy, *word;
    bool has_2 = false, has_3 = false, is_known = true;

    while (is_known && (word = strsep(&rest, ", "))) {
        if (!strcmp(word, "TLSv1.2+"))
            has_2 = has_3 = true;
        else if (!strcmp(word, "TLSv1.2"))
            has_2 = true;
        else if (!strcmp(word, "TLSv1.3") || !strcmp(word, "TLSv1.3+"))
            has_3 = true;
        else /* Older ones in an old list are only left out. */
            is_known = !*word || !strcmp(word, "TLSv1") || !strcmp(word, "TLSv1.1");
    }
    free(copy);
    if (!is_known || (!has_2 && !has_3))
        return error_set(error, -EINVAL, "ssl-protocols %s: there are TLSv1.2 and TLSv1.3", list);
    SSL_CTX_set_min_proto_version(context, has_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(context, has_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    return 0;
}

static int set_ciphers(SSL_CTX *context, const struct tls_settings *settings, struct error *error)
{
    const char *list = settings->ciphers ? settings->ciphers : DEFAULT_CIPHERS;
    char *whole;

    if (asprintf(&whole, "%s%s", list, NEVER_CIPHERS) < 0)
        abort();
    bool is_taken = SSL_CTX_set_cipher_list(context, whole) == 1;
    free(whole);
    if (!is_taken)
        return error_set(error, -EINVAL, "ssl-ciphers %s: OpenSSL knows none of them", list);
    if (settings->ciphersuites && SSL_CTX_set_ciphersuites(context, settings->ciphersuites) != 1)
        return error_set(error, -EINVAL, "ssl-ciphersuites %s: OpenSSL does not know them",
                         settings->ciphersuites);
    return 0;
}

static SSL_CTX *build(const struct tls_settings *settings, struct error *error)
{
    if (!settings->private_key || !settings->certificate || !settings->ca_cert) {
        error_set(error, -EINVAL, "TLS needs a %s, and none is configured",
                  !settings->private_key   ? "private key"
                  : !settings->certificate ? "certificate"
                                           : "CA certificate");
        return NULL;
    }
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    if (!context)
        abort();
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    /* A peer that sends nothing but key updates is not to keep a read from returning. */
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    if (!set_protocols(context, settings->protocols, error) &&
        !set_ciphers(context, settings, error) && !load_files(context, settings, error))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* --- Sessions ------------------------------------------------------------------------------ */

/* What files looked like, to notice that they have changed. */
static void take_stamps(const struct tls_settings *settings, struct stamp stamps[N_FILES])
{
    const char *const paths[N_FILES] = {settings->private_key, settings->certificate,
                                        settings->ca_cert, settings->peer_ca_cert};

    memset(stamps, 0, N_FILES * sizeof *stamps);
    for (size_t i = 0; i < N_FILES; i++) {
        struct stat status;

        if (!paths[i] || stat(paths[i], &status) < 0)
            continue;
        stamps[i].device = status.st_dev;
        stamps[i].inode = status.st_ino;
        stamps[i].size = status.st_size;
        stamps[i].changed = status.st_mtim;
        stamps[i].touched = status.st_ctim;
    }
}

static int refresh(struct tls *tls, struct error *error)
{
    struct stamp stamps[N_FILES];

    take_stamps(&tls->settings, stamps);
    if (tls->context && !memcmp(stamps, tls->stamps, sizeof stamps))
        return 0;
    memcpy(tls->stamps, stamps, sizeof stamps);
    ERR_clear_error();
    SSL_CTX *context = build(&tls->settings, error);
    ERR_clear_error();
    if (context) {
        SSL_CTX_free(tls->context);
        tls->context = context;
    } else if (tls->context) {
        log_warn_limited("%s; what was read before stays in use", error->message);
    } else {
        return error->code;
    }
    return 0;
}

SSL *tls_session_create(struct tls *tls, enum tls_role role, struct error *error)
{
    struct error trouble = ERROR_INIT;

    if (refresh(tls, &trouble)) {
        error_set(error, trouble.code, "%s", trouble.message);
        return NULL;
    }
    SSL *session = SSL_new(tls->context);
    if (!session)
        abort();
    if (role == TLS_SERVER)
        SSL_set_accept_state(session);
    else
        SSL_set_connect_state(session);
    return session;
}

int tls_session_admit(const struct tls *tls, SSL *session, struct error *error)
{
    return SSL_get_verify_callback(session) == tls_learn_any
               ? tls_learn(session, tls->settings.ca_cert, error)
               : 0;
}
