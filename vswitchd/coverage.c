/* SPDX-License-Identifier: Apache-2.0 */

/* A ring of samples, each of all counters; drop reasons follow the events. */

#include "vswitchd/coverage.h"

#include <ev.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "vswitchd/bridge.h"
#include "vswitchd/fdb.h"
#include "vswitchd/lessons.h"
#include "vswitchd/of_server.h"
#include "vswitchd/packet_in.h"
#include "vswitchd/vswitch.h"

#define EVENTS(X)           \
    X(bridge_reconfigure)   \
    X(microflow_hit)        \
    X(megaflow_hit)         \
    X(flow_miss)            \
    X(flow_miss_lost)       \
    X(ring_overrun)         \
    X(mac_learning_learned) \
    X(mac_learning_expired) \
    X(mac_learning_evicted) \
    X(mac_learning_moved)   \
    X(packet_in)            \
    X(packet_in_drop)       \
    X(lesson_lost)          \
    X(openflow_accepted)    \
    X(openflow_refused)     \
    X(openflow_received)    \
    X(openflow_error_sent)  \
    X(port_received)        \
    X(port_sent)

enum event {
#define X(name) EVENT_##name,
    EVENTS(X)
#undef X
        N_EVENTS
};

enum {
    N_COUNTERS = N_EVENTS + DROP_N_REASONS,
    SAMPLE_S = 5,
    SAMPLES_PER_MINUTE = 60 / SAMPLE_S,
    SAMPLES_PER_HOUR = 3600 / SAMPLE_S,
};

struct sample {
    uint64_t counters[N_COUNTERS];
};

struct coverage {
    struct vswitch *vswitch;
    ev_timer timer;
    uint64_t n_samples; /* Ever taken. */
    struct sample samples[SAMPLES_PER_HOUR + 1];
};

struct rates {
    double last_5s, last_minute, last_hour;
};

static const char *counter_name(size_t i)
{
    static const char *const names[N_EVENTS] = {
#define X(name) #name,
        EVENTS(X)
#undef X
    };
    static char drop[64];

    if (i < N_EVENTS)
        return names[i];
    snprintf(drop, sizeof drop, "drop_%s", drop_reason_name((enum drop_reason)(i - N_EVENTS)));
    return drop;
}

static void add_bridge(const struct bridge *bridge, struct sample *sample)
{
    struct fdb_stats stations;
    struct of_server_stats server = {0};

    fdb_get_stats(bridge->fdb, &stations);
    sample->counters[EVENT_mac_learning_learned] += stations.n_learned;
    sample->counters[EVENT_mac_learning_expired] += stations.n_expired;
    sample->counters[EVENT_mac_learning_evicted] += stations.n_evicted;
    sample->counters[EVENT_mac_learning_moved] += stations.n_moved;
    sample->counters[EVENT_packet_in_drop] += packet_in_n_dropped(bridge->packet_ins);
    sample->counters[EVENT_lesson_lost] += lessons_n_lost(bridge->lessons);
    if (!bridge->server)
        return;
    of_server_get_stats(bridge->server, &server);
    sample->counters[EVENT_packet_in] += server.n_packet_ins;
    sample->counters[EVENT_packet_in_drop] += server.n_packet_ins_dropped;
    sample->counters[EVENT_openflow_accepted] += server.n_accepted;
    sample->counters[EVENT_openflow_refused] += server.n_refused;
    sample->counters[EVENT_openflow_received] += server.n_messages;
    sample->counters[EVENT_openflow_error_sent] += server.n_errors_sent;
}

static void add_port(const struct vswitch *vswitch, uint32_t port_no, struct sample *sample)
{
    struct dp_port_stats stats;

    if (datapath_port_get_stats(vswitch->datapath, port_no, &stats))
        return;
    sample->counters[EVENT_port_received] += stats.rx_packets;
    sample->counters[EVENT_port_sent] += stats.tx_packets;
    for (int reason = 0; reason < DROP_N_REASONS; reason++)
        sample->counters[N_EVENTS + reason] += stats.dropped[reason];
}

