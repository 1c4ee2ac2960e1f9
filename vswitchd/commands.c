/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/commands.h"

#include "vswitchd/vswitch.h"

void commands_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    commands_fdb_register(server, vswitch);
    commands_flows_register(server, vswitch);
    commands_datapath_register(server, vswitch);
    commands_cache_register(server, vswitch);
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
