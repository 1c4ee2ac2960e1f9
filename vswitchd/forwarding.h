/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* forwarding - what joins the datapath to the bridges: its callbacks, and the picture they read.
 *
 * Threads  The callbacks run on workers; the functions here on the main thread. */

#include "datapath/datapath.h"
#include "lib/openflow/continuation.h"
#include "lib/openflow/packet.h"

struct bridge;
struct vswitch;

/* 'aux' is the vswitch. */
extern const struct datapath_ops forwarding_ops;

/* Gives translation the bridges and interfaces as they are now, and outdates every cached verdict. */
void forwarding_publish(struct vswitch *vswitch);

/* fdb_changed of all bridges: 'aux' is the vswitch.  Any thread. */
void forwarding_station_changed(void *aux, uint16_t slot);

/* Sends a controller's frame through its actions. */
void forwarding_packet_out(struct bridge *bridge, const struct of_packet_out *packet);

/* What controller(pause) had stopped goes on. */
void forwarding_resume(struct bridge *bridge, const struct of_packet_in *packet,
                       const struct of_continuation *continuation);
