/* SPDX-License-Identifier: Apache-2.0 */

/* All rules that match are collected, best first, until an ordinary one ends the list that matters.  Clauses
 * are sets of 64 bits, kept for each conjunction of the priority at hand. */

#include "vswitchd/conjunction.h"

#include <stdlib.h>

#include "lib/annotations.h"

bool rule_is_conjunctive(const struct rule *rule, uint64_t version)
{
    for_each_action (ofa, rule_get_actions(rule, version)) {
        if (ofa->type != OFA_NOTE)
            return ofa->type == OFA_CONJUNCTION;
    }
    return false;
}

struct matches {
    uint64_t version;
    const struct rule **rules; /* Owned. */
    size_t n, capacity;
    struct rule *best_ordinary;
};

static void collect(struct cls_rule *cls, void *matches_)
{
    struct rule *rule = CONTAINER_OF(cls, struct rule, cls);
    struct matches *matches = matches_;

    if (!rule_is_conjunctive(rule, matches->version)) {
        if (!matches->best_ordinary || matches->best_ordinary->cls.priority < rule->cls.priority)
            matches->best_ordinary = rule;
        return;
    }
    if (matches->n == matches->capacity) {
        matches->capacity = matches->capacity ? 2 * matches->capacity : 32;
        matches->rules = realloc(matches->rules, matches->capacity * sizeof matches->rules[0]);
        if (!matches->rules)
            abort();
    }
    matches->rules[matches->n++] = rule;
}

static int compare_priorities(const void *a_, const void *b_)
{
    const struct rule *a = *(const struct rule *const *)a_, *b = *(const struct rule *const *)b_;

    return a->cls.priority < b->cls.priority ? 1 : -(a->cls.priority > b->cls.priority);
}

/* The clauses of one conjunction that hold. */
struct held {
    uint32_t id;
    uint64_t clauses;
    uint8_t n_clauses;
};

struct held_list {
    struct held *list; /* Owned. */
    size_t n, capacity;
};

static struct held *find_held(struct held_list *held, const struct ofa_conjunction *conjunction)
{
    for (size_t i = 0; i < held->n; i++) {
        if (held->list[i].id == conjunction->id)
            return &held->list[i];
    }
    if (held->n == held->capacity) {
        held->capacity = held->capacity ? 2 * held->capacity : 16;
        held->list = realloc(held->list, held->capacity * sizeof held->list[0]);
        if (!held->list)
            abort();
    }
    held->list[held->n] = (struct held){.id = conjunction->id};
    return &held->list[held->n++];
}

static void hold(struct held_list *held, const struct rule *rule, uint64_t version)
{
    for_each_action (ofa, rule_get_actions(rule, version)) {
        const struct ofa_conjunction *conjunction = (const void *)ofa;

        if (ofa->type != OFA_CONJUNCTION)
            continue;
        struct held *one = find_held(held, conjunction);
        if (one->n_clauses != conjunction->n_clauses) {
            one->n_clauses = conjunction->n_clauses;
            one->clauses = 0;
        }
        one->clauses |= UINT64_C(1) << conjunction->clause;
    }
}

static bool is_whole(const struct held *held)
{
    return held->clauses == UINT64_MAX >> (64 - held->n_clauses);
}

/* The smallest id of which all clauses hold among 'n' rules of one priority. */
static bool find_whole(const struct rule *const *rules, size_t n, uint64_t version, uint32_t *id)
{
    struct held_list held = {.n = 0};
    bool is_found = false;

    for (size_t i = 0; i < n; i++)
        hold(&held, rules[i], version);
    for (size_t i = 0; i < held.n; i++) {
        if (is_whole(&held.list[i]) && (!is_found || held.list[i].id < *id)) {
            *id = held.list[i].id;
            is_found = true;
        }
    }
    free(held.list);
    return is_found;
}

/* The conjunction of the highest priority that holds, above that of the best ordinary rule. */
static bool find_conjunction(struct matches *matches, uint32_t *id)
{
    uint32_t floor = matches->best_ordinary ? matches->best_ordinary->cls.priority : 0;
    size_t n_same;

    qsort(matches->rules, matches->n, sizeof matches->rules[0], compare_priorities);
    for (size_t i = 0; i < matches->n; i += n_same) {
        uint32_t priority = matches->rules[i]->cls.priority;

        if (matches->best_ordinary && priority <= floor)
            return false;
        for (n_same = 1; i + n_same < matches->n; n_same++) {
            if (matches->rules[i + n_same]->cls.priority != priority)
                break;
        }
        if (find_whole(matches->rules + i, n_same, matches->version, id))
            return true;
    }
    return false;
}

/* Apart, as a copy of the flow is large and conjunctions are few. */
static __attribute__((noinline)) void look_up_with_id(const struct classifier *cls,
                                                      const struct flow *flow, uint32_t id,
                                                      struct flow *consulted,
                                                      struct matches *matches)
{
    struct flow with_id = *flow;

    with_id.conj_id = be32_from(id);
    matches->best_ordinary = NULL;
    matches->n = 0;
    classifier_each_match(cls, matches->version, &with_id, consulted, collect, matches);
}

struct rule *conjunction_lookup(const struct classifier *cls, uint64_t version,
                                const struct flow *flow, struct flow *consulted)
{
    struct matches matches = {.version = version};
    uint32_t id = 0;

    classifier_each_match(cls, version, flow, consulted, collect, &matches);
    if (matches.n && find_conjunction(&matches, &id))
        look_up_with_id(cls, flow, id, consulted, &matches);
    free(matches.rules);
    return matches.best_ordinary;
}
