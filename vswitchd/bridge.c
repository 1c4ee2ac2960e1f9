/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/bridge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/tunnel_options.h"
#include "vswitchd/fdb.h"
#include "vswitchd/flow_journal.h"
#include "vswitchd/flow_mod.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/forwarding.h"
#include "vswitchd/lessons.h"
#include "vswitchd/meter_table.h"
#include "vswitchd/of_server.h"
#include "vswitchd/ofports.h"
#include "vswitchd/packet_in.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(bridge);

#define FAIL_OPEN_NS (15 * SECOND_NS) /* Three silent inactivity probes, as in Open vSwitch. */

static void on_tables_changed(void *aux)
{
    struct bridge *bridge = aux;

    flow_journal_commit(bridge->journal);
    datapath_invalidate(bridge->vswitch->datapath, DP_SLOT_ALL);
}

static void on_rule_removed(void *aux, const struct rule *rule, enum flow_removed_reason reason)
{
    struct bridge *bridge = aux;

    flow_journal_delete(bridge->journal, rule);
    if (bridge->server && of_server_wants_removed(bridge->server, rule))
        of_server_flow_removed(bridge->server, rule, reason, clock_now_ns());
}

static void on_rule_added(void *aux, const struct rule *rule)
{
    struct bridge *bridge = aux;

    flow_journal_add(bridge->journal, rule);
    if (bridge->server)
        of_server_flow_added(bridge->server, rule);
}

static void on_rule_modified(void *aux, const struct rule *rule)
{
    struct bridge *bridge = aux;

    flow_journal_modify(bridge->journal, rule);
    if (bridge->server)
        of_server_flow_modified(bridge->server, rule);
}

static void on_vacancy(void *aux, uint8_t table_id, enum of_table_reason reason, uint8_t percent)
{
    const struct bridge *bridge = aux;

    if (bridge->server)
        of_server_table_status(bridge->server, table_id, reason, percent);
}

static void on_table_configured(void *aux, uint8_t table_id)
{
    const struct bridge *bridge = aux;

    flow_journal_put_table(bridge->journal, table_id);
}

static void on_meter_changed(void *aux, const struct meter *meter, bool is_gone)
{
    struct bridge *bridge = aux;

    flow_journal_put_meter(bridge->journal, meter, is_gone);
    datapath_invalidate(bridge->vswitch->datapath, DP_SLOT_ALL);
}

static const struct meter_table_events meter_events = {.changed = on_meter_changed};

static void push_stats(void *aux)
{
    struct bridge *bridge = aux;

    datapath_push_stats(bridge->vswitch->datapath);
}

static const struct flow_tables_events table_events = {
    .changed = on_tables_changed,
    .removed = on_rule_removed,
    .added = on_rule_added,
    .modified = on_rule_modified,
    .vacancy = on_vacancy,
    .configured = on_table_configured,
    .push_stats = push_stats,
};

/* Any thread. */
static void on_frames_heard(void *aux)
{
    vswitch_hear_frames(aux);
}

/* fail_mode standalone: without a controller the bridge is a learning switch.  The flow is an ordinary
 * one, and once deleted it stays away until the fail_mode is set again. */
static void change_normal_flow(struct bridge *bridge, enum of_flow_command command)
{
    const char *text = command == OFFC_ADD ? "table=0,priority=0,actions=NORMAL"
                                           : "table=0,priority=0";
    struct of_flow_mod flow;
    struct error error = ERROR_INIT;

    if (of_flow_mod_parse(text, command, NULL, &flow, &error) ||
        flow_mod_apply(bridge->tables, &flow, clock_now_ns()) != OF_OK)
        log_err("bridge %s: cannot change the default flow: %s", bridge->name, error.message);
    of_flow_mod_fini(&flow);
    flow_tables_publish(bridge->tables);
}

