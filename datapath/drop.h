/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* drop - every frame that ends here ends for a counted reason.
 *
 * Counted per ingress port; the names are the same in counters, CLI and manual. */

#include <stdint.h>

#define DROP_REASONS(X)                                                                         \
    X(DROP_NO_PORT, no_port, "the port the frame came from or was sent to is gone")             \
    X(DROP_TOO_SHORT, too_short, "shorter than an Ethernet header")                             \
    X(DROP_TOO_LONG, too_long, "longer than the egress port's MTU allows")                      \
    X(DROP_BAD_OFFLOAD, bad_offload, "checksum or GSO request does not fit the frame")          \
    X(DROP_MISS_BUDGET, miss_budget, "the ingress port exceeded its share of cache misses")     \
    X(DROP_NO_MEMORY, no_memory, "no memory for the frame or its verdict")                      \
    X(DROP_TX_FULL, tx_full, "the egress port's queue was full")                                \
    X(DROP_TX_DOWN, tx_down, "the egress port is down")                                         \
    X(DROP_TX_ERROR, tx_error, "the kernel refused the frame")                                  \
    X(DROP_TABLE_MISS, table_miss, "no flow matched")                                           \
    X(DROP_BY_FLOW, by_flow, "the matching flow has no output")                                 \
    X(DROP_NO_BRIDGE, no_bridge, "the ingress port belongs to no bridge")                       \
    X(DROP_PORT_NO_RECEIVE, port_no_receive, "the ingress port is configured not to receive")   \
    X(DROP_OUTPUT_TO_NOWHERE, output_to_nowhere, "all outputs were absent or the ingress port") \
    X(DROP_VLAN_FILTERED, vlan_filtered, "the ingress port does not admit the VLAN")            \
    X(DROP_RESERVED_MULTICAST, reserved_multicast, "802.1Q reserved group address")             \
    X(DROP_RECURSION_TOO_DEEP, recursion_too_deep, "64 resubmits deep")                         \
    X(DROP_TOO_MANY_RESUBMITS, too_many_resubmits, "4096 resubmits")                            \
    X(DROP_TOO_MANY_ACTIONS, too_many_actions, "the verdict is too long")                       \
    X(DROP_FRAGMENT, fragment, "fragments are dropped by configuration")                        \
    X(DROP_BAD_TTL, bad_ttl, "TTL reached zero")                                                \
    X(DROP_TOO_MANY_LABELS, too_many_labels, "more than 3 MPLS labels")                         \
    X(DROP_NOT_SEGMENTABLE, not_segmentable, "nobody can segment it behind an MPLS label")      \
    X(DROP_METER, meter, "a meter's rate was exceeded")                                         \
    X(DROP_SHUTTING_DOWN, shutting_down, "the switch is stopping")                              \
    X(DROP_TOO_MANY_STEPS, too_many_steps, "65536 steps")

enum drop_reason {
#define X(id, name, text) id,
    DROP_REASONS(X)
#undef X
        DROP_N_REASONS
};

const char *drop_reason_name(enum drop_reason reason); /* "vlan_filtered" */
const char *drop_reason_text(enum drop_reason reason); /* One clause for a person. */
