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
#include "lib/netlink/tc_filters.h"

LOG_MODULE(leftovers);

enum { MAX_MAPS = 64, MAX_RODATA_BYTES = 256 };

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
    if (!bpf_obj_get_info_by_fd(fd, &info, &n_bytes) &&
        (!strcmp(info.name, FILTER_PROGRAM) || !strcmp(info.name, FILTER_EGRESS_PROGRAM)))
        for (uint32_t i = 0; i < info.nr_map_ids && i < MAX_MAPS && !ifindex; i++)
            ifindex = tap_in_map(map_ids[i]);
    close(fd);
    return ifindex;
}

/* The tap of the filter of ours that hangs there; 0: there is none. */
static uint32_t tap_of_filter(int ifindex, enum bpf_tc_attach_point point)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
    LIBBPF_OPTS(bpf_tc_opts, found, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

    return bpf_tc_query(&hook, &found) ? 0 : tap_of_program(found.prog_id);
}

/* Most devices have no filter. */
static int say_nothing(enum libbpf_print_level level UNUSED, const char *format UNUSED,
                       va_list args UNUSED)
{
    return 0;
}

static bool is_gone(uint32_t tap)
{
    char name[IF_NAMESIZE];

    return tap && !if_indextoname(tap, name);
}

bool leftovers_has(int ifindex)
{
    libbpf_print_fn_t print = libbpf_set_print(say_nothing);
    bool has_one = is_gone(tap_of_filter(ifindex, BPF_TC_INGRESS));

    libbpf_set_print(print);
    return has_one;
}

bool leftovers_is_ours(int ifindex, enum bpf_tc_attach_point point)
{
    return tap_of_filter(ifindex, point) != 0;
}

bool leftovers_remove_qdisc(int ifindex)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

    return qdisc_is_clsact(ifindex) && qdisc_n_clsact_filters(ifindex) == 0 &&
           !bpf_tc_hook_destroy(&hook);
}

bool leftovers_remove_filter(int ifindex, enum bpf_tc_attach_point point)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

    return !bpf_tc_detach(&hook, &filter);
}

static int count_foreign_filters(int ifindex)
{
    struct tc_filter filters[8];
    int n_foreign = 0;

    for (int is_egress = 0; is_egress < 2; is_egress++) {
        int n = tc_filters_list(ifindex, is_egress, filters, ARRAY_SIZE(filters));

        if (n < 0)
            return n;
        for (int i = 0; i < n; i++)
            n_foreign += filters[i].handle != FILTER_HANDLE ||
                         filters[i].priority != FILTER_PRIORITY;
    }
    return n_foreign;
}

/* Both at once: between the one and the other we could be killed. */
bool leftovers_remove_qdisc_too(int ifindex, enum bpf_tc_attach_point point)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

    return (count_foreign_filters(ifindex) == 0 && !bpf_tc_hook_destroy(&hook)) ||
           leftovers_remove_filter(ifindex, point);
}

/* Filters on the device are of one switch.  A program without filters has lost its switch too. */
static void remove_from_device(const struct if_nameindex *device, int of_tap, struct buffer *freed)
{
    int ifindex = (int)device->if_index;
    uint32_t ingress = tap_of_filter(ifindex, BPF_TC_INGRESS);
    uint32_t egress = tap_of_filter(ifindex, BPF_TC_EGRESS);
    uint32_t tap = ingress ? ingress : egress;
    bool had_filter = false;

    if (of_tap ? tap != (uint32_t)of_tap : tap && !is_gone(tap))
        return;
    bool had_xdp = xdp_remove_leftover(ifindex);
    if (ingress)
        had_filter |= leftovers_remove_qdisc_too(ifindex, BPF_TC_INGRESS);
    if (egress)
        had_filter |= leftovers_remove_qdisc_too(ifindex, BPF_TC_EGRESS);
    if (!had_xdp && !had_filter)
        return;
    if (freed)
        buffer_printf(freed, "%s\n", device->if_name);
    log_info("%s: removed the %s that an earlier switch had left", device->if_name,
             had_filter ? "filter" : "XDP program");
}

static int remove_all(int of_tap, bool (*is_wanted)(int ifindex, void *arg), void *arg,
                      struct buffer *freed)
{
    struct if_nameindex *devices = if_nameindex();

    if (!devices)
        return -errno;
    libbpf_print_fn_t print = libbpf_set_print(say_nothing);
    for (const struct if_nameindex *device = devices; device->if_index; device++)
        if (!is_wanted || !is_wanted((int)device->if_index, arg))
            remove_from_device(device, of_tap, freed);
    if_freenameindex(devices);
    libbpf_set_print(print);
    return 0;
}

int leftovers_remove(struct buffer *freed, struct error *error)
{
    int code = remove_all(0, NULL, NULL, freed);

    return code ? error_set_errno(error, code, "cannot list network devices") : 0;
}

int leftovers_remove_of(int tap_ifindex, bool (*is_wanted)(int ifindex, void *arg), void *arg,
                        struct buffer *freed)
{
    return remove_all(tap_ifindex, is_wanted, arg, freed);
}
