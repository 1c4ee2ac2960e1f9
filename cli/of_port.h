/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_port - ports as OpenFlow describes them, for the commands that print them.
 *
 * Threads  The main thread. */

#include "cli/ofconn.h"

/* Describes one port, or with OFPP_NONE all: into 'json', an array, or else as lines into 'out'. */
int of_ports_describe(struct ofconn *connection, of_port port, struct buffer *out, json_t *json,
                      struct error *error);
