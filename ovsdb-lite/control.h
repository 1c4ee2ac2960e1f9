/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* control - the server's commands for ovs-appctl(8), under the names of Open vSwitch's.
 *
 * Threads  One, the loop's. */

#include "lib/unixctl.h"
#include "ovsdb-lite/server.h"

/* Both are kept until the control socket goes. */
void control_register(struct unixctl_server *unixctl, struct server *server);
