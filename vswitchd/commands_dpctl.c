/* SPDX-License-Identifier: Apache-2.0 */

/* dpctl/...: ports, caches and counters of the one datapath there is. */

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/commands_flow_dump.h"
#include "vswitchd/vswitch.h"

bool commands_is_datapath_name(const char *name)
{
    return !strcmp(name, COMMANDS_DATAPATH) || !strcmp(name, "ovs-system") ||
           !strcmp(name, "netdev@ovs-netdev") || !strcmp(name, "ovs-netdev");
}

const char *commands_type_name(const struct interface *interface)
{
    switch (interface->settings->type) {
    case INTERFACE_INTERNAL:
        return "internal";
    case INTERFACE_PATCH:
        return "patch";
    case INTERFACE_NETDEV:
        break;
    }
    return "system";
}

/* --- dpctl/show ---------------------------------------------------------------------------- */

uint64_t commands_n_hits(const struct datapath_stats *stats)
{
    return stats->n_microflow_hits + stats->n_megaflow_hits;
}

static void format_port_stats(struct buffer *text, const struct interface *interface)
{
    struct interface_stats stats;

    interface_get_stats(interface, &stats);
    const struct dp_port_stats *port = &stats.port;
    buffer_printf(text,
                  "    RX packets:%llu errors:%llu dropped:%llu overruns:%llu frame:%llu\n"
                  "    TX packets:%llu errors:%llu dropped:%llu aborted:0 carrier:0\n"
                  "    collisions:%llu\n"
                  "    RX bytes:%llu  TX bytes:%llu\n",
                  (unsigned long long)port->rx_packets, (unsigned long long)port->rx_errors,
                  (unsigned long long)port->rx_dropped,
                  (unsigned long long)stats.link.rx_over_errors,
                  (unsigned long long)stats.link.rx_frame_errors,
                  (unsigned long long)port->tx_packets, (unsigned long long)port->tx_errors,
                  (unsigned long long)port->tx_dropped, (unsigned long long)stats.link.collisions,
                  (unsigned long long)port->rx_bytes, (unsigned long long)port->tx_bytes);
}

static void show_text(struct unixctl_request *request, struct vswitch *vswitch, bool with_stats)
{
    struct buffer text = BUFFER_INIT;
    struct datapath_stats stats;
    uint64_t n_lookups;

    datapath_get_stats(vswitch->datapath, &stats);
    n_lookups = commands_n_hits(&stats) + stats.n_misses;
    buffer_printf(&text, COMMANDS_DATAPATH ":\n");
    buffer_printf(&text, "  lookups: hit:%llu missed:%llu lost:%llu\n",
                  (unsigned long long)commands_n_hits(&stats), (unsigned long long)stats.n_misses,
                  (unsigned long long)stats.n_lost);
    if (stats.n_overruns) /* Rare, and a line that Open vSwitch does not have. */
        buffer_printf(&text, "  overruns: %llu\n", (unsigned long long)stats.n_overruns);
    buffer_printf(&text, "  flows: %u\n", stats.n_megaflows);
    buffer_printf(&text, "  masks: hit:%llu total:%u hit/pkt:%.2f\n",
                  (unsigned long long)stats.n_megaflow_probes, stats.n_masks,
                  n_lookups ? (double)stats.n_megaflow_probes / (double)n_lookups : 0);
    buffer_printf(&text, "  cache: hit:%llu hit-rate:%.2f%%\n",
                  (unsigned long long)stats.n_microflow_hits,
                  n_lookups ? 100 * (double)stats.n_microflow_hits / (double)n_lookups : 0);
    for (uint32_t i = 0; i < ARRAY_SIZE(vswitch->by_dp_port); i++) {
        const struct interface *interface = vswitch->by_dp_port[i];
        if (!interface)
            continue;
        buffer_printf(&text, "  port %u: %s", i, interface->name);
        if (interface->settings->type == INTERFACE_INTERNAL)
            buffer_puts(&text, " (internal)");
        buffer_putc(&text, '\n');
        if (with_stats)
            format_port_stats(&text, interface);
    }
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static json_t *port_json(const struct vswitch *vswitch, uint32_t port_no)
{
    const struct interface *interface = vswitch->by_dp_port[port_no];
    struct interface_stats stats;

    interface_get_stats(interface, &stats);
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "port",
                     (int)port_no, "name", interface->name, "type", commands_type_name(interface),
                     "bridge", interface->bridge->name, "path",
                     datapath_port_path(vswitch->datapath, port_no), "rx_packets",
                     (json_int_t)stats.port.rx_packets, "rx_bytes", (json_int_t)stats.port.rx_bytes,
                     "rx_dropped", (json_int_t)stats.port.rx_dropped, "tx_packets",
                     (json_int_t)stats.port.tx_packets, "tx_bytes", (json_int_t)stats.port.tx_bytes,
                     "tx_dropped", (json_int_t)stats.port.tx_dropped);
}

