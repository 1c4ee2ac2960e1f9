/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* strangers - programs on a device that are not ours: they are left alone, but whoever wonders why a port does not do
 * what was expected of it must be able to see them.
 *
 * XDP programs, TC filters and tcx programs meet a frame before our filter does (kernel/filter.h).
 *
 * Threads  Any. */

#include "lib/buffer.h"

/* Writes them to 'out', in words, with commas between; nothing if there are none. */
void strangers_describe(int ifindex, struct buffer *out);
