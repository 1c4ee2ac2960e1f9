/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* message_text - OpenFlow messages as people read them, as ovs-ofctl(8) prints them:
 *
 *     OFPT_FLOW_MOD (OF1.3) (xid=0x4): ADD table:1 tcp,tp_dst=80 actions=output:2
 *
 * A table says for each kind of message what follows its head.  What cannot be read is shown in
 * hexadecimal, with the error that a peer would be told.  The functions for parts of messages serve
 * those who print them otherwise.
 *
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/openflow/messages.h"
#include "lib/openflow/names.h"
#include "lib/openflow/ports.h"
#include "lib/openflow/queues.h"
#include "lib/openflow/stats.h"
#include "lib/openflow/tables.h"
#include "lib/openflow/tlv_table.h"

struct buffer;

/* One message, however wrong or short; ends with a line break. */
void of_message_format(const void *data, size_t n_bytes, const struct of_names *names,
                       struct buffer *out);

/* Sixteen bytes a line, with their offsets and what of them is ASCII. */
void of_hex_dump(const void *data, size_t n_bytes, struct buffer *out);

/* Lines with an indentation, each ending with a line break. */
void of_features_format(const struct of_features *features, enum of_version version,
                        struct buffer *out);
void of_port_info_format(const struct of_port_info *info, enum of_version version,
                         struct buffer *out);
void of_port_stats_format(const struct of_port_stats *stats, enum of_version version,
                          const struct of_names *names, struct buffer *out);
void of_queue_stats_format(const struct of_queue_stats *stats, const struct of_names *names,
                           struct buffer *out);
void of_tlv_maps_format(const struct of_tlv_map *maps, size_t n_maps, struct buffer *out);
void of_tlv_table_format(const struct of_tlv_table *table, struct buffer *out);

/* "PORT_DOWN NO_FLOOD", "10GB-FD COPPER"; "0" if there are none. */
void of_port_config_format(uint32_t config, struct buffer *out);
void of_port_state_format(uint32_t state, struct buffer *out);
void of_port_features_format(uint32_t features, struct buffer *out);

/* The fastest of its features, as OpenFlow 1.0 tells no other speed. */
uint32_t of_port_speed_mbps(uint32_t features);

/* "normal", "nx-match"; "FLOW_STATS TABLE_STATS". */
const char *of_frag_mode_name(enum of_frag_mode mode);
void of_capabilities_format(uint32_t capabilities, struct buffer *out);
