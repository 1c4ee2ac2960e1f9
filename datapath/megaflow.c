/* SPDX-License-Identifier: Apache-2.0 */

/* Each mask has an array of places with linear probing.  Writers publish an entry by storing its
 * pointer, and grow by publishing a new array, so readers see an entry or not, never half of one; a
 * reader that misses an entry for this reason causes a translation more, nothing worse. */

#include "datapath/megaflow.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "datapath/pages.h"
#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/hash.h"

struct place {
    _Atomic uint32_t hash;
    struct megaflow *_Atomic flow; /* NULL ends a probe; 'tombstone' does not. */
};

struct place_array {
    struct grave grave;
    uint32_t size; /* A power of two. */
    struct place places[];
};

struct flow_mask {
    struct grave grave;
    struct flow_key mask;
    uint8_t n_words; /* That are not zero. */
    uint8_t words[FLOW_KEY_WORDS];
    uint64_t bits[FLOW_KEY_WORDS]; /* Of words[i]. */
    struct place_array *_Atomic array;

    _Atomic uint64_t n_hits; /* Roughly: lanes may overwrite each other. */

    /* Under the table's lock. */
    uint64_t n_hits_sorted; /* When last sorted. */
    uint64_t score;
    uint32_t n_flows;
    uint32_t n_used; /* With tombstones. */
};

struct mask_list {
    struct grave grave;
    uint32_t n;
    struct flow_mask *masks[];
};

struct megaflow_table {
    struct graveyard *graveyard;
    struct mask_list *_Atomic masks;
    _Atomic uint32_t n_flows;
    _Atomic bool is_crowded;

    struct mutex lock;
    /* Under 'lock'. */
    uint32_t max_flows;
    uint32_t n_actions;    /* Of all entries. */
    struct megaflow **all; /* Owned array; entries in any order. */
    uint32_t all_capacity;
    uint64_t draw;
};

static struct megaflow tombstone;

enum { FIRST_PLACES = 8 };
#define CROWDED_NS (5 * SECOND_NS)

static void free_grave(void *aux UNUSED, struct grave *grave)
{
    free(grave);
}

/* Entries */

struct megaflow *megaflow_create(const struct flow_key *key, const struct verdict *verdict,
                                 uint64_t born, int64_t now_ns)
{
    assert(verdict->n_slots <= DP_SLOTS_PER_VERDICT && verdict->actions.n <= DP_ACTIONS_MAX);
    struct megaflow *flow =
        calloc(1, sizeof *flow + verdict->actions.n * sizeof verdict->actions.list[0]);

    if (!flow)
        return NULL;
    flow->key = *key;
    flow->born = born;
    flow->n_slots = verdict->n_slots;
    memcpy(flow->slots, verdict->slots, sizeof flow->slots);
    flow->context = verdict->context;
    flow->created_ns = now_ns;
    flow->n_actions = verdict->actions.n;
    memcpy(flow->actions, verdict->actions.list, flow->n_actions * sizeof flow->actions[0]);
    atomic_init(&flow->n_references, 1);
    return flow;
}

void megaflow_get(struct megaflow *flow)
{
    atomic_fetch_add_explicit(&flow->n_references, 1, memory_order_relaxed);
}

void megaflow_put(struct megaflow *flow)
{
    /* Acquire and release: whoever frees sees what the others did. */
    if (atomic_fetch_sub_explicit(&flow->n_references, 1, memory_order_acq_rel) == 1)
        free(flow);
}

const struct flow_key *megaflow_mask(const struct megaflow *flow)
{
    return &flow->mask->mask;
}

/* Places of one mask */

static uint32_t mask_hash(const struct flow_mask *mask, const struct flow_key *key)
{
    const uint64_t *words = flow_key_words_const(key);
    uint64_t hash = hash_seed;

    for (unsigned int i = 0; i < mask->n_words; i++)
        hash = hash_mix(hash, words[mask->words[i]] & mask->bits[i]);
    return hash_finish(hash);
}

