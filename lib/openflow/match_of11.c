/* SPDX-License-Identifier: Apache-2.0 */

/* ofp_match of OpenFlow 1.1 (appendix A.2.3): 1.0's idea with masks for addresses and metadata, MPLS,
 * and two more words for "any VLAN" and "none". */

#include <assert.h>
#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/match_codec.h"
#include "lib/openflow/wire.h"

enum {
    OFPFW11_IN_PORT = 1 << 0,
    OFPFW11_DL_VLAN = 1 << 1,
    OFPFW11_DL_VLAN_PCP = 1 << 2,
    OFPFW11_DL_TYPE = 1 << 3,
    OFPFW11_NW_TOS = 1 << 4,
    OFPFW11_NW_PROTO = 1 << 5,
    OFPFW11_TP_SRC = 1 << 6,
    OFPFW11_TP_DST = 1 << 7,
    OFPFW11_MPLS_LABEL = 1 << 8,
    OFPFW11_MPLS_TC = 1 << 9,
};

enum { OFPVID11_ANY = 0xfffe, OFPVID11_NONE = 0xffff };

/* In masks, a 1 means "does not matter". */
struct of11_match {
    be16 type, n_bytes;
    be32 in_port;
    be32 wildcards;
    struct mac dl_src, dl_src_wild, dl_dst, dl_dst_wild;
    be16 dl_vlan;
    uint8_t dl_vlan_pcp;
    uint8_t pad1;
    be16 dl_type;
    uint8_t nw_tos, nw_proto;
    be32 nw_src, nw_src_wild, nw_dst, nw_dst_wild;
    be16 tp_src, tp_dst;
    be32 mpls_label;
    uint8_t mpls_tc;
    uint8_t pad2[3];
    be64 metadata, metadata_wild;
};
static_assert(sizeof(struct of11_match) == OF11_MATCH_BYTES, "wire format");

static void set_exactly(enum of_field_id id, uint64_t number, struct match *match)
{
    const struct of_field *field = of_field(id);
    struct of_value value;

    of_value_from_u64(field, number, &value);
    of_field_set(field, &value, &match->flow);
    of_field_add_mask(field, NULL, &match->mask);
}

static void set_mac(struct mac value, struct mac wild, struct mac *to, struct mac *mask)
{
    uint8_t bytes[2][6];

    memcpy(bytes[0], &value, 6);
    memcpy(bytes[1], &wild, 6);
    for (size_t i = 0; i < 6; i++) {
        bytes[1][i] = (uint8_t)~bytes[1][i];
        bytes[0][i] &= bytes[1][i];
    }
    memcpy(to, bytes[0], 6);
    memcpy(mask, bytes[1], 6);
}

static enum of_error decode_vlan(const struct of11_match *wire, uint32_t wildcards,
                                 struct match *match)
{
    struct flow_vlan *vlan = &match->flow.key.vlan[0], *mask = &match->mask.key.vlan[0];
    unsigned vid = be16_host(wire->dl_vlan), tci = VLAN_CFI, bits = VLAN_CFI;

    if (wildcards & OFPFW11_DL_VLAN)
        return OF_OK;
    if (vid == OFPVID11_NONE) {
        mask->tci = be16_from(UINT16_MAX);
        return OF_OK;
    }
    if (vid != OFPVID11_ANY) {
        if (vid > VLAN_VID_MASK)
            return OFPBMC_BAD_VALUE;
        tci |= vid;
        bits |= VLAN_VID_MASK;
    }
    if (!(wildcards & OFPFW11_DL_VLAN_PCP)) {
        if (wire->dl_vlan_pcp > 7)
            return OFPBMC_BAD_VALUE;
        tci |= (unsigned)wire->dl_vlan_pcp << VLAN_PCP_SHIFT;
        bits |= VLAN_PCP_MASK;
    }
    vlan->tci = be16_from((uint16_t)tci);
    mask->tci = be16_from((uint16_t)bits);
    return OF_OK;
}

/* Of other types, such as IPv6, 1.1 does not know what is behind the Ethernet header. */
static bool has_network(uint16_t eth_type)
{
    return eth_type == ETH_TYPE_IPV4 || eth_type == ETH_TYPE_ARP || eth_type == ETH_TYPE_RARP;
}

static enum of_error decode_network(const struct of11_match *wire, uint32_t wildcards,
                                    struct match *match)
{
    uint16_t eth_type = be16_host(wire->dl_type);
    bool is_ip = eth_type == ETH_TYPE_IPV4;
    struct flow_key *flow = &match->flow.key, *mask = &match->mask.key;

