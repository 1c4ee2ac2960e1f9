/* SPDX-License-Identifier: Apache-2.0 */

/* libbpf keeps quiet: what it would print is in the error. */

#include "datapath/kernel/steal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "datapath/kernel/filter.h"
#include "datapath/kernel/leftovers.h"
#include "datapath/kernel/loaded.h"
#include "datapath/kernel/pins.h"
#include "datapath/kernel/xdp.h"
#include "datapath/port/tap.h"
#include "lib/log.h"
#include "lib/netlink/qdisc.h"

LOG_MODULE(steal);

struct hook {
    struct hook *next;
    int ifindex;
    enum bpf_tc_attach_point point;
    bool is_qdisc_ours;
    bool is_pending;      /* A leftover is there, to be taken over. */
    struct xdp_hook *xdp; /* Owned; NULL: none. */
    bool wants_xdp;       /* Once it is no more pending. */
    struct link_info link;
};

struct steal {
    char instance[IFNAMSIZ];
    int tap_ifindex;
    struct pins *pins; /* Owned; NULL: nothing can be pinned. */
    struct loaded loaded;
    struct hook *hooks; /* Owned. */
    _Atomic unsigned int n_xdp;
    struct kcache_maps maps;
    bool is_memory_taken; /* By the flow cache. */
    bool has_taken_over;
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

static void unmap(void *at, size_t n_bytes)
{
    if (at)
        munmap(at, n_bytes);
}

static void release_maps(struct kcache_maps *maps)
{
    unmap(maps->state, sizeof *maps->state);
    unmap(maps->entries, maps->n_entries * sizeof *maps->entries);
    unmap(maps->entries6, maps->n_entries6 * sizeof *maps->entries6);
    unmap(maps->ports, KC_MAX_PORTS * sizeof *maps->ports);
    unmap(maps->programs, KC_N_PROGRAMS * sizeof *maps->programs);
    unmap(maps->devices, KC_MAX_DEVICES * sizeof *maps->devices);
    unmap(maps->meters, KC_N_METERS * sizeof *maps->meters);
}

/* The memory of 'map'; NULL with errno. */
static void *map_memory(const struct steal *steal, enum loaded_map map, size_t n_bytes)
{
    void *at = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, steal->loaded.maps[map], 0);

    return at == MAP_FAILED ? NULL : at;
}

static int get_maps(struct steal *steal)
{
    struct kcache_maps *maps = &steal->maps;

    maps->n_entries = KCACHE_DEFAULT_ENTRIES;
    maps->n_entries6 = KCACHE_DEFAULT_ENTRIES / 4;
    if (!(maps->state = map_memory(steal, LOADED_STATE, sizeof *maps->state)) ||
        !(maps->entries = map_memory(steal, LOADED_ENTRIES,
                                     maps->n_entries * sizeof *maps->entries)) ||
        !(maps->entries6 = map_memory(steal, LOADED_ENTRIES6,
                                      maps->n_entries6 * sizeof *maps->entries6)) ||
        !(maps->ports = map_memory(steal, LOADED_PORTS, KC_MAX_PORTS * sizeof *maps->ports)) ||
        !(maps->programs = map_memory(steal, LOADED_PROGRAMS,
                                      KC_N_PROGRAMS * sizeof *maps->programs)) ||
        !(maps->devices = map_memory(steal, LOADED_DEVICES,
                                     KC_MAX_DEVICES * sizeof *maps->devices)) ||
        !(maps->meters = map_memory(steal, LOADED_METERS, KC_N_METERS * sizeof *maps->meters)))
        return -errno;
    maps->release = release_maps;
    return 0;
}

/* What is pinned may be of another build after all, or not be permitted. */
static int load_somehow(struct steal *steal, int tap_ifindex)
{
    int code = loaded_open(&steal->loaded, steal->pins, (uint32_t)tap_ifindex);

    if (code && steal->pins && pins_are_adopted(steal->pins)) {
        struct error error = ERROR_INIT;

        log_warn("what an earlier daemon has pinned cannot be used: %s", strerror(-code));
        code = pins_forget(steal->pins, &error);
        if (code)
            log_warn("%s", error.message);
        else
            code = loaded_open(&steal->loaded, steal->pins, (uint32_t)tap_ifindex);
    }
    if (code && steal->pins) {
        pins_close(steal->pins);
        steal->pins = NULL;
        pins_remove(steal->instance);
        code = loaded_open(&steal->loaded, steal->pins, (uint32_t)tap_ifindex);
        if (!code)
            log_warn("nothing can be pinned: a restart will interrupt traffic");
    }
    return code;
}

