/* SPDX-License-Identifier: Apache-2.0 */

/* Creation, ports, and the doors to what the other files do. */

#include "datapath/datapath.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/adopt.h"
#include "datapath/execute.h"
#include "datapath/internal.h"
#include "datapath/kcache_key.h"
#include "datapath/kernel/strangers.h"
#include "datapath/maintenance.h"
#include "datapath/port/exception_tap.h"
#include "datapath/port/port.h"
#include "datapath/process.h"
#include "datapath/worker.h"
#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/rcu.h"

enum {
    DEFAULT_MEGAFLOWS = 200000,
    DEFAULT_MISSES_PER_SECOND = 100000,
    MANY_GRAVES = 1024,
};
#define DEFAULT_IDLE_NS (10 * SECOND_NS)

/* Life */

static void take_config(struct datapath *dp, const struct datapath_config *config)
{
    dp->config = *config;
    if (!dp->config.max_megaflows)
        dp->config.max_megaflows = DEFAULT_MEGAFLOWS;
    if (!dp->config.misses_per_second)
        dp->config.misses_per_second = DEFAULT_MISSES_PER_SECOND;
    if (!dp->config.max_idle_ns)
        dp->config.max_idle_ns = DEFAULT_IDLE_NS;
    snprintf(dp->owner.instance, sizeof dp->owner.instance, "%s",
             config->instance ? config->instance : "weir");
    if (config->home && strlen(config->home) < sizeof dp->owner.home)
        strcpy(dp->owner.home, config->home);
    dp->config.instance = dp->owner.instance;
    dp->config.home = dp->owner.home;
    atomic_init(&dp->max_idle_ns, dp->config.max_idle_ns);
}

static bool create_lanes(struct datapath *dp)
{
    for (unsigned int i = 0; i < dp->n_lanes; i++) {
        dp->lanes[i] = lane_create(dp, i);
        if (!dp->lanes[i])
            return false;
    }
    return true;
}

struct datapath *datapath_create(const struct datapath_config *config,
                                 const struct datapath_ops *ops, void *aux, struct error *error)
{
    if (config->n_workers > MAX_WORKERS) {
        error_set(error, -EINVAL, "%u workers are too many (the limit is %d)", config->n_workers,
                  MAX_WORKERS);
        return NULL;
    }

    struct datapath *dp = calloc(1, sizeof *dp);
    if (!dp)
        goto no_memory;
    take_config(dp, config);
    dp->ops = ops;
    dp->aux = aux;
    dp->n_lanes = config->n_workers + 1;
    mutex_init(&dp->call_lock);
    mutex_init(&dp->generation_lock);
    atomic_init(&dp->generation, 1);
    graveyard_init(&dp->graveyard, dp);
    dp->megaflows = megaflow_table_create(dp->config.max_megaflows, &dp->graveyard);
    dp->slots = calloc(N_PORT_SLOTS, sizeof dp->slots[0]);
    dp->meters = dp_meters_create();
    if (!dp->megaflows || !dp->slots || !dp->meters || !create_lanes(dp))
        goto no_memory;
    if (config->n_workers && (maintenance_start(dp, error) || workers_start(dp, error)))
        goto failed;
    return dp;

no_memory:
    error_set(error, -ENOMEM, "cannot create a datapath: out of memory");
failed:
    datapath_destroy(dp);
    return NULL;
}

void datapath_set_limits(struct datapath *dp, uint32_t max_megaflows, int64_t max_idle_ns)
{
    atomic_store_explicit(&dp->max_idle_ns, max_idle_ns ? max_idle_ns : DEFAULT_IDLE_NS,
                          memory_order_relaxed);
    megaflow_set_max_flows(dp->megaflows, max_megaflows ? max_megaflows : DEFAULT_MEGAFLOWS);
    maintenance_notice(dp);
}

