/* SPDX-License-Identifier: Apache-2.0 */

/* TLS streams: what crosses them, who is let in, and which settings make sense. */

#include "lib/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/handshake.h"
#include "lib/jsonrpc.h"
#include "lib/stream_watch.h"

enum { N_MESSAGES = 120, MAX_MESSAGE_BYTES = 300000, N_NONSENSE = 2000 };

struct files {
    char directory[32], key[64], locked_key[64], certificate[64], other_key[64],
        other_certificate[64];
};

static struct files files;

/* --- Keys ---------------------------------------------------------------------------------- */

static void write_key(const char *path, EVP_PKEY *key, const char *password)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, password ? EVP_aes_128_cbc() : NULL,
                                          (const void *)password,
                                          password ? (int)strlen(password) : 0, NULL, NULL),
                     1);
    fclose(file);
}

/* Signed by itself, so that it is its own CA. */
static void write_certificate(const char *path, EVP_PKEY *key, const char *name)
{
    X509 *certificate = X509_new();
    FILE *file = fopen(path, "w");

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    X509_free(certificate);
}

static int make_files(void **state UNUSED)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");

    signal(SIGPIPE, SIG_IGN);
    umask(077);
    strcpy(files.directory, "/tmp/tls_test.XXXXXX");
    assert_non_null(mkdtemp(files.directory));
    snprintf(files.key, sizeof files.key, "%s/key", files.directory);
    snprintf(files.locked_key, sizeof files.locked_key, "%s/locked", files.directory);
    snprintf(files.certificate, sizeof files.certificate, "%s/cert", files.directory);
    snprintf(files.other_key, sizeof files.other_key, "%s/key2", files.directory);
    snprintf(files.other_certificate, sizeof files.other_certificate, "%s/cert2", files.directory);
    write_key(files.key, key, NULL);
    write_key(files.locked_key, key, "secret");
    write_certificate(files.certificate, key, "one");
    write_key(files.other_key, other, NULL);
    write_certificate(files.other_certificate, other, "other");
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    return 0;
}

static int remove_files(void **state UNUSED)
{
    unlink(files.key);
    unlink(files.locked_key);
    unlink(files.certificate);
    unlink(files.other_key);
    unlink(files.other_certificate);
    return rmdir(files.directory);
}

static struct tls_settings our_settings(void)
{
    return (struct tls_settings){
        .private_key = files.key, .certificate = files.certificate, .ca_cert = files.certificate};
}

static struct tls *our_tls(void)
{
    struct tls_settings settings = our_settings();
    struct tls *tls = tls_create();

    tls_configure(tls, &settings);
    return tls;
}

/* --- Settings ------------------------------------------------------------------------------ */

static void expect_refusal(const struct tls_settings *settings, const char *sentence)
{
    struct tls *tls = tls_create();
    struct error error = ERROR_INIT;

    tls_configure(tls, settings);
    SSL *session = tls_session_create(tls, TLS_SERVER, &error);
    if (sentence) {
        assert_null(session);
        if (!strstr(error.message, sentence))
            fail_msg("\"%s\" is not in \"%s\"", sentence, error.message);
    } else if (!session) {
        fail_msg("%s", error.message);
    }
    SSL_free(session);
    tls_destroy(tls);
}

static void settings_that_make_no_sense_are_sentences(void **state UNUSED)
{
    struct tls_settings settings = {0};
    char fifo[64];

    expect_refusal(&settings, "TLS needs a private key, and none is configured");
    settings = our_settings();
    expect_refusal(&settings, NULL);
    settings.ca_cert = NULL;
    expect_refusal(&settings, "TLS needs a CA certificate");
    settings.ca_cert = "none";
    expect_refusal(&settings, NULL);
    settings = our_settings();
    settings.private_key = "/nonexistent";
    expect_refusal(&settings, "private key /nonexistent: No such file");
    settings.private_key = files.other_key;
    expect_refusal(&settings, "does not fit the certificate");
    settings.private_key = files.locked_key;
    expect_refusal(&settings, "not a PEM private key without a password");
    settings.private_key = files.directory;
    expect_refusal(&settings, "not a regular file");
    settings.private_key = "/dev/zero";
    expect_refusal(&settings, "not a regular file");
    snprintf(fifo, sizeof fifo, "%s/fifo", files.directory);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    settings.private_key = fifo;
    expect_refusal(&settings, "not a regular file");
    unlink(fifo);
    settings = our_settings();
    settings.ca_cert = files.key;
    expect_refusal(&settings, "has no PEM certificate");
}

