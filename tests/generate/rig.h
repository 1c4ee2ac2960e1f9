/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* rig - a whole switch in memory: two bridges, dummy ports, a patch between the bridges.
 *
 *     1 2 3 4   1 2 3 4     datapath ports
 *     |_|_|_|   |_|_|_|
 *     |  br0 |5-5| br1 |    port 5: patch
 *
 * Time     The caller's, in rig_send(). */

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "lib/buffer.h"
#include "lib/openflow/flow_mod.h"
#include "tests/generate/random.h"
#include "vswitchd/topology.h"

enum { RIG_BRIDGES = 2, RIG_PORTS = 5, RIG_PATCH = RIG_PORTS };

struct rig_port {
    enum port_vlan_mode vlan_mode;
    uint16_t tag;
    uint64_t trunks; /* Of VLANs 0 to 63, bit by bit; 0: all VLANs. */
    bool sends_priority_tags;
    uint32_t config; /* enum of_port_config. */
};

struct rig_bridge {
    enum of_frag_mode frag_mode;
    bool forwards_bpdu;
    bool miss_goes_to_controller;
    struct rig_port ports[RIG_PORTS + 1]; /* By number; 0 is not used. */
};

struct rig_settings {
    uint8_t vlan_limit;
    struct rig_bridge bridges[RIG_BRIDGES];
};

void generate_settings(struct random *random, struct rig_settings *settings);

struct rig {
    struct datapath *dp;
    struct topology *topology;
    struct flow_tables *tables[RIG_BRIDGES];
    struct meter_table *meters[RIG_BRIDGES];
    struct fdb *fdb[RIG_BRIDGES];
    struct packet_in_queue *queue[RIG_BRIDGES];
    struct lesson_queue *lessons[RIG_BRIDGES];
    struct port_counters *counters[RIG_BRIDGES]; /* Of the patch ports. */
    uint32_t dp_ports[RIG_BRIDGES][RIG_PORTS];
    bool has_netdevs;
    void (*output)(void *aux, int bridge, int port, const struct packet *packet);
    void *aux;
};

struct rig_options {
    bool cache_off;
    bool
        has_netdevs; /* Ports are network devices b0p1 ... b1p4, which exist; a worker treats frames. */
    uint32_t max_megaflows;
    void (*output)(void *aux, int bridge, int port, const struct packet *packet);
    void *aux;
};

/* The thread must be a registered RCU reader.  Failure ends the test. */
void rig_init(struct rig *rig, const struct rig_settings *settings,
              const struct rig_options *options);
void rig_fini(struct rig *rig);

/* Applies and publishes. */
void rig_flow_mod(struct rig *rig, int bridge, const struct of_flow_mod *flow, int64_t now_ns);

/* A group as generate_group() describes it, added or in place of the one there was; applied and published. */
void rig_put_group(struct rig *rig, int bridge, const char *text, int64_t now_ns);

/* The same for a meter, as add-meter takes it. */
void rig_put_meter(struct rig *rig, int bridge, const char *text, int64_t now_ns);
void rig_delete_meter(struct rig *rig, int bridge, uint32_t meter_id, int64_t now_ns);

/* And the flows that the frame teaches are there when this returns. */
void rig_send(struct rig *rig, int bridge, int port, const void *frame, size_t n_bytes,
              const struct virtio_net_hdr *vnet, int64_t now_ns);

/* What the maintenance thread does. */
void rig_maintain(struct rig *rig, int64_t now_ns);
