/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* cleanup - a switch that will not start again leaves nothing behind.
 *
 * Threads  Any; while no daemon of the instance runs. */

#include "lib/buffer.h"
#include "lib/error.h"

/* Removes what the datapath of 'instance' (datapath_config) has left in the kernel: programs on devices, pinned
 * memory, taps; and programs of any other whose exception tap is gone.  Writes the names of the devices
 * that are free now, or gone, to 'freed', one a line. */
int cleanup_instance(const char *instance, struct buffer *freed, struct error *error);
