/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* vswitch - all of the running switch: the datapath, the bridges on it, and what they follow.
 *
 * Three things make it move: the database says what is wanted (reconfigure.h), the kernel says what there
 * is (netdevs.h), frames come in (forwarding.h).  Whatever changes ends in one new picture for
 * translation (forwarding_publish()) and in status for the database (status.h).
 *
 * While the database is away, everything goes on as it was.
 *
 * Threads  The main thread, which is a registered RCU reader and offline while it waits. */

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "lib/error.h"
#include "lib/tls.h"
#include "vswitchd/bridge.h"
#include "vswitchd/interface.h"

struct coverage;
struct netdevs;
struct ovsdb_client;
struct status;

/* An interface of a bridge that we cannot be: nothing exists but a row to be told. */
struct refusal {
    struct uuid interface;
    struct error error;
};

struct vswitch_config {
    struct ev_loop *loop;
    const char *db_remote;   /* As ovsdb_client_create() takes it. */
    struct tls_settings tls; /* For the database; and for controllers, unless the database says. */
    unsigned int n_workers;
    void (*ready)(void *aux); /* Called once, when the first configuration has been applied. */
    void (*hold)(void *aux, int fd); /* As of datapath_ops.  NULL is fine. */
    void *aux;
};

struct vswitch {
    struct ev_loop *loop;
    struct datapath *datapath;
    struct netdevs *netdevs;
    struct tls_settings tls_settings; /* Of the command line. */
    struct tls *db_tls, *tls;         /* For the database, and for controllers. */
    struct ovsdb_client *db;
    struct status *status;
    struct coverage *coverage;
    struct bridge *bridges; /* By name. */
    struct interface *by_dp_port[DP_MAX_PORTS + 2];
    struct refusal *refusals; /* Owned. */
    size_t n_refusals;
    uint64_t n_bridges_ever;
    uint8_t vlan_limit;
    bool has_taken_over; /* From the switch before. */
    bool
        is_waiting_for_flows; /* other_config:flow-restore-wait: nothing is forwarded until it goes. */

    bool must_reconfigure; /* Rows have changed. */
    uint64_t n_reconfigurations;
    uint32_t next_look;            /* Port in the datapath to look at next. */
    unsigned int n_failed_seconds; /* Something could not be opened since; see retry_failures(). */
    void (*ready)(void *aux);      /* NULL once it was called. */
    void (*hold)(void *aux, int fd);
    void *aux;

    /* For upcall/show and dpif-netdev/...: see commands_upcall.c and commands_workers.c. */
    struct {
        uint32_t max;
        double average;
    } flows_seen;
    _Atomic(bool) has_exact_flows; /* What is cached goes for frames of the very same key. */
    struct dp_worker_stats workers_cleared[DP_MAX_WORKERS + 1];
    int64_t workers_cleared_ns;

    pthread_t main_thread;
    bool has_heard;          /* A bridge's queue has something: from the main thread, */
    ev_prepare before_wait;  /* which looks there before it waits, */
    ev_async packet_ins;     /* or from a worker. */
    ev_timer second;         /* Ageing and timeouts. */
    ev_timer devices_change; /* Devices have changed: look at all interfaces soon. */
};

/* NULL on failure, with 'error' set. */
struct vswitch *vswitch_create(const struct vswitch_config *config, struct error *error);
void vswitch_destroy(struct vswitch *vswitch); /* Nothing of it stays in the kernel. */

/* Says goodbye to database and controllers, and leaves the datapath to the next daemon, who will find it as after a
 * crash: the process must end now. */
void vswitch_leave(struct vswitch *vswitch);

/* A bridge's queue of packet_ins or lessons has something for the main thread.  Any thread. */
void vswitch_hear_frames(struct vswitch *vswitch);

struct bridge *vswitch_bridge(const struct vswitch *vswitch, const char *name);
