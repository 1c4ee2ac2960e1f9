/* SPDX-License-Identifier: Apache-2.0 */

/* ofp_match of OpenFlow 1.0 (section 5.2.3): a fixed struct with a word of wildcard bits. */

#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/wire.h"

enum {
    OFPFW_IN_PORT = 1 << 0,
    OFPFW_DL_VLAN = 1 << 1,
    OFPFW_DL_SRC = 1 << 2,
    OFPFW_DL_DST = 1 << 3,
    OFPFW_DL_TYPE = 1 << 4,
    OFPFW_NW_PROTO = 1 << 5,
    OFPFW_TP_SRC = 1 << 6,
    OFPFW_TP_DST = 1 << 7,
    OFPFW_NW_SRC_SHIFT = 8,
    OFPFW_NW_DST_SHIFT = 14,
    OFPFW_DL_VLAN_PCP = 1 << 20,
    OFPFW_NW_TOS = 1 << 21,
    OFPFW_NW_BITS = 0x3f, /* How many low bits of the address are wild; 32 or more: all. */
    OFPFW_ALL = (1 << 22) - 1,
};

enum { VLAN_NONE = 0xffff };

struct of10_match {
    be32 wildcards;
    be16 in_port;
    struct mac dl_src, dl_dst;
    be16 dl_vlan;
    uint8_t dl_vlan_pcp;
    uint8_t pad1;
    be16 dl_type;
    uint8_t nw_tos, nw_proto;
    uint8_t pad2[2];
    be32 nw_src, nw_dst;
    be16 tp_src, tp_dst;
};
static_assert(sizeof(struct of10_match) == OF10_MATCH_BYTES, "wire format");

static be32 address_mask(uint32_t wildcards, unsigned shift)
{
    unsigned n_wild = wildcards >> shift & OFPFW_NW_BITS;

    return be32_from(n_wild >= 32 ? 0 : UINT32_MAX << n_wild);
}

static void decode_vlan(const struct of10_match *wire, uint32_t wildcards, struct match *match)
{
    struct flow_vlan *vlan = &match->flow.key.vlan[0], *mask = &match->mask.key.vlan[0];
    bool has_vid = !(wildcards & OFPFW_DL_VLAN), has_pcp = !(wildcards & OFPFW_DL_VLAN_PCP);

    if (!has_vid && !has_pcp)
        return;
    if (has_vid && be16_host(wire->dl_vlan) == VLAN_NONE) {
        mask->tci = be16_from(UINT16_MAX);
        return;
    }
    unsigned bits = VLAN_CFI | (has_vid ? VLAN_VID_MASK : 0U) | (has_pcp ? VLAN_PCP_MASK : 0U);
    unsigned tci = VLAN_CFI | (be16_host(wire->dl_vlan) & VLAN_VID_MASK) |
                   (unsigned)(wire->dl_vlan_pcp & 7) << VLAN_PCP_SHIFT;
    vlan->tci = be16_from((uint16_t)(tci & bits));
    mask->tci = be16_from((uint16_t)bits);
}

static bool is_matched_type(const struct match *match, uint16_t one, uint16_t other)
{
    uint16_t eth_type = be16_host(match->flow.key.eth_type);

    return match->mask.key.eth_type.raw && (eth_type == one || eth_type == other);
}

static void decode_network(const struct of10_match *wire, uint32_t wildcards, struct match *match)
{
    struct flow_key *flow = &match->flow.key, *mask = &match->mask.key;
    bool is_ip = is_matched_type(match, ETH_TYPE_IPV4, ETH_TYPE_IPV6);
    bool is_arp = is_matched_type(match, ETH_TYPE_ARP, ETH_TYPE_RARP);

    if (is_arp || is_matched_type(match, ETH_TYPE_IPV4, ETH_TYPE_IPV4)) {
        mask->nw_src = address_mask(wildcards, OFPFW_NW_SRC_SHIFT);
        mask->nw_dst = address_mask(wildcards, OFPFW_NW_DST_SHIFT);
        flow->nw_src.raw = wire->nw_src.raw & mask->nw_src.raw;
        flow->nw_dst.raw = wire->nw_dst.raw & mask->nw_dst.raw;
    }
    if ((is_ip || is_arp) && !(wildcards & OFPFW_NW_PROTO)) {
        mask->nw_proto = UINT8_MAX;
        flow->nw_proto = wire->nw_proto;
    }
    if (is_ip && !(wildcards & OFPFW_NW_TOS)) {
        mask->nw_tos = IP_DSCP_MASK;
        flow->nw_tos = wire->nw_tos & IP_DSCP_MASK;
    }
}

/* The first of these whose prerequisites hold says what tp_src and tp_dst mean. */
static const uint16_t transports[][2] = {
    {FIELD_TCP_SRC, FIELD_TCP_DST},         {FIELD_UDP_SRC, FIELD_UDP_DST},
    {FIELD_SCTP_SRC, FIELD_SCTP_DST},       {FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE},
    {FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE},
};

static const uint16_t *transport_of(const struct match *match)
{
    for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
        if (of_field_match_allows(of_field((enum of_field_id)transports[i][0]), match))
            return transports[i];
    }
    return NULL;
}