static json_t *show_json(const struct vswitch *vswitch)
{
    json_t *ports = json_array();
    struct datapath_stats stats;

    datapath_get_stats(vswitch->datapath, &stats);
    for (uint32_t i = 0; i < ARRAY_SIZE(vswitch->by_dp_port); i++)
        if (vswitch->by_dp_port[i])
            json_array_append_new(ports, port_json(vswitch, i));
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:o}", "name",
                     COMMANDS_DATAPATH, "microflow_hits", (json_int_t)stats.n_microflow_hits,
                     "megaflow_hits", (json_int_t)stats.n_megaflow_hits, "misses",
                     (json_int_t)stats.n_misses, "lost", (json_int_t)stats.n_lost, "overruns",
                     (json_int_t)stats.n_overruns, "megaflow_probes",
                     (json_int_t)stats.n_megaflow_probes, "flows", (int)stats.n_megaflows, "masks",
                     (int)stats.n_masks, "ports", ports);
}

static void cmd_show(struct unixctl_request *request, int argc, const char *const argv[], void *aux)
{
    struct vswitch *vswitch = aux;
    bool with_stats = false;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-s") || !strcmp(argv[i], "--statistics")) {
            with_stats = true;
        } else if (argv[i][0] == '-') {
            unixctl_reply_error(request, "Unrecognized option %s", argv[i]);
            return;
        } else if (!commands_is_datapath_name(argv[i])) {
            unixctl_reply_error(request, COMMANDS_NO_DATAPATH, argv[i]);
            return;
        }
    }
    datapath_push_stats(vswitch->datapath);
    if (unixctl_request_wants_json(request))
        unixctl_reply_json_take(request, show_json(vswitch));
    else
        show_text(request, vswitch, with_stats);
}

static void cmd_dump_dps(struct unixctl_request *request, int argc UNUSED,
                         const char *const argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(request, COMMANDS_DATAPATH "\n");
}

static void cmd_list_commands(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[] UNUSED, void *server)
{
    struct buffer text = BUFFER_INIT;

    buffer_puts(&text, "The available commands are:\n");
    unixctl_list_commands(server, "dpctl/", 29, &text);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void cmd_cache_size(struct unixctl_request *request, int argc, const char *const argv[],
                           void *aux UNUSED)
{
    if (argc > 1 && !commands_is_datapath_name(argv[1]))
        unixctl_reply_error(request,
                            "ovs-vswitchd: Opening datapath %s failed (No such file or "
                            "directory)",
                            argv[1]);
    else
        unixctl_reply(request, COMMANDS_DATAPATH ":\n");
}

static void cmd_offload_stats(struct unixctl_request *request, int argc, const char *const argv[],
                              void *aux)
{
    struct vswitch *vswitch = aux;
    struct kcache_stats stats;

    if (argc > 1 && !commands_is_datapath_name(argv[1]))
        unixctl_reply_error(request, "ovs-vswitchd: datapath not found (Invalid argument)");
    else if (!datapath_get_kernel_stats(vswitch->datapath, &stats))
        unixctl_reply_error(request, "ovs-vswitchd: retrieving offload statistics (the kernel has "
                                     "no flow cache here)");
    else
        unixctl_reply_format(request,
                             "HW Offload stats:\n"
                             "   Total                  Inserted offloads: %6u\n",
                             stats.n_entries + stats.n_entries6);
}

/* --- What is not to be done this way -------------------------------------------------------- */

static const struct command_refusal refusals[] = {
#define FROM_TABLES   "cached flows come from the flow tables alone; use ovs-ofctl or weir flow add"
#define FROM_DATABASE "the datapath has the ports of the database's bridges; use ovs-vsctl or weir"
    {"dpctl/add-flow", "[dp] flow actions", 2, 3, FROM_TABLES},
    {"dpctl/add-flows", "[dp] file", 1, 2, FROM_TABLES},
    {"dpctl/mod-flow", "[dp] flow actions", 2, 3, FROM_TABLES},
    {"dpctl/mod-flows", "[dp] file", 1, 2, FROM_TABLES},
    {"dpctl/add-dp", "dp [iface...]", 1, -1, FROM_DATABASE},
    {"dpctl/del-dp", "dp", 1, 1, FROM_DATABASE},
    {"dpctl/add-if", "dp iface...", 2, -1, FROM_DATABASE},
    {"dpctl/del-if", "dp iface...", 2, -1, FROM_DATABASE},
    {"dpctl/set-if", "dp iface...", 2, -1, FROM_DATABASE},
    {"dpctl/cache-set-size", "dp cache <size>", 3, 3,
     "set other_config:flow-limit of the table Open_vSwitch"},
    {"dpctl/parse-actions", "actions", 1, -1, "ofproto/trace-packet-out shows datapath actions"},
    {"dpctl/normalize-actions", "actions", 2, -1,
     "ofproto/trace-packet-out shows datapath actions"},
};

void commands_dpctl_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "dpctl/show", "[-s] [dp...]", 0, -1, cmd_show, vswitch);
    unixctl_command_register(server, "dpctl/dump-dps", "", 0, 0, cmd_dump_dps, vswitch);
    unixctl_command_register(server, "dpctl/list-commands", "", 0, -1, cmd_list_commands, server);
    unixctl_command_register(server, "dpctl/cache-get-size", "[dp]", 0, 1, cmd_cache_size, vswitch);
    unixctl_command_register(server, "dpctl/offload-stats-show", "[dp]", 0, 1, cmd_offload_stats,
                             vswitch);
    commands_register_refusals(server, refusals, ARRAY_SIZE(refusals));
}
