/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/openflow/frame_text.h"

#include <stdlib.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/wire.h"
#include "lib/packet.h"

/* Open vSwitch tells everything of a frame but these. */
static bool is_untold(const struct of_field *field)
{
    return field->engine == ENGINE_NOT_PARSED || field->id == FIELD_ND_RESERVED ||
           field->id == FIELD_ND_OPTIONS_TYPE;
}

/* Up to the last of them. */
static void add_inner_labels(const struct flow *flow, struct flow_key *mask)
{
    enum { BOTTOM_OF_STACK = 1 << 8 };
    const uint16_t type = be16_host(flow->key.eth_type);

    for (size_t i = 1; (type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MULTICAST) &&
                       i < FLOW_N_MPLS && !(be32_host(flow->key.mpls_lse[i - 1]) & BOTTOM_OF_STACK);
         i++)
        mask->mpls_lse[i] = be32_from(UINT32_MAX);
}

void of_match_add_frame_fields(const struct flow *flow, struct match *match)
{
    struct flow_key *mask = &match->mask.key;

    memset(&mask->eth_src, 0xff, sizeof mask->eth_src);
    memset(&mask->eth_dst, 0xff, sizeof mask->eth_dst);
    mask->eth_type = be16_from(UINT16_MAX);
    mask->vlan[0].tci = be16_from(UINT16_MAX);
    if (flow->key.vlan[0].tci.raw)
        mask->vlan[1].tci = be16_from(UINT16_MAX);
    add_inner_labels(flow, mask);
    for (int id = 0; id < N_FIELDS; id++) {
        const struct of_field *field = of_field((enum of_field_id)id);

        if (field->prereq != PREREQ_NONE && field->prereq != PREREQ_VLAN && !is_untold(field) &&
            of_field_is_meaningful(field, flow, NULL))
            of_field_add_mask(field, NULL, &match->mask);
    }
}

static void put_fields(const struct flow *flow, struct buffer *out)
{
    struct match match = {.flow = *flow};

    of_match_add_frame_fields(flow, &match);
    match_normalize(&match);
    of_match_format(&match, NULL, out);
}

/* Checksums are no fields. */
static void put_checksum(const struct packet *packet, const struct flow_key *key,
                         struct buffer *out)
{
    static const struct {
        uint16_t eth_type; /* 0: any. */
        uint8_t nw_proto;
        uint8_t offset, n_bytes, least_bytes;
        const char *name;
    } checksums[] = {
        {0, IP_PROTO_TCP, 16, 2, 20, "tcp_csum"},
        {0, IP_PROTO_UDP, 6, 2, 8, "udp_csum"},
        {0, IP_PROTO_SCTP, 8, 4, 12, "sctp_csum"},
        {ETH_TYPE_IPV4, IP_PROTO_ICMP, 2, 2, 8, "icmp_csum"},
        {ETH_TYPE_IPV6, IP_PROTO_ICMPV6, 2, 2, 8, "icmp6_csum"},
    };
    unsigned eth_type = be16_host(key->eth_type);

    if (packet->l4_offset == PACKET_OFFSET_NONE ||
        (eth_type != ETH_TYPE_IPV4 && eth_type != ETH_TYPE_IPV6))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(checksums); i++) {
        const uint8_t *at = packet->data + packet->l4_offset + checksums[i].offset;

        if (checksums[i].nw_proto == key->nw_proto &&
            (!checksums[i].eth_type || checksums[i].eth_type == eth_type) &&
            packet->l4_offset + checksums[i].least_bytes <= packet->size)
            buffer_printf(out, " %s:%x", checksums[i].name,
                          checksums[i].n_bytes == 4 ? wire_u32(at) : wire_u16(at));
    }
}

void of_frame_format(const void *frame, size_t n_bytes, struct buffer *out)
{
    size_t capacity = PACKET_HEADROOM + n_bytes;
    uint8_t *memory = calloc(1, capacity);
    struct packet packet;
    struct flow flow;

    if (!memory)
        abort();
    memset(&flow, 0, sizeof flow);
    packet_init(&packet, memory, (uint32_t)capacity);
    if (n_bytes)
        memcpy(packet.data, frame, n_bytes);
    packet.size = (uint32_t)n_bytes;
    flow_extract(&packet, be32_from(0), &flow.key);
    put_fields(&flow, out);
    put_checksum(&packet, &flow.key, out);
    buffer_putc(out, '\n');
    free(memory);
}
