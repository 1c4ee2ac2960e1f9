/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/commands.h"

#include "lib/annotations.h"
#include "vswitchd/bridge.h"
#include "vswitchd/vswitch.h"

static void cmd_refuse(struct unixctl_request *request, int argc UNUSED, const char *const argv[],
                       void *why)
{
    unixctl_reply_error(request, "%s: %s", argv[0], (const char *)why);
}

void commands_register_refusals(struct unixctl_server *server,
                                const struct command_refusal refusals[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        unixctl_command_register(server, refusals[i].name, refusals[i].usage, refusals[i].min_args,
                                 refusals[i].max_args, cmd_refuse,
                                 (void *)(uintptr_t)refusals[i].why);
}

void commands_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    commands_fdb_register(server, vswitch);
    commands_flows_register(server, vswitch);
    commands_dpctl_register(server, vswitch);
    commands_dpctl_flows_register(server, vswitch);
    commands_conntrack_register(server, vswitch);
    commands_dpif_register(server, vswitch);
    commands_upcall_register(server, vswitch);
    commands_workers_register(server, vswitch);
    commands_absent_register(server, vswitch);
    commands_cache_register(server, vswitch);
    commands_verify_register(server, vswitch);
    commands_counters_register(server, vswitch);
    commands_trace_register(server, vswitch);
}

struct bridge *commands_find_bridge(struct unixctl_request *request, const struct vswitch *vswitch,
                                    const char *name)
{
    struct bridge *bridge = vswitch_bridge(vswitch, name);

    if (!bridge)
        unixctl_reply_error(request, "no such bridge");
    return bridge;
}

const char *commands_port_name(uint32_t port_no, void *arg)
{
    const struct vswitch *vswitch = arg;
    const struct interface *interface = port_no < ARRAY_SIZE(vswitch->by_dp_port)
                                            ? vswitch->by_dp_port[port_no]
                                            : NULL;

    return interface ? interface->name : NULL;
}
