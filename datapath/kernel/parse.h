/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* parse - the key of a frame in the kernel flow cache, or the answer that it has none.
 *
 * Only plain frames have one: at most one 802.1Q tag, which the device has taken out; IPv4 without
 * options and IPv6 without extension headers, unfragmented, their lengths and transport headers in
 * order; and other types of Ethernet II but MPLS, by their addresses and type alone.  For these, and that
 * is all that is asked here, the key says everything of struct flow_key that kc_key_bits() lists, as
 * lib/flow_parse.h would find it.  The same source serves the BPF programs and the test that compares
 * the two parsers.
 *
 * Threads  Plain values. */

#include "datapath/kernel/layout.h"
#include "lib/flow_parse.h"

struct kc_frame {
    const __u8 *at, *end; /* What can be loaded. */
    __u32 n_bytes;        /* Of the whole, without the tag. */
    __u16 slot;
    __u16 tag; /* TCI with VLAN_CFI, host byte order; 0: none. */
};

enum kc_parsed {
    KC_PARSED,
    KC_UNUSUAL,      /* It has no key. */
    KC_OUT_OF_REACH, /* More of it must be made loadable. */
};

/* A packed struct may stand anywhere; in BPF it would be read byte by byte, which the kernel's machines need not. */
#ifdef __bpf__
#define KC_ANYWHERE
#else
#define KC_ANYWHERE __attribute__((packed))
#endif

static inline __attribute__((always_inline)) __u16 kc_load16(const __u8 *at)
{
    const struct {
        __u16 value;
    } KC_ANYWHERE *from = (const void *)at;

    return from->value;
}

static inline __attribute__((always_inline)) __u32 kc_load32(const __u8 *at)
{
    const struct {
        __u32 value;
    } KC_ANYWHERE *from = (const void *)at;

    return from->value;
}

static inline __attribute__((always_inline)) __u64 kc_load64(const __u8 *at)
{
    const struct {
        __u64 value;
    } KC_ANYWHERE *from = (const void *)at;

    return from->value;
}

/* Word 3.  The ports are as in the frame. */
static inline __attribute__((always_inline)) __u64 kc_word3(__u32 ports, __u16 tag, __u8 proto,
                                                            __u8 tos)
{
    return (__u64)ports << 32 | (__u32)tag << 16 | (__u32)proto << 8 | tos;
}

/* '*ports' of the transport header at 'at', which has 'n_bytes' by what the IP header says. */
static inline __attribute__((always_inline)) enum kc_parsed
kc_parse_transport(const struct kc_frame *frame, const __u8 *at, __u32 n_bytes, __u8 proto,
                   __u8 icmp, __u32 *ports)
{
    *ports = 0;
    if (proto == IP_PROTO_TCP) {
        if (n_bytes < 20)
            return KC_UNUSUAL;
        if (at + 20 > frame->end)
            return KC_OUT_OF_REACH;
        __u32 header_bytes = (at[12] >> 4) * 4u;
        if (header_bytes < 20 || header_bytes > n_bytes)
            return KC_UNUSUAL;
        *ports = kc_load32(at);
    } else if (proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP) {
        if (n_bytes < (proto == IP_PROTO_UDP ? 8 : 12))
            return KC_UNUSUAL;
        if (at + 4 > frame->end)
            return KC_OUT_OF_REACH;
        *ports = kc_load32(at);
    } else if (proto == icmp) {
        if (n_bytes < 8)
            return KC_UNUSUAL;
        if (at + 2 > frame->end)
            return KC_OUT_OF_REACH;
        if (icmp == IP_PROTO_ICMPV6 &&
            (at[0] == ND_NEIGHBOR_SOLICIT || at[0] == ND_NEIGHBOR_ADVERT))
            return KC_UNUSUAL;
        *ports = be32_from((__u32)at[0] << 16 | at[1]).raw;
    }
    return KC_PARSED;
}

static inline __attribute__((always_inline)) enum kc_parsed
kc_parse_ipv4(const struct kc_frame *frame, struct kc_key *key)
{
    const __u8 *ip = frame->at + 14;
    enum kc_parsed parsed;
    __u32 ports;

    if (frame->n_bytes < 34)
        return KC_UNUSUAL;
    if (ip + 20 > frame->end)
        return KC_OUT_OF_REACH;
    __u32 total_bytes = be16_host((be16){kc_load16(ip + 2)});
    if (ip[0] != 0x45 || total_bytes < 20 || total_bytes > frame->n_bytes - 14 ||
        kc_load16(ip + 6) & be16_from(0x3fff).raw)
        return KC_UNUSUAL;
    parsed = kc_parse_transport(frame, ip + 20, total_bytes - 20, ip[9], IP_PROTO_ICMP, &ports);
    key->words[2] = kc_load64(ip + 12);
    key->words[3] = kc_word3(ports, frame->tag, ip[9], ip[1]);
    return parsed;
}

static inline __attribute__((always_inline)) enum kc_parsed
kc_parse_ipv6(const struct kc_frame *frame, struct kc_key *key)
{
    const __u8 *ip = frame->at + 14;
    enum kc_parsed parsed;
    __u32 ports;

    if (frame->n_bytes < 54)
        return KC_UNUSUAL;
    if (ip + 40 > frame->end)
        return KC_OUT_OF_REACH;
    __u32 first = be32_host((be32){kc_load32(ip)});
    __u32 payload_bytes = be16_host((be16){kc_load16(ip + 4)});
    __u8 proto = ip[6];
    if (first >> 28 != 6 || !payload_bytes || payload_bytes > frame->n_bytes - 54 ||
        proto == IP_PROTO_HOPOPTS || proto == IP_PROTO_ROUTING || proto == IP_PROTO_FRAGMENT ||
        proto == IP_PROTO_AH || proto == IP_PROTO_DSTOPTS)
        return KC_UNUSUAL;
    parsed = kc_parse_transport(frame, ip + 40, payload_bytes, proto, IP_PROTO_ICMPV6, &ports);
    key->words[2] = first & 0xfffff;
    key->words[3] = kc_word3(ports, frame->tag, proto, (__u8)(first >> 20));
    for (int i = 0; i < 4; i++)
        key->words[4 + i] = kc_load64(ip + 8 + 8 * i);
    key->n_words = KC_KEY6_WORDS;
    return parsed;
}

static inline __attribute__((always_inline)) enum kc_parsed kc_parse(const struct kc_frame *frame,
                                                                     struct kc_key *key)
{
    const __u8 *at = frame->at;

    if (frame->n_bytes < 14)
        return KC_UNUSUAL;
    if (at + 14 > frame->end)
        return KC_OUT_OF_REACH;
    __u16 type = be16_host((be16){kc_load16(at + 12)});
    key->words[0] = kc_load64(at);
    key->words[1] = kc_load32(at + 8) | (__u64)type << 32 | (__u64)frame->slot << 48;
    key->n_words = KC_KEY_WORDS;
    if (type == ETH_TYPE_IPV4)
        return kc_parse_ipv4(frame, key);
    if (type == ETH_TYPE_IPV6)
        return kc_parse_ipv6(frame, key);
    if (type < ETH_TYPE_MIN || type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ ||
        type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MULTICAST)
        return KC_UNUSUAL;
    key->words[2] = 0;
    key->words[3] = kc_word3(0, frame->tag, 0, 0);
    return KC_PARSED;
}
