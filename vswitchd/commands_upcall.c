/* SPDX-License-Identifier: Apache-2.0 */

/* upcall/..., revalidator/...: how verdicts become cached flows, and when they are looked at again. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/clock.h"
#include "vswitchd/commands.h"
#include "vswitchd/commands_flow_dump.h"
#include "vswitchd/vswitch.h"

static void cmd_show(struct unixctl_request *request, int argc UNUSED,
                     const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;
    struct datapath_stats stats;
    int64_t start_ns = clock_now_ns();

    datapath_push_stats(vswitch->datapath); /* What a dump is for, and as much work. */
    long long duration_ms = (clock_now_ns() - start_ns + 999999) / 1000000;
    datapath_get_stats(vswitch->datapath, &stats);
    if (stats.n_megaflows > vswitch->flows_seen.max)
        vswitch->flows_seen.max = stats.n_megaflows;
    unixctl_reply_format(
        request,
        COMMANDS_DATAPATH ":\n"
                          "  flows         : (current %u) (avg %u) (max %u) (limit %u)\n"
                          "  dump duration : %lldms\n"
                          "  ufid enabled : true\n"
                          "\n"
                          "  1: (keys %u)\n",
        stats.n_megaflows, (unsigned int)(vswitch->flows_seen.average + .5),
        vswitch->flows_seen.max, stats.max_megaflows, duration_ms, stats.n_megaflows);
}

static void cmd_set_flow_limit(struct unixctl_request *request, int argc UNUSED,
                               const char *const argv[], void *aux)
{
    struct vswitch *vswitch = aux;
    struct datapath_stats stats;
    char *end;

    errno = 0;
    unsigned long limit = strtoul(argv[1], &end, 10);
    if (!isdigit((unsigned char)argv[1][0]) || *end || errno || limit > UINT32_MAX) {
        unixctl_reply_error(request, "%s: not a number of flows", argv[1]);
        return;
    }
    datapath_get_stats(vswitch->datapath, &stats);
    datapath_set_limits(vswitch->datapath, (uint32_t)limit, stats.max_idle_ns);
    unixctl_reply_format(request, "set flow_limit to %lu\n", limit);
}

static void set_megaflows(struct unixctl_request *request, struct vswitch *vswitch, bool are_exact)
{
    atomic_store_explicit(&vswitch->has_exact_flows, are_exact, memory_order_relaxed);
    datapath_flush(vswitch->datapath);
    unixctl_reply_format(request, "megaflows %s\n", are_exact ? "disabled" : "enabled");
}

static void cmd_disable_megaflows(struct unixctl_request *request, int argc UNUSED,
                                  const char *const argv[] UNUSED, void *aux)
{
    set_megaflows(request, aux, true);
}

static void cmd_enable_megaflows(struct unixctl_request *request, int argc UNUSED,
                                 const char *const argv[] UNUSED, void *aux)
{
    set_megaflows(request, aux, false);
}

static void cmd_answer(struct unixctl_request *request, int argc UNUSED,
                       const char *const argv[] UNUSED, void *text)
{
    unixctl_reply(request, text);
}

static void cmd_refuse(struct unixctl_request *request, int argc UNUSED,
                       const char *const argv[] UNUSED, void *sentence)
{
    unixctl_reply_error(request, "%s", (const char *)sentence);
}

static void cmd_wait(struct unixctl_request *request, int argc UNUSED,
                     const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;

    datapath_synchronize(vswitch->datapath);
    datapath_push_stats(vswitch->datapath);
    unixctl_reply(request, NULL);
}

static void cmd_purge(struct unixctl_request *request, int argc UNUSED,
                      const char *const argv[] UNUSED, void *aux)
{
    struct vswitch *vswitch = aux;

    datapath_flush(vswitch->datapath);
    unixctl_reply(request, NULL);
}

void commands_upcall_register(struct unixctl_server *server, struct vswitch *vswitch)
{
    static char ufid_on[] = "Datapath dumping tersely using UFID enabled for supported datapaths";
    static char ufid_off[] = "dumps are not terse: there is nothing to disable";
    static char no_pause[] = "flows are looked at again by those who change what they depend on; "
                             "that cannot be paused";

    unixctl_command_register(server, "upcall/show", "", 0, 0, cmd_show, vswitch);
    unixctl_command_register(server, "upcall/set-flow-limit", "flow-limit-number", 1, 1,
                             cmd_set_flow_limit, vswitch);
    unixctl_command_register(server, "upcall/disable-megaflows", "", 0, 0, cmd_disable_megaflows,
                             vswitch);
    unixctl_command_register(server, "upcall/enable-megaflows", "", 0, 0, cmd_enable_megaflows,
                             vswitch);
    unixctl_command_register(server, "upcall/enable-ufid", "", 0, 0, cmd_answer, ufid_on);
    unixctl_command_register(server, "upcall/disable-ufid", "", 0, 0, cmd_refuse, ufid_off);
    unixctl_command_register(server, "revalidator/wait", "", 0, 0, cmd_wait, vswitch);
    unixctl_command_register(server, "revalidator/purge", "", 0, 0, cmd_purge, vswitch);
    unixctl_command_register(server, "revalidator/pause", "", 0, 0, cmd_refuse, no_pause);
    unixctl_command_register(server, "revalidator/resume", "", 0, 0, cmd_refuse, no_pause);
}
