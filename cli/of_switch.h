/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_switch - "show" with a bridge behind it: what that says in OpenFlow.
 *
 * Threads  The main thread. */

#include "cli/command.h"

extern const struct command of_show_command;
