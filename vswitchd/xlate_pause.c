/* SPDX-License-Identifier: Apache-2.0 */

/* controller(pause): the walk stops as by "exit", and on their way out its lists keep what is left of them.  It stops up to
 * where a frame of its own begins: a bridge, a bucket, a clone.  There the frame, with what was kept, goes
 * to the controller, and what is around it goes on without it, as in Open vSwitch. */

#include <stdlib.h>
#include <string.h>

#include "vswitchd/xlate_internal.h"

void xlate_pause(struct xlate *x, const struct ofa_controller *action)
{
    x->pause = action;
    x->continuation = of_continuation_create();
    x->has_exited = true;
}

static bool is_kept(const struct ofa *ofa)
{
    return ofa->type != OFA_NOTE && ofa->type != OFA_CONJUNCTION;
}

static void keep(struct xlate *x, const struct ofa *first, const struct ofa *end)
{
    const struct of_continuation_rest rest = {
        .cookie = xlate_cookie(x),
        .table_id = x->table_id,
        .list = {.first = first,
                 .n_bytes = (size_t)((const uint8_t *)end - (const uint8_t *)first)},
    };

    if (!of_continuation_add(x->continuation, &rest))
        xlate_fail(x, DROP_TOO_MANY_ACTIONS);
}

void xlate_keep_rest(struct xlate *x, const struct ofa *rest, const struct ofa *end)
{
    const struct ofa *first = rest;

    if (!x->pause)
        return;
    for (const struct ofa *ofa = rest; ofa != end; ofa = ofa_next(ofa)) {
        if (is_kept(ofa))
            continue;
        keep(x, first, ofa);
        first = ofa_next(ofa);
    }
    keep(x, first, end);
}

static void keep_state(struct xlate *x)
{
    struct of_continuation *continuation = x->continuation;

    if (x->n_stack)
        buffer_put(&continuation->stack, x->stack, x->n_stack * sizeof x->stack[0]);
    for (size_t i = x->action_set_first; i < x->n_action_set; i++)
        buffer_put(&continuation->action_set, x->action_set[i], x->action_set[i]->n_bytes);
}

void xlate_finish_pause(struct xlate *x)
{
    const struct ofa_controller *action = x->pause;

    if (!action)
        return;
    xlate_detail(x, "the frame waits for the controller");
    keep_state(x);
    xlate_send_paused(x, action);
    xlate_forget_pause(x);
}

void xlate_forget_pause(struct xlate *x)
{
    of_continuation_unref(x->continuation);
    x->continuation = NULL;
    x->pause = NULL;
}

/* Going on */

static bool restore_stack(struct xlate *x, const struct of_continuation *continuation)
{
    size_t n = continuation->stack.size / sizeof x->stack[0];

    if (!n)
        return true;
    x->stack = malloc(XLATE_MAX_STACK * sizeof x->stack[0]);
    if (!x->stack || n > XLATE_MAX_STACK) {
        xlate_fail(x, DROP_NO_MEMORY);
        return false;
    }
    memcpy(x->stack, continuation->stack.data, continuation->stack.size);
    x->n_stack = n;
    return true;
}

static void go_on_with(struct xlate *x, const struct of_continuation_rest *rest)
{
    int next;

    x->rule = NULL;
    x->cookie = rest->cookie;
    x->table_id = rest->table_id;
    next = xlate_list(x, rest->list);
    if (next == LIST_ENDS || x->has_exited || !xlate_may_descend(x))
        return;
    xlate_walk(x, (uint8_t)next, xlate_in_port(x), MISS_TO_CONTROLLER);
    x->rule = NULL;
}

void xlate_go_on(struct xlate *x, const struct of_continuation *continuation)
{
    struct of_continuation_rest rest;
    size_t at = 0;

    if (!restore_stack(x, continuation))
        return;
    xlate_write_actions(x, of_continuation_action_set(continuation));
    while (!x->has_failed && !x->has_exited && of_continuation_next(continuation, &at, &rest))
        go_on_with(x, &rest);

    /* Stopped again: then the lists around that one are still to come. */
    while (x->pause && of_continuation_next(continuation, &at, &rest)) {
        if (!of_continuation_add(x->continuation, &rest))
            xlate_fail(x, DROP_TOO_MANY_ACTIONS);
    }
}
