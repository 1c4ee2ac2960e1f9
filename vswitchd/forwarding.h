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

/* A controller's frame, translated by the flow tables with all changes made so far.  It is sent when these have been
 * published, or discarded when they have been taken back; until then it has not taught anything.  NULL: it
 * is dropped. */
struct outgoing;
struct outgoing *forwarding_prepare_packet_out(struct bridge *bridge,
                                               const struct of_packet_out *packet);
void forwarding_send(struct bridge *bridge, struct outgoing *outgoing);
void forwarding_discard(struct outgoing *outgoing);

/* What controller(pause) had stopped goes on. */
void forwarding_resume(struct bridge *bridge, const struct of_packet_in *packet,
                       const struct of_continuation *continuation);
