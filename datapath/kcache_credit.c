/* SPDX-License-Identifier: Apache-2.0 */

/* What entries and verdicts have counted in the kernel goes to their flows and to ports. */

#include <stdint.h>

#include "datapath/internal.h"
#include "datapath/kcache.h"
#include "datapath/kcache_internal.h"

/* Counters that belong to no lane. */
static struct dp_port_counters *counters_of(struct dp_port *port)
{
    return &port->counters[port->dp->n_lanes];
}

static void credit_output(struct kcache *cache, uint32_t port_no, uint64_t n_packets,
                          uint64_t n_bytes)
{
    struct dp_port *port = datapath_port(cache->dp, port_no);

    if (!port)
        return;
    counter_add(&counters_of(port)->tx_packets, n_packets);
    counter_add(&counters_of(port)->tx_bytes, n_bytes);
}

static void credit_ports(struct kcache *cache, const struct megaflow *flow, uint16_t slot,
                         uint64_t n_packets, uint64_t n_bytes)
{
    struct dp_port *in = atomic_load_explicit(&cache->dp->slots[slot], memory_order_consume);
    uint64_t out_bytes = n_bytes;
    bool is_cut = false;

    if (in) {
        counter_add(&counters_of(in)->rx_packets, n_packets);
        counter_add(&counters_of(in)->rx_bytes, n_bytes);
    }
    for (uint32_t i = 0; i < flow->n_actions; i++) {
        const struct dp_action *action = &flow->actions[i];

        if (action->type == DP_METER)
            break; /* credit_passed_locked() knows how many passed. */
        if (action->type == DP_OUTPUT) {
            credit_output(cache, action->arg, n_packets, is_cut ? 0 : out_bytes);
            is_cut = false;
        } else if (action->type == DP_TRUNC) {
            is_cut = true; /* credit_cut_locked() knows how much was sent. */
        }
        if (action->type == DP_PUSH_VLAN)
            out_bytes += 4 * n_packets;
        else if (action->type == DP_POP_VLAN)
            out_bytes -= 4 * n_packets;
        else if (action->type == DP_DROP && in && action->arg < DROP_N_REASONS)
            counter_add(&counters_of(in)->dropped[action->arg], n_packets);
    }
}

void kcache_credit_entry_locked(struct kcache *cache, struct kcache_place *place, int64_t now_ns)
{
    struct megaflow *flow = place->flow;
    uint64_t n_packets = __atomic_load_n(&place->entry->n_packets, __ATOMIC_RELAXED);
    uint64_t n_bytes = __atomic_load_n(&place->entry->n_bytes, __ATOMIC_RELAXED);
    uint64_t more_packets = n_packets - place->seen_packets;
    uint64_t more_bytes = n_bytes - place->seen_bytes;

    if (!more_packets && !more_bytes)
        return;
    place->seen_packets = n_packets;
    place->seen_bytes = n_bytes;
    place->used_ns = now_ns;
    atomic_fetch_add_explicit(&flow->n_packets, more_packets, memory_order_relaxed);
    atomic_fetch_add_explicit(&flow->n_bytes, more_bytes, memory_order_relaxed);
    atomic_store_explicit(&flow->used_ns, now_ns, memory_order_relaxed);
    credit_ports(cache, flow, (uint16_t)(place->entry->key[1] >> 48), more_packets, more_bytes);
    cache->stats.n_hits += more_packets;
    cache->stats.n_bytes += more_bytes;
}

static void credit_cut_locked(struct kcache *cache) REQUIRES(cache->lock)
{
    uint32_t at = 0, port_no;
    uint64_t n_bytes;

    while (kcache_programs_take_cut_bytes(cache->programs, &at, &port_no, &n_bytes))
        credit_output(cache, port_no, 0, n_bytes);
}

/* What comes behind the meters of a program. */
static void credit_passing(struct kcache *cache, const struct kc_program *program,
                           uint64_t n_packets, uint64_t n_bytes)
{
    bool is_behind = false, is_cut = false;

    for (unsigned int s = 0; s < program->n_steps; s++) {
        const struct kc_step *step = &program->steps[s];

        if (step->op == KC_METER && step->is_counted)
            is_behind = true;
        if (!is_behind)
            continue;
        if (step->op == KC_PUSH_VLAN)
            n_bytes += 4 * n_packets;
        else if (step->op == KC_POP_VLAN)
            n_bytes -= 4 * n_packets;
        else if (step->op == KC_CUT)
            is_cut = true;
        for (unsigned int i = 0; step->op == KC_OUTPUT && i < step->n; i++)
            credit_output(cache, step->ports[i], n_packets, is_cut ? 0 : n_bytes);
    }
}

static void credit_passed_locked(struct kcache *cache) REQUIRES(cache->lock)
{
    const struct kc_program *program;
    uint64_t n_packets, n_bytes;
    uint32_t at = 0;

    while ((program = kcache_programs_take_passed(cache->programs, &at, &n_packets, &n_bytes)))
        credit_passing(cache, program, n_packets, n_bytes);
}

void kcache_credit_programs_locked(struct kcache *cache)
{
    credit_cut_locked(cache);
    credit_passed_locked(cache);
}
