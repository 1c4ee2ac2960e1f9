/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel checks again what we hand it; this is for our own arithmetic, and so that a bad frame is
 * counted where it came in. */

#include "datapath/offload.h"

#include "lib/checksum.h"

enum { ETH_HEADER_BYTES = 14, TCP_CHECKSUM_OFFSET = 16, UDP_CHECKSUM_OFFSET = 6 };

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

static uint8_t offload_gso_kind(const struct packet *packet)
{
    return packet->vnet.gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
}

static bool offload_is_known_gso(uint8_t kind)
{
    return kind == VIRTIO_NET_HDR_GSO_NONE || kind == VIRTIO_NET_HDR_GSO_TCPV4 ||
           kind == VIRTIO_NET_HDR_GSO_TCPV6 || kind == VIRTIO_NET_HDR_GSO_UDP ||
           kind == VIRTIO_NET_HDR_GSO_UDP_L4;
}

bool offload_check_header(struct packet *packet)
{
    struct virtio_net_hdr *vnet = &packet->vnet;

    if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
        offload_clear(packet);
        return true;
    }

    /* Segments need checksums: virtio 1.2, section 5.1.6.2.1. */
    if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
        !offload_is_known_gso(offload_gso_kind(packet)))
        return false;
    vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    if (vnet->csum_start < ETH_HEADER_BYTES ||
        (uint32_t)vnet->csum_start + vnet->csum_offset + 2 > packet->size)
        return false;

    if (offload_gso_kind(packet) == VIRTIO_NET_HDR_GSO_NONE) {
        vnet->gso_type = VIRTIO_NET_HDR_GSO_NONE;
        vnet->gso_size = vnet->hdr_len = 0;
        return true;
    }
    return vnet->gso_size > 0 && vnet->hdr_len <= packet->size;
}

static bool offload_is_hidden(const struct flow_key *key)
{
    uint16_t type = be16_host(key->eth_type);

    return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ || type == ETH_TYPE_MPLS ||
           type == ETH_TYPE_MPLS_MULTICAST;
}

bool offload_check_frame(struct packet *packet, const struct flow_key *key)
{
    struct virtio_net_hdr *vnet = &packet->vnet;
    uint8_t kind = offload_gso_kind(packet);
    uint16_t type = be16_host(key->eth_type);

    if (kind == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (packet->l4_offset == PACKET_OFFSET_NONE)
        return offload_is_hidden(key); /* Behind a third tag or MPLS: the kernel shall judge. */
    if (vnet->csum_start != packet->l4_offset || key->nw_frag)
        return false;

    if (kind == VIRTIO_NET_HDR_GSO_TCPV4 || kind == VIRTIO_NET_HDR_GSO_TCPV6) {
        uint16_t wanted = kind == VIRTIO_NET_HDR_GSO_TCPV4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6;

        if (type != wanted || key->nw_proto != IP_PROTO_TCP ||
            vnet->csum_offset != TCP_CHECKSUM_OFFSET)
            return false;
        vnet->hdr_len =
            (uint16_t)(packet->l4_offset + (packet->data[packet->l4_offset + 12] >> 4) * 4);
        return true;
    }
    vnet->hdr_len = (uint16_t)(packet->l4_offset + 8);
    return key->nw_proto == IP_PROTO_UDP && vnet->csum_offset == UDP_CHECKSUM_OFFSET;
}

void offload_shift(struct packet *packet, int n_bytes)
{
    if (!packet_needs_checksum(packet))
        return;
    if (packet->vnet.csum_start + n_bytes < ETH_HEADER_BYTES) {
        offload_clear(packet); /* So much was popped that the header with the checksum has gone. */
        return;
    }
    packet->vnet.csum_start = (uint16_t)(packet->vnet.csum_start + n_bytes);
    if (packet->vnet.hdr_len)
        packet->vnet.hdr_len = (uint16_t)(packet->vnet.hdr_len + n_bytes);
}

void offload_cut(struct packet *packet)
{
    const struct virtio_net_hdr vnet = packet->vnet;

    offload_clear(packet);
    if (!(vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
        (uint32_t)vnet.csum_start + vnet.csum_offset + 2 > packet->size)
        return;
    packet->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    packet->vnet.csum_start = vnet.csum_start;
    packet->vnet.csum_offset = vnet.csum_offset;
}

bool offload_complete_checksum(struct packet *packet)
{
    struct virtio_net_hdr *vnet = &packet->vnet;

    if (packet_is_gso(packet))
        return false;
    if (!packet_needs_checksum(packet))
        return true;

    /* The field holds the sum of the pseudo header, and is summed with the rest. */
    uint8_t *from = packet->data + vnet->csum_start;
    be16 checksum = checksum_of(from, packet->size - vnet->csum_start);
    if (vnet->csum_offset == UDP_CHECKSUM_OFFSET && !checksum.raw)
        checksum.raw = UINT16_MAX; /* RFC 768: 0 would mean "none". */
    memcpy(from + vnet->csum_offset, &checksum, sizeof checksum);
    offload_clear(packet);
    return true;
}
