/* SPDX-License-Identifier: Apache-2.0 */

/* All rules that match are collected, best first, until an ordinary one ends the list that matters.  What those of a
 * priority say is sorted by conjunction, so that a rule may belong to thousands of them. */

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
    size_t n_clauses; /* Looked at. */
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

/* Of all rules of one priority: which clause of which conjunction each says, as numbers that sort by conjunction. */
struct clauses {
    uint64_t *list; /* Owned. */
    size_t n, capacity;
};

enum { CLAUSE_BITS = 8, COUNT_BITS = 8 };

static uint64_t encode(const struct ofa_conjunction *conjunction)
{
    return (uint64_t)conjunction->id << (COUNT_BITS + CLAUSE_BITS) |
           (uint64_t)conjunction->n_clauses << CLAUSE_BITS | conjunction->clause;
}

static void add_clauses(struct clauses *clauses, const struct rule *rule, uint64_t version)
{
    for_each_action (ofa, rule_get_actions(rule, version)) {
        if (ofa->type != OFA_CONJUNCTION)
            continue;
        if (clauses->n == clauses->capacity) {
            clauses->capacity = clauses->capacity ? 2 * clauses->capacity : 32;
            clauses->list = realloc(clauses->list, clauses->capacity * sizeof clauses->list[0]);
            if (!clauses->list)
                abort();
        }
        clauses->list[clauses->n++] = encode((const struct ofa_conjunction *)(const void *)ofa);
    }
}

static int compare_numbers(const void *a_, const void *b_)
{
    const uint64_t a = *(const uint64_t *)a_, b = *(const uint64_t *)b_;

    return a < b ? -1 : a > b;
}

/* Do the clauses from 'i' on hold together?  Moves 'i' behind those of the same conjunction. */
static bool is_whole(const struct clauses *clauses, size_t *i)
{
    uint64_t conjunction = clauses->list[*i] >> CLAUSE_BITS, held = 0;
    unsigned int n_clauses = conjunction & ((1 << COUNT_BITS) - 1);

    for (; *i < clauses->n && clauses->list[*i] >> CLAUSE_BITS == conjunction; ++*i)
        held |= UINT64_C(1) << (clauses->list[*i] & ((1 << CLAUSE_BITS) - 1));
    return held == UINT64_MAX >> (64 - n_clauses);
}

/* The smallest id of which all clauses hold among 'n' rules of one priority. */
static bool find_whole(struct matches *matches, size_t first, size_t n, uint32_t *id)
{
    struct clauses clauses = {.n = 0};
    bool is_found = false;

    for (size_t i = 0; i < n && matches->n_clauses + clauses.n <= CONJUNCTION_MAX_CLAUSES; i++)
        add_clauses(&clauses, matches->rules[first + i], matches->version);
    matches->n_clauses += clauses.n;
    if (matches->n_clauses > CONJUNCTION_MAX_CLAUSES)
        clauses.n = 0;
    if (clauses.n)
        qsort(clauses.list, clauses.n, sizeof clauses.list[0], compare_numbers);
    for (size_t i = 0; i < clauses.n && !is_found;) {
        *id = (uint32_t)(clauses.list[i] >> (COUNT_BITS + CLAUSE_BITS));
        is_found = is_whole(&clauses, &i);
    }
    free(clauses.list);
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
        if (find_whole(matches, i, n_same, id))
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
                                const struct flow *flow, struct flow *consulted, size_t *n_clauses)
{
    struct matches matches = {.version = version};
    uint32_t id = 0;

    classifier_each_match(cls, version, flow, consulted, collect, &matches);
    if (matches.n && find_conjunction(&matches, &id))
        look_up_with_id(cls, flow, id, consulted, &matches);
    free(matches.rules);
    *n_clauses += matches.n_clauses;
    return matches.best_ordinary;
}
