/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* meter - a limit of rate, in memory that workers and BPF programs share.
 *
 * A meter has bands, and each band a bucket that fills at the band's rate up to its burst.  A frame takes what
 * it costs out of every bucket that holds as much; of the bands whose bucket does not, that of the
 * highest rate applies.
 *
 * A bucket is one word, so that it can change by compare-and-swap: not what it holds, but the time at which it
 * will be full again (the generic cell rate algorithm).  Its age is no matter: a bucket that was full by now is
 * full, and so is one that claims to need longer than any can, because clocks of so few bits turn over.
 *
 * A frame that is still to be segmented passes if the bucket has room for its first segment, and is charged
 * whole: later frames wait the longer.  Otherwise no such frame would ever pass a small burst, though its
 * segments would.
 *
 * Threads  Any number, in userspace and BPF.  Limits are written before anybody may look. */

#include <linux/types.h>

enum {
    KC_N_METERS = 4096,
    KC_METER_BANDS = 8,
    KC_METER_TIME_BITS = 8,  /* Below the nanosecond, of times ... */
    KC_METER_COST_BITS = 12, /* ... and below those, of what a byte or frame costs. */
    KC_METER_RACES = 8,      /* Lost so often to others, a frame passes without charge. */
    KC_METER_PASSES = -1,
    KC_METER_DROPS = -2,
};

struct kc_band {
    __u64 full;      /* When it will be.  All times are in units of 2^-8 ns. */
    __u64 cost;      /* Of one byte or frame, in 2^-20 ns: how long filling that takes. */
    __u64 burst;     /* Time to fill it from empty. */
    __u64 most;      /* No bucket needs longer. */
    __u64 n_packets; /* That the band was applied to. */
    __u64 n_bytes;
    __u32 rate;
    __u8 remarks;    /* Frames beyond the rate get a lower precedence; else they are dropped. */
    __u8 precedence; /* By how many steps. */
    __u16 spare;
};

struct kc_meter {
    __u64 n_packets, n_bytes; /* All that came in. */
    __u32 n_bands;            /* 0: there is no such meter, and all frames pass. */
    __u32 counts_packets;     /* Rates are in frames, not bytes. */
    struct kc_band bands[KC_METER_BANDS];
};

/* BPF has no atomic loads, but reads words whole. */
static inline __attribute__((always_inline)) __u64 kc_meter_load(const __u64 *word)
{
#ifdef __bpf__
    return *(const volatile __u64 *)word;
#else
    return __atomic_load_n(word, __ATOMIC_RELAXED);
#endif
}

/* The verifier looks at such a function once, not once for each band and each way that leads to it. */
#ifdef __bpf__
#define KC_METER_FUNCTION __attribute__((noinline))
#else
#define KC_METER_FUNCTION static inline
#endif

/* Takes 'cost' out of the bucket; false: less than 'needs' is in it, and it stays. */
KC_METER_FUNCTION int kc_band_take(struct kc_band *band, __u64 now, __u64 cost, __u64 needs)
{
    if (!band)
        return 1; /* Only the verifier thinks so. */
    __u64 full = kc_meter_load(&band->full);

    for (int i = 0; i < KC_METER_RACES; i++) {
        __u64 missing = full - now;

        if (missing > band->most)
            missing = 0;
        if (missing + needs > band->burst)
            return 0;
        __u64 found = __sync_val_compare_and_swap(&band->full, full, now + missing + cost);
        if (found == full)
            break;
        full = found;
    }
    return 1;
}

/* The band that applies to a frame of 'n_bytes', of whose segments the first carries 'first_bytes', or
 * KC_METER_PASSES; counted. */
static inline __attribute__((always_inline)) int
kc_meter_charge(struct kc_meter *meter, __u64 now_ns, __u64 n_bytes, __u64 first_bytes)
{
    __u64 cost = meter->counts_packets ? 1 : n_bytes;
    __u64 needs = meter->counts_packets ? 1 : first_bytes;
    __u64 now = now_ns << KC_METER_TIME_BITS, highest = 0;
    int applies = KC_METER_PASSES;

    __sync_fetch_and_add(&meter->n_packets, 1);
    __sync_fetch_and_add(&meter->n_bytes, n_bytes);
    for (__u32 i = 0; i < KC_METER_BANDS && i < meter->n_bands; i++) {
        struct kc_band *band = &meter->bands[i];

        if (!kc_band_take(band, now, cost * band->cost >> KC_METER_COST_BITS,
                          needs * band->cost >> KC_METER_COST_BITS) &&
            band->rate > highest) {
            highest = band->rate;
            applies = (int)i;
        }
    }
    if (applies >= 0 && applies < KC_METER_BANDS) {
        __sync_fetch_and_add(&meter->bands[applies].n_packets, 1);
        __sync_fetch_and_add(&meter->bands[applies].n_bytes, n_bytes);
    }
    return applies;
}

/* DSCPs of assured forwarding are a class of 3 bits, a precedence of 2, and a zero. */
KC_METER_FUNCTION int kc_raise_precedence(__u32 tos, __u32 n_steps)
{
    enum { FIRST_CLASS = 1, LAST_CLASS = 4, LAST_PRECEDENCE = 3 };
    __u32 class = tos >> 5, precedence = tos >> 3 & 3;

    if (class < FIRST_CLASS || class > LAST_CLASS || !precedence || tos & 4)
        return (__u8)tos;
    precedence += n_steps;
    if (precedence > LAST_PRECEDENCE)
        precedence = LAST_PRECEDENCE;
    return (__u8)((tos & ~0x18) | precedence << 3);
}
