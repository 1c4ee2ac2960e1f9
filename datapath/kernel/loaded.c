/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kernel/loaded.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datapath/kcache.h"
#include "datapath/kernel/filter.h"
#include "datapath/kernel/pins.h"
#include "datapath/kernel/steal.skel.h"
#include "lib/log.h"

LOG_MODULE(loaded);

enum { MAX_PATH = 160, MAX_MAPS = 16 };

static const char *const map_names[LOADED_N_MAPS] = {
    [LOADED_STATE] = "state",   [LOADED_ENTRIES] = "entries",       [LOADED_ENTRIES6] = "entries6",
    [LOADED_PORTS] = "ports",   [LOADED_PROGRAMS] = "programs",     [LOADED_DEVICES] = "devices",
    [LOADED_METERS] = "meters", [LOADED_PORT_SLOTS] = "port_slots",
};

static struct bpf_map *map_of(const struct steal_bpf *skeleton, enum loaded_map map)
{
    struct bpf_map *const maps[LOADED_N_MAPS] = {
        [LOADED_STATE] = skeleton->maps.kc_state,
        [LOADED_ENTRIES] = skeleton->maps.kc_entries,
        [LOADED_ENTRIES6] = skeleton->maps.kc_entries6,
        [LOADED_PORTS] = skeleton->maps.kc_ports,
        [LOADED_PROGRAMS] = skeleton->maps.kc_programs,
        [LOADED_DEVICES] = skeleton->maps.kc_devices,
        [LOADED_METERS] = skeleton->maps.kc_meters,
        [LOADED_PORT_SLOTS] = skeleton->maps.port_slots,
    };

    return maps[map];
}

static uint64_t hash_fnv(const void *bytes, size_t n_bytes, uint64_t hash)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < n_bytes; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

void loaded_name(struct loaded_name *name, const char *who, const void *object, size_t n_bytes,
                 uint64_t setting)
{
    uint64_t hash = hash_fnv(object, n_bytes, UINT64_C(14695981039346656037));

    hash = hash_fnv(&setting, sizeof setting, hash);
    snprintf(name->text, sizeof name->text, "%s-%016llx", who, (unsigned long long)hash);
}

