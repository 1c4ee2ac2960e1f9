/* SPDX-License-Identifier: Apache-2.0 */

/* What differs on the first pass is suspect, and looked at again after a grace period: a thread that had
 * changed tables has by then made out of date what depends on them. */

#include "datapath/verify.h"

#include <stdlib.h>

#include "datapath/internal.h"
#include "datapath/kcache_key.h"
#include "datapath/process.h"
#include "lib/clock.h"

/* A cached flow, with all that is needed when it may be gone. */
struct candidate {
    struct kcache_entry_info entry; /* Of a megaflow just 'key' and 'flow'. */
    struct flow_key mask;           /* The megaflow's. */
    bool is_in_kernel;
};

struct verification {
    struct datapath *dp;
    struct dp_verification result;
    struct verdict verdict;
    unsigned short random[3];
    double n_wanted, n_left;    /* Flows to draw, from those that are still to come. */
    struct candidate *suspects; /* Owned; each with a reference on its flow. */
    size_t n_suspects, capacity;
};

static bool has_actions(const struct megaflow *flow, const struct dp_actions *actions)
{
    if (flow->n_actions != actions->n)
        return false;
    for (uint32_t i = 0; i < actions->n; i++)
        if (!dp_action_is_equal(&flow->actions[i], &actions->list[i]))
            return false;
    return true;
}

/* NULL: nothing differs. */
static const char *find_difference(const struct candidate *candidate, const struct verdict *verdict)
{
    if (!has_actions(candidate->entry.flow, &verdict->actions))
        return "other actions";
    if (!verdict->cacheable)
        return "may not be cached";
    if (candidate->is_in_kernel && !candidate->entry.is_faithful)
        return "the kernel's copy is another";
    return NULL;
}

enum outcome { IS_STALE, IS_SAME, IS_DIFFERENT };

static enum outcome compare(struct verification *v, const struct candidate *candidate,
                            const char **what)
{
    struct datapath *dp = v->dp;
    const struct megaflow *flow = candidate->entry.flow;

    if (!process_is_valid(dp, flow))
        return IS_STALE;
    process_translate(dp, &candidate->entry.key, NULL, clock_now_ns(), &v->verdict);
    if (v->verdict.context && dp->ops->release)
        dp->ops->release(dp->aux, v->verdict.context); /* Nobody has seen it. */
    *what = find_difference(candidate, &v->verdict);
    if (!*what)
        return IS_SAME;
    return process_is_valid(dp, flow) ? IS_DIFFERENT : IS_STALE;
}

static void count(struct verification *v, const struct candidate *candidate, enum outcome outcome)
{
    if (outcome == IS_STALE)
        v->result.n_stale++;
    else if (candidate->is_in_kernel)
        v->result.n_kernel_flows++;
    else
        v->result.n_megaflows++;
}

static void suspect(struct verification *v, const struct candidate *candidate)
{
    if (v->n_suspects == v->capacity) {
        v->capacity = v->capacity ? 2 * v->capacity : 16;
        v->suspects = realloc(v->suspects, v->capacity * sizeof v->suspects[0]);
        if (!v->suspects)
            abort();
    }
    megaflow_get(candidate->entry.flow);
    v->suspects[v->n_suspects++] = *candidate;
}

/* 'candidate' but for its mask.  Nothing is freed meanwhile. */
static void examine(struct verification *v, struct candidate *candidate)
{
    enum outcome outcome = IS_STALE;
    const char *what;

    /* The mask of one that has been given up may be gone. */
    if (!candidate->entry.is_stale && megaflow_is_live(candidate->entry.flow)) {
        candidate->mask = *megaflow_mask(candidate->entry.flow);
        outcome = compare(v, candidate, &what);
    }
    if (outcome == IS_DIFFERENT)
        suspect(v, candidate);
    else
        count(v, candidate, outcome);
}

/* --- What is cached ------------------------------------------------------------------------- */

static void begin_drawing(struct verification *v, uint32_t n_wanted, uint32_t n_flows)
{
    v->n_wanted = n_wanted;
    v->n_left = n_flows;
}

/* Each of those left has the same chance, and as many as are wanted are drawn. */
static bool is_drawn(struct verification *v)
{
    bool is_drawn = v->n_wanted > 0 && erand48(v->random) * v->n_left < v->n_wanted;

    v->n_left--;
    v->n_wanted -= is_drawn;
    return is_drawn;
}

