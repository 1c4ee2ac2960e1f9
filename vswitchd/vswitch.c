/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/vswitch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/ovsdb/client.h"
#include "lib/rcu.h"
#include "lib/rundir.h"
#include "vswitchd/coverage.h"
#include "vswitchd/fdb.h"
#include "vswitchd/flow_journal.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/forwarding.h"
#include "vswitchd/lessons.h"
#include "vswitchd/netdevs.h"
#include "vswitchd/of_server.h"
#include "vswitchd/reconfigure.h"
#include "vswitchd/status.h"
#include "vswitchd/topology.h"
#include "vswitchd/wanted.h"

LOG_MODULE(vswitch);

/* Long enough for a burst of notifications to be one, short for a port that returns. */
#define DEVICES_SETTLE_S 0.05

enum {
    RETRY_S = 3,      /* What failed is tried again so often. */
    LOOK_AT_ONCE = 4, /* Ports each second, for what others have done to them. */
};

/* --- The database -------------------------------------------------------------------------- */

static void on_row_changed(struct ovsdb_client *db UNUSED, enum ovsdb_change change UNUSED,
                           const char *table, const struct ovsdb_row *before,
                           const struct ovsdb_row *after, void *aux)
{
    struct vswitch *vswitch = aux;

    if (wanted_is_affected(table, before, after))
        vswitch->must_reconfigure = true;
}

/* The row in Open_vSwitch.ssl stands above the command line. */
static void follow_tls(struct vswitch *vswitch)
{
    const struct ovsdb_row *root = ovsdb_client_first(vswitch->db, "Open_vSwitch");
    const struct ovsdb_row *ssl = root ? ovsdb_row_ref_at(root, "ssl", 0) : NULL;
    struct tls_settings settings = vswitch->tls_settings;

    if (ssl) {
        settings.private_key = ovsdb_row_string(ssl, "private_key");
        settings.certificate = ovsdb_row_string(ssl, "certificate");
        settings.ca_cert = ovsdb_row_string(ssl, "ca_cert");
        settings.bootstraps_ca = ovsdb_row_bool(ssl, "bootstrap_ca_cert", false);
    }
    tls_configure(vswitch->tls, &settings);
}

static void apply(struct vswitch *vswitch)
{
    follow_tls(vswitch);
    reconfigure(vswitch);
    if (vswitch->ready) {
        vswitch->ready(vswitch->aux);
        vswitch->ready = NULL;
    }
}

static void on_updated(struct ovsdb_client *db UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;

    if (vswitch->must_reconfigure)
        apply(vswitch);
}

/* The server that came back may be another one, without what is not stored on disk. */
static void on_connected(struct ovsdb_client *db UNUSED, bool is_connected, void *aux)
{
    struct vswitch *vswitch = aux;

    if (!is_connected) {
        log_warn("the database has gone: forwarding goes on as it is");
        return;
    }
    log_info("connected to the database");
    apply(vswitch);
}

static const struct ovsdb_client_callbacks db_callbacks = {
    .row_changed = on_row_changed,
    .updated = on_updated,
    .connected = on_connected,
};

/* --- Devices ------------------------------------------------------------------------------- */

static void on_netdev_changed(void *aux, const char *name)
{
    struct vswitch *vswitch = aux;
    struct bridge *bridge, *next;

    datapath_heal(vswitch->datapath, name);
    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        struct interface *interface = bridge_interface(bridge, name);

        if (!interface)
            continue;
        interface_tell_link(interface);
        interface->is_to_be_looked_at = true;
        if (ev_is_active(&vswitch->devices_change))
            continue;
        ev_timer_set(&vswitch->devices_change, DEVICES_SETTLE_S, 0);
        ev_timer_start(vswitch->loop, &vswitch->devices_change);
    }
}

/* True if there were any. */
static bool close_lost_interfaces(struct bridge *bridge)
{
    struct interface *interface, *next;
    bool is_changed = false;

    HASH_ITER (by_name, bridge->interfaces, interface, next) {
        if (!interface_has_lost_device(interface))
            continue;
        log_warn("bridge %s: interface %s: its device has gone", bridge->name, interface->name);
        bridge_close_interface(bridge, interface);
        is_changed = true;
    }
    return is_changed;
}

