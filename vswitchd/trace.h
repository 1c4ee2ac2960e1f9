/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* trace - where would this frame go, and why?
 *
 * The text of ofproto/trace (ovs-vswitchd(8)): one walk through the tables, told step by step, then
 * what is left of the flow, the megaflow that a cache would hold, and the datapath actions.  Nothing is
 * sent, and nothing is learned or counted unless asked for.
 *
 * Threads  The main thread, as an RCU reader. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/flow.h"
#include "lib/openflow/names.h"
#include "vswitchd/topology.h"

struct trace_request {
    const char *bridge;    /* NULL: 'flow_text' is a datapath flow, whose port tells the bridge. */
    const char *flow_text; /* "in_port=1,tcp,nw_dst=10.0.0.1", or "in_port(1),eth_type(0x0800)". */
    const uint8_t *packet; /* Its headers replace what the text says, but for the port; or NULL. */
    size_t packet_bytes;
    bool learns;                  /* "-generate", or a packet: addresses are learned. */
    const struct of_names *names; /* For ports in 'flow_text'; may be NULL. */
};

/* Appends the trace to 'out'.  -ENODEV (no such bridge or port), -EINVAL, with a sentence. */
int trace_flow(const struct topology *topology, const struct trace_request *request,
               struct buffer *out, struct error *error);

/* The arguments of unixctl's ofproto/trace, in the current topology: "[DP] ODP_FLOW | BRIDGE FLOW", then
 * any of "-generate", "-consistent" and the frame in hexadecimal digits.  FLOW may name ports. */
int trace_command(int n_args, const char *const args[], struct buffer *out, struct error *error);

/* A flow in the notation of ovs-dpctl(8): "in_port(1),eth(src=...,dst=...),eth_type(0x0800),ipv4(...)".
 * Masks are read and ignored; in_port may only be a number. */
int trace_parse_dp_flow(const char *text, struct flow_key *key, struct error *error);