    if (is_ip && !(wildcards & OFPFW11_NW_TOS)) {
        if (wire->nw_tos & ~IP_DSCP_MASK)
            return OFPBMC_BAD_VALUE;
        flow->nw_tos = wire->nw_tos;
        mask->nw_tos = IP_DSCP_MASK;
    }
    if (!has_network(eth_type))
        return OF_OK;
    if (!(wildcards & OFPFW11_NW_PROTO)) {
        flow->nw_proto = wire->nw_proto;
        mask->nw_proto = UINT8_MAX;
    }
    mask->nw_src.raw = ~wire->nw_src_wild.raw;
    mask->nw_dst.raw = ~wire->nw_dst_wild.raw;
    flow->nw_src.raw = wire->nw_src.raw & mask->nw_src.raw;
    flow->nw_dst.raw = wire->nw_dst.raw & mask->nw_dst.raw;
    return OF_OK;
}

/* What the ports mean, by protocol. */
static const uint16_t transports[][2] = {
    {FIELD_TCP_SRC, FIELD_TCP_DST},
    {FIELD_UDP_SRC, FIELD_UDP_DST},
    {FIELD_SCTP_SRC, FIELD_SCTP_DST},
    {FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE},
};

static enum of_error decode_transport(const struct of11_match *wire, uint32_t wildcards,
                                      struct match *match)
{
    for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
        const struct of_field *source = of_field((enum of_field_id)transports[i][0]);

        if (be16_host(wire->dl_type) != ETH_TYPE_IPV4 || !of_field_match_allows(source, match))
            continue;
        if (!(wildcards & OFPFW11_TP_SRC)) {
            if (source->n_bytes == 1 && be16_host(wire->tp_src) > UINT8_MAX)
                return OFPBMC_BAD_FIELD;
            set_exactly((enum of_field_id)transports[i][0], be16_host(wire->tp_src), match);
        }
        if (!(wildcards & OFPFW11_TP_DST)) {
            if (source->n_bytes == 1 && be16_host(wire->tp_dst) > UINT8_MAX)
                return OFPBMC_BAD_FIELD;
            set_exactly((enum of_field_id)transports[i][1], be16_host(wire->tp_dst), match);
        }
    }
    return OF_OK; /* Ports of another protocol are to be ignored. */
}

static void decode_mpls(const struct of11_match *wire, uint32_t wildcards, struct match *match)
{
    enum { MAX_LABEL = (1 << 20) - 1 };

    if (!of_field_match_allows(of_field(FIELD_MPLS_LABEL), match))
        return;
    if (!(wildcards & OFPFW11_MPLS_LABEL))
        set_exactly(FIELD_MPLS_LABEL, be32_host(wire->mpls_label) & MAX_LABEL, match);
    if (!(wildcards & OFPFW11_MPLS_TC))
        set_exactly(FIELD_MPLS_TC, wire->mpls_tc & 7, match);
}

enum of_error of_match_decode_of11(const void *bytes, struct match *match)
{
    struct flow_key *flow = &match->flow.key, *mask = &match->mask.key;
    struct of11_match wire;
    of_port in_port;

    memcpy(&wire, bytes, sizeof wire);
    uint32_t wildcards = be32_host(wire.wildcards);
    match_init_any(match);
    if (!(wildcards & OFPFW11_IN_PORT)) {
        if (!of_port_from_wire32(be32_host(wire.in_port), &in_port))
            return OFPBMC_BAD_VALUE;
        flow->in_port = be32_from(in_port);
        mask->in_port = be32_from(UINT32_MAX);
    }
    set_mac(wire.dl_src, wire.dl_src_wild, &flow->eth_src, &mask->eth_src);
    set_mac(wire.dl_dst, wire.dl_dst_wild, &flow->eth_dst, &mask->eth_dst);
    enum of_error error = decode_vlan(&wire, wildcards, match);
    if (!error && !(wildcards & OFPFW11_DL_TYPE)) {
        flow->eth_type = wire.dl_type;
        mask->eth_type = be16_from(UINT16_MAX);
        error = decode_network(&wire, wildcards, match);
        if (!error)
            error = decode_transport(&wire, wildcards, match);
        decode_mpls(&wire, wildcards, match);
    }
    match->mask.metadata.raw = ~wire.metadata_wild.raw;
    match->flow.metadata.raw = wire.metadata.raw & match->mask.metadata.raw;
    return error;
}

