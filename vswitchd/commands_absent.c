/* SPDX-License-Identifier: Apache-2.0 */

/* Bonds, LACP, spanning trees, BFD, CFM, multicast snooping, auto-attach, QoS, tunnels: commands about what does not
 * exist here, answered as Open vSwitch answers for bridges without them.  What would configure something that is not
 * there is refused, not pretended. */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/mac.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/vswitch.h"

/* --- Commands that have one answer, or with an argument another ----------------------------- */

struct answer {
    const char *name, *usage;
    int min_args, max_args;
    const char *text;    /* Without arguments; and with them where 'refusal' is NULL. */
    const char *refusal; /* There is no such object. */
};

static const struct answer answers[] = {
    {"autoattach/show-isid", "[bridge]", 0, 1, "", NULL},
    {"autoattach/statistics", "[bridge]", 0, 1, "", NULL},
    {"autoattach/status", "[bridge]", 0, 1, "", NULL},
    {"bfd/show", "[interface]", 0, 1, "", "no such bfd object"},
    {"bond/disable-member", "port member", 2, 2, NULL, "no such bond"},
    {"bond/enable-member", "port member", 2, 2, NULL, "no such bond"},
    {"bond/list", "", 0, 0, "bond\ttype\trecircID\tmembers\n", NULL},
    {"bond/migrate", "port hash member", 3, 3, NULL, "no such bond"},
    {"bond/set-active-member", "port member", 2, 2, NULL, "no such bond"},
    {"bond/show", "[port]", 0, 1, "", "no such bond"},
    {"cfm/show", "[interface]", 0, 1, "", "no such CFM object"},
    {"lacp/show", "[port]", 0, 1, "", "no such lacp object"},
    {"lacp/show-stats", "[port]", 0, 1, "", "no such lacp object"},
    {"ofproto/list-tunnels", "", 0, 0, "", NULL},
    {"ovs/route/show", "", 0, 0, "Route Table:\n", NULL},
    {"rstp/show", "[bridge]", 0, 1, "", "No such RSTP object"},
    {"rstp/tcn", "[bridge]", 0, 1, "OK", "No such RSTP object"},
    {"stp/show", "[bridge]", 0, 1, "", "no such stp object"},
    {"stp/tcn", "[bridge]", 0, 1, "OK", "no such stp object"},
    {"tnl/arp/flush", "", 0, 0, "OK", NULL},
    {"tnl/neigh/flush", "", 0, 0, "OK", NULL},
    {"tnl/ports/show", "-v", 0, 1, "Listening ports:\n", NULL},
};

static void cmd_answer(struct unixctl_request *request, int argc, const char *const argv[] UNUSED,
                       void *answer_)
{
    const struct answer *answer = answer_;

    if (argc > 1 && answer->refusal)
        unixctl_reply_error(request, "%s", answer->refusal);
    else
        unixctl_reply(request, answer->text);
}

/* --- Protocols ------------------------------------------------------------------------------ */

/* bfd/set-forwarding and cfm/set-fault; 'aux' is what there is none of. */
static void cmd_set_fault(struct unixctl_request *request, int argc, const char *const argv[],
                          void *kind)
{
    const char *fault = argv[argc - 1];

    if (strcasecmp(fault, "true") && strcasecmp(fault, "false") && strcasecmp(fault, "normal"))
        unixctl_reply_error(request, "unknown fault string");
    else if (argc > 2)
        unixctl_reply_error(request, "no such %s object", (const char *)kind);
    else
        unixctl_reply(request, "OK");
}

static void cmd_bond_hash(struct unixctl_request *request, int argc, const char *const argv[],
                          void *aux UNUSED)
{
    struct mac mac;

    if (argc > 2 && argv[2][strspn(argv[2], "0123456789")])
        unixctl_reply_error(request, "invalid vlan");
    else if (argc > 3 && argv[3][strspn(argv[3], "0123456789")])
        unixctl_reply_error(request, "invalid basis");
    else if (!mac_parse(argv[1], &mac))
        unixctl_reply_error(request, "invalid mac");
    else
        unixctl_reply_error(request, "there are no bonds, and so no hash that chooses a member");
}

static void cmd_mdb(struct unixctl_request *request, int argc, const char *const argv[], void *aux)
{
    if (argc < 2)
        unixctl_reply(request, "table successfully flushed");
    else if (commands_find_bridge(request, aux, argv[1]))
        unixctl_reply_error(request, "multicast snooping is disabled");
}

static bool has_interface(const struct vswitch *vswitch, const char *name)
{
    struct bridge *bridge, *next;

    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        if (bridge_interface(bridge, name))
            return true;
    }
    return false;
}

static void cmd_qos_show(struct unixctl_request *request, int argc UNUSED, const char *const argv[],
                         void *aux)
{
    if (has_interface(aux, argv[1]))
        unixctl_reply_format(request, "QoS not configured on %s\n", argv[1]);
    else
        unixctl_reply_error(request, "no such interface");
}

static void cmd_qos_show_types(struct unixctl_request *request, int argc UNUSED,
                               const char *const argv[], void *aux)
{
    if (has_interface(aux, argv[1]))
        unixctl_reply(request, "");
    else
        unixctl_reply_error(request, "no such interface");
}