/* True if translation has to know. */
static bool look_at_interfaces(struct bridge *bridge)
{
    struct interface *interface, *next;
    bool is_changed = false;

    HASH_ITER (by_name, bridge->interfaces, interface, next) {
        if (interface->is_to_be_looked_at)
            interface_look(interface);
        is_changed |= interface_is_open(interface) &&
                      interface_is_up(interface) != interface->was_up;
    }
    return is_changed;
}

static void on_devices_settled(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
    struct vswitch *vswitch = timer->data;
    struct bridge *bridge, *next;
    bool is_changed = false;

    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        is_changed |= close_lost_interfaces(bridge);
    if (is_changed) /* Before another device gets the number that one had in the datapath. */
        forwarding_publish(vswitch);
    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        is_changed |= bridge_open_interfaces(bridge);
        is_changed |= look_at_interfaces(bridge);
    }
    if (is_changed) /* It makes everybody's flows out of date. */
        forwarding_publish(vswitch);
    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        bridge_tell_ports(bridge);
    status_update(vswitch->status);
}

/* --- Time and controllers ------------------------------------------------------------------ */

static void retry_failures(struct vswitch *vswitch)
{
    struct bridge *bridge, *next;
    bool has_failures = false;

    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        has_failures |= bridge_has_failures(bridge);
    if (has_failures && ++vswitch->n_failed_seconds >= RETRY_S) {
        vswitch->n_failed_seconds = 0;
        reconfigure(vswitch);
    }
}

/* Nobody tells of tcx programs, and notifications of the kernel may get lost: a few ports in turn. */
static void look_at_some(struct vswitch *vswitch)
{
    bool is_news = false;

    datapath_heal(vswitch->datapath, NULL);
    for (int n = 0, i = 0; n < LOOK_AT_ONCE && i <= DP_MAX_PORTS; i++) {
        struct interface *interface = vswitch->by_dp_port[vswitch->next_look++];

        vswitch->next_look %= ARRAY_SIZE(vswitch->by_dp_port);
        if (!interface)
            continue;
        is_news |= interface_look(interface);
        n++;
    }
    if (is_news)
        status_update(vswitch->status);
}

static void count_flows(struct vswitch *vswitch)
{
    struct datapath_stats stats;

    datapath_get_stats(vswitch->datapath, &stats);
    if (stats.n_megaflows > vswitch->flows_seen.max)
        vswitch->flows_seen.max = stats.n_megaflows;
    vswitch->flows_seen.average += (stats.n_megaflows - vswitch->flows_seen.average) / 8;
}

static void on_second(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
    struct vswitch *vswitch = timer->data;
    int64_t now_ns = clock_now_ns();
    struct bridge *bridge, *next;

    retry_failures(vswitch);
    look_at_some(vswitch);
    count_flows(vswitch);
    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        fdb_expire(bridge->fdb, now_ns);
        flow_tables_expire(bridge->tables, now_ns);
        flow_journal_compact(bridge->journal);
        bridge_follow_controllers(bridge, now_ns);
    }
}

static void hear_frames(struct vswitch *vswitch)
{
    struct bridge *bridge, *next;

    vswitch->has_heard = false;
    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        lessons_apply(bridge->lessons, bridge->tables, clock_now_ns());
        if (bridge->server)
            of_server_packet_ins(bridge->server, bridge->packet_ins);
    }
}

static void on_frames_heard(struct ev_loop *loop UNUSED, ev_async *async, int events UNUSED)
{
    hear_frames(async->data);
}

/* What controllers' own frames have led to goes out in the same round. */
static void before_waiting(struct ev_loop *loop UNUSED, ev_prepare *prepare, int events UNUSED)
{
    struct vswitch *vswitch = prepare->data;

    if (vswitch->has_heard)
        hear_frames(vswitch);
}

void vswitch_hear_frames(struct vswitch *vswitch)
{
    if (pthread_equal(pthread_self(), vswitch->main_thread))
        vswitch->has_heard = true;
    else
        ev_async_send(vswitch->loop, &vswitch->packet_ins);
}

/* --- Life ---------------------------------------------------------------------------------- */

