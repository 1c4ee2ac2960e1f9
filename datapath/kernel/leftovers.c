/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kernel/leftovers.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "datapath/kernel/filter.h"
#include "datapath/kernel/xdp.h"
#include "lib/annotations.h"
#include "lib/log.h"
#include "lib/netlink/qdisc.h"

LOG_MODULE(leftovers);

enum { MAX_MAPS = 32, MAX_RODATA_BYTES = 256 };

/* The constants of the program are a map of one value that begins with the index of the tap. */
static uint32_t tap_in_map(uint32_t map_id)
{
    uint8_t value[MAX_RODATA_BYTES];
    struct bpf_map_info info = {0};
    uint32_t n_bytes = sizeof info, key = 0, ifindex = 0;
    int fd = bpf_map_get_fd_by_id(map_id);

    if (fd < 0)
        return 0;
    if (!bpf_obj_get_info_by_fd(fd, &info, &n_bytes) && strstr(info.name, ".rodata") &&
        info.value_size >= sizeof ifindex && info.value_size <= sizeof value &&
        !bpf_map_lookup_elem(fd, &key, value))
        memcpy(&ifindex, value, sizeof ifindex);
    close(fd);
    return ifindex;
}

/* The tap that the program sends to; 0 if it is none of ours. */
static uint32_t tap_of_program(uint32_t program_id)
{
    uint32_t map_ids[MAX_MAPS], ifindex = 0;
    struct bpf_prog_info info = {.nr_map_ids = MAX_MAPS, .map_ids = (uint64_t)(uintptr_t)map_ids};
    uint32_t n_bytes = sizeof info;
    int fd = bpf_prog_get_fd_by_id(program_id);

    if (fd < 0)
        return 0;
    if (!bpf_obj_get_info_by_fd(fd, &info, &n_bytes) && !strcmp(info.name, FILTER_PROGRAM))
        for (uint32_t i = 0; i < info.nr_map_ids && i < MAX_MAPS && !ifindex; i++)
            ifindex = tap_in_map(map_ids[i]);
    close(fd);
    return ifindex;
}

/* What a filter of ours on the device is worth. */
enum owner { OWNER_NONE, OWNER_GONE, OWNER_ALIVE };

static enum owner owner_of(int ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, found, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
    char name[IF_NAMESIZE];
    uint32_t tap;

    if (bpf_tc_query(&hook, &found) || !(tap = tap_of_program(found.prog_id)))
        return OWNER_NONE;
    return if_indextoname(tap, name) ? OWNER_ALIVE : OWNER_GONE;
}

/* Most devices have no filter. */
static int say_nothing(enum libbpf_print_level level UNUSED, const char *format UNUSED,
                       va_list args UNUSED)
{
    return 0;
}

bool leftovers_has(int ifindex)
{
    libbpf_print_fn_t print = libbpf_set_print(say_nothing);
    bool has_one = owner_of(ifindex) == OWNER_GONE;

    libbpf_set_print(print);
    return has_one;
}

static bool remove_filter(int ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

    if (bpf_tc_detach(&hook, &filter))
        return false;
    if (qdisc_n_clsact_filters(ifindex) == 0) {
        hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
        bpf_tc_hook_destroy(&hook);
    }
    return true;
}

static void remove_from_device(const struct if_nameindex *device, struct buffer *freed)
{
    int ifindex = (int)device->if_index;
    enum owner owner = owner_of(ifindex);

    if (owner == OWNER_ALIVE)
        return;
    bool had_xdp = xdp_remove_leftover(ifindex);
    bool had_filter = owner == OWNER_GONE && remove_filter(ifindex);
    if (!had_xdp && !had_filter)
        return;
    buffer_printf(freed, "%s\n", device->if_name);
    log_info("%s: removed the %s that a killed switch had left", device->if_name,
             had_filter ? "filter" : "XDP program");
}

int leftovers_remove(struct buffer *freed, struct error *error)
{
    struct if_nameindex *devices = if_nameindex();
    libbpf_print_fn_t print = libbpf_set_print(say_nothing);

    if (!devices)
        return error_set_errno(error, -errno, "cannot list network devices");
    for (const struct if_nameindex *device = devices; device->if_index; device++)
        remove_from_device(device, freed);
    if_freenameindex(devices);
    libbpf_set_print(print);
    return 0;
}