static void decode_port(enum of_field_id id, be16 wire, struct match *match)
{
    const struct of_field *field = of_field(id);
    struct of_value value;

    of_value_from_u64(field, be16_host(wire), &value);
    of_field_set(field, &value, &match->flow);
    of_field_add_mask(field, NULL, &match->mask);
}

void of_match_decode_of10(const void *bytes, struct match *match)
{
    struct of10_match wire;
    struct flow_key *flow = &match->flow.key, *mask = &match->mask.key;

    memcpy(&wire, bytes, sizeof wire);
    uint32_t wildcards = be32_host(wire.wildcards);
    match_init_any(match);
    if (!(wildcards & OFPFW_IN_PORT)) {
        flow->in_port = be32_from(be16_host(wire.in_port));
        mask->in_port = be32_from(UINT32_MAX);
    }
    if (!(wildcards & OFPFW_DL_SRC)) {
        flow->eth_src = wire.dl_src;
        memset(&mask->eth_src, 0xff, sizeof mask->eth_src);
    }
    if (!(wildcards & OFPFW_DL_DST)) {
        flow->eth_dst = wire.dl_dst;
        memset(&mask->eth_dst, 0xff, sizeof mask->eth_dst);
    }
    if (!(wildcards & OFPFW_DL_TYPE)) {
        flow->eth_type = wire.dl_type;
        mask->eth_type = be16_from(UINT16_MAX);
    }
    decode_vlan(&wire, wildcards, match);
    decode_network(&wire, wildcards, match);

    const uint16_t *transport = transport_of(match);
    if (transport && !(wildcards & OFPFW_TP_SRC))
        decode_port((enum of_field_id)transport[0], wire.tp_src, match);
    if (transport && !(wildcards & OFPFW_TP_DST))
        decode_port((enum of_field_id)transport[1], wire.tp_dst, match);
}

static uint32_t encode_address(be32 address, be32 mask, unsigned shift, be32 *wire)
{
    uint32_t bits = be32_host(mask);
    uint32_t n_wild = bits ? (uint32_t)__builtin_ctz(bits) : 32;

    wire->raw = address.raw;
    return n_wild << shift;
}

static uint32_t encode_vlan(const struct match *match, struct of10_match *wire)
{
    unsigned tci = be16_host(match->flow.key.vlan[0].tci);
    unsigned mask = be16_host(match->mask.key.vlan[0].tci);

    if (mask & VLAN_CFI && !(tci & VLAN_CFI)) {
        wire->dl_vlan = be16_from(VLAN_NONE);
        return OFPFW_DL_VLAN_PCP;
    }
    wire->dl_vlan = be16_from(mask & VLAN_VID_MASK ? (uint16_t)(tci & VLAN_VID_MASK) : 0);
    wire->dl_vlan_pcp = (uint8_t)(tci >> VLAN_PCP_SHIFT);
    return (mask & VLAN_VID_MASK ? 0U : OFPFW_DL_VLAN) |
           (mask & VLAN_PCP_MASK ? 0U : OFPFW_DL_VLAN_PCP);
}

void of_match_encode_of10(const struct match *match, struct buffer *out)
{
    const struct flow_key *flow = &match->flow.key, *mask = &match->mask.key;
    struct of10_match wire = {
        .in_port = be16_from((uint16_t)be32_host(flow->in_port)),
        .dl_src = flow->eth_src,
        .dl_dst = flow->eth_dst,
        .dl_type = flow->eth_type,
        .nw_tos = flow->nw_tos & IP_DSCP_MASK,
        .nw_proto = flow->nw_proto,
        .tp_src = flow->tp_src,
        .tp_dst = flow->tp_dst,
    };
    uint32_t wildcards = encode_vlan(match, &wire);

    wildcards |= mask->in_port.raw ? 0U : OFPFW_IN_PORT;
    wildcards |= mac_is_zero(mask->eth_src) ? OFPFW_DL_SRC : 0U;
    wildcards |= mac_is_zero(mask->eth_dst) ? OFPFW_DL_DST : 0U;
    wildcards |= mask->eth_type.raw ? 0U : OFPFW_DL_TYPE;
    wildcards |= mask->nw_tos & IP_DSCP_MASK ? 0U : OFPFW_NW_TOS;
    wildcards |= mask->nw_proto ? 0U : OFPFW_NW_PROTO;
    wildcards |= encode_address(flow->nw_src, mask->nw_src, OFPFW_NW_SRC_SHIFT, &wire.nw_src);
    wildcards |= encode_address(flow->nw_dst, mask->nw_dst, OFPFW_NW_DST_SHIFT, &wire.nw_dst);
    wildcards |= mask->tp_src.raw ? 0U : OFPFW_TP_SRC;
    wildcards |= mask->tp_dst.raw ? 0U : OFPFW_TP_DST;
    wire.wildcards = be32_from(wildcards);
    buffer_put(out, &wire, sizeof wire);
}

bool of_match_fits_of10(const struct match *match)
{
    struct buffer wire = BUFFER_INIT;
    struct match again;

    of_match_encode_of10(match, &wire);
    of_match_decode_of10(wire.data, &again);
    buffer_fini(&wire);
    return match_is_equal(match, &again);
}
