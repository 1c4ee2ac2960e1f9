/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_server_state - what the files of the OpenFlow server share, and nobody else needs.
 *
 *     of_server.c           listener, connections, what is published when
 *     of_server_targets.c   controllers: connecting, back-off, passive listeners
 *     of_connection.c       one peer: bytes, hello, echo, back-pressure
 *     of_server_messages.c  what each message does
 *     of_bundle.c           messages that take effect together
 *     of_monitor.c          who hears of changes to flows
 *     of_groups.c           groups
 *     of_meters.c           meters
 *     of_stats.c            statistics requests
 *     of_dump.c             replies about many flows, in pieces
 *     of_snoop.c            copies of it all for those who watch
 *     of_server_async.c     packet_in, port_status, flow_removed: who wants them
 *
 * Threads  The main thread. */

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu/list.h>

#include "lib/acceptor.h"
#include "lib/awake.h"
#include "lib/openflow/continuation.h"
#include "lib/openflow/tlv_table.h"
#include "lib/openflow/flow_mod.h"
#include "lib/openflow/messages.h"
#include "vswitchd/of_connection.h"
#include "vswitchd/of_server.h"
#include "vswitchd/of_snoop.h"

struct of_server {
    struct ev_loop *loop;
    char *name;
    struct flow_tables *tables;
    struct meter_table *meters;
    struct tls *tls;
    const struct of_server_ops *ops;
    void *aux;
    uint32_t versions;

    char *socket_path; /* NULL: no listener. */
    struct acceptor acceptor;
    struct ev_prepare before_waiting; /* Publishes and flushes. */
    struct awake awake;

    struct cds_list_head connections; /* Of struct of_connection. */
    struct cds_list_head targets;     /* Of struct of_target. */
    struct of_snoops snoops;
    size_t n_connections; /* Not closed ones. */
    struct of_server_stats stats;
    bool is_closing;
    bool wanted_misses; /* When last looked at. */

    struct of_seal seal; /* Of the continuations that we give out. */
    enum of_frag_mode frag_mode;
    char table_names[OF_N_TABLES][32]; /* As controllers gave them; empty if none did. */
    char own_names[OF_N_TABLES][32];   /* As the database has them: they come first. */
    bool has_generation;               /* A role request has brought a generation_id. */
    uint64_t generation_id;
    struct of_tlv_table tlv;       /* Its maps only. */
    struct of_flow_mod flow_mod;   /* Reused for each one that is decoded. */
    int64_t bundle_idle_ns;        /* After that without news of it a bundle is discarded. */
    uint32_t packet_in_queue;      /* Of connections that have no number of their own. */
    size_t bundle_bytes;           /* Kept in bundles of all connections. */
    size_t n_monitors;             /* Of all connections. */
    struct of_connection *changer; /* Whose message is being handled, and its xid. */
    uint32_t change_xid;
};

/* Runs 'connection' over all that are up. */
#define for_each_connection_up(connection, server)                       \
    cds_list_for_each_entry ((connection), &(server)->connections, node) \
        if ((connection)->state != CONNECTION_UP) {                      \
        } else

void of_server_publish(struct of_server *server);

/* Calls status_changed if something has: anything about a controller, or who wants misses. */
void of_server_note_status(struct of_server *server, bool is_of_controller);

bool of_server_is_full(struct of_server *server); /* Then one is counted as refused. */
void of_server_add_connection(struct of_server *server, struct of_connection *connection);

/* of_server_messages.c: anything but hello and echo.  What it returns is sent as an error. */
enum of_error of_server_handle(struct of_connection *connection, const struct of_message *message);

/* What bundles do with their messages: check them by form, OFPBFC_MSG_UNSUP for those that do not belong
 * there; apply them, as if they came alone. */
enum of_error of_server_check_bundled(struct of_connection *connection,
                                      const struct of_message *message);
enum of_error of_server_flow_mod(struct of_connection *connection,
                                 const struct of_message *message);
enum of_error of_server_group_mod(struct of_connection *connection,
                                  const struct of_message *message);
enum of_error of_server_meter_mod(struct of_connection *connection,
                                  const struct of_message *message);
enum of_error of_server_prepare_packet_out(struct of_connection *connection,
                                           const struct of_message *message,
                                           struct outgoing **outgoing); /* May be NULL, too. */
enum of_error of_server_port_mod(struct of_connection *connection,
                                 const struct of_message *message);

/* of_tlv.c: NXT_TLV_TABLE_MOD and _REQUEST.  Flows may name fields that the table has. */
enum of_error of_tlv_handle_mod(struct of_connection *connection, const struct of_message *message);
enum of_error of_tlv_handle_request(struct of_connection *connection,
                                    const struct of_message *message);
enum of_error of_server_check_options(const struct of_server *server, const struct match *match,
                                      struct ofa_list actions);
void of_tlv_clear(struct of_server *server);

/* of_stats.c */
enum of_error of_stats_handle(struct of_connection *connection, const struct of_message *message);
struct of_table_desc of_stats_table_desc(const struct of_server *server, uint8_t table_id);

/* of_groups.c */
bool of_server_has_group(const struct of_server *server, uint32_t group_id);
enum of_error of_stats_group_desc(struct of_connection *connection,
                                  const struct of_message *message);
enum of_error of_stats_groups(struct of_connection *connection, const struct of_message *message);
enum of_error of_stats_group_features(struct of_connection *connection,
                                      const struct of_message *message);

/* of_meters.c */
enum of_error of_stats_meter_config(struct of_connection *connection,
                                    const struct of_message *message);
enum of_error of_stats_meters(struct of_connection *connection, const struct of_message *message);
enum of_error of_stats_meter_features(struct of_connection *connection,
                                      const struct of_message *message);

/* of_server_async.c */
void of_connection_bound_news(struct of_connection *connection); /* Closes it if too much waits. */
void of_server_role_status(struct of_connection *connection, enum of_role_reason reason);

/* of_server_targets.c */
void of_target_connection_up(struct of_connection *connection);
void of_target_connection_closed(struct of_connection *connection, const char *reason);
void of_targets_destroy(struct of_server *server);