static void open_pins(struct steal *steal, const struct tap_owner *owner, int tap_ifindex)
{
    struct error error = ERROR_INIT;

    steal->pins = pins_open(owner, tap_ifindex, &error);
    if (!steal->pins)
        log_warn("a restart will interrupt traffic: %s", error.message);
}

/* A daemon that is killed between a qdisc and its filter leaves a qdisc that nobody would know. */
static void note_qdisc(struct steal *steal, int ifindex)
{
    if (steal->maps.kept)
        __atomic_store_n(&steal->maps.kept->qdisc_ifindex, (uint32_t)ifindex, __ATOMIC_RELEASE);
}

struct steal *steal_create(const struct tap_owner *owner, int tap_ifindex, struct error *error)
{
    struct steal *steal = calloc(1, sizeof *steal);

    if (!steal) {
        error_set(error, -ENOMEM, "out of memory");
        return NULL;
    }
    libbpf_set_print(print_debug);
    loaded_init(&steal->loaded);
    snprintf(steal->instance, sizeof steal->instance, "%s", owner->instance);
    steal->tap_ifindex = tap_ifindex;
    open_pins(steal, owner, tap_ifindex);
    int code = load_somehow(steal, tap_ifindex);
    if (code)
        error_set_errno(error, code, "cannot load the BPF program");
    else if ((code = get_maps(steal)))
        error_set_errno(error, code, "cannot map the memory of the flow cache");
    if (code) {
        steal_destroy(steal);
        return NULL;
    }
    if (steal->pins) {
        steal->maps.kept = pins_kept(steal->pins);
        steal->maps.is_adopted = pins_are_adopted(steal->pins);
        if (steal->maps.kept->qdisc_ifindex)
            leftovers_remove_qdisc((int)steal->maps.kept->qdisc_ifindex);
        note_qdisc(steal, 0);
        pins_complete(steal->pins);
    }
    return steal;
}

void steal_destroy(struct steal *steal)
{
    if (!steal)
        return;
    while (steal->hooks)
        steal_detach(steal, steal->hooks->ifindex);
    if (!steal->is_memory_taken)
        release_maps(&steal->maps);
    loaded_close(&steal->loaded);
    pins_close(steal->pins);
    pins_remove(steal->instance);
    free(steal);
}

struct kcache *steal_create_kcache(struct steal *steal, struct datapath *dp)
{
    struct kcache *kcache = kcache_create(dp, &steal->maps);

    steal->is_memory_taken = kcache;
    return kcache;
}

/* --- Devices -------------------------------------------------------------------------------- */

/* Among all, and at its place if nobody else is there. */
static int name_device(struct steal *steal, int ifindex, uint16_t slot)
{
    uint32_t key = (uint32_t)ifindex;
    struct kc_device *at = &steal->maps.devices[key % KC_MAX_DEVICES];
    const struct kc_device device = {.ifindex = key, .slot = slot};

    if (bpf_map_update_elem(steal->loaded.maps[LOADED_PORT_SLOTS], &key, &device, BPF_ANY))
        return -errno;
    if (at->ifindex == key) {
        at->slot = slot;
        at->is_off = 0;
        __atomic_store_n(&at->n_metered, 0,
                         __ATOMIC_RELAXED); /* Drops for other reasons begin anew, too. */
    } else if (!at->ifindex) {
        at->slot = slot;
        at->is_off = 0;
        at->n_lost = at->n_unsent = at->n_metered = 0;
        __atomic_store_n(&at->ifindex, key, __ATOMIC_RELEASE);
    }
    return 0;
}

int steal_set_cached(struct steal *steal, int ifindex, bool is_cached, struct error *error)
{
    uint32_t key = (uint32_t)ifindex;
    struct kc_device *at = &steal->maps.devices[key % KC_MAX_DEVICES];
    int all = steal->loaded.maps[LOADED_PORT_SLOTS];
    struct kc_device device;

    if (bpf_map_lookup_elem(all, &key, &device))
        return error_set_errno(error, -errno,
                               "cannot find the port among those of the BPF program");
    device.is_off = !is_cached;
    if (bpf_map_update_elem(all, &key, &device, BPF_EXIST))
        return error_set_errno(error, -errno, "cannot tell the BPF program of it");
    if (at->ifindex == key)
        __atomic_store_n(&at->is_off, device.is_off, __ATOMIC_RELEASE);
    return 0;
}

