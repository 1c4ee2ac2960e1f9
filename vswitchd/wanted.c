/* SPDX-License-Identifier: Apache-2.0 */

/* Names are claimed in the order in which rows are read: of two ports that list the same interface, or
 * bridges that list the same port, the first by name has it. */

#include "vswitchd/wanted.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/ovsdb/client.h"
#include "vswitchd/of_bundle.h"

enum {
    DEFAULT_STATS_INTERVAL_MS = 5000,
    DEFAULT_IDLE_MS = 10000,
    DEFAULT_CACHED_FLOWS = 200000,
    MAX_CACHED_FLOWS = 10000000,
    MAX_STATIONS = 1000000,
    MAX_PACKET_INS = 100000, /* A second, and waiting. */
    MTU_MIN = 68,
    MTU_MAX = 65535,
};

/* Columns that say what is wanted; the rest of a row is ours or nobody's business. */
static const struct {
    const char *table;
    const char *columns[9];
} wanted_columns[] = {
    {"Open_vSwitch", {"bridges", "datapaths", "other_config", "next_cfg", "ssl"}},
    {"SSL", {"private_key", "certificate", "ca_cert", "bootstrap_ca_cert"}},
    {"Bridge",
     {"name", "ports", "fail_mode", "datapath_type", "protocols", "other_config", "controller",
      "flow_tables"}},
    {"Flow_Table", {"name", "flow_limit", "overflow_policy", "groups"}},
    {"Controller",
     {"target", "max_backoff", "inactivity_probe", "enable_async_messages", "controller_rate_limit",
      "controller_burst_limit", "controller_queue_size"}},
    {"Port", {"name", "interfaces", "tag", "trunks", "vlan_mode", "other_config"}},
    {"Interface",
     {"name", "type", "options", "ofport_request", "mac", "mtu_request", "other_config"}},
};

void wanted_watch(struct ovsdb_client *client)
{
    ovsdb_client_watch(client, "Open_vSwitch", "bridges", "datapaths", "other_config", "next_cfg",
                       "ssl", "cur_cfg", "ovs_version", "db_version", "system_type",
                       "system_version", "datapath_types", "iface_types", "dpdk_initialized",
                       "dpdk_version", NULL);
    ovsdb_client_watch(client, "Datapath", "capabilities", "datapath_version", NULL);
    ovsdb_client_watch(client, "Bridge", "name", "ports", "fail_mode", "datapath_type", "protocols",
                       "other_config", "controller", "flow_tables", "datapath_id",
                       "datapath_version", NULL);
    ovsdb_client_watch(client, "Flow_Table", "name", "flow_limit", "overflow_policy", "groups",
                       NULL);
    ovsdb_client_watch(client, "Controller", "target", "max_backoff", "inactivity_probe",
                       "enable_async_messages", "controller_rate_limit", "controller_burst_limit",
                       "controller_queue_size", "is_connected", "role", "status", NULL);
    ovsdb_client_watch(client, "SSL", "private_key", "certificate", "ca_cert", "bootstrap_ca_cert",
                       NULL);
    ovsdb_client_watch(client, "Port", "name", "interfaces", "tag", "trunks", "vlan_mode",
                       "other_config", NULL);
    ovsdb_client_watch(client, "Interface", "name", "type", "options", "ofport_request", "mac",
                       "mtu_request", "other_config", "ofport", "error", "mac_in_use", "ifindex",
                       "admin_state", "link_state", "link_speed", "duplex", "link_resets", "mtu",
                       "statistics", "status", NULL);
}

