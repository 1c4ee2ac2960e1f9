/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* tc_filters - whose filters are on a device (tc(8), tc-bpf(8))?
 *
 * Threads  Any: each call is one exchange on a socket of its own. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tc_filter {
    char kind[16]; /* "bpf", "u32" ... */
    uint16_t priority;
    uint32_t handle;
    uint32_t program_id; /* Of a bpf filter, else 0. */
};

/* Up to 'max' filters on the clsact (or ingress) qdisc of the device, of frames on their way in or out, in the order in
 * which they are asked.  How many; or negative errno. */
int tc_filters_list(int ifindex, bool is_egress, struct tc_filter *filters, size_t max);
