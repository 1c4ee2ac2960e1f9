/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* execute - do to a frame what its verdict says.
 *
 * Threads  The lane's user, as an RCU reader. */

#include "datapath/internal.h"

/* 'packet' came from 'in_port' (NULL: a controller's), 'key' is what flow_extract() said.  The packet is
 * changed; sent bytes are in the lane's queue until tx_flush(). */
void execute_actions(struct lane *lane, struct packet *packet, const struct flow_key *key,
                     const struct dp_action *actions, uint32_t n_actions, void *context,
                     struct dp_port *in_port);