void loaded_init(struct loaded *loaded)
{
    loaded->ingress = loaded->egress = -1;
    for (int i = 0; i < LOADED_N_MAPS; i++)
        loaded->maps[i] = -1;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void loaded_close(struct loaded *loaded)
{
    close_one(&loaded->ingress);
    close_one(&loaded->egress);
    for (int i = 0; i < LOADED_N_MAPS; i++)
        close_one(&loaded->maps[i]);
}

/* --- Pinned --------------------------------------------------------------------------------- */

struct program_names {
    struct loaded_name ingress, egress;
};

/* What was loaded for another tap, or of another object, has other names. */
static void name_programs(uint32_t tap_ifindex, struct program_names *names)
{
    uint64_t setting = (uint64_t)tap_ifindex << 32 | KCACHE_DEFAULT_ENTRIES;
    size_t n_bytes = 0;
    const void *object = steal_bpf__elf_bytes(&n_bytes);

    loaded_name(&names->ingress, FILTER_PROGRAM, object, n_bytes, setting);
    loaded_name(&names->egress, FILTER_EGRESS_PROGRAM, object, n_bytes, setting);
}

static int open_pin(const struct pins *pins, const char *name)
{
    char path[MAX_PATH];

    pins_name(pins, name, path, sizeof path);
    return bpf_obj_get(path);
}

static bool has_map(const struct bpf_prog_info *info, const uint32_t *ids, int map_fd)
{
    struct bpf_map_info map = {0};
    uint32_t n_bytes = sizeof map;

    if (bpf_obj_get_info_by_fd(map_fd, &map, &n_bytes))
        return false;
    for (uint32_t i = 0; i < info->nr_map_ids && i < MAX_MAPS; i++)
        if (ids[i] == map.id)
            return true;
    return false;
}

/* Are these maps among those that the program reads? */
static bool is_on_maps(int program_fd, const int *maps, size_t n_maps)
{
    uint32_t ids[MAX_MAPS] = {0}, n_bytes;
    struct bpf_prog_info info = {.nr_map_ids = MAX_MAPS, .map_ids = (uintptr_t)ids};

    n_bytes = sizeof info;
    if (bpf_obj_get_info_by_fd(program_fd, &info, &n_bytes))
        return false;
    for (size_t i = 0; i < n_maps; i++)
        if (!has_map(&info, ids, maps[i]))
            return false;
    return true;
}

int loaded_find(const struct pins *pins, const struct loaded_name *name, const int *maps,
                size_t n_maps)
{
    int fd = open_pin(pins, name->text);

    if (fd < 0 || is_on_maps(fd, maps, n_maps))
        return fd;
    close(fd);
    return -1;
}

static bool open_pinned(struct loaded *loaded, const struct pins *pins,
                        const struct program_names *names)
{
    bool is_whole = true;

    for (int i = 0; i < LOADED_N_MAPS; i++) {
        loaded->maps[i] = open_pin(pins, map_names[i]);
        is_whole &= loaded->maps[i] >= 0;
    }
    if (is_whole) {
        loaded->ingress = loaded_find(pins, &names->ingress, loaded->maps, LOADED_N_MAPS);
        loaded->egress = loaded_find(pins, &names->egress, loaded->maps, LOADED_N_MAPS);
    }
    if (loaded->ingress >= 0 && loaded->egress >= 0)
        return true;
    loaded_close(loaded);
    return false;
}

static void unpin(const struct pins *pins, const char *who)
{
    char path[MAX_PATH];
    const struct dirent *file;
    size_t n = strlen(who);

    pins_name(pins, "", path, sizeof path);
    DIR *directory = opendir(path);
    while (directory && (file = readdir(directory)))
        if (!strncmp(file->d_name, who, n) && file->d_name[n] == '-')
            unlinkat(dirfd(directory), file->d_name, 0);
    if (directory)
        closedir(directory);
}

/* Without a pin the next daemon has to load the program, and that is all. */
void loaded_pin(const struct pins *pins, int fd, const char *who, const struct loaded_name *name)
{
    char path[MAX_PATH];

    unpin(pins, who);
    if (fd < 0)
        return;
    pins_name(pins, name->text, path, sizeof path);
    if (bpf_obj_pin(fd, path))
        log_warn("cannot pin %s: %s", path, strerror(errno));
}

/* --- Loaded --------------------------------------------------------------------------------- */

static int configure(struct steal_bpf *skeleton, struct pins *pins, uint32_t tap_ifindex)
{
    int code = 0;

    skeleton->rodata->exception_tap_ifindex = tap_ifindex;
    bpf_map__set_max_entries(skeleton->maps.kc_entries, KCACHE_DEFAULT_ENTRIES);
    bpf_map__set_max_entries(skeleton->maps.kc_entries6, KCACHE_DEFAULT_ENTRIES / 4);
    for (int i = 0; i < LOADED_N_MAPS && pins && !code; i++)
        code = pins_use(pins, map_of(skeleton, (enum loaded_map)i), map_names[i]);
    return code;
}

static bool keep(int fd, int *kept)
{
    *kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return *kept >= 0;
}

/* They outlive the skeleton, which is large. */
static int keep_all(struct loaded *loaded, const struct steal_bpf *skeleton)
{
    bool is_kept = keep(bpf_program__fd(skeleton->progs.weir_ingress), &loaded->ingress) &&
                   keep(bpf_program__fd(skeleton->progs.weir_egress), &loaded->egress);

    for (int i = 0; i < LOADED_N_MAPS && is_kept; i++)
        is_kept = keep(bpf_map__fd(map_of(skeleton, (enum loaded_map)i)), &loaded->maps[i]);
    return is_kept ? 0 : -errno;
}

static int load(struct loaded *loaded, struct pins *pins, uint32_t tap_ifindex)
{
    struct steal_bpf *skeleton = steal_bpf__open();

    if (!skeleton)
        return -errno;
    int code = configure(skeleton, pins, tap_ifindex);
    if (!code)
        code = steal_bpf__load(skeleton);
    if (!code)
        code = keep_all(loaded, skeleton);
    steal_bpf__destroy(skeleton);
    if (code)
        loaded_close(loaded);
    return code;
}

int loaded_open(struct loaded *loaded, struct pins *pins, uint32_t tap_ifindex)
{
    struct program_names names;

    loaded_init(loaded);
    name_programs(tap_ifindex, &names);
    if (pins && pins_are_adopted(pins) && open_pinned(loaded, pins, &names)) {
        log_dbg("the BPF programs of an earlier daemon are these");
        return 0;
    }
    int code = load(loaded, pins, tap_ifindex);
    if (!code && pins) {
        loaded_pin(pins, loaded->ingress, FILTER_PROGRAM, &names.ingress);
        loaded_pin(pins, loaded->egress, FILTER_EGRESS_PROGRAM, &names.egress);
    }
    return code;
}
