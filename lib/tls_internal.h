/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tls_internal - what tls.c and tls_bootstrap.c share. */

#include <openssl/ssl.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/tls.h"

enum { N_SETTINGS = 7, N_FILES = 4 };

struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed, touched;
};

struct contents {
    char *bytes;
    size_t n_bytes;
    mode_t mode;
};

struct tls {
    struct tls_settings settings; /* Texts owned. */
    SSL_CTX *context;             /* NULL: the files were not read, or could not be. */
    struct stamp stamps[N_FILES]; /* Of the files when they were last read. */
};

/* The verify callback of a session that is to learn the CA: it believes everybody. */
int tls_learn_any(int is_ok, X509_STORE_CTX *store);

/* Saves the root that the peer has sent.  Never 0: -EAGAIN if the CA file is there now. */
int tls_learn(SSL *session, const char *ca_cert, struct error *error);
