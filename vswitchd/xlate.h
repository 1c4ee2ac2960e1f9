/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* xlate - translation: one frame's walk through the tables, told as datapath actions.
 *
 * The walk keeps the flow as the actions have changed it so far, and two masks over it: which bits of the
 * frame the outcome depended on ('consulted'), and which bits the walk itself has written.  A bit
 * that was written is known and is not consulted again; reading any other bit consults it.  Sets are
 * emitted lazily, just before an output, for written bits only, so a megaflow stays as wide as the
 * tables allow and yet holds for each of its frames.
 *
 * Limits: 64 resubmits deep, 4096 in all, 8191 datapath actions; beyond them the frame is dropped and counted.
 *
 * Threads  xlate_*() on any RCU reader.
 * Memory   A verdict's context holds references on rules and counters until the last xlate_release(), and
 *          pointers to tables, fdb and packet-in queue of the bridges it passed: before a bridge's are
 *          destroyed, publish a topology without it, datapath_flush(), and wait for what was
 *          released (rcu_barrier()). */

#include <stdint.h>

#include "datapath/datapath.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/continuation.h"
#include "vswitchd/packet_in.h"
#include "vswitchd/topology.h"
#include "vswitchd/trace_tree.h"

enum { XLATE_MAX_DEPTH = 64, XLATE_MAX_RESUBMITS = 4096, XLATE_MAX_STEPS = 65536 };

/* What is told of a translation. */
struct xlate_tracer {
    struct trace_tree tree;
    struct flow final_flow;   /* What the first bridge has made of the flow, in the end. */
    enum drop_reason failure; /* Why all was given up; DROP_N_REASONS: it was not. */
    struct flow looked_up;    /* Meanwhile: by the latest lookup. */
};

/* The datapath's translate(): 'key' as extracted.  'tracer' may be NULL. */
void xlate_frame(const struct topology *topology, const struct flow_key *key,
                 const struct packet *packet, int64_t now_ns, struct xlate_tracer *tracer,
                 struct verdict *verdict);

/* The same for a frame that enters 'bridge' by 'flow's in_port, an OpenFlow port that need not exist. */
void xlate_flow(const struct topology *topology, struct bridge_view *bridge,
                const struct flow *flow, const struct packet *packet, int64_t now_ns,
                struct xlate_tracer *tracer, struct verdict *verdict);

/* A packet-out: 'actions' for 'packet', which claims to come from 'flow's in_port (an OpenFlow port or
 * OFPP_NONE, OFPP_CONTROLLER ...) of 'bridge', whose tables are looked at as in 'version'.  The caller lets the context
 * teach, executes the verdict, credits and releases its context.  With 'tracer' it is taught at once, if there is a packet. */
void xlate_packet_out(const struct topology *topology, struct bridge_view *bridge, uint64_t version,
                      const struct flow *flow, const struct packet *packet, struct ofa_list actions,
                      int64_t now_ns, struct xlate_tracer *tracer, struct verdict *verdict);

/* What the frame of a packet-out teaches: stations and flows. */
void xlate_teach(void *context, int64_t now_ns);

/* What a DP_DELIVER with 'arg' of a context tells whom; NULL: nothing. */
const struct packet_in *xlate_delivery(const void *context, uint32_t arg);

/* What controller(pause) had stopped goes on, with 'packet' and 'flow' as the controller has sent them back; the
 * tables are as they are now.  For the rest as xlate_packet_out(). */
void xlate_resume(const struct topology *topology, struct bridge_view *bridge,
                  const struct flow *flow, const struct packet *packet,
                  const struct of_continuation *continuation, int64_t now_ns,
                  struct verdict *verdict);

/* datapath_ops.credit, .release and .deliver for contexts made here. */
void xlate_credit(void *context, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns);
void xlate_release(void *context);
void xlate_deliver(void *context, uint32_t arg, const struct packet *packet,
                   const struct flow_key *key);
