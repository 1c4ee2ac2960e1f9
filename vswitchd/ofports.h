/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* ofports - which OpenFlow port number does each interface of a bridge get?
 *
 * Flows and controllers name ports by number, so a number, once given, stays with its interface: over
 * restarts (Interface.ofport remembers it), while its device is away, and against another
 * interface that requests it (Interface.ofport_request).  Only its own request for a free number moves an
 * interface.  New ones without a request get the lowest number that nobody holds or requests.
 *
 * Threads  Plain values. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/openflow/openflow.h"

struct ofport_wish {
    of_port request; /* OFPP_NONE: none. */
    of_port held;    /* OFPP_NONE: none. */
    bool is_local;   /* The bridge's own port, always OFPP_LOCAL. */
    of_port result;  /* OFPP_NONE: all numbers are taken. */
};

/* Fills in every 'result', no number twice. */
void ofports_assign(struct ofport_wish *wishes, size_t n);
