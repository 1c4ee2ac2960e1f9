/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* device_name - which names bridges and ports may have.
 *
 * A bridge becomes a device of the kernel and a socket in the run directory, so its name must do
 * for both.  Ports that are no kernel devices (patch, vhost-user) may have longer names.
 *
 * Threads  Any. */

#include "lib/error.h"

int device_name_check_bridge(const char *name, struct error *error);
int device_name_check_port(const char *name, struct error *error);
