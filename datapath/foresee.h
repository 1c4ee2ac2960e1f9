/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* foresee - which cache would treat frames like this one, once two of them have come?
 *
 * For people who ask why a flow is slow.  Nothing is cached by asking.
 *
 * Threads  The main thread. */

#include "datapath/datapath.h"

enum dp_cache {
    DP_CACHE_NONE,      /* Each frame is translated. */
    DP_CACHE_USERSPACE, /* A megaflow, and the microflows below it. */
    DP_CACHE_KERNEL,
};

struct dp_outlook {
    enum dp_cache cache;
    const char
        *path; /* How frames of the port travel (datapath_port_path()); NULL: there is no port. */
    const char *reason; /* Why no better cache; a clause for people, or NULL. */
    struct flow_key
        fields; /* Where 'reason' is that the kernel's key has not all bits: those it lacks. */
};

const char *dp_cache_name(enum dp_cache cache); /* "none", "megaflow", "kernel" */

/* Of 'verdict' for a frame with 'key', whose in_port is a datapath port. */
void datapath_foresee(struct datapath *dp, const struct flow_key *key,
                      const struct verdict *verdict, struct dp_outlook *outlook);
