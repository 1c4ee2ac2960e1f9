/* SPDX-License-Identifier: Apache-2.0 */

/* dpctl/..., dpif/..., revalidator/...: ports, caches and counters of the one datapath there is.  It goes
 * by the name scripts expect: system@ovs-system. */

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/vswitch.h"

#define DATAPATH_NAME "system@ovs-system"

bool commands_is_datapath_name(const char *name)
{
    return !strcmp(name, DATAPATH_NAME) || !strcmp(name, "ovs-system") ||
           !strcmp(name, "netdev@ovs-netdev") || !strcmp(name, "ovs-netdev");
}

static const char *type_name(const struct interface *interface)
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

static uint64_t n_hits(const struct datapath_stats *stats)
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
    n_lookups = n_hits(&stats) + stats.n_misses;
    buffer_printf(&text, DATAPATH_NAME ":\n");
    buffer_printf(&text, "  lookups: hit:%llu missed:%llu lost:%llu\n",
                  (unsigned long long)n_hits(&stats), (unsigned long long)stats.n_misses,
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
                     (int)port_no, "name", interface->name, "type", type_name(interface), "bridge",
                     interface->bridge->name, "path",
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
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:o}", "name", DATAPATH_NAME,
                     "microflow_hits", (json_int_t)stats.n_microflow_hits, "megaflow_hits",
                     (json_int_t)stats.n_megaflow_hits, "misses", (json_int_t)stats.n_misses,
                     "lost", (json_int_t)stats.n_lost, "overruns", (json_int_t)stats.n_overruns,
                     "megaflow_probes", (json_int_t)stats.n_megaflow_probes, "flows",
                     (int)stats.n_megaflows, "masks", (int)stats.n_masks, "ports", ports);
}

static void cmd_show(struct unixctl_request *request, int argc, const char *const argv[], void *aux)
{
    bool with_stats = false;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-s") || !strcmp(argv[i], "--statistics")) {
            with_stats = true;
        } else if (!commands_is_datapath_name(argv[i])) {
            unixctl_reply_error(request, "opening datapath %s failed (No such device)", argv[i]);
            return;
        }
    }
    if (unixctl_request_wants_json(request))
        unixctl_reply_json_take(request, show_json(aux));
    else
        show_text(request, aux, with_stats);
}

static void cmd_dump_dps(struct unixctl_request *request, int argc UNUSED,
                         const char *const argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(request, DATAPATH_NAME "\n");
}

/* --- Flows --------------------------------------------------------------------------------- */

struct flow_dump {
    struct vswitch *vswitch;
    const struct bridge *bridge; /* NULL: all. */
    bool with_names;
    bool is_of_kernel; /* What the kernel forwards, instead of megaflows. */
    struct buffer text;
    json_t *json; /* NULL: text is wanted. */
};

static bool is_of_bridge(const struct flow_dump *dump, const struct dp_flow_info *flow)
{
    uint32_t in_port = be32_host(flow->key->in_port);
    const struct interface *interface = in_port < ARRAY_SIZE(dump->vswitch->by_dp_port)
                                            ? dump->vswitch->by_dp_port[in_port]
                                            : NULL;

    return !dump->bridge || (interface && interface->bridge == dump->bridge);
}

static json_t *flow_json(const struct flow_dump *dump, const struct dp_flow_info *flow)
{
    struct buffer text = BUFFER_INIT, actions = BUFFER_INIT;
    const char *end;
    json_t *json;

    dp_flow_format(&text, flow, commands_port_name, dump->vswitch);
    dp_actions_format(&actions, flow->actions, flow->n_actions, flow->key, commands_port_name,
                      dump->vswitch);
    end = strstr(buffer_text(&text), ", packets:");
    json = json_pack(
        "{s:o, s:s, s:I, s:I, s:I, s:b, s:b, s:I}", "match",
        json_stringn(buffer_text(&text), end ? (size_t)(end - buffer_text(&text)) : text.size),
        "actions", buffer_text(&actions), "packets", (json_int_t)flow->n_packets, "bytes",
        (json_int_t)flow->n_bytes, "used_ns", (json_int_t)flow->used_ns, "stale",
        (int)flow->is_stale, "in_kernel", (int)flow->is_in_kernel, "kernel_flows",
        (json_int_t)flow->n_kernel_entries);
    buffer_fini(&text);
    buffer_fini(&actions);
    return json;
}

static bool dump_flow(const struct dp_flow_info *flow, void *arg)
{
    struct flow_dump *dump = arg;

    if (!is_of_bridge(dump, flow))
        return true;
    if (dump->json) {
        json_array_append_new(dump->json, flow_json(dump, flow));
        return true;
    }
    dp_flow_format(&dump->text, flow, dump->with_names ? commands_port_name : NULL, dump->vswitch);
    buffer_putc(&dump->text, '\n');
    return true;
}

static void reply_flows(struct unixctl_request *request, struct flow_dump *dump)
{
    if (unixctl_request_wants_json(request))
        dump->json = json_array();
    if (dump->is_of_kernel)
        datapath_kernel_flow_each(dump->vswitch->datapath, dump_flow, dump);
    else
        datapath_flow_each(dump->vswitch->datapath, dump_flow, dump);
    if (dump->json)
        unixctl_reply_json_take(request, dump->json);
    else
        unixctl_reply(request, buffer_text(&dump->text));
    buffer_fini(&dump->text);
}

