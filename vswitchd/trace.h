/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* trace - where would this frame go, and why?
 *
 * What ofproto/trace (ovs-vswitchd(8)) answers: one walk through the tables, told step by step, then what is left of
 * the flow, the megaflow that a cache would hold, and the datapath actions.  Nothing is sent, and nothing is
 * learned or counted unless asked for.
 *
 * Lines that Open vSwitch prints too have its words.  Ours are notes, which begin with "#", and the lines "Rewritten:",
 * "Served by:" and "Dropped:", which stand before the megaflow, so that the last line is the datapath actions.
 *
 * Threads  The main thread, as an RCU reader. */

#include <jansson.h>
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
    const char *actions;   /* Of a packet-out, instead of the tables'; or NULL. */
    const uint8_t *packet; /* Its headers replace what the text says, but for the port; or NULL. */
    size_t packet_bytes;
    bool learns;                  /* "-generate", or a packet: addresses are learned. */
    bool is_consistent;           /* 'actions' must suit the flow, as since OpenFlow 1.1. */
    const struct of_names *names; /* For ports in 'flow_text' and 'actions'; may be NULL. */
    struct datapath *datapath;    /* Whose caches to ask about; NULL: nothing is said of them. */
};

/* Appends the trace to 'out'.  -ENODEV (no such bridge or port), -EINVAL, with a sentence. */
int trace_flow(const struct topology *topology, const struct trace_request *request,
               struct buffer *out, struct error *error);

/* The same as a tree for programs; weir(8) says what is in it.  NULL: 'error' says why. */
json_t *trace_flow_json(const struct topology *topology, const struct trace_request *request,
                        struct error *error);

/* The arguments of unixctl's ofproto/trace, in the current topology: "[DP] ODP_FLOW | BRIDGE FLOW", then a frame in
 * hexadecimal digits, and for a packet-out the actions; options ("-generate", "--ct-next STATE", "--l7 PAYLOAD",
 * "--l7-len BYTES", and for a packet-out "-consistent") anywhere.  FLOW may name ports.  The answer is in '*json' unless that is NULL, or
 * else in 'out'. */
int trace_command(int n_args, const char *const args[], bool is_packet_out,
                  struct datapath *datapath, struct buffer *out, json_t **json,
                  struct error *error);

/* A flow in the notation of ovs-dpctl(8): "in_port(1),eth(src=...,dst=...),eth_type(0x0800),ipv4(...)".
 * Masks are read and ignored; in_port may be a name if there is a 'topology'. */
int trace_parse_dp_flow(const char *text, const struct topology *topology, struct flow_key *key,
                        struct error *error);