void bridge_follow_controllers(struct bridge *bridge, int64_t now_ns)
{
    bool has_controller = bridge->server && of_server_has_controller(bridge->server);

    if (has_controller)
        bridge->orphaned_ns = 0;
    else if (!bridge->orphaned_ns)
        bridge->orphaned_ns = now_ns;

    if (bridge->is_failed_open && has_controller) {
        change_normal_flow(bridge, OFFC_DELETE_STRICT);
        bridge->is_failed_open = false;
        log_info("bridge %s: a controller is connected: the default flow is removed", bridge->name);
    } else if (!bridge->is_failed_open && !bridge->is_secure && bridge->n_controllers &&
               !has_controller && now_ns - bridge->orphaned_ns > FAIL_OPEN_NS) {
        change_normal_flow(bridge, OFFC_ADD);
        bridge->is_failed_open = true;
        log_warn("bridge %s: no controller is connected: added the default flow", bridge->name);
    }
}

static bool wants_normal_flow(const struct wanted_bridge *wanted)
{
    return !wanted->is_secure && !wanted->n_controllers;
}

static void replace_text(char **text, const char *value)
{
    free(*text);
    *text = value ? strdup(value) : NULL;
}

static void set_plain_settings(struct bridge *bridge, const struct wanted_bridge *wanted)
{
    if (bridge->datapath_id != wanted->datapath_id)
        log_info("bridge %s: datapath id is %016" PRIx64, bridge->name, wanted->datapath_id);
    bridge->uuid = wanted->uuid;
    bridge->datapath_id = wanted->datapath_id;
    bridge->is_secure = wanted->is_secure;
    bridge->n_controllers = wanted->n_controllers;
    bridge->forwards_bpdu = wanted->forwards_bpdu;
    replace_text(&bridge->description, wanted->description);
}

static struct flow_journal_owner journal_owner(const struct wanted_bridge *wanted)
{
    return (struct flow_journal_owner){
        .bridge = wanted->uuid,
        .has_normal_flow = wants_normal_flow(wanted),
    };
}

/* True: the tables are as an earlier daemon had them. */
static bool open_journal(struct bridge *bridge, const struct wanted_bridge *wanted)
{
    const struct flow_journal_owner owner = journal_owner(wanted);
    bool is_restored;

    tunnel_options_need_table(); /* Before the first flow is decoded. */
    bridge->journal = flow_journal_open(bridge->name, &owner, bridge->tables, bridge->meters,
                                        &is_restored);
    return is_restored;
}

struct bridge *bridge_create(struct vswitch *vswitch, const struct wanted_bridge *wanted)
{
    struct bridge *bridge = calloc(1, sizeof *bridge);

    if (!bridge)
        abort();
    bridge->vswitch = vswitch;
    bridge->name = strdup(wanted->name);
    bridge->id = ++vswitch->n_bridges_ever;
    bridge->frag_mode = OF_FRAG_NORMAL;
    set_plain_settings(bridge, wanted);
    bridge->tables = flow_tables_create(&table_events, bridge);
    bridge->meters = meter_table_create(datapath_meters(vswitch->datapath), &meter_events, bridge);
    bridge->fdb = fdb_create(wanted->max_stations, wanted->station_age_s, DP_N_SLOTS,
                             forwarding_station_changed, vswitch);
    bridge->packet_ins = packet_in_queue_create(on_frames_heard, vswitch);
    bridge->lessons = lesson_queue_create(on_frames_heard, vswitch);
    if (!bridge->tables || !bridge->fdb || !bridge->packet_ins)
        abort();
    bool is_restored = open_journal(bridge, wanted);
    bridge_open_server(bridge, wanted);
    bridge_set_tables(bridge, &wanted->tables);
    if (wants_normal_flow(wanted) && !is_restored)
        change_normal_flow(bridge, OFFC_ADD);
    log_info("added bridge %s", bridge->name);
    return bridge;
}

void bridge_close_server(struct bridge *bridge)
{
    struct of_server *server = bridge->server; /* Its end may make it call us. */

    bridge->server = NULL;
    of_server_destroy(server);
}

