/* SPDX-License-Identifier: Apache-2.0 */

/* Readers may stand anywhere while the writer works: entries are replaced by single stores, a chain's
 * last rule leaves CLS_ENTRY_REMOVED behind, and a rule that is taken out keeps its 'next'. */

#include "vswitchd/classifier_tuple.h"

#include <stdlib.h>

#include "lib/annotations.h"

enum { LOG2_MIN_CAPACITY = 6, MIN_CAPACITY = 1 << LOG2_MIN_CAPACITY };

static struct cls_table *create_table(uint32_t n_keys)
{
    uint32_t capacity = MIN_CAPACITY, shift = 32 - LOG2_MIN_CAPACITY;

    while (capacity < 2 * n_keys + 1) {
        capacity *= 2;
        shift--;
    }
    struct cls_table *table = calloc(1, sizeof *table + capacity * sizeof table->entries[0]);
    if (!table)
        abort();
    table->capacity = capacity;
    table->shift = shift;
    return table;
}

static struct cls_table *table_of(const struct cls_tuple *tuple)
{
    return atomic_load_explicit(&tuple->table, memory_order_relaxed);
}

static void free_table(struct rcu_head *rcu)
{
    rcu_begin_callback();
    free(CONTAINER_OF(rcu, struct cls_table, rcu));
}

static uint64_t make_entry(struct cls_rule *rule)
{
    assert(!((uintptr_t)rule >> CLS_ENTRY_TAG_SHIFT));
    return (uintptr_t)rule | cls_entry_tag(rule->hash) << CLS_ENTRY_TAG_SHIFT;
}

static void put_entry(struct cls_table *table, uint32_t i, uint64_t entry)
{
    atomic_store_explicit(&table->entries[i], entry, memory_order_release);
}

static uint64_t get_entry(const struct cls_table *table, uint32_t i)
{
    return atomic_load_explicit(&table->entries[i], memory_order_relaxed);
}

static uint32_t first_place(const struct cls_table *table, uint32_t hash)
{
    return hash >> table->shift;
}

static uint32_t next_place(const struct cls_table *table, uint32_t i)
{
    return (i + 1) & (table->capacity - 1);
}

static void rehash(struct cls_tuple *tuple, uint32_t n_keys)
{
    struct cls_table *old = table_of(tuple), *table = create_table(n_keys);

    for (uint32_t i = 0; i < old->capacity; i++) {
        uint64_t entry = get_entry(old, i);
        if (!cls_entry_is_rule(entry))
            continue;
        uint32_t to = first_place(table, cls_entry_rule(entry)->hash);
        while (get_entry(table, to) != CLS_ENTRY_EMPTY)
            to = next_place(table, to);
        put_entry(table, to, entry);
    }
    tuple->n_removed = 0;
    atomic_store_explicit(&tuple->table, table, memory_order_release);
    rcu_order_before_writers();
    call_rcu(&old->rcu, free_table);
}

static void cls_mask_get(struct cls_mask *mask)
{
    atomic_fetch_add_explicit(&mask->n_references, 1, memory_order_relaxed);
}

void cls_mask_put(struct cls_mask *mask)
{
    /* Whoever frees it comes after all others: release each, acquire all. */
    if (atomic_fetch_sub_explicit(&mask->n_references, 1, memory_order_acq_rel) == 1)
        free(mask);
}

struct cls_tuple *cls_tuple_create(struct cls_mask *mask)
{
    struct cls_tuple *tuple = calloc(1, sizeof *tuple);

    if (!tuple)
        abort();
    cls_mask_get(mask);
    tuple->mask = mask;
    tuple->word_set = mask->word_set;
    for (uint64_t set = mask->word_set; set; set &= set - 1) {
        tuple->words[tuple->n_words] = (uint8_t)__builtin_ctzll(set);
        tuple->masks[tuple->n_words] = mask->words[tuple->n_words];
        tuple->n_words++;
    }
    atomic_init(&tuple->table, create_table(0));
    return tuple;
}

void cls_tuple_destroy(struct cls_tuple *tuple)
{
    assert(!tuple->n_rules);
    free(table_of(tuple));
    cls_mask_put(tuple->mask);
    cls_priorities_fini(&tuple->priorities);
    free(tuple);
}

static void destroy_tuple(struct rcu_head *rcu)
{
    rcu_begin_callback();
    cls_tuple_destroy(CONTAINER_OF(rcu, struct cls_tuple, rcu));
}

void cls_tuple_destroy_later(struct cls_tuple *tuple)
{
    rcu_order_before_writers();
    call_rcu(&tuple->rcu, destroy_tuple);
}

static bool is_equal(const uint64_t *a, const uint64_t *b, uint32_t n)
{
    uint64_t difference = 0;

    for (uint32_t i = 0; i < n; i++)
        difference |= a[i] ^ b[i];
    return !difference;
}

/* The place of the chain for 'masked'; else where to put it: the first free place, and false. */
static bool find_place(const struct cls_tuple *tuple, const uint64_t *masked, uint32_t hash,
                       uint32_t *place)
{
    const struct cls_table *table = table_of(tuple);
    bool has_free = false;

    for (uint32_t i = first_place(table, hash);; i = next_place(table, i)) {
        uint64_t entry = get_entry(table, i);

        if (!cls_entry_is_rule(entry)) {
            if (!has_free)
                *place = i;
            has_free = true;
            if (entry == CLS_ENTRY_EMPTY)
                return false;
        } else if (entry >> CLS_ENTRY_TAG_SHIFT == cls_entry_tag(hash) &&
                   is_equal(masked, cls_entry_rule(entry)->words, tuple->n_words)) {
            *place = i;
            return true;
        }
    }
}

