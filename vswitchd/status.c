/* SPDX-License-Identifier: Apache-2.0 */

/* ovsdb_txn_set_take() leaves out what the replica shows already, so every round may say everything. */

#include "vswitchd/status.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/ovsdb/client.h"
#include "vswitchd/bridge.h"
#include "vswitchd/netdevs.h"
#include "vswitchd/of_server.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(status);

/* The release of Open vSwitch whose interfaces we speak: scripts parse it and compare it. */
#define OVS_VERSION "3.1.0"
#define DB_VERSION  "8.8.0"

struct status {
    struct vswitch *vswitch;
    ev_timer statistics;
    bool is_under_way; /* A transaction has not been answered yet. */
    bool is_wanted;    /* Another round must follow it. */
    bool has_statistics;
    bool is_applied; /* Rows as they are now have been applied. */
    int64_t applied_cfg;
};

/* --- Values -------------------------------------------------------------------------------- */

static json_t *optional_integer(bool is_there, int64_t value)
{
    return is_there ? json_integer(value) : ovsdb_json_empty_set();
}

static json_t *optional_string(const char *text)
{
    json_t *json = text && *text ? json_string(text) : NULL;

    return json ? json : ovsdb_json_empty_set();
}

static json_t *string_set(const char *const *strings, size_t n)
{
    json_t *set = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(set, json_string(strings[i]));
    return ovsdb_json_set_take(set);
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static json_t *statistics_of(const struct interface *interface)
{
    struct interface_stats stats;
    json_t *map = ovsdb_json_map();

    interface_get_stats(interface, &stats);
    const struct {
        const char *name;
        uint64_t value;
        bool is_known;
    } counters[] = {
        {"rx_packets", stats.port.rx_packets, true},
        {"rx_bytes", stats.port.rx_bytes, true},
        {"tx_packets", stats.port.tx_packets, true},
        {"tx_bytes", stats.port.tx_bytes, true},
        {"rx_dropped", stats.port.rx_dropped, true},
        {"tx_dropped", stats.port.tx_dropped, true},
        {"rx_errors", stats.port.rx_errors, true},
        {"tx_errors", stats.port.tx_errors, true},
        {"collisions", stats.link.collisions, stats.has_link},
        {"rx_crc_err", stats.link.rx_crc_errors, stats.has_link},
        {"rx_frame_err", stats.link.rx_frame_errors, stats.has_link},
        {"rx_over_err", stats.link.rx_over_errors, stats.has_link},
        {"rx_missed_errors", stats.link.rx_missed_errors, stats.has_link},
    };

    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        if (counters[i].is_known)
            ovsdb_json_map_add_integer(map, counters[i].name, (json_int_t)counters[i].value);
    for (int reason = 0; reason < DROP_N_REASONS; reason++) {
        char name[64];
        if (!stats.port.dropped[reason])
            continue;
        snprintf(name, sizeof name, "drop_%s", drop_reason_name((enum drop_reason)reason));
        ovsdb_json_map_add_integer(map, name, (json_int_t)stats.port.dropped[reason]);
    }
    return map;
}

static json_t *status_of(const struct interface *interface)
{
    const struct link_driver *driver = &interface->driver;
    json_t *map = ovsdb_json_map();
    const char *path = interface->settings->type == INTERFACE_PATCH ? "patch" : NULL;

    if (interface->dp_port != DP_PORT_NONE) {
        path = datapath_port_path(interface->bridge->vswitch->datapath, interface->dp_port);
        if (*driver->name)
            ovsdb_json_map_add_string(map, "driver_name", driver->name);
        if (*driver->version)
            ovsdb_json_map_add_string(map, "driver_version", driver->version);
        if (*driver->name || *driver->firmware)
            ovsdb_json_map_add_string(map, "firmware_version", driver->firmware);
    }
    if (path)
        ovsdb_json_map_add_string(map, "path", path);
    if (interface->fastpath_refusal.code)
        ovsdb_json_map_add_string(map, "path_reason", interface->fastpath_refusal.message);
    if (interface->strangers)
        ovsdb_json_map_add_string(map, "foreign_programs", interface->strangers);
    return map;
}

static void set_link(struct ovsdb_txn *txn, const struct ovsdb_row *row,
                     const struct interface *interface)
{
    const struct netdev *netdev = interface_netdev(interface);
    bool is_patch = interface->settings->type == INTERFACE_PATCH;
    bool is_there = netdev && interface->dp_port != DP_PORT_NONE;
    bool is_enabled = is_patch || (is_there && netdev->link.flags & IFF_UP);
    uint32_t speed_mbps = interface->driver.speed_mbps;
    char mac[18] = "";

    if (is_there)
        snprintf(mac, sizeof mac, MAC_FORMAT, MAC_ARGS(netdev->link.mac));
    ovsdb_txn_set_take(txn, row, "mac_in_use", optional_string(mac));
    ovsdb_txn_set_take(txn, row, "ifindex",
                       optional_integer(is_there || is_patch, is_there ? interface->ifindex : 0));
    ovsdb_txn_set_take(txn, row, "mtu",
                       optional_integer(is_there, is_there ? netdev->link.mtu : 0));
    ovsdb_txn_set_take(
        txn, row, "admin_state",
        optional_string(!is_there && !is_patch ? NULL : (is_enabled ? "up" : "down")));
    ovsdb_txn_set_take(txn, row, "link_state",
                       optional_string(!is_there && !is_patch
                                           ? NULL
                                           : (interface_is_up(interface) ? "up" : "down")));
    ovsdb_txn_set_take(txn, row, "link_resets",
                       optional_integer(is_there, is_there ? netdev->n_carrier_changes : 0));
    ovsdb_txn_set_take(txn, row, "link_speed",
                       optional_integer(is_there && speed_mbps, speed_mbps * INT64_C(1000000)));
    ovsdb_txn_set_take(txn, row, "duplex",
                       optional_string(!is_there || !speed_mbps           ? NULL
                                       : interface->driver.is_full_duplex ? "full"
                                                                          : "half"));
}

/* A number is told for as long as it is held, so that it survives a restart while the device is away; -1
 * says that there never was one. */
static void set_interface(struct ovsdb_txn *txn, const struct interface *interface,
                          bool with_statistics)
{
    struct ovsdb_client *db = interface->bridge->vswitch->db;
    const struct ovsdb_row *row = ovsdb_client_row(db, "Interface", &interface->settings->uuid);

    if (!row)
        return;
    ovsdb_txn_set_take(txn, row, "ofport",
                       json_integer(interface->ofport == OFPP_NONE ? -1 : interface->ofport));
    ovsdb_txn_set_take(txn, row, "error",
                       optional_string(interface->error.code ? interface->error.message : NULL));
    set_link(txn, row, interface);
    ovsdb_txn_set_take(txn, row, "status", status_of(interface));
    if (with_statistics || !ovsdb_row_count(row, "statistics"))
        ovsdb_txn_set_take(txn, row, "statistics", statistics_of(interface));
}

static void set_refusal(struct ovsdb_txn *txn, struct ovsdb_client *db,
                        const struct refusal *refusal)
{
    const struct ovsdb_row *row = ovsdb_client_row(db, "Interface", &refusal->interface);

    if (!row)
        return;
    ovsdb_txn_set_take(txn, row, "ofport", json_integer(-1));
    ovsdb_txn_set_take(txn, row, "error", json_string(refusal->error.message));
}

/* --- Bridges and the rest ------------------------------------------------------------------ */

static const char *role_name(enum of_role role)
{
    switch (role) {
    case OF_ROLE_PRIMARY:
        return "master";
    case OF_ROLE_SECONDARY:
        return "slave";
    case OF_ROLE_EQUAL:
    case OF_ROLE_NOCHANGE:
        break;
    }
    return "other";
}

static void add_seconds(json_t *map, const char *key, int64_t since_ns)
{
    char text[32];

    if (!since_ns)
        return;
    snprintf(text, sizeof text, "%lld", (long long)((clock_now_ns() - since_ns) / SECOND_NS));
    ovsdb_json_map_add_string(map, key, text);
}

static void add_limiter(json_t *map, const char *type, const struct of_limiter_stats *stats)
{
    const struct {
        const char *name;
        uint64_t n;
    } counters[] = {
        {"bypassed", stats->n_bypassed},
        {"queued", stats->n_queued},
        {"dropped", stats->n_dropped},
        {"backlog", stats->n_waiting},
    };

    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        char key[40], text[24];
        snprintf(key, sizeof key, "packet-in-%s-%s", type, counters[i].name);
        snprintf(text, sizeof text, "%" PRIu64, counters[i].n);
        ovsdb_json_map_add_string(map, key, text);
    }
}

