/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_server - the OpenFlow side of one bridge: who is connected, and what they are told.
 *
 * There are two sorts of connections.  Management connections come to RUNDIR/BRIDGE.mgmt (ovs-ofctl,
 * weir, OVN): they may do everything, but are sent packet_in, port_status and flow_removed only after
 * they have set a miss_send_len other than 0.  Controller connections are made by us to the targets of
 * of_server_set_controllers(), or come in at a "ptcp:" or "punix:" one; RUNDIR/BRIDGE.snoop shows what is said on them
 * (of_snoop.h).
 *
 * What a connection needs of its bridge it gets through struct of_server_ops, and from the flow
 * tables.  Flow_mods of one loop round are published together, and always before a reply is sent.
 *
 * Bounds   OF_SERVER_MAX_CONNECTIONS at a time; each holds at most one message (64 KiB) and one read of
 *          input, and OF_CONNECTION_MAX_OUTPUT bytes of output plus one reply: a peer that does not
 *          read is not read from, and loses packet_ins.  Long statistics are made as they drain.
 *
 * Threads  The main thread; it may block only in 'synchronize'.
 * Memory   The server borrows loop, tables, meters, ops and aux.
 * Time     Reads the clock of its loop only through clock_now_ns(). */

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/openflow/errors.h"
#include "lib/openflow/openflow.h"
#include "lib/openflow/packet.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/vendor.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/of_limiter.h"
#include "vswitchd/packet_in.h"

enum {
    OF_SERVER_MAX_CONNECTIONS = 128,
    OF_CONNECTION_MAX_OUTPUT = 1 << 20, /* More pending: input waits, packet_ins are dropped. */
    OF_PACKET_IN_QUEUE_MAX = 512,       /* So many packet_ins pending: likewise; as Open vSwitch. */
    OF_PACKET_IN_QUEUE_DEFAULT = 100,
};

struct of_switch_info {
    uint64_t datapath_id;
    /* Borrowed until the next callback.  NULL: what Weir calls itself. */
    struct of_desc desc;
};

struct outgoing;

/* The bridge, as its server sees it.  All are called on the main thread and none may be NULL but
 * those that say so. */
struct of_server_ops {
    void (*describe)(void *aux, struct of_switch_info *info);

    /* All ports with an OpenFlow number, LOCAL included, in ascending order, in a malloc()ed array
     * that the server frees. */
    size_t (*list_ports)(void *aux, struct of_port_info **ports);

    /* Fills '*stats', which comes with 'port' set and every counter "not known" (UINT64_MAX).  False: there
     * is no such port. */
    bool (*get_port_stats)(void *aux, of_port port, struct of_port_stats *stats);

    /* OFPPMFC_BAD_PORT, OFPPMFC_BAD_HW_ADDR, or OF_OK. */
    enum of_error (*check_port_mod)(void *aux, const struct of_port_mod *mod);

    /* One that was checked.  The bridge sends the port_status that follows. */
    void (*port_mod)(void *aux, const struct of_port_mod *mod);

    /* What becomes of a frame (>= 14 bytes) by actions that were checked, and the flow tables with all changes made
     * so far; NULL: it is dropped.  It goes out, and teaches, when these have been published; or it does not. */
    struct outgoing *(*prepare_packet_out)(void *aux, const struct of_packet_out *packet);
    void (*send_packet_out)(void *aux, struct outgoing *outgoing);
    void (*discard_packet_out)(void *aux, struct outgoing *outgoing);

    /* The same for a frame that controller(pause) had stopped. */
    void (*resume)(void *aux, const struct of_packet_in *packet,
                   const struct of_continuation *continuation);

    /* Statistics are about to be read: datapath_push_stats(). */
    void (*push_stats)(void *aux);

    /* A barrier: returns when no frame that arrives from now on sees anything older than what was
     * published: datapath_synchronize(). */
    void (*synchronize)(void *aux);

    void (*set_frag_mode)(void *aux, enum of_frag_mode mode);

    /* of_server_wants_misses() or a controller's status has changed.  May be NULL. */
    void (*status_changed)(void *aux);
};

struct meter_table;
struct tls;

struct of_server_config {
    struct ev_loop *loop;
    const char *name;        /* Of the bridge, for logs; copied. */
    const char *socket_path; /* rundir_bridge_socket(); 0660.  NULL: no listener.  Copied. */
    const char *snoop_path;  /* rundir_snoop_socket(); the same. */
    struct flow_tables *tables;
    struct meter_table *meters;
    const struct of_server_ops *ops;
    void *aux;
    struct tls *tls;   /* For "ssl:" and "pssl:" targets; borrowed.  NULL: none are made. */
    uint32_t versions; /* OF_VERSION_BIT()s allowed by Bridge.protocols; 0: all we know. */
};