static void start_watchers(struct vswitch *vswitch)
{
    ev_async_init(&vswitch->packet_ins, on_frames_heard);
    vswitch->packet_ins.data = vswitch;
    ev_async_start(vswitch->loop, &vswitch->packet_ins);

    vswitch->main_thread = pthread_self();
    ev_prepare_init(&vswitch->before_wait, before_waiting);
    ev_set_priority(&vswitch->before_wait, EV_MAXPRI); /* Before servers flush. */
    vswitch->before_wait.data = vswitch;
    ev_prepare_start(vswitch->loop, &vswitch->before_wait);

    ev_timer_init(&vswitch->second, on_second, 1, 1);
    vswitch->second.data = vswitch;
    ev_timer_start(vswitch->loop, &vswitch->second);

    ev_timer_init(&vswitch->devices_change, on_devices_settled, DEVICES_SETTLE_S, 0);
    vswitch->devices_change.data = vswitch;
}

struct vswitch *vswitch_create(const struct vswitch_config *config, struct error *error)
{
    struct vswitch *vswitch = calloc(1, sizeof *vswitch);
    char instance[RUNDIR_INSTANCE_BYTES], home[PATH_MAX];
    const struct datapath_config datapath_config = {
        .n_workers = config->n_workers,
        .instance = instance,
        .home = home,
    };

    if (!vswitch)
        abort();
    rundir_instance(instance);
    if (!realpath(rundir_path(), home))
        *home = '\0';
    vswitch->loop = config->loop;
    vswitch->ready = config->ready;
    vswitch->hold = config->hold;
    vswitch->aux = config->aux;
    vswitch->vlan_limit = 1;
    start_watchers(vswitch);
    topology_publish(topology_create(vswitch->vlan_limit));

    vswitch->netdevs = netdevs_create(vswitch->loop, on_netdev_changed, vswitch, error);
    if (vswitch->netdevs)
        vswitch->datapath = datapath_create(&datapath_config, &forwarding_ops, vswitch, error);
    if (!vswitch->datapath) {
        vswitch_destroy(vswitch);
        return NULL;
    }
    vswitch->status = status_create(vswitch);
    vswitch->coverage = coverage_create(vswitch);
    vswitch->tls = tls_create();
    vswitch->tls_settings = config->tls;
    vswitch->db_tls = tls_create();
    tls_configure(vswitch->db_tls, &config->tls);
    vswitch->db = ovsdb_client_create(vswitch->loop, config->db_remote, "Open_vSwitch",
                                      &db_callbacks, vswitch);
    ovsdb_client_set_tls(vswitch->db, vswitch->db_tls);
    wanted_watch(vswitch->db);
    ovsdb_client_start(vswitch->db);
    return vswitch;
}

void vswitch_destroy(struct vswitch *vswitch)
{
    struct bridge *bridge, *next;

    coverage_destroy(vswitch->coverage);
    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        bridge_close(bridge);
    ovsdb_client_destroy(vswitch->db);
    tls_destroy(vswitch->db_tls);
    tls_destroy(vswitch->tls);
    status_destroy(vswitch->status);
    topology_publish(NULL);
    datapath_stop(vswitch->datapath);
    rcu_wait_for_callbacks();
    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        HASH_DELETE(by_name, vswitch->bridges, bridge);
        bridge_destroy(bridge);
    }
    rcu_wait_for_callbacks();
    datapath_destroy(vswitch->datapath); /* Bridges had meters there. */
    netdevs_destroy(vswitch->netdevs);
    ev_async_stop(vswitch->loop, &vswitch->packet_ins);
    ev_prepare_stop(vswitch->loop, &vswitch->before_wait);
    ev_timer_stop(vswitch->loop, &vswitch->second);
    ev_timer_stop(vswitch->loop, &vswitch->devices_change);
    free(vswitch->refusals);
    free(vswitch);
}

void vswitch_leave(struct vswitch *vswitch)
{
    struct bridge *bridge, *next;

    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        bridge_close_server(bridge);
    ovsdb_client_destroy(vswitch->db);
}

struct bridge *vswitch_bridge(const struct vswitch *vswitch, const char *name)
{
    struct bridge *bridge;

    HASH_FIND(by_name, vswitch->bridges, name, strlen(name), bridge);
    return bridge;
}
