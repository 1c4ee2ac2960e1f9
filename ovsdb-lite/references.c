/* SPDX-License-Identifier: Apache-2.0 */

/* Both values are sorted, so what came and what went is one merge, and unchanged elements of a large
 * set cost a comparison instead of a lookup. */

#include "ovsdb-lite/references.h"

#include <stdlib.h>

struct reference {
    struct row *from;
    const struct column_schema *column;
    struct table *target_table;
    enum ref_type type;
    const struct ref_events *events;
};

static void add_weak(struct row *from, struct row *target)
{
    struct weak_ref *ref = malloc(sizeof *ref);

    if (!ref)
        abort();
    ref->from = from;
    cds_list_add_tail(&ref->node, &target->weak_refs);
}

static void drop_weak(struct row *from, struct row *target)
{
    struct weak_ref *ref;

    cds_list_for_each_entry (ref, &target->weak_refs, node) {
        if (ref->from == from) {
            cds_list_del(&ref->node);
            free(ref);
            return;
        }
    }
}

static void add(const struct reference *reference, const struct uuid *uuid)
{
    struct row *target = table_row_even_deleted(reference->target_table, uuid);
    const struct ref_events *events = reference->events;

    if (target == reference->from)
        return; /* A row does not keep itself. */
    if (reference->type == REF_WEAK) {
        if (target)
            add_weak(reference->from, target);
        if ((!target || target->is_deleted) && events)
            events->dangling(reference->from, events->aux);
    } else if (target) {
        target->n_strong_refs++;
    } else if (events) {
        events->missing(reference->from, reference->column, reference->target_table, uuid,
                        events->aux);
    }
}

static void drop(const struct reference *reference, const struct uuid *uuid)
{
    struct row *target = table_row_even_deleted(reference->target_table, uuid);

    if (!target || target == reference->from)
        return;
    if (reference->type == REF_WEAK)
        drop_weak(reference->from, target);
    else if (!--target->n_strong_refs && reference->events)
        reference->events->orphaned(target, reference->events->aux);
}

/* One side (keys or values) of a column. */
static void move_side(const struct reference *reference, const struct datum *before,
                      const struct datum *after, bool is_value)
{
    size_t i = 0, j = 0;
    size_t n_before = before ? before->n : 0, n_after = after ? after->n : 0;

    while (i < n_before || j < n_after) {
        int order = i == n_before ? 1
                    : j == n_after
                        ? -1
                        : atom_compare(before->key_type, &before->keys[i], &after->keys[j]);
        const union atom *old = order <= 0 ? (is_value ? before->values : before->keys) + i : NULL;
        const union atom *new = order >= 0 ? (is_value ? after->values : after->keys) + j : NULL;

        if (!(old && new &&uuid_equal(&old->uuid, &new->uuid))) {
            if (new)
                add(reference, &new->uuid);
            if (old)
                drop(reference, &old->uuid);
        }
        i += old != NULL;
        j += new != NULL;
    }
}

void references_move_column(struct row *row, const struct column_schema *column,
                            const struct datum *before, const struct datum *after,
                            const struct ref_events *events)
{
    const struct column_type *type = &column->type;
    struct table *key_table = row->table->key_refs[column->index];
    struct table *value_table = row->table->value_refs[column->index];

    if (before == after)
        return;
    if (key_table)
        move_side(&(struct reference){row, column, key_table, type->key.ref_type, events}, before,
                  after, false);
    if (value_table)
        move_side(&(struct reference){row, column, value_table, type->value.ref_type, events},
                  before, after, true);
}

void references_move_row(struct row *row, const struct row_data *before,
                         const struct row_data *after, const struct ref_events *events)
{
    const struct table_schema *schema = row->table->schema;

    for (size_t i = 0; i < schema->n_columns; i++)
        references_move_column(row, &schema->columns[i], before ? before->columns[i] : NULL,
                               after ? after->columns[i] : NULL, events);
}

static bool is_dangling(const struct row *row, const struct table *target,
                        const struct base_type *base, const struct uuid *uuid)
{
    return target && base->ref_type == REF_WEAK && !uuid_equal(uuid, &row->uuid) &&
           !table_row(target, uuid);
}

struct datum *references_without_dangling(const struct row *row, const struct column_schema *column,
                                          const struct datum *datum)
{
    const struct table *key_table = row->table->key_refs[column->index];
    const struct table *value_table = row->table->value_refs[column->index];
    struct datum *kept = NULL;
    bool *keeps = calloc(datum->n + 1, sizeof *keeps);
    size_t n = 0;

    if (!keeps)
        abort();
    for (size_t i = 0; i < datum->n; i++) {
        bool drops = is_dangling(row, key_table, &column->type.key, &datum->keys[i].uuid) ||
                     (value_table &&
                      is_dangling(row, value_table, &column->type.value, &datum->values[i].uuid));
        keeps[i] = !drops;
        n += !drops;
    }
    if (n < datum->n) {
        kept = datum_create(datum->key_type, datum->value_type, n);
        for (size_t i = 0, j = 0; i < datum->n; i++) {
            if (!keeps[i])
                continue;
            atom_copy(datum->key_type, &kept->keys[j], &datum->keys[i]);
            if (datum->values)
                atom_copy(datum->value_type, &kept->values[j], &datum->values[i]);
            j++;
        }
    }
    free(keeps);
    return kept;
}