static void forget_device(struct steal *steal, int ifindex)
{
    uint32_t key = (uint32_t)ifindex;
    struct kc_device *at = &steal->maps.devices[key % KC_MAX_DEVICES];

    if (at->ifindex == key)
        __atomic_store_n(&at->ifindex, 0, __ATOMIC_RELEASE);
    bpf_map_delete_elem(steal->loaded.maps[LOADED_PORT_SLOTS], &key);
}

static int make_qdisc(struct steal *steal, const struct hook *hook)
{
    LIBBPF_OPTS(bpf_tc_hook, tc, .ifindex = hook->ifindex, .attach_point = hook->point);
    int code;

    note_qdisc(steal, hook->ifindex);
    code = bpf_tc_hook_create(&tc);
    if (code)
        note_qdisc(steal, 0);
    return code;
}

static int attach_filter(struct steal *steal, struct hook *hook, struct error *error)
{
    bool is_ingress = hook->point == BPF_TC_INGRESS;
    LIBBPF_OPTS(bpf_tc_hook, tc, .ifindex = hook->ifindex, .attach_point = hook->point);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
                .prog_fd = is_ingress ? steal->loaded.ingress : steal->loaded.egress,
                .flags = BPF_TC_F_REPLACE);
    int code = make_qdisc(steal, hook);

    hook->is_qdisc_ours = !code || leftovers_is_ours(hook->ifindex, hook->point);
    if (code && code != -EEXIST)
        return error_set_errno(error, code, "cannot add a clsact qdisc");
    if (hook->point == BPF_TC_EGRESS && !qdisc_is_clsact(hook->ifindex))
        return error_set(error, -EEXIST,
                         "an ingress qdisc is in the place of the clsact qdisc that is needed");
    code = bpf_tc_attach(&tc, &filter);
    if (code && hook->is_qdisc_ours)
        leftovers_remove_qdisc(hook->ifindex);
    note_qdisc(steal, 0);
    if (!code)
        return 0;
    return error_set_errno(error, code, "cannot attach a TC filter");
}

static bool is_attached(const struct hook *hook)
{
    return leftovers_is_ours(hook->ifindex, hook->point);
}

int steal_restore(struct steal *steal, int ifindex, struct error *error)
{
    struct hook *hook = steal->hooks;

    while (hook && hook->ifindex != ifindex)
        hook = hook->next;
    if (!hook || hook->is_pending || is_attached(hook))
        return 0;
    bool was_qdisc_ours = hook->is_qdisc_ours;
    int code = attach_filter(steal, hook, error);
    hook->is_qdisc_ours |= was_qdisc_ours;
    return code ? code : 1;
}

static int attach(struct steal *steal, int ifindex, enum bpf_tc_attach_point point, uint16_t slot,
                  struct error *error)
{
    struct hook *hook = calloc(1, sizeof *hook);

    if (!hook)
        return error_set(error, -ENOMEM, "out of memory");
    hook->ifindex = ifindex;
    hook->point = point;
    int code = name_device(steal, ifindex, slot);
    if (code) {
        free(hook);
        return error_set_errno(error, code, "cannot name the port to the BPF program");
    }
    hook->is_pending = point == BPF_TC_INGRESS && !steal->maps.is_adopted &&
                       !steal->has_taken_over && leftovers_has(ifindex);
    hook->is_qdisc_ours = hook->is_pending; /* It was the other's, who is gone. */
    code = hook->is_pending ? 0 : attach_filter(steal, hook, error);
    if (code) {
        forget_device(steal, ifindex);
        free(hook);
        return code;
    }
    hook->next = steal->hooks;
    steal->hooks = hook;
    return 0;
}

int steal_attach(struct steal *steal, int ifindex, uint16_t slot, struct error *error)
{
    return attach(steal, ifindex, BPF_TC_INGRESS, slot, error);
}

int steal_attach_egress(struct steal *steal, int ifindex, uint16_t slot, struct error *error)
{
    return attach(steal, ifindex, BPF_TC_EGRESS, slot, error);
}

static void take_over(struct steal *steal, struct hook *hook)
{
    struct error error = ERROR_INIT;

    hook->is_pending = false;
    if (attach_filter(steal, hook, &error))
        log_warn("interface number %d: %s", hook->ifindex, error.message);
    hook->is_qdisc_ours = true; /* It was the other's, who is gone. */
    if (!hook->wants_xdp)
        xdp_remove_leftover(hook->ifindex);
    else if (steal_attach_xdp(steal, &hook->link, &error))
        log_warn("%s: not by XDP: %s", hook->link.name, error.message);
}

