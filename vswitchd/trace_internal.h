/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* trace_internal - one trace, from what is asked to what is told; for the files trace*.c.
 *
 * Threads  The main thread. */

#include "datapath/foresee.h"
#include "vswitchd/trace.h"
#include "vswitchd/xlate.h"

struct trace {
    const struct topology *topology;
    struct bridge_view *bridge;
    struct flow flow;      /* in_port is an OpenFlow port. */
    struct packet packet;  /* Empty: only its flow is known. */
    struct buffer actions; /* Of a packet-out; owned. */
    bool learned;          /* Or would have: side effects were wanted. */
    struct xlate_tracer tracer;
    struct verdict verdict;
    bool has_outlook;
    struct dp_outlook outlook;
};

/* NULL: 'error' says why. */
struct trace *trace_create(const struct topology *topology, const struct trace_request *request,
                           struct error *error);
void trace_destroy(struct trace *trace); /* NULL is fine. */

void trace_format(const struct trace *trace, struct buffer *out);
json_t *trace_to_json(const struct trace *trace);
