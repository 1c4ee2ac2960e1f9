/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* frames - what tests send: whole frames with right checksums, and checks of received ones from scratch. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/checksum.h"
#include "lib/packet.h"

#define FRAME_ALICE ((struct mac){{0x02, 0, 0, 0, 0, 0x0a}})
#define FRAME_BOB   ((struct mac){{0x02, 0, 0, 0, 0, 0x0b}})

enum { FRAME_MAX = 2048 };

struct frame {
    uint8_t bytes[FRAME_MAX];
    size_t size;
};

static inline void frame_put(struct frame *frame, const void *bytes, size_t n)
{
    memcpy(frame->bytes + frame->size, bytes, n);
    frame->size += n;
}

static inline void frame_put16(struct frame *frame, uint16_t value)
{
    be16_store(frame->bytes + frame->size, value);
    frame->size += 2;
}

static inline void frame_ethernet(struct frame *frame, uint16_t type)
{
    frame->size = 0;
    frame_put(frame, &FRAME_BOB, 6);
    frame_put(frame, &FRAME_ALICE, 6);
    frame_put16(frame, type);
}

/* The transport checksum over 'l4', to which its present value counts. */
static inline uint16_t frame_l4_sum(const uint8_t *l3, const uint8_t *l4, size_t l4_bytes,
                                    uint8_t proto)
{
    uint64_t sum;

    if (l3[0] >> 4 == 4) {
        sum = checksum_add_pseudo_ipv4(0, be32_load(l3 + 12), be32_load(l3 + 16), proto,
                                       (uint16_t)l4_bytes);
    } else {
        struct ipv6_addr src, dst;

        memcpy(&src, l3 + 8, 16);
        memcpy(&dst, l3 + 24, 16);
        sum = checksum_add_pseudo_ipv6(0, &src, &dst, proto, (uint32_t)l4_bytes);
    }
    if (proto == IP_PROTO_ICMP)
        sum = 0;
    return be16_host(checksum_finish(checksum_add(sum, l4, l4_bytes)));
}

static inline size_t frame_checksum_at(uint8_t proto)
{
    return proto == IP_PROTO_TCP ? 16 : proto == IP_PROTO_UDP ? 6 : 2;
}

/* An IPv4 header for 'proto' with 'l4_bytes' behind it. */
static inline void frame_ipv4(struct frame *frame, uint8_t proto, size_t l4_bytes)
{
    uint8_t header[20] = {0x45, 0, 0, 0, 0, 1, 0, 0, 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};

    be16_store(header + 2, (uint16_t)(20 + l4_bytes));
    be16 checksum = checksum_of(header, sizeof header);
    memcpy(header + 10, &checksum, 2);
    frame_put(frame, header, sizeof header);
}

static inline void frame_ipv6(struct frame *frame, uint8_t proto, size_t l4_bytes)
{
    uint8_t header[40] = {0x60, 0, 0, 0, 0, 0, proto, 64, 0xfd};

    header[23] = 1;
    header[24] = 0xfd;
    header[39] = 2;
    be16_store(header + 4, (uint16_t)l4_bytes);
    frame_put(frame, header, sizeof header);
}

/* The header of 'proto' and 'payload_bytes', checksummed.  Ports 1000 to 80; ICMP: echo request. */
static inline void frame_transport(struct frame *frame, uint8_t proto, size_t payload_bytes)
{
    uint8_t *l3 = frame->bytes + frame->size - (frame->bytes[14] >> 4 == 6 ? 40 : 20);
    uint8_t *l4 = frame->bytes + frame->size;
    size_t header_bytes = proto == IP_PROTO_TCP ? 20 : proto == IP_PROTO_SCTP ? 12 : 8;
    size_t l4_bytes = header_bytes + payload_bytes;

    memset(l4, 0, header_bytes);
    for (size_t i = 0; i < payload_bytes; i++)
        l4[header_bytes + i] = (uint8_t)(i * 7);
    if (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6) {
        l4[0] = proto == IP_PROTO_ICMP ? 8 : 128;
    } else {
        be16_store(l4, 1000);
        be16_store(l4 + 2, 80);
    }
    if (proto == IP_PROTO_TCP) {
        l4[12] = 0x50;
        l4[13] = 0x18; /* PSH, ACK. */
    } else if (proto == IP_PROTO_UDP) {
        be16_store(l4 + 4, (uint16_t)l4_bytes);
    }
    if (proto != IP_PROTO_SCTP)
        be16_store(l4 + frame_checksum_at(proto), frame_l4_sum(l3, l4, l4_bytes, proto));
    frame->size += l4_bytes;
}

static inline void frame_make_ipv4(struct frame *frame, uint8_t proto, size_t payload_bytes)
{
    size_t header_bytes = proto == IP_PROTO_TCP ? 20 : proto == IP_PROTO_SCTP ? 12 : 8;

    frame_ethernet(frame, ETH_TYPE_IPV4);
    frame_ipv4(frame, proto, header_bytes + payload_bytes);
    frame_transport(frame, proto, payload_bytes);
}

static inline void frame_make_ipv6(struct frame *frame, uint8_t proto, size_t payload_bytes)
{
    size_t header_bytes = proto == IP_PROTO_TCP ? 20 : proto == IP_PROTO_SCTP ? 12 : 8;

    frame_ethernet(frame, ETH_TYPE_IPV6);
    frame_ipv6(frame, proto, header_bytes + payload_bytes);
    frame_transport(frame, proto, payload_bytes);
}

static inline void frame_make_arp(struct frame *frame)
{
    const uint8_t arp[28] = {0,  1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 10,
                             10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2};

    frame_ethernet(frame, ETH_TYPE_ARP);
    frame_put(frame, arp, sizeof arp);
}

/* Are the checksums of L3 (at 'l3_offset') and of 'proto' right? */
static inline bool frame_is_sound(const uint8_t *bytes, size_t size, size_t l3_offset,
                                  uint8_t proto)
{
    const uint8_t *l3 = bytes + l3_offset;
    size_t l3_bytes = l3[0] >> 4 == 6 ? 40 : 20;
    size_t l4_bytes = size - l3_offset - l3_bytes;

    if (l3_bytes == 20 && checksum_of(l3, 20).raw)
        return false;
    return frame_l4_sum(l3, l3 + l3_bytes, l4_bytes, proto) == 0;
}
