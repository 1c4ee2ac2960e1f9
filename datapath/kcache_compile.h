/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* kcache_compile - a megaflow's verdict in the terms of the kernel program.
 *
 * A verdict that looked at TTL or TCP flags, which no key holds, is said with a check of them: a
 * frame that fails it goes up.  So decrementing the TTL is "if it is 64, make it 63", which nearly all frames
 * of a flow pass.
 *
 * Threads  Plain values. */

#include "datapath/kcache.h"
#include "datapath/kcache_key.h"
#include "datapath/megaflow.h"
#include "datapath/meters.h"

struct kcache_verdict {
    uint32_t plain; /* A port, or KC_DROP, if that is all; KC_NOTHING: a program it is. */
    struct kc_program program;
    uint32_t words_set; /* 1 << word of the flow key. */
};

/* What the kernel has. */
struct kcache_means {
    bool (*is_reachable)(uint32_t port_no, void *arg); /* Can it send there? */
    void *arg;
    struct dp_meters *meters;
};

/* 0, or the refusal less KCACHE_N_REFUSALS. */
int kcache_compile(const struct megaflow *flow, const struct kcache_means *means,
                   struct kcache_verdict *verdict);

/* The same for a verdict that is not cached: 'actions' for frames like 'key', which looked at 'mask'. */
int kcache_compile_actions(const struct dp_action *actions, uint32_t n_actions,
                           const struct flow_key *key, const struct flow_key *mask,
                           const struct kcache_means *means, struct kcache_verdict *verdict);

/* May the verdict be cached for 'key'? */
bool kcache_verdict_suits(const struct kcache_verdict *verdict, const struct kc_key *key);

/* Has 'key' what the program checks, or is that absent from its frames anyway? */
bool kcache_verdict_has_checks(const struct kcache_verdict *verdict, const struct kc_key *key);
