/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* history - the last transactions of a database, so that a client that was away hears only what it
 * missed ("monitor_cond_since").
 *
 * Bounded by number and by an estimate of what the old contents hold; nothing is kept over a
 * restart.  A client that was away for longer gets the whole contents.
 *
 * Threads  One.
 * Memory   Owns its commits, and so holds the contents of rows they replaced; it must be cleared
 *          before its database goes. */

#include <stdbool.h>
#include <stddef.h>
#include <urcu/list.h>

#include "ovsdb-lite/monitor.h"
#include "ovsdb-lite/transaction.h"

enum { HISTORY_MAX_COMMITS = 1000, HISTORY_MAX_BYTES = 4 << 20 };

struct history {
    struct cds_list_head entries; /* Oldest first. */
    size_t n_entries, n_bytes;
};

void history_init(struct history *history);
void history_clear(struct history *history);

void history_add_take(struct history *history, struct commit *commit);

/* Lets 'monitor' note all that came after the transaction 'id'.  False: it is not known any more. */
bool history_replay(const struct history *history, const struct uuid *id, struct monitor *monitor);
