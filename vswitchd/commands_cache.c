/* SPDX-License-Identifier: Apache-2.0 */

/* weir/cache: how the caches do, in userspace and in the kernel, and what each port gets from them. */

#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/bridge.h"
#include "vswitchd/commands.h"
#include "vswitchd/vswitch.h"

struct number {
    const char *name;
    uint64_t value;
};

static json_t *numbers_json(const struct number *numbers, size_t n)
{
    json_t *json = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(json, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    return json;
}

static void put_numbers(struct buffer *text, const struct number *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buffer_printf(text, "  %-20s %14llu\n", numbers[i].name,
                      (unsigned long long)numbers[i].value);
}

/* One part of the answer, in either form. */
static void answer(struct buffer *text, json_t *json, const char *title,
                   const struct number *numbers, size_t n)
{
    if (json) {
        json_object_set_new(json, title, numbers_json(numbers, n));
        return;
    }
    buffer_printf(text, "%s\n", title);
    put_numbers(text, numbers, n);
}

static void answer_userspace(struct buffer *text, json_t *json, struct datapath *dp)
{
    struct datapath_stats stats;

    datapath_get_stats(dp, &stats);
    const struct number numbers[] = {
        {"megaflows", stats.n_megaflows},
        {"max_megaflows", stats.max_megaflows},
        {"masks", stats.n_masks},
        {"microflow_hits", stats.n_microflow_hits},
        {"megaflow_hits", stats.n_megaflow_hits},
        {"misses", stats.n_misses},
        {"lost", stats.n_lost},
        {"overruns", stats.n_overruns},
    };
    answer(text, json, "userspace", numbers, ARRAY_SIZE(numbers));
}

static void answer_kernel(struct buffer *text, json_t *json, struct datapath *dp)
{
    struct kcache_stats stats;
    struct number refused[KCACHE_N_REFUSALS];

    if (!datapath_get_kernel_stats(dp, &stats)) {
        if (json)
            json_object_set_new(json, "kernel", json_null());
        else
            buffer_puts(text, "kernel\n  none: no port needs it, or BPF is not permitted\n");
        return;
    }
    const struct number numbers[] = {
        {"flows", stats.n_entries},       {"max_flows", stats.max_entries},
        {"flows_ipv6", stats.n_entries6}, {"max_flows_ipv6", stats.max_entries6},
        {"verdicts", stats.n_programs},   {"max_verdicts", stats.max_programs},
        {"hits", stats.n_hits},           {"hit_bytes", stats.n_bytes},
        {"installed", stats.n_installed}, {"renewed", stats.n_renewed},
        {"removed", stats.n_removed},     {"expired", stats.n_expired},
        {"evicted", stats.n_evicted},     {"moved", stats.n_moved},
        {"full", stats.n_full},
    };
    for (int i = 0; i < KCACHE_N_REFUSALS; i++)
        refused[i] = (struct number){kcache_refusal_name((enum kcache_refusal)i), stats.refused[i]};
    answer(text, json, "kernel", numbers, ARRAY_SIZE(numbers));
    answer(text, json, "ineligible", refused, KCACHE_N_REFUSALS);
}

static void answer_port(struct buffer *text, json_t *ports, struct vswitch *vswitch,
                        const struct interface *interface)
{
    const char *path = datapath_port_path(vswitch->datapath, interface->dp_port);
    struct dp_port_stats stats;

    datapath_port_get_stats(vswitch->datapath, interface->dp_port, &stats);
    uint64_t in_userspace = stats.rx_packets - stats.kernel_rx_packets;
    if (ports)
        json_array_append_new(ports,
                              json_pack("{s:s, s:s, s:s, s:I, s:I}", "bridge",
                                        interface->bridge->name, "port", interface->name, "path",
                                        path, "kernel", (json_int_t)stats.kernel_rx_packets,
                                        "userspace", (json_int_t)in_userspace));
    else
        buffer_printf(text, "  %-15s %14llu %14llu  %s\n", interface->name,
                      (unsigned long long)stats.kernel_rx_packets, (unsigned long long)in_userspace,
                      path);
}

static void cmd_cache(struct unixctl_request *request, int argc UNUSED,
                      const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;
    struct buffer text = BUFFER_INIT;
    json_t *json = unixctl_request_wants_json(request) ? json_object() : NULL;
    json_t *ports = json ? json_array() : NULL;

    datapath_push_stats(vswitch->datapath);
    answer_userspace(&text, json, vswitch->datapath);
    answer_kernel(&text, json, vswitch->datapath);
    if (!json)
        buffer_printf(&text, "ports\n  %-15s %14s %14s  %s\n", "port", "kernel", "userspace",
                      "path");
    for (uint32_t i = 0; i < ARRAY_SIZE(vswitch->by_dp_port); i++)
        if (vswitch->by_dp_port[i])
            answer_port(&text, ports, vswitch, vswitch->by_dp_port[i]);
    if (json) {
        json_object_set_new(json, "ports", ports);
        unixctl_reply_json_take(request, json);
    } else {
        unixctl_reply(request, buffer_text(&text));
    }
    buffer_fini(&text);
}

void commands_cache_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    unixctl_command_register(server, "weir/cache", "", 0, 0, cmd_cache, vswitch);
}