void datapath_stop(struct datapath *dp)
{
    if (!dp)
        return;
    for (uint32_t i = 0; i <= DP_MAX_PORTS; i++)
        if (datapath_port(dp, i))
            datapath_port_remove(dp, i);
    exception_tap_destroy(dp->exception_tap);
    dp->exception_tap = NULL;
    workers_stop(dp);
    maintenance_stop(dp);
    if (dp->megaflows) {
        maintenance_flush(dp);
        graveyard_clear(&dp->graveyard);
    }
}

void datapath_destroy(struct datapath *dp)
{
    if (!dp)
        return;
    datapath_stop(dp);
    for (unsigned int i = 0; i < dp->n_lanes; i++)
        lane_destroy(dp->lanes[i]);
    megaflow_table_destroy(dp->megaflows);
    dp_meters_destroy(dp->meters);
    kcache_destroy(datapath_kcache(dp));
    mutex_fini(&dp->generation_lock);
    mutex_fini(&dp->call_lock);
    free((void *)dp->slots);
    free(dp);
}

/* Ports */

static struct dp_port *port_create(struct datapath *dp, uint32_t port_no,
                                   const struct dp_port_config *config)
{
    struct dp_port *port = calloc(1, sizeof *port);

    if (!port)
        return NULL;
    size_t counters_bytes = (dp->n_lanes + 1) * sizeof port->counters[0];
    port->counters = aligned_alloc(64, counters_bytes);
    if (!port->counters) {
        free(port);
        return NULL;
    }
    memset((void *)port->counters, 0, counters_bytes);
    port->dp = dp;
    port->port_no = port_no;
    port->type = config->type;
    snprintf(port->name, sizeof port->name, "%s", config->name);
    return port;
}

static void port_destroy(struct dp_port *port)
{
    free((void *)port->counters);
    free(port);
}

static int port_open(struct dp_port *port, const struct dp_port_config *config, struct error *error)
{
    switch (config->type) {
    case DP_PORT_NETDEV:
        return port_netdev_open(port, config, error);
    case DP_PORT_INTERNAL:
        return port_internal_open(port, config, error);
    case DP_PORT_DUMMY:
        return port_dummy_open(port, config, error);
    }
    return error_set(error, -EOPNOTSUPP, "%s: no such type of port", config->name);
}

/* Numbers that frames on their way are marked with: not soon used again. */
static void port_assign_slot(struct datapath *dp, struct dp_port *port)
{
    do
        dp->last_slot++;
    while (dp->last_slot == 0 || dp->slots[dp->last_slot] ||
           !adopt_is_free_slot(dp, dp->last_slot));
    port->slot = dp->last_slot;
}

int datapath_port_add(struct datapath *dp, const struct dp_port_config *config, uint32_t *port_no,
                      struct error *error)
{
    uint32_t free_no = 0, adopted_no = 0;
    uint16_t adopted_slot = 0;

    if (!config->name[0] || strlen(config->name) >= IFNAMSIZ)
        return error_set(error, -EINVAL, "port name \"%s\" must have 1 to %d characters",
                         config->name, IFNAMSIZ - 1);
    if (config->type != DP_PORT_DUMMY && dp->config.n_workers && exception_tap_open(dp))
        adopted_no = adopt_number(dp, (int)if_nametoindex(config->name), &adopted_slot);
    for (uint32_t i = DP_MAX_PORTS; i >= 1; i--) {
        struct dp_port *port = datapath_port(dp, i);

        if (!port && adopt_is_free_number(dp, i))
            free_no = i;
        else if (port && !strcmp(port->name, config->name))
            return error_set(error, -EEXIST, "%s: is in the datapath already", config->name);
    }
    if (adopted_no)
        free_no = adopted_no;
    if (!free_no)
        return error_set(error, -ENOSPC, "%s: the datapath has %d ports already", config->name,
                         DP_MAX_PORTS);

