/* SPDX-License-Identifier: Apache-2.0 */

/* Two allocations a rule: itself, with the flow it matches, and its actions. */

#include "vswitchd/flow_table_rule.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/rcu.h"
#include "vswitchd/flow_table_groups.h"
#include "vswitchd/flow_table_learned.h"

struct rule_actions *rule_actions_create(struct ofa_list list)
{
    struct rule_actions *actions = malloc(sizeof *actions + list.n_bytes);

    if (!actions)
        abort();
    actions->since = 0;
    atomic_init(&actions->older, NULL);
    actions->n_bytes = (uint32_t)list.n_bytes;
    if (list.n_bytes)
        memcpy(actions->bytes, list.first, list.n_bytes);
    return actions;
}

struct rule *rule_create(uint8_t table_id, const struct of_flow_mod *flow, int64_t now_ns)
{
    struct rule *rule = malloc(sizeof *rule + cls_rule_words_bytes(&flow->match));

    if (!rule)
        abort();
    memset(rule, 0, sizeof *rule);
    cls_rule_init(&rule->cls, &flow->match, flow->priority);
    rule->cookie = flow->new_cookie;
    rule->actions = rule_actions_create(of_flow_mod_actions(flow));
    rule->table_id = table_id;
    rule->flags = flow->flags | (uint16_t)(flow->always_resets ? OFFF_RESET_COUNTS : 0);
    rule->idle_timeout_s = flow->idle_timeout_s;
    rule->hard_timeout_s = flow->hard_timeout_s;
    rule->is_teacher = learned_names_has(of_flow_mod_actions(flow));
    rule->names_group = named_groups_has(of_flow_mod_actions(flow));
    rule->importance = flow->importance;
    rule->created_ns = rule->modified_ns = now_ns;
    atomic_init(&rule->used_ns, now_ns);
    atomic_init(&rule->n_references, 1);
    return rule;
}

void rule_destroy(struct rule *rule)
{
    cls_rule_fini(&rule->cls);
    free(atomic_load_explicit(&rule->actions, memory_order_relaxed));
    free(rule);
}

static void free_rule(struct rcu_head *rcu)
{
    rcu_begin_callback();
    rule_destroy(CONTAINER_OF(rcu, struct rule, cls.rcu));
}

void rule_ref(struct rule *rule)
{
    atomic_fetch_add_explicit(&rule->n_references, 1, memory_order_relaxed);
}

bool rule_drop(struct rule *rule)
{
    /* The last one out sees what the others did: release each, acquire all. */
    return atomic_fetch_sub_explicit(&rule->n_references, 1, memory_order_acq_rel) == 1;
}

void rule_unref(struct rule *rule)
{
    if (rule && rule_drop(rule)) {
        rcu_order_before_writers();
        call_rcu(&rule->cls.rcu, free_rule);
    }
}

void rule_credit(struct rule *rule, uint64_t n_packets, uint64_t n_bytes, int64_t used_ns)
{
    int64_t before_ns = atomic_load_explicit(&rule->used_ns, memory_order_relaxed);

    atomic_fetch_add_explicit(&rule->n_packets, n_packets, memory_order_relaxed);
    atomic_fetch_add_explicit(&rule->n_bytes, n_bytes, memory_order_relaxed);
    while (before_ns < used_ns &&
           !atomic_compare_exchange_weak_explicit(&rule->used_ns, &before_ns, used_ns,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}