/* True if 'argument' is an option of both dump commands. */
static bool parse_dump_option(struct flow_dump *dump, const char *argument)
{
    if (!strcmp(argument, "-m") || !strcmp(argument, "--more") || !strcmp(argument, "--names"))
        dump->with_names = true;
    else if (!strcmp(argument, "--no-names"))
        dump->with_names = false;
    else
        return false;
    return true;
}

static void cmd_dpctl_dump_flows(struct unixctl_request *request, int argc,
                                 const char *const argv[], void *aux)
{
    struct flow_dump dump = {.vswitch = aux, .text = BUFFER_INIT};

    for (int i = 1; i < argc; i++) {
        bool is_type = !strncmp(argv[i], "type=", 5);

        if (is_type)
            dump.is_of_kernel = !strcmp(argv[i] + 5, "offloaded") || !strcmp(argv[i] + 5, "tc");
        if (is_type || parse_dump_option(&dump, argv[i]) || commands_is_datapath_name(argv[i]) ||
            !strncmp(argv[i], "pmd=", 4))
            continue;
        unixctl_reply_error(request, "%s: neither a datapath nor an option of dump-flows", argv[i]);
        return;
    }
    reply_flows(request, &dump);
}

static void cmd_dpif_dump_flows(struct unixctl_request *request, int argc, const char *const argv[],
                                void *aux)
{
    struct flow_dump dump = {.vswitch = aux, .text = BUFFER_INIT};

    for (int i = 1; i < argc - 1; i++) {
        if (!parse_dump_option(&dump, argv[i])) {
            unixctl_reply_error(request, "%s: not an option of dump-flows", argv[i]);
            return;
        }
    }
    dump.bridge = commands_find_bridge(request, dump.vswitch, argv[argc - 1]);
    if (dump.bridge)
        reply_flows(request, &dump);
}

static void cmd_flush(struct unixctl_request *request, int argc, const char *const argv[],
                      void *aux)
{
    struct vswitch *vswitch = aux;

    if (argc > 1 && !commands_is_datapath_name(argv[1])) {
        unixctl_reply_error(request, "opening datapath %s failed (No such device)", argv[1]);
        return;
    }
    datapath_flush(vswitch->datapath);
    unixctl_reply(request, NULL);
}

static void cmd_wait(struct unixctl_request *request, int argc UNUSED,
                     const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;

    datapath_synchronize(vswitch->datapath);
    datapath_push_stats(vswitch->datapath);
    unixctl_reply(request, NULL);
}

/* --- dpif/show ----------------------------------------------------------------------------- */

static void format_dpif_port(struct buffer *text, const struct interface *interface)
{
    if (interface->ofport == OFPP_NONE)
        return;
    buffer_printf(text, "    %s %u/", interface->name, interface->ofport);
    if (interface->dp_port == DP_PORT_NONE)
        buffer_puts(text, "none:");
    else
        buffer_printf(text, "%u:", interface->dp_port);
    buffer_printf(text, " (%s", type_name(interface));
    if (interface->settings->type == INTERFACE_PATCH && interface->settings->peer)
        buffer_printf(text, ": peer=%s", interface->settings->peer);
    buffer_puts(text, ")\n");
}

static int compare_names(struct interface *a, struct interface *b)
{
    return strcmp(a->name, b->name);
}

static void cmd_dpif_show(struct unixctl_request *request, int argc UNUSED,
                          const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;
    struct bridge *bridge, *next_bridge;
    struct interface *interface, *next;
    struct buffer text = BUFFER_INIT;
    struct datapath_stats stats;

    datapath_get_stats(vswitch->datapath, &stats);
    buffer_printf(&text, DATAPATH_NAME ": hit:%llu missed:%llu\n",
                  (unsigned long long)n_hits(&stats), (unsigned long long)stats.n_misses);
    HASH_ITER (by_name, vswitch->bridges, bridge, next_bridge) {
        buffer_printf(&text, "  %s:\n", bridge->name);
        HASH_SRT(by_name, bridge->interfaces, compare_names);
        HASH_ITER (by_name, bridge->interfaces, interface, next)
            format_dpif_port(&text, interface);
    }
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void cmd_dpif_dump_dps(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;
    struct bridge *bridge, *next;
    struct buffer text = BUFFER_INIT;

    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        buffer_printf(&text, "system@%s\n", bridge->name);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

void commands_datapath_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "dpctl/show", "[-s] [dp...]", 0, -1, cmd_show, vswitch);
    unixctl_command_register(server, "dpctl/dump-dps", "", 0, 0, cmd_dump_dps, vswitch);
    unixctl_command_register(server, "dpctl/dump-flows", "[-m] [--names] [dp] [type=..] [pmd=..]",
                             0, -1, cmd_dpctl_dump_flows, vswitch);
    unixctl_command_register(server, "dpctl/del-flows", "[dp]", 0, 1, cmd_flush, vswitch);
    unixctl_command_register(server, "dpif/show", "", 0, 0, cmd_dpif_show, vswitch);
    unixctl_command_register(server, "dpif/dump-dps", "", 0, 0, cmd_dpif_dump_dps, vswitch);
    unixctl_command_register(server, "dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, 3,
                             cmd_dpif_dump_flows, vswitch);
    unixctl_command_register(server, "revalidator/wait", "", 0, 0, cmd_wait, vswitch);
    unixctl_command_register(server, "revalidator/purge", "", 0, 0, cmd_flush, vswitch);
}
