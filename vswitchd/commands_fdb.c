/* SPDX-License-Identifier: Apache-2.0 */

/* fdb/...: which stations a bridge knows. */

#include <errno.h>
#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/fdb.h"
#include "vswitchd/vswitch.h"

struct listing {
    struct buffer text;
    json_t *json;
    int64_t now_ns;
};

static long long age_s(const struct fdb_entry_info *entry, int64_t now_ns)
{
    return (now_ns - entry->heard_ns) / SECOND_NS;
}

static void list_entry_text(const struct fdb_entry_info *entry, void *arg)
{
    struct listing *listing = arg;
    struct buffer port = BUFFER_INIT;

    of_port_format(entry->port, NULL, &port);
    buffer_printf(&listing->text, "%5s  %4u  " MAC_FORMAT, buffer_text(&port), entry->vid,
                  MAC_ARGS(entry->mac));
    if (entry->is_static)
        buffer_puts(&listing->text, "  static\n");
    else
        buffer_printf(&listing->text, "  %3lld\n", age_s(entry, listing->now_ns));
    buffer_fini(&port);
}

static void list_entry_json(const struct fdb_entry_info *entry, void *arg)
{
    struct listing *listing = arg;
    struct buffer port = BUFFER_INIT, mac = BUFFER_INIT;
    json_t *json;

    of_port_format(entry->port, NULL, &port);
    buffer_printf(&mac, MAC_FORMAT, MAC_ARGS(entry->mac));
    json = json_pack("{s:s, s:i, s:s, s:b}", "port", buffer_text(&port), "vlan", (int)entry->vid,
                     "mac", buffer_text(&mac), "static", (int)entry->is_static);
    if (!entry->is_static)
        json_object_set_new(json, "age", json_integer(age_s(entry, listing->now_ns)));
    json_array_append_new(listing->json, json);
    buffer_fini(&port);
    buffer_fini(&mac);
}

static void cmd_show(struct unixctl_request *request, int argc UNUSED, const char *const argv[],
                     void *aux)
{
    struct bridge *bridge = commands_find_bridge(request, aux, argv[1]);
    struct listing listing = {.text = BUFFER_INIT, .now_ns = clock_now_ns()};

    if (!bridge)
        return;
    datapath_push_stats(bridge->vswitch->datapath);
    if (unixctl_request_wants_json(request)) {
        listing.json = json_array();
        fdb_each(bridge->fdb, list_entry_json, &listing);
        unixctl_reply_json_take(request, listing.json);
        return;
    }
    buffer_puts(&listing.text, " port  VLAN  MAC                Age\n");
    fdb_each(bridge->fdb, list_entry_text, &listing);
    unixctl_reply(request, buffer_text(&listing.text));
    buffer_fini(&listing.text);
}

/* Does 'act' to the fdb of the bridge named in 'argv', or to every bridge's without a name. */
static void act_on_bridges(struct unixctl_request *request, int argc, const char *const argv[],
                           struct vswitch *vswitch, void (*act)(struct fdb *), const char *answer)
{
    struct bridge *bridge, *next;

    if (argc > 1) {
        bridge = commands_find_bridge(request, vswitch, argv[1]);
        if (!bridge)
            return;
        act(bridge->fdb);
    } else {
        HASH_ITER (by_name, vswitch->bridges, bridge, next)
            act(bridge->fdb);
    }
    unixctl_reply(request, answer);
}

static void cmd_flush(struct unixctl_request *request, int argc, const char *const argv[],
                      void *aux)
{
    act_on_bridges(request, argc, argv, aux, fdb_flush_all, "table successfully flushed");
}

/* Of fdb/add and fdb/del; false if the request has been answered with an error. */
static bool parse_station(struct unixctl_request *request, const char *vlan, const char *mac_text,
                          uint16_t *vid, struct mac *mac)
{
    char *end;
    unsigned long number = strtoul(vlan, &end, 10);

    if (!*vlan || *end || number > 4095) {
        unixctl_reply_error(request, "%s: a VLAN is a number from 0 to 4095", vlan);
        return false;
    }
    *vid = (uint16_t)number;
    if (!mac_parse(mac_text, mac)) {
        unixctl_reply_error(request, "bad MAC address");
        return false;
    }
    if (mac_is_multicast(*mac)) {
        unixctl_reply_error(request, "%s: a group address is not a station", mac_text);
        return false;
    }
    return true;
}

static void cmd_add(struct unixctl_request *request, int argc UNUSED, const char *const argv[],
                    void *aux)
{
    struct bridge *bridge = commands_find_bridge(request, aux, argv[1]);
    struct interface *interface;
    struct mac mac;
    uint16_t vid;

    if (!bridge || !parse_station(request, argv[3], argv[4], &vid, &mac))
        return;
    interface = bridge_find_port(bridge, argv[2]);
    if (!interface || interface->ofport == OFPP_NONE)
        unixctl_reply_error(request, "%s: bridge %s has no such port", argv[2], bridge->name);
    else if (fdb_add_static(bridge->fdb, vid, mac, interface->ofport))
        unixctl_reply_error(request, "%s: the table is full", argv[4]);
    else
        unixctl_reply(request, NULL);
}

static void cmd_del(struct unixctl_request *request, int argc UNUSED, const char *const argv[],
                    void *aux)
{
    struct bridge *bridge = commands_find_bridge(request, aux, argv[1]);
    struct mac mac;
    uint16_t vid;

    if (!bridge || !parse_station(request, argv[2], argv[3], &vid, &mac))
        return;
    if (fdb_remove(bridge->fdb, vid, mac))
        unixctl_reply_error(request, "could not find static mac entry");
    else
        unixctl_reply(request, NULL);
}

static void cmd_stats_show(struct unixctl_request *request, int argc UNUSED,
                           const char *const argv[], void *aux)
{
    struct bridge *bridge = commands_find_bridge(request, aux, argv[1]);
    struct fdb_stats stats;

    if (!bridge)
        return;
    fdb_get_stats(bridge->fdb, &stats);
    unixctl_reply_format(request,
                         "Statistics for bridge \"%s\":\n"
                         "  Current/maximum MAC entries in the table: %zu/%zu\n"
                         "  Current static MAC entries in the table : %zu\n"
                         "  Total number of learned MAC entries     : %llu\n"
                         "  Total number of expired MAC entries     : %llu\n"
                         "  Total number of evicted MAC entries     : %llu\n"
                         "  Total number of port moved MAC entries  : %llu\n",
                         bridge->name, stats.n_entries, stats.max_entries, stats.n_static,
                         (unsigned long long)stats.n_learned, (unsigned long long)stats.n_expired,
                         (unsigned long long)stats.n_evicted, (unsigned long long)stats.n_moved);
}

static void cmd_stats_clear(struct unixctl_request *request, int argc, const char *const argv[],
                            void *aux)
{
    act_on_bridges(request, argc, argv, aux, fdb_clear_stats, "statistics successfully cleared");
}

void commands_fdb_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "fdb/show", "bridge", 1, 1, cmd_show, vswitch);
    unixctl_command_register(server, "fdb/flush", "[bridge]", 0, 1, cmd_flush, vswitch);
    unixctl_command_register(server, "fdb/add", "bridge port vlan mac", 4, 4, cmd_add, vswitch);
    unixctl_command_register(server, "fdb/del", "bridge vlan mac", 3, 3, cmd_del, vswitch);
    unixctl_command_register(server, "fdb/stats-show", "bridge", 1, 1, cmd_stats_show, vswitch);
    unixctl_command_register(server, "fdb/stats-clear", "[bridge]", 0, 1, cmd_stats_clear, vswitch);
}