    struct dp_port *port = port_create(dp, free_no, config);
    if (!port)
        return error_set(error, -ENOMEM, "%s: out of memory", config->name);
    if (adopted_no)
        port->slot = adopted_slot;
    else
        port_assign_slot(dp, port);
    if (config->type != DP_PORT_DUMMY && !dp->config.n_workers) {
        port_destroy(port);
        return error_set(error, -EINVAL, "%s: a datapath without workers has dummy ports only",
                         config->name);
    }
    int code = port_open(port, config, error);
    if (code) {
        port_destroy(port);
        return code;
    }
    atomic_store_explicit(&dp->ports[free_no], port, memory_order_release);
    atomic_store_explicit(&dp->slots[port->slot], port, memory_order_release);
    adopt_note_port(dp, port);
    *port_no = free_no;
    return 0;
}

void datapath_port_remove(struct datapath *dp, uint32_t port_no)
{
    struct dp_port *port = datapath_port(dp, port_no);

    if (!port)
        return;
    if (port->ops->stop)
        port->ops->stop(port);
    adopt_forget_port(dp, port);
    atomic_store_explicit(&dp->slots[port->slot], NULL, memory_order_release);
    atomic_store_explicit(&dp->ports[port_no], NULL, memory_order_release);
    datapath_synchronize(dp);
    port->ops->close(port);
    port_destroy(port);
}

void datapath_port_set_link(struct datapath *dp, uint32_t port_no, const struct link_info *link)
{
    struct dp_port *port = datapath_port(dp, port_no);

    if (!port || port->ifindex != link->ifindex)
        return;
    port_restore_program(port);
    port_publish_to_kernel(port, link);
}

void datapath_port_look(struct datapath *dp, uint32_t port_no, struct buffer *strangers)
{
    struct dp_port *port = datapath_port(dp, port_no);

    if (!port || !port->ifindex)
        return;
    port_restore_program(port);
    strangers_describe(port->ifindex, strangers);
}

void datapath_heal(struct datapath *dp, const char *name)
{
    char tap_name[IFNAMSIZ];

    if (!dp->exception_tap)
        return;
    exception_tap_name(dp->owner.instance, tap_name);
    if (!name || !strcmp(name, tap_name))
        exception_tap_heal(dp->exception_tap);
}

int datapath_port_set_fastpath(struct datapath *dp, uint32_t port_no, enum dp_fastpath fastpath,
                               struct error *error)
{
    struct dp_port *port = datapath_port(dp, port_no);

    if (!port)
        return error_set(error, -ENODEV, "no such port");
    if (port->ops->set_fastpath)
        return port->ops->set_fastpath(port, fastpath, error);
    return fastpath == DP_FASTPATH_TC
               ? 0
               : error_set(error, -EOPNOTSUPP, "only ports with a device of their own have XDP");
}

static uint64_t counter_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

int datapath_port_get_stats(struct datapath *dp, uint32_t port_no, struct dp_port_stats *stats)
{
    struct dp_port *port = datapath_port(dp, port_no);

    memset(stats, 0, sizeof *stats);
    if (!port)
        return -ENODEV;
    for (unsigned int i = 0; i <= dp->n_lanes; i++) {
        const struct dp_port_counters *counters = &port->counters[i];

        stats->rx_packets += counter_get(&counters->rx_packets);
        stats->rx_bytes += counter_get(&counters->rx_bytes);
        stats->rx_errors += counter_get(&counters->rx_errors);
        stats->tx_packets += counter_get(&counters->tx_packets);
        stats->tx_bytes += counter_get(&counters->tx_bytes);
        stats->tx_dropped += counter_get(&counters->tx_dropped);
        stats->tx_errors += counter_get(&counters->tx_errors);
        for (int reason = 0; reason < DROP_N_REASONS; reason++)
            stats->dropped[reason] += counter_get(&counters->dropped[reason]);
    }

    stats->kernel_rx_packets = counter_get(&port->counters[dp->n_lanes].rx_packets);
    if (port->is_kernel_cached) {
        struct kcache_losses losses;

        kcache_get_losses(datapath_kcache(dp), port->ifindex, &losses);
        stats->dropped[DROP_NO_MEMORY] += losses.n_lost;
        stats->dropped[DROP_TX_ERROR] += losses.n_unsent;
        stats->dropped[DROP_METER] += losses.n_metered;
    }

    /* What never came to a verdict. */
    stats->rx_dropped = stats->dropped[DROP_MISS_BUDGET] + stats->dropped[DROP_NO_MEMORY];
    stats->rx_errors += stats->dropped[DROP_TOO_SHORT] + stats->dropped[DROP_BAD_OFFLOAD];
    return 0;
}

