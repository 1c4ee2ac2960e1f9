/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* rewrite - change headers of a frame, and every checksum over them.
 *
 * Checksums are brought up to date, not computed anew (RFC 1624): one that was wrong stays wrong, for
 * the receiver to see.  A transport checksum that is still left to hardware covers only the pseudo
 * header so far: it follows address changes and ignores the others.  A UDP checksum of 0, "none", stays.
 * A header that is absent, or was too short for flow_extract(), is not changed.
 *
 * Not changed either, as they say what a frame is: types, protocols, lengths, TCP flags, fragment
 * bits, the CFI bit of a tag.
 *
 * Threads  A packet has one owner, who also owns its bytes: shared bytes are copied first. */

#include "lib/packet.h"

/* Word 'word' of the flow key: replaces the bits of 'mask' by 'value', both in network order.  'key' is
 * what flow_extract() said of this packet. */
void rewrite_set(struct packet *packet, const struct flow_key *key, unsigned int word,
                 uint64_t value, uint64_t mask);

/* RFC 2597: a frame of an assured forwarding class may be dropped earlier by 'n_steps', up to the last of three.  Others
 * are not changed. */
void rewrite_drop_precedence(struct packet *packet, uint8_t n_steps);

/* False: the frame is too short, or there is no room in front. */
bool rewrite_push_vlan(struct packet *packet, uint16_t tpid, uint16_t tci);

/* As pushing, for a tag that the frame came with: its CFI bit is kept. */
bool rewrite_restore_vlan(struct packet *packet, uint16_t tpid, uint16_t tci);

bool rewrite_pop_vlan(struct packet *packet); /* False: no tag. */

/* A label behind 'n_tags' tags, 'type' in front of it, or of what is behind the label that is removed.  A
 * checksum that was left to hardware is completed, as no hardware finds it behind a label.  The packet is to
 * be parsed anew.  False, and nothing done: the frame is too short, or there is no room in front. */
bool rewrite_push_mpls(struct packet *packet, unsigned int n_tags, uint16_t type, uint32_t lse);
bool rewrite_pop_mpls(struct packet *packet, unsigned int n_tags, uint16_t type);

/* Executes 'action' if all it does is to change headers; 'key' then follows where the packet had to be
 * parsed anew.  False: it does something else. */
struct dp_action;
bool rewrite_execute(struct packet *packet, struct flow_key *key, const struct dp_action *action);
