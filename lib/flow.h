/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* flow - what the switch knows about one frame.
 *
 * struct flow_key is what the datapath extracts and caches by: where the frame came from and its
 * headers.  struct flow puts behind it what only OpenFlow tables see: metadata, registers, and what
 * tunnels and connection tracking will tell.  Both are arrays of 64-bit words; masks have the same layout, one bit for each bit of the flow, so that
 * matching, hashing and combining need no knowledge of fields.
 *
 * All fields are in network byte order, also the ones that never stood on a wire (in_port, registers):
 * a field is then a run of bytes at an offset, and OXM values are copied in and out.
 *
 * Rules that lookups and translation rely on:
 * - Padding is zero.  A header that is absent or cut short leaves its fields zero.
 * - eth_type always tells what follows: 'eth_type' is the type after the VLAN tags that were parsed;
 *   ETH_TYPE_NONE for an 802.2 frame without SNAP.
 * - nw_frag, nw_proto and the like mean nothing unless eth_type says IP; tp_src unless nw_proto says so.
 * - The VLAN tag's CFI bit is set in 'tci' of every tag that is present, so that tci 0 means "no tag".
 *   (IEEE 802.1Q calls the bit DEI; OpenFlow 1.3 section 7.2.3.7 calls it OFPVID_PRESENT.)
 *
 * Threads  Plain values. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/byteorder.h"
#include "lib/mac.h"

enum { FLOW_N_VLANS = 2, FLOW_N_MPLS = 3, FLOW_N_REGS = 16, FLOW_TUN_OPTION_BYTES = 128 };

enum {
    ETH_TYPE_NONE = 0x05ff, /* 802.2 without SNAP. */
    ETH_TYPE_IPV4 = 0x0800,
    ETH_TYPE_ARP = 0x0806,
    ETH_TYPE_VLAN = 0x8100,
    ETH_TYPE_RARP = 0x8035,
    ETH_TYPE_IPV6 = 0x86dd,
    ETH_TYPE_MPLS = 0x8847,
    ETH_TYPE_MPLS_MULTICAST = 0x8848,
    ETH_TYPE_NSH = 0x894f,
    ETH_TYPE_QINQ = 0x88a8, /* 802.1ad service tag. */
    ETH_TYPE_MIN = 0x0600,  /* Less is an 802.3 length. */
};

enum {
    VLAN_VID_MASK = 0x0fff,
    VLAN_CFI = 0x1000, /* "Tag present" in a flow. */
    VLAN_PCP_MASK = 0xe000,
    VLAN_PCP_SHIFT = 13,
};

enum {
    IP_PROTO_ICMP = 1,
    IP_PROTO_IGMP = 2,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_ICMPV6 = 58,
    IP_PROTO_SCTP = 132,
};

enum {
    NW_FRAG_ANY = 1,   /* A fragment. */
    NW_FRAG_LATER = 2, /* Not the first one: it has no transport header. */
    IP_DSCP_MASK = 0xfc,
    IP_ECN_MASK = 0x03,
};

enum { ARP_OP_REQUEST = 1, ARP_OP_REPLY = 2 };
enum { ND_NEIGHBOR_SOLICIT = 135, ND_NEIGHBOR_ADVERT = 136 };
enum { ND_OPTION_SOURCE = 1, ND_OPTION_TARGET = 2 }; /* Which hold a link-layer address. */

enum {
    CT_STATE_NEW = 0x01,
    CT_STATE_EST = 0x02,
    CT_STATE_REL = 0x04,
    CT_STATE_RPL = 0x08,
    CT_STATE_INV = 0x10,
    CT_STATE_TRK = 0x20,
    CT_STATE_SNAT = 0x40,
    CT_STATE_DNAT = 0x80,
};

struct ipv6_addr {
    uint8_t bytes[16];
};

struct flow_vlan {
    be16 tpid; /* 0: no such tag. */
    be16 tci;  /* With VLAN_CFI set if the tag is there. */
};

struct flow_key {
    /* Where it came from. */
    be32 in_port;   /* Datapath port number; OpenFlow port number while in the tables. */
    be32 recirc_id; /* Always 0 until recirculation exists. */
    be32 pkt_mark;  /* OVS's pkt_mark. */
    be32 skb_priority;

    /* Ethernet. */
    struct mac eth_dst;
    struct mac eth_src;
    be16 eth_type;
    uint8_t pad1[2];
    struct flow_vlan vlan[FLOW_N_VLANS]; /* Outermost first. */

    /* IPv4, IPv6, ARP. */
    be32 nw_src; /* ARP: sender protocol address. */
    be32 nw_dst; /* ARP: target protocol address. */
    struct ipv6_addr ipv6_src;
    struct ipv6_addr ipv6_dst;
    be32 ipv6_label; /* Low 20 bits. */
    uint8_t nw_frag; /* NW_FRAG_*. */
    uint8_t nw_tos;  /* DSCP and ECN. */
    uint8_t nw_ttl;
    uint8_t nw_proto;        /* ARP: low 8 bits of the opcode, if it is less than 256. */
    struct mac arp_sha;      /* ND: source link-layer address option. */
    struct mac arp_tha;      /* ND: target link-layer address option. */
    be16 tcp_flags;          /* Low 12 bits. */
    uint8_t nd_options_type; /* ND: 1 or 2, of the first option with a link-layer address. */
    uint8_t pad2[1];
    struct ipv6_addr nd_target;