static void protocols_and_ciphers_are_of_this_decade(void **state UNUSED)
{
    static const struct {
        const char *protocols, *ciphers, *sentence;
    } cases[] = {
        {"TLSv1.2", NULL, NULL},
        {"TLSv1.3", NULL, NULL},
        {"TLSv1.2+", NULL, NULL},
        {"TLSv1, TLSv1.1, TLSv1.2", NULL, NULL},
        {"TLSv1,TLSv1.1", NULL, "there are TLSv1.2 and TLSv1.3"},
        {"SSLv3", NULL, "there are TLSv1.2 and TLSv1.3"},
        {",", NULL, "there are TLSv1.2 and TLSv1.3"},
        {NULL, "HIGH", NULL},
        {NULL, "NONSENSE", "knows none of them"},
        {NULL, "aNULL", "knows none of them"},
        {NULL, "eNULL", "knows none of them"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tls_settings settings = our_settings();
        settings.protocols = cases[i].protocols;
        settings.ciphers = cases[i].ciphers;
        expect_refusal(&settings, cases[i].sentence);
    }
}

/* --- Handshakes ---------------------------------------------------------------------------- */

struct pair {
    struct stream *client, *server;
};

static struct pair connect_pair(struct tls *client, struct tls *server)
{
    struct error error = ERROR_INIT;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return (struct pair){.client = stream_create_tls(fds[0], client, TLS_CLIENT, &error),
                         .server = stream_create_tls(fds[1], server, TLS_SERVER, &error)};
}

static void pair_fini(struct pair *pair)
{
    stream_destroy(pair->client);
    stream_destroy(pair->server);
}

static int error_code(const struct error *error)
{
    return error ? error->code : 0;
}

/* What the server makes of it: 0, or an error. */
static int shake_hands(struct pair *pair, struct error *error)
{
    int client = -EAGAIN, server = -EAGAIN;

    for (int i = 0; i < 20 && server == -EAGAIN && !error_code(error); i++) {
        if (client == -EAGAIN)
            client = stream_handshake(pair->client, NULL);
        server = stream_handshake(pair->server, error);
    }
    return server;
}

static void who_has_another_ca_is_refused(void **state UNUSED)
{
    struct tls_settings settings = our_settings();
    struct tls *server = our_tls(), *client = our_tls();
    struct error error = ERROR_INIT;
    struct pair pair = connect_pair(client, server);

    assert_int_equal(shake_hands(&pair, &error), 0);
    pair_fini(&pair);

    settings.private_key = files.other_key;
    settings.certificate = files.other_certificate;
    tls_configure(client, &settings);
    pair = connect_pair(client, server);
    assert_int_equal(shake_hands(&pair, &error), -EPROTO);
    assert_non_null(strstr(error.message, "the peer's certificate: self-signed"));
    pair_fini(&pair);
    tls_destroy(client);
    tls_destroy(server);
}

/* The first connection brings the CA, and is given up; those after it are checked. */
static void ca_is_learnt_by_the_first_connection(void **state UNUSED)
{
    struct tls_settings settings = our_settings();
    struct tls *server = tls_create(), *client = our_tls();
    struct error error = ERROR_INIT;
    char learnt[64];

    snprintf(learnt, sizeof learnt, "%s/learnt", files.directory);
    settings.ca_cert = learnt;
    settings.bootstraps_ca = true;
    tls_configure(server, &settings);
    struct pair pair = connect_pair(client, server);
    assert_int_equal(shake_hands(&pair, &error), -EAGAIN);
    assert_non_null(strstr(error.message, "learnt the CA certificate"));
    pair_fini(&pair);

    error = (struct error)ERROR_INIT;
    pair = connect_pair(client, server);
    assert_int_equal(shake_hands(&pair, &error), 0);
    pair_fini(&pair);

    settings = our_settings();
    settings.private_key = files.other_key;
    settings.certificate = files.other_certificate;
    tls_configure(client, &settings);
    pair = connect_pair(client, server);
    assert_int_equal(shake_hands(&pair, &error), -EPROTO);
    pair_fini(&pair);
    unlink(learnt);
    tls_destroy(client);
    tls_destroy(server);
}

static void nonsense_ends_the_handshake(void **state UNUSED)
{
    struct tls *server = our_tls();
    unsigned char bytes[600] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};

    srandom(4711);
    for (int i = 0; i < N_NONSENSE; i++) {
        struct error error = ERROR_INIT;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        struct stream *stream = stream_create_tls(fds[1], server, TLS_SERVER, &error);
        for (size_t k = (size_t)(random() % 12); k < sizeof bytes; k++)
            bytes[k] = (unsigned char)random();
        size_t n_bytes = (size_t)random() % sizeof bytes;
        assert_int_equal(send(fds[0], bytes, n_bytes, MSG_NOSIGNAL), n_bytes);
        shutdown(fds[0], SHUT_WR);
        int result = stream_handshake(stream, &error);
        assert_true(result < 0 && result != -EAGAIN);
        assert_true(*error.message);
        assert_true(stream_read(stream, bytes, sizeof bytes) < 0);
        stream_destroy(stream);
        close(fds[0]);
    }
    tls_destroy(server);
}

