/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* commands - what ovs-appctl(8) and weir can ask of the running switch.
 *
 * Names, arguments and text are those of Open vSwitch 3.1, because people's scripts read them; "weir/"
 * names are our own.  A client that asked for JSON gets JSON from those that print tables.
 *
 * Threads  The main thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/unixctl.h"

struct bridge;
struct vswitch;

void commands_register(struct unixctl_server *server, struct vswitch *vswitch);

/* One file for each subject: */
void commands_fdb_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_flows_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_dpctl_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_dpctl_flows_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_conntrack_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_dpif_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_upcall_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_workers_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_absent_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_cache_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_verify_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_counters_register(struct unixctl_server *server, struct vswitch *vswitch);
void commands_trace_register(struct unixctl_server *server, struct vswitch *vswitch);

/* A command of Open vSwitch's that we do not do, and the reason. */
struct command_refusal {
    const char *name, *usage;
    int min_args, max_args;
    const char *why;
};
void commands_register_refusals(struct unixctl_server *server,
                                const struct command_refusal refusals[], size_t n);

/* The bridge of that name; otherwise NULL, and the request has been answered with an error. */
struct bridge *commands_find_bridge(struct unixctl_request *request, const struct vswitch *vswitch,
                                    const char *name);

/* The one datapath there is goes by the name scripts expect. */
#define COMMANDS_DATAPATH    "system@ovs-system"
#define COMMANDS_NO_DATAPATH "ovs-vswitchd: opening datapath %s failed (No such file or directory)"

/* Is it what scripts may call the one datapath there is, or its type and name? */
bool commands_is_datapath_name(const char *name);

/* The name of a datapath port, or NULL; 'vswitch' is a struct vswitch. */
const char *commands_port_name(uint32_t port_no, void *vswitch);

struct datapath_stats;
struct interface;

const char *commands_type_name(const struct interface *interface); /* "system", "internal" ... */
uint64_t commands_n_hits(const struct datapath_stats *stats);
