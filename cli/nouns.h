/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* nouns - the rows of commands that each file of this directory brings; see command.h. */

#include "cli/command.h"

extern const struct command_rows up_commands;
extern const struct command_rows help_commands;
extern const struct command_rows control_commands;
extern const struct command_rows log_commands;
