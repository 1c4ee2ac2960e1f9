/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* megaflow - which verdict goes for all frames that are equal in these bits?
 *
 * A tuple space: one hash table for each mask in use, tried in the order of how often each was hit.  Two
 * entries that match the same frame have equal verdicts by construction, so the first one found wins.
 *
 * Bounds   'max_flows' entries: a new one evicts the longest unused of a few drawn at random.  If even that was
 *          in use, the table is crowded: whoever does not insist leaves most new flows out (a scan would else
 *          drive out all others, and cost more than the walks that the cache saves).
 *          MEGAFLOW_MAX_ACTIONS actions in all of them (100 MB), as one that floods may have thousands: a
 *          new one evicts likewise, and if that made too little room it is not cached.
 *          MEGAFLOW_MAX_MASKS masks, whatever a sender does to the tables' masks: verdicts beyond go under the
 *          mask of all bits, which is always correct and matches just their own flow.
 *
 * Threads  Lookups on any RCU reader.  Changes from any thread, under the table's lock.
 * Memory   Entries are referenced by the table and by microflow places.  A table gives up an entry by
 *          megaflow_unlink() and its like; then its context dies after a grace period (graveyard.h); the bytes go
 *          with the last reference. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/actions.h"
#include "datapath/datapath.h"
#include "datapath/graveyard.h"
#include "datapath/kcache.h"
#include "lib/mutex.h"

enum {
    MEGAFLOW_MAX_MASKS = 256, /* Besides the mask of all bits. */
    MEGAFLOW_MAX_ACTIONS = 4 * 1024 * 1024,
    MEGAFLOW_EVICTION_DRAWS = 8,
};

struct flow_mask;

struct megaflow {
    struct grave grave;
    struct flow_key key;    /* Under the mask. */
    struct flow_mask *mask; /* Lives as long as a grace period after the entry. */
    uint32_t hash;          /* Of 'key' under the mask. */
    uint32_t first_hash;    /* Of the whole key of the frame that it was made for; 0: of none. */
    uint32_t index;         /* In the list of all entries; under the table's lock. */
    _Atomic uint32_t n_references;
    _Atomic bool is_live; /* In the table: its context may be used. */

    /* The verdict. */
    uint64_t born; /* Generation before translation began. */
    uint16_t slots[DP_SLOTS_PER_VERDICT];
    uint8_t n_slots;
    void *context;

    /* Use, by all lanes. */
    int64_t created_ns;
    _Atomic uint64_t n_packets, n_bytes;
    _Atomic int64_t used_ns; /* 0: never. */
    _Atomic uint16_t tcp_flags;
    _Atomic uint64_t credited_packets, credited_bytes;   /* Of the above. */
    _Atomic uint64_t inherited_packets, inherited_bytes; /* Of entries it took the place of. */

    struct kcache_flow kernel;

    uint32_t n_actions;
    struct dp_action actions[];
};

struct megaflow_table;

/* 'graveyard' takes what the table itself replaces: masks, arrays. */
struct megaflow_table *megaflow_table_create(uint32_t max_flows, struct graveyard *graveyard);
void megaflow_table_destroy(struct megaflow_table *table); /* Nobody has an entry or reads. */

/* Fewer than there are take effect as megaflow_surplus() is called. */
void megaflow_set_max_flows(struct megaflow_table *table, uint32_t max_flows);

uint32_t megaflow_max_flows(struct megaflow_table *table);

/* An entry to unlink because there are too many; NULL if there are not.  For RCU readers. */
struct megaflow *megaflow_surplus(struct megaflow_table *table);

/* Was the entry that the last new one drove out of a full table in use within the last 5 s? */
bool megaflow_is_crowded(const struct megaflow_table *table);

/* megaflow_find() will soon be asked for 'key'. */
void megaflow_prefetch(const struct megaflow_table *table, const struct flow_key *key);

/* Adds to '*n_probes' how many masks were tried. */
struct megaflow *megaflow_find(struct megaflow_table *table, const struct flow_key *key,
                               uint64_t *n_probes);

/* A new entry, not yet in the table.  Takes the verdict's context.  NULL: out of memory, and nothing is
 * taken. */
struct megaflow *megaflow_create(const struct flow_key *key, const struct verdict *verdict,
                                 uint64_t born, int64_t now_ns);

/* Puts 'flow' in the table under 'mask'.  What it displaces (the entry of the same masked key, or one
 * evicted because the table is full) is unlinked and stands in 'displaced', also on -ENOMEM, which too many
 * actions are too. */
struct megaflow_displaced {
    unsigned int n;
    struct megaflow *flows[1];
};
int megaflow_link(struct megaflow_table *table, struct megaflow *flow, const struct flow_key *mask,
                  struct megaflow_displaced *displaced);

/* Puts 'flow' where 'old' is, under the mask of 'old'.  False: 'old' is in the table no more, or
 * there are too many actions. */
bool megaflow_replace(struct megaflow_table *table, struct megaflow *old, struct megaflow *flow);

/* False: somebody else did. */
bool megaflow_unlink(struct megaflow_table *table, struct megaflow *flow);

void megaflow_get(struct megaflow *flow);
void megaflow_put(struct megaflow *flow); /* Frees with the last reference. */

static inline bool megaflow_is_live(const struct megaflow *flow)
{
    return atomic_load_explicit(&flow->is_live, memory_order_acquire);
}

/* When it was last of use; its birth counts. */
static inline int64_t megaflow_last_used(const struct megaflow *flow)
{
    int64_t used_ns = atomic_load_explicit(&flow->used_ns, memory_order_relaxed);

    return used_ns ? used_ns : flow->created_ns;
}

const struct flow_key *megaflow_mask(const struct megaflow *flow);

/* Has 'outer' all bits of 'inner'? */
static inline bool flow_mask_is_within(const struct flow_key *inner, const struct flow_key *outer)
{
    for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
        if (flow_key_words_const(inner)[i] & ~flow_key_words_const(outer)[i])
            return false;
    return true;
}

/* Fills 'flows' with up to 'n' entries below '*index', which starts as UINT32_MAX, highest first, and lowers
 * '*index'.  0: that was all.  An entry that is there throughout is returned at least once.  For RCU
 * readers. */
uint32_t megaflow_list(struct megaflow_table *table, uint32_t *index, struct megaflow **flows,
                       uint32_t n);

uint32_t megaflow_n_flows(const struct megaflow_table *table);
uint32_t megaflow_n_masks(struct megaflow_table *table);

/* Puts masks that were hit often since the last call in front. */
void megaflow_sort_masks(struct megaflow_table *table);