/* --- Tunnels -------------------------------------------------------------------------------- */

#define NO_TUNNELS "there are no tunnels, which alone would use it"

static bool is_address(const char *text)
{
    struct in6_addr address;

    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_prefix(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    size_t n = strcspn(text, "/");

    if (n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    return is_address(address) && (!text[n] || !text[n + 1 + strspn(text + n + 1, "0123456789.:")]);
}

static void cmd_route_change(struct unixctl_request *request, int argc UNUSED,
                             const char *const argv[], void *refusal)
{
    if (is_prefix(argv[1]))
        unixctl_reply_error(request, "%s", (const char *)refusal);
    else
        unixctl_reply_error(request, "Invalid parameters");
}

static void cmd_route_lookup(struct unixctl_request *request, int argc UNUSED,
                             const char *const argv[], void *aux UNUSED)
{
    unixctl_reply_error(request, is_address(argv[1]) ? "Not found" : "Invalid parameters");
}

static void cmd_neighbours(struct unixctl_request *request, int argc UNUSED,
                           const char *const argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(request,
                  "IP                                            MAC                 Bridge\n"
                  "=========================================================================="
                  "\n");
}

static void cmd_neighbour_set(struct unixctl_request *request, int argc UNUSED,
                              const char *const argv[], void *aux UNUSED)
{
    struct mac mac;

    if (!is_address(argv[2]))
        unixctl_reply_error(request, "bad IP address");
    else if (!mac_parse(argv[3], &mac))
        unixctl_reply_error(request, "bad MAC address");
    else
        unixctl_reply_error(request, NO_TUNNELS);
}

static void cmd_neighbour_aging(struct unixctl_request *request, int argc, const char *const argv[],
                                void *aux UNUSED)
{
    if (argc < 2)
        unixctl_reply(request, "900");
    else if (!isdigit((unsigned char)argv[1][0]) || argv[1][strspn(argv[1], "0123456789")])
        unixctl_reply_error(request, "bad aging value");
    else
        unixctl_reply_error(request, NO_TUNNELS);
}

static void cmd_port_range(struct unixctl_request *request, int argc,
                           const char *const argv[] UNUSED, void *aux UNUSED)
{
    if (argc < 3)
        unixctl_reply(request, "Tunnel UDP source port range: 32768-61000");
    else
        unixctl_reply_error(request, NO_TUNNELS);
}

static void register_tunnels(struct unixctl_server *server)
{
    static char no_insertion[] = "Error while inserting route.", no_route[] = "Not found";
    static const char *const prefixes[] = {"tnl/arp", "tnl/neigh"};

    unixctl_command_register(server, "ovs/route/add",
                             "ip_addr/prefix_len out_br_name [gw] [pkt_mark=mark]", 2, 4,
                             cmd_route_change, no_insertion);
    unixctl_command_register(server, "ovs/route/del", "ip_addr/prefix_len [pkt_mark=mark]", 1, 2,
                             cmd_route_change, no_route);
    unixctl_command_register(server, "ovs/route/lookup", "ip_addr [pkt_mark=mark]", 1, 2,
                             cmd_route_lookup, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        char name[32];

        snprintf(name, sizeof name, "%s/show", prefixes[i]);
        unixctl_command_register(server, name, "", 0, 0, cmd_neighbours, NULL);
        snprintf(name, sizeof name, "%s/set", prefixes[i]);
        unixctl_command_register(server, name, "BRIDGE IP MAC", 3, 3, cmd_neighbour_set, NULL);
        snprintf(name, sizeof name, "%s/aging", prefixes[i]);
        unixctl_command_register(server, name, "[SECS]", 0, 1, cmd_neighbour_aging, NULL);
    }
    unixctl_command_register(server, "tnl/egress_port_range", "min max", 0, 2, cmd_port_range,
                             NULL);
}

void commands_absent_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    static char bfd[] = "BFD", cfm[] = "CFM";

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        unixctl_command_register(server, answers[i].name, answers[i].usage, answers[i].min_args,
                                 answers[i].max_args, cmd_answer, (void *)&answers[i]);
    unixctl_command_register(server, "bfd/set-forwarding", "[interface] normal|false|true", 1, 2,
                             cmd_set_fault, bfd);
    unixctl_command_register(server, "cfm/set-fault", "[interface] normal|false|true", 1, 2,
                             cmd_set_fault, cfm);
    unixctl_command_register(server, "bond/hash", "mac [vlan] [basis]", 1, 3, cmd_bond_hash, NULL);
    unixctl_command_register(server, "mdb/flush", "[bridge]", 0, 1, cmd_mdb, vswitch);
    unixctl_command_register(server, "mdb/show", "bridge", 1, 1, cmd_mdb, vswitch);
    unixctl_command_register(server, "qos/show", "interface", 1, 1, cmd_qos_show, vswitch);
    unixctl_command_register(server, "qos/show-types", "interface", 1, 1, cmd_qos_show_types,
                             vswitch);
    register_tunnels(server);
}
