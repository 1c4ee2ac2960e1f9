/* SPDX-License-Identifier: Apache-2.0 */

/* The part of kcache.h that is about entries of an earlier daemon.  Of them we know what is in the memory
 * that programs read: key and action, but no megaflow. */

#include <stdlib.h>

#include "datapath/kcache_internal.h"
#include "datapath/kcache_key.h"

struct adoption {
    struct kcache *cache;
    uint32_t *n_references; /* Owned; by program. */
};

static void adopt_entry(const struct kc_entry *entry, void *arg)
{
    struct adoption *adoption = arg;
    struct kcache *cache = adoption->cache;
    uint64_t born = cache->maps.state->base + kc_born(entry->verdict);
    uint32_t action = kc_action(entry->verdict);

    if (born > cache->adopted_generation)
        cache->adopted_generation = born;
    if (action >= KC_FIRST_PROGRAM && action <= KC_MAX_ACTION)
        adoption->n_references[action - KC_FIRST_PROGRAM]++;
    cache->stats.n_adopted++;
}

bool kcache_adopt(struct kcache *cache) NO_LOCK_ANALYSIS
{
    struct adoption adoption = {
        .cache = cache,
        .n_references = calloc(KC_N_PROGRAMS, sizeof *adoption.n_references),
    };

    if (!adoption.n_references)
        return false;
    cache->adopted_generation = cache->maps.state->generation;
    bool is_adopted = true;
    for (int i = 0; i < 2; i++)
        is_adopted &= kcache_table_adopt(cache->tables[i], cache->maps.state, adopt_entry,
                                         &adoption);
    kcache_programs_adopt(cache->programs, adoption.n_references);
    free(adoption.n_references);
    if (!is_adopted)
        return false;
    atomic_store_explicit(&cache->is_adopting, true, memory_order_relaxed);
    return true;
}

void kcache_share_meters(struct kcache *cache, struct dp_meters *meters)
{
    bool is_named[KC_N_METERS] = {false};

    if (!cache->maps.meters)
        return;
    mutex_lock(&cache->lock);
    kcache_programs_list_meters(cache->programs, is_named);
    mutex_unlock(&cache->lock);
    dp_meters_set_memory(meters, cache->maps.meters, is_named);
}

bool kcache_is_adopting(const struct kcache *cache)
{
    return atomic_load_explicit(&cache->is_adopting, memory_order_acquire);
}

struct kept *kcache_kept(const struct kcache *cache)
{
    return cache->maps.kept;
}

uint64_t kcache_adopted_generation(const struct kcache *cache)
{
    return cache->adopted_generation;
}

/* What the program of the entry checks of each frame belongs to what is known of them. */
static void describe_adopted_locked(struct kcache *cache, const struct kcache_place *place,
                                    struct kcache_adopted *entry) REQUIRES(cache->lock)
{
    uint32_t action = kc_action(place->entry->verdict);
    struct kc_key key;

    kcache_table_get_key(place, &key);
    entry->id = place->id;
    entry->slot = (uint16_t)(key.words[1] >> 48);
    kc_key_to_flow(&key, 0, &entry->key);
    if (action < KC_FIRST_PROGRAM || action > KC_MAX_ACTION)
        return;
    const struct kc_program *program = kcache_programs_look(cache->programs, action);
    entry->key.nw_ttl = program->ttl;
    entry->key.tcp_flags.raw = program->tcp_flags;
}

uint32_t kcache_list_adopted(struct kcache *cache, struct kcache_cursor *cursor,
                             struct kcache_adopted *entries, uint32_t n)
{
    uint32_t n_listed = 0;

    mutex_lock(&cache->lock);
    while (cursor->table < 2 && n_listed < n) {
        struct kcache_place *place = kcache_table_adopted(cache->tables[cursor->table],
                                                          &cursor->at);

        if (place)
            describe_adopted_locked(cache, place, &entries[n_listed++]);
        else
            *cursor = (struct kcache_cursor){.table = cursor->table + 1};
    }
    mutex_unlock(&cache->lock);
    return n_listed;
}

static void forget_adopted_locked(struct kcache *cache, uint32_t action) REQUIRES(cache->lock)
{
    if (action <= KC_MAX_ACTION)
        kcache_programs_put(cache->programs, action);
}

bool kcache_confirm(struct kcache *cache, uint32_t id, struct megaflow *flow, int64_t now_ns)
{
    struct kcache_words words;
    struct kc_key key;

    mutex_lock(&cache->lock);
    struct kcache_place *place = kcache_place_of(cache, id);
    uint32_t action = kc_action(place->entry->verdict);

    kcache_table_get_key(place, &key);
    bool is_confirmed = megaflow_is_live(flow) && kcache_encode_locked(cache, flow, &key, &words);
    if (is_confirmed) {
        kcache_table_confirm(cache->tables[id >> 31], place, &words);
        place->used_ns = now_ns;
        kcache_join_locked(cache, place, flow);
        cache->stats.n_confirmed++;
    } else {
        kcache_table_give_up(cache->tables[id >> 31], place);
    }
    forget_adopted_locked(cache, action);
    kcache_count_places_locked(cache);
    mutex_unlock(&cache->lock);
    return is_confirmed;
}

void kcache_give_up(struct kcache *cache, uint32_t id)
{
    mutex_lock(&cache->lock);
    struct kcache_place *place = kcache_place_of(cache, id);
    uint32_t action = kc_action(place->entry->verdict);

    kcache_table_give_up(cache->tables[id >> 31], place);
    forget_adopted_locked(cache, action);
    kcache_count_places_locked(cache);
    mutex_unlock(&cache->lock);
}

void kcache_end_adoption(struct kcache *cache, const _Atomic uint64_t *generations,
                         uint64_t generation)
{
    struct kc_state *state = cache->maps.state;

    for (uint32_t slot = 0; slot < KC_N_SLOTS; slot++)
        __atomic_store_n(&state->slot_generation[slot],
                         atomic_load_explicit(&generations[slot], memory_order_relaxed),
                         __ATOMIC_RELEASE);
    __atomic_store_n(&state->generation, generation, __ATOMIC_RELEASE);
    atomic_store_explicit(&cache->is_adopting, false, memory_order_release);
}