static void set_controller(struct ovsdb_txn *txn, const struct bridge *bridge,
                           const struct ovsdb_row *row)
{
    struct of_controller_status controller;
    const char *target = ovsdb_row_string(row, "target");
    json_t *map;

    if (!bridge->server || !target ||
        !of_server_get_controller_status(bridge->server, target, &controller))
        return;
    map = ovsdb_json_map();
    ovsdb_json_map_add_string(map, "state", controller.state);
    if (controller.last_error)
        ovsdb_json_map_add_string(map, "last_error", controller.last_error);
    add_seconds(map, "sec_since_connect", controller.connected_ns);
    add_seconds(map, "sec_since_disconnect", controller.disconnected_ns);
    if (controller.has_packet_in_limits) {
        add_limiter(map, "miss", &controller.misses);
        add_limiter(map, "action", &controller.actions);
    }
    ovsdb_txn_set_take(txn, row, "status", map);
    ovsdb_txn_set_take(txn, row, "is_connected", json_boolean(controller.is_connected));
    ovsdb_txn_set_take(
        txn, row, "role",
        optional_string(controller.is_connected ? role_name(controller.role) : NULL));
}

static void set_bridge(struct ovsdb_txn *txn, const struct bridge *bridge, bool with_statistics)
{
    const struct ovsdb_row *row = ovsdb_client_row(bridge->vswitch->db, "Bridge", &bridge->uuid);
    struct interface *interface, *next;
    char id[17];

    if (row) {
        snprintf(id, sizeof id, "%016" PRIx64, bridge->datapath_id);
        ovsdb_txn_set_take(txn, row, "datapath_id", json_string(id));
        ovsdb_txn_set_take(txn, row, "datapath_version", json_string(WEIR_VERSION));
        for (size_t i = 0; i < ovsdb_row_count(row, "controller"); i++) {
            const struct ovsdb_row *controller = ovsdb_row_ref_at(row, "controller", i);
            if (controller)
                set_controller(txn, bridge, controller);
        }
    }
    HASH_ITER (by_name, bridge->interfaces, interface, next)
        set_interface(txn, interface, with_statistics);
}

