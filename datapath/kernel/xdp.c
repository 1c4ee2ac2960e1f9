/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kernel/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/kernel/loaded.h"
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
    const struct pins *pins; /* Borrowed; NULL: none. */
    int fd;                  /* Of the program; owned. */
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
        {skeleton->maps.kc_meters, maps->meters},
    };

    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        int code = bpf_map__reuse_fd(shared[i].map, shared[i].fd);

        if (code)
            return code;
    }
    return 0;
}

/* The program, or negative errno. */
static int load_skeleton(struct xdp_bpf *skeleton, int ifindex, const struct xdp_maps *maps,
                         bool is_bound)
{
    struct bpf_program *program = is_bound ? skeleton->progs.weir_xdp_bound
                                           : skeleton->progs.weir_xdp;
    int code;

    skeleton->rodata->own_ifindex = (uint32_t)ifindex;
    bpf_program__set_autoload(skeleton->progs.weir_xdp, !is_bound);
    bpf_program__set_autoload(skeleton->progs.weir_xdp_bound, is_bound);
    if (is_bound) {
        bpf_program__set_ifindex(program, (uint32_t)ifindex);
        bpf_program__set_flags(program, XDP_DEV_BOUND_ONLY);
    }
    code = use_maps(skeleton, maps);
    if (!code)
        code = xdp_bpf__load(skeleton);
    if (code)
        return code;
    int fd = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int load(struct xdp_hook *hook, const struct xdp_maps *maps, bool is_bound,
                struct error *error)
{
    struct xdp_bpf *skeleton = xdp_bpf__open();

    if (!skeleton)
        return error_set_errno(error, -errno, "cannot open the BPF object");
    hook->fd = load_skeleton(skeleton, hook->ifindex, maps, is_bound);
    xdp_bpf__destroy(skeleton);
    return hook->fd < 0 ? error_set_errno(error, hook->fd, "cannot load the XDP program") : 0;
}

/* --- Pinned --------------------------------------------------------------------------------- */

static void say_who(const struct xdp_hook *hook, char who[32])
{
    snprintf(who, 32, "%s-%d", program_prefix, hook->ifindex);
}

static void name_program(const struct xdp_hook *hook, bool is_bound, struct loaded_name *name)
{
    size_t n_bytes = 0;
    const void *object = xdp_bpf__elf_bytes(&n_bytes);
    char who[32];

    say_who(hook, who);
    loaded_name(name, who, object, n_bytes, is_bound);
}

static void pin(const struct xdp_hook *hook, int fd, bool is_bound)
{
    struct loaded_name name;
    char who[32];

    if (!hook->pins)
        return;
    say_who(hook, who);
    name_program(hook, is_bound, &name);
    loaded_pin(hook->pins, fd, who, &name);
}

/* True: the very program that would be loaded is there. */
static bool adopt(struct xdp_hook *hook, const struct xdp_maps *maps, bool is_bound)
{
    const int fds[] = {maps->state,    maps->entries, maps->entries6, maps->ports,
                       maps->programs, maps->devices, maps->meters};
    struct loaded_name name;

    if (!hook->pins)
        return false;
    name_program(hook, is_bound, &name);
    hook->fd = loaded_find(hook->pins, &name, fds, sizeof fds / sizeof *fds);
    if (hook->fd >= 0 && xdp_is_attached(hook))
        return true;
    if (hook->fd >= 0)
        close(hook->fd);
    hook->fd = -1;
    return false;
}

/* --- Devices -------------------------------------------------------------------------------- */

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
    if (hook->fd >= 0)
        close(hook->fd);
    free(hook);
}

struct xdp_hook *xdp_attach(const struct link_info *link, const struct xdp_maps *maps,
                            const struct pins *pins, struct error *error)
{
    struct xdp_hook *hook = calloc(1, sizeof *hook);
    bool is_bound;

    if (!hook) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    hook->ifindex = link->ifindex;
    hook->pins = pins;
    hook->fd = -1;
    int code = is_taken(link->ifindex) ? say_taken(error) : choose_program(link, &is_bound, error);
    if (!code && adopt(hook, maps, is_bound))
        return hook;
    if (!code)
        code = load(hook, maps, is_bound, error);
    if (!code)
        code = attach(hook, error);
    if (code) {
        free_hook(hook);
        return NULL;
    }
    pin(hook, hook->fd, is_bound);
    log_info("%s: forwards by XDP", link->name);
    return hook;
}

void xdp_detach(struct xdp_hook *hook)
{
    if (!hook)
        return;
    LIBBPF_OPTS(bpf_xdp_attach_opts, ours, .old_prog_fd = hook->fd);

    bpf_xdp_detach(hook->ifindex, XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, &ours);
    pin(hook, -1, false);
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
