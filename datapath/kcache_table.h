/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kcache_table - entries of the kernel flow cache, and where each may stand (kernel/layout.h).
 *
 * Threads  Under the cache's lock; the kernel reads entries, and writes counters, meanwhile. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/kernel/layout.h"

struct kcache_table;
struct megaflow;

/* What only userspace knows of an entry. */
struct kcache_place {
    struct kc_entry *entry;
    struct megaflow *flow;   /* The cache's; NULL: nothing stands here. */
    uint32_t id;             /* Not 0; the high bit tells the table. */
    uint32_t previous, next; /* The cache's: entries of the same flow, by id. */
    uint32_t home;           /* Of the flow that stands here ... */
    uint8_t hint;            /* ... and the hint that leads here from there. */
    uint8_t state;
    uint32_t n_near, n_far; /* Flows at home here that stand elsewhere. */
    uint32_t at;            /* In the list of those taken; the next one in another list. */
    uint64_t seen_packets, seen_bytes; /* The cache's: collected so far, of the entry's counters. */
    uint64_t born_packets, born_bytes; /* What they were when the flow came. */
    int64_t used_ns;                   /* The cache's. */
};

/* The words of an entry that say what to do; 'slots' without hints. */
struct kcache_words {
    uint64_t verdict, slots;
};

/* Sets the keys of the hash. */
void kcache_table_seed(struct kc_state *state);

/* 'entries' are 'n' (a power of two) of 'entry_bytes', zero.  NULL: out of memory. */
struct kcache_table *kcache_table_create(const struct kc_state *state, void *entries,
                                         size_t entry_bytes, uint32_t n);
void kcache_table_destroy(struct kcache_table *table); /* NULL is fine. */

/* The place of 'key', or NULL. */
struct kcache_place *kcache_table_find(struct kcache_table *table, const struct kc_points *points,
                                       const struct kc_key *key);

/* A place that is free, or NULL; then one that was long unused, or NULL. */
struct kcache_place *kcache_table_find_room(struct kcache_table *table,
                                            const struct kc_points *points);
struct kcache_place *kcache_table_find_idle(struct kcache_table *table,
                                            const struct kc_points *points, int64_t now_ns);

/* Of the flows that stand where one with 'points' could, the first that could as well stand elsewhere, at
 * '*elsewhere', for which its points are '*its_points'.  NULL: none, or one of these places will be free soon. */
struct kcache_place *kcache_table_find_movable(struct kcache_table *table,
                                               const struct kc_state *state,
                                               const struct kc_points *points,
                                               struct kcache_place **elsewhere,
                                               struct kc_points *its_points);

void kcache_table_add(struct kcache_table *table, struct kcache_place *place,
                      const struct kc_points *points, const struct kc_key *key,
                      const struct kcache_words *words);
void kcache_table_change(struct kcache_place *place, const struct kcache_words *words);
bool kcache_table_has(const struct kcache_place *place, const struct kcache_words *words);

/* No frame finds it any more; the room waits to be retired and reused. */
void kcache_table_remove(struct kcache_table *table, struct kcache_place *place);

/* Entries that somebody has left in the memory: each is where a lookup finds it, takes its place, and is in no
 * list until it is confirmed, with new words; kcache_table_give_up() removes it.  'each' is told of all.  False: out of
 * memory. */
bool kcache_table_adopt(struct kcache_table *table, const struct kc_state *state,
                        void (*each)(const struct kc_entry *entry, void *arg), void *arg);
struct kcache_place *kcache_table_adopted(struct kcache_table *table,
                                          uint32_t *at); /* From '*at' on. */
void kcache_table_confirm(struct kcache_table *table, struct kcache_place *place,
                          const struct kcache_words *words);
void kcache_table_give_up(struct kcache_table *table, struct kcache_place *place);

/* As of kcache_programs. */
bool kcache_table_retire(struct kcache_table *table);
void kcache_table_reuse(struct kcache_table *table);

void kcache_table_get_key(const struct kcache_place *place, struct kc_key *key);
bool kcache_table_is_born(const struct kcache_place *place, const struct kc_state *state,
                          uint64_t generation);

struct kcache_place *kcache_table_place(struct kcache_table *table, uint32_t id);

/* The entry below '*at', which starts as UINT32_MAX, or NULL.  What is returned may be removed. */
struct kcache_place *kcache_table_walk(struct kcache_table *table, uint32_t *at);

uint32_t kcache_table_n(const struct kcache_table *table);
uint32_t kcache_table_n_busy(const struct kcache_table *table); /* And waiting for reuse. */
