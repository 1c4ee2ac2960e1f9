/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kernel/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/kernel/xdp.skel.h"
#include "lib/annotations.h"
#include "lib/log.h"
#include "lib/netlink/xdp_features.h"
#include "lib/netlink/xdp_programs.h"

LOG_MODULE(xdp);

/* Younger than what we build on (Linux 6.3). */
#define XDP_DEV_BOUND_ONLY (1u << 6)

static const char program_prefix[] = "weir_xdp";

struct xdp_hook {
    int ifindex;
    struct xdp_bpf *skeleton;
    int fd; /* Of the program; the skeleton's. */
};

/* How the device's tags are seen; is_bound: by asking. */
static int choose_program(const struct link_info *link, bool *is_bound, struct error *error)
{
    struct xdp_features features;

    *is_bound = false;
    if (!strcmp(link->kind, "tun"))
        return 0; /* Frames come from a descriptor, whole. */
    if (!xdp_features_get(link->ifindex, &features, NULL) && features.shows_tags) {
        *is_bound = true;
        return 0;
    }
    if (!strcmp(link->kind, "veth"))
        return error_set(error, -EOPNOTSUPP,
                         "before Linux 6.8 XDP on a veth does not see VLAN tags");
    if (xdp_features_takes_tags_out(link->name))
        return error_set(error, -EOPNOTSUPP,
                         "its driver takes VLAN tags out and does not tell XDP "
                         "(ethtool -K %s rxvlan off)",
                         link->name);
    return 0;
}

static int use_maps(struct xdp_bpf *skeleton, const struct xdp_maps *maps)
{
    const struct {
        struct bpf_map *map;
        int fd;
    } shared[] = {
        {skeleton->maps.kc_state, maps->state},       {skeleton->maps.kc_entries, maps->entries},
        {skeleton->maps.kc_entries6, maps->entries6}, {skeleton->maps.kc_ports, maps->ports},
        {skeleton->maps.kc_programs, maps->programs}, {skeleton->maps.kc_devices, maps->devices},
    };

    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        int code = bpf_map__reuse_fd(shared[i].map, shared[i].fd);

        if (code)
            return code;
    }
    return 0;
}

static int load(struct xdp_hook *hook, const struct xdp_maps *maps, bool is_bound,
                struct error *error)
{
    struct xdp_bpf *skeleton = hook->skeleton = xdp_bpf__open();
    int code;

    if (!skeleton)
        return error_set_errno(error, -errno, "cannot open the BPF object");
    struct bpf_program *program = is_bound ? skeleton->progs.weir_xdp_bound
                                           : skeleton->progs.weir_xdp;
    bpf_program__set_autoload(skeleton->progs.weir_xdp, !is_bound);
    bpf_program__set_autoload(skeleton->progs.weir_xdp_bound, is_bound);
    if (is_bound) {
        bpf_program__set_ifindex(program, (uint32_t)hook->ifindex);
        bpf_program__set_flags(program, XDP_DEV_BOUND_ONLY);
    }
    code = use_maps(skeleton, maps);
    if (!code)
        code = xdp_bpf__load(skeleton);
    if (code)
        return error_set_errno(error, code, "cannot load the XDP program");
    hook->fd = bpf_program__fd(program);
    return 0;
}

/* A descriptor of the native program that is attached, if it is one of ours; else -1. */
static int open_own_program(int ifindex)
{
    struct bpf_prog_info info = {0};
    uint32_t n_bytes = sizeof info;
    struct xdp_programs found;

    if (xdp_programs_get(ifindex, &found) || !found.native)
        return -1;
    int fd = bpf_prog_get_fd_by_id(found.native);
    if (fd < 0)
        return -1;
    if (!bpf_obj_get_info_by_fd(fd, &info, &n_bytes) &&
        !strncmp(info.name, program_prefix, sizeof program_prefix - 1))
        return fd;
    close(fd);
    return -1;
}

/* Is a program there that is not ours?  Asked before the work of loading; attaching asks again. */
static bool is_taken(int ifindex)
{
    struct xdp_programs found;
    int own_fd;

    if (xdp_programs_get(ifindex, &found) || !(found.native | found.generic | found.hardware))
        return false;
    own_fd = open_own_program(ifindex);
    if (own_fd >= 0)
        close(own_fd);
    return own_fd < 0;
}

static int say_taken(struct error *error)
{
    return error_set(error, -EBUSY, "another XDP program is attached to it");
}

static int attach(const struct xdp_hook *hook, struct error *error)
{
    int old_fd = open_own_program(hook->ifindex), code;

    if (old_fd >= 0) {
        LIBBPF_OPTS(bpf_xdp_attach_opts, replace, .old_prog_fd = old_fd);

        code = bpf_xdp_attach(hook->ifindex, hook->fd, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE,
                              &replace);
        close(old_fd);
    } else {
        code = bpf_xdp_attach(hook->ifindex, hook->fd,
                              XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
    }
    switch (code) {
    case 0:
        return 0;
    case -EBUSY:
    case -EEXIST:
        return say_taken(error);
    case -EOPNOTSUPP:
        return error_set(error, code, "its driver has no native XDP");
    case -ERANGE:
        return error_set(error, code, "its MTU is too large for XDP");
    default:
        return error_set_errno(error, code, "cannot attach the XDP program");
    }
}

static void free_hook(struct xdp_hook *hook)
{
    xdp_bpf__destroy(hook->skeleton);
    free(hook);
}

struct xdp_hook *xdp_attach(const struct link_info *link, const struct xdp_maps *maps,
                            struct error *error)
{
    struct xdp_hook *hook = calloc(1, sizeof *hook);
    bool is_bound;

    if (!hook) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    hook->ifindex = link->ifindex;
    int code = is_taken(link->ifindex) ? say_taken(error) : choose_program(link, &is_bound, error);
    if (!code)
        code = load(hook, maps, is_bound, error);
    if (!code)
        code = attach(hook, error);
    if (code) {
        free_hook(hook);
        return NULL;
    }
    log_info("%s: forwards by XDP", link->name);
    return hook;
}

void xdp_detach(struct xdp_hook *hook)
{
    if (!hook)
        return;
    LIBBPF_OPTS(bpf_xdp_attach_opts, ours, .old_prog_fd = hook->fd);

    bpf_xdp_detach(hook->ifindex, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, &ours);
    free_hook(hook);
}

bool xdp_is_attached(const struct xdp_hook *hook)
{
    struct bpf_prog_info info = {0};
    uint32_t n_bytes = sizeof info;
    struct xdp_programs found;

    return !bpf_obj_get_info_by_fd(hook->fd, &info, &n_bytes) &&
           !xdp_programs_get(hook->ifindex, &found) && found.native == info.id;
}

bool xdp_can_send_to(int ifindex)
{
    struct xdp_features features;
    struct link_info link;
    int code = xdp_features_get(ifindex, &features, NULL);

    if (code != -EOPNOTSUPP)
        return !code && features.can_be_sent_to;
    /* The kernel does not tell, but taps can, always. */
    return !link_get_by_index(ifindex, &link, NULL) && !strcmp(link.kind, "tun");
}

bool xdp_remove_leftover(int ifindex)
{
    int fd = open_own_program(ifindex);
    LIBBPF_OPTS(bpf_xdp_attach_opts, ours, .old_prog_fd = fd);

    if (fd < 0)
        return false;
    int code = bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, &ours);
    close(fd);
    return !code;
}
