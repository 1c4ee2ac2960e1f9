/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tls - who we are and whom we believe: the key, certificate and CA of TLS connections.
 *
 * Settings name files; the files are read when a connection begins, and again when one of them has
 * changed.  Files that cannot be read or do not fit together are a sentence, not a connection; but
 * while files that were good are being replaced, what was read last stays in use.
 *
 * Both sides show a certificate, and it must lead to the CA: without one there is no connection.
 * TLS 1.2 is the least; there is no renegotiation, compression or resumption.  Names in certificates
 * are not compared, as targets are addresses: who has a certificate of this CA is believed.
 *
 * With 'bootstraps_ca' and no CA file yet, the first connection is made to learn it: the root that the
 * peer sends is saved, and the connection given up.
 *
 * Threads  None: a struct tls belongs to one thread.
 * Memory   It owns copies of its settings.  Sessions keep what they need of it. */

#include <stdbool.h>

#include "lib/error.h"

struct tls;
struct ssl_st;

enum tls_role { TLS_CLIENT, TLS_SERVER };

/* File names, or NULL. */
struct tls_settings {
    const char *private_key, *certificate;
    const char *ca_cert;      /* "none": peers are not checked. */
    const char *peer_ca_cert; /* Sent along with the certificate, for peers that bootstrap. */
    bool bootstraps_ca;
    const char *protocols;              /* "TLSv1.2,TLSv1.3"; NULL: both. */
    const char *ciphers, *ciphersuites; /* As OpenSSL writes them, for TLS 1.2 and TLS 1.3. */
};

/* Open vSwitch's options, for getopt_long(). */
enum {
    TLS_OPTION_PRIVATE_KEY = 'p',
    TLS_OPTION_CERTIFICATE = 'c',
    TLS_OPTION_CA_CERT = 'C',
    TLS_OPTION_BOOTSTRAP_CA_CERT = 900,
    TLS_OPTION_PEER_CA_CERT,
    TLS_OPTION_PROTOCOLS,
    TLS_OPTION_CIPHERS,
    TLS_OPTION_CIPHERSUITES,
};

#define TLS_SHORT_OPTIONS "p:c:C:"

/* clang-format off */
#define TLS_LONG_OPTIONS                                                                           \
    {"private-key", required_argument, NULL, TLS_OPTION_PRIVATE_KEY},                              \
    {"certificate", required_argument, NULL, TLS_OPTION_CERTIFICATE},                              \
    {"ca-cert", required_argument, NULL, TLS_OPTION_CA_CERT},                                      \
    {"bootstrap-ca-cert", required_argument, NULL, TLS_OPTION_BOOTSTRAP_CA_CERT},                  \
    {"peer-ca-cert", required_argument, NULL, TLS_OPTION_PEER_CA_CERT},                            \
    {"ssl-protocols", required_argument, NULL, TLS_OPTION_PROTOCOLS},                              \
    {"ssl-ciphers", required_argument, NULL, TLS_OPTION_CIPHERS},                                  \
    {"ssl-ciphersuites", required_argument, NULL, TLS_OPTION_CIPHERSUITES}
/* clang-format on */

/* Takes one option into 'settings', which keeps 'value': 0, or -ENOENT if it is none of these. */
int tls_option(struct tls_settings *settings, int option, const char *value);
const char *tls_options_help(void); /* The text for --help. */

struct tls *tls_create(void);
void tls_destroy(struct tls *tls); /* NULL is fine. */

/* Later connections use these.  The same ones again change nothing. */
void tls_configure(struct tls *tls, const struct tls_settings *settings);

/* Has anything been configured? */
bool tls_is_configured(const struct tls *tls);

/* A new session for a socket, or NULL: 'error' says which file, and what is wrong with it. */
struct ssl_st *tls_session_create(struct tls *tls, enum tls_role role, struct error *error);

/* To be called after the handshake.  -EAGAIN: the CA was only now learnt, and the connection is to be
 * made again. */
int tls_session_admit(const struct tls *tls, struct ssl_st *session, struct error *error);
