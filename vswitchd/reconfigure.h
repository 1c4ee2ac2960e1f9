/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* reconfigure - makes the switch match what the database wants.
 *
 * One step: wanted - has.  Removes first, so that names and numbers are free for what comes, then adds.
 * What fails is noted in its interface and stops nothing else.
 *
 * Threads  The main thread. */

struct vswitch;

void reconfigure(struct vswitch *vswitch);
