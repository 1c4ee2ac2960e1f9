/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_monitor - which changes to the flow tables a connection wants to hear of.
 *
 * Updates are made when changes are published, so they come before the barrier reply that follows.  While a
 * server has monitors, every message that changes flows is published by itself: its updates are its
 * own, and the connection that sent it is told in brief.
 *
 * The first answer is made in pieces, as the peer reads them; what changes meanwhile is told between them.
 *
 * A peer that has not read OF_MONITORS_PAUSE_BYTES of updates is paused: from then on it is told only of the end
 * of flows that it may know, each once.  When it has read all that, what is new or other in the
 * tables since is told from there, a piece whenever it has read the one before.
 *
 * Bounds   OF_MONITORS_MAX a connection.  A peer that is paused while flows end by the hundred thousand is cut
 *          off in the end, as with other news (of_server_async.c).
 *
 * Threads  The main thread.
 * Memory   Embedded in struct of_connection, which init()s and fini()shes it. */

#include <stdbool.h>
#include <stddef.h>
#include <urcu/list.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/flow_monitor.h"
#include "lib/openflow/messages.h"
#include "vswitchd/flow_table.h"

enum { OF_MONITORS_MAX = 256, OF_MONITORS_PAUSE_BYTES = 128 << 10 };

struct of_connection;
struct of_server;

struct of_monitors {
    struct cds_list_head list; /* Of struct of_monitor. */
    size_t n;
    bool is_told;   /* Of the message at hand, in brief. */
    size_t n_bytes; /* Of updates, since the peer had last read all. */

    /* Versions of the tables.  The peer knows all of 'since', but for what is in 'missed', and nothing that
     * came later than 'until'. */
    bool is_paused;
    uint64_t since, until;
    struct missed *missed; /* What is being told, from 'next_missed' on.  Owned, with its rules. */
    size_t n_missed, next_missed, missed_capacity;
};

void of_monitors_init(struct of_connection *connection);
void of_monitors_fini(struct of_connection *connection); /* Once more is fine. */

enum of_error of_monitor_handle_request(struct of_connection *connection,
                                        const struct of_message *message);
enum of_error of_monitor_handle_cancel(struct of_connection *connection,
                                       const struct of_message *message);

/* 'reason' is of OF_UPDATE_REMOVED. */
void of_monitor_tell(struct of_server *server, enum of_update_event event, const struct rule *rule,
                     uint8_t reason);

/* If the peer is paused and has read all: a piece of what it has missed. */
void of_monitors_continue(struct of_connection *connection);
