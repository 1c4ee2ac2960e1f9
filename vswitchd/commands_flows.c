/* SPDX-License-Identifier: Apache-2.0 */

/* ofproto/list, bridge/dump-flows, bridge/reconnect: the OpenFlow side of bridges. */

#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/openflow/flow_text.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/flow_table.h"
#include "vswitchd/of_server.h"
#include "vswitchd/vswitch.h"

static void cmd_list(struct unixctl_request *request, int argc UNUSED,
                     const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;
    struct bridge *bridge, *next;
    struct buffer text = BUFFER_INIT;

    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        buffer_printf(&text, "%s\n", bridge->name);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void format_rule(struct buffer *text, const struct rule *rule, bool with_offload,
                        int64_t now_ns)
{
    struct match match;
    size_t before;

    if (rule->table_id)
        buffer_printf(text, "table_id=%u, ", rule->table_id);
    buffer_printf(text, "duration=%llds, n_packets=%llu, n_bytes=%llu, ",
                  (long long)((now_ns - rule->created_ns) / SECOND_NS),
                  (unsigned long long)atomic_load(&rule->n_packets),
                  (unsigned long long)atomic_load(&rule->n_bytes));
    if (with_offload)
        buffer_puts(text, "n_offload_packets=0, n_offload_bytes=0, ");
    before = text->size;
    cls_rule_expand(&rule->cls, &match);
    of_match_format_priority(&match, (uint16_t)rule->cls.priority, NULL, text);
    buffer_puts(text, text->size > before ? ",actions=" : "actions=");
    of_actions_format(rule_get_actions(rule, UINT64_MAX), NULL, text);
    buffer_putc(text, '\n');
}

static void cmd_dump_flows(struct unixctl_request *request, int argc, const char *const argv[],
                           void *aux)
{
    const struct rule_filter all = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    bool with_offload = argc > 2 && !strcmp(argv[1], "--offload-stats");
    struct bridge *bridge = vswitch_bridge(aux, argv[argc - 1]);
    struct buffer text = BUFFER_INIT;
    struct rule_set set;

    if (!bridge) {
        unixctl_reply_error(request, "Unknown bridge");
        return;
    }
    rule_set_init(&set, bridge->tables, &all);
    for (size_t i = 0; i < set.n_rules; i++)
        format_rule(&text, set.rules[i], with_offload, clock_now_ns());
    rule_set_fini(&set);
    unixctl_reply(request, buffer_text(&text));
    buffer_fini(&text);
}

static void cmd_reconnect(struct unixctl_request *request, int argc, const char *const argv[],
                          void *aux)
{
    struct vswitch *vswitch = aux;
    struct bridge *bridge, *next;

    if (argc > 1 && !vswitch_bridge(vswitch, argv[1])) {
        unixctl_reply_error(request, "Unknown bridge");
        return;
    }
    HASH_ITER (by_name, vswitch->bridges, bridge, next) {
        if (bridge->server && (argc < 2 || !strcmp(bridge->name, argv[1])))
            of_server_reconnect(bridge->server);
    }
    unixctl_reply(request, NULL);
}

void commands_flows_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "ofproto/list", "", 0, 0, cmd_list, vswitch);
    unixctl_command_register(server, "bridge/dump-flows", "[--offload-stats] bridge", 1, 2,
                             cmd_dump_flows, vswitch);
    unixctl_command_register(server, "bridge/reconnect", "[bridge]", 0, 1, cmd_reconnect, vswitch);
}
