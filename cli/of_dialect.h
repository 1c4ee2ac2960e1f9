/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* of_dialect - in which OpenFlow a command is said: -O and -F, and what it needs.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "lib/openflow/messages.h"
#include "lib/openflow/packet.h"

struct of_dialect {
    uint32_t versions; /* To offer: bits of OF_VERSION_BIT(). */
    uint32_t later;    /* Where 1.0 is only the default: what else may be offered. */
    bool uses_nxm;     /* OpenFlow 1.0: flows are said in Nicira's form ... */
    bool has_table_id; /* ... and with their table. */
};

#define OF_VERSIONS_FROM(version) (OF_VERSIONS_KNOWN & ~(OF_VERSION_BIT(version) - 1))

/* Are -O and -F understood? */
int of_dialect_check(const struct options *options, struct error *error);

/* 'possible' are the versions that can say what the command is about.  Without -O and -F it is
 * OpenFlow 1.0 or, where that is not possible, all that are. */
int of_dialect_choose(const struct options *options, uint32_t possible, struct of_dialect *dialect,
                      struct error *error);

/* The same for bundles: -O of an earlier version has no say, as with ovs-ofctl(8). */
int of_dialect_choose_bundle(const struct options *options, struct of_dialect *dialect,
                             struct error *error);

/* What -P says. */
int of_packet_in_format_parse(const char *word, enum of_packet_in_format *format,
                              struct error *error);
