/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers are given in turn, so that one which some processor may still be about to use is not another
 * meter's by then. */

#include "datapath/meters.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mutex.h"

enum { LARGEST_FRAME_BYTES = 1 << 19 };
#define CLOCK_SLACK \
    ((uint64_t)SECOND_NS << KC_METER_TIME_BITS) /* Threads read clocks when they like. */
#define LONGEST_BURST   (UINT64_C(1) << 61)
#define UNITS_OF_SECOND ((uint64_t)SECOND_NS << KC_METER_TIME_BITS)

struct meter {
    struct dp_meter_config config;
    struct kc_meter *_Atomic state; /* 'own', or in the kernel's memory. */
    struct kc_meter own;
};

/* Numbers from 'first' to before 'end'. */
struct range {
    uint32_t first, end;
    uint32_t last; /* Given. */
    uint32_t n;    /* In use. */
};

struct dp_meters {
    struct mutex lock;
    struct range ranges[2] GUARDED_BY(lock); /* What the kernel can reach comes first. */
    struct kc_meter *memory GUARDED_BY(lock);
    struct meter *_Atomic by_number[DP_METERS_MAX];
};

struct dp_meters *dp_meters_create(void) NO_LOCK_ANALYSIS
{
    struct dp_meters *meters = calloc(1, sizeof *meters);

    if (!meters)
        return NULL;
    mutex_init(&meters->lock);
    meters->ranges[0] = (struct range){0, KC_N_METERS, KC_N_METERS - 1, 0};
    meters->ranges[1] = (struct range){KC_N_METERS, DP_METERS_MAX, DP_METERS_MAX - 1, 0};
    return meters;
}

void dp_meters_destroy(struct dp_meters *meters)
{
    if (!meters)
        return;
    for (uint32_t i = 0; i < DP_METERS_MAX; i++)
        free(atomic_load_explicit(&meters->by_number[i], memory_order_relaxed));
    mutex_fini(&meters->lock);
    free(meters);
}

/* Limits */

static void set_band(struct kc_band *band, const struct dp_band *from, bool counts_packets)
{
    /* A kilobit a second is 125 bytes in it. */
    __uint128_t cost = (__uint128_t)UNITS_OF_SECOND << KC_METER_COST_BITS;
    __uint128_t burst = (__uint128_t)UNITS_OF_SECOND * (from->burst ? from->burst : from->rate) /
                        from->rate;

    *band = (struct kc_band){
        .rate = from->rate,
        .cost = (uint64_t)(cost / (counts_packets ? 1 : 125) / from->rate),
        .burst = burst < LONGEST_BURST ? (uint64_t)burst : LONGEST_BURST,
    };
    uint64_t largest = counts_packets ? 1 : LARGEST_FRAME_BYTES;
    band->most = band->burst + (largest * band->cost >> KC_METER_COST_BITS) + CLOCK_SLACK;
}

static void set_limits(struct kc_meter *state, const struct dp_meter_config *config)
{
    memset(state, 0, sizeof *state);
    state->counts_packets = config->counts_packets;
    for (uint32_t i = 0; i < config->n_bands; i++)
        set_band(&state->bands[i], &config->bands[i], config->counts_packets);
    __atomic_store_n(&state->n_bands, config->n_bands, __ATOMIC_RELEASE);
}

/* Life */

static uint32_t take_number_locked(struct dp_meters *meters) REQUIRES(meters->lock)
{
    struct range *range = &meters->ranges[0];

    if (range->n == range->end - range->first)
        range = &meters->ranges[1];
    if (range->n == range->end - range->first)
        return DP_METER_NONE;
    do
        range->last = range->last + 1 == range->end ? range->first : range->last + 1;
    while (atomic_load_explicit(&meters->by_number[range->last], memory_order_relaxed));
    range->n++;
    return range->last;
}

static struct range *range_of_locked(struct dp_meters *meters, uint32_t number)
    REQUIRES(meters->lock)
{
    return &meters->ranges[number >= KC_N_METERS];
}

uint32_t dp_meters_add(struct dp_meters *meters, const struct dp_meter_config *config)
{
    struct meter *meter = calloc(1, sizeof *meter);
    uint32_t number;

    assert(config->n_bands >= 1 && config->n_bands <= DP_METER_BANDS);
    if (!meter)
        return DP_METER_NONE;
    meter->config = *config;
    mutex_lock(&meters->lock);
    number = take_number_locked(meters);
    if (number != DP_METER_NONE) {
        struct kc_meter *state = meters->memory && number < KC_N_METERS ? &meters->memory[number]
                                                                        : &meter->own;
        set_limits(state, config);
        atomic_init(&meter->state, state);
        atomic_store_explicit(&meters->by_number[number], meter, memory_order_release);
    }
    mutex_unlock(&meters->lock);
    if (number == DP_METER_NONE)
        free(meter);
    return number;
}

static struct meter *find(struct dp_meters *meters, uint32_t number)
{
    if (number >= DP_METERS_MAX)
        return NULL;
    return atomic_load_explicit(&meters->by_number[number], memory_order_acquire);
}

void dp_meters_remove(struct dp_meters *meters, uint32_t number)
{
    mutex_lock(&meters->lock);
    struct meter *meter = find(meters, number);
    if (meter) {
        struct kc_meter *state = atomic_load_explicit(&meter->state, memory_order_relaxed);

        __atomic_store_n(&state->n_bands, 0, __ATOMIC_RELEASE);
        atomic_store_explicit(&meters->by_number[number], NULL, memory_order_relaxed);
        range_of_locked(meters, number)->n--;
    }
    mutex_unlock(&meters->lock);
    free(meter);
}

/* Use */

static void add_counts(const struct kc_meter *state, struct dp_meter_stats *stats)
{
    stats->in.n_packets += kc_meter_load(&state->n_packets);
    stats->in.n_bytes += kc_meter_load(&state->n_bytes);
    for (int i = 0; i < DP_METER_BANDS; i++) {
        stats->bands[i].n_packets += kc_meter_load(&state->bands[i].n_packets);
        stats->bands[i].n_bytes += kc_meter_load(&state->bands[i].n_bytes);
    }
}

void dp_meters_get_stats(struct dp_meters *meters, uint32_t number, struct dp_meter_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    mutex_lock(&meters->lock);
    const struct meter *meter = find(meters, number);
    if (meter) {
        const struct kc_meter *state = atomic_load_explicit(&meter->state, memory_order_relaxed);

        add_counts(&meter->own, stats);
        if (state != &meter->own)
            add_counts(state, stats);
    }
    mutex_unlock(&meters->lock);
}

const struct dp_band *dp_meters_apply(struct dp_meters *meters, uint32_t number, uint32_t n_bytes,
                                      uint32_t first_bytes, int64_t now_ns)
{
    struct meter *meter = find(meters, number);

    if (!meter)
        return NULL;
    int band = kc_meter_charge(atomic_load_explicit(&meter->state, memory_order_relaxed),
                               (uint64_t)now_ns, n_bytes, first_bytes);
    return band == KC_METER_PASSES ? NULL : &meter->config.bands[band];
}

bool dp_meters_is_for_kernel(struct dp_meters *meters, uint32_t number)
{
    const struct meter *meter = find(meters, number);

    if (!meter || number >= KC_N_METERS)
        return false;
    for (unsigned int i = 0; i < meter->config.n_bands; i++)
        if (meter->config.bands[i].remarks)
            return false;
    return true;
}
