/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow_parse - from the bytes of a frame to its flow key, the one way there is.
 *
 * The same source serves userspace and BPF programs, because caches in both must agree on every
 * frame, the malformed ones first of all.  Hence: no libc but memcpy, no recursion, bounded loops,
 * everything inlined, and a check before every load in the form the kernel's verifier understands.
 *
 * What a malformed frame becomes:
 * - A tag that is cut short is not parsed: eth_type is then the tag's type (0x8100 or 0x88a8), as it
 *   is for a third tag.
 * - An 802.3 length is followed by SNAP with OUI 0 and a type >= 0x600, or eth_type is ETH_TYPE_NONE.
 * - IPv4 or IPv6 whose version, header length or total length cannot be true: everything from L3 on
 *   is zero.  Bytes behind the total length are padding, however many, and are not looked at.
 * - IPv6 whose extension headers are cut short, or more than FLOW_PARSE_MAX_EXTENSIONS: the addresses
 *   stand; label, nw_frag, nw_tos, nw_ttl, nw_proto and all of L4 are zero.
 * - A later fragment has no L4 fields; for IPv6 its nw_proto is 44 (fragment).
 * - A transport header that is cut short, or a TCP data offset that cannot be true: L4 is zero.
 * - A neighbour solicitation or advertisement (code 0) with a second link-layer address of the same
 *   kind: nd_target, arp_sha, arp_tha are zero.  Options end before one of length 0, one that leaves
 *   the packet, and after FLOW_PARSE_MAX_ND_OPTIONS; those in front of it stand.
 * - ARP and RARP that are not for Ethernet and IPv4: everything from L3 on is zero.
 * - A length field of 0 in the IP header of a GSO frame means "all there is" (Linux's BIG TCP).
 *
 * Threads  Plain values. */

#include "lib/flow.h"

#define FLOW_PARSE_INLINE static inline __attribute__((always_inline))

enum {
    FLOW_PARSE_MAX_EXTENSIONS = 16, /* IPv6 extension headers. */
    FLOW_PARSE_MAX_ND_OPTIONS = 32,
#ifdef __bpf__
    /* The verifier walks every combination of turns, up to a million instructions. */
    FLOW_PARSE_TRY_EXTENSIONS = 3,
    FLOW_PARSE_TRY_ND_OPTIONS = 3,
#else
    FLOW_PARSE_TRY_EXTENSIONS = FLOW_PARSE_MAX_EXTENSIONS,
    FLOW_PARSE_TRY_ND_OPTIONS = FLOW_PARSE_MAX_ND_OPTIONS,
#endif
    FLOW_PARSE_NONE = UINT16_MAX, /* No such offset. */
};

enum {
    IP_PROTO_HOPOPTS = 0,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_AH = 51,
    IP_PROTO_DSTOPTS = 60,
};

struct flow_parse {
    const uint8_t *at;  /* The next header. */
    const uint8_t *end; /* Of what can be loaded; BPF's data_end. */
    uint32_t left;      /* Bytes from 'at' to the end of the frame, later of the IP packet. */
    uint32_t offset;    /* Of 'at' in the frame. */
    bool is_gso;        /* The frame is still to be segmented. */

    /* Results. */
    bool is_out_of_reach; /* There is more than BPF can see: only userspace knows the key. */
    bool is_later_fragment;
    bool is_ipv6;
    uint8_t nw_proto;
    uint16_t l3_offset; /* FLOW_PARSE_NONE, or of a header that is whole. */
    uint16_t l4_offset;
    uint16_t vlan_bytes;
    uint16_t l4_bytes;
};

FLOW_PARSE_INLINE void flow_parse_init(struct flow_parse *parse, const void *frame, const void *end,
                                       uint32_t frame_bytes, bool is_gso)
{
    memset(parse, 0, sizeof *parse);
    parse->at = frame;
    parse->end = end;
    parse->left = frame_bytes;
    parse->is_gso = is_gso;
    parse->l3_offset = parse->l4_offset = FLOW_PARSE_NONE;
}

/* 'n_bytes' (a constant) that may be loaded, or NULL. */
FLOW_PARSE_INLINE const uint8_t *flow_parse_peek(struct flow_parse *parse, uint32_t n_bytes)
{
    if (parse->left < n_bytes)
        return NULL;
#ifdef __bpf__
    /* The verifier believes comparisons with data_end only. */
    if (parse->at + n_bytes > parse->end) {
        parse->is_out_of_reach = true;
        return NULL;
    }
#endif
    return parse->at;
}

FLOW_PARSE_INLINE bool flow_parse_skip(struct flow_parse *parse, uint32_t n_bytes)
{
    if (parse->left < n_bytes)
        return false;
#ifdef __bpf__
    /* Older verifiers follow paths on which this is both less and more than something, and then no
     * longer know the pointer.  No header has 4096 bytes. */
    if (!__builtin_constant_p(n_bytes))
        __asm__ volatile("%0 &= 0xfff" : "+r"(n_bytes));
#endif
    parse->at += n_bytes;
    parse->offset += n_bytes;
    parse->left -= n_bytes;
    return true;
}

/* A loop has ended before its data; 'is_early' if userspace would go on. */
FLOW_PARSE_INLINE void flow_parse_give_up(struct flow_parse *parse, bool is_early)
{
    parse->is_out_of_reach |= is_early;
}

FLOW_PARSE_INLINE uint16_t flow_parse_u16(const uint8_t *from)
{
    return be16_host(be16_load(from));
}

/* The type behind addresses and tags, whose first byte is at 'at'; moves on to L3. */
FLOW_PARSE_INLINE uint16_t flow_parse_eth_type(struct flow_parse *parse)
{
    uint16_t type = flow_parse_u16(parse->at);
    const uint8_t *snap;

    flow_parse_skip(parse, 2);
    if (type >= ETH_TYPE_MIN)
        return type;

    /* DSAP, SSAP, control, OUI (IEEE 802-2014 section 9.2), type. */
    snap = flow_parse_peek(parse, 8);
    if (!snap || snap[0] != 0xaa || snap[1] != 0xaa || snap[2] != 0x03 ||
        snap[3] | snap[4] | snap[5])
        return ETH_TYPE_NONE;
    type = flow_parse_u16(snap + 6);
    flow_parse_skip(parse, 8);
    return type >= ETH_TYPE_MIN ? type : ETH_TYPE_NONE;
}

FLOW_PARSE_INLINE bool flow_parse_is_tag(uint16_t type)
{
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

/* False: the frame is too short. */
FLOW_PARSE_INLINE bool flow_parse_ethernet(struct flow_parse *parse, struct flow_key *key)
{
    const uint8_t *at = flow_parse_peek(parse, 14);

    if (!at)
        return false;
    memcpy(&key->eth_dst, at, 6);
    memcpy(&key->eth_src, at + 6, 6);
    flow_parse_skip(parse, 12);

    for (int i = 0; i < FLOW_N_VLANS; i++) {
        at = flow_parse_peek(parse, 6); /* The tag, and the type behind it. */
        if (!at || !flow_parse_is_tag(flow_parse_u16(at)))
            break;
        key->vlan[i].tpid = be16_load(at);
        key->vlan[i].tci = be16_from(flow_parse_u16(at + 2) | VLAN_CFI);
        parse->vlan_bytes += 4;
        flow_parse_skip(parse, 4);
    }

    if (!flow_parse_peek(parse, 2))
        return false;
    key->eth_type = be16_from(flow_parse_eth_type(parse));
    return true;
}

FLOW_PARSE_INLINE void flow_parse_mpls(struct flow_parse *parse, struct flow_key *key)
{
    for (int i = 0; i < FLOW_N_MPLS; i++) {
        const uint8_t *at = flow_parse_peek(parse, 4);

        if (!at)
            return;
        if (i == 0)
            parse->l3_offset = (uint16_t)parse->offset;
        key->mpls_lse[i] = be32_load(at);
        if (at[2] & 1) /* Bottom of stack (RFC 3032 section 2.1). */
            return;
        flow_parse_skip(parse, 4);
    }
}

FLOW_PARSE_INLINE void flow_parse_arp(struct flow_parse *parse, struct flow_key *key)
{
    const uint8_t *at = flow_parse_peek(parse, 28);

    /* Hardware type 1, protocol IPv4, address lengths 6 and 4. */
    if (!at || flow_parse_u16(at) != 1 || flow_parse_u16(at + 2) != ETH_TYPE_IPV4 || at[4] != 6 ||
        at[5] != 4)
        return;
    parse->l3_offset = (uint16_t)parse->offset;
    if (!at[6])
        key->nw_proto = at[7];
    memcpy(&key->arp_sha, at + 8, 6);
    memcpy(&key->nw_src, at + 14, 4);
    memcpy(&key->arp_tha, at + 18, 6);
    memcpy(&key->nw_dst, at + 24, 4);
}

/* The length of an IP packet whose header says 'said'; 0 if that cannot be true. */
FLOW_PARSE_INLINE uint32_t flow_parse_ip_bytes(const struct flow_parse *parse, uint32_t said,
                                               bool is_given)
{
    if (!is_given)
        return parse->left <= UINT16_MAX ? parse->left : 0;
    return said <= parse->left ? said : 0;
}

/* True: 'at' is now the transport header. */
FLOW_PARSE_INLINE bool flow_parse_ipv4(struct flow_parse *parse, struct flow_key *key)
{
    const uint8_t *at = flow_parse_peek(parse, 20);
    uint32_t header_bytes, total_bytes, fragment;

    if (!at || at[0] >> 4 != 4)
        return false;
    header_bytes = (at[0] & 0x0fu) * 4;
    total_bytes = flow_parse_u16(at + 2);
    total_bytes = flow_parse_ip_bytes(parse, total_bytes, total_bytes || !parse->is_gso);
    if (header_bytes < 20 || header_bytes > total_bytes)
        return false;
    parse->l3_offset = (uint16_t)parse->offset;
    parse->left = total_bytes;

    fragment = flow_parse_u16(at + 6);
    if (fragment & 0x3fff) /* More fragments, or an offset. */
        key->nw_frag = fragment & 0x1fff ? NW_FRAG_ANY | NW_FRAG_LATER : NW_FRAG_ANY;
    parse->is_later_fragment = fragment & 0x1fff;
    key->nw_tos = at[1];
    key->nw_ttl = at[8];
    key->nw_proto = parse->nw_proto = at[9];
    memcpy(&key->nw_src, at + 12, 4);
    memcpy(&key->nw_dst, at + 16, 4);
    return flow_parse_skip(parse, header_bytes);
}

/* One extension header at 'at', of type parse->nw_proto.  0: it is none; 1: gone past; -1: malformed. */
FLOW_PARSE_INLINE int flow_parse_ipv6_extension(struct flow_parse *parse, uint8_t *nw_frag)
{
    uint8_t proto = parse->nw_proto;
    const uint8_t *at;

    if (proto != IP_PROTO_HOPOPTS && proto != IP_PROTO_ROUTING && proto != IP_PROTO_DSTOPTS &&
        proto != IP_PROTO_AH && proto != IP_PROTO_FRAGMENT)
        return 0;
    at = flow_parse_peek(parse, 8); /* Each has 8 bytes at least. */
    if (!at)
        return -1;
    parse->nw_proto = at[0];

    if (proto == IP_PROTO_FRAGMENT) {
        uint16_t offset_and_flags = flow_parse_u16(at + 2);

        if (offset_and_flags)
            *nw_frag = NW_FRAG_ANY;
        if (offset_and_flags & 0xfff8) {
            *nw_frag = NW_FRAG_ANY | NW_FRAG_LATER;
            parse->is_later_fragment = true;
            parse->nw_proto = IP_PROTO_FRAGMENT;
        }
        return flow_parse_skip(parse, 8) ? 1 : -1;
    }
    /* RFC 4302 section 2.2 counts words less 2, RFC 8200 section 4 eights less 1. */
    return flow_parse_skip(parse, proto == IP_PROTO_AH ? (at[1] + 2u) * 4 : (at[1] + 1u) * 8) ? 1
                                                                                              : -1;
}

/* True: 'at' is now the transport header. */
FLOW_PARSE_INLINE bool flow_parse_ipv6(struct flow_parse *parse, struct flow_key *key)
{
    const uint8_t *at = flow_parse_peek(parse, 40);
    uint32_t total_bytes, class_and_label;
    uint8_t nw_frag = 0, nw_ttl;
    int more = 1;

    if (!at || at[0] >> 4 != 6)
        return false;
    total_bytes = flow_parse_u16(at + 4);
    total_bytes = flow_parse_ip_bytes(parse, total_bytes + 40, total_bytes || !parse->is_gso);
    if (!total_bytes)
        return false;
    parse->l3_offset = (uint16_t)parse->offset;
    parse->left = total_bytes;
    parse->is_ipv6 = true;

    class_and_label = be32_host(be32_load(at));
    parse->nw_proto = at[6];
    nw_ttl = at[7];
    memcpy(&key->ipv6_src, at + 8, 16);
    memcpy(&key->ipv6_dst, at + 24, 16);
    flow_parse_skip(parse, 40);

    for (int i = 0; i <= FLOW_PARSE_TRY_EXTENSIONS && more > 0 && !parse->is_later_fragment; i++)
        more = flow_parse_ipv6_extension(parse, &nw_frag);
    if (more && !parse->is_later_fragment) {
        if (more > 0)
            flow_parse_give_up(parse, (int)FLOW_PARSE_TRY_EXTENSIONS < FLOW_PARSE_MAX_EXTENSIONS);
        return false;
    }

    key->ipv6_label = be32_from(class_and_label & 0xfffff);
    key->nw_frag = nw_frag;
    key->nw_tos = (uint8_t)(class_and_label >> 20);
    key->nw_ttl = nw_ttl;
    key->nw_proto = parse->nw_proto;
    return true;
}

/* The option at 'at': false if it is the second address of a kind. */
FLOW_PARSE_INLINE bool flow_parse_nd_option(const uint8_t *at, struct flow_key *key)
{
    struct mac *addr = at[0] == ND_OPTION_SOURCE ? &key->arp_sha : &key->arp_tha;

    if (at[1] != 1 || (at[0] != ND_OPTION_SOURCE && at[0] != ND_OPTION_TARGET))
        return true;
    for (int i = 0; i < 6; i++)
        if (addr->bytes[i])
            return false;
    memcpy(addr, at + 2, 6);
    if (!key->nd_options_type)
        key->nd_options_type = at[0];
    return true;
}

/* Options of neighbour discovery (RFC 4861 section 4.6): false if there is an address too many. */
FLOW_PARSE_INLINE bool flow_parse_nd_options(struct flow_parse *parse, struct flow_key *key)
{
    for (int i = 0; i < FLOW_PARSE_TRY_ND_OPTIONS; i++) {
        const uint8_t *at = flow_parse_peek(parse, 8);

        if (!at || !at[1] || parse->left < at[1] * 8u)
            return true;
        if (!flow_parse_nd_option(at, key))
            return false;
        flow_parse_skip(parse, at[1] * 8u);
    }
    if (parse->left >= 8)
        flow_parse_give_up(parse, (int)FLOW_PARSE_TRY_ND_OPTIONS < FLOW_PARSE_MAX_ND_OPTIONS);
    return true;
}

/* 'at' is the ICMPv6 header. */
FLOW_PARSE_INLINE void flow_parse_nd(struct flow_parse *parse, const uint8_t *at,
                                     struct flow_key *key)
{
    key->nd_reserved = be32_load(at + 4);
    flow_parse_skip(parse, 8);
    at = flow_parse_peek(parse, 16);
    if (!at)
        return;
    memcpy(&key->nd_target, at, 16);
    flow_parse_skip(parse, 16);
    if (!flow_parse_nd_options(parse, key)) {
        memset(&key->nd_target, 0, sizeof key->nd_target);
        memset(&key->arp_sha, 0, sizeof key->arp_sha);
        memset(&key->arp_tha, 0, sizeof key->arp_tha);
    }
}

FLOW_PARSE_INLINE bool flow_parse_tcp(struct flow_parse *parse, struct flow_key *key)
{
    const uint8_t *at = flow_parse_peek(parse, 20);
    uint32_t header_bytes;

    if (!at)
        return false;
    header_bytes = (at[12] >> 4) * 4u;
    if (header_bytes < 20 || header_bytes > parse->left)
        return false;
    memcpy(&key->tp_src, at, 4); /* And tp_dst. */
    key->tcp_flags = be16_from(flow_parse_u16(at + 12) & 0x0fff);
    return true;
}

FLOW_PARSE_INLINE bool flow_parse_ports(struct flow_parse *parse, struct flow_key *key,
                                        uint32_t header_bytes)
{
    if (parse->left < header_bytes)
        return false;
    const uint8_t *at = flow_parse_peek(parse, 4);
    if (!at)
        return false;
    memcpy(&key->tp_src, at, 4); /* And tp_dst. */
    return true;
}

FLOW_PARSE_INLINE bool flow_parse_icmp(struct flow_parse *parse, struct flow_key *key)
{
    const uint8_t *at = flow_parse_peek(parse, 8);
    uint8_t type, code;

    if (!at)
        return false;
    type = at[0];
    code = at[1];
    key->tp_src = be16_from(type);
    key->tp_dst = be16_from(code);
    if (parse->is_ipv6 && code == 0 && (type == ND_NEIGHBOR_SOLICIT || type == ND_NEIGHBOR_ADVERT))
        flow_parse_nd(parse, at, key);
    return true;
}

/* True: the transport header is whole. */
FLOW_PARSE_INLINE bool flow_parse_transport(struct flow_parse *parse, struct flow_key *key)
{
    if (parse->nw_proto == IP_PROTO_TCP)
        return flow_parse_tcp(parse, key);
    if (parse->nw_proto == IP_PROTO_UDP)
        return flow_parse_ports(parse, key, 8);
    if (parse->nw_proto == IP_PROTO_SCTP)
        return flow_parse_ports(parse, key, 12);
    if (parse->nw_proto == (parse->is_ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
        return flow_parse_icmp(parse, key);
    return parse->left > 0;
}

/* Parses the frame that 'parse' was initialised with into 'key', which must be zero where headers go. */
FLOW_PARSE_INLINE void flow_parse_frame(struct flow_parse *parse, struct flow_key *key)
{
    uint16_t type, l4_offset, l4_bytes;
    bool has_l4;

    if (!flow_parse_ethernet(parse, key))
        return;

    type = be16_host(key->eth_type);
    if (type == ETH_TYPE_IPV4) {
        has_l4 = flow_parse_ipv4(parse, key);
    } else if (type == ETH_TYPE_IPV6) {
        has_l4 = flow_parse_ipv6(parse, key);
    } else {
        if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP)
            flow_parse_arp(parse, key);
        else if (type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MULTICAST)
            flow_parse_mpls(parse, key);
        return;
    }

    l4_offset = (uint16_t)parse->offset;
    l4_bytes = (uint16_t)parse->left;
    if (has_l4 && !parse->is_later_fragment && flow_parse_transport(parse, key)) {
        parse->l4_offset = l4_offset;
        parse->l4_bytes = l4_bytes;
    }
}
