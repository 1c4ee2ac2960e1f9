/* SPDX-License-Identifier: Apache-2.0 */

/* First all frames of the batch are parsed and hashed, while the cache lines they will need are
 * fetched; then each in turn is looked up, and translated if need be, and executed.  As each new flow is
 * cached before the next frame is looked at, a flow is translated once however many frames of it are in
 * the batch. */

#include "datapath/process.h"

#include <stdlib.h>

#include "datapath/execute.h"
#include "datapath/maintenance.h"
#include "datapath/offload.h"
#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/hash.h"

enum { ETH_HEADER_BYTES = 14, BURST_MISSES = 8, CROWD_SHARE = 8 };
#define BURST_NS          (100 * MILLISECOND_NS)
#define OFFERS_MAX_AGE_NS (2 * MILLISECOND_NS)

/* Verdicts and generations */

bool process_is_valid(struct datapath *dp, const struct megaflow *flow)
{
    uint64_t newest = atomic_load_explicit(&dp->slot_generation[DP_SLOT_ALL], memory_order_acquire);

    for (unsigned int i = 0; i < flow->n_slots; i++) {
        uint64_t generation = atomic_load_explicit(&dp->slot_generation[flow->slots[i]],
                                                   memory_order_acquire);
        if (generation > newest)
            newest = generation;
    }
    return newest <= flow->born;
}

uint64_t process_translate(struct datapath *dp, const struct flow_key *key,
                           const struct packet *packet, int64_t now_ns, struct verdict *verdict)
{
    uint64_t born = datapath_generation(dp);

    verdict->actions.n = 0;
    memset(&verdict->mask, 0, sizeof verdict->mask);
    memset(verdict->slots, 0, sizeof verdict->slots);
    verdict->n_slots = 0;
    verdict->cacheable = true;
    verdict->context = NULL;
    dp->ops->translate(dp->aux, key, packet, now_ns, verdict);
    return born;
}

/* Statistics */

/* How far 'total' is ahead of 'credited', which catches up.  Two callers never get the same part. */
static uint64_t take_delta(_Atomic uint64_t *total, _Atomic uint64_t *credited)
{
    uint64_t from = atomic_load_explicit(credited, memory_order_relaxed), to;

    do {
        to = atomic_load_explicit(total, memory_order_relaxed);
        if (to <= from)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(credited, &from, to, memory_order_relaxed,
                                                    memory_order_relaxed));
    return to - from;
}

void process_credit(struct datapath *dp, struct megaflow *flow)
{
    uint64_t n_packets = take_delta(&flow->n_packets, &flow->credited_packets);
    uint64_t n_bytes = take_delta(&flow->n_bytes, &flow->credited_bytes);

    if ((n_packets || n_bytes) && flow->context && dp->ops->credit)
        dp->ops->credit(dp->aux, flow->context, n_packets, n_bytes,
                        atomic_load_explicit(&flow->used_ns, memory_order_relaxed),
                        atomic_load_explicit(&flow->tcp_flags, memory_order_relaxed));
}

static void run_end(struct lane *lane)
{
    struct megaflow *flow = lane->run.flow;

    if (!flow)
        return;
    atomic_fetch_add_explicit(&flow->n_packets, lane->run.n_packets, memory_order_relaxed);
    atomic_fetch_add_explicit(&flow->n_bytes, lane->run.n_bytes, memory_order_relaxed);
    atomic_store_explicit(&flow->used_ns, lane->now_ns, memory_order_relaxed);
    uint16_t flags = atomic_load_explicit(&flow->tcp_flags, memory_order_relaxed);
    if (lane->run.tcp_flags & ~flags)
        atomic_fetch_or_explicit(&flow->tcp_flags, lane->run.tcp_flags, memory_order_relaxed);
    lane->run.flow = NULL;
}

static void run_add(struct lane *lane, struct megaflow *flow, uint32_t n_bytes, uint16_t tcp_flags)
{
    if (lane->run.flow != flow) {
        run_end(lane);
        lane->run.flow = flow;
        lane->run.n_packets = lane->run.n_bytes = 0;
        lane->run.tcp_flags = 0;
    }
    lane->run.n_packets++;
    lane->run.n_bytes += n_bytes;
    lane->run.tcp_flags |= tcp_flags;
}

