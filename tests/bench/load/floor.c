/* SPDX-License-Identifier: Apache-2.0 */

/* floor - the least that a switch of two ports in BPF costs (floor.bpf.c).
 *
 *     floor tc|tc-peer|tc-lookup|tc-lookup-peer|xdp|xdp-lookup|xdp-line PORT PORT
 *
 * Connects two network devices that have nothing else to do, says "ready", and holds until it is
 * killed by SIGTERM or SIGINT.  "peer": delivers straight into the namespace of the port's peer. */

#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "floor.skel.h"

enum { N_PORTS = 2 };

struct mode {
    const char *name;
    const char *program;
    bool is_xdp;
    bool uses_peer;
};

static const struct mode modes[] = {
    {"tc", "tc_redirect", false, false},      {"tc-peer", "tc_redirect", false, true},
    {"tc-lookup", "tc_lookup", false, false}, {"tc-lookup-peer", "tc_lookup", false, true},
    {"xdp", "xdp_redirect", true, false},     {"xdp-lookup", "xdp_lookup", true, false},
    {"xdp-line", "xdp_line", true, false},
};

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(modes[i].name, name))
            return &modes[i];
    return NULL;
}

static int attach_tc(int ifindex, int fd)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1, .prog_fd = fd);

    bpf_tc_hook_create(&hook);
    return bpf_tc_attach(&hook, &filter);
}

static void detach(const struct mode *mode, int ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

    if (mode->is_xdp)
        bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
    else
        bpf_tc_hook_destroy(&hook);
}

static int hold(struct floor_bpf *floor, const struct mode *mode, const int *ifindexes)
{
    struct bpf_program *program = bpf_object__find_program_by_name(floor->obj, mode->program);
    int fd = bpf_program__fd(program), status = 0, signal_number;
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    for (int i = 0; i < N_PORTS; i++)
        status |= mode->is_xdp ? bpf_xdp_attach(ifindexes[i], fd, XDP_FLAGS_DRV_MODE, NULL)
                               : attach_tc(ifindexes[i], fd);
    if (status) {
        fprintf(stderr, "floor: cannot attach\n");
    } else {
        puts("ready");
        fflush(stdout);
        sigwait(&signals, &signal_number);
    }
    for (int i = 0; i < N_PORTS; i++)
        detach(mode, ifindexes[i]);
    return status ? 1 : 0;
}

int main(int argc, char **argv)
{
    const struct mode *mode = argc == 4 ? find_mode(argv[1]) : NULL;
    int ifindexes[N_PORTS];

    if (!mode) {
        fprintf(
            stderr,
            "usage: floor tc|tc-peer|tc-lookup|tc-lookup-peer|xdp|xdp-lookup|xdp-line PORT PORT\n");
        return 2;
    }
    for (int i = 0; i < N_PORTS; i++) {
        ifindexes[i] = (int)if_nametoindex(argv[2 + i]);
        if (!ifindexes[i]) {
            perror(argv[2 + i]);
            return 2;
        }
    }

    struct floor_bpf *floor = floor_bpf__open();

    if (!floor) {
        perror("floor: cannot open the BPF programs");
        return 1;
    }
    for (int i = 0; i < N_PORTS; i++)
        floor->rodata->ifindexes[i] = (uint32_t)ifindexes[i];
    floor->rodata->uses_peer = mode->uses_peer;
    if (floor_bpf__load(floor)) {
        perror("floor: cannot load the BPF programs");
        return 1;
    }
    int status = hold(floor, mode, ifindexes);

    floor_bpf__destroy(floor);
    return status;
}
