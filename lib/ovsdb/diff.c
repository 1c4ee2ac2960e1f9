/* SPDX-License-Identifier: Apache-2.0 */

/* Everything is one merge of two sorted lists. */

#include "lib/ovsdb/diff.h"

/* A datum being filled in order. */
struct filling {
    struct datum *datum;
    size_t n;
};

static void add(struct filling *to, const struct datum *from, size_t i)
{
    atom_copy(from->key_type, &to->datum->keys[to->n], &from->keys[i]);
    if (to->datum->values)
        atom_copy(from->value_type, &to->datum->values[to->n], &from->values[i]);
    to->n++;
}

/* The filled part of a datum that was made for the largest case. */
static struct datum *finish(struct filling *filling)
{
    struct datum *large = filling->datum;

    if (filling->n == large->n)
        return large;
    struct datum *datum = datum_create(large->key_type, large->value_type, filling->n);
    for (size_t i = 0; i < filling->n; i++) {
        datum->keys[i] = large->keys[i];
        if (datum->values)
            datum->values[i] = large->values[i];
    }
    large->n = 0; /* Its strings have moved. */
    datum_unref(large);
    return datum;
}

/* -1, 0 or 1: whose key comes next. */
static int next_of(const struct datum *a, size_t i, const struct datum *b, size_t j)
{
    if (i == a->n)
        return 1;
    if (j == b->n)
        return -1;
    return atom_compare(a->key_type, &a->keys[i], &b->keys[j]);
}

static bool values_equal(const struct datum *a, size_t i, const struct datum *b, size_t j)
{
    return !a->values || !b->values || !atom_compare(a->value_type, &a->values[i], &b->values[j]);
}

static struct filling begin(const struct datum *like, size_t n)
{
    return (struct filling){datum_create(like->key_type, like->value_type, n), 0};
}

/* Elements of one of both.  Of a pair whose value differs, 'b''s is taken. */
static struct datum *symmetric_difference(const struct datum *a, const struct datum *b)
{
    struct filling result = begin(a, (size_t)a->n + b->n);

    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        int order = next_of(a, i, b, j);

        if (order < 0) {
            add(&result, a, i++);
        } else if (order > 0) {
            add(&result, b, j++);
        } else {
            if (!values_equal(a, i, b, j))
                add(&result, b, j);
            i++, j++;
        }
    }
    return finish(&result);
}

struct datum *datum_diff(const struct column_type *type, struct datum *before, struct datum *after)
{
    if (!column_type_is_composite(type))
        return datum_ref(after);
    return symmetric_difference(before, after);
}

struct datum *datum_apply_diff(const struct column_type *type, struct datum *before,
                               struct datum *diff)
{
    if (!column_type_is_composite(type))
        return datum_ref(diff);
    return symmetric_difference(before, diff);
}

struct datum *datum_union(const struct datum *a, const struct datum *b)
{
    struct filling result = begin(a, (size_t)a->n + b->n);

    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        int order = next_of(a, i, b, j);

        if (order > 0) {
            add(&result, b, j++);
            continue;
        }
        add(&result, a, i++);
        if (!order)
            j++;
    }
    return finish(&result);
}

struct datum *datum_difference(const struct datum *a, const struct datum *b)
{
    struct filling result = begin(a, a->n);

    for (size_t i = 0, j = 0; i < a->n;) {
        int order = next_of(a, i, b, j);

        if (order > 0) {
            j++;
            continue;
        }
        if (order < 0 || !values_equal(a, i, b, j))
            add(&result, a, i);
        i++;
        if (!order)
            j++;
    }
    return finish(&result);
}
