/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_fit - can the connection's version of OpenFlow say this?
 *
 * If not, that is an error, and the connection remembers the versions that can: ofconn_raise() then
 * goes on in one of them, if -O and -F leave the choice.
 *
 * Threads  Plain functions. */

#include "cli/ofconn.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/groups.h"
#include "lib/openflow/packet.h"

int of_fit_flow(struct ofconn *connection, const struct of_flow_mod *flow, struct error *error);
int of_fit_group(struct ofconn *connection, const struct of_group_mod *group, struct error *error);
int of_fit_frame(struct ofconn *connection, const struct of_packet_out *frame, struct error *error);
