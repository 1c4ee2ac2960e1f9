/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* qdisc - the little that we want from traffic control (tc(8)).
 *
 * Errors   The kernel's errno, with a sentence.
 * Threads  Any. */

#include <stdbool.h>

#include "lib/error.h"

/* Frames sent to the device go to its driver at once. */
int qdisc_set_noqueue(int ifindex, struct error *error);

/* Has the device a clsact qdisc?  One of the kind "ingress" can be in its place. */
bool qdisc_is_clsact(int ifindex);

/* How many filters are on its clsact qdisc, both ways; negative errno if that cannot be told. */
int qdisc_n_clsact_filters(int ifindex);

/* The same for frames on their way out only. */
int qdisc_n_egress_filters(int ifindex);