/* The distribution's own words, as os-release(5) has them. */
static void read_os_release(char *id, char *version, size_t n_bytes)
{
    FILE *file = fopen("/etc/os-release", "re");
    char line[256];

    snprintf(id, n_bytes, "Linux");
    snprintf(version, n_bytes, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        char value[128];
        if (sscanf(line, "ID=%127[^\"\n]", value) == 1 ||
            sscanf(line, "ID=\"%127[^\"\n]", value) == 1)
            snprintf(id, n_bytes, "%s", value);
        if (sscanf(line, "VERSION_ID=\"%127[^\"\n]", value) == 1)
            snprintf(version, n_bytes, "%s", value);
    }
    if (file)
        fclose(file);
}

/* What a controller may rely on, under the names that Open vSwitch has for it.  What it must not rely on, as
 * zones and connection tracking, is not there: absent means no. */
static void set_datapaths(struct ovsdb_txn *txn, const struct ovsdb_row *root)
{
    static const char *const capabilities[][2] = {
        {"explicit_drop_action", "true"},
        {"masked_set_action", "true"},
        {"max_hash_alg", "0"},
        {"max_sample_nesting", "0"},
        {"max_vlan_headers", "2"},
        {"trunc", "true"},
        {"ufid", "true"},
    };

    for (size_t i = 0; i < ovsdb_row_count(root, "datapaths"); i++) {
        const char *type = ovsdb_row_string_at(root, "datapaths", i);
        const struct ovsdb_row *row = ovsdb_row_ref_at(root, "datapaths", i);
        json_t *map;

        if (!row || !type || (strcmp(type, "system") && strcmp(type, "netdev")))
            continue;
        map = ovsdb_json_map();
        for (size_t c = 0; c < ARRAY_SIZE(capabilities); c++)
            ovsdb_json_map_add_string(map, capabilities[c][0], capabilities[c][1]);
        ovsdb_txn_set_take(txn, row, "capabilities", map);
        ovsdb_txn_set_take(txn, row, "datapath_version", json_string(WEIR_VERSION));
    }
}

