/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* maintenance - the thread that keeps the books: credits, expires, walks again, frees.
 *
 * It does so every 500 ms while something is cached, and sleeps otherwise.  Walking stale entries again
 * saves their next frame the time, and lets statistics reach the flows that decide now; it is limited to
 * a share of each round, because the frames that need it do it themselves.  But a crash of ours costs the frames of
 * flows that the kernel knows and that are stale: so rounds begin as soon as something is out of date, if that takes
 * no more than a tenth of a processor.
 *
 * An entry is walked again without a frame, for its masked key.  If the new verdict looked at bits
 * that the old mask left out, the key does not say what stands there, and the entry goes.
 *
 * Threads  start and stop on the main thread; notice from any. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct datapath;

int maintenance_start(struct datapath *dp, struct error *error);
void maintenance_stop(struct datapath *dp);

/* There may be something to do.  Cheap. */
void maintenance_notice(struct datapath *dp);

/* Something cached is out of date.  Any thread; cheap. */
void maintenance_hurry(struct datapath *dp);

/* Credits, unlinks and buries every entry. */
void maintenance_flush(struct datapath *dp);
