/* SPDX-License-Identifier: Apache-2.0 */

/* A heap of groups, the largest first; each has a heap of rules, the first to go first. */

#include "vswitchd/flow_table_eviction.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/annotations.h"
#include "lib/hash.h"
#include "vswitchd/flow_table_expiry.h"

/* The least key is in slot 1; items know their slot, 0 is none. */
struct entry {
    uint64_t key;
    void *item;
};

struct heap {
    struct entry *entries;
    uint32_t n, capacity;
    void (*note_slot)(void *item, uint32_t slot);
};

struct group {
    uint32_t id; /* A hash of the values: groups that collide are one. */
    uint32_t slot;
    struct heap rules;
    UT_hash_handle by_id;
};

struct eviction {
    struct of_subfield *fields; /* Owned. */
    size_t n_fields;
    struct group *groups; /* By id; each owned, and not empty. */
    struct heap by_size;
};

/* Heaps */

static void place(struct heap *heap, uint32_t slot, struct entry entry)
{
    heap->entries[slot] = entry;
    heap->note_slot(entry.item, slot);
}

static void sift_up(struct heap *heap, uint32_t slot, struct entry entry)
{
    while (slot > 1 && heap->entries[slot / 2].key > entry.key) {
        place(heap, slot, heap->entries[slot / 2]);
        slot /= 2;
    }
    place(heap, slot, entry);
}

static void sift_down(struct heap *heap, uint32_t slot, struct entry entry)
{
    const struct entry *entries = heap->entries;

    for (uint32_t child; (child = 2 * slot) <= heap->n; slot = child) {
        if (child < heap->n && entries[child + 1].key < entries[child].key)
            child++;
        if (entries[child].key >= entry.key)
            break;
        place(heap, slot, entries[child]);
    }
    place(heap, slot, entry);
}

static void heap_put(struct heap *heap, uint32_t slot, struct entry entry)
{
    if (slot > 1 && heap->entries[slot / 2].key > entry.key)
        sift_up(heap, slot, entry);
    else
        sift_down(heap, slot, entry);
}

static void heap_add(struct heap *heap, void *item, uint64_t key)
{
    if (heap->n + 1 >= heap->capacity) {
        heap->capacity = heap->capacity ? 2 * heap->capacity : 8;
        heap->entries = realloc(heap->entries, heap->capacity * sizeof heap->entries[0]);
        if (!heap->entries)
            abort();
    }
    heap->n++;
    sift_up(heap, heap->n, (struct entry){key, item});
}

static void heap_remove(struct heap *heap, uint32_t slot)
{
    void *item = heap->entries[slot].item;
    struct entry last = heap->entries[heap->n--];

    if (last.item != item)
        heap_put(heap, slot, last);
    heap->note_slot(item, 0);
}

/* Groups */

static void note_rule_slot(void *rule, uint32_t slot)
{
    ((struct rule *)rule)->eviction_slot = slot;
}

static void note_group_slot(void *group, uint32_t slot)
{
    ((struct group *)group)->slot = slot;
}

static uint32_t group_id_of(const struct eviction *eviction, const struct rule *rule)
{
    struct match match;
    uint32_t id = 0;

    if (!eviction->n_fields)
        return 0;
    cls_rule_expand(&rule->cls, &match);
    for (size_t i = 0; i < eviction->n_fields; i++) {
        const struct of_subfield *part = &eviction->fields[i];
        struct of_value value = {.bytes = {0}};

        if (of_field_is_meaningful(part->field, &match.flow, NULL))
            of_subfield_get(part, &match.flow, &value);
        id = hash_bytes(value.bytes, sizeof value.bytes, id + i);
    }
    return id;
}

static struct group *find_group(const struct eviction *eviction, const struct rule *rule)
{
    uint32_t id = group_id_of(eviction, rule);
    struct group *group;

    HASH_FIND(by_id, eviction->groups, &id, sizeof id, group);
    return group;
}

static struct group *find_or_create_group(struct eviction *eviction, const struct rule *rule)
{
    uint32_t id = group_id_of(eviction, rule);
    struct group *group;

    HASH_FIND(by_id, eviction->groups, &id, sizeof id, group);
    if (group)
        return group;
    group = calloc(1, sizeof *group);
    if (!group)
        abort();
    group->id = id;
    group->rules.note_slot = note_rule_slot;
    HASH_ADD(by_id, eviction->groups, id, sizeof group->id, group);
    heap_add(&eviction->by_size, group, UINT64_MAX);
    return group;
}

static void destroy_group(struct eviction *eviction, struct group *group)
{
    HASH_DELETE(by_id, eviction->groups, group);
    free(group->rules.entries);
    free(group);
}

static void group_resized(struct eviction *eviction, struct group *group)
{
    if (group->rules.n) {
        heap_put(&eviction->by_size, group->slot,
                 (struct entry){UINT64_MAX - group->rules.n, group});
        return;
    }
    heap_remove(&eviction->by_size, group->slot);
    destroy_group(eviction, group);
}

struct eviction *eviction_create(const struct of_subfield *groups, size_t n_groups)
{
    struct eviction *eviction = calloc(1, sizeof *eviction);

    if (!eviction || !(eviction->fields = calloc(n_groups + 1, sizeof *groups)))
        abort();
    if (n_groups)
        memcpy(eviction->fields, groups, n_groups * sizeof *groups);
    eviction->n_fields = n_groups;
    eviction->by_size.note_slot = note_group_slot;
    return eviction;
}

void eviction_destroy(struct eviction *eviction)
{
    struct group *group, *next;

    if (!eviction)
        return;
    HASH_ITER (by_id, eviction->groups, group, next) {
        for (uint32_t slot = 1; slot <= group->rules.n; slot++)
            note_rule_slot(group->rules.entries[slot].item, 0);
        destroy_group(eviction, group);
    }
    free(eviction->by_size.entries);
    free(eviction->fields);
    free(eviction);
}

/* Rules */

/* Importance, then the deadline in units of about a millisecond. */
static uint64_t key_of(const struct rule *rule)
{
    enum { DEADLINE_BITS = 48, UNIT_SHIFT = 20 };
    uint64_t deadline = (uint64_t)rule_deadline_ns(rule) >> UNIT_SHIFT;

    return (uint64_t)rule->importance << DEADLINE_BITS |
           (deadline & ((UINT64_C(1) << DEADLINE_BITS) - 1));
}

void eviction_add(struct eviction *eviction, struct rule *rule)
{
    if (rule->eviction_slot || (!rule->idle_timeout_s && !rule->hard_timeout_s))
        return;
    struct group *group = find_or_create_group(eviction, rule);
    heap_add(&group->rules, rule, key_of(rule));
    group_resized(eviction, group);
}

void eviction_remove(struct eviction *eviction, struct rule *rule)
{
    if (!rule->eviction_slot)
        return;
    struct group *group = find_group(eviction, rule);
    heap_remove(&group->rules, rule->eviction_slot);
    group_resized(eviction, group);
}

struct rule *eviction_choose(struct eviction *eviction)
{
    if (!eviction->by_size.n)
        return NULL;
    struct group *group = eviction->by_size.entries[1].item;
    struct heap *rules = &group->rules;
    /* Frames that come meanwhile could go on moving deadlines for ever. */
    for (uint32_t n_looked_at = 0; n_looked_at < rules->n; n_looked_at++) {
        struct entry first = rules->entries[1];
        uint64_t key = key_of(first.item);
        if (key <= first.key)
            break;
        heap_put(rules, 1, (struct entry){key, first.item});
    }
    return rules->entries[1].item;
}
