/* SPDX-License-Identifier: Apache-2.0 */

/* coverage/show and read-counter, memory/show, weir/drops: what is counted. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/annotations.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/coverage.h"
#include "vswitchd/fdb.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/vswitch.h"

static void cmd_coverage_show(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;
    struct buffer text = BUFFER_INIT;

    if (unixctl_request_wants_json(request)) {
        unixctl_reply_json_take(request, coverage_to_json(vswitch->coverage));
        return;
    }
    coverage_format(vswitch->coverage, &text);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void cmd_coverage_read(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[], void *aux)
{
    struct vswitch *vswitch = aux;
    struct buffer text = BUFFER_INIT;
    uint64_t total;

    if (!coverage_read(vswitch->coverage, argv[1], &total)) {
        unixctl_reply_error(request, "No such counter");
        return;
    }
    buffer_printf(&text, "%" PRIu64 "\n", total);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

/* --- memory/show --------------------------------------------------------------------------- */

struct usage {
    unsigned long long n_bridges, n_ports, n_rules, n_stations, n_flows, n_masks, rss_kb;
};

static unsigned long long resident_kb(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long n_total, n_resident = 0;

    if (file && fscanf(file, "%llu %llu", &n_total, &n_resident) != 2)
        n_resident = 0;
    if (file)
        fclose(file);
    return n_resident * (unsigned long long)sysconf(_SC_PAGESIZE) / 1024;
}

static struct usage usage_of(const struct vswitch *vswitch)
{
    struct usage usage = {.rss_kb = resident_kb()};
    struct bridge *bridge, *next;
    struct datapath_stats flows;
    struct fdb_stats stations;

    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        usage.n_bridges++;
        usage.n_ports += HASH_CNT(by_name, bridge->interfaces);
        usage.n_rules += flow_tables_n_flows(bridge->tables);
        fdb_get_stats(bridge->fdb, &stations);
        usage.n_stations += stations.n_entries;
    }
    datapath_get_stats(vswitch->datapath, &flows);
    usage.n_flows = flows.n_megaflows;
    usage.n_masks = flows.n_masks;
    return usage;
}

static void cmd_memory_show(struct unixctl_request *request, int argc UNUSED,
                            const char *const argv[] UNUSED, void *aux)
{
    const struct usage usage = usage_of(aux);

    if (unixctl_request_wants_json(request))
        unixctl_reply_json_take(
            request,
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "bridges", (json_int_t)usage.n_bridges,
                      "ports", (json_int_t)usage.n_ports, "rules", (json_int_t)usage.n_rules,
                      "stations", (json_int_t)usage.n_stations, "flows", (json_int_t)usage.n_flows,
                      "masks", (json_int_t)usage.n_masks, "rss_kb", (json_int_t)usage.rss_kb));
    else
        unixctl_reply_format(request,
                             "bridges:%llu masks:%llu ports:%llu rss_kb:%llu rules:%llu "
                             "stations:%llu udpif keys:%llu\n",
                             usage.n_bridges, usage.n_masks, usage.n_ports, usage.rss_kb,
                             usage.n_rules, usage.n_stations, usage.n_flows);
}

/* --- weir/drops ---------------------------------------------------------------------------- */

struct drops {
    struct buffer text;
    json_t *json; /* NULL: text is wanted. */
};

static void list_drops(struct drops *drops, const struct interface *interface)
{
    struct interface_stats stats;

    interface_get_stats(interface, &stats);
    for (int i = 0; i < DROP_N_REASONS; i++) {
        const char *reason = drop_reason_name((enum drop_reason)i);
        const char *meaning = drop_reason_text((enum drop_reason)i);
        unsigned long long n = stats.port.dropped[i];

        if (!n)
            continue;
        if (drops->json)
            json_array_append_new(
                drops->json, json_pack("{s:s, s:s, s:s, s:I, s:s}", "bridge",
                                       interface->bridge->name, "port", interface->name, "reason",
                                       reason, "frames", (json_int_t)n, "meaning", meaning));
        else
            buffer_printf(&drops->text, "%-15s %-20s %12llu  %s\n", interface->name, reason, n,
                          meaning);
    }
}

static void cmd_drops(struct unixctl_request *request, int argc, const char *const argv[],
                      void *aux)
{
    struct vswitch *vswitch = aux;
    struct drops drops = {.text = BUFFER_INIT};
    bool is_known = argc < 2;

    datapath_push_stats(vswitch->datapath);
    if (unixctl_request_wants_json(request))
        drops.json = json_array();
    else
        buffer_printf(&drops.text, "%-15s %-20s %12s  %s\n", "port", "reason", "frames", "meaning");
    for (uint32_t i = 0; i < ARRAY_SIZE(vswitch->by_dp_port); i++) {
        const struct interface *interface = vswitch->by_dp_port[i];
        if (!interface || (argc > 1 && strcmp(interface->name, argv[1])))
            continue;
        is_known = true;
        list_drops(&drops, interface);
    }
    if (!is_known) {
        json_decref(drops.json);
        unixctl_reply_error(request, "%s: no such port", argv[1]);
    } else if (drops.json) {
        unixctl_reply_json_take(request, drops.json);
    } else {
        unixctl_reply(request, buffer_text(&drops.text));
    }
    buffer_fini(&drops.text);
}

void commands_counters_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "coverage/show", "", 0, 0, cmd_coverage_show, vswitch);
    unixctl_command_register(server, "coverage/read-counter", "COUNTER", 1, 1, cmd_coverage_read,
                             vswitch);
    unixctl_command_register(server, "memory/show", "", 0, 0, cmd_memory_show, vswitch);
    unixctl_command_register(server, "weir/drops", "[port]", 0, 1, cmd_drops, vswitch);
}