    /* TCP, UDP, SCTP; ICMP and ICMPv6 type (tp_src) and code (tp_dst). */
    be16 tp_src;
    be16 tp_dst;
    be32 nd_reserved; /* ND: the flags R, S and O, and reserved bits. */

    /* MPLS, outermost label first. */
    be32 mpls_lse[FLOW_N_MPLS];
    uint8_t pad4[4];
};

struct flow {
    struct flow_key key;
    be64 metadata;
    be32 regs[FLOW_N_REGS];
    be32 conj_id;     /* While a conjunction that holds is looked up; else 0. */
    be32 packet_type; /* Namespace and type; always 0, Ethernet. */

    /* The tunnel that the frame came through or is to go through: until tunnels exist, what actions write. */
    be64 tun_id;
    be32 tun_src;
    be32 tun_dst;
    struct ipv6_addr tun_ipv6_src;
    struct ipv6_addr tun_ipv6_dst;
    uint8_t tun_tos;
    uint8_t tun_ttl;
    be16 tun_flags;
    be16 tun_gbp_id;
    uint8_t tun_gbp_flags;
    uint8_t tun_erspan_version; /* Low 4 bits. */
    be32 tun_erspan_index;      /* Low 20 bits. */
    uint8_t tun_erspan_direction;
    uint8_t tun_erspan_hwid;
    uint8_t tun_gtpu_flags;
    uint8_t tun_gtpu_type;
    be64 tun_options_present; /* Bit N: tun_metadataN. */
    uint8_t tun_options[FLOW_TUN_OPTION_BYTES];

    /* What connection tracking says: 0, no frame is tracked. */
    be32 ct_state;
    be32 ct_mark;
    uint8_t ct_label[16];
    struct ipv6_addr ct_ipv6_src; /* An IPv4 address stands in the first 4 bytes. */
    struct ipv6_addr ct_ipv6_dst;
    be16 ct_zone;
    be16 ct_tp_src;
    be16 ct_tp_dst;
    uint8_t ct_nw_proto;
    uint8_t pad[1];

    be32 dp_hash;       /* Always 0: hashes are taken where they are needed. */
    be32 actset_output; /* OpenFlow port number that the action set outputs to, or OFPP_UNSET. */
};

enum {
    FLOW_KEY_WORDS = sizeof(struct flow_key) / 8,
    FLOW_WORDS = sizeof(struct flow) / 8,
};
static_assert(sizeof(struct flow_key) == 144 && FLOW_WORDS <= 64, "word sets fit 64 bits");

/* The word that holds 'member' of struct flow_key (or of struct flow). */
#define FLOW_KEY_WORD(member) (offsetof(struct flow_key, member) / 8)
#define FLOW_WORD(member)     (offsetof(struct flow, member) / 8)

static_assert(FLOW_KEY_WORD(eth_dst) == 2 && FLOW_KEY_WORD(vlan) == 4 &&
                  FLOW_KEY_WORD(nw_src) == 5 && FLOW_KEY_WORD(ipv6_label) == 10 &&
                  FLOW_KEY_WORD(arp_sha) == 11 && FLOW_KEY_WORD(nd_target) == 13 &&
                  FLOW_KEY_WORD(tp_src) == 15 && FLOW_KEY_WORD(mpls_lse) == 16,
              "groups of fields start at words");

static inline uint64_t *flow_words(struct flow *flow)
{
    return (uint64_t *)(void *)flow;
}

static inline const uint64_t *flow_words_const(const struct flow *flow)
{
    return (const uint64_t *)(const void *)flow;
}

static inline uint64_t *flow_key_words(struct flow_key *key)
{
    return (uint64_t *)(void *)key;
}

static inline const uint64_t *flow_key_words_const(const struct flow_key *key)
{
    return (const uint64_t *)(const void *)key;
}

static inline bool flow_key_is_equal(const struct flow_key *a, const struct flow_key *b)
{
    return !memcmp(a, b, sizeof *a);
}

/* Are 'a' and 'b' the same in every bit of 'mask'? */
static inline bool flow_key_is_equal_under(const struct flow_key *a, const struct flow_key *b,
                                           const struct flow_key *mask)
{
    const uint64_t *a_words = flow_key_words_const(a), *b_words = flow_key_words_const(b);
    const uint64_t *mask_words = flow_key_words_const(mask);
    uint64_t difference = 0;

    for (size_t i = 0; i < FLOW_KEY_WORDS; i++)
        difference |= (a_words[i] ^ b_words[i]) & mask_words[i];
    return difference == 0;
}

static inline bool flow_is_ip(const struct flow_key *key)
{
    return be16_host(key->eth_type) == ETH_TYPE_IPV4 || be16_host(key->eth_type) == ETH_TYPE_IPV6;
}

static inline bool flow_is_arp(const struct flow_key *key)
{
    return be16_host(key->eth_type) == ETH_TYPE_ARP || be16_host(key->eth_type) == ETH_TYPE_RARP;
}

/* Does the frame have the transport header that its IP header announces (not a later fragment)? */
static inline bool flow_has_l4(const struct flow_key *key, uint8_t nw_proto)
{
    return flow_is_ip(key) && key->nw_proto == nw_proto && !(key->nw_frag & NW_FRAG_LATER);
}
