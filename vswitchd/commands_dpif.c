/* SPDX-License-Identifier: Apache-2.0 */

/* dpif/...: the datapath as bridges see it: their ports, their cached flows, what it can do. */

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/commands_flow_dump.h"
#include "vswitchd/vswitch.h"

/* --- Ports and flows ------------------------------------------------------------------------ */

static void format_dpif_port(struct buffer *text, const struct interface *interface)
{
    if (interface->ofport == OFPP_NONE)
        return;
    buffer_printf(text, "    %s %u/", interface->name, interface->ofport);
    if (interface->dp_port == DP_PORT_NONE)
        buffer_puts(text, "none:");
    else
        buffer_printf(text, "%u:", interface->dp_port);
    buffer_printf(text, " (%s", commands_type_name(interface));
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
    buffer_printf(&text, COMMANDS_DATAPATH ": hit:%llu missed:%llu\n",
                  (unsigned long long)commands_n_hits(&stats), (unsigned long long)stats.n_misses);
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

static void cmd_dump_flows(struct unixctl_request *request, int argc, const char *const argv[],
                           void *aux)
{
    struct flow_dump dump;

    flow_dump_init(&dump, aux);
    dump.bridge = commands_find_bridge(request, dump.vswitch, argv[argc - 1]);
    if (!dump.bridge)
        return;
    for (int i = 1; i < argc - 1; i++) {
        if (!flow_dump_parse_option(&dump, argv[i])) {
            unixctl_reply_error(request, "%s: not an option of dump-flows", argv[i]);
            return;
        }
    }
    dump.ufid_end = " ";
    dump.with_place = false;
    flow_dump_reply(&dump, request);
}

/* --- What it can do ------------------------------------------------------------------------- */

struct feature {
    const char *title, *name;
    const char *number; /* NULL: yes or no. */
    bool is_there;
};

static const struct feature features[] = {
    {"Masked set action", "masked_set_action", NULL, true},
    {"Tunnel push pop", "tnl_push_pop", NULL, false},
    {"Ufid", "ufid", NULL, true},
    {"Truncate action", "trunc", NULL, true},
    {"Clone action", "clone", NULL, true},
    {"Sample nesting", "sample_nesting", "0", false},
    {"Conntrack eventmask", "ct_eventmask", NULL, false},
    {"Conntrack clear", "ct_clear", NULL, false},
    {"Max dp_hash algorithm", "max_hash_alg", "0", false},
    {"Check pkt length action", "check_pkt_len", NULL, true},
    {"Conntrack timeout policy", "ct_timeout", NULL, false},
    {"Explicit Drop action", "explicit_drop_action", NULL, true},
    {"Optimized Balance TCP mode", "lb_output_action", NULL, false},
    {"Conntrack all-zero IP SNAT", "ct_zero_snat", NULL, false},
    {"MPLS Label add", "add_mpls", NULL, false},
    {"Max VLAN headers", "max_vlan_headers", "2", true},
    {"Max MPLS depth", "max_mpls_depth", "3", true},
    {"Recirc", "recirc", NULL, false},
    {"CT state", "ct_state", NULL, false},
    {"CT zone", "ct_zone", NULL, false},
    {"CT mark", "ct_mark", NULL, false},
    {"CT label", "ct_label", NULL, false},
    {"CT state NAT", "ct_state_nat", NULL, false},
    {"CT orig tuple", "ct_orig_tuple", NULL, false},
    {"CT orig tuple for IPv6", "ct_orig_tuple6", NULL, false},
    {"IPv6 ND Extension", "nd_ext", NULL, true},
};

static void cmd_show_features(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[], void *aux)
{
    struct buffer text = BUFFER_INIT;

    if (!commands_find_bridge(request, aux, argv[1]))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const char *value = features[i].is_there ? "Yes" : "No";

        buffer_printf(&text, "%s: %s\n", features[i].title,
                      features[i].number ? features[i].number : value);
    }
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void put_feature(const struct feature *feature, struct buffer *text)
{
    const char *value = feature->number ? feature->number : feature->is_there ? "true" : "false";

    buffer_printf(text, "%s (%s) : [run time]:%s, [boot time]:%s\n", feature->name, feature->title,
                  value, value);
}

/* Shows them; what is there is there, and cannot be set. */
static void cmd_set_features(struct unixctl_request *request, int argc, const char *const argv[],
                             void *aux)
{
    struct buffer text = BUFFER_INIT;
    bool is_known = argc < 3;

    if (!commands_find_bridge(request, aux, argv[1]))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        if (argc > 2 && strcmp(argv[2], features[i].name))
            continue;
        is_known = true;
        put_feature(&features[i], &text);
    }
    if (!is_known)
        unixctl_reply_error(request, "Unexpected support field");
    else if (argc > 3)
        unixctl_reply_error(request, "%s: features of the datapath cannot be set", argv[2]);
    else
        unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

void commands_dpif_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "dpif/show", "", 0, 0, cmd_dpif_show, vswitch);
    unixctl_command_register(server, "dpif/dump-dps", "", 0, 0, cmd_dpif_dump_dps, vswitch);
    unixctl_command_register(server, "dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, -1,
                             cmd_dump_flows, vswitch);
    unixctl_command_register(server, "dpif/show-dp-features", "bridge", 1, 1, cmd_show_features,
                             vswitch);
    unixctl_command_register(server, "dpif/set-dp-features", "bridge", 1, 3, cmd_set_features,
                             vswitch);
}