struct arrivals {
    int n_good, n_failed;
};

static void on_done(struct stream *stream, const char *reason UNUSED, void *aux)
{
    struct arrivals *arrivals = aux;

    if (stream)
        arrivals->n_good++;
    else
        arrivals->n_failed++;
    stream_destroy(stream);
}

static void oldest_of_too_many_handshakes_goes(void **state UNUSED)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct tls *server = our_tls();
    struct arrivals arrivals = {0};
    struct handshakes set;
    int silent[2 * HANDSHAKES_MAX];

    handshakes_init(&set, loop, on_done, &arrivals);
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        silent[i] = fds[0];
        handshakes_add_take(&set, stream_create_tls(fds[1], server, TLS_SERVER, NULL));
    }
    assert_int_equal(set.n, HANDSHAKES_MAX);
    assert_int_equal(arrivals.n_failed, HANDSHAKES_MAX);

    struct pair pair = connect_pair(server, server);
    handshakes_add_take(&set, pair.server);
    for (int i = 0; i < 20 && !arrivals.n_good; i++) {
        stream_handshake(pair.client, NULL);
        ev_run(loop, EVRUN_NOWAIT);
    }
    assert_int_equal(arrivals.n_good, 1);
    stream_destroy(pair.client);
    handshakes_stop(&set);
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
        close(silent[i]);
    tls_destroy(server);
    ev_loop_destroy(loop);
}

/* --- Bytes --------------------------------------------------------------------------------- */

struct side {
    struct jsonrpc *rpc;
    int n_messages, n_closed;
    size_t n_bytes;
};

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_message *message, void *aux)
{
    struct side *side = aux;

    side->n_messages++;
    if (message->type == JSONRPC_REQUEST) {
        jsonrpc_send_take(
            rpc, jsonrpc_reply_take(json_incref(message->params), json_incref(message->id)));
        return;
    }
    const char *text = json_string_value(json_array_get(message->result, 0));
    side->n_bytes += strlen(text);
}

static void on_closed(struct jsonrpc *rpc UNUSED, const char *reason, void *aux)
{
    struct side *side = aux;

    assert_string_equal(reason, "");
    side->n_closed++;
}

static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};

