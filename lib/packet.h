/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* packet - one frame in memory, with what the sender left for the hardware to do.
 *
 * A frame may be a super-frame of up to 64 KiB that still has to be cut into segments (GSO) and may
 * lack its transport checksum; both stand in 'vnet', the virtio network header (virtio 1.2, section
 * 5.1.6), little-endian as virtio_net_hdr of the kernel's tap and packet sockets on a little-endian
 * host.  csum_start counts from the first byte of the Ethernet header.
 *
 *     start              data                       data + size           start + capacity
 *       | headroom         | frame                       | tailroom            |
 *
 * Memory   The owner of the buffer owns the bytes; packets are borrowed down the call chain.
 * Threads  One owner at a time. */

#include <linux/virtio_net.h>
#include <stdint.h>

#include "lib/flow.h"

enum {
    PACKET_HEADROOM = 128,         /* Room to push headers in front. */
    PACKET_MAX_BYTES = 65536 + 64, /* A GSO frame: 64 KiB of IP, Ethernet and VLAN tags. */
    PACKET_OFFSET_NONE = UINT16_MAX,
};

struct packet {
    uint8_t *start;
    uint8_t *data;
    uint32_t capacity; /* Bytes from 'start'. */
    uint32_t size;     /* Bytes of frame. */
    struct virtio_net_hdr vnet;

    /* Set by flow_extract(), from 'data'; PACKET_OFFSET_NONE if the header is not whole. */
    uint16_t l3_offset;  /* IPv4, IPv6, ARP or MPLS header. */
    uint16_t l4_offset;  /* Transport header; never set on a later fragment. */
    uint16_t vlan_bytes; /* Of the VLAN tags parsed. */
    uint16_t l4_bytes;   /* Of transport header and payload that the IP header says are there. */
};

/* Makes an empty packet with PACKET_HEADROOM in 'capacity' bytes at 'memory'. */
static inline void packet_init(struct packet *packet, void *memory, uint32_t capacity)
{
    memset(packet, 0, sizeof *packet);
    packet->start = memory;
    packet->data = (uint8_t *)memory + PACKET_HEADROOM;
    packet->capacity = capacity;
    packet->l3_offset = packet->l4_offset = PACKET_OFFSET_NONE;
}

static inline uint32_t packet_headroom(const struct packet *packet)
{
    return (uint32_t)(packet->data - packet->start);
}

static inline uint32_t packet_tailroom(const struct packet *packet)
{
    return packet->capacity - packet_headroom(packet) - packet->size;
}

static inline bool packet_is_gso(const struct packet *packet)
{
    return packet->vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

static inline bool packet_needs_checksum(const struct packet *packet)
{
    return packet->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
}

/* Parses 'packet' into 'key', every word of it, and sets the packet's offsets.  'in_port' is put in
 * as it is.  A frame shorter than an Ethernet header gives a key of zeros but the port. */
void flow_extract(struct packet *packet, be32 in_port, struct flow_key *key);
