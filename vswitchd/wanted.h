/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* wanted - what the database asks for: bridges, their interfaces, and how each should behave.
 *
 * A plain picture, read from the replica in one go and checked here, once.  What is asked for and cannot be
 * had keeps its place in the picture with an 'error' (a bad name, a type we lack), so that the row can
 * be told.  reconfigure.h makes the switch match it.
 *
 * One Port row with several interfaces is a bond, which does not exist yet: its first interface (by name)
 * is the port, the others get an error.  A bridge always has a local port, with or without rows.
 *
 * Threads  The main thread.
 * Memory   The picture owns all of itself; the switch takes interfaces out of it (wanted_interface_take()). */

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "datapath/datapath.h"
#include "lib/error.h"
#include "lib/mac.h"
#include "lib/openflow/openflow.h"
#include "lib/ovsdb/uuid.h"
#include "vswitchd/of_server.h"
#include "vswitchd/settings.h"
#include "vswitchd/wanted_tables.h"

struct ovsdb_client;

enum interface_type {
    INTERFACE_NETDEV,   /* Type "" or "system": a device that exists. */
    INTERFACE_INTERNAL, /* A tap of ours: type "internal", "tap", and every local port. */
    INTERFACE_PATCH,
};

struct wanted_interface {
    char *name;
    struct uuid uuid; /* Of its row; zero if it has none. */
    enum interface_type type;
    char *peer;                              /* Patch; may be NULL. */
    of_port ofport_request, ofport_recorded; /* OFPP_NONE: none. */
    struct mac mac;                          /* Zero: any. */
    int mtu_request;                         /* 0: none. */
    enum dp_fastpath fastpath;               /* options:fastpath, or the bridge's other_config. */
    struct port_vlans vlans;
    bool is_local;
    struct error error; /* Why it cannot be had; code 0 if it can. */
    UT_hash_handle by_name;
};

struct wanted_bridge {
    char *name;
    struct uuid uuid;
    struct wanted_interface *interfaces; /* By name. */
    uint64_t datapath_id;                /* 0: derived from the local port's address. */
    bool is_secure;                      /* fail_mode */
    size_t max_stations;                 /* other_config:mac-table-size */
    unsigned int station_age_s;          /* other_config:mac-aging-time */
    bool forwards_bpdu;
    enum dp_fastpath fastpath; /* other_config:fastpath; of interfaces that do not say. */
    uint32_t of_versions;      /* Bit v: enum of_version v is allowed.  0: all that there are. */
    char *description;         /* other_config:dp-desc, or NULL. */
    uint32_t packet_in_queue;  /* other_config:controller-queue-size */
    struct of_controller *controllers; /* Owned. */
    char **targets;                    /* Of the controllers; owned. */
    size_t n_controllers;
    struct wanted_tables tables; /* Flow tables with rows of their own. */
    struct error error;
    UT_hash_handle by_name;
};

struct wanted {
    struct wanted_bridge *bridges; /* By name. */
    uint8_t vlan_limit;            /* other_config:vlan-limit */
    int64_t stats_interval_ms;     /* other_config:stats-update-interval */
    uint32_t max_cached_flows;     /* other_config:flow-limit */
    unsigned int bundle_idle_s;    /* other_config:bundle-idle-timeout */
    int64_t max_idle_ms;           /* other_config:max-idle */
    bool must_wait_for_flows;      /* other_config:flow-restore-wait */
};

/* Watches the tables and columns that wanted_read() and status need.  Before ovsdb_client_start(). */
void wanted_watch(struct ovsdb_client *client);

/* Does the change from 'before' to 'after' (either may be NULL) concern what is wanted, and not only
 * what we wrote ourselves? */
struct ovsdb_row;
bool wanted_is_affected(const char *table, const struct ovsdb_row *before,
                        const struct ovsdb_row *after);

struct wanted *wanted_read(struct ovsdb_client *client);
void wanted_destroy(struct wanted *wanted); /* NULL is fine. */

/* Takes 'interface' out of 'bridge'; release it with wanted_interface_destroy(). */
void wanted_interface_take(struct wanted_bridge *bridge, struct wanted_interface *interface);
void wanted_interface_destroy(struct wanted_interface *interface); /* NULL is fine. */
