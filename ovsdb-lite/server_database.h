/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* server_database - "_Server", in which Open vSwitch's clients look up the databases there are.
 *
 * It lives in memory, has one row per database and cannot be changed by clients.
 *
 * Threads  One. */

#include "ovsdb-lite/store.h"

struct store *server_database_create(struct store *const *stores, size_t n_stores);
