/* SPDX-License-Identifier: Apache-2.0 */

/* A set is a hash table with open addressing; who leaves closes the gap behind him, so that there are no
 * tombstones. */

#include "vswitchd/flow_table_groups.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/hash.h"

enum { MIN_SLOTS = 4 };

struct named_group {
    uint32_t group_id;
    uint32_t n_rules, n_slots; /* A power of two, at most 3/4 full and at least 1/8. */
    struct rule **slots;       /* Owned; NULL: free. */
    UT_hash_handle hh;
};

/* The set of a group */

static uint32_t home_of(const struct named_group *group, const struct rule *rule)
{
    return hash_words(&(uint64_t){(uintptr_t)rule}, 1, 0) & (group->n_slots - 1);
}

/* Where it is, or would be. */
static uint32_t slot_of(const struct named_group *group, const struct rule *rule)
{
    uint32_t slot = home_of(group, rule);

    while (group->slots[slot] && group->slots[slot] != rule)
        slot = (slot + 1) & (group->n_slots - 1);
    return slot;
}

static void resize(struct named_group *group, uint32_t n_slots)
{
    struct rule **old = group->slots;
    uint32_t n_old = group->n_slots;

    group->slots = calloc(n_slots, sizeof group->slots[0]);
    if (!group->slots)
        abort();
    group->n_slots = n_slots;
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i])
            group->slots[slot_of(group, old[i])] = old[i];
    }
    free(old);
}

static void set_add(struct named_group *group, struct rule *rule)
{
    if (group->n_rules >= group->n_slots / 4 * 3)
        resize(group, group->n_slots ? 2 * group->n_slots : MIN_SLOTS);
    uint32_t slot = slot_of(group, rule);
    group->n_rules += !group->slots[slot];
    group->slots[slot] = rule;
}

/* What stands behind the gap moves into it if it could have stood there. */
static void close_gap(struct named_group *group, uint32_t gap)
{
    uint32_t last = group->n_slots - 1;

    for (uint32_t next = (gap + 1) & last; group->slots[next]; next = (next + 1) & last) {
        uint32_t home = home_of(group, group->slots[next]);
        if (((next - home) & last) < ((next - gap) & last))
            continue;
        group->slots[gap] = group->slots[next];
        gap = next;
    }
    group->slots[gap] = NULL;
}

static void set_remove(struct named_group *group, const struct rule *rule)
{
    uint32_t slot = slot_of(group, rule);

    if (!group->slots[slot])
        return;
    close_gap(group, slot);
    group->n_rules--;
    if (group->n_slots > MIN_SLOTS && group->n_rules < group->n_slots / 8)
        resize(group, group->n_slots / 2);
}

/* All groups */

static struct named_group *find(const struct named_groups *groups, uint32_t group_id)
{
    struct named_group *group;

    HASH_FIND(hh, groups->by_id, &group_id, sizeof group_id, group);
    return group;
}

static struct named_group *find_or_create(struct named_groups *groups, uint32_t group_id)
{
    struct named_group *group = find(groups, group_id);

    if (group)
        return group;
    group = calloc(1, sizeof *group);
    if (!group)
        abort();
    group->group_id = group_id;
    HASH_ADD(hh, groups->by_id, group_id, sizeof group->group_id, group);
    return group;
}

static void destroy(struct named_groups *groups, struct named_group *group)
{
    HASH_DEL(groups->by_id, group);
    free(group->slots);
    free(group);
}

void named_groups_fini(struct named_groups *groups)
{
    struct named_group *group, *next;

    HASH_ITER (hh, groups->by_id, group, next)
        destroy(groups, group);
}

bool named_groups_has(struct ofa_list actions)
{
    for_each_action (ofa, actions) {
        if (ofa->type == OFA_GROUP)
            return true;
        if (ofa_is_nested(ofa) && named_groups_has(ofa_nested_list((const void *)ofa)))
            return true;
    }
    return false;
}

void named_groups_add(struct named_groups *groups, struct ofa_list actions, struct rule *rule)
{
    for_each_action (ofa, actions) {
        const void *action = ofa;

        if (ofa->type == OFA_GROUP)
            set_add(find_or_create(groups, ((const struct ofa_group *)action)->group_id), rule);
        else if (ofa_is_nested(ofa))
            named_groups_add(groups, ofa_nested_list(action), rule);
    }
}

void named_groups_remove(struct named_groups *groups, struct ofa_list actions, struct rule *rule)
{
    for_each_action (ofa, actions) {
        const void *action = ofa;

        if (ofa_is_nested(ofa))
            named_groups_remove(groups, ofa_nested_list(action), rule);
        if (ofa->type != OFA_GROUP)
            continue;
        struct named_group *group = find(groups, ((const struct ofa_group *)action)->group_id);
        if (group)
            set_remove(group, rule);
        if (group && !group->n_rules)
            destroy(groups, group);
    }
}

size_t named_groups_count(const struct named_groups *groups, uint32_t group_id)
{
    const struct named_group *group = find(groups, group_id);

    return group ? group->n_rules : 0;
}

size_t named_groups_list(const struct named_groups *groups, uint32_t group_id, struct rule ***rules)
{
    const struct named_group *group = find(groups, group_id);
    size_t n = 0;

    *rules = calloc(group ? group->n_rules : 1, sizeof **rules);
    if (!*rules)
        abort();
    for (uint32_t i = 0; group && i < group->n_slots; i++) {
        if (group->slots[i])
            (*rules)[n++] = group->slots[i];
    }
    return n;
}