static void set_root(struct status *status, struct ovsdb_txn *txn)
{
    static const char *const datapath_types[] = {"netdev", "system"};
    static const char *const interface_types[] = {"internal", "patch", "system", "tap"};
    const struct ovsdb_row *row = ovsdb_client_first(status->vswitch->db, "Open_vSwitch");
    char id[128], version[128];

    if (!row)
        return;
    read_os_release(id, version, sizeof id);
    ovsdb_txn_set_take(txn, row, "ovs_version", json_string(OVS_VERSION));
    ovsdb_txn_set_take(txn, row, "db_version", json_string(DB_VERSION));
    ovsdb_txn_set_take(txn, row, "system_type", json_string(id));
    ovsdb_txn_set_take(txn, row, "system_version", json_string(version));
    ovsdb_txn_set_take(txn, row, "datapath_types",
                       string_set(datapath_types, ARRAY_SIZE(datapath_types)));
    ovsdb_txn_set_take(txn, row, "iface_types",
                       string_set(interface_types, ARRAY_SIZE(interface_types)));
    ovsdb_txn_set_take(txn, row, "dpdk_initialized", json_false());
    ovsdb_txn_set_take(txn, row, "dpdk_version", json_string("none"));
    set_datapaths(txn, row);
    if (status->is_applied)
        ovsdb_txn_set_take(txn, row, "cur_cfg", json_integer(status->applied_cfg));
}

/* --- Rounds -------------------------------------------------------------------------------- */

static void write_round(struct status *status);

static void on_committed(enum ovsdb_txn_status result, const char *message,
                         const json_t *results UNUSED, void *aux)
{
    struct status *status = aux;

    status->is_under_way = false;
    if (result == OVSDB_TXN_REFUSED)
        log_err_limited("the database refuses our status: %s", message);
    if (status->is_wanted && result != OVSDB_TXN_LOST)
        write_round(status);
}

static void write_round(struct status *status)
{
    struct vswitch *vswitch = status->vswitch;
    struct ovsdb_txn *txn;
    struct bridge *bridge, *next;

    if (status->is_under_way || !ovsdb_client_is_connected(vswitch->db)) {
        status->is_wanted = true;
        return;
    }
    txn = ovsdb_txn_create(vswitch->db);
    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        set_bridge(txn, bridge, status->has_statistics);
    for (size_t i = 0; i < vswitch->n_refusals; i++)
        set_refusal(txn, vswitch->db, &vswitch->refusals[i]);
    set_root(status, txn);
    status->is_under_way = true;
    status->is_wanted = status->has_statistics = false;
    ovsdb_txn_commit_take(txn, on_committed, status);
}

static void on_statistics_due(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
    struct status *status = timer->data;

    datapath_push_stats(status->vswitch->datapath);
    status->has_statistics = true;
    write_round(status);
}

struct status *status_create(struct vswitch *vswitch)
{
    struct status *status = calloc(1, sizeof *status);

    if (!status)
        abort();
    status->vswitch = vswitch;
    ev_timer_init(&status->statistics, on_statistics_due, 5, 5);
    status->statistics.data = status;
    ev_timer_start(vswitch->loop, &status->statistics);
    return status;
}

void status_destroy(struct status *status)
{
    if (!status)
        return;
    ev_timer_stop(status->vswitch->loop, &status->statistics);
    free(status);
}

void status_update(struct status *status)
{
    write_round(status);
}

void status_applied(struct status *status)
{
    const struct ovsdb_row *row = ovsdb_client_first(status->vswitch->db, "Open_vSwitch");

    status->is_applied = row;
    status->applied_cfg = row ? ovsdb_row_integer(row, "next_cfg", 0) : 0;
    write_round(status);
}

void status_set_interval(struct status *status, int64_t interval_ms)
{
    double interval_s = (double)interval_ms / 1000;

    if (status->statistics.repeat == interval_s)
        return;
    status->statistics.repeat = interval_s;
    ev_timer_again(status->vswitch->loop, &status->statistics);
}
