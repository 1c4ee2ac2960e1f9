/* SPDX-License-Identifier: Apache-2.0 */

/* The thread is an RCU reader: entries it has listed stay until it is quiescent, between chunks. */

#include "datapath/maintenance.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "datapath/internal.h"
#include "datapath/port/port.h"
#include "datapath/process.h"
#include "lib/clock.h"
#include "lib/rcu.h"

enum { CHUNK_FLOWS = 64, MANY_GRAVES = 4096, MANY_FLOWS = 4096 };
#define ROUND_NS      (500 * MILLISECOND_NS)
#define LATE_NS       (10 * MILLISECOND_NS)
#define REWALK_MAX_NS (50 * MILLISECOND_NS) /* Of each round: a tenth of a core. */

struct maintenance {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping;         /* Under 'lock'. */
    _Atomic bool is_sleeping; /* With nothing to do. */
    _Atomic bool is_urgent;   /* Many graves: do not wait for the round to end. */
    _Atomic bool is_late;     /* Something is out of date since the last round began. */
    uint32_t most_flows;      /* The thread's: since memory was last given back. */
};

/* One pass over the table. */
struct round {
    struct datapath *dp;
    int64_t now_ns;
    int64_t rewalk_ns; /* Spent so far. */
    uint32_t index;
    struct verdict verdict;
};

static void drop_flow(struct datapath *dp, struct megaflow *flow)
{
    if (megaflow_unlink(dp->megaflows, flow))
        process_bury(dp, flow);
}

static void rewalk(struct round *round, struct megaflow *old)
{
    struct datapath *dp = round->dp;
    struct verdict *verdict = &round->verdict;

    verdict->last = old->context;
    uint64_t born = process_translate(dp, &old->key, NULL, round->now_ns, verdict);
    struct megaflow *flow = megaflow_create(&old->key, verdict, born, round->now_ns);

    if (flow && verdict->cacheable && flow_mask_is_within(&verdict->mask, megaflow_mask(old))) {
        atomic_init(&flow->used_ns, atomic_load_explicit(&old->used_ns, memory_order_relaxed));
        flow->created_ns = old->created_ns;
        if (megaflow_replace(dp->megaflows, old, flow)) {
            process_succeed(dp, old, flow);
            process_bury(dp, old);
            return;
        }
    }
    if (flow)
        process_bury(dp, flow); /* With its context. */
    else if (verdict->context && dp->ops->release)
        dp->ops->release(dp->aux, verdict->context); /* Nobody has seen it. */
    drop_flow(dp, old);
}

static void maintain_flow(struct round *round, struct megaflow *flow)
{
    struct datapath *dp = round->dp;

    if (!megaflow_is_live(flow))
        return;
    process_credit(dp, flow);
    if (round->now_ns - megaflow_last_used(flow) >
        atomic_load_explicit(&dp->max_idle_ns, memory_order_relaxed)) {
        drop_flow(dp, flow);
        return;
    }
    if (!process_is_valid(dp, flow) && round->rewalk_ns < REWALK_MAX_NS) {
        int64_t from_ns = clock_now_ns();

        rewalk(round, flow);
        round->rewalk_ns += clock_now_ns() - from_ns;
    }
}

/* False: the round is over. */
static bool maintain_chunk(struct round *round)
{
    struct megaflow *flows[CHUNK_FLOWS];
    uint32_t n = megaflow_list(round->dp->megaflows, &round->index, flows, CHUNK_FLOWS);

    for (uint32_t i = 0; i < n; i++)
        maintain_flow(round, flows[i]);
    return n > 0;
}

/* After the limit was lowered.  False: there is none left. */
static bool drop_surplus(struct datapath *dp)
{
    struct megaflow *flow = NULL;

    for (int i = 0; i < CHUNK_FLOWS && (flow = megaflow_surplus(dp->megaflows)); i++)
        drop_flow(dp, flow);
    return flow;
}