static size_t send_messages(struct jsonrpc *rpc, struct ev_loop *loop)
{
    static char text[MAX_MESSAGE_BYTES + 1];
    size_t n_bytes = 0;

    memset(text, 'x', MAX_MESSAGE_BYTES);
    srandom(1);
    for (int i = 0; i < N_MESSAGES; i++) {
        size_t n = (size_t)random() % (i % 3 ? 40000 : MAX_MESSAGE_BYTES);
        jsonrpc_call_take(rpc, "say", json_pack("[s%]", text, n));
        n_bytes += n;
        ev_run(loop, EVRUN_NOWAIT);
    }
    return n_bytes;
}

static void messages_of_all_sizes_cross_both_ways(void **state UNUSED)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct tls *tls = our_tls();
    struct side client = {0}, server = {0};
    struct pair pair = connect_pair(tls, tls);

    assert_int_equal(shake_hands(&pair, NULL), 0);
    client.rpc = jsonrpc_create_take(loop, pair.client, &callbacks, &client);
    server.rpc = jsonrpc_create_take(loop, pair.server, &callbacks, &server);
    size_t n_bytes = send_messages(client.rpc, loop);
    for (int i = 0; i < 100000 && client.n_messages < N_MESSAGES && !client.n_closed; i++)
        ev_run(loop, EVRUN_ONCE);
    assert_int_equal(client.n_messages, N_MESSAGES);
    assert_int_equal(client.n_bytes, n_bytes);

    jsonrpc_destroy(client.rpc);
    for (int i = 0; i < 10 && !server.n_closed; i++)
        ev_run(loop, EVRUN_ONCE);
    assert_int_equal(server.n_closed, 1);
    jsonrpc_destroy(server.rpc);
    tls_destroy(tls);
    ev_loop_destroy(loop);
}

/* --- Peers that make us write before we may read -------------------------------------------- */

static int n_calls;

static void on_readable(void *aux)
{
    char bytes[64];

    n_calls++;
    while (stream_read(aux, bytes, sizeof bytes) > 0) {
    }
}

static void nothing(void *aux UNUSED)
{
}

/* Each update asks for one of ours, which is not read: reading has to wait for writing then. */
static void key_updates_that_nobody_reads_do_not_spin(void **state UNUSED)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct tls *tls = our_tls();
    struct error error = ERROR_INIT;
    struct stream_watch watch;
    int fds[2], n_bytes = 4096;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &n_bytes, sizeof n_bytes);
    struct stream *server = stream_create_tls(fds[1], tls, TLS_SERVER, &error);
    SSL *client = tls_session_create(tls, TLS_CLIENT, &error);
    SSL_set_fd(client, fds[0]);
    for (int i = 0; i < 20 && !SSL_is_init_finished(client); i++) {
        SSL_do_handshake(client);
        stream_handshake(server, &error);
    }
    assert_int_equal(stream_handshake(server, &error), 0);

    stream_watch_init(&watch, loop, server, on_readable, nothing, server);
    stream_watch_reading(&watch, true);
    for (int i = 0; i < 3000; i++) {
        ERR_clear_error();
        SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(client);
        ev_run(loop, EVRUN_NOWAIT);
    }
    assert_int_equal(stream_events(server, POLLIN), POLLOUT);
    n_calls = 0;
    for (int i = 0; i < 100; i++)
        ev_run(loop, EVRUN_NOWAIT);
    assert_true(n_calls < 3);

    stream_watch_stop(&watch);
    stream_destroy(server);
    SSL_free(client);
    close(fds[0]);
    tls_destroy(tls);
    ev_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_that_make_no_sense_are_sentences),
        cmocka_unit_test(protocols_and_ciphers_are_of_this_decade),
        cmocka_unit_test(who_has_another_ca_is_refused),
        cmocka_unit_test(ca_is_learnt_by_the_first_connection),
        cmocka_unit_test(nonsense_ends_the_handshake),
        cmocka_unit_test(oldest_of_too_many_handshakes_goes),
        cmocka_unit_test(messages_of_all_sizes_cross_both_ways),
        cmocka_unit_test(key_updates_that_nobody_reads_do_not_spin),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