static bool is_hooked(int ifindex, void *arg)
{
    const struct steal *steal = arg;

    for (const struct hook *hook = steal->hooks; hook; hook = hook->next)
        if (hook->ifindex == ifindex)
            return true;
    return false;
}

static void forget_lost_devices(struct steal *steal)
{
    int all = steal->loaded.maps[LOADED_PORT_SLOTS];
    uint32_t key, *last = NULL, lost[64], n_lost;

    do {
        n_lost = 0;
        for (last = NULL;
             n_lost < sizeof lost / sizeof lost[0] && !bpf_map_get_next_key(all, last, &key);
             last = &key)
            if (!is_hooked((int)key, steal))
                lost[n_lost++] = key;
        for (uint32_t i = 0; i < n_lost; i++)
            forget_device(steal, (int)lost[i]);
    } while (n_lost);
}

void steal_take_over(struct steal *steal)
{
    if (steal->has_taken_over)
        return;
    steal->has_taken_over = true;
    for (struct hook *hook = steal->hooks; hook; hook = hook->next) {
        if (hook->is_pending)
            take_over(steal, hook);
        else if (!hook->xdp)
            xdp_remove_leftover(hook->ifindex);
    }
    leftovers_remove_of(steal->tap_ifindex, is_hooked, steal, NULL);
    forget_lost_devices(steal);
}

bool steal_is_adopted(const struct steal *steal)
{
    return steal->maps.is_adopted;
}

/* The qdisc goes only if nobody else's filter is on it. */
static void remove_filter(const struct hook *hook)
{
    if (hook->is_qdisc_ours)
        leftovers_remove_qdisc_too(hook->ifindex, hook->point);
    else
        leftovers_remove_filter(hook->ifindex, hook->point);
}

static struct hook *find_ingress(struct steal *steal, int ifindex)
{
    struct hook *hook = steal->hooks;

    while (hook && (hook->ifindex != ifindex || hook->point != BPF_TC_INGRESS))
        hook = hook->next;
    return hook;
}

static void detach_xdp(struct steal *steal, struct hook *hook)
{
    hook->wants_xdp = false;
    if (!hook->xdp)
        return;
    xdp_detach(hook->xdp);
    hook->xdp = NULL;
    atomic_fetch_sub(&steal->n_xdp, 1);
}

int steal_attach_xdp(struct steal *steal, const struct link_info *link, struct error *error)
{
    struct hook *hook = find_ingress(steal, link->ifindex);
    const int *fds = steal->loaded.maps;
    const struct xdp_maps maps = {
        .state = fds[LOADED_STATE],
        .entries = fds[LOADED_ENTRIES],
        .entries6 = fds[LOADED_ENTRIES6],
        .ports = fds[LOADED_PORTS],
        .programs = fds[LOADED_PROGRAMS],
        .devices = fds[LOADED_DEVICES],
        .meters = fds[LOADED_METERS],
    };

    if (!hook)
        return error_set(error, -ENODEV, "it has no TC filter of ours");
    if (hook->is_pending) {
        hook->wants_xdp = true;
        hook->link = *link;
        return 0;
    }
    if (hook->xdp && xdp_is_attached(hook->xdp))
        return 0;
    if (hook->xdp)
        log_warn("%s: somebody has removed the XDP program", link->name);
    detach_xdp(steal, hook);
    hook->xdp = xdp_attach(link, &maps, steal->pins, error);
    if (!hook->xdp)
        return error->code;
    atomic_fetch_add(&steal->n_xdp, 1);
    return 0;
}

void steal_detach_xdp(struct steal *steal, int ifindex)
{
    struct hook *hook = find_ingress(steal, ifindex);

    if (hook)
        detach_xdp(steal, hook);
}

bool steal_has_xdp(const struct steal *steal)
{
    return atomic_load_explicit(&steal->n_xdp, memory_order_relaxed) > 0;
}

void steal_detach(struct steal *steal, int ifindex)
{
    for (struct hook **at = &steal->hooks; *at; at = &(*at)->next) {
        struct hook *hook = *at;

        if (hook->ifindex != ifindex)
            continue;
        *at = hook->next;
        detach_xdp(steal, hook);
        if (hook->is_pending)
            xdp_remove_leftover(ifindex);
        remove_filter(hook);
        free(hook);
        break;
    }
    forget_device(steal, ifindex);
}
