/* SPDX-License-Identifier: Apache-2.0 */

/* push and pop.  Values remember no width: one popped into a wider field has zeros above it, into a narrower
 * one loses its high bits (ovs-actions(7)). */

#include <stdlib.h>
#include <string.h>

#include "vswitchd/xlate_internal.h"

void xlate_push(struct xlate *x, const struct ofa_stack *action)
{
    struct of_value value;

    if (x->n_stack == XLATE_MAX_STACK) {
        xlate_fail(x, DROP_TOO_MANY_ACTIONS);
        return;
    }
    if (!x->stack)
        x->stack = malloc(XLATE_MAX_STACK * sizeof x->stack[0]);
    if (!x->stack) {
        xlate_fail(x, DROP_NO_MEMORY);
        return;
    }
    xlate_read_part(x, action->part, &value);
    x->stack[x->n_stack++] = value;
}

void xlate_pop(struct xlate *x, const struct ofa_stack *action)
{
    if (!x->n_stack) {
        xlate_complain(x, "stack underflow");
        return;
    }
    xlate_write_part(x, action->part, &x->stack[--x->n_stack]);
    xlate_trace_part(x, action->part);
}

void xlate_save_stack(const struct xlate *x, struct xlate_stack *saved)
{
    size_t n_bytes = x->n_stack * sizeof x->stack[0];

    *saved = (struct xlate_stack){.n = x->n_stack};
    if (!n_bytes)
        return;
    saved->values = malloc(n_bytes);
    if (!saved->values)
        abort();
    memcpy(saved->values, x->stack, n_bytes);
}

void xlate_restore_stack(struct xlate *x, struct xlate_stack *saved)
{
    x->n_stack = saved->n;
    if (saved->n)
        memcpy(x->stack, saved->values, saved->n * sizeof x->stack[0]);
    free(saved->values);
}
