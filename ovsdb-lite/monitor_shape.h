/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* monitor_shape - monitors that ask for the same hear the same, which is made and written out once.
 *
 * A host's agents, exporters and tools often watch the same columns, and a busy table then costs a comparison
 * of rows and a text for each of them.  Monitors of one database with the same form and requests share a shape.
 * It keeps the last text that was made for one of them and which transactions that covers: from the first one a
 * monitor took a note of to the last one there was.  A monitor that lags covers others, and gets a text of its own.
 *
 * Threads  One.
 * Memory   A shape lives as long as it has monitors.  Texts of more than 64 KiB are not kept; monitors with
 *          requests of more than 4 KiB have no shape. */

#include "lib/buffer.h"
#include "ovsdb-lite/monitor.h"

struct monitor_shape;

/* Gives a new monitor, made from 'requests', its shape.  '*shapes' is all there are, NULL at first. */
void monitor_join_shape(struct monitor *monitor, struct monitor_shape **shapes,
                        const json_t *requests);
void monitor_leave_shape(struct monitor *monitor); /* Its conditions change, or it ends. */

/* As monitor_take_update(), as text that is added to 'text'.  False: nothing the client wants to know. */
bool monitor_put_update(struct monitor *monitor, struct buffer *text);
