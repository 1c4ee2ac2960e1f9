/* SPDX-License-Identifier: Apache-2.0 */

/* A hash table of liburcu's, with all versions of a group side by side.  What a publication took out leaves the
 * table after one grace period, when no reader looks for it, and is freed after another, when none stands on
 * it. */

#include "vswitchd/group_table.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/annotations.h"
#include "lib/hash.h"
#include "vswitchd/action_set.h"

enum { MIN_SLOTS = 16 };

static const uint64_t VERSION_NEVER = UINT64_MAX;

struct group_list {
    struct group **groups; /* Owned. */
    size_t n, capacity;
};

struct group_table {
    struct cds_lfht *hash;
    size_t n_slots;
    size_t n_groups, n_buckets; /* Current ones. */

    /* For the next version. */
    struct group_list added, removed;
};

static void list_add(struct group_list *list, struct group *group)
{
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 16;
        list->groups = realloc(list->groups, list->capacity * sizeof(struct group *));
        if (!list->groups)
            abort();
    }
    list->groups[list->n++] = group;
}

/* Groups */

static struct group *group_of_node(struct cds_lfht_node *node)
{
    return node ? CONTAINER_OF(node, struct group, node) : NULL;
}

static struct group *group_create(struct of_group *desc_take, int64_t created_ns)
{
    struct group *group = calloc(1, sizeof *group);

    if (!group)
        abort();
    group->desc = *desc_take;
    of_group_init(desc_take);
    group->buckets = calloc(group->desc.n_buckets + 1, sizeof *group->buckets);
    if (!group->buckets)
        abort();
    for (size_t i = 0; i < group->desc.n_buckets; i++)
        action_set_flatten(of_bucket_actions(&group->desc.buckets[i]), &group->buckets[i].actions);
    group->created_ns = created_ns;
    atomic_init(&group->removed_in, VERSION_NEVER);
    atomic_init(&group->n_references, 1);
    return group;
}

static void group_destroy(struct group *group)
{
    for (size_t i = 0; i < group->desc.n_buckets; i++)
        buffer_fini(&group->buckets[i].actions);
    free(group->buckets);
    of_group_fini(&group->desc);
    free(group);
}

void group_ref(struct group *group)
{
    atomic_fetch_add_explicit(&group->n_references, 1, memory_order_relaxed);
}

void group_unref(struct group *group)
{
    /* The last one out sees what the others did: release each, acquire all. */
    if (group && atomic_fetch_sub_explicit(&group->n_references, 1, memory_order_acq_rel) == 1)
        group_destroy(group);
}

static void counter_add(_Atomic(uint64_t) *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void bucket_credit(struct group_bucket *bucket, uint64_t n_packets, uint64_t n_bytes)
{
    counter_add(&bucket->n_packets, n_packets);
    counter_add(&bucket->n_bytes, n_bytes);
}

void group_credit(struct group *group, int bucket, uint64_t n_packets, uint64_t n_bytes)
{
    counter_add(&group->n_packets, n_packets);
    counter_add(&group->n_bytes, n_bytes);
    if (bucket != GROUP_ALL_BUCKETS) {
        bucket_credit(&group->buckets[bucket], n_packets, n_bytes);
        return;
    }
    for (size_t i = 0; i < group->desc.n_buckets; i++)
        bucket_credit(&group->buckets[i], n_packets, n_bytes);
}

/* Life */

struct group_table *group_table_create(void)
{
    struct group_table *table = calloc(1, sizeof *table);

    if (!table)
        abort();
    table->n_slots = MIN_SLOTS;
    table->hash = cds_lfht_new(MIN_SLOTS, MIN_SLOTS, 0, 0, NULL);
    if (!table->hash)
        abort();
    return table;
}

void group_table_destroy(struct group_table *table)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;

    if (!table)
        return;
    rcu_wait_for_callbacks(); /* What is to leave the table has left it. */
    cds_lfht_for_each(table->hash, &iter, node)
    {
        cds_lfht_del(table->hash, node);
        group_unref(group_of_node(node));
    }
    cds_lfht_destroy(table->hash, NULL);
    free(table->added.groups);
    free(table->removed.groups);
    free(table);
}

/* Lookups */

static unsigned long hash_of(uint32_t group_id)
{
    return hash_words(&(uint64_t){group_id}, 1, 0);
}

static int has_id(struct cds_lfht_node *node, const void *group_id)
{
    return group_of_node(node)->desc.group_id == *(const uint32_t *)group_id;
}

static bool is_visible(const struct group *group, uint64_t version)
{
    return group->added_in <= version &&
           version < atomic_load_explicit(&group->removed_in, memory_order_relaxed);
}

struct group *group_table_lookup(const struct group_table *table, uint64_t version,
                                 uint32_t group_id)
{
    struct cds_lfht_iter iter;
    struct group *group;

    cds_lfht_lookup(table->hash, hash_of(group_id), has_id, &group_id, &iter);
    while ((group = group_of_node(cds_lfht_iter_get_node(&iter))) && !is_visible(group, version))
        cds_lfht_next_duplicate(table->hash, has_id, &group_id, &iter);
    return group;
}

