/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/kernel/programs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/kcache_table.h"
#include "datapath/kernel/steal.skel.h"
#include "datapath/kernel/xdp.skel.h"

void programs_put(const struct bpf_map *map, uint32_t index, const void *value)
{
    if (bpf_map_update_elem(bpf_map__fd(map), &index, value, BPF_ANY)) {
        perror("cannot fill a map of the BPF programs");
        exit(1);
    }
}

static int share_maps(const struct steal_bpf *tc, struct xdp_bpf *xdp)
{
    const struct {
        struct bpf_map *to;
        const struct bpf_map *from;
    } shared[] = {
        {xdp->maps.kc_state, tc->maps.kc_state},       {xdp->maps.kc_entries, tc->maps.kc_entries},
        {xdp->maps.kc_entries6, tc->maps.kc_entries6}, {xdp->maps.kc_ports, tc->maps.kc_ports},
        {xdp->maps.kc_programs, tc->maps.kc_programs}, {xdp->maps.kc_devices, tc->maps.kc_devices},
        {xdp->maps.kc_meters, tc->maps.kc_meters},
    };
    int code = 0;

    for (size_t i = 0; i < sizeof shared / sizeof *shared && !code; i++)
        code = bpf_map__reuse_fd(shared[i].to, bpf_map__fd(shared[i].from));
    return code;
}

static int load(struct programs *programs)
{
    struct steal_bpf *tc = programs->tc = steal_bpf__open();
    struct xdp_bpf *xdp = programs->xdp = xdp_bpf__open();

    if (!tc || !xdp)
        return -errno;
    bpf_map__set_max_entries(tc->maps.kc_entries, PROGRAMS_N_ENTRIES);
    bpf_map__set_max_entries(tc->maps.kc_entries6, PROGRAMS_N_ENTRIES);
    bpf_program__set_autoload(xdp->progs.weir_xdp_bound, false);
    int code = steal_bpf__load(tc);
    if (!code)
        code = share_maps(tc, xdp);
    return code ? code : xdp_bpf__load(xdp);
}

int programs_load(struct programs *programs)
{
    int code = load(programs);

    if (code) {
        fprintf(stderr, "cannot load the BPF programs: %s\n", strerror(-code));
        programs_unload(programs);
        return code;
    }
    kcache_table_seed(&programs->state);
    programs->state.max_index = programs->state.max_index6 = PROGRAMS_N_ENTRIES - 1;
    programs_put(programs->tc->maps.kc_state, 0, &programs->state);
    programs_put(
        programs->tc->maps.kc_ports, PROGRAMS_OUT_PORT,
        &(struct kc_port){.ifindex = PROGRAMS_IN, .max_bytes = UINT16_MAX, .takes_xdp = 1});
    programs_set_device(programs, true);
    return 0;
}

void programs_unload(struct programs *programs)
{
    xdp_bpf__destroy(programs->xdp);
    steal_bpf__destroy(programs->tc);
    memset(programs, 0, sizeof *programs);
}

void programs_set_device(struct programs *programs, bool is_there)
{
    programs_put(programs->tc->maps.kc_devices, PROGRAMS_IN,
                 &(struct kc_device){.ifindex = is_there ? PROGRAMS_IN : 0, .slot = PROGRAMS_SLOT});
}

static const struct bpf_map *entries_of(const struct programs *programs, const struct kc_key *key)
{
    return key->n_words == KC_KEY6_WORDS ? programs->tc->maps.kc_entries6
                                         : programs->tc->maps.kc_entries;
}

void programs_put_entry(struct programs *programs, const struct kc_key *key, uint32_t action)
{
    struct kc_points points = kc_points_of(&programs->state, key->words, key->n_words);
    struct kc_entry6 entry = {.head.verdict = action ? action | UINT64_C(1) << 32 : 0};

    memcpy(entry.head.key, key->words, sizeof entry.head.key);
    memcpy(entry.more_key, key->words + KC_KEY_WORDS, sizeof entry.more_key);
    programs_put(entries_of(programs, key), points.home, &entry);
}

struct kc_entry6 programs_get_entry(const struct programs *programs, const struct kc_key *key)
{
    struct kc_points points = kc_points_of(&programs->state, key->words, key->n_words);
    struct kc_entry6 entry = {0};

    bpf_map_lookup_elem(bpf_map__fd(entries_of(programs, key)), &points.home, &entry);
    return entry;
}
