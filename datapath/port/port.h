/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* port - how each type of port is opened; everything after that goes through struct port_ops.
 *
 * Threads  Main thread.
 * Errors   Negative errno and a sentence; nothing is left open. */

#include "datapath/internal.h"
#include "lib/netlink/link.h"

/* 'port' comes with number, name, type and counters; these set ops and what else they need. */
int port_dummy_open(struct dp_port *port, const struct dp_port_config *config, struct error *error);
int port_internal_open(struct dp_port *port, const struct dp_port_config *config,
                       struct error *error);
int port_netdev_open(struct dp_port *port, const struct dp_port_config *config,
                     struct error *error);

/* The kernel flow cache may send to the port's device, which looks like 'info'; or not any more. */
void port_publish_to_kernel(struct dp_port *port, const struct link_info *info);
void port_hide_from_kernel(struct dp_port *port);

/* Puts our program back on the port's device if somebody has taken it off, and says so. */
void port_restore_program(struct dp_port *port);

/* May frames that come in by the port, which has a program of ours, be treated by the flow cache? */
int port_set_kernel_cached(struct dp_port *port, bool is_cached, struct error *error);

/* Which devices take frames from XDP may have changed: the cache is told.  Nothing to do while no port has
 * XDP.  For RCU readers. */
void port_refresh_xdp(struct datapath *dp);

/* Looks at the other ends of some veths, others each time.  Any thread. */
void port_refresh_peers(struct datapath *dp);
