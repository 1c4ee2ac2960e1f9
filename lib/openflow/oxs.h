/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* oxs - the flow statistics of OpenFlow 1.5 (section 7.2.4): entries of a header and a value, like OXM.
 *
 * Threads  Plain functions. */

#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/errors.h"

struct buffer;

struct of_oxs {
    uint32_t duration_s, duration_ns;
    int32_t idle_age_s;          /* -1: not known. */
    uint32_t n_flows;            /* Only in an aggregate. */
    uint64_t n_packets, n_bytes; /* UINT64_MAX: not known. */
};

/* Which entries are written; those that are not known are left out in any case. */
enum of_oxs_entries {
    OXS_DURATION = 1 << 0,
    OXS_IDLE_TIME = 1 << 1,
    OXS_FLOW_COUNT = 1 << 3,
    OXS_PACKET_COUNT = 1 << 4,
    OXS_BYTE_COUNT = 1 << 5,
};

/* An ofp_stats at the start of 'wire': 'n_used' of it, with padding.  Entries that are not understood
 * are skipped, those that are not there leave "not known", and 0 for times and flows. */
enum of_error of_oxs_decode(const void *wire, size_t n_bytes, struct of_oxs *stats, size_t *n_used);
void of_oxs_encode(const struct of_oxs *stats, unsigned entries, struct buffer *out);