static void examine_megaflows(struct verification *v, uint32_t max_flows)
{
    struct datapath *dp = v->dp;
    struct megaflow *flows[BATCH_FRAMES];
    uint32_t index = UINT32_MAX, n;

    begin_drawing(v, max_flows, megaflow_n_flows(dp->megaflows));
    do {
        graveyard_hold(&dp->graveyard);
        n = megaflow_list(dp->megaflows, &index, flows, BATCH_FRAMES);
        for (uint32_t i = 0; i < n; i++)
            if (is_drawn(v))
                examine(v, &(struct candidate){.entry = {.flow = flows[i], .key = flows[i]->key}});
        graveyard_release(&dp->graveyard);
    } while (n);
}

/* Of TTL and TCP flags the entry tells nothing: its program checks that they are what the megaflow looked at. */
static void add_checked_fields(struct candidate *candidate)
{
    const struct megaflow *flow = candidate->entry.flow;
    const struct flow_key *mask = megaflow_mask(flow);

    candidate->entry.key.nw_ttl = flow->key.nw_ttl & mask->nw_ttl;
    candidate->entry.key.tcp_flags.raw = flow->key.tcp_flags.raw & mask->tcp_flags.raw;
}

static void examine_kernel_flows(struct verification *v, uint32_t max_flows)
{
    struct datapath *dp = v->dp;
    struct kcache_entry_info entries[BATCH_FRAMES];
    struct kcache_cursor cursor = {0};
    struct kcache_stats stats;
    uint32_t n;

    if (!datapath_get_kernel_stats(dp, &stats))
        return;
    begin_drawing(v, max_flows, stats.n_entries + stats.n_entries6);
    do {
        graveyard_hold(&dp->graveyard);
        n = kcache_list(datapath_kcache(dp), &cursor, entries, BATCH_FRAMES);
        for (uint32_t i = 0; i < n; i++) {
            struct candidate candidate = {.entry = entries[i], .is_in_kernel = true};

            if (!is_drawn(v))
                continue;
            if (megaflow_is_live(entries[i].flow))
                add_checked_fields(&candidate);
            examine(v, &candidate);
        }
        graveyard_release(&dp->graveyard);
    } while (n);
}

/* --- Suspects ------------------------------------------------------------------------------- */

static void describe(const struct candidate *candidate, struct flow_key *mask,
                     struct dp_flow_info *info)
{
    const struct megaflow *flow = candidate->entry.flow;

    *mask = candidate->mask;
    if (candidate->is_in_kernel)
        kc_shown_bits(kc_flow_kind(&candidate->entry.key), mask);
    *info = (struct dp_flow_info){
        .key = &candidate->entry.key,
        .mask = mask,
        .actions = flow->actions,
        .n_actions = flow->n_actions,
        .is_in_kernel = candidate->is_in_kernel,
    };
}

static void judge(struct verification *v, const struct candidate *candidate,
                  void (*each)(const struct dp_difference *, void *arg), void *arg)
{
    struct dp_flow_info info;
    struct dp_difference difference = {.flow = &info, .actions = &v->verdict.actions};
    struct flow_key mask;
    enum outcome outcome = compare(v, candidate, &difference.what);

    count(v, candidate, outcome);
    if (outcome != IS_DIFFERENT)
        return;
    v->result.n_differences++;
    describe(candidate, &mask, &info);
    each(&difference, arg);
}

struct dp_verification datapath_verify(struct datapath *dp, uint32_t max_flows,
                                       void (*each)(const struct dp_difference *, void *arg),
                                       void *arg)
{
    struct verification *v = calloc(1, sizeof *v);
    uint64_t seed = (uint64_t)clock_now_ns();
    struct dp_verification result;

    if (!v)
        abort();
    v->dp = dp;
    memcpy(v->random, &seed, sizeof v->random);
    examine_megaflows(v, max_flows);
    examine_kernel_flows(v, max_flows);
    if (v->n_suspects)
        datapath_synchronize(dp);
    for (size_t i = 0; i < v->n_suspects; i++) {
        judge(v, &v->suspects[i], each, arg);
        megaflow_put(v->suspects[i].entry.flow);
    }
    result = v->result;
    free(v->suspects);
    free(v);
    return result;
}
