/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tls_source - TLS settings, some of which are what a database says.
 *
 * "db:DB,TABLE,COLUMN" in place of a file stands for the text in that column of the table's first row
 * that has one, as it changes.
 *
 * Threads  One, the loop's. */

#include "lib/error.h"
#include "lib/tls.h"

struct server;

/* Can every "db:" of 'settings' be followed? */
int tls_source_check(const struct server *server, const struct tls_settings *settings,
                     struct error *error);

/* Gives server->tls what 'settings' come to now. */
void tls_source_follow(struct server *server, const struct tls_settings *settings);
