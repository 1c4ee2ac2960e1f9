/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/group_mod.h"

#include <stdlib.h>

#include "lib/annotations.h"
#include "vswitchd/group_table.h"

static struct group *find_group(const struct flow_tables *tables, uint32_t group_id)
{
    return group_table_lookup(flow_tables_groups(tables), flow_tables_next_version(tables),
                              group_id);
}

static enum of_error put_group(struct flow_tables *tables, struct of_group *desc_take,
                               struct group *replaced, int64_t now_ns)
{
    struct group_table *groups = flow_tables_groups(tables);
    enum of_error error = group_table_check_room(groups, replaced, desc_take->n_buckets);

    if (!error)
        group_table_add(groups, flow_tables_next_version(tables), desc_take, replaced, now_ns);
    return error;
}

/* Buckets */

static void append_copies(struct of_group *to, const struct of_bucket *buckets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct of_bucket *bucket = of_group_add_bucket(to);

        bucket->bucket_id = buckets[i].bucket_id;
        bucket->weight = buckets[i].weight;
        bucket->watch_port = buckets[i].watch_port;
        bucket->watch_group = buckets[i].watch_group;
        buffer_put(&bucket->actions, buckets[i].actions.data, buckets[i].actions.size);
    }
}

/* All of 'old' but its buckets. */
static void copy_properties(struct of_group *to, const struct of_group *old)
{
    of_group_init(to);
    to->group_id = old->group_id;
    to->type = old->type;
    memcpy(to->selection_method, old->selection_method, sizeof to->selection_method);
    to->selection_param = old->selection_param;
    for (size_t i = 0; i < old->n_fields; i++)
        of_group_add_field(to, of_field((enum of_field_id)old->fields[i].field),
                           &old->fields[i].mask);
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

    return first < second ? -1 : first > second;
}

static bool has_same_number_twice(const struct of_group *group)
{
    uint32_t *numbers = calloc(group->n_buckets + 1, sizeof *numbers);
    bool found = false;

    if (!numbers)
        abort();
    for (size_t i = 0; i < group->n_buckets; i++)
        numbers[i] = group->buckets[i].bucket_id;
    qsort(numbers, group->n_buckets, sizeof *numbers, compare_numbers);
    for (size_t i = 1; i < group->n_buckets && !found; i++)
        found = numbers[i] == numbers[i - 1];
    free(numbers);
    return found;
}

static size_t index_of(const struct of_group *group, uint32_t bucket_id)
{
    return (size_t)(of_group_find_bucket(group, bucket_id) - group->buckets);
}

/* Before the first, behind the last or behind the named bucket. */
static enum of_error insert_buckets(const struct of_group_mod *mod, const struct of_group *old,
                                    struct of_group *group)
{
    uint32_t where = mod->command_bucket_id;
    size_t n_before;

    if (where <= (uint32_t)OF_BUCKET_MAX && !of_group_find_bucket(old, where))
        return OFPGMFC_UNKNOWN_BUCKET;
    if (where == (uint32_t)OF_BUCKET_FIRST)
        n_before = 0;
    else
        n_before = where == (uint32_t)OF_BUCKET_LAST ? old->n_buckets : index_of(old, where) + 1;
    append_copies(group, old->buckets, n_before);
    append_copies(group, mod->group.buckets, mod->group.n_buckets);
    append_copies(group, old->buckets + n_before, old->n_buckets - n_before);
    return has_same_number_twice(group) ? OFPGMFC_BUCKET_EXISTS : OF_OK;
}

static enum of_error remove_bucket(const struct of_group_mod *mod, const struct of_group *old,
                                   struct of_group *group)
{
    uint32_t which = mod->command_bucket_id;
    size_t gone;

    if (which == (uint32_t)OF_BUCKET_ALL)
        return OF_OK;
    if (which <= (uint32_t)OF_BUCKET_MAX && !of_group_find_bucket(old, which))
        return OFPGMFC_UNKNOWN_BUCKET;
    if (!old->n_buckets)
        return OF_OK;
    if (which == (uint32_t)OF_BUCKET_FIRST)
        gone = 0;
    else
        gone = which == (uint32_t)OF_BUCKET_LAST ? old->n_buckets - 1 : index_of(old, which);
    append_copies(group, old->buckets, gone);
    append_copies(group, old->buckets + gone + 1, old->n_buckets - gone - 1);
    return OF_OK;
}

static enum of_error change_buckets(struct flow_tables *tables, const struct of_group_mod *mod,
                                    struct group *old, int64_t now_ns)
{
    struct of_group group;
    enum of_error error;

    copy_properties(&group, &old->desc);
    error = mod->command == OFGC_INSERT_BUCKET ? insert_buckets(mod, &old->desc, &group)
                                               : remove_bucket(mod, &old->desc, &group);
    if (!error)
        error = put_group(tables, &group, old, now_ns);
    of_group_fini(&group);
    return error;
}

/* Deleting */

static bool delete_flow(struct rule *rule, void *tables)
{
    flow_tables_remove(tables, rule, FLOW_REMOVED_GROUP_DELETE);
    return true;
}

static void delete_group(struct flow_tables *tables, struct group *group)
{
    const struct rule_filter filter = {
        .table_id = OF_TABLE_ALL,
        .out_port = OFPP_NONE,
        .out_group = group->desc.group_id,
    };

    group_table_remove(flow_tables_groups(tables), flow_tables_next_version(tables), group);
    flow_tables_each(tables, &filter, delete_flow, tables);
}

static void delete_all_groups(struct flow_tables *tables)
{
    struct group **groups;
    size_t n = group_table_list(flow_tables_groups(tables), flow_tables_next_version(tables),
                                &groups);

    for (size_t i = 0; i < n; i++)
        delete_group(tables, groups[i]);
    free(groups);
}

enum of_error group_mod_apply(struct flow_tables *tables, struct of_group_mod *mod, int64_t now_ns)
{
    struct group *old = find_group(tables, mod->group.group_id);

    switch ((enum of_group_command)mod->command) {
    case OFGC_ADD:
        return old ? OFPGMFC_GROUP_EXISTS : put_group(tables, &mod->group, NULL, now_ns);
    case OFGC_MODIFY:
        return old ? put_group(tables, &mod->group, old, now_ns) : OFPGMFC_UNKNOWN_GROUP;
    case OFGC_ADD_OR_MOD:
        return put_group(tables, &mod->group, old, now_ns);
    case OFGC_DELETE:
        if (mod->group.group_id == (uint32_t)OF_GROUP_ALL)
            delete_all_groups(tables);
        else if (old)
            delete_group(tables, old);
        return OF_OK;
    case OFGC_INSERT_BUCKET:
    case OFGC_REMOVE_BUCKET:
        return old ? change_buckets(tables, mod, old, now_ns) : OFPGMFC_UNKNOWN_GROUP;
    }
    return OFPGMFC_BAD_COMMAND;
}
