/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* leftovers - what a switch that is gone has left on network devices.
 *
 * Its programs stay attached: they forward the flows they know, and send other frames to an exception tap that
 * died with it.
 * A filter is a leftover if it is ours (handle, priority, program name) and its tap is gone; so those of
 * another switch that runs beside us are safe.
 *
 * Threads  Any. */

#include <stdbool.h>

#include "lib/buffer.h"
#include "lib/error.h"

/* Does what such a switch had cached go on being forwarded from 'ifindex'? */
bool leftovers_has(int ifindex);

/* Looks at every device of this network namespace, and writes the names of those it freed, one a line.
 * 0 or negative errno. */
int leftovers_remove(struct buffer *freed, struct error *error);
