/* SPDX-License-Identifier: Apache-2.0 */

/* Hashes stand apart from keys: a probe that finds nothing costs one cache line. */

#include "datapath/microflow.h"

#include <stdlib.h>

#include "datapath/megaflow.h"

enum { WAYS = 2 };

struct place {
    struct flow_key key;
    struct megaflow *flow; /* NULL: free. */
};

struct microflow_cache {
    uint32_t turn;
    uint32_t hashes[MICROFLOW_PLACES];
    struct place places[MICROFLOW_PLACES];
};

struct microflow_cache *microflow_create(void)
{
    return calloc(1, sizeof(struct microflow_cache));
}

void microflow_destroy(struct microflow_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < MICROFLOW_PLACES; i++)
        if (cache->places[i].flow)
            megaflow_put(cache->places[i].flow);
    free(cache);
}

/* The first of the WAYS places for 'hash'. */
static size_t first_place(uint32_t hash)
{
    return hash % (MICROFLOW_PLACES / WAYS) * WAYS;
}

void microflow_prefetch(const struct microflow_cache *cache, uint32_t hash)
{
    __builtin_prefetch(&cache->hashes[first_place(hash)]);
    __builtin_prefetch(&cache->places[first_place(hash)]);
}

struct megaflow *microflow_find(const struct microflow_cache *cache, const struct flow_key *key,
                                uint32_t hash)
{
    size_t first = first_place(hash);

    for (size_t i = first; i < first + WAYS; i++)
        if (cache->hashes[i] == hash && cache->places[i].flow &&
            flow_key_is_equal(&cache->places[i].key, key))
            return cache->places[i].flow;
    return NULL;
}

void microflow_put(struct microflow_cache *cache, const struct flow_key *key, uint32_t hash,
                   struct megaflow *flow)
{
    size_t first = first_place(hash), i = first + cache->turn++ % WAYS;

    /* Its own place, else one that is free or useless, else either. */
    for (size_t way = first; way < first + WAYS; way++) {
        const struct place *place = &cache->places[way];

        if (!place->flow || !megaflow_is_live(place->flow))
            i = way;
        if (place->flow && cache->hashes[way] == hash && flow_key_is_equal(&place->key, key)) {
            i = way;
            break;
        }
    }

    megaflow_get(flow);
    if (cache->places[i].flow)
        megaflow_put(cache->places[i].flow);
    cache->places[i].flow = flow;
    cache->places[i].key = *key;
    cache->hashes[i] = hash;
}
