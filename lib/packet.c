/* SPDX-License-Identifier: Apache-2.0 */

/* Userspace's end of the parser. */

#include "lib/packet.h"

#include "lib/flow_parse.h"

static_assert((int)FLOW_PARSE_NONE == (int)PACKET_OFFSET_NONE, "parse results are copied");

void flow_extract(struct packet *packet, be32 in_port, struct flow_key *key)
{
    struct flow_parse parse;

    memset(key, 0, sizeof *key);
    key->in_port = in_port;

    flow_parse_init(&parse, packet->data, packet->data + packet->size, packet->size,
                    packet_is_gso(packet));
    flow_parse_frame(&parse, key);

    packet->l3_offset = parse.l3_offset;
    packet->l4_offset = parse.l4_offset;
    packet->vlan_bytes = parse.vlan_bytes;
    packet->l4_bytes = parse.l4_bytes;
}