static bool mask_is_match(const struct flow_mask *mask, const struct megaflow *flow,
                          const struct flow_key *key)
{
    const uint64_t *words = flow_key_words_const(key);
    const uint64_t *flow_words = flow_key_words_const(&flow->key);
    uint64_t difference = 0;

    for (unsigned int i = 0; i < mask->n_words; i++) {
        unsigned int word = mask->words[i];
        difference |= (words[word] & mask->bits[i]) ^ flow_words[word];
    }
    return !difference;
}

static struct megaflow *mask_find(const struct flow_mask *mask, const struct flow_key *key,
                                  uint32_t hash)
{
    const struct place_array *array = atomic_load_explicit(&mask->array, memory_order_consume);

    for (uint32_t i = hash, n = 0; n < array->size; i++, n++) {
        const struct place *place = &array->places[i & (array->size - 1)];
        struct megaflow *flow = atomic_load_explicit(&place->flow, memory_order_acquire);

        if (!flow)
            return NULL;
        if (flow != &tombstone &&
            atomic_load_explicit(&place->hash, memory_order_relaxed) == hash &&
            mask_is_match(mask, flow, key))
            return flow;
    }
    return NULL;
}

static size_t place_array_bytes(uint32_t size)
{
    return sizeof(struct place_array) + size * sizeof(struct place);
}

static struct place_array *place_array_create(uint32_t size)
{
    size_t n_bytes = place_array_bytes(size);
    struct place_array *array = n_bytes < PAGES_HUGE_BYTES ? calloc(1, n_bytes)
                                                           : pages_map(n_bytes);

    if (array)
        array->size = size;
    return array;
}

static void place_array_destroy(struct place_array *array)
{
    size_t n_bytes = array ? place_array_bytes(array->size) : 0;

    if (n_bytes < PAGES_HUGE_BYTES)
        free(array);
    else
        pages_unmap(array, n_bytes);
}

static void free_place_array(void *aux UNUSED, struct grave *grave)
{
    place_array_destroy(CONTAINER_OF(grave, struct place_array, grave));
}

static void free_mask(void *aux UNUSED, struct grave *grave)
{
    struct flow_mask *mask = CONTAINER_OF(grave, struct flow_mask, grave);

    place_array_destroy(atomic_load_explicit(&mask->array, memory_order_relaxed));
    free(mask);
}

/* The place of 'flow', or NULL. */
static struct place *mask_place_of(struct flow_mask *mask, const struct megaflow *flow)
{
    struct place_array *array = atomic_load_explicit(&mask->array, memory_order_relaxed);

    for (uint32_t i = flow->hash, n = 0; n < array->size; i++, n++) {
        struct place *place = &array->places[i & (array->size - 1)];
        struct megaflow *found = atomic_load_explicit(&place->flow, memory_order_relaxed);

        if (found == flow)
            return place;
        if (!found)
            return NULL;
    }
    return NULL;
}

/* Into the first free place.  True if it was never used. */
static bool place_array_add(struct place_array *array, struct megaflow *flow, uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        struct place *place = &array->places[i & (array->size - 1)];
        struct megaflow *found = atomic_load_explicit(&place->flow, memory_order_relaxed);

        if (found && found != &tombstone)
            continue;
        atomic_store_explicit(&place->hash, hash, memory_order_relaxed);
        atomic_store_explicit(&place->flow, flow, memory_order_release);
        return !found;
    }
}

/* Makes sure that one more entry leaves a quarter of the places free. */
static int mask_make_room(struct megaflow_table *table, struct flow_mask *mask)
{
    struct place_array *old = atomic_load_explicit(&mask->array, memory_order_relaxed), *array;
    uint32_t size = FIRST_PLACES;

    if (mask->n_used + 1 <= old->size / 4 * 3)
        return 0;
    while (size < (mask->n_flows + 1) * 2)
        size *= 2;
    array = place_array_create(size);
    if (!array)
        return -ENOMEM;
    for (uint32_t i = 0; i < old->size; i++) {
        struct place *place = &old->places[i];
        struct megaflow *flow = atomic_load_explicit(&place->flow, memory_order_relaxed);

        if (flow && flow != &tombstone) /* Which stays untouched. */
            place_array_add(array, flow, atomic_load_explicit(&place->hash, memory_order_relaxed));
    }
    mask->n_used = mask->n_flows;
    atomic_store_explicit(&mask->array, array, memory_order_release);
    graveyard_bury(table->graveyard, &old->grave, free_place_array);
    return 0;
}

