/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* filter - by what our filter is known among those of a clsact qdisc: "we" as its priority, and the
 * name of its program. */

enum { FILTER_HANDLE = 1, FILTER_PRIORITY = 0x7765 };

#define FILTER_PROGRAM        "weir_ingress"
#define FILTER_EGRESS_PROGRAM "weir_egress"