const char *datapath_port_path(struct datapath *dp, uint32_t port_no)
{
    struct dp_port *port = datapath_port(dp, port_no);

    return port ? port->ops->path(port) : NULL;
}

/* Verdicts */

void datapath_invalidate(struct datapath *dp, uint16_t slot)
{
    mutex_lock(&dp->generation_lock);
    uint64_t next = atomic_load_explicit(&dp->generation, memory_order_relaxed) + 1;
    /* Slot first: a translation that knows the new generation began after this, so it saw
     * the change; one that does not counts as old. */
    atomic_store_explicit(&dp->slot_generation[slot % DP_N_SLOTS], next, memory_order_release);
    atomic_store_explicit(&dp->generation, next, memory_order_release);
    if (datapath_kcache(dp))
        kcache_invalidate(datapath_kcache(dp), slot, next);
    mutex_unlock(&dp->generation_lock);
    maintenance_hurry(dp);
}

/* What is older than the kernel's copy is out of date there, and nothing stands there yet. */
void datapath_set_kcache(struct datapath *dp, struct kcache *kcache)
{
    kcache_share_meters(kcache, dp->meters);
    mutex_lock(&dp->generation_lock);
    /* What was adopted is older than anything of ours. */
    if (kcache_adopted_generation(kcache) >= datapath_generation(dp))
        atomic_store_explicit(&dp->generation, kcache_adopted_generation(kcache) + 1,
                              memory_order_release);
    kcache_invalidate(kcache, DP_SLOT_ALL, datapath_generation(dp));
    atomic_store_explicit(&dp->kcache, kcache, memory_order_release);
    mutex_unlock(&dp->generation_lock);
}

void datapath_synchronize(struct datapath *dp)
{
    (void)dp;
    rcu_wait_for_readers();
}

void datapath_push_stats(struct datapath *dp)
{
    struct megaflow *flows[BATCH_FRAMES];
    uint32_t index = UINT32_MAX, n;

    if (datapath_kcache(dp))
        kcache_collect(datapath_kcache(dp), clock_now_ns());
    do {
        graveyard_hold(&dp->graveyard);
        n = megaflow_list(dp->megaflows, &index, flows, BATCH_FRAMES);
        for (uint32_t i = 0; i < n; i++)
            process_credit(dp, flows[i]);
        graveyard_release(&dp->graveyard);
    } while (n);
}

void datapath_flush(struct datapath *dp)
{
    datapath_synchronize(dp); /* What is being translated now gets cached, and has to go too. */
    maintenance_flush(dp);
    graveyard_clear(&dp->graveyard);
}

void datapath_execute(struct datapath *dp, const struct packet *packet, const struct flow_key *key,
                      const struct dp_actions *actions, void *context)
{
    if (packet->size > PACKET_MAX_BYTES)
        return;
    mutex_lock(&dp->call_lock);
    struct lane *lane = dp->lanes[dp->n_lanes - 1];
    struct packet *copy = lane_packet(lane, 0);
    uint8_t *data = copy->data, *start = copy->start;
    uint32_t capacity = copy->capacity;

    *copy = *packet;
    copy->start = start;
    copy->data = data;
    copy->capacity = capacity;
    memcpy(copy->data, packet->data, packet->size);
    lane->now_ns = clock_now_ns();
    execute_actions(lane, copy, key, actions->list, actions->n, context,
                    datapath_port(dp, be32_host(key->in_port)));
    tx_flush(lane);
    mutex_unlock(&dp->call_lock);
}