/* Masks */

static struct flow_mask *mask_create(const struct flow_key *bits)
{
    const uint64_t *words = flow_key_words_const(bits);
    struct flow_mask *mask = calloc(1, sizeof *mask);
    struct place_array *array = place_array_create(FIRST_PLACES);

    if (!mask || !array) {
        free(mask);
        place_array_destroy(array);
        return NULL;
    }
    mask->mask = *bits;
    for (uint8_t i = 0; i < FLOW_KEY_WORDS; i++) {
        if (words[i]) {
            mask->words[mask->n_words] = i;
            mask->bits[mask->n_words++] = words[i];
        }
    }
    atomic_init(&mask->array, array);
    return mask;
}

static struct mask_list *mask_list_create(uint32_t n)
{
    struct mask_list *list = calloc(1, sizeof *list + n * sizeof list->masks[0]);

    if (list)
        list->n = n;
    return list;
}

static struct mask_list *table_masks(const struct megaflow_table *table)
{
    return atomic_load_explicit(&table->masks, memory_order_consume);
}

static void table_publish_masks(struct megaflow_table *table, struct mask_list *list)
{
    struct mask_list *old = table_masks(table);

    atomic_store_explicit(&table->masks, list, memory_order_release);
    graveyard_bury(table->graveyard, &old->grave, free_grave);
}

static struct flow_mask *table_find_mask(struct megaflow_table *table, const struct flow_key *bits)
{
    const struct mask_list *list = table_masks(table);

    for (uint32_t i = 0; i < list->n; i++)
        if (flow_key_is_equal(&list->masks[i]->mask, bits))
            return list->masks[i];
    return NULL;
}

static struct flow_mask *table_add_mask_locked(struct megaflow_table *table,
                                               const struct flow_key *bits) REQUIRES(table->lock)
{
    const struct mask_list *old = table_masks(table);
    struct mask_list *list = mask_list_create(old->n + 1);
    struct flow_mask *mask = list ? mask_create(bits) : NULL;

    if (!mask) {
        free(list);
        return NULL;
    }
    memcpy(list->masks, old->masks, old->n * sizeof list->masks[0]);
    list->masks[old->n] = mask;
    table_publish_masks(table, list);
    return mask;
}

/* The mask itself, or the one of all bits when there are too many. */
static struct flow_mask *table_get_mask_locked(struct megaflow_table *table,
                                               const struct flow_key *bits) REQUIRES(table->lock)
{
    struct flow_mask *mask = table_find_mask(table, bits);
    struct flow_key all;

    if (mask)
        return mask;
    if (table_masks(table)->n < MEGAFLOW_MAX_MASKS)
        return table_add_mask_locked(table, bits);
    memset(&all, 0xff, sizeof all);
    mask = table_find_mask(table, &all);
    return mask ? mask : table_add_mask_locked(table, &all);
}

/* An empty mask would be probed in vain.  Without memory it stays. */
static void table_drop_mask_locked(struct megaflow_table *table, struct flow_mask *mask)
    REQUIRES(table->lock)
{
    const struct mask_list *old = table_masks(table);
    struct mask_list *list = mask_list_create(old->n - 1);
    uint32_t n = 0;

    if (!list)
        return;
    for (uint32_t i = 0; i < old->n; i++)
        if (old->masks[i] != mask)
            list->masks[n++] = old->masks[i];
    table_publish_masks(table, list);
    graveyard_bury(table->graveyard, &mask->grave, free_mask);
}

static int compare_scores(const void *a, const void *b)
{
    const struct flow_mask *const *first = a, *const *second = b;

    return ((*first)->score < (*second)->score) - ((*first)->score > (*second)->score);
}

