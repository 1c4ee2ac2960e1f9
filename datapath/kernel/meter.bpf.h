/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* meter.bpf - what the meters of a verdict say to a frame.
 *
 * Threads  See lookup.bpf.h. */

#include "datapath/kernel/lookup.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, KC_N_METERS);
    __type(key, __u32);
    __type(value, struct kc_meter);
} kc_meters SEC(".maps");

/* KC_METER_PASSES, KC_METER_DROPS, or by how many steps the frame's precedence is to be raised.  Not static: the
 * verifier looks at it once. */
__noinline int kc_meter_decide(__u32 place, __u32 n_bytes, __u32 first_bytes)
{
    struct kc_meter *meter = bpf_map_lookup_elem(&kc_meters, &place);

    if (!meter)
        return KC_METER_PASSES;
    int band = kc_meter_charge(meter, bpf_ktime_get_ns(), n_bytes, first_bytes);
    if (band < 0 || band >= KC_METER_BANDS)
        return KC_METER_PASSES;
    return meter->bands[band].remarks ? meter->bands[band].precedence : KC_METER_DROPS;
}

static __always_inline int kc_meter_step(struct kc_program *program, const struct kc_step *step,
                                         __u32 n_bytes, __u32 first_bytes)
{
    int result = kc_meter_decide(step->arg, n_bytes, first_bytes);

    if (result != KC_METER_DROPS && step->is_counted) {
        __sync_fetch_and_add(&program->n_passed_packets, 1);
        __sync_fetch_and_add(&program->n_passed_bytes, n_bytes);
    }
    return result;
}
