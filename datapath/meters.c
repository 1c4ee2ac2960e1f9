/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers, and places in the kernel's memory, are given in turn, so that one which some processor may still be about
 * to use is not another meter's by then. */

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
    _Atomic uint32_t place;         /* There; DP_METER_NONE: nowhere. */
    struct kc_meter own;
};

enum place { PLACE_FREE, PLACE_TAKEN, PLACE_RESERVED };

struct dp_meters {
    struct mutex lock;
    uint32_t last_number GUARDED_BY(lock), n GUARDED_BY(lock);
    struct kc_meter *memory GUARDED_BY(lock); /* The kernel's; NULL: none. */
    uint32_t last_place GUARDED_BY(lock), n_free_places GUARDED_BY(lock);
    uint8_t places[KC_N_METERS] GUARDED_BY(lock); /* enum place. */
    struct meter *_Atomic by_number[DP_METERS_MAX];
};

struct dp_meters *dp_meters_create(void) NO_LOCK_ANALYSIS
{
    struct dp_meters *meters = calloc(1, sizeof *meters);

    if (!meters)
        return NULL;
    mutex_init(&meters->lock);
    meters->last_number = DP_METERS_MAX - 1;
    meters->last_place = KC_N_METERS - 1;
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
        .remarks = from->remarks,
        .precedence = from->precedence,
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

/* Places */

static uint32_t take_place_locked(struct dp_meters *meters) REQUIRES(meters->lock)
{
    if (!meters->n_free_places)
        return DP_METER_NONE;
    do
        meters->last_place = (meters->last_place + 1) % KC_N_METERS;
    while (meters->places[meters->last_place] != PLACE_FREE);
    meters->places[meters->last_place] = PLACE_TAKEN;
    meters->n_free_places--;
    return meters->last_place;
}

static void free_place_locked(struct dp_meters *meters, uint32_t place) REQUIRES(meters->lock)
{
    meters->places[place] = PLACE_FREE;
    meters->n_free_places++;
}

/* Whatever time its buckets were full at, they still are. */
static void settle_locked(struct dp_meters *meters, struct meter *meter) REQUIRES(meters->lock)
{
    uint32_t place = take_place_locked(meters);

    if (place == DP_METER_NONE)
        return;
    struct kc_meter *state = &meters->memory[place];
    set_limits(state, &meter->config);
    for (unsigned int i = 0; i < meter->config.n_bands; i++)
        state->bands[i].full = kc_meter_load(&meter->own.bands[i].full);
    atomic_store_explicit(&meter->state, state, memory_order_release);
    atomic_store_explicit(&meter->place, place, memory_order_release);
}

void dp_meters_set_memory(struct dp_meters *meters, struct kc_meter *memory,
                          const bool reserved[KC_N_METERS])
{
    mutex_lock(&meters->lock);
    meters->memory = memory;
    for (uint32_t i = 0; i < KC_N_METERS; i++) {
        if (reserved && reserved[i])
            meters->places[i] = PLACE_RESERVED;
        else
            free_place_locked(meters, i);
    }
    for (uint32_t i = 0; i < DP_METERS_MAX; i++) {
        struct meter *meter = atomic_load_explicit(&meters->by_number[i], memory_order_relaxed);
        if (meter)
            settle_locked(meters, meter);
    }
    mutex_unlock(&meters->lock);
}

void dp_meters_release_reserved(struct dp_meters *meters)
{
    mutex_lock(&meters->lock);
    for (uint32_t i = 0; i < KC_N_METERS; i++)
        if (meters->places[i] == PLACE_RESERVED)
            free_place_locked(meters, i);
    mutex_unlock(&meters->lock);
}

/* Life */

static uint32_t take_number_locked(struct dp_meters *meters) REQUIRES(meters->lock)
{
    if (meters->n == DP_METERS_MAX)
        return DP_METER_NONE;
    do
        meters->last_number = (meters->last_number + 1) % DP_METERS_MAX;
    while (atomic_load_explicit(&meters->by_number[meters->last_number], memory_order_relaxed));
    meters->n++;
    return meters->last_number;
}

uint32_t dp_meters_add(struct dp_meters *meters, const struct dp_meter_config *config)
{
    struct meter *meter = calloc(1, sizeof *meter);
    uint32_t number;

    assert(config->n_bands >= 1 && config->n_bands <= DP_METER_BANDS);
    if (!meter)
        return DP_METER_NONE;
    meter->config = *config;
    set_limits(&meter->own, config);
    atomic_init(&meter->state, &meter->own);
    atomic_init(&meter->place, DP_METER_NONE);
    mutex_lock(&meters->lock);
    number = take_number_locked(meters);
    if (number != DP_METER_NONE) {
        settle_locked(meters, meter);
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

static void leave_locked(struct dp_meters *meters, const struct meter *meter) REQUIRES(meters->lock)
{
    uint32_t place = atomic_load_explicit(&meter->place, memory_order_relaxed);

    if (place == DP_METER_NONE)
        return;
    __atomic_store_n(&meters->memory[place].n_bands, 0, __ATOMIC_RELEASE);
    free_place_locked(meters, place);
}

void dp_meters_remove(struct dp_meters *meters, uint32_t number)
{
    mutex_lock(&meters->lock);
    struct meter *meter = find(meters, number);
    if (meter) {
        leave_locked(meters, meter);
        atomic_store_explicit(&meters->by_number[number], NULL, memory_order_relaxed);
        meters->n--;
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
    int band = kc_meter_charge(atomic_load_explicit(&meter->state, memory_order_acquire),
                               (uint64_t)now_ns, n_bytes, first_bytes);
    return band == KC_METER_PASSES ? NULL : &meter->config.bands[band];
}

uint32_t dp_meters_place(struct dp_meters *meters, uint32_t number)
{
    const struct meter *meter = find(meters, number);

    return meter ? atomic_load_explicit(&meter->place, memory_order_acquire) : DP_METER_NONE;
}
