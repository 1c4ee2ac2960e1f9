/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* leftovers - what a switch that was killed has left on network devices.
 *
 * Its filters stay attached and send frames to an exception tap that died with it: the device is deaf.
 * A filter is a leftover if it is ours (handle, priority, program name) and its tap is gone; so those of
 * another switch that runs beside us are safe.
 *
 * Threads  Any. */

#include "lib/buffer.h"
#include "lib/error.h"

/* Looks at every device of this network namespace, and writes the names of those it freed, one a line.
 * 0 or negative errno. */
int leftovers_remove(struct buffer *freed, struct error *error);
