/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/reconfigure.h"

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "vswitchd/bridge.h"
#include "vswitchd/fdb.h"
#include "vswitchd/flow_journal.h"
#include "vswitchd/forwarding.h"
#include "vswitchd/status.h"
#include "vswitchd/vswitch.h"
#include "vswitchd/wanted.h"

LOG_MODULE(reconfigure);

static struct wanted_bridge *wanted_bridge(const struct wanted *wanted, const char *name)
{
    struct wanted_bridge *bridge;

    HASH_FIND(by_name, wanted->bridges, name, strlen(name), bridge);
    return bridge && !bridge->error.code ? bridge : NULL;
}

static struct wanted_interface *wanted_interface(const struct wanted_bridge *bridge,
                                                 const char *name)
{
    struct wanted_interface *interface;

    HASH_FIND(by_name, bridge->interfaces, name, strlen(name), interface);
    return interface;
}

/* --- Removes ------------------------------------------------------------------------------- */

/* Closes bridges that nobody wants; the list of them. */
static struct bridge *remove_bridges(struct vswitch *vswitch, const struct wanted *wanted)
{
    struct bridge *bridge, *next, *closed = NULL;

    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        if (wanted_bridge(wanted, bridge->name))
            continue;
        HASH_DELETE(by_name, vswitch->bridges, bridge);
        bridge_close(bridge);
        bridge->next_closed = closed;
        closed = bridge;
    }
    return closed;
}

/* True if there were any. */
static bool remove_interfaces(struct bridge *bridge, const struct wanted_bridge *wanted)
{
    struct interface *interface, *next;
    bool is_changed = false;

    HASH_ITER (by_name, bridge->interfaces, interface, next) {
        const struct wanted_interface *settings = wanted_interface(wanted, interface->name);

        if (!settings || settings->type != interface->settings->type)
            bridge_remove_interface(bridge, interface);
        else if (settings->error.code && interface_is_open(interface))
            bridge_close_interface(bridge, interface);
        else
            continue;
        is_changed = true;
    }
    return is_changed;
}

/* Translations under way may still use them, and cached verdicts credit their tables. */
static void destroy_bridges(struct vswitch *vswitch, struct bridge *closed)
{
    struct bridge *next;

    if (!closed)
        return;
    datapath_flush(vswitch->datapath);
    rcu_wait_for_callbacks();
    for (; closed; closed = next) {
        next = closed->next_closed;
        bridge_destroy(closed);
    }
}

static void remove_unwanted(struct vswitch *vswitch, const struct wanted *wanted)
{
    struct bridge *closed = remove_bridges(vswitch, wanted);
    struct bridge *bridge, *next;
    bool is_changed = closed;

    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        is_changed |= remove_interfaces(bridge, wanted_bridge(wanted, bridge->name));
    if (is_changed)
        forwarding_publish(vswitch);
    destroy_bridges(vswitch, closed);
}

/* --- Adds ---------------------------------------------------------------------------------- */

static void set_interface(struct bridge *bridge, struct wanted_interface *settings)
{
    struct interface *interface = bridge_interface(bridge, settings->name);

    if (!interface) {
        bridge_add_interface(bridge, settings);
        return;
    }
    /* Stations were heard in VLANs that the port may no longer carry. */
    if (memcmp(&settings->vlans, &interface->settings->vlans, sizeof settings->vlans))
        bridge_forget_stations(bridge, interface->ofport);
    /* Deleted and added by one transaction it is still the same port, as in Open vSwitch. */
    const struct uuid row = interface->settings->uuid;
    interface_set_settings_take(interface, settings);
    if (uuid_equal(&row, &settings->uuid))
        return;
    flow_journal_put_port(bridge->journal, &settings->uuid, interface->config);
    flow_journal_put_port(bridge->journal, &row, 0);
}

static void set_interfaces(struct bridge *bridge, struct wanted_bridge *wanted)
{
    struct wanted_interface *settings, *next;

    HASH_ITER (by_name, wanted->interfaces, settings, next) {
        wanted_interface_take(wanted, settings);
        set_interface(bridge, settings);
    }
    bridge_open_interfaces(bridge);
}

static void refuse_interfaces(struct vswitch *vswitch, const struct wanted_bridge *wanted)
{
    const struct wanted_interface *interface;

    for (interface = wanted->interfaces; interface; interface = interface->by_name.next) {
        struct refusal *grown = realloc(vswitch->refusals,
                                        (vswitch->n_refusals + 1) * sizeof *grown);
        if (!grown)
            abort();
        vswitch->refusals = grown;
        grown[vswitch->n_refusals++] = (struct refusal){.interface = interface->uuid,
                                                        .error = wanted->error};
    }
}

static void add_wanted(struct vswitch *vswitch, struct wanted *wanted)
{
    struct wanted_bridge *from, *next;

    vswitch->n_refusals = 0;
    HASH_ITER (by_name, wanted->bridges, from, next) {
        struct bridge *bridge = vswitch_bridge(vswitch, from->name);

        if (from->error.code) {
            log_warn_limited("%s", from->error.message);
            refuse_interfaces(vswitch, from);
            continue;
        }
        if (bridge) {
            bridge_set_settings(bridge, from);
        } else {
            bridge = bridge_create(vswitch, from);
            HASH_ADD_KEYPTR(by_name, vswitch->bridges, bridge->name, strlen(bridge->name), bridge);
        }
        set_interfaces(bridge, from);
    }
}

/* What a switch before us has left on devices goes on forwarding until all that is wanted is there. */
static void take_over(struct vswitch *vswitch)
{
    if (vswitch->is_waiting_for_flows)
        return;
    vswitch->has_taken_over = true;
    datapath_take_over(vswitch->datapath);
}

void reconfigure(struct vswitch *vswitch)
{
    struct wanted *wanted = wanted_read(vswitch->db);
    struct bridge *bridge, *next;

    vswitch->must_reconfigure = false;
    vswitch->n_reconfigurations++;
    vswitch->vlan_limit = wanted->vlan_limit;
    /* Who sets it in good time before a restart does not mean us. */
    vswitch->is_waiting_for_flows = wanted->must_wait_for_flows && !vswitch->has_taken_over;
    status_set_interval(vswitch->status, wanted->stats_interval_ms);
    datapath_set_limits(vswitch->datapath, wanted->max_cached_flows,
                        wanted->max_idle_ms * MILLISECOND_NS);

    remove_unwanted(vswitch, wanted);
    add_wanted(vswitch, wanted);
    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        if (bridge->server)
            of_server_set_bundle_idle(bridge->server, wanted->bundle_idle_s);
    wanted_destroy(wanted);

    forwarding_publish(vswitch);
    take_over(vswitch);
    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        bridge_tell_ports(bridge);
    status_applied(vswitch->status);
}