static struct cls_rule *next_of(const struct cls_rule *rule)
{
    return atomic_load_explicit(&rule->next, memory_order_relaxed);
}

/* Some rules of a chain, chosen by chance, and its first one are stations, where the writer changes
 * trains on its way to a priority. */
static bool is_station(const struct cls_rule *rule)
{
    enum { CHANCE = 32 };

    return cls_hash_pair(hash_seed, rule->priority, rule->hash) % CHANCE == 0;
}

/* The last station before all rules of 'priority'; the first rule if there is none. */
static struct cls_rule *find_station(struct cls_rule *first, uint32_t priority)
{
    struct cls_rule *station = first;

    while (station->next_station && station->next_station->priority > priority)
        station = station->next_station;
    return station;
}

/* Before the first rule that is not of higher priority. */
static void insert_in_chain(struct cls_table *table, uint32_t place, struct cls_rule *rule)
{
    struct cls_rule *first = cls_entry_rule(get_entry(table, place)), *station, *before;

    if (first->priority <= rule->priority) {
        rule->next_station = is_station(first) ? first : first->next_station;
        atomic_store_explicit(&rule->next, first, memory_order_relaxed);
        put_entry(table, place, make_entry(rule));
        return;
    }
    before = station = find_station(first, rule->priority);
    while (next_of(before) && next_of(before)->priority > rule->priority)
        before = next_of(before);
    if (is_station(rule)) {
        rule->next_station = station->next_station;
        station->next_station = rule;
    }
    atomic_store_explicit(&rule->next, next_of(before), memory_order_relaxed);
    atomic_store_explicit(&before->next, rule, memory_order_release);
}

/* False: it was the only one. */
static bool remove_from_chain(struct cls_table *table, uint32_t place, struct cls_rule *rule)
{
    struct cls_rule *first = cls_entry_rule(get_entry(table, place)), *station, *before;
    struct cls_rule *next = next_of(rule);

    if (first == rule) {
        if (next && !is_station(next))
            next->next_station = rule->next_station;
        put_entry(table, place, next ? make_entry(next) : CLS_ENTRY_REMOVED);
        return next != NULL;
    }
    before = station = find_station(first, rule->priority);
    while (next_of(before) != rule)
        before = next_of(before);
    if (is_station(rule)) {
        while (station->next_station != rule)
            station = station->next_station;
        station->next_station = rule->next_station;
    }
    atomic_store_explicit(&before->next, next, memory_order_release);
    return true;
}

bool cls_tuple_insert(struct cls_tuple *tuple, struct cls_rule *rule)
{
    uint32_t place;

    rule->hash = cls_hash_words(rule->words, tuple->n_words);
    rule->tuple = tuple;
    if (rule->mask != tuple->mask) {
        cls_mask_put(rule->mask);
        cls_mask_get(tuple->mask);
        rule->mask = tuple->mask;
    }
    cls_priorities_add(&tuple->priorities, rule->priority);
    tuple->n_rules++;

    if (find_place(tuple, rule->words, rule->hash, &place)) {
        insert_in_chain(table_of(tuple), place, rule);
        return false;
    }

    /* Keeps half of the places empty, so that probes end soon. */
    if (tuple->n_keys + tuple->n_removed + 1 > table_of(tuple)->capacity / 2) {
        rehash(tuple, tuple->n_keys + tuple->n_keys / 4 + 1);
        find_place(tuple, rule->words, rule->hash, &place);
    }
    if (get_entry(table_of(tuple), place) == CLS_ENTRY_REMOVED)
        tuple->n_removed--;
    tuple->n_keys++;
    rule->next_station = NULL;
    atomic_store_explicit(&rule->next, NULL, memory_order_relaxed);
    put_entry(table_of(tuple), place, make_entry(rule));
    return true;
}

bool cls_tuple_remove(struct cls_tuple *tuple, struct cls_rule *rule)
{
    uint32_t place;

    bool is_found = find_place(tuple, rule->words, rule->hash, &place);
    assert(is_found);
    (void)is_found;
    cls_priorities_remove(&tuple->priorities, rule->priority);
    tuple->n_rules--;
    rule->tuple = NULL;
    if (remove_from_chain(table_of(tuple), place, rule))
        return false;
    tuple->n_keys--;
    tuple->n_removed++;
    return true;
}

void cls_tuple_clear(struct cls_tuple *tuple)
{
    struct cls_table *old = table_of(tuple);

    atomic_store_explicit(&tuple->table, create_table(0), memory_order_release);
    rcu_order_before_writers();
    call_rcu(&old->rcu, free_table);
    cls_priorities_fini(&tuple->priorities);
    tuple->n_keys = tuple->n_removed = tuple->n_rules = 0;
}

void cls_tuple_trim(struct cls_tuple *tuple)
{
    if (table_of(tuple)->capacity > MIN_CAPACITY && table_of(tuple)->capacity / 8 > tuple->n_keys)
        rehash(tuple, tuple->n_keys);
}

struct cls_rule *cls_tuple_find(const struct cls_tuple *tuple, const uint64_t *masked,
                                uint32_t priority)
{
    uint32_t place;

    if (!find_place(tuple, masked, cls_hash_words(masked, tuple->n_words), &place))
        return NULL;
    struct cls_rule *rule = find_station(cls_entry_rule(get_entry(table_of(tuple), place)),
                                         priority);
    while (rule && rule->priority > priority)
        rule = next_of(rule);
    return rule;
}

cls_rank cls_tuple_max_rank(const struct cls_tuple *tuple)
{
    return tuple->n_rules ? cls_priorities_max(&tuple->priorities) + 1 : 0;
}
