/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_bundle - what a connection has put into bundles, until it commits or discards them.
 *
 * A message is checked by form when it comes, and kept as it came.  A commit applies all of them to the
 * next version of the tables, in their order, and publishes that once; if one fails, everything is taken
 * back.  So every bundle is ordered and atomic, asked for or not.  What cannot be taken back comes behind
 * the publication: frames are sent, as the flows before them in the bundle would have it; ports are changed, for which a
 * bundle must not ask to be atomic.
 *
 * Bounds   OF_BUNDLES_MAX bundles a connection, OF_BUNDLES_MAX_BYTES in all bundles of a server,
 *          OF_BUNDLE_MAX_FRAMES packet_outs in one.  One that
 *          nothing was heard of for OF_BUNDLE_IDLE_S seconds (of_server_set_bundle_idle()) is discarded, and the peer told.
 *
 * Threads  The main thread.
 * Memory   Embedded in struct of_connection, which init()s and fini()shes it. */

#include <ev.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu/list.h>

#include "lib/openflow/errors.h"
#include "lib/openflow/messages.h"

enum { OF_BUNDLES_MAX = 16, OF_BUNDLE_IDLE_S = 10 /* Unless set otherwise. */ };
enum { OF_BUNDLES_MAX_BYTES = 512 << 20, OF_BUNDLE_MAX_FRAMES = 16384 };

struct of_connection;

struct of_bundles {
    struct cds_list_head list; /* Of struct of_bundle. */
    size_t n;
    struct ev_timer idle;
};

void of_bundles_init(struct of_connection *connection);
void of_bundles_fini(struct of_connection *connection); /* Discards all; once more is fine. */

enum of_error of_bundle_handle_control(struct of_connection *connection,
                                       const struct of_message *message);
enum of_error of_bundle_handle_add(struct of_connection *connection,
                                   const struct of_message *message);
