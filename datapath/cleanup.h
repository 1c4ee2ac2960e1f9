/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* cleanup - a switch that will not start again leaves nothing behind.
 *
 * Threads  Any; while no daemon of the instance runs. */

#include <stdbool.h>

#include "lib/buffer.h"
#include "lib/error.h"

/* What the datapath of 'instance' has left in the kernel is still in use: a process has it open. */
bool cleanup_is_in_use(const char *instance);

/* Removes what the datapath of 'instance' (datapath_config) has left in the kernel: programs on devices, pinned
 * memory, taps; and programs of any other whose exception tap is gone.  Writes the names of the devices
 * that are free now, or gone, and the directories of pins, to 'freed', one a line. */
int cleanup_instance(const char *instance, struct buffer *freed, struct error *error);

/* The same for all whose directory ('home' of datapath_config) is gone, and which no process has open; in this network
 * namespace, and what is pinned in this mount namespace. */
void cleanup_lost(struct buffer *freed);
