/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/lessons.h"

#include <stdlib.h>
#include <string.h>

#include "vswitchd/flow_mod.h"

struct lesson_queue {
    struct handoff waiting; /* Of struct lesson, with a reference each. */
};

/* Lessons */

struct lesson *lesson_create(struct lesson_queue *queue)
{
    struct lesson *lesson = calloc(1, sizeof *lesson);

    if (!lesson)
        abort();
    atomic_init(&lesson->n_references, 1);
    lesson->queue = queue;
    of_flow_mod_init(&lesson->flow);
    return lesson;
}

void lesson_ref(struct lesson *lesson)
{
    atomic_fetch_add_explicit(&lesson->n_references, 1, memory_order_relaxed);
}

void lesson_unref(struct lesson *lesson)
{
    /* The last one sees what all others have done. */
    if (atomic_fetch_sub_explicit(&lesson->n_references, 1, memory_order_acq_rel) != 1)
        return;
    rule_unref(lesson->rule);
    of_flow_mod_fini(&lesson->flow);
    free(lesson);
}

static void wait_in_queue(struct lesson *lesson)
{
    struct lesson_queue *queue = lesson->queue;

    if (!queue || atomic_exchange_explicit(&lesson->is_waiting, true, memory_order_acq_rel))
        return;
    lesson_ref(lesson);
    if (handoff_push(&queue->waiting, &lesson->item))
        return;
    atomic_store_explicit(&lesson->is_waiting, false, memory_order_release);
    lesson_unref(lesson); /* Not the last: the caller has one. */
}

void lesson_teach(struct lesson *lesson)
{
    lesson->is_new = true;
    wait_in_queue(lesson);
}

void lesson_repeat(struct lesson *lesson, int64_t used_ns)
{
    atomic_store_explicit(&lesson->repeated_ns, used_ns, memory_order_relaxed);
    wait_in_queue(lesson);
}

/* Queues */

struct lesson_queue *lesson_queue_create(void (*wake)(void *aux), void *aux)
{
    struct lesson_queue *queue = malloc(sizeof *queue);

    if (!queue)
        abort();
    handoff_init(&queue->waiting, LESSONS_MAX_WAITING, wake, aux);
    return queue;
}

static struct lesson *take_all(struct lesson_queue *queue)
{
    return (struct lesson *)(void *)handoff_take_all(&queue->waiting); /* 'item' stands first. */
}

/* The lesson after; gives up the queue's reference. */
static struct lesson *drop(struct lesson *lesson)
{
    struct lesson *next = (struct lesson *)(void *)lesson->item.next;

    lesson->is_new = false;
    atomic_store_explicit(&lesson->is_waiting, false, memory_order_release);
    lesson_unref(lesson);
    return next;
}

void lesson_queue_destroy(struct lesson_queue *queue)
{
    if (!queue)
        return;
    for (struct lesson *lesson = take_all(queue); lesson;)
        lesson = drop(lesson);
    handoff_fini(&queue->waiting);
    free(queue);
}

/* What they say */

static bool says_the_same(const struct rule *rule, const struct of_flow_mod *flow)
{
    struct ofa_list now = rule_current_actions(rule), taught = of_flow_mod_actions(flow);

    return rule->cookie.raw == flow->new_cookie.raw && rule->flags == flow->flags &&
           rule->idle_timeout_s == flow->idle_timeout_s &&
           rule->hard_timeout_s == flow->hard_timeout_s && now.n_bytes == taught.n_bytes &&
           (!now.n_bytes || !memcmp(now.first, taught.first, now.n_bytes));
}

static bool count_rule(struct rule *rule, void *n_left)
{
    (void)rule;
    return --*(uint32_t *)n_left > 0;
}

static bool has_room(struct flow_tables *tables, const struct lesson *lesson)
{
    const struct rule_filter filter = {
        .table_id = lesson->flow.table_id,
        .cookie = lesson->flow.new_cookie,
        .cookie_mask = be64_from(UINT64_MAX),
        .out_port = OFPP_NONE,
        .out_group = OF_GROUP_ANY,
    };
    uint32_t n_left = lesson->limit;

    if (n_left)
        flow_tables_each(tables, &filter, count_rule, &n_left);
    return !lesson->limit || n_left;
}

/* 'rule' says something else, or is NULL: is that newer than what was last said of the lesson? */
static bool is_outdated(const struct flow_tables *tables, const struct lesson *lesson,
                        const struct rule *rule)
{
    int64_t repeated_ns = atomic_load_explicit(&lesson->repeated_ns, memory_order_relaxed);

    return !lesson->is_new &&
           repeated_ns <= (rule ? rule->modified_ns : flow_tables_deleted_ns(tables));
}

/* False: there is no room for it. */
static bool learn(struct flow_tables *tables, const struct lesson *lesson, int64_t now_ns)
{
    const struct of_flow_mod *flow = &lesson->flow;
    struct rule *rule = flow_tables_find(tables, flow->table_id, &flow->match, flow->priority);

    if (rule && says_the_same(rule, flow)) {
        rule->modified_ns = now_ns;
        return true;
    }
    if (is_outdated(tables, lesson, rule))
        return true;
    return (rule || has_room(tables, lesson)) && !flow_mod_apply(tables, flow, now_ns);
}

void lessons_apply(struct lesson_queue *queue, struct flow_tables *tables, int64_t now_ns)
{
    for (struct lesson *lesson = take_all(queue); lesson; lesson = drop(lesson)) {
        if (lesson->rule)
            flow_tables_shorten_timeouts(tables, lesson->rule, lesson->idle_s, lesson->hard_s);
        else if (!learn(tables, lesson, now_ns))
            handoff_count_lost(&queue->waiting);
    }
    flow_tables_publish(tables);
}

uint64_t lessons_n_lost(const struct lesson_queue *queue)
{
    return handoff_n_lost(&queue->waiting);
}