/* Changes */

enum of_error group_table_check_room(const struct group_table *table, const struct group *replaced,
                                     size_t n_buckets)
{
    size_t n_others = table->n_buckets - (replaced ? replaced->desc.n_buckets : 0);

    if (!replaced && table->n_groups >= GROUP_TABLE_MAX_GROUPS)
        return OFPGMFC_OUT_OF_GROUPS;
    return n_others + n_buckets > GROUP_TABLE_MAX_BUCKETS ? OFPGMFC_OUT_OF_BUCKETS : OF_OK;
}

static void count(struct group_table *table, const struct group *group)
{
    table->n_groups++;
    table->n_buckets += group->desc.n_buckets;
}

static void uncount(struct group_table *table, const struct group *group)
{
    table->n_groups--;
    table->n_buckets -= group->desc.n_buckets;
}

void group_table_remove(struct group_table *table, uint64_t version, struct group *group)
{
    atomic_store_explicit(&group->removed_in, version, memory_order_relaxed);
    list_add(&table->removed, group);
    uncount(table, group);
}

void group_table_add(struct group_table *table, uint64_t version, struct of_group *desc_take,
                     struct group *replaced, int64_t now_ns)
{
    struct group *group = group_create(desc_take, replaced ? replaced->created_ns : now_ns);

    if (replaced)
        group_table_remove(table, version, replaced);
    group->table = table;
    group->added_in = version;
    cds_lfht_node_init(&group->node);
    cds_lfht_add(table->hash, hash_of(group->desc.group_id), &group->node);
    list_add(&table->added, group);
    count(table, group);
}

bool group_table_has_changes(const struct group_table *table)
{
    return table->added.n || table->removed.n;
}

void group_table_each_change(const struct group_table *table, uint64_t version,
                             void (*each)(const struct group *group, bool is_gone, void *arg),
                             void *arg)
{
    for (size_t i = 0; i < table->removed.n; i++) {
        const struct group *group = table->removed.groups[i];
        if (!group_table_lookup(table, version, group->desc.group_id))
            each(group, true, arg);
    }
    for (size_t i = 0; i < table->added.n; i++) {
        if (is_visible(table->added.groups[i], version))
            each(table->added.groups[i], false, arg);
    }
}

static void free_group(struct rcu_head *rcu)
{
    rcu_begin_callback();
    group_unref(CONTAINER_OF(rcu, struct group, rcu));
}

static void take_out(struct group *group)
{
    cds_lfht_del(group->table->hash, &group->node);
    rcu_order_before_writers();
    call_rcu(&group->rcu, free_group);
}

static void take_out_unseen(struct rcu_head *rcu)
{
    rcu_begin_callback();
    take_out(CONTAINER_OF(rcu, struct group, rcu));
}

void group_table_settle(struct group_table *table)
{
    for (size_t i = 0; i < table->removed.n; i++) {
        rcu_order_before_writers();
        call_rcu(&table->removed.groups[i]->rcu, take_out_unseen);
    }
    table->added.n = table->removed.n = 0;
    if (table->n_groups > table->n_slots) {
        while (table->n_slots < table->n_groups)
            table->n_slots *= 2;
        cds_lfht_resize(table->hash, table->n_slots);
    }
}

/* Removals first: a group that was added and removed again is there once more. */
void group_table_revert(struct group_table *table)
{
    for (size_t i = 0; i < table->removed.n; i++) {
        struct group *group = table->removed.groups[i];

        atomic_store_explicit(&group->removed_in, VERSION_NEVER, memory_order_relaxed);
        count(table, group);
    }
    for (size_t i = 0; i < table->added.n; i++) {
        uncount(table, table->added.groups[i]);
        take_out(table->added.groups[i]);
    }
    table->added.n = table->removed.n = 0;
}

/* Walks */

static int compare_ids(const void *a, const void *b)
{
    const struct group *const *first = a, *const *second = b;
    uint32_t first_id = (*first)->desc.group_id, second_id = (*second)->desc.group_id;

    return first_id < second_id ? -1 : first_id > second_id;
}

size_t group_table_list(const struct group_table *table, uint64_t version, struct group ***groups)
{
    struct group_list list = {.n = 0};
    struct cds_lfht_iter iter;
    struct cds_lfht_node *node;

    cds_lfht_for_each(table->hash, &iter, node)
    {
        struct group *group = group_of_node(node);
        if (is_visible(group, version))
            list_add(&list, group);
    }
    if (list.n)
        qsort(list.groups, list.n, sizeof(struct group *), compare_ids);
    *groups = list.groups;
    return list.n;
}

size_t group_table_n_groups(const struct group_table *table)
{
    return table->n_groups;
}
