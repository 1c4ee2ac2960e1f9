/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* bridge - one switch among those we are: its interfaces, tables, stations and OpenFlow server.
 *
 * Threads  The main thread.
 * Memory   The vswitch owns its bridges.  What a translation under way may still use goes when the
 *          topology without the bridge has been published: bridge_close(), publish, bridge_destroy(). */

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "lib/openflow/openflow.h"
#include "vswitchd/interface.h"
#include "vswitchd/wanted.h"

struct fdb;
struct flow_tables;
struct of_server;
struct lesson_queue;
struct meter_table;
struct packet_in_queue;
struct vswitch;

struct bridge {
    struct vswitch *vswitch;
    char *name;
    struct uuid uuid; /* Of its row. */
    uint64_t id;      /* Never used twice. */
    uint64_t datapath_id;
    bool is_secure;       /* fail_mode */
    size_t n_controllers; /* Configured. */
    bool is_failed_open;  /* No controller: the default flow was added for that reason. */
    int64_t orphaned_ns;  /* Since when no controller has been connected; 0: one is. */
    bool forwards_bpdu;
    enum of_frag_mode frag_mode;
    char *description;            /* For controllers, or NULL. */
    struct interface *interfaces; /* By name. */
    struct flow_tables *tables;
    struct meter_table *meters;
    struct flow_journal *journal; /* Of the tables, or NULL. */
    struct fdb *fdb;
    of_port *stale_ports; /* Owned: see bridge_forget_stations(). */
    size_t n_stale_ports;
    struct packet_in_queue *packet_ins;
    struct lesson_queue *lessons;
    bool publishes_misses;     /* The topology says that table misses go to a controller. */
    struct error server_error; /* Why there is no server. */
    struct of_server *server;  /* NULL: its socket could not be opened. */
    UT_hash_handle by_name;
    struct bridge *next_closed;
};

struct bridge *bridge_create(struct vswitch *vswitch, const struct wanted_bridge *wanted);

/* Closes the interfaces and the OpenFlow server. */
void bridge_close(struct bridge *bridge);
void bridge_close_server(struct bridge *bridge); /* Only that. */
void bridge_destroy(struct bridge *bridge);

void bridge_set_settings(struct bridge *bridge, const struct wanted_bridge *wanted);

/* Interfaces.  Whoever changes some of them publishes the topology afterwards. */

void bridge_add_interface(struct bridge *bridge, struct wanted_interface *settings_take);
void bridge_remove_interface(struct bridge *bridge, struct interface *interface);

/* Closes an interface but keeps it, and its number. */
void bridge_close_interface(struct bridge *bridge, struct interface *interface);

/* What was heard from 'port' is not true any more.  Until the topology without it is published, and workers
 * have seen that, frames may bring it back; so it is forgotten again by forwarding_publish(). */
void bridge_forget_stations(struct bridge *bridge, of_port port);
void bridge_forget_stale_stations(struct bridge *bridge);

/* Gives every interface its OpenFlow number and opens those that are closed and can be opened.  True if
 * that opened or renumbered any. */
bool bridge_open_interfaces(struct bridge *bridge);

/* fail_mode standalone: a bridge that has waited too long for its controllers helps itself. */
void bridge_follow_controllers(struct bridge *bridge, int64_t now_ns);

/* Is an interface closed, or the server not there, for a reason that may pass without anybody telling
 * us, such as a name that is still in use? */
bool bridge_has_failures(const struct bridge *bridge);

struct interface *bridge_interface(const struct bridge *bridge, const char *name);
struct interface *bridge_interface_by_ofport(const struct bridge *bridge, of_port port);

/* Sends controllers the port_status messages for what has changed since the last call. */
void bridge_tell_ports(struct bridge *bridge);

/* A port by its OpenFlow number or name, as commands take it; NULL: there is none. */
struct interface *bridge_find_port(const struct bridge *bridge, const char *text);

/* --- bridge_openflow.c --------------------------------------------------------------------- */

/* Listens at RUNDIR/NAME.mgmt, if it does not yet, and lets the server know versions and controllers.
 * Failing is logged and the bridge works without. */
void bridge_open_server(struct bridge *bridge, const struct wanted_bridge *wanted);

/* Names and limits of flow tables; those that are not named there have none. */
void bridge_set_tables(struct bridge *bridge, const struct wanted_tables *wanted);
