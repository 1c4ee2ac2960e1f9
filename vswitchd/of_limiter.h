/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_limiter - no more than so many packet_ins a second to one controller, shared fairly between ports.
 *
 * A token bucket of 'burst' messages.  What finds it empty waits in the queue of the port it came by; ports take
 * turns when there are tokens again.  With 'burst' messages waiting, the port with most of them loses
 * its oldest for each that comes: one port cannot take the place of others.
 *
 * Threads  The main thread.
 * Memory   Owns the messages that wait: at most 'burst', of 64 KiB each.
 * Time     Callers pass 'now_ns'. */

#include <stdbool.h>
#include <stdint.h>
#include <urcu/list.h>

#include "lib/openflow/openflow.h"

struct buffer;

struct of_limiter_stats {
    uint64_t n_bypassed, n_queued, n_dropped; /* Sent at once; had to wait; given up. */
    uint32_t n_waiting;
};

struct of_limiter {
    uint32_t rate; /* Per second; 0: no limit. */
    uint32_t burst;
    double n_tokens;
    int64_t filled_ns;
    struct cds_list_head ports; /* With messages; the first is next to send. */
    struct of_limiter_stats stats;
};

void of_limiter_init(struct of_limiter *limiter);
void of_limiter_fini(struct of_limiter *limiter);

/* 'burst' 0: a quarter of 'rate'.  Does nothing if that is what it has; else counts begin anew. */
void of_limiter_set(struct of_limiter *limiter, uint32_t rate, uint32_t burst, int64_t now_ns);

/* Appends 'message', which came by 'port', to 'out' if it may go at once; else it waits. */
bool of_limiter_send(struct of_limiter *limiter, of_port port, const struct buffer *message,
                     int64_t now_ns, struct buffer *out);

/* Appends a message that may go now.  False: there is none. */
bool of_limiter_run(struct of_limiter *limiter, int64_t now_ns, struct buffer *out);

/* When that is worth calling again; INT64_MAX: nothing waits. */
int64_t of_limiter_next_ns(const struct of_limiter *limiter);
