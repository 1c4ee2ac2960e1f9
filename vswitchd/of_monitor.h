/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_monitor - which changes to the flow tables a connection wants to hear of.
 *
 * Updates are made when changes are published, so they come before the barrier reply that follows.  While a
 * server has monitors, every message that changes flows is published by itself: its updates are its
 * own, and the connection that sent it is told in brief.
 *
 * Bounds   OF_MONITORS_MAX a connection.  A peer that does not read its updates is cut off, as with other
 *          news (of_server_async.c); it is not paused.
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

enum { OF_MONITORS_MAX = 256 };

struct of_connection;
struct of_server;

struct of_monitors {
    struct cds_list_head list; /* Of struct of_monitor. */
    size_t n;
    bool is_told; /* Of the message at hand, in brief. */
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
