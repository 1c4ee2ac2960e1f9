/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* netdevs - which network devices does the kernel have right now, and how are they?
 *
 * A mirror of the kernel's links, kept by its notifications (lib/netlink/link_watch.h), so that a device
 * that vanishes, returns, is renamed or loses its carrier is noticed at once, and asking costs nothing.
 * Devices of this network namespace only: one that moves to another has gone.
 *
 * Threads  The loop's.
 * Memory   The mirror owns what netdevs_find() returns: good until the loop runs. */

#include <stdbool.h>

#include "lib/error.h"
#include "lib/netlink/link.h"

struct ev_loop;
struct netdevs;

struct netdev {
    struct link_info link;
    unsigned int n_carrier_changes; /* Since it was first seen. */
    unsigned int arrival; /* Another one each time it comes, be it under the index it had before. */
};

/* Something about the device 'name' has changed: it may be new, different or gone, or filters or XDP programs on it may
 * be. */
typedef void netdevs_changed(void *aux, const char *name);

/* The mirror is complete when this returns; 'changed' is called from the loop only.  NULL on failure. */
struct netdevs *netdevs_create(struct ev_loop *loop, netdevs_changed *changed, void *aux,
                               struct error *error);
void netdevs_destroy(struct netdevs *netdevs); /* NULL is fine. */

const struct netdev *netdevs_find(const struct netdevs *netdevs, const char *name);

/* Reads the device 'name' from the kernel now, for a change of our own whose notification is still
 * under way.  'changed' is not called. */
void netdevs_refresh(struct netdevs *netdevs, const char *name);