/* The end of entries and contexts */

static void release_context(struct datapath *dp, void *context)
{
    if (context && dp->ops->release)
        dp->ops->release(dp->aux, context);
}

static void free_megaflow(void *aux, struct grave *grave)
{
    struct megaflow *flow = CONTAINER_OF(grave, struct megaflow, grave);

    if (datapath_kcache(aux))
        kcache_forget(datapath_kcache(aux), flow);
    process_credit(aux, flow);
    release_context(aux, flow->context);
    megaflow_put(flow);
}

void process_bury(struct datapath *dp, struct megaflow *flow)
{
    if (datapath_kcache(dp))
        kcache_collect_flow(datapath_kcache(dp), flow);
    process_credit(dp, flow);
    graveyard_bury(&dp->graveyard, &flow->grave, free_megaflow);
    maintenance_notice(dp);
}

static void inherit(_Atomic uint64_t *inherited, const _Atomic uint64_t *old_inherited,
                    const _Atomic uint64_t *old_own)
{
    atomic_store_explicit(inherited,
                          atomic_load_explicit(old_inherited, memory_order_relaxed) +
                              atomic_load_explicit(old_own, memory_order_relaxed),
                          memory_order_relaxed);
}

/* What lanes in the middle of a batch still count for 'old' is credited, but not shown. */
void process_succeed(struct datapath *dp, struct megaflow *old, struct megaflow *flow)
{
    if (datapath_kcache(dp)) {
        kcache_succeed(datapath_kcache(dp), old, flow);
        kcache_collect_flow(datapath_kcache(dp), old);
    }
    inherit(&flow->inherited_packets, &old->inherited_packets, &old->n_packets);
    inherit(&flow->inherited_bytes, &old->inherited_bytes, &old->n_bytes);
}

void process_make_offers(struct lane *lane)
{
    for (unsigned int i = 0; i < lane->n_offers; i++) {
        const struct kernel_offer *offer = &lane->offers[i];

        kcache_offer(datapath_kcache(lane->dp), offer->flow, &offer->key, offer->slot,
                     offer->is_repeated, lane->now_ns);
        megaflow_put(offer->flow);
    }
    lane->n_offers = 0;
}

void process_end_of_queue(struct lane *lane, bool is_empty)
{
    if (lane->n_offers && (is_empty || lane->now_ns - lane->oldest_offer_ns > OFFERS_MAX_AGE_NS))
        process_make_offers(lane);
}

static bool is_offered(const struct lane *lane, const struct megaflow *flow,
                       const struct flow_key *key)
{
    const struct kernel_offer *last;

    if (!lane->n_offers)
        return false;
    last = &lane->offers[lane->n_offers - 1];
    return last->flow == flow && last->is_repeated && flow_key_is_equal(&last->key, key);
}

/* The frame came up though the kernel could know its flow. */
static void offer(struct lane *lane, struct megaflow *flow, const struct flow_key *key,
                  const struct dp_port *port, bool is_repeated)
{
    if (!port->is_kernel_cached || is_offered(lane, flow, key) ||
        atomic_load_explicit(&flow->kernel.refused, memory_order_relaxed) == UINT8_MAX)
        return;
    if (lane->n_offers == LANE_OFFERS)
        process_make_offers(lane);
    if (!lane->n_offers)
        lane->oldest_offer_ns = lane->now_ns;
    megaflow_get(flow);
    lane->offers[lane->n_offers++] = (struct kernel_offer){
        .flow = flow,
        .key = *key,
        .slot = port->slot,
        .is_repeated = is_repeated,
    };
}

/* The verdict is used for one frame only. */
static void execute_once(struct lane *lane, struct packet *packet, const struct flow_key *key,
                         struct dp_port *port)
{
    struct datapath *dp = lane->dp;
    struct verdict *verdict = &lane->verdict;
    uint32_t n_bytes = packet->size;

    execute_actions(lane, packet, key, verdict->actions.list, verdict->actions.n, verdict->context,
                    port);
    if (!verdict->context)
        return;
    if (dp->ops->credit)
        dp->ops->credit(dp->aux, verdict->context, 1, n_bytes, lane->now_ns,
                        be16_host(key->tcp_flags));
    release_context(dp, verdict->context); /* Nobody else has seen it. */
}