struct of_server;

/* NULL, with 'error' set, if the socket cannot be listened on. */
struct of_server *of_server_create(const struct of_server_config *config, struct error *error);

/* Closes every connection and removes the socket.  NULL is fine. */
void of_server_destroy(struct of_server *server);

/* Bridge.protocols has changed: connections that speak another version are closed. */
void of_server_set_versions(struct of_server *server, uint32_t versions);

/* other_config:bundle-idle-timeout; for bundles that are opened from now on. */
void of_server_set_bundle_idle(struct of_server *server, unsigned int idle_s);

/* other_config:controller-queue-size, up to OF_PACKET_IN_QUEUE_MAX: of connections without a number of their own. */
void of_server_set_packet_in_queue(struct of_server *server, uint32_t n_packet_ins);

/* NULL: what controllers have called it, if any has. */
void of_server_set_table_name(struct of_server *server, uint8_t table_id, const char *name);

/* Controllers: rows of the table Controller. */

struct of_controller {
    const char *target; /* "tcp:IP[:PORT]", "unix:PATH", "ptcp:[PORT][:IP]", "punix:PATH" ... */
    unsigned int max_backoff_ms; /* 0: 8000. */
    unsigned int inactivity_ms;  /* Probe after so long a silence; 0: never. */
    bool has_inactivity;         /* False: inactivity_ms is 5000. */
    bool has_no_async;           /* enable_async_messages=false. */
    uint32_t packet_in_rate;     /* Per second, of misses and of others each; 0: no limit. */
    uint32_t packet_in_burst;    /* 0: a quarter of that. */
    uint32_t packet_in_queue;    /* So many wait while it does not read; 0: as the server's. */
};

/* Keeps connections to targets that were there already, closes others, starts new ones.  A target that
 * cannot be understood is reported by its status. */
void of_server_set_controllers(struct of_server *server, const struct of_controller *controllers,
                               size_t n_controllers);

/* Closes the connections of controllers and tries each at once. */
void of_server_reconnect(struct of_server *server);

struct of_controller_status {
    bool is_connected;
    enum of_role role; /* Of one connection to it; OF_ROLE_EQUAL at first ("other"). */
    const char
        *state; /* "ACTIVE", "BACKOFF", "CONNECTING", "IDLE", "VOID" ... as in Controller.status. */
    const char *last_error;  /* NULL: none.  Borrowed until the loop runs. */
    int64_t connected_ns;    /* When it last connected, 0: never. */
    int64_t disconnected_ns; /* When it last disconnected, 0: never. */
    bool has_packet_in_limits;
    struct of_limiter_stats misses, actions; /* Of its connection: what the limits did. */
};

/* False: no such target. */
bool of_server_get_controller_status(const struct of_server *server, const char *target,
                                     struct of_controller_status *status);

/* A connected socket, of either sort; taken.  How tests and fuzzers get in. */
enum of_connection_sort { OF_CONNECTION_MANAGEMENT, OF_CONNECTION_CONTROLLER };
void of_server_adopt_take(struct of_server *server, int fd, enum of_connection_sort sort);

/* What connections are told. */

void of_server_port_status(struct of_server *server, enum of_port_reason reason,
                           const struct of_port_info *port);

/* From flow_tables_events.removed, for every rule that somebody wants to hear of; it does nothing for others. */
bool of_server_wants_removed(const struct of_server *server, const struct rule *rule);
void of_server_flow_removed(struct of_server *server, const struct rule *rule,
                            enum flow_removed_reason reason, int64_t now_ns);

/* The same for flow_tables_events.added and .modified. */
void of_server_flow_added(struct of_server *server, const struct rule *rule);
void of_server_flow_modified(struct of_server *server, const struct rule *rule);

/* From flow_tables_events.vacancy. */
void of_server_table_status(struct of_server *server, uint8_t table_id, enum of_table_reason reason,
                            uint8_t vacancy_percent);

/* Sends what the queue holds.  Call when the queue wakes the main thread. */
void of_server_packet_ins(struct of_server *server, struct packet_in_queue *queue);

/* Does a table miss go to somebody (bridge_view.miss_goes_to_controller)?  So it is while a connection of
 * OpenFlow 1.0 to 1.2 wants packet_ins; in 1.3 a miss drops unless a flow says otherwise. */
bool of_server_wants_misses(const struct of_server *server);

bool of_server_has_controller(const struct of_server *server); /* Is one connected? (fail_mode) */

struct of_server_stats {
    size_t n_connections;
    uint64_t n_accepted, n_refused, n_messages, n_errors_sent, n_packet_ins, n_packet_ins_dropped;
};

void of_server_get_stats(const struct of_server *server, struct of_server_stats *stats);