struct dp_meters *datapath_meters(struct datapath *dp)
{
    return dp->meters;
}

/* Looking inside */

static struct dp_flow_info describe(struct datapath *dp, struct megaflow *flow)
{
    return (struct dp_flow_info){
        .key = &flow->key,
        .mask = megaflow_mask(flow),
        .actions = flow->actions,
        .n_actions = flow->n_actions,
        .n_packets = counter_get(&flow->inherited_packets) + counter_get(&flow->n_packets),
        .n_bytes = counter_get(&flow->inherited_bytes) + counter_get(&flow->n_bytes),
        .used_ns = atomic_load_explicit(&flow->used_ns, memory_order_relaxed),
        .tcp_flags = atomic_load_explicit(&flow->tcp_flags, memory_order_relaxed),
        .is_stale = !process_is_valid(dp, flow),
        .n_kernel_entries = atomic_load_explicit(&flow->kernel.n_entries, memory_order_relaxed),
    };
}

void datapath_flow_each(struct datapath *dp, bool (*each)(const struct dp_flow_info *, void *arg),
                        void *arg)
{
    struct megaflow *flows[BATCH_FRAMES];
    uint32_t index = UINT32_MAX, n;
    bool go_on = true;

    do {
        graveyard_hold(&dp->graveyard);
        n = megaflow_list(dp->megaflows, &index, flows, BATCH_FRAMES);
        for (uint32_t i = 0; i < n && go_on; i++) {
            struct dp_flow_info info = describe(dp, flows[i]);

            go_on = each(&info, arg);
        }
        graveyard_release(&dp->graveyard);
    } while (n && go_on);
}

bool datapath_flow_remove(struct datapath *dp,
                          bool (*is_it)(const struct dp_flow_info *, void *arg), void *arg)
{
    struct megaflow *flows[BATCH_FRAMES];
    uint32_t index = UINT32_MAX, n;
    bool is_removed = false;

    do {
        graveyard_hold(&dp->graveyard);
        n = megaflow_list(dp->megaflows, &index, flows, BATCH_FRAMES);
        for (uint32_t i = 0; i < n && !is_removed; i++) {
            struct dp_flow_info info = describe(dp, flows[i]);

            is_removed = is_it(&info, arg) && megaflow_unlink(dp->megaflows, flows[i]);
            if (is_removed)
                process_bury(dp, flows[i]);
        }
        graveyard_release(&dp->graveyard);
    } while (n && !is_removed);
    return is_removed;
}

static struct dp_flow_info describe_kernel_entry(const struct kcache_entry_info *entry,
                                                 struct flow_key *mask)
{
    kc_shown_bits(kc_flow_kind(&entry->key), mask);
    return (struct dp_flow_info){
        .key = &entry->key,
        .mask = mask,
        .actions = entry->flow->actions,
        .n_actions = entry->flow->n_actions,
        .n_packets = entry->n_packets,
        .n_bytes = entry->n_bytes,
        .used_ns = entry->n_packets ? entry->used_ns : 0,
        .is_stale = entry->is_stale,
        .is_in_kernel = true,
    };
}

void datapath_kernel_flow_each(struct datapath *dp,
                               bool (*each)(const struct dp_flow_info *, void *arg), void *arg)
{
    struct kcache_entry_info entries[BATCH_FRAMES];
    struct kcache_cursor cursor = {0};
    bool go_on = datapath_kcache(dp);
    uint32_t n = 1;

    while (go_on && n) {
        graveyard_hold(&dp->graveyard);
        n = kcache_list(datapath_kcache(dp), &cursor, entries, BATCH_FRAMES);
        for (uint32_t i = 0; i < n && go_on; i++) {
            struct flow_key mask;
            struct dp_flow_info info = describe_kernel_entry(&entries[i], &mask);

            go_on = each(&info, arg);
        }
        graveyard_release(&dp->graveyard);
    }
}

