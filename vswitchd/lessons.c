/* SPDX-License-Identifier: Apache-2.0 */

#include "vswitchd/lessons.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mutex.h"
#include "vswitchd/flow_mod.h"

struct lesson_queue {
    void (*wake)(void *aux);
    void *aux;
    _Atomic(uint64_t) n_lost;
    struct mutex lock;
    struct lesson *first GUARDED_BY(lock);
    struct lesson **end GUARDED_BY(lock);
    unsigned int n GUARDED_BY(lock);
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

void lesson_teach(struct lesson *lesson)
{
    struct lesson_queue *queue = lesson->queue;

    if (!queue || atomic_exchange_explicit(&lesson->is_waiting, true, memory_order_acq_rel))
        return;
    mutex_lock(&queue->lock);
    bool is_full = queue->n >= LESSONS_MAX_WAITING;
    bool was_empty = !queue->n;
    if (!is_full) {
        lesson_ref(lesson);
        lesson->next = NULL;
        *queue->end = lesson;
        queue->end = &lesson->next;
        queue->n++;
    }
    mutex_unlock(&queue->lock);
    if (is_full) {
        atomic_store_explicit(&lesson->is_waiting, false, memory_order_release);
        atomic_fetch_add_explicit(&queue->n_lost, 1, memory_order_relaxed);
    } else if (was_empty) {
        queue->wake(queue->aux);
    }
}

/* Queues */

struct lesson_queue *lesson_queue_create(void (*wake)(void *aux), void *aux)
{
    struct lesson_queue *queue = calloc(1, sizeof *queue);

    if (!queue)
        abort();
    queue->wake = wake;
    queue->aux = aux;
    mutex_init(&queue->lock);
    mutex_lock(&queue->lock);
    queue->end = &queue->first;
    mutex_unlock(&queue->lock);
    return queue;
}

static struct lesson *take_all(struct lesson_queue *queue)
{
    mutex_lock(&queue->lock);
    struct lesson *first = queue->first;
    queue->first = NULL;
    queue->end = &queue->first;
    queue->n = 0;
    mutex_unlock(&queue->lock);
    return first;
}

/* The lesson after; gives up the queue's reference. */
static struct lesson *drop(struct lesson *lesson)
{
    struct lesson *next = lesson->next;

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
    mutex_fini(&queue->lock);
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

/* False: there is no room for it. */
static bool learn(struct flow_tables *tables, const struct lesson *lesson, int64_t now_ns)
{
    const struct of_flow_mod *flow = &lesson->flow;
    struct rule *rule = flow_tables_find(tables, flow->table_id, &flow->match, flow->priority);

    if (rule && says_the_same(rule, flow)) {
        rule->modified_ns = now_ns;
        return true;
    }
    return (rule || has_room(tables, lesson)) && !flow_mod_apply(tables, flow, now_ns);
}

void lessons_apply(struct lesson_queue *queue, struct flow_tables *tables, int64_t now_ns)
{
    for (struct lesson *lesson = take_all(queue); lesson; lesson = drop(lesson)) {
        if (lesson->rule)
            flow_tables_shorten_timeouts(tables, lesson->rule, lesson->idle_s, lesson->hard_s);
        else if (!learn(tables, lesson, now_ns))
            atomic_fetch_add_explicit(&queue->n_lost, 1, memory_order_relaxed);
    }
    flow_tables_publish(tables);
}

uint64_t lessons_n_lost(const struct lesson_queue *queue)
{
    return atomic_load_explicit(&queue->n_lost, memory_order_relaxed);
}
