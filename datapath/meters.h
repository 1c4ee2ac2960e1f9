/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* meters - the limits of rate that verdicts name by number (DP_METER).
 *
 * Owners add a meter, put its number into verdicts, and remove it when no verdict has it any more; a number
 * is not soon used again.  Limits never change: another meter takes the place of one that is to be changed.
 * kernel/meter.h says how rates are kept.
 *
 * They are in memory that the kernel's programs can reach, once there is such memory and as long as there is room:
 * workers and programs then take from the same buckets.  A meter's place there is not its number, so that what an
 * earlier daemon has cached keeps the meters it names until it is translated anew.
 *
 * Bounds   DP_METERS_MAX.
 * Threads  dp_meters_apply() on any thread that executes verdicts; the rest on any thread, one lock.
 * Time     Callers pass 'now_ns'. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath/kernel/meter.h"

enum { DP_METERS_MAX = 1 << 18, DP_METER_BANDS = KC_METER_BANDS };

#define DP_METER_NONE UINT32_MAX

struct dp_band {
    uint32_t rate;      /* kbit/s or frames a second, not 0. */
    uint32_t burst;     /* kbit or frames; 0: as many as in one second. */
    bool remarks;       /* Frames beyond the rate get a lower precedence; else they are dropped. */
    uint8_t precedence; /* By how many steps. */
};

struct dp_meter_config {
    bool counts_packets; /* Rates are in frames. */
    uint8_t n_bands;     /* 1 to DP_METER_BANDS. */
    struct dp_band bands[DP_METER_BANDS];
};

struct dp_meter_counts {
    uint64_t n_packets, n_bytes;
};

struct dp_meter_stats {
    struct dp_meter_counts in;
    struct dp_meter_counts bands[DP_METER_BANDS]; /* That each was applied to. */
};

struct dp_meters;

struct dp_meters *dp_meters_create(void);         /* NULL: out of memory. */
void dp_meters_destroy(struct dp_meters *meters); /* NULL is fine. */

/* A number, or DP_METER_NONE: there are too many, or there is no memory. */
uint32_t dp_meters_add(struct dp_meters *meters, const struct dp_meter_config *config);
void dp_meters_remove(struct dp_meters *meters, uint32_t number);

/* Zero for a number that has no meter. */
void dp_meters_get_stats(struct dp_meters *meters, uint32_t number, struct dp_meter_stats *stats);

/* The band that applies to a frame of 'n_bytes', of whose segments the first carries 'first_bytes'; NULL: the frame
 * passes as it is. */
const struct dp_band *dp_meters_apply(struct dp_meters *meters, uint32_t number, uint32_t n_bytes,
                                      uint32_t first_bytes, int64_t now_ns);

/* From now on meters have places in 'memory' of KC_N_METERS, but for those that are 'reserved' (NULL: none) until
 * dp_meters_release_reserved().  Who charges a meter meanwhile may do so in vain. */
void dp_meters_set_memory(struct dp_meters *meters, struct kc_meter *memory,
                          const bool reserved[KC_N_METERS]);
void dp_meters_release_reserved(struct dp_meters *meters);

/* Its place in that memory, or DP_METER_NONE. */
uint32_t dp_meters_place(struct dp_meters *meters, uint32_t number);
