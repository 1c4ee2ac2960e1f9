/* SPDX-License-Identifier: Apache-2.0 */

/* libbpf keeps quiet: what it would print is in the error. */

#include "datapath/kernel/steal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/kernel/filter.h"
#include "datapath/kernel/steal.skel.h"
#include "lib/log.h"
#include "lib/netlink/qdisc.h"

LOG_MODULE(steal);

struct hook {
    struct hook *next;
    int ifindex;
    bool is_qdisc_ours;
};

struct steal {
    struct steal_bpf *skeleton;
    struct hook *hooks; /* Owned. */
};

static int print_debug(enum libbpf_print_level level, const char *format, va_list args)
{
    char line[512];

    if (level == LIBBPF_DEBUG)
        return 0;
    vsnprintf(line, sizeof line, format, args);
    line[strcspn(line, "\n")] = '\0';
    log_dbg("libbpf: %s", line);
    return 0;
}

struct steal *steal_create(int tap_ifindex, struct error *error)
{
    struct steal *steal = calloc(1, sizeof *steal);

    if (!steal) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    libbpf_set_print(print_debug);
    steal->skeleton = steal_bpf__open();
    if (!steal->skeleton) {
        error_set_errno(error, -errno, "cannot open the BPF object");
        free(steal);
        return NULL;
    }
    steal->skeleton->rodata->exception_tap_ifindex = (uint32_t)tap_ifindex;
    int code = steal_bpf__load(steal->skeleton);
    if (code) {
        error_set_errno(error, code, "cannot load the BPF program");
        steal_destroy(steal);
        return NULL;
    }
    return steal;
}

void steal_destroy(struct steal *steal)
{
    if (!steal)
        return;
    while (steal->hooks)
        steal_detach(steal, steal->hooks->ifindex);
    steal_bpf__destroy(steal->skeleton);
    free(steal);
}

static int attach_filter(struct steal *steal, struct hook *hook, struct error *error)
{
    LIBBPF_OPTS(bpf_tc_hook, tc, .ifindex = hook->ifindex, .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
                .prog_fd = bpf_program__fd(steal->skeleton->progs.weir_ingress),
                .flags = BPF_TC_F_REPLACE);
    int code = bpf_tc_hook_create(&tc);

    hook->is_qdisc_ours = !code;
    if (code && code != -EEXIST)
        return error_set_errno(error, code, "cannot add a clsact qdisc");
    code = bpf_tc_attach(&tc, &filter);
    if (!code)
        return 0;
    if (hook->is_qdisc_ours) {
        tc.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
        bpf_tc_hook_destroy(&tc);
    }
    return error_set_errno(error, code, "cannot attach a TC filter");
}

int steal_attach(struct steal *steal, int ifindex, uint16_t slot, struct error *error)
{
    struct hook *hook = calloc(1, sizeof *hook);
    uint32_t key = (uint32_t)ifindex;

    if (!hook)
        return error_set(error, -ENOMEM, "out of memory");
    hook->ifindex = ifindex;
    if (bpf_map__update_elem(steal->skeleton->maps.port_slots, &key, sizeof key, &slot, sizeof slot,
                             BPF_ANY)) {
        free(hook);
        return error_set_errno(error, -errno, "cannot name the port to the BPF program");
    }
    int code = attach_filter(steal, hook, error);
    if (code) {
        bpf_map__delete_elem(steal->skeleton->maps.port_slots, &key, sizeof key, 0);
        free(hook);
        return code;
    }
    hook->next = steal->hooks;
    steal->hooks = hook;
    return 0;
}

/* The qdisc goes only if nobody else's filter is on it. */
static void remove_filter(const struct hook *hook)
{
    LIBBPF_OPTS(bpf_tc_hook, tc, .ifindex = hook->ifindex, .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

    bpf_tc_detach(&tc, &filter);
    if (hook->is_qdisc_ours && qdisc_n_clsact_filters(hook->ifindex) == 0) {
        tc.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
        bpf_tc_hook_destroy(&tc);
    }
}

void steal_detach(struct steal *steal, int ifindex)
{
    uint32_t key = (uint32_t)ifindex;

    for (struct hook **at = &steal->hooks; *at; at = &(*at)->next) {
        struct hook *hook = *at;

        if (hook->ifindex != ifindex)
            continue;
        *at = hook->next;
        remove_filter(hook);
        free(hook);
        break;
    }
    bpf_map__delete_elem(steal->skeleton->maps.port_slots, &key, sizeof key, 0);
}
