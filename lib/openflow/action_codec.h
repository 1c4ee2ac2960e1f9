/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* action_codec - lists of struct ofa on the wire, and the check that they make sense.
 *
 * Decoding checks form: lengths, known types, padding, argument ranges.  ofa_check() then checks sense:
 * prerequisites against the flow's match, tables, ports.  What is not known is an error, never skipped.
 *
 * Memory   Decoded lists are appended to a buffer that should be empty, as structs are aligned in it;
 *          on error it may hold part of a list.
 * Threads  Plain functions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/match.h"
#include "lib/openflow/actions.h"
#include "lib/openflow/errors.h"

struct buffer;

/* A list of actions, as in a 1.0 flow_mod or any packet_out. */
enum of_error ofa_decode_actions(const void *wire, size_t n_bytes, enum of_version version,
                                 struct buffer *out);

/* Instructions of 1.1 and later. */
enum of_error ofa_decode_instructions(const void *wire, size_t n_bytes, enum of_version version,
                                      struct buffer *out);

/* In OpenFlow 1.0, instructions that have an equivalent action become that. */
void ofa_encode_actions(struct ofa_list list, enum of_version version, struct buffer *out);
void ofa_encode_instructions(struct ofa_list list, enum of_version version, struct buffer *out);

struct ofa_check {
    enum of_version version; /* 1.0 tolerates mod_* actions whose header may be missing. */
    uint8_t table_id;        /* Of the flow; OF_TABLE_ALL: not known. */
    uint8_t n_tables;        /* goto_table must stay below. */
    of_port max_ports;       /* Other outputs are reserved ports; OFPP_MAX is usual. */
};

/* Does 'list' make sense for flows of 'match'?  Also fills ofa_vlan.flow_has_vlan. */
enum of_error ofa_check(struct buffer *list, const struct match *match,
                        const struct ofa_check *check);

/* Can a version say all of it?  Of a flow, or of a bucket or frame, which have no instructions. */
bool ofa_flow_fits(struct ofa_list list, enum of_version version);
bool ofa_actions_fit(struct ofa_list list, enum of_version version);

/* Does 'list' output to 'port' (flow_mod's and statistics' out_port)?  OFPP_NONE: yes. */
bool ofa_outputs_to(struct ofa_list list, of_port port);
bool ofa_outputs_to_group(struct ofa_list list, uint32_t group_id); /* OF_GROUP_ANY: yes. */

/* What actions name must be there before a flow may come: OFPBAC_BAD_OUT_GROUP,
 * OFPMMFC_INVALID_METER. */
struct ofa_referents {
    bool (*has_group)(void *aux, uint32_t group_id);
    bool (*has_meter)(void *aux, uint32_t meter_id);
    void *aux;
};

enum of_error ofa_check_references(struct ofa_list list, const struct ofa_referents *referents);

/* The fields tun_metadataN that the actions name: bit N. */
uint64_t ofa_options(struct ofa_list list);

/* Is there something that executes each action?  OFPBAC_BAD_TYPE as from an Open vSwitch whose datapath lacks
 * it, OFPBAC_BAD_SET_ARGUMENT for fields. */
enum of_error ofa_check_engines(struct ofa_list list);