bool datapath_get_kernel_stats(struct datapath *dp, struct kcache_stats *stats)
{
    if (datapath_kcache(dp))
        kcache_get_stats(datapath_kcache(dp), stats);
    return datapath_kcache(dp);
}

unsigned int datapath_n_workers(const struct datapath *dp)
{
    return dp->n_lanes - 1;
}

void datapath_worker_get_stats(struct datapath *dp, unsigned int worker,
                               struct dp_worker_stats *stats)
{
    const struct lane_counters *counters = &dp->lanes[worker]->counters;

    stats->n_microflow_hits = counter_get(&counters->n_microflow_hits);
    stats->n_megaflow_hits = counter_get(&counters->n_megaflow_hits);
    stats->n_misses = counter_get(&counters->n_misses);
    stats->n_lost = counter_get(&counters->n_lost);
    stats->n_megaflow_probes = counter_get(&counters->n_megaflow_probes);
}

bool datapath_worker_serves(struct datapath *dp, unsigned int worker, uint32_t port_no)
{
    uint32_t place = port_no == DP_PORT_NONE ? RX_PLACE_EXCEPTION_TAP : port_no;

    return worker < datapath_n_workers(dp) && place <= DP_MAX_PORTS &&
           worker_has_source(dp, worker, place);
}

void datapath_get_stats(struct datapath *dp, struct datapath_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    for (unsigned int i = 0; i < dp->n_lanes; i++) {
        struct dp_worker_stats worker;

        datapath_worker_get_stats(dp, i, &worker);
        stats->n_microflow_hits += worker.n_microflow_hits;
        stats->n_megaflow_hits += worker.n_megaflow_hits;
        stats->n_misses += worker.n_misses;
        stats->n_lost += worker.n_lost;
        stats->n_megaflow_probes += worker.n_megaflow_probes;
    }
    if (dp->exception_tap)
        stats->n_overruns = exception_tap_n_overruns(dp->exception_tap);
    stats->n_megaflows = megaflow_n_flows(dp->megaflows);
    stats->n_masks = megaflow_n_masks(dp->megaflows);
    stats->max_megaflows = megaflow_max_flows(dp->megaflows);
    stats->max_idle_ns = atomic_load_explicit(&dp->max_idle_ns, memory_order_relaxed);
}

/* Dummy ports */

void datapath_inject_at(struct datapath *dp, uint32_t port_no, const void *frame, size_t n_bytes,
                        const struct virtio_net_hdr *vnet, int64_t now_ns)
{
    struct dp_port *port = datapath_port(dp, port_no);

    if (!port || n_bytes > PACKET_MAX_BYTES)
        return;
    mutex_lock(&dp->call_lock);
    struct lane *lane = dp->lanes[dp->n_lanes - 1];
    struct packet *packet = lane_packet(lane, 0);

    memcpy(packet->data, frame, n_bytes);
    packet->size = (uint32_t)n_bytes;
    if (vnet)
        packet->vnet = *vnet;
    lane->now_ns = now_ns;
    process_batch(lane, &packet, &port, 1);
    mutex_unlock(&dp->call_lock);
    if (!dp->config.n_workers && graveyard_n(&dp->graveyard) > MANY_GRAVES)
        graveyard_clear(&dp->graveyard);
}

void datapath_inject(struct datapath *dp, uint32_t port_no, const void *frame, size_t n_bytes,
                     const struct virtio_net_hdr *vnet)
{
    datapath_inject_at(dp, port_no, frame, n_bytes, vnet, clock_now_ns());
}

void datapath_set_dummy_tx(struct datapath *dp, dp_dummy_tx *tx, void *arg)
{
    dp->dummy_tx = tx;
    dp->dummy_tx_arg = arg;
}