static void read_counters(const struct vswitch *vswitch, struct sample *sample)
{
    struct bridge *bridge, *next;
    struct datapath_stats stats;

    memset(sample, 0, sizeof *sample);
    datapath_get_stats(vswitch->datapath, &stats);
    sample->counters[EVENT_bridge_reconfigure] = vswitch->n_reconfigurations;
    sample->counters[EVENT_microflow_hit] = stats.n_microflow_hits;
    sample->counters[EVENT_megaflow_hit] = stats.n_megaflow_hits;
    sample->counters[EVENT_flow_miss] = stats.n_misses;
    sample->counters[EVENT_flow_miss_lost] = stats.n_lost;
    sample->counters[EVENT_ring_overrun] = stats.n_overruns;
    HASH_ITER (by_name, vswitch->bridges, bridge, next)
        add_bridge(bridge, sample);
    for (uint32_t i = 0; i < ARRAY_SIZE(vswitch->by_dp_port); i++)
        if (vswitch->by_dp_port[i])
            add_port(vswitch, i, sample);
}

static void take_sample(struct coverage *coverage)
{
    read_counters(coverage->vswitch,
                  &coverage->samples[coverage->n_samples % ARRAY_SIZE(coverage->samples)]);
    coverage->n_samples++;
}

static void on_sample_due(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
    take_sample(timer->data);
}

struct coverage *coverage_create(struct vswitch *vswitch)
{
    struct coverage *coverage = calloc(1, sizeof *coverage);

    if (!coverage)
        abort();
    coverage->vswitch = vswitch;
    take_sample(coverage);
    ev_timer_init(&coverage->timer, on_sample_due, SAMPLE_S, SAMPLE_S);
    coverage->timer.data = coverage;
    ev_timer_start(vswitch->loop, &coverage->timer);
    return coverage;
}

void coverage_destroy(struct coverage *coverage)
{
    if (!coverage)
        return;
    ev_timer_stop(coverage->vswitch->loop, &coverage->timer);
    free(coverage);
}

/* Per second, over the last 'n' samples; what had not begun then counts as 0.  A counter falls when its
 * port or bridge goes. */
static double rate(const struct coverage *coverage, size_t counter, uint64_t n)
{
    uint64_t last = coverage->n_samples - 1, first = last > n ? last - n : 0;
    uint64_t now = coverage->samples[last % ARRAY_SIZE(coverage->samples)].counters[counter];
    uint64_t then = coverage->samples[first % ARRAY_SIZE(coverage->samples)].counters[counter];

    return now > then ? (double)(now - then) / (double)(n * SAMPLE_S) : 0;
}

static struct rates rates_of(const struct coverage *coverage, size_t counter)
{
    return (struct rates){
        .last_5s = rate(coverage, counter, 1),
        .last_minute = rate(coverage, counter, SAMPLES_PER_MINUTE),
        .last_hour = rate(coverage, counter, SAMPLES_PER_HOUR),
    };
}

void coverage_format(struct coverage *coverage, struct buffer *text)
{
    struct sample now;
    size_t n_never = 0;

    read_counters(coverage->vswitch, &now);
    buffer_puts(text, "Event coverage, avg rate over last: 5 seconds, last minute, last hour,  "
                      "hash=00000000:\n");
    for (size_t i = 0; i < N_COUNTERS; i++) {
        struct rates rates = rates_of(coverage, i);
        if (!now.counters[i]) {
            n_never++;
            continue;
        }
        buffer_printf(text, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %" PRIu64 "\n",
                      counter_name(i), rates.last_5s, rates.last_minute, rates.last_hour,
                      now.counters[i]);
    }
    buffer_printf(text, "%zu events never hit\n", n_never);
}

bool coverage_read(struct coverage *coverage, const char *name, uint64_t *total)
{
    struct sample now;

    read_counters(coverage->vswitch, &now);
    for (size_t i = 0; i < N_COUNTERS; i++) {
        if (!strcmp(counter_name(i), name)) {
            *total = now.counters[i];
            return true;
        }
    }
    return false;
}

json_t *coverage_to_json(struct coverage *coverage)
{
    struct sample now;
    json_t *json = json_array();

    read_counters(coverage->vswitch, &now);
    for (size_t i = 0; i < N_COUNTERS; i++) {
        struct rates rates = rates_of(coverage, i);
        json_array_append_new(json, json_pack("{s:s, s:I, s:f, s:f, s:f}", "name", counter_name(i),
                                              "total", (json_int_t)now.counters[i], "rate_5s",
                                              rates.last_5s, "rate_minute", rates.last_minute,
                                              "rate_hour", rates.last_hour));
    }
    return json;
}