bool datapath_maintain(struct datapath *dp, int64_t now_ns)
{
    struct round *round = calloc(1, sizeof *round);

    if (!round)
        return true;
    *round = (struct round){.dp = dp, .now_ns = now_ns, .index = UINT32_MAX};
    while (maintain_chunk(round))
        continue;
    while (drop_surplus(dp))
        continue;
    free(round);
    megaflow_sort_masks(dp->megaflows);
    graveyard_clear(&dp->graveyard);
    return megaflow_n_flows(dp->megaflows) > 0;
}

void maintenance_flush(struct datapath *dp)
{
    struct megaflow *flows[CHUNK_FLOWS];
    uint32_t index = UINT32_MAX, n;

    do {
        graveyard_hold(&dp->graveyard);
        n = megaflow_list(dp->megaflows, &index, flows, CHUNK_FLOWS);
        for (uint32_t i = 0; i < n; i++)
            drop_flow(dp, flows[i]);
        graveyard_release(&dp->graveyard);
    } while (n);
}

/* The thread */

/* First, so that flows the kernel treats do not look idle. */
static void sweep_kcache(struct datapath *dp, int64_t now_ns)
{
    struct kcache *cache = datapath_kcache(dp);
    int64_t max_idle_ns = atomic_load_explicit(&dp->max_idle_ns, memory_order_relaxed);

    if (!cache)
        return;
    bool has_retired = kcache_sweep(cache, now_ns, max_idle_ns);
    rcu_reader_pause();
    if (has_retired)
        kcache_wait_for_programs();
    port_refresh_peers(dp);
    rcu_reader_resume();
    if (has_retired)
        kcache_reuse(cache);
}

static void run_round(struct datapath *dp, struct round *round)
{
    round->dp = dp;
    round->now_ns = clock_now_ns();
    sweep_kcache(dp, round->now_ns);
    port_refresh_xdp(dp);
    round->index = UINT32_MAX;
    round->rewalk_ns = 0;
    while (maintain_chunk(round))
        rcu_pass_quiescent_state();
    while (drop_surplus(dp))
        rcu_pass_quiescent_state();
    megaflow_sort_masks(dp->megaflows);
}

/* What many flows have left.  By itself malloc() keeps all that lies below anything that is in use. */
static void give_memory_back(struct datapath *dp)
{
    uint32_t *most_flows = &dp->maintenance->most_flows, n_flows = megaflow_n_flows(dp->megaflows);

    if (*most_flows < n_flows)
        *most_flows = n_flows;
    if (*most_flows < MANY_FLOWS || n_flows > *most_flows / 2 || graveyard_n(&dp->graveyard) > 0)
        return;
    rcu_reader_pause();
    malloc_trim(0);
    rcu_reader_resume();
    *most_flows = n_flows;
}

static bool has_work(struct datapath *dp)
{
    return megaflow_n_flows(dp->megaflows) > 0 || graveyard_n(&dp->graveyard) > 0 ||
           (datapath_kcache(dp) && kcache_has_work(datapath_kcache(dp)));
}

static struct timespec to_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

/* When the next round begins: at 'latest', or not before 'soonest' if something is out of date. */
struct schedule {
    int64_t soonest_ns, latest_ns;
};

static int64_t due_ns(struct maintenance *maintenance, const struct schedule *schedule)
{
    return atomic_load(&maintenance->is_late) ? schedule->soonest_ns : schedule->latest_ns;
}

static void wait_until(struct maintenance *maintenance, int64_t until_ns)
{
    struct timespec until = to_timespec(until_ns);

    pthread_cond_timedwait(&maintenance->wake, &maintenance->lock, &until);
}