/* Misses */

/* A virtual queue with a fixed service time (the generic cell rate algorithm): a miss is let in while the
 * queue is short. */
static bool admit_miss(struct lane *lane, struct dp_port *port)
{
    const struct datapath_config *config = &lane->dp->config;
    int64_t service_ns, burst_ns, due_ns, next_ns;

    if (config->misses_per_second == UINT32_MAX || config->cache_off)
        return true;
    service_ns = SECOND_NS / config->misses_per_second;
    burst_ns = service_ns * BURST_MISSES > BURST_NS ? service_ns * BURST_MISSES : BURST_NS;
    due_ns = atomic_load_explicit(&port->miss_due_ns, memory_order_relaxed);
    do {
        if (due_ns - lane->now_ns > burst_ns)
            return false;
        next_ns = (due_ns > lane->now_ns ? due_ns : lane->now_ns) + service_ns;
    } while (!atomic_compare_exchange_weak_explicit(&port->miss_due_ns, &due_ns, next_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/* A crowded cache takes one new flow in CROWD_SHARE: one that goes on soon gets there. */
static bool is_worth_caching(struct lane *lane)
{
    return !megaflow_is_crowded(lane->dp->megaflows) || ++lane->n_turned_away % CROWD_SHARE == 0;
}

/* Caches the lane's verdict instead of 'stale' (or NULL).  'hash' is that of a frame's key, or 0.  NULL: no memory;
 * 'stale' is gone. */
static struct megaflow *install(struct lane *lane, const struct flow_key *key, uint32_t hash,
                                uint64_t born, struct megaflow *stale)
{
    struct datapath *dp = lane->dp;
    struct verdict *verdict = &lane->verdict;
    struct megaflow *flow = megaflow_create(key, verdict, born, lane->now_ns);
    struct megaflow_displaced displaced;
    int error;

    if (flow && stale && flow_key_is_equal(megaflow_mask(stale), &verdict->mask) &&
        megaflow_replace(dp->megaflows, stale, flow)) {
        process_succeed(dp, stale, flow);
        process_bury(dp, stale);
        return flow;
    }
    if (stale && megaflow_unlink(dp->megaflows, stale))
        process_bury(dp, stale);
    if (!flow)
        return NULL;

    flow->first_hash = hash;
    error = megaflow_link(dp->megaflows, flow, &verdict->mask, &displaced);
    for (unsigned int i = 0; i < displaced.n; i++)
        process_bury(dp, displaced.flows[i]);
    if (error) {
        megaflow_put(flow);
        return NULL;
    }
    maintenance_notice(dp);
    return flow;
}

static void use(struct lane *lane, struct megaflow *flow, struct packet *packet,
                const struct flow_key *key, struct dp_port *port)
{
    run_add(lane, flow, packet->size, be16_host(key->tcp_flags));
    execute_actions(lane, packet, key, flow->actions, flow->n_actions, flow->context, port);
}

static void miss(struct lane *lane, struct packet *packet, const struct flow_key *key,
                 uint32_t hash, struct dp_port *port, struct megaflow *stale)
{
    struct datapath *dp = lane->dp;
    struct megaflow *flow = NULL;

    /* A flow that is known and out of date is not what the budget is against: there are just so many. */
    if (!stale && !admit_miss(lane, port)) {
        counter_add(&lane->counters.n_lost, 1);
        lane_drop(lane, port, DROP_MISS_BUDGET);
        return;
    }

    counter_add(&lane->counters.n_misses, 1);
    uint64_t born = process_translate(dp, key, packet, lane->now_ns, &lane->verdict);
    if (lane->verdict.cacheable && !dp->config.cache_off && (stale || is_worth_caching(lane)))
        flow = install(lane, key, hash, born, stale);
    if (!flow) {
        execute_once(lane, packet, key, port);
        return;
    }
    lane->verdict.last = flow->context; /* It lives until the batch ends, as we read under RCU. */
    use(lane, flow, packet, key, port);
    /* A new flow gets into the other caches with its second frame, so that a scan neither fills them nor waits. */
    if (stale) {
        microflow_put(lane->microflows, key, hash, flow);
        offer(lane, flow, key, port, false);
    }
}

struct megaflow *process_flow_of(struct lane *lane, const struct flow_key *key,
                                 const struct packet *packet)
{
    struct datapath *dp = lane->dp;
    uint64_t n_probes = 0;
    struct megaflow *flow = megaflow_find(dp->megaflows, key, &n_probes);

    if (flow && process_is_valid(dp, flow))
        return flow;
    uint64_t born = process_translate(dp, key, packet, lane->now_ns, &lane->verdict);
    flow = lane->verdict.cacheable && !dp->config.cache_off ? install(lane, key, 0, born, flow)
                                                            : NULL;
    if (!flow)
        release_context(dp, lane->verdict.context); /* Nobody has seen it. */
    return flow;
}

/* False: the microflow cache did not know it. */
static bool process_frame(struct lane *lane, struct packet *packet, const struct flow_key *key,
                          uint32_t hash, struct dp_port *port)
{
    struct datapath *dp = lane->dp;
    struct megaflow *flow;
    uint64_t n_probes = 0;

    if (unlikely(dp->config.cache_off)) {
        miss(lane, packet, key, hash, port, NULL);
        return true;
    }
    flow = microflow_find(lane->microflows, key, hash);
    if (likely(flow && megaflow_is_live(flow) && process_is_valid(dp, flow))) {
        counter_add(&lane->counters.n_microflow_hits, 1);
        use(lane, flow, packet, key, port);
        offer(lane, flow, key, port, true);
        return true;
    }

    flow = megaflow_find(dp->megaflows, key, &n_probes);
    counter_add(&lane->counters.n_megaflow_probes, n_probes);
    if (flow && process_is_valid(dp, flow)) {
        counter_add(&lane->counters.n_megaflow_hits, 1);
        microflow_put(lane->microflows, key, hash, flow);
        use(lane, flow, packet, key, port);
        offer(lane, flow, key, port, hash == flow->first_hash);
        return false;
    }
    miss(lane, packet, key, hash, port, flow);
    return false;
}

/* Counts the frame in, and out again if it cannot be treated. */
static bool admit_frame(struct lane *lane, struct packet *packet, struct dp_port *port,
                        struct flow_key *key)
{
    struct dp_port_counters *counters = &port->counters[lane->index];

    lane->came_by |= port_bit(port);
    counter_add(&counters->rx_packets, 1);
    counter_add(&counters->rx_bytes, packet->size);
    if (packet->size < ETH_HEADER_BYTES) {
        lane_drop(lane, port, DROP_TOO_SHORT);
        return false;
    }
    if (!offload_check_header(packet)) {
        lane_drop(lane, port, DROP_BAD_OFFLOAD);
        return false;
    }
    flow_extract(packet, be32_from(port->port_no), key);
    if (!offload_check_frame(packet, key)) {
        lane_drop(lane, port, DROP_BAD_OFFLOAD);
        return false;
    }
    return true;
}

void process_batch(struct lane *lane, struct packet **packets, struct dp_port **ports,
                   unsigned int n)
{
    struct flow_key keys[BATCH_FRAMES];
    uint32_t hashes[BATCH_FRAMES];
    bool is_admitted[BATCH_FRAMES];

    for (unsigned int i = 0; i < n; i++) {
        is_admitted[i] = admit_frame(lane, packets[i], ports[i], &keys[i]);
        if (!is_admitted[i])
            continue;
        hashes[i] = hash_words(flow_key_words_const(&keys[i]), FLOW_KEY_WORDS, 0);
        microflow_prefetch(lane->microflows, hashes[i]);
    }
    /* Where one flow is new, the next often is. */
    bool is_known = true;
    for (unsigned int i = 0; i < n; i++) {
        if (!is_known && i + 1 < n && is_admitted[i + 1])
            megaflow_prefetch(lane->dp->megaflows, &keys[i + 1]);
        if (is_admitted[i])
            is_known = process_frame(lane, packets[i], &keys[i], hashes[i], ports[i]);
    }
    lane->verdict.last = NULL;
    run_end(lane);
    tx_flush(lane);
}
