/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* topology - what translation knows of bridges and ports: an immutable picture.
 *
 * The main thread builds a new one whenever bridges, ports or their settings change, publishes it by one
 * RCU store and frees the old one after a grace period.  Translation takes the pointer once a
 * frame.  Nothing in it changes but counters and what the fdb and the tables, which outlive it, do
 * themselves.
 *
 * Patch ports are part of the picture only: a frame that goes into one comes out of its peer within the same
 * translation, so the datapath never sees them.
 *
 * Threads  Built and published on the main thread; read by any RCU reader. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "lib/openflow/openflow.h"
#include "vswitchd/fdb.h"
#include "vswitchd/flow_table.h"

/* How a port treats VLANs (ovs-vswitchd.conf.db(5), Port.vlan_mode). */
enum port_vlan_mode {
    PORT_VLAN_TRUNK,
    PORT_VLAN_ACCESS,
    PORT_VLAN_NATIVE_TAGGED,
    PORT_VLAN_NATIVE_UNTAGGED,
};

/* Of a port that has no datapath counters of its own (patch). */
struct port_counters {
    _Atomic(uint64_t) rx_packets, rx_bytes, tx_packets, tx_bytes;
    _Atomic(uint32_t) n_references; /* Topologies, verdict contexts and the configuration. */
};

struct port_counters *port_counters_create(void); /* One reference, the caller's. */
void port_counters_ref(struct port_counters *counters);
void port_counters_unref(struct port_counters *counters); /* NULL is fine.  Any thread. */

struct port_view {
    char *name; /* Owned by the topology. */
    of_port ofp_port;
    uint32_t dp_port; /* DP_PORT_NONE: a patch port, or one that could not be opened. */
    struct bridge_view *bridge;
    struct port_view *patch_peer;   /* NULL: not a patch port, or its peer is missing. */
    struct port_counters *counters; /* Patch ports: a reference of the topology; else NULL. */

    enum port_vlan_mode vlan_mode;
    uint16_t tag;               /* Access and native modes. */
    uint64_t trunks[4096 / 64]; /* Bit set: VLAN admitted.  All ones where trunks is empty. */
    bool sends_priority_tags;   /* other_config:priority-tags */

    uint32_t config; /* enum of_port_config. */
    bool is_up;      /* Carrier and administratively up. */
};

struct lesson_queue;
struct meter_table;
struct packet_in_queue;

struct bridge_view {
    char *name;
    struct flow_tables *tables;
    struct meter_table *meters; /* May be NULL. */
    struct fdb *fdb;
    struct packet_in_queue *packet_ins;
    struct lesson_queue *lessons; /* May be NULL. */
    struct port_view **ports;     /* Sorted by ofp_port. */
    size_t n_ports;
    enum of_frag_mode frag_mode;
    bool forwards_bpdu;
    bool miss_goes_to_controller; /* OpenFlow 1.0 table miss, with a 1.0 controller connected. */
    uint64_t id;                  /* Same for the same bridge in successive topologies. */
};

struct topology {
    struct bridge_view **bridges;
    size_t n_bridges;
    struct port_view *by_dp_port[DP_MAX_PORTS + 2];
    uint8_t vlan_limit; /* Tags that tables can match: 1 or 2. */
};

/* By number or name; NULL if there is none. */
struct port_view *bridge_view_port(const struct bridge_view *bridge, of_port port);
struct port_view *bridge_view_port_by_name(const struct bridge_view *bridge, const char *name);
struct port_view *topology_port(const struct topology *topology, uint32_t dp_port);
struct bridge_view *topology_bridge(const struct topology *topology, const char *name);

/* May frames of VLAN 'vid' (0: in none) pass a trunk or native port?  A native port always carries its
 * native VLAN, and has no frames that are in none. */
static inline bool port_view_admits(const struct port_view *port, uint16_t vid)
{
    if (port->vlan_mode != PORT_VLAN_TRUNK && (!vid || vid == port->tag))
        return vid != 0;
    return port->trunks[vid / 64] >> (vid % 64) & 1;
}

/* The current picture; inside an RCU read-side section. */
const struct topology *topology_get(void);

/* Publishes 'next' (taken) and frees the one before after a grace period.  NULL at the end. */
void topology_publish(struct topology *next);

/* Building one.  A new bridge has no ports and all-zero settings, which the caller fills in; a new port is
 * an up trunk of all VLANs.  The caller links patch ports by setting 'patch_peer' on both. */
struct topology *topology_create(uint8_t vlan_limit);
struct bridge_view *topology_add_bridge(struct topology *topology, const char *name);
struct port_view *bridge_view_add_port(struct topology *topology, struct bridge_view *bridge,
                                       const char *name, of_port ofp_port, uint32_t dp_port);
void topology_destroy(struct topology *topology); /* One that was not published. */
