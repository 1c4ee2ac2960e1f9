/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kcache_internal - what the files of the cache share.
 *
 * Threads  Under the cache's lock where the name says so. */

#include "datapath/internal.h"
#include "datapath/kcache.h"
#include "datapath/kcache_programs.h"
#include "datapath/kcache_table.h"
#include "lib/mutex.h"

struct kcache {
    struct datapath *dp;
    struct kcache_maps maps;
    struct mutex lock;                /* Of all that follows. */
    struct kcache_table *tables[2];   /* Owned; IPv4 and others, IPv6. */
    struct kcache_programs *programs; /* Owned. */
    struct kcache_stats stats;
    _Atomic uint32_t n_places; /* Taken, or waiting for a grace period. */
    _Atomic bool is_adopting;
    bool is_rebasing; /* Nothing is installed. */
    uint64_t adopted_generation;
    uint32_t *seen; /* Owned. */
};

static inline struct kcache_place *kcache_place_of(struct kcache *cache, uint32_t id)
    REQUIRES(cache->lock)
{
    return kcache_table_place(cache->tables[id >> 31], id);
}

/* Takes over what stands in the maps.  False: out of memory. */
bool kcache_adopt(struct kcache *cache);

/* True: 'words' are what an entry of 'flow' for 'key' holds. */
bool kcache_encode_locked(struct kcache *cache, struct megaflow *flow, const struct kc_key *key,
                          struct kcache_words *words) REQUIRES(cache->lock);

/* The entry becomes one of the flow's. */
void kcache_join_locked(struct kcache *cache, struct kcache_place *place, struct megaflow *flow)
    REQUIRES(cache->lock);

/* True: the entry says what its flow does, or its flow has been given up. */
bool kcache_is_faithful_locked(struct kcache *cache, const struct kcache_place *place)
    REQUIRES(cache->lock);

void kcache_count_places_locked(struct kcache *cache) REQUIRES(cache->lock);

/* When entries of 'flow' say that they were born. */
uint64_t kcache_birth_locked(struct kcache *cache, const struct megaflow *flow)
    REQUIRES(cache->lock);

/* What the entry has done since the last time goes to its flow and the ports. */
void kcache_credit_entry_locked(struct kcache *cache, struct kcache_place *place, int64_t now_ns)
    REQUIRES(cache->lock);

/* The same for what verdicts count: frames behind a meter, bytes of those that were cut. */
void kcache_credit_programs_locked(struct kcache *cache) REQUIRES(cache->lock);