void megaflow_sort_masks(struct megaflow_table *table)
{
    mutex_lock(&table->lock);
    const struct mask_list *old = table_masks(table);
    struct mask_list *list = mask_list_create(old->n);
    bool is_sorted = true;

    for (uint32_t i = 0; i < old->n; i++) {
        struct flow_mask *mask = old->masks[i];
        uint64_t n_hits = atomic_load_explicit(&mask->n_hits, memory_order_relaxed);

        mask->score = mask->score / 2 + (n_hits - mask->n_hits_sorted);
        mask->n_hits_sorted = n_hits;
        is_sorted &= i == 0 || old->masks[i - 1]->score >= mask->score;
    }
    if (list && !is_sorted) {
        memcpy(list->masks, old->masks, old->n * sizeof list->masks[0]);
        qsort(list->masks, list->n, sizeof list->masks[0], compare_scores);
        table_publish_masks(table, list);
    } else {
        free(list);
    }
    mutex_unlock(&table->lock);
}

/* The table */

struct megaflow_table *megaflow_table_create(uint32_t max_flows, struct graveyard *graveyard)
{
    struct megaflow_table *table = calloc(1, sizeof *table);
    struct mask_list *list = mask_list_create(0);

    if (!table || !list) {
        free(table);
        free(list);
        return NULL;
    }
    table->graveyard = graveyard;
    table->max_flows = max_flows ? max_flows : 1;
    table->draw = hash_seed | 1;
    atomic_init(&table->masks, list);
    mutex_init(&table->lock);
    return table;
}

void megaflow_table_destroy(struct megaflow_table *table) NO_LOCK_ANALYSIS
{
    if (!table)
        return;
    struct mask_list *list = table_masks(table);
    for (uint32_t i = 0; i < list->n; i++) {
        assert(!list->masks[i]->n_flows);
        free_mask(NULL, &list->masks[i]->grave);
    }
    free(list);
    free(table->all);
    mutex_fini(&table->lock);
    free(table);
}

void megaflow_prefetch(const struct megaflow_table *table, const struct flow_key *key)
{
    const struct mask_list *list = table_masks(table);

    if (!list->n)
        return;
    const struct place_array *array = atomic_load_explicit(&list->masks[0]->array,
                                                           memory_order_consume);
    __builtin_prefetch(&array->places[mask_hash(list->masks[0], key) & (array->size - 1)]);
}

struct megaflow *megaflow_find(struct megaflow_table *table, const struct flow_key *key,
                               uint64_t *n_probes)
{
    const struct mask_list *list = table_masks(table);

    for (uint32_t i = 0; i < list->n; i++) {
        struct flow_mask *mask = list->masks[i];
        struct megaflow *flow = mask_find(mask, key, mask_hash(mask, key));

        if (flow) {
            uint64_t n_hits = atomic_load_explicit(&mask->n_hits, memory_order_relaxed);
            atomic_store_explicit(&mask->n_hits, n_hits + 1, memory_order_relaxed);
            *n_probes += i + 1;
            return flow;
        }
    }
    *n_probes += list->n;
    return NULL;
}

static bool table_is_linked_locked(const struct megaflow_table *table, const struct megaflow *flow)
    REQUIRES(table->lock)
{
    return flow->index < megaflow_n_flows(table) && table->all[flow->index] == flow;
}

/* Is there room for the actions of 'flow' once those of 'old' (or NULL) have gone? */
static bool table_has_room_locked(const struct megaflow_table *table, const struct megaflow *old,
                                  const struct megaflow *flow) REQUIRES(table->lock)
{
    return table->n_actions - (old ? old->n_actions : 0) + flow->n_actions <= MEGAFLOW_MAX_ACTIONS;
}

