/* SPDX-License-Identifier: Apache-2.0 */

/* Does the frame parser stay within the frame, and is its key a function of the frame alone?
 * The first input byte chooses whether the frame is GSO. */

#include <stdlib.h>

#include "lib/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)  \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

/* Parses a copy of the frame with 'n_behind' bytes of 'filler' behind its end. */
static void parse_copy(const uint8_t *frame, uint32_t n_bytes, bool is_gso, uint32_t n_behind,
                       int filler, struct packet *packet, struct flow_key *key)
{
    uint8_t *copy = malloc(n_bytes + n_behind + 1);

    CHECK(copy);
    copy = realloc(copy, n_bytes + n_behind ? n_bytes + n_behind : 1);
    memcpy(copy, frame, n_bytes);
    memset(copy + n_bytes, filler, n_behind);
    memset(packet, 0, sizeof *packet);
    packet->start = packet->data = copy;
    packet->capacity = n_bytes + n_behind;
    packet->size = n_bytes;
    packet->vnet.gso_type = is_gso ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE;
    memset(key, filler, sizeof *key);
    flow_extract(packet, be32_from(7), key);
    packet->start = packet->data = NULL;
    free(copy);
}

static void check_offsets(const struct packet *packet, const struct flow_key *key)
{
    bool has_l3 = packet->l3_offset != PACKET_OFFSET_NONE;
    bool has_l4 = packet->l4_offset != PACKET_OFFSET_NONE;

    CHECK(!has_l3 || packet->l3_offset < packet->size);
    CHECK(!has_l4 || (has_l3 && packet->l4_offset > packet->l3_offset));
    CHECK(!has_l4 || (uint32_t)packet->l4_offset + packet->l4_bytes <= packet->size);
    CHECK(has_l4 == (packet->l4_bytes > 0));
    CHECK(!has_l4 || (flow_is_ip(key) && !(key->nw_frag & NW_FRAG_LATER)));
    CHECK(has_l4 || !(key->tp_src.raw | key->tp_dst.raw | key->tcp_flags.raw));
    CHECK(has_l3 || !(key->nw_src.raw | key->nw_dst.raw | key->nw_proto | key->nw_frag));
    CHECK(packet->vlan_bytes % 4 == 0 && packet->vlan_bytes <= 4 * FLOW_N_VLANS);
    for (int i = 0; i < FLOW_N_VLANS; i++) {
        bool has_tag = i < packet->vlan_bytes / 4;

        CHECK(!!(be16_host(key->vlan[i].tci) & VLAN_CFI) == has_tag);
        CHECK(!!key->vlan[i].tpid.raw == has_tag);
    }
}

static void check_padding(const struct flow_key *key)
{
    static const uint8_t zeros[4];

    CHECK(!memcmp(key->pad1, zeros, sizeof key->pad1));
    CHECK(!memcmp(key->pad2, zeros, sizeof key->pad2));
    CHECK(!memcmp(key->pad4, zeros, sizeof key->pad4));
    CHECK(!(key->recirc_id.raw | key->pkt_mark.raw | key->skb_priority.raw));
    CHECK(be32_host(key->in_port) == 7);
    CHECK(be32_host(key->ipv6_label) <= 0xfffff && be16_host(key->tcp_flags) <= 0xfff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet packet, other_packet;
    struct flow_key key, other_key;

    if (size < 1 || size > PACKET_MAX_BYTES)
        return 0;
    bool is_gso = data[0] & 1;
    uint32_t n_bytes = (uint32_t)size - 1;

    parse_copy(data + 1, n_bytes, is_gso, 0, 0x5a, &packet, &key);
    check_offsets(&packet, &key);
    check_padding(&key);

    parse_copy(data + 1, n_bytes, is_gso, 64, 0xff, &other_packet, &other_key);
    CHECK(flow_key_is_equal(&key, &other_key));
    CHECK(packet.l3_offset == other_packet.l3_offset && packet.l4_offset == other_packet.l4_offset);

    /* What the IP header says is not there is not looked at. */
    if (packet.l4_offset != PACKET_OFFSET_NONE && !is_gso) {
        parse_copy(data + 1, packet.l4_offset + packet.l4_bytes, is_gso, 0, 0, &other_packet,
                   &other_key);
        CHECK(flow_key_is_equal(&key, &other_key));
    }
    return 0;
}