bool wanted_is_affected(const char *table, const struct ovsdb_row *before,
                        const struct ovsdb_row *after)
{
    for (size_t i = 0; i < ARRAY_SIZE(wanted_columns); i++) {
        if (strcmp(table, wanted_columns[i].table))
            continue;
        for (const char *const *column = wanted_columns[i].columns; *column; column++)
            if (!before || !after || ovsdb_row_differs(before, after, *column))
                return true;
    }
    return false;
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static int interface_type_parse(const char *type, enum interface_type *result, struct error *error)
{
    if (!*type || !strcmp(type, "system"))
        *result = INTERFACE_NETDEV;
    else if (!strcmp(type, "internal") || !strcmp(type, "tap"))
        *result = INTERFACE_INTERNAL;
    else if (!strcmp(type, "patch"))
        *result = INTERFACE_PATCH;
    else if (!strncmp(type, "dpdk", 4))
        return error_set(error, -EOPNOTSUPP,
                         "type %s is not supported: attach a NIC by its kernel name, type system",
                         type);
    else
        return error_set(error, -EOPNOTSUPP, "type %s is not supported", type);
    return 0;
}

static of_port of_port_from(int64_t number)
{
    return number > 0 && number < OFPP_MAX ? (of_port)number : OFPP_NONE;
}

static void read_port_vlans(const struct ovsdb_row *port, struct port_vlans *vlans,
                            struct error *error)
{
    size_t n_trunks = ovsdb_row_count(port, "trunks");
    const char *priority_tags = ovsdb_row_map_get(port, "other_config", "priority-tags");
    int64_t *trunks = calloc(n_trunks + 1, sizeof *trunks);

    if (!trunks)
        abort();
    for (size_t i = 0; i < n_trunks; i++)
        trunks[i] = ovsdb_row_integer_at(port, "trunks", i);
    port_vlans_set(vlans, ovsdb_row_string(port, "vlan_mode"),
                   (int)ovsdb_row_integer(port, "tag", -1), trunks, n_trunks, error);
    vlans->sends_priority_tags = priority_tags && strcmp(priority_tags, "never") &&
                                 strcmp(priority_tags, "false");
    free(trunks);
}

static void read_patch_options(const struct ovsdb_row *row, struct wanted_interface *interface)
{
    const char *peer = ovsdb_row_map_get(row, "options", "peer");

    if (!peer)
        error_set(&interface->error, -EINVAL, "%s: patch port needs options:peer", interface->name);
    else if (!strcmp(peer, interface->name))
        error_set(&interface->error, -EINVAL, "%s: a patch port cannot be its own peer",
                  interface->name);
    else
        interface->peer = strdup(peer);
}

static void read_device_settings(const struct ovsdb_row *row, struct wanted_interface *interface)
{
    const char *mac = ovsdb_row_string(row, "mac");
    int64_t mtu = ovsdb_row_integer(row, "mtu_request", 0);

    if (mac && interface->type == INTERFACE_INTERNAL && !interface->is_local) {
        if (!mac_parse(mac, &interface->mac) || mac_is_multicast(interface->mac) ||
            mac_is_zero(interface->mac))
            error_set(&interface->error, -EINVAL, "%s: mac \"%s\" is not a station's MAC address",
                      interface->name, mac);
    }
    if (mtu && (mtu < MTU_MIN || mtu > MTU_MAX))
        error_set(&interface->error, -EINVAL, "%s: mtu_request %" PRId64 " is not an MTU",
                  interface->name, mtu);
    else
        interface->mtu_request = (int)mtu;
}

static int fastpath_parse(const char *text, enum dp_fastpath *fastpath, struct error *error)
{
    if (!strcmp(text, "tc"))
        *fastpath = DP_FASTPATH_TC;
    else if (!strcmp(text, "xdp"))
        *fastpath = DP_FASTPATH_XDP;
    else if (!strcmp(text, "off"))
        *fastpath = DP_FASTPATH_OFF;
    else
        return error_set(error, -EINVAL, "fastpath \"%s\" is none of tc, xdp, off", text);
    return 0;
}

static void read_fastpath(const struct ovsdb_row *row, struct wanted_interface *interface)
{
    const char *text = ovsdb_row_map_get(row, "options", "fastpath");

    if (text && fastpath_parse(text, &interface->fastpath, &interface->error))
        error_prefix(&interface->error, "%s", interface->name);
}

static void read_interface_row(const struct ovsdb_row *row, struct wanted_interface *interface)
{
    struct error *error = &interface->error;
    int result;

    interface->uuid = *ovsdb_row_uuid(row);
    interface->ofport_request = of_port_from(ovsdb_row_integer(row, "ofport_request", 0));
    interface->ofport_recorded = of_port_from(ovsdb_row_integer(row, "ofport", 0));

    if (!interface->is_local) {
        const char *type = ovsdb_row_string(row, "type");
        if (interface_type_parse(type ? type : "", &interface->type, error)) {
            error_prefix(error, "%s", interface->name);
            return;
        }
    }
    result = interface->type == INTERFACE_PATCH ? patch_name_check(interface->name, error)
                                                : device_name_check(interface->name, error);
    if (result)
        return;
    if (interface->type == INTERFACE_PATCH)
        read_patch_options(row, interface);
    else
        read_device_settings(row, interface);
    if (interface->type == INTERFACE_NETDEV && !interface->error.code)
        read_fastpath(row, interface);
}

/* A member of 'bridge' with defaults; NULL if the name is there already. */
static struct wanted_interface *add_interface(struct wanted_bridge *bridge, const char *name)
{
    struct wanted_interface *interface;

    HASH_FIND(by_name, bridge->interfaces, name, strlen(name), interface);
    if (interface)
        return NULL;
    interface = calloc(1, sizeof *interface);
    if (!interface)
        abort();
    interface->name = strdup(name);
    interface->ofport_request = interface->ofport_recorded = OFPP_NONE;
    interface->fastpath = bridge->fastpath;
    interface->is_local = !strcmp(name, bridge->name);
    if (interface->is_local)
        interface->type = INTERFACE_INTERNAL;
    port_vlans_set(&interface->vlans, NULL, -1, NULL, 0, NULL);
    HASH_ADD_KEYPTR(by_name, bridge->interfaces, interface->name, strlen(interface->name),
                    interface);
    return interface;
}

static const struct ovsdb_row *first_interface(const struct ovsdb_row *port)
{
    const struct ovsdb_row *first = NULL;

    for (size_t i = 0; i < ovsdb_row_count(port, "interfaces"); i++) {
        const struct ovsdb_row *row = ovsdb_row_ref_at(port, "interfaces", i);
        if (row &&
            (!first || strcmp(ovsdb_row_string(row, "name"), ovsdb_row_string(first, "name")) < 0))
            first = row;
    }
    return first;
}

static void read_port(const struct ovsdb_row *port, struct wanted_bridge *bridge)
{
    const struct ovsdb_row *first = first_interface(port);

    for (size_t i = 0; i < ovsdb_row_count(port, "interfaces"); i++) {
        const struct ovsdb_row *row = ovsdb_row_ref_at(port, "interfaces", i);
        struct wanted_interface *interface =
            row ? add_interface(bridge, ovsdb_row_string(row, "name")) : NULL;

        if (!interface)
            continue;
        read_interface_row(row, interface);
        if (interface->error.code)
            continue;
        read_port_vlans(port, &interface->vlans, &interface->error);
        if (row != first)
            error_set(&interface->error, -EOPNOTSUPP, "port %s is a bond, which is not supported",
                      ovsdb_row_string(port, "name"));
        if (interface->error.code)
            error_prefix(&interface->error, "%s", interface->name);
    }
}

void wanted_interface_take(struct wanted_bridge *bridge, struct wanted_interface *interface)
{
    HASH_DELETE(by_name, bridge->interfaces, interface);
}

void wanted_interface_destroy(struct wanted_interface *interface)
{
    if (!interface)
        return;
    free(interface->name);
    free(interface->peer);
    free(interface);
}

/* --- Bridges ------------------------------------------------------------------------------- */

/* A different address for each bridge and interface, and the same one after every restart, without
 * anything being stored: the random bits of its row's UUID, as a local unicast address. */
static struct mac mac_from_uuid(const struct uuid *uuid)
{
    struct mac mac;

    memcpy(mac.bytes, uuid->bytes, sizeof mac.bytes);
    mac.bytes[0] = (uint8_t)((mac.bytes[0] & 0xfc) | 0x02);
    return mac;
}

static uint32_t read_protocols(const struct ovsdb_row *row)
{
    static const char *const names[] = {"OpenFlow10", "OpenFlow11", "OpenFlow12",
                                        "OpenFlow13", "OpenFlow14", "OpenFlow15"};
    uint32_t versions = 0;

    for (size_t i = 0; i < ovsdb_row_count(row, "protocols"); i++)
        for (size_t v = 0; v < ARRAY_SIZE(names); v++)
            if (!strcmp(ovsdb_row_string_at(row, "protocols", i), names[v]))
                versions |= 1u << (OF_1_0 + v);
    return versions;
}

/* A number from other_config within bounds; the fallback if it is absent or is not that. */
static int64_t config_integer(const struct ovsdb_row *row, const char *key, int64_t min,
                              int64_t max, int64_t fallback)
{
    int64_t value = ovsdb_row_map_integer(row, "other_config", key, fallback);

    return value >= min && value <= max ? value : fallback;
}

static void read_bridge_settings(const struct ovsdb_row *row, struct wanted_bridge *bridge)
{
    const char *fail_mode = ovsdb_row_string(row, "fail_mode");
    const char *id = ovsdb_row_map_get(row, "other_config", "datapath-id");
    const char *description = ovsdb_row_map_get(row, "other_config", "dp-desc");
    const char *type = ovsdb_row_string(row, "datapath_type");
    const char *fastpath = ovsdb_row_map_get(row, "other_config", "fastpath");

    bridge->uuid = *ovsdb_row_uuid(row);
    bridge->datapath_id = id ? datapath_id_parse(id) : 0;
    bridge->is_secure = fail_mode && !strcmp(fail_mode, "secure");
    bridge->max_stations = (size_t)config_integer(row, "mac-table-size", 10, MAX_STATIONS,
                                                  FDB_DEFAULT_ENTRIES);
    bridge->station_age_s = (unsigned int)config_integer(row, "mac-aging-time", 1, 1000000,
                                                         FDB_DEFAULT_AGE_S);
    bridge->forwards_bpdu = ovsdb_row_map_bool(row, "other_config", "forward-bpdu", false);
    bridge->of_versions = read_protocols(row);
    bridge->packet_in_queue = (uint32_t)config_integer(
        row, "controller-queue-size", 1, OF_PACKET_IN_QUEUE_MAX, OF_PACKET_IN_QUEUE_DEFAULT);
    bridge->description = description ? strdup(description) : NULL;
    if (fastpath)
        fastpath_parse(fastpath, &bridge->fastpath, NULL);

    if (type && *type && strcmp(type, "system") && strcmp(type, "netdev"))
        error_set(&bridge->error, -EOPNOTSUPP, "bridge %s: datapath_type %s is not supported",
                  bridge->name, type);
    else if (device_name_check(bridge->name, &bridge->error))
        error_prefix(&bridge->error, "bridge");
}

static unsigned int milliseconds(const struct ovsdb_row *row, const char *column)
{
    int64_t value = ovsdb_row_integer(row, column, 0);

    return value > 0 && value <= INT32_MAX ? (unsigned int)value : 0;
}

static uint32_t messages_per_second(const struct ovsdb_row *row, const char *column)
{
    int64_t value = ovsdb_row_integer(row, column, 0);

    return value > 0 && value <= MAX_PACKET_INS ? (uint32_t)value : value > 0 ? MAX_PACKET_INS : 0;
}

static void read_controllers(const struct ovsdb_row *row, struct wanted_bridge *bridge)
{
    size_t n = ovsdb_row_count(row, "controller");

    bridge->controllers = calloc(n + 1, sizeof *bridge->controllers);
    bridge->targets = calloc(n + 1, sizeof *bridge->targets);
    if (!bridge->controllers || !bridge->targets)
        abort();
    for (size_t i = 0; i < n; i++) {
        const struct ovsdb_row *from = ovsdb_row_ref_at(row, "controller", i);
        const char *target = from ? ovsdb_row_string(from, "target") : NULL;
        if (!target)
            continue;
        bridge->targets[bridge->n_controllers] = strdup(target);
        bridge->controllers[bridge->n_controllers] = (struct of_controller){
            .target = bridge->targets[bridge->n_controllers],
            .max_backoff_ms = milliseconds(from, "max_backoff"),
            .inactivity_ms = milliseconds(from, "inactivity_probe"),
            .has_inactivity = ovsdb_row_count(from, "inactivity_probe"),
            .has_no_async = !ovsdb_row_bool(from, "enable_async_messages", true),
            .packet_in_rate = messages_per_second(from, "controller_rate_limit"),
            .packet_in_burst = messages_per_second(from, "controller_burst_limit"),
            .packet_in_queue = (uint32_t)ovsdb_row_integer(from, "controller_queue_size", 0),
        };
        bridge->n_controllers++;
    }
}

/* OVS's rule: other_config:hwaddr, and nothing in the row of the local port itself. */
static void settle_local_port(const struct ovsdb_row *row, struct wanted_bridge *bridge)
{
    const char *hwaddr = ovsdb_row_map_get(row, "other_config", "hwaddr");
    struct wanted_interface *local;

    add_interface(bridge, bridge->name);
    HASH_FIND(by_name, bridge->interfaces, bridge->name, strlen(bridge->name), local);
    if (!hwaddr || !mac_parse(hwaddr, &local->mac) || mac_is_multicast(local->mac) ||
        mac_is_zero(local->mac))
        local->mac = mac_from_uuid(&bridge->uuid);
    if (!bridge->datapath_id)
        bridge->datapath_id = mac_to_u64(local->mac);
}

static void settle_interfaces(struct wanted_bridge *bridge)
{
    struct wanted_interface *interface, *next;

    HASH_ITER (by_name, bridge->interfaces, interface, next) {
        if (interface->type == INTERFACE_INTERNAL && mac_is_zero(interface->mac))
            interface->mac = mac_from_uuid(&interface->uuid);
        if (bridge->error.code)
            interface->error = bridge->error;
    }
}

static void read_bridge(const struct ovsdb_row *row, struct wanted *wanted)
{
    const char *name = ovsdb_row_string(row, "name");
    struct wanted_bridge *bridge = calloc(1, sizeof *bridge);

    if (!bridge)
        abort();
    bridge->name = strdup(name ? name : "");
    read_bridge_settings(row, bridge);
    read_controllers(row, bridge);
    wanted_tables_read(row, &bridge->tables);
    for (size_t i = 0; i < ovsdb_row_count(row, "ports"); i++) {
        const struct ovsdb_row *port = ovsdb_row_ref_at(row, "ports", i);
        if (port)
            read_port(port, bridge);
    }
    settle_local_port(row, bridge);
    settle_interfaces(bridge);
    HASH_ADD_KEYPTR(by_name, wanted->bridges, bridge->name, strlen(bridge->name), bridge);
}

static int compare_interfaces(struct wanted_interface *a, struct wanted_interface *b)
{
    return strcmp(a->name, b->name);
}

static int compare_bridges(struct wanted_bridge *a, struct wanted_bridge *b)
{
    return strcmp(a->name, b->name);
}

/* A name that stands in two bridges stays in the first, unless it is the second one's local port. */
static void remove_duplicate(struct wanted_bridge *first, struct wanted_bridge *second,
                             struct wanted_interface *in_second)
{
    struct wanted_interface *in_first;

    HASH_FIND(by_name, first->interfaces, in_second->name, strlen(in_second->name), in_first);
    if (!in_first)
        return;
    wanted_interface_take(in_second->is_local ? first : second,
                          in_second->is_local ? in_first : in_second);
    wanted_interface_destroy(in_second->is_local ? in_first : in_second);
}

static void remove_duplicates(struct wanted *wanted)
{
    struct wanted_bridge *first, *second;
    struct wanted_interface *interface, *next;

    for (first = wanted->bridges; first; first = first->by_name.next)
        for (second = first->by_name.next; second; second = second->by_name.next)
            HASH_ITER (by_name, second->interfaces, interface, next)
                remove_duplicate(first, second, interface);
}

struct wanted *wanted_read(struct ovsdb_client *client)
{
    const struct ovsdb_row *root = ovsdb_client_first(client, "Open_vSwitch");
    struct wanted *wanted = calloc(1, sizeof *wanted);
    struct wanted_bridge *bridge;

    if (!wanted)
        abort();
    wanted->vlan_limit = 1;
    wanted->stats_interval_ms = DEFAULT_STATS_INTERVAL_MS;
    wanted->max_cached_flows = DEFAULT_CACHED_FLOWS;
    wanted->max_idle_ms = DEFAULT_IDLE_MS;
    wanted->bundle_idle_s = OF_BUNDLE_IDLE_S;
    if (!root)
        return wanted;
    wanted->vlan_limit = (uint8_t)config_integer(root, "vlan-limit", 0, INT32_MAX, 1) == 1 ? 1 : 2;
    wanted->stats_interval_ms = config_integer(root, "stats-update-interval",
                                               DEFAULT_STATS_INTERVAL_MS, INT32_MAX,
                                               DEFAULT_STATS_INTERVAL_MS);
    wanted->max_cached_flows = (uint32_t)config_integer(root, "flow-limit", 1, MAX_CACHED_FLOWS,
                                                        DEFAULT_CACHED_FLOWS);
    wanted->bundle_idle_s = (unsigned int)config_integer(root, "bundle-idle-timeout", 1, INT32_MAX,
                                                         OF_BUNDLE_IDLE_S);
    wanted->max_idle_ms = config_integer(root, "max-idle", 500, INT32_MAX, DEFAULT_IDLE_MS);
    wanted->must_wait_for_flows = ovsdb_row_map_bool(root, "other_config", "flow-restore-wait",
                                                     false);
    for (size_t i = 0; i < ovsdb_row_count(root, "bridges"); i++) {
        const struct ovsdb_row *row = ovsdb_row_ref_at(root, "bridges", i);
        if (row)
            read_bridge(row, wanted);
    }
    HASH_SRT(by_name, wanted->bridges, compare_bridges);
    for (bridge = wanted->bridges; bridge; bridge = bridge->by_name.next)
        HASH_SRT(by_name, bridge->interfaces, compare_interfaces);
    remove_duplicates(wanted);
    return wanted;
}

void wanted_destroy(struct wanted *wanted)
{
    struct wanted_bridge *bridge, *next_bridge;
    struct wanted_interface *interface, *next;

    if (!wanted)
        return;
    HASH_ITER (by_name, wanted->bridges, bridge, next_bridge) {
        HASH_DELETE(by_name, wanted->bridges, bridge);
        HASH_ITER (by_name, bridge->interfaces, interface, next) {
            wanted_interface_take(bridge, interface);
            wanted_interface_destroy(interface);
        }
        free(bridge->name);
        for (size_t i = 0; i < bridge->n_controllers; i++)
            free(bridge->targets[i]);
        free(bridge->targets);
        wanted_tables_fini(&bridge->tables);
        free(bridge->controllers);
        free(bridge->description);
        free(bridge);
    }
    free(wanted);
}