/* True: go on, and '*is_round_due' tells whether with a round or just with freeing. */
static bool sleep_until_due(struct datapath *dp, const struct schedule *schedule,
                            bool *is_round_due)
{
    struct maintenance *maintenance = dp->maintenance;

    rcu_reader_pause();
    pthread_mutex_lock(&maintenance->lock);
    /* Sequentially consistent: either we see the work, or whoever makes it sees that we sleep. */
    atomic_store(&maintenance->is_sleeping, true);
    while (!maintenance->is_stopping && !has_work(dp))
        pthread_cond_wait(&maintenance->wake, &maintenance->lock);
    atomic_store(&maintenance->is_sleeping, false);
    while (!maintenance->is_stopping && !atomic_load(&maintenance->is_urgent) &&
           clock_now_ns() < due_ns(maintenance, schedule))
        wait_until(maintenance, due_ns(maintenance, schedule));
    atomic_store(&maintenance->is_urgent, false);
    bool go_on = !maintenance->is_stopping;
    pthread_mutex_unlock(&maintenance->lock);
    rcu_reader_resume();
    *is_round_due = clock_now_ns() >= due_ns(maintenance, schedule);
    return go_on;
}

static void *maintenance_main(void *arg)
{
    struct datapath *dp = arg;
    struct round *round = calloc(1, sizeof *round);
    struct schedule schedule = {.latest_ns = clock_now_ns() + ROUND_NS};
    bool is_round_due;

    rcu_reader_register();
    while (sleep_until_due(dp, &schedule, &is_round_due)) {
        int64_t from_ns = clock_now_ns();

        if (is_round_due && round) {
            atomic_store(&dp->maintenance->is_late, false);
            run_round(dp, round);
        }
        graveyard_clear(&dp->graveyard); /* Entries of what was walked again become valid here. */
        give_memory_back(dp);
        if (is_round_due && round) {
            int64_t now_ns = clock_now_ns();

            schedule.latest_ns = now_ns + ROUND_NS;
            schedule.soonest_ns = now_ns + LATE_NS + 9 * (now_ns - from_ns);
            if (schedule.soonest_ns > schedule.latest_ns)
                schedule.soonest_ns = schedule.latest_ns;
        }
    }
    rcu_reader_unregister();
    free(round);
    return NULL;
}

int maintenance_start(struct datapath *dp, struct error *error)
{
    struct maintenance *maintenance = calloc(1, sizeof *maintenance);
    pthread_condattr_t attributes;

    if (!maintenance)
        return error_set(error, -ENOMEM, "cannot start maintenance: out of memory");
    pthread_mutex_init(&maintenance->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&maintenance->wake, &attributes);
    pthread_condattr_destroy(&attributes);

    dp->maintenance = maintenance;
    int code = -pthread_create(&maintenance->thread, NULL, maintenance_main, dp);
    if (code) {
        dp->maintenance = NULL;
        pthread_cond_destroy(&maintenance->wake);
        pthread_mutex_destroy(&maintenance->lock);
        free(maintenance);
        return error_set_errno(error, code, "cannot start the maintenance thread");
    }
    return 0;
}

static void wake(struct maintenance *maintenance)
{
    pthread_mutex_lock(&maintenance->lock);
    pthread_cond_signal(&maintenance->wake);
    pthread_mutex_unlock(&maintenance->lock);
}

void maintenance_stop(struct datapath *dp)
{
    struct maintenance *maintenance = dp->maintenance;

    if (!maintenance)
        return;
    pthread_mutex_lock(&maintenance->lock);
    maintenance->is_stopping = true;
    pthread_mutex_unlock(&maintenance->lock);
    wake(maintenance);
    rcu_join_thread(maintenance->thread);
    pthread_cond_destroy(&maintenance->wake);
    pthread_mutex_destroy(&maintenance->lock);
    free(maintenance);
    dp->maintenance = NULL;
}

void maintenance_hurry(struct datapath *dp)
{
    if (dp->maintenance && !atomic_exchange(&dp->maintenance->is_late, true))
        wake(dp->maintenance);
}

void maintenance_notice(struct datapath *dp)
{
    struct maintenance *maintenance = dp->maintenance;

    if (!maintenance)
        return;
    atomic_thread_fence(memory_order_seq_cst); /* Pairs with is_sleeping in sleep_until_due(). */
    if (graveyard_n(&dp->graveyard) >= MANY_GRAVES &&
        !atomic_exchange(&maintenance->is_urgent, true))
        wake(maintenance);
    else if (atomic_load(&maintenance->is_sleeping))
        wake(maintenance);
}