void bridge_close(struct bridge *bridge)
{
    struct interface *interface, *next;

    HASH_ITER (by_name, bridge->interfaces, interface, next)
        interface_close(interface);
    bridge_close_server(bridge);
}

void bridge_destroy(struct bridge *bridge)
{
    struct interface *interface, *next;

    HASH_ITER (by_name, bridge->interfaces, interface, next) {
        HASH_DELETE(by_name, bridge->interfaces, interface);
        interface_destroy(interface);
    }
    lesson_queue_destroy(bridge->lessons);
    flow_journal_remove(bridge->journal);
    flow_tables_destroy(bridge->tables);
    meter_table_destroy(bridge->meters);
    fdb_destroy(bridge->fdb);
    packet_in_queue_destroy(bridge->packet_ins);
    log_info("removed bridge %s", bridge->name);
    free(bridge->stale_ports);
    free(bridge->description);
    free(bridge->name);
    free(bridge);
}

void bridge_set_settings(struct bridge *bridge, const struct wanted_bridge *wanted)
{
    bool had_normal_flow = !bridge->is_secure && !bridge->n_controllers;

    set_plain_settings(bridge, wanted);
    fdb_set_limits(bridge->fdb, wanted->max_stations, wanted->station_age_s);
    bridge_open_server(bridge, wanted);
    bridge_set_tables(bridge, &wanted->tables);
    if (wants_normal_flow(wanted) && !had_normal_flow)
        change_normal_flow(bridge, OFFC_ADD);
    const struct flow_journal_owner owner = journal_owner(wanted);
    flow_journal_set_owner(bridge->journal, &owner);
}

void bridge_add_interface(struct bridge *bridge, struct wanted_interface *settings_take)
{
    struct interface *interface = interface_create(bridge, settings_take);

    interface->config = flow_journal_port(bridge->journal, &interface->settings->uuid);
    HASH_ADD_KEYPTR(by_name, bridge->interfaces, interface->name, strlen(interface->name),
                    interface);
}

void bridge_forget_stations(struct bridge *bridge, of_port port)
{
    fdb_flush_port(bridge->fdb, port);
    bridge->stale_ports = reallocarray(bridge->stale_ports, bridge->n_stale_ports + 1,
                                       sizeof *bridge->stale_ports);
    if (!bridge->stale_ports)
        abort();
    bridge->stale_ports[bridge->n_stale_ports++] = port;
}

void bridge_forget_stale_stations(struct bridge *bridge)
{
    for (size_t i = 0; i < bridge->n_stale_ports; i++)
        fdb_flush_port(bridge->fdb, bridge->stale_ports[i]);
    free(bridge->stale_ports);
    bridge->stale_ports = NULL;
    bridge->n_stale_ports = 0;
}

void bridge_close_interface(struct bridge *bridge, struct interface *interface)
{
    interface_close(interface);
    if (interface->ofport != OFPP_NONE)
        bridge_forget_stations(bridge, interface->ofport);
}

void bridge_remove_interface(struct bridge *bridge, struct interface *interface)
{
    bridge_close_interface(bridge, interface);
    if (bridge->server && interface->told.port != OFPP_NONE)
        of_server_port_status(bridge->server, OFPPR_DELETE, &interface->told);
    flow_journal_put_port(bridge->journal, &interface->settings->uuid, 0);
    log_info("bridge %s: removed interface %s", bridge->name, interface->name);
    HASH_DELETE(by_name, bridge->interfaces, interface);
    interface_destroy(interface);
}

static struct ofport_wish wish_of(const struct interface *interface)
{
    const struct wanted_interface *settings = interface->settings;

    return (struct ofport_wish){
        .request = settings->ofport_request,
        .held = interface->ofport != OFPP_NONE ? interface->ofport : settings->ofport_recorded,
        .is_local = settings->is_local,
    };
}

