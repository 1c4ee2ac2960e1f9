/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow - flows from words and lines, into changes.
 *
 * Threads  The main thread. */

#include "cli/of_change.h"

/* An of_change_line: 'command', an enum of_flow_command, is that of lines that do not begin with
 * one. */
int flow_add_line(struct of_changes *changes, char *line, void *command, struct error *error);