static void table_unlink_locked(struct megaflow_table *table, struct megaflow *flow)
    REQUIRES(table->lock)
{
    struct flow_mask *mask = flow->mask;
    uint32_t last = megaflow_n_flows(table) - 1;

    atomic_store_explicit(&flow->is_live, false, memory_order_release);
    atomic_store_explicit(&mask_place_of(mask, flow)->flow, &tombstone, memory_order_release);
    table->all[flow->index] = table->all[last];
    table->all[flow->index]->index = flow->index;
    atomic_store_explicit(&table->n_flows, last, memory_order_relaxed);
    table->n_actions -= flow->n_actions;
    atomic_store_explicit(&table->is_crowded, false, memory_order_relaxed);
    if (--mask->n_flows == 0)
        table_drop_mask_locked(table, mask);
}

/* The entry unused longest of a few, which are fetched all at once. */
static struct megaflow *table_draw_victim_locked(struct megaflow_table *table) REQUIRES(table->lock)
{
    struct megaflow *drawn[MEGAFLOW_EVICTION_DRAWS], *victim;
    uint32_t n = megaflow_n_flows(table);

    for (int i = 0; i < MEGAFLOW_EVICTION_DRAWS; i++) {
        table->draw = hash_mix(table->draw, (uint64_t)i + 1);
        drawn[i] = table->all[hash_finish(table->draw) % n];
        __builtin_prefetch(&drawn[i]->used_ns);
    }
    victim = drawn[0];
    for (int i = 1; i < MEGAFLOW_EVICTION_DRAWS; i++)
        if (megaflow_last_used(drawn[i]) < megaflow_last_used(victim))
            victim = drawn[i];
    return victim;
}

bool megaflow_is_crowded(const struct megaflow_table *table)
{
    return atomic_load_explicit(&table->is_crowded, memory_order_relaxed);
}

void megaflow_set_max_flows(struct megaflow_table *table, uint32_t max_flows)
{
    mutex_lock(&table->lock);
    table->max_flows = max_flows ? max_flows : 1;
    mutex_unlock(&table->lock);
}

uint32_t megaflow_max_flows(struct megaflow_table *table)
{
    mutex_lock(&table->lock);
    uint32_t max_flows = table->max_flows;
    mutex_unlock(&table->lock);
    return max_flows;
}

struct megaflow *megaflow_surplus(struct megaflow_table *table)
{
    struct megaflow *victim = NULL;

    mutex_lock(&table->lock);
    if (megaflow_n_flows(table) > table->max_flows)
        victim = table_draw_victim_locked(table);
    mutex_unlock(&table->lock);
    return victim;
}

static int table_grow_list_locked(struct megaflow_table *table) REQUIRES(table->lock)
{
    if (megaflow_n_flows(table) < table->all_capacity)
        return 0;
    uint32_t capacity = table->all_capacity ? table->all_capacity * 2 : 64;
    struct megaflow **all = realloc(table->all, capacity * sizeof all[0]);
    if (!all)
        return -ENOMEM;
    table->all = all;
    table->all_capacity = capacity;
    return 0;
}

/* 'flow' takes the place of 'old'. */
static void table_replace_locked(struct megaflow_table *table, struct megaflow *old,
                                 struct megaflow *flow) REQUIRES(table->lock)
{
    flow->key = old->key;
    flow->mask = old->mask;
    flow->hash = old->hash;
    flow->index = old->index;
    atomic_store_explicit(&flow->is_live, true, memory_order_relaxed);
    atomic_store_explicit(&mask_place_of(old->mask, old)->flow, flow, memory_order_release);
    atomic_store_explicit(&old->is_live, false, memory_order_release);
    table->all[flow->index] = flow;
    table->n_actions += flow->n_actions - old->n_actions;
}

/* There is room, and the hash is known. */
static void table_add_locked(struct megaflow_table *table, struct flow_mask *mask,
                             struct megaflow *flow) REQUIRES(table->lock)
{
    uint64_t *restrict words = flow_key_words(&flow->key);
    const uint64_t *restrict bits = flow_key_words_const(&mask->mask);