/* An interface that was never open keeps no number if it cannot be opened now: -1 is what its row says. */
static bool open_interface(struct bridge *bridge, struct interface *interface, of_port number,
                           bool was_numbered)
{
    bool was_open = interface_is_open(interface);
    bool is_renumbered = was_open && interface->ofport != number;

    if (interface->ofport != number && interface->ofport != OFPP_NONE)
        bridge_forget_stations(bridge, interface->ofport);
    interface->ofport = number;
    if (number != OFPP_NONE)
        interface_open(interface);
    else
        error_set(&interface->error, -ENOSPC, "%s: no OpenFlow port number is free",
                  interface->name);
    if (!interface_is_open(interface) && !was_numbered)
        interface->ofport = OFPP_NONE;
    return is_renumbered || interface_is_open(interface) != was_open;
}

bool bridge_open_interfaces(struct bridge *bridge)
{
    size_t n = HASH_CNT(by_name, bridge->interfaces), i = 0;
    struct ofport_wish *wishes = calloc(n + 1, sizeof *wishes);
    struct interface *interface, *next;
    bool is_changed = false;

    if (!wishes)
        abort();
    HASH_ITER (by_name, bridge->interfaces, interface, next)
        wishes[i++] = wish_of(interface);
    ofports_assign(wishes, n);
    i = 0;
    HASH_ITER (by_name, bridge->interfaces, interface, next) {
        is_changed |= open_interface(bridge, interface, wishes[i].result,
                                     wishes[i].held != OFPP_NONE);
        i++;
    }
    free(wishes);
    return is_changed;
}

/* Devices that are not there are told by the kernel when they come. */
static bool may_recover(const struct interface *interface)
{
    return !interface_is_open(interface) && !interface->settings->error.code &&
           interface->error.code && interface->error.code != -ENODEV;
}

bool bridge_has_failures(const struct bridge *bridge)
{
    const struct interface *interface;

    for (interface = bridge->interfaces; interface; interface = interface->by_name.next)
        if (may_recover(interface))
            return true;
    return !bridge->server;
}

struct interface *bridge_interface(const struct bridge *bridge, const char *name)
{
    struct interface *interface;

    HASH_FIND(by_name, bridge->interfaces, name, strlen(name), interface);
    return interface;
}

struct interface *bridge_interface_by_ofport(const struct bridge *bridge, of_port port)
{
    struct interface *interface, *next;

    HASH_ITER (by_name, bridge->interfaces, interface, next)
        if (interface->ofport == port && interface_is_open(interface))
            return interface;
    return NULL;
}

struct interface *bridge_find_port(const struct bridge *bridge, const char *text)
{
    struct interface *interface = bridge_interface(bridge, text);
    of_port port;

    if (interface)
        return interface;
    if (of_port_parse(text, NULL, &port, NULL))
        return NULL;
    return bridge_interface_by_ofport(bridge, port);
}

static void tell_port(struct bridge *bridge, struct interface *interface)
{
    struct of_port_info now;
    bool was_told = interface->told.port != OFPP_NONE;
    bool is_there = interface_is_open(interface) && interface->ofport != OFPP_NONE;

    interface_describe(interface, &now);
    if (was_told && (!is_there || now.port != interface->told.port)) {
        of_server_port_status(bridge->server, OFPPR_DELETE, &interface->told);
        interface->told.port = OFPP_NONE;
        was_told = false;
    }
    if (is_there && (!was_told || memcmp(&now, &interface->told, sizeof now))) {
        of_server_port_status(bridge->server, was_told ? OFPPR_MODIFY : OFPPR_ADD, &now);
        interface->told = now;
    }
}

void bridge_tell_ports(struct bridge *bridge)
{
    struct interface *interface, *next;

    if (!bridge->server)
        return;
    HASH_ITER (by_name, bridge->interfaces, interface, next)
        tell_port(bridge, interface);
}
