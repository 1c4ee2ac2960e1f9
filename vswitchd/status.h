/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* status - what the switch tells the database: numbers, errors, links, counters, and that it is done.
 *
 * Each round compares all columns with the replica and sends what differs as one transaction; while one
 * is under way the next waits.  Statistics go with it every stats_interval, or at least 5 s.
 *
 * Threads  The main thread. */

#include <stdint.h>

struct status;
struct vswitch;

struct status *status_create(struct vswitch *vswitch);
void status_destroy(struct status *status); /* NULL is fine. */

/* Something has changed that rows should say. */
void status_update(struct status *status);

/* The same, and the configuration that the replica shows has been applied: cur_cfg follows next_cfg. */
void status_applied(struct status *status);

void status_set_interval(struct status *status, int64_t interval_ms);