static uint32_t encode_vlan(const struct match *match, struct of11_match *wire)
{
    unsigned tci = be16_host(match->flow.key.vlan[0].tci);
    unsigned mask = be16_host(match->mask.key.vlan[0].tci);

    if (!(mask & VLAN_CFI))
        return OFPFW11_DL_VLAN | OFPFW11_DL_VLAN_PCP;
    if (!(tci & VLAN_CFI)) {
        wire->dl_vlan = be16_from(OFPVID11_NONE);
        return OFPFW11_DL_VLAN_PCP;
    }
    wire->dl_vlan = be16_from(mask & VLAN_VID_MASK ? (uint16_t)(tci & VLAN_VID_MASK)
                                                   : OFPVID11_ANY);
    if (!(mask & VLAN_PCP_MASK))
        return OFPFW11_DL_VLAN_PCP;
    wire->dl_vlan_pcp = (uint8_t)(tci >> VLAN_PCP_SHIFT);
    return 0;
}

/* Is the field in the match, and allowed to be?  Then its value. */
static bool get_exactly(const struct match *match, enum of_field_id id, uint64_t *number)
{
    const struct of_field *field = of_field(id);
    struct of_value value, mask;

    of_field_get(field, &match->mask, &mask);
    if (wire_is_zero(mask.bytes, sizeof mask.bytes) || !of_field_match_allows(field, match))
        return false;
    of_field_get(field, &match->flow, &value);
    *number = of_value_u64(field, &value);
    return true;
}

static uint32_t encode_upper(const struct match *match, struct of11_match *wire)
{
    uint32_t wildcards = OFPFW11_TP_SRC | OFPFW11_TP_DST | OFPFW11_MPLS_LABEL | OFPFW11_MPLS_TC;
    bool is_ipv4 = be16_host(match->flow.key.eth_type) == ETH_TYPE_IPV4;
    uint64_t number;

    for (size_t i = 0; is_ipv4 && i < ARRAY_SIZE(transports); i++) {
        if (get_exactly(match, (enum of_field_id)transports[i][0], &number)) {
            wildcards &= ~(uint32_t)OFPFW11_TP_SRC;
            wire->tp_src = be16_from((uint16_t)number);
        }
        if (get_exactly(match, (enum of_field_id)transports[i][1], &number)) {
            wildcards &= ~(uint32_t)OFPFW11_TP_DST;
            wire->tp_dst = be16_from((uint16_t)number);
        }
    }
    if (get_exactly(match, FIELD_MPLS_LABEL, &number)) {
        wildcards &= ~(uint32_t)OFPFW11_MPLS_LABEL;
        wire->mpls_label = be32_from((uint32_t)number);
    }
    if (get_exactly(match, FIELD_MPLS_TC, &number)) {
        wildcards &= ~(uint32_t)OFPFW11_MPLS_TC;
        wire->mpls_tc = (uint8_t)number;
    }
    return wildcards;
}

void of_match_encode_of11(const struct match *match, struct buffer *out)
{
    const struct flow_key *flow = &match->flow.key, *mask = &match->mask.key;
    uint8_t tos_mask = be16_host(flow->eth_type) == ETH_TYPE_IPV4 ? mask->nw_tos & IP_DSCP_MASK : 0;
    uint8_t proto_mask = has_network(be16_host(flow->eth_type)) ? mask->nw_proto : 0;
    struct of11_match wire = {
        .n_bytes = be16_from(OF11_MATCH_BYTES),
        .dl_type = flow->eth_type,
        .nw_tos = flow->nw_tos & tos_mask,
        .nw_proto = flow->nw_proto & proto_mask,
        .nw_src = flow->nw_src,
        .nw_src_wild.raw = ~mask->nw_src.raw,
        .nw_dst = flow->nw_dst,
        .nw_dst_wild.raw = ~mask->nw_dst.raw,
        .metadata = match->flow.metadata,
        .metadata_wild.raw = ~match->mask.metadata.raw,
    };
    uint32_t wildcards = encode_vlan(match, &wire) | encode_upper(match, &wire);

    /* Complementing a mask is its own inverse. */
    set_mac(flow->eth_src, mask->eth_src, &(struct mac){{0}}, &wire.dl_src_wild);
    set_mac(flow->eth_dst, mask->eth_dst, &(struct mac){{0}}, &wire.dl_dst_wild);
    wire.dl_src = flow->eth_src;
    wire.dl_dst = flow->eth_dst;
    if (mask->in_port.raw)
        wire.in_port = be32_from(of_port_to_wire32((of_port)be32_host(flow->in_port)));
    wildcards |= mask->in_port.raw ? 0U : OFPFW11_IN_PORT;
    wildcards |= mask->eth_type.raw ? 0U : OFPFW11_DL_TYPE;
    wildcards |= tos_mask ? 0U : OFPFW11_NW_TOS;
    wildcards |= proto_mask ? 0U : OFPFW11_NW_PROTO;
    wire.wildcards = be32_from(wildcards);
    buffer_put(out, &wire, sizeof wire);
}
