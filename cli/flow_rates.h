/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_rates - how much has each flow seen since the last time, and which has seen most?
 *
 * Between flow_rates_begin() and flow_rates_end() all flows are told with their counters, whenever
 * that happens.  A flow that is new, or whose counters went back because it was added again, counts
 * from 0; one that was not told is forgotten.
 *
 * Threads  None: the rates belong to one caller.
 * Time     Never reads a clock: callers pass 'now_ns'. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow_rate {
    const char *name; /* What flow_rates_add() was given; borrowed from the rates. */
    uint64_t n_packets, n_bytes;
    double packets_per_s, bytes_per_s;
};

struct flow_rates;

struct flow_rates *flow_rates_create(void);
void flow_rates_destroy(struct flow_rates *rates); /* NULL is fine. */

void flow_rates_begin(struct flow_rates *rates, int64_t now_ns);
/* 'name' is what makes the flow the same one. */
void flow_rates_add(struct flow_rates *rates, const char *name, uint64_t n_packets,
                    uint64_t n_bytes);

/* The flows that have seen anything, the busiest first: by packets or by bytes.  'rates' are good
 * until the next begin.  The first time there is nothing to compare with, so there are none. */
size_t flow_rates_end(struct flow_rates *rates, bool by_bytes, const struct flow_rate **sorted);

/* Of all flows, and the time they are about. */
struct flow_rate flow_rates_sum(const struct flow_rates *rates);
double flow_rates_elapsed_s(const struct flow_rates *rates);
