/* SPDX-License-Identifier: Apache-2.0 */

/* What people see of the cache: its entries, its counters, and why a flow is not in it. */

#include <string.h>

#include "datapath/internal.h"
#include "datapath/kcache.h"
#include "datapath/kcache_internal.h"
#include "datapath/kcache_key.h"
#include "datapath/process.h"

const char *kcache_refusal_name(enum kcache_refusal refusal)
{
    static const char *const names[] = {
#define X(id, name, text) #name,
        KCACHE_REFUSALS(X)
#undef X
    };

    return names[refusal];
}

const char *kcache_refusal_text(enum kcache_refusal refusal)
{
    static const char *const texts[] = {
#define X(id, name, text) text,
        KCACHE_REFUSALS(X)
#undef X
    };

    return texts[refusal];
}

void kcache_get_stats(struct kcache *cache, struct kcache_stats *stats)
{
    mutex_lock(&cache->lock);
    *stats = cache->stats;
    stats->n_entries = kcache_table_n(cache->tables[0]);
    stats->n_entries6 = kcache_table_n(cache->tables[1]);
    stats->max_entries = cache->maps.n_entries;
    stats->max_entries6 = cache->maps.n_entries6;
    stats->n_programs = kcache_programs_n(cache->programs);
    stats->max_programs = KC_N_PROGRAMS;
    mutex_unlock(&cache->lock);
}

void kcache_get_losses(struct kcache *cache, int ifindex, struct kcache_losses *losses)
{
    const struct kc_device *device = &cache->maps.devices[(uint32_t)ifindex % KC_MAX_DEVICES];

    memset(losses, 0, sizeof *losses);
    if (device->ifindex != (uint32_t)ifindex)
        return;
    losses->n_lost = __atomic_load_n(&device->n_lost, __ATOMIC_RELAXED);
    losses->n_unsent = __atomic_load_n(&device->n_unsent, __ATOMIC_RELAXED);
    losses->n_metered = __atomic_load_n(&device->n_metered, __ATOMIC_RELAXED);
}

static void describe_locked(struct kcache *cache, const struct kcache_place *place,
                            struct kcache_entry_info *info) REQUIRES(cache->lock)
{
    const struct kc_entry *entry = place->entry;
    struct dp_port *in;
    struct kc_key key;

    kcache_table_get_key(place, &key);
    in = atomic_load_explicit(&cache->dp->slots[key.words[1] >> 48], memory_order_consume);
    kc_key_to_flow(&key, in ? in->port_no : DP_PORT_NONE, &info->key);
    info->flow = place->flow;
    info->n_packets = __atomic_load_n(&entry->n_packets, __ATOMIC_RELAXED) - place->born_packets;
    info->n_bytes = __atomic_load_n(&entry->n_bytes, __ATOMIC_RELAXED) - place->born_bytes;
    info->used_ns = place->used_ns;
    info->is_stale = !process_is_valid(cache->dp, place->flow) ||
                     !kcache_table_is_born(place, cache->maps.state,
                                           kcache_birth_locked(cache, place->flow));
    info->is_faithful = kcache_is_faithful_locked(cache, place);
}

uint32_t kcache_list(struct kcache *cache, struct kcache_cursor *cursor,
                     struct kcache_entry_info *entries, uint32_t n)
{
    uint32_t n_listed = 0;

    mutex_lock(&cache->lock);
    while (cursor->table < 2 && n_listed < n) {
        uint32_t at = cursor->at ? cursor->at - 1 : UINT32_MAX;
        struct kcache_place *place = kcache_table_walk(cache->tables[cursor->table], &at);

        cursor->at = at + 1;
        if (place) {
            describe_locked(cache, place, &entries[n_listed++]);
        } else {
            cursor->table++;
            cursor->at = 0;
        }
    }
    mutex_unlock(&cache->lock);
    return n_listed;
}
