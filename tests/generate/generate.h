/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* generate - random flow tables and random frames that meet each other.
 *
 * Values of both come from the same small pools, so that rules hit.  Flows are made as text, since that is
 * what both Weir and Open vSwitch read.  Frames are valid, or cut at any byte, padded, with lengths
 * that lie, protocols that do not exist and headers that contradict each other. */

#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "tests/generate/random.h"

enum { GENERATE_MAX_FRAME = 2048 };

/* Of flows that stand alone, each its own; those of conjunctions, which share theirs, are above. */
enum { GENERATE_MAX_PRIORITY = 60000 };

struct generate_flows {
    unsigned int n_ports;     /* OpenFlow ports 1 to n_ports. */
    unsigned int n_tables;    /* 0 to n_tables - 1. */
    bool has_controller;      /* controller() actions. */
    bool lacks_action_sets;   /* No write_actions(). */
    unsigned int trunc_ports; /* Ports 1 to this one may be truncated to. */
    unsigned int n_groups;    /* Groups 1 to n_groups, which the caller has added. */
    bool has_lessons;         /* learn() for table n_tables, and lookups in it. */
    bool has_select;          /* Among them may be select groups ... */
    bool has_lone_select;     /* ... or at least such of one bucket, by "hash". */
    unsigned int n_meters;    /* Meters 1 to n_meters, likewise added. */
};

/* Appends one flow, without a line break.  True: it uses instructions or actions that OpenFlow 1.0 lacks. */
bool generate_flow(struct random *random, const struct generate_flows *options,
                   struct buffer *text);

/* Appends a group, as add-group takes it. */
void generate_group(struct random *random, const struct generate_flows *options, uint32_t group_id,
                    struct buffer *text);

struct generate_frames {
    bool is_valid;          /* Only frames that are what they say. */
    unsigned int max_vlans; /* 0 to 3. */
    bool has_protocol_0;    /* IP packets of protocol 0. */
    bool has_ipv6_fragments;
    bool has_wrong_versions; /* IP headers of the other version, or of none. */
    bool has_dei;            /* Tags with the drop-eligible bit. */
};

/* Returns the number of bytes. */
size_t generate_frame(struct random *random, const struct generate_frames *options,
                      uint8_t frame[static GENERATE_MAX_FRAME]);

/* The pools */

enum { POOL_MACS = 8, POOL_IPV4 = 6, POOL_IPV6 = 5, POOL_PORTS = 6, POOL_VLANS = 4, POOL_ND = 4 };

extern const uint8_t pool_macs[POOL_MACS][6];
extern const uint8_t pool_ipv4[POOL_IPV4][4];
extern const uint8_t pool_ipv6[POOL_IPV6][16];
extern const uint16_t pool_ports[POOL_PORTS];
extern const uint16_t pool_vlans[POOL_VLANS];
extern const uint32_t pool_nd_reserved[POOL_ND];