    for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
        words[i] &= bits[i];
    flow->mask = mask;
    flow->index = megaflow_n_flows(table);
    atomic_store_explicit(&flow->is_live, true, memory_order_relaxed);
    atomic_store_explicit(&table->n_flows, flow->index + 1, memory_order_relaxed);
    table->all[flow->index] = flow;
    table->n_actions += flow->n_actions;
    mask->n_flows++;
    mask->n_used += place_array_add(atomic_load_explicit(&mask->array, memory_order_relaxed), flow,
                                    flow->hash);
}

static int table_link_locked(struct megaflow_table *table, struct megaflow *flow,
                             const struct flow_key *bits, struct megaflow_displaced *displaced)
    REQUIRES(table->lock)
{
    struct flow_mask *mask = table_get_mask_locked(table, bits);
    struct megaflow *old = NULL;

    if (mask) {
        flow->hash = mask_hash(mask, &flow->key);
        old = mask_find(mask, &flow->key, flow->hash);
    }
    if (old && table_has_room_locked(table, old, flow)) {
        table_replace_locked(table, old, flow);
        displaced->flows[displaced->n++] = old;
        return 0;
    }
    if (mask && (old || megaflow_n_flows(table) >= table->max_flows ||
                 !table_has_room_locked(table, NULL, flow))) {
        struct megaflow *victim = old ? old : table_draw_victim_locked(table);

        table_unlink_locked(table, victim);
        displaced->flows[displaced->n++] = victim;
        atomic_store_explicit(&table->is_crowded,
                              flow->created_ns - megaflow_last_used(victim) < CROWDED_NS && !old,
                              memory_order_relaxed);
        mask = table_get_mask_locked(table, bits); /* It may have gone with its last entry ... */
        if (mask)
            flow->hash = mask_hash(mask, &flow->key); /* ... or left its place to a better one. */
    }
    if (!mask || !table_has_room_locked(table, NULL, flow) || table_grow_list_locked(table) ||
        mask_make_room(table, mask)) {
        if (mask && !mask->n_flows)
            table_drop_mask_locked(table, mask);
        return -ENOMEM;
    }
    table_add_locked(table, mask, flow);
    return 0;
}

int megaflow_link(struct megaflow_table *table, struct megaflow *flow, const struct flow_key *mask,
                  struct megaflow_displaced *displaced)
{
    displaced->n = 0;
    mutex_lock(&table->lock);
    int error = table_link_locked(table, flow, mask, displaced);
    mutex_unlock(&table->lock);
    return error;
}

bool megaflow_replace(struct megaflow_table *table, struct megaflow *old, struct megaflow *flow)
{
    mutex_lock(&table->lock);
    bool may_replace = table_is_linked_locked(table, old) &&
                       table_has_room_locked(table, old, flow);
    if (may_replace)
        table_replace_locked(table, old, flow);
    mutex_unlock(&table->lock);
    return may_replace;
}

bool megaflow_unlink(struct megaflow_table *table, struct megaflow *flow)
{
    mutex_lock(&table->lock);
    bool is_linked = table_is_linked_locked(table, flow);
    if (is_linked)
        table_unlink_locked(table, flow);
    mutex_unlock(&table->lock);
    return is_linked;
}

uint32_t megaflow_list(struct megaflow_table *table, uint32_t *index, struct megaflow **flows,
                       uint32_t n)
{
    uint32_t n_listed = 0;

    /* Downward: an entry that moves because another went only moves to where we have yet to come. */
    mutex_lock(&table->lock);
    uint32_t n_flows = megaflow_n_flows(table);
    if (*index > n_flows)
        *index = n_flows;
    while (n_listed<n && * index> 0)
        flows[n_listed++] = table->all[--*index];
    mutex_unlock(&table->lock);
    return n_listed;
}

uint32_t megaflow_n_flows(const struct megaflow_table *table)
{
    return atomic_load_explicit(&table->n_flows, memory_order_relaxed);
}

uint32_t megaflow_n_masks(struct megaflow_table *table)
{
    mutex_lock(&table->lock);
    uint32_t n = table_masks(table)->n;
    mutex_unlock(&table->lock);
    return n;
}
