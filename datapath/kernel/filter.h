/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* filter - by what our filter is known among those of a clsact qdisc: the last priority there is, "weir" as its
 * handle, and the name of its program.
 *
 * Last, because it never lets go of a frame: filters of others do what they did before there was a switch.  What they
 * accept, redirect or drop does not come to us; what they leave undecided (TC_ACT_UNSPEC, "continue") does. */

enum { FILTER_HANDLE = 0x77656972, FILTER_PRIORITY = 0xffff };

#define FILTER_PROGRAM        "weir_ingress"
#define FILTER_EGRESS_PROGRAM "weir_egress"
