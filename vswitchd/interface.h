/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* interface - one port of a bridge as it is: open or not, under which numbers, and why.
 *
 * An interface exists from the reconfiguration that first wanted it until the one that no longer does.
 * In between it may be open, or closed with an 'error': a device that vanished, or never was, is opened
 * when it appears, under the OpenFlow number it had.
 *
 * Threads  The main thread.
 * Memory   The bridge owns its interfaces; an interface owns its settings. */

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "datapath/datapath.h"
#include "lib/error.h"
#include "lib/netlink/link.h"
#include "lib/openflow/ports.h"
#include "vswitchd/wanted.h"

struct bridge;
struct ovsdb_txn;
struct vswitch;

struct interface {
    char *name;                        /* Owned. */
    struct wanted_interface *settings; /* Owned; replaced by each reconfiguration. */
    struct bridge *bridge;
    of_port ofport;                /* OFPP_NONE: it was never open. */
    uint32_t dp_port;              /* DP_PORT_NONE: not open, or a patch port. */
    int ifindex;                   /* Of the device that is open; 0. */
    unsigned int arrival;          /* Likewise: struct netdev says what it is. */
    struct error error;            /* Why it is not open; of a patch port, what ails it. */
    struct error fastpath_refusal; /* Why the device has not the fast path that is wanted. */
    char *strangers;               /* Owned; programs of others on its device, in words, or NULL. */
    bool is_to_be_looked_at;       /* Something has happened to its device. */
    bool was_up;                   /* When it was last published. */
    struct port_counters *counters; /* Of a patch port. */
    uint32_t config;                /* enum of_port_config but PORT_DOWN, which the device knows. */
    struct link_driver driver;      /* Read when it is opened. */
    struct of_port_info told;       /* What controllers were last told; port OFPP_NONE: nothing. */
    UT_hash_handle by_name;         /* In the bridge. */
};

/* Takes 'settings'. */
struct interface *interface_create(struct bridge *bridge, struct wanted_interface *settings);
void interface_destroy(struct interface *interface); /* It must be closed. */

/* Has it a place in the datapath (or in the picture, for a patch port)? */
bool interface_is_open(const struct interface *interface);

/* Opens it; failing leaves 'error'.  An interface that is open, or must not be, stays as it is. */
void interface_open(struct interface *interface);
void interface_close(struct interface *interface);

/* Is it open, but on a device that has gone or has been replaced by another of the same name? */
bool interface_has_lost_device(const struct interface *interface);

/* Takes new 'settings' of the same name and type, and applies MTU and address to the device. */
void interface_set_settings_take(struct interface *interface, struct wanted_interface *settings);

/* The device as the kernel shows it, or NULL. */
const struct netdev *interface_netdev(const struct interface *interface);

/* Tells the datapath what its device is like now. */
void interface_tell_link(struct interface *interface);

/* Looks what others have done to its device, and puts right what can be.  True: what is to be told of it is
 * different now. */
bool interface_look(struct interface *interface);

bool interface_is_up(const struct interface *interface); /* Administratively, and has carrier. */

/* For OpenFlow. */
void interface_describe(const struct interface *interface, struct of_port_info *info);

struct interface_stats {
    struct dp_port_stats port;
    struct link_stats link;
    bool has_link; /* 'link' is known. */
};

void interface_get_stats(const struct interface *interface, struct interface_stats *stats);
