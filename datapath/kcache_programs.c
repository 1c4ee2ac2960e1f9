/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kcache_programs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"

enum { N_CHAINS = 4096, NONE = UINT32_MAX };

struct info {
    uint32_t n_references;
    uint32_t next; /* In its chain, or in the list of its state. */
    uint32_t hash;
    bool cuts;
    bool is_metered;
    /* Of those that the kernel has counted. */
    uint64_t seen_cut_bytes, seen_passed_packets, seen_passed_bytes;
};

struct kcache_programs {
    struct kc_program *memory;
    uint32_t n_touched; /* Those beyond were never used. */
    uint32_t n_used;
    uint32_t free, unused, retired; /* Lists. */
    uint32_t chains[N_CHAINS];      /* Of those used, by hash. */
    struct info infos[KC_N_PROGRAMS];
};

struct kcache_programs *kcache_programs_create(struct kc_program *memory)
{
    struct kcache_programs *programs = calloc(1, sizeof *programs);

    if (!programs)
        return NULL;
    programs->memory = memory;
    programs->free = programs->unused = programs->retired = NONE;
    memset(programs->chains, 0xff, sizeof programs->chains);
    return programs;
}

void kcache_programs_destroy(struct kcache_programs *programs)
{
    free(programs);
}

static uint32_t take_free(struct kcache_programs *programs)
{
    uint32_t i = programs->free;

    if (i == NONE)
        return programs->n_touched < KC_N_PROGRAMS ? programs->n_touched++ : NONE;
    programs->free = programs->infos[i].next;
    return i;
}

static bool cuts(const struct kc_program *program)
{
    return program->n_steps > 1 && program->steps[program->n_steps - 2].op == KC_CUT;
}

static bool is_metered(const struct kc_program *program)
{
    for (unsigned int i = 0; i < program->n_steps && i < KC_PROGRAM_STEPS; i++)
        if (program->steps[i].op == KC_METER)
            return true;
    return false;
}

void kcache_programs_adopt(struct kcache_programs *programs, const uint32_t *n_references)
{
    uint32_t n = KC_N_PROGRAMS;

    while (n && !n_references[n - 1])
        n--;
    programs->n_touched = n;
    for (uint32_t i = 0; i < n; i++) {
        struct info *info = &programs->infos[i];

        info->n_references = n_references[i];
        info->hash = hash_bytes(&programs->memory[i], KC_PROGRAM_SAID_BYTES, 0);
        info->cuts = cuts(&programs->memory[i]);
        info->seen_cut_bytes = programs->memory[i].n_cut_bytes;
        info->is_metered = is_metered(&programs->memory[i]);
        info->seen_passed_packets = programs->memory[i].n_passed_packets;
        info->seen_passed_bytes = programs->memory[i].n_passed_bytes;
        uint32_t *list = info->n_references ? &programs->chains[info->hash % N_CHAINS]
                                            : &programs->free;
        info->next = *list;
        *list = i;
        programs->n_used += info->n_references > 0;
    }
}

const struct kc_program *kcache_programs_look(const struct kcache_programs *programs,
                                              uint32_t action)
{
    return &programs->memory[action - KC_FIRST_PROGRAM];
}

uint32_t kcache_programs_get(struct kcache_programs *programs, const struct kc_program *program)
{
    uint32_t hash = hash_bytes(program, KC_PROGRAM_SAID_BYTES, 0);
    uint32_t *chain = &programs->chains[hash % N_CHAINS];

    for (uint32_t i = *chain; i != NONE; i = programs->infos[i].next)
        if (programs->infos[i].hash == hash &&
            !memcmp(&programs->memory[i], program, KC_PROGRAM_SAID_BYTES)) {
            programs->infos[i].n_references++;
            return KC_FIRST_PROGRAM + i;
        }

    uint32_t i = take_free(programs);
    if (i == NONE)
        return KC_NOTHING;
    programs->memory[i] = *program;
    programs->infos[i] = (struct info){
        .n_references = 1,
        .next = *chain,
        .hash = hash,
        .cuts = cuts(program),
        .is_metered = is_metered(program),
    };
    *chain = i;
    programs->n_used++;
    return KC_FIRST_PROGRAM + i;
}

void kcache_programs_put(struct kcache_programs *programs, uint32_t action)
{
    uint32_t i = action - KC_FIRST_PROGRAM;

    if (action < KC_FIRST_PROGRAM || --programs->infos[i].n_references)
        return;
    uint32_t *at = &programs->chains[programs->infos[i].hash % N_CHAINS];
    while (*at != i)
        at = &programs->infos[*at].next;
    *at = programs->infos[i].next;
    programs->infos[i].next = programs->unused;
    programs->unused = i;
    programs->n_used--;
}

uint32_t kcache_programs_n(const struct kcache_programs *programs)
{
    return programs->n_used;
}

bool kcache_programs_take_cut_bytes(struct kcache_programs *programs, uint32_t *at,
                                    uint32_t *port_no, uint64_t *n_bytes)
{
    while (*at < programs->n_touched) {
        uint32_t i = (*at)++;
        const struct kc_program *program = &programs->memory[i];

        if (!programs->infos[i].cuts)
            continue;
        uint64_t now = __atomic_load_n(&program->n_cut_bytes, __ATOMIC_RELAXED);

        *n_bytes = now - programs->infos[i].seen_cut_bytes;
        programs->infos[i].seen_cut_bytes = now;
        if (*n_bytes) {
            *port_no = program->steps[program->n_steps - 1].ports[0];
            return true;
        }
    }
    return false;
}

const struct kc_program *kcache_programs_take_passed(struct kcache_programs *programs, uint32_t *at,
                                                     uint64_t *n_packets, uint64_t *n_bytes)
{
    while (*at < programs->n_touched) {
        uint32_t i = (*at)++;
        const struct kc_program *program = &programs->memory[i];
        struct info *info = &programs->infos[i];

        if (!info->is_metered)
            continue;
        uint64_t packets = __atomic_load_n(&program->n_passed_packets, __ATOMIC_RELAXED);
        uint64_t bytes = __atomic_load_n(&program->n_passed_bytes, __ATOMIC_RELAXED);

        *n_packets = packets - info->seen_passed_packets;
        *n_bytes = bytes - info->seen_passed_bytes;
        info->seen_passed_packets = packets;
        info->seen_passed_bytes = bytes;
        if (*n_packets || *n_bytes)
            return program;
    }
    return NULL;
}

void kcache_programs_list_meters(const struct kcache_programs *programs,
                                 bool is_named[static KC_N_METERS])
{
    for (uint32_t i = 0; i < programs->n_touched; i++) {
        const struct kc_program *program = &programs->memory[i];

        if (!programs->infos[i].n_references)
            continue;
        for (unsigned int s = 0; s < program->n_steps && s < KC_PROGRAM_STEPS; s++)
            if (program->steps[s].op == KC_METER)
                is_named[program->steps[s].arg % KC_N_METERS] = true;
    }
}

bool kcache_programs_retire(struct kcache_programs *programs)
{
    programs->retired = programs->unused;
    programs->unused = NONE;
    return programs->retired != NONE;
}

void kcache_programs_reuse(struct kcache_programs *programs)
{
    uint32_t i;

    while ((i = programs->retired) != NONE) {
        programs->retired = programs->infos[i].next;
        programs->infos[i].next = programs->free;
        programs->free = i;
    }
}
