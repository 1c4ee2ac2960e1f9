/* SPDX-License-Identifier: Apache-2.0 */

/* Headers are appended from the outside in; lengths and checksums are filled in behind them. */

#include "lib/compose.h"

#include <string.h>

#include "lib/buffer.h"
#include "lib/byteorder.h"
#include "lib/checksum.h"
#include "lib/crc32c.h"

enum {
    IP_PROTO_NO_NEXT = 59,     /* IPv6: nothing follows. */
    IP_PROTO_EXPERIMENT = 253, /* RFC 3692. */
    IP_PROTO_IPV6_FRAGMENT = 44,
    IP_MORE_FRAGMENTS = 0x2000,
    LATER_OFFSET = 100, /* Of a later fragment, in units of 8 bytes. */
};

static void put_u8(unsigned value, struct buffer *out)
{
    *(uint8_t *)buffer_put_uninit(out, 1) = (uint8_t)value;
}

static void put_u16(unsigned value, struct buffer *out)
{
    be16_store(buffer_put_uninit(out, 2), (uint16_t)value);
}

static void put_u32(uint32_t value, struct buffer *out)
{
    be32_store(buffer_put_uninit(out, 4), value);
}

/* --- Ethernet ------------------------------------------------------------------------------ */

static void put_tags(const struct flow_key *key, struct buffer *out)
{
    for (size_t i = 0; i < FLOW_N_VLANS && key->vlan[i].tci.raw; i++) {
        unsigned tpid = be16_host(key->vlan[i].tpid);

        put_u16(tpid ? tpid : ETH_TYPE_VLAN, out);
        put_u16(be16_host(key->vlan[i].tci) & ~(unsigned)VLAN_CFI, out);
    }
}

/* The last label is marked as such, unless it is known not to be: then another one follows. */
static void put_labels(const struct flow_key *key, const struct flow_key *known, struct buffer *out)
{
    enum { BOTTOM = 1 << 8 };
    bool is_known = be32_host(known->mpls_lse[0]) & BOTTOM;
    uint32_t first = be32_host(key->mpls_lse[0]);

    put_u32(is_known ? first : first | BOTTOM, out);
    if (is_known && !(first & BOTTOM))
        put_u32(BOTTOM | COMPOSE_TTL, out);
}

static void put_arp(const struct flow_key *key, struct buffer *out)
{
    put_u16(1, out);
    put_u16(ETH_TYPE_IPV4, out);
    put_u8(sizeof key->arp_sha, out);
    put_u8(sizeof key->nw_src, out);
    put_u16(key->nw_proto, out);
    buffer_put(out, &key->arp_sha, sizeof key->arp_sha);
    buffer_put(out, &key->nw_src, sizeof key->nw_src);
    buffer_put(out, &key->arp_tha, sizeof key->arp_tha);
    buffer_put(out, &key->nw_dst, sizeof key->nw_dst);
}

/* --- Transport ----------------------------------------------------------------------------- */

static void put_tcp(const struct flow_key *key, struct buffer *out)
{
    put_u16(be16_host(key->tp_src), out);
    put_u16(be16_host(key->tp_dst), out);
    buffer_put_zeros(out, 8);
    put_u16(5 << 12 | (be16_host(key->tcp_flags) & 0xfff), out);
    put_u16(UINT16_MAX, out); /* Window. */
    buffer_put_zeros(out, 4);
}

static void put_udp(const struct flow_key *key, struct buffer *out)
{
    put_u16(be16_host(key->tp_src), out);
    put_u16(be16_host(key->tp_dst), out);
    put_u16(8, out);
    put_u16(0, out);
}

static void put_sctp(const struct flow_key *key, struct buffer *out)
{
    put_u16(be16_host(key->tp_src), out);
    put_u16(be16_host(key->tp_dst), out);
    buffer_put_zeros(out, 8);
}

static void put_icmp(const struct flow_key *key, struct buffer *out)
{
    put_u8(be16_host(key->tp_src), out);
    put_u8(be16_host(key->tp_dst), out);
    buffer_put_zeros(out, 6);
}

static void put_nd_option(unsigned type, struct mac mac, struct buffer *out)
{
    static const struct mac none;

    if (!memcmp(&mac, &none, sizeof mac))
        return;
    put_u8(type, out);
    put_u8(1, out); /* Of 8 bytes. */
    buffer_put(out, &mac, sizeof mac);
}

static void put_icmpv6(const struct flow_key *key, struct buffer *out)
{
    unsigned type = be16_host(key->tp_src);

    put_icmp(key, out);
    if ((type != ND_NEIGHBOR_SOLICIT && type != ND_NEIGHBOR_ADVERT) || key->tp_dst.raw)
        return;
    memcpy(out->data + out->size - 4, &key->nd_reserved, sizeof key->nd_reserved);
    buffer_put(out, &key->nd_target, sizeof key->nd_target);
    put_nd_option(ND_OPTION_SOURCE, key->arp_sha, out);
    put_nd_option(ND_OPTION_TARGET, key->arp_tha, out);
}

/* 'sum' is that of the pseudo header. */
static void fill_checksum(unsigned proto, uint64_t sum, size_t start, struct buffer *out)
{
    uint8_t *header = out->data + start;
    size_t n_bytes = out->size - start;
    size_t offset = proto == IP_PROTO_TCP ? 16 : proto == IP_PROTO_UDP ? 6 : 2;

    if (proto == IP_PROTO_SCTP) {
        uint32_t crc = crc32c(0, header, n_bytes);
        memcpy(header + 8, &crc, sizeof crc); /* Least significant byte first. */
        return;
    }
    be16 checksum =
        checksum_finish(checksum_add(proto == IP_PROTO_ICMP ? 0 : sum, header, n_bytes));
    if (proto == IP_PROTO_UDP && !checksum.raw)
        checksum.raw = UINT16_MAX; /* 0 says that there is none. */
    memcpy(header + offset, &checksum, sizeof checksum);
}

static bool put_transport(const struct flow_key *key, unsigned proto, bool is_ipv6,
                          struct buffer *out)
{
    switch (proto) {
    case IP_PROTO_TCP:
        put_tcp(key, out);
        return true;
    case IP_PROTO_UDP:
        put_udp(key, out);
        return true;
    case IP_PROTO_SCTP:
        put_sctp(key, out);
        return true;
    case IP_PROTO_ICMP:
        if (!is_ipv6)
            put_icmp(key, out);
        return !is_ipv6;
    case IP_PROTO_ICMPV6:
        if (is_ipv6)
            put_icmpv6(key, out);
        return is_ipv6;
    default:
        return false;
    }
}

/* --- IP ------------------------------------------------------------------------------------ */

static unsigned fragment_bits(const struct flow_key *key)
{
    if (key->nw_frag & NW_FRAG_LATER)
        return LATER_OFFSET;
    return key->nw_frag & NW_FRAG_ANY ? IP_MORE_FRAGMENTS : 0;
}

static void put_ipv4(const struct flow_key *key, const struct flow_key *known, struct buffer *out)
{
    unsigned proto = known->nw_proto ? key->nw_proto : IP_PROTO_EXPERIMENT;
    size_t start = out->size;

    put_u8(0x45, out);
    put_u8(key->nw_tos, out);
    put_u32(0, out); /* Length, filled in below, and identification. */
    put_u16(fragment_bits(key), out);
    put_u8(known->nw_ttl ? key->nw_ttl : COMPOSE_TTL, out);
    put_u8(proto, out);
    put_u16(0, out); /* Checksum. */
    buffer_put(out, &key->nw_src, sizeof key->nw_src);
    buffer_put(out, &key->nw_dst, sizeof key->nw_dst);
    size_t body = out->size;
    if (key->nw_frag & NW_FRAG_LATER)
        buffer_put_zeros(out, 8);
    else if (put_transport(key, proto, false, out))
        fill_checksum(proto,
                      checksum_add_pseudo_ipv4(0, key->nw_src, key->nw_dst, (uint8_t)proto,
                                               (uint16_t)(out->size - body)),
                      body, out);
    be16_store(out->data + start + 2, (uint16_t)(out->size - start));
    be16 checksum = checksum_of(out->data + start, body - start);
    memcpy(out->data + start + 10, &checksum, sizeof checksum);
}

static void put_ipv6(const struct flow_key *key, const struct flow_key *known, struct buffer *out)
{
    unsigned proto = known->nw_proto ? key->nw_proto : IP_PROTO_NO_NEXT;
    size_t start = out->size;

    put_u32(6U << 28 | (uint32_t)key->nw_tos << 20 | (be32_host(key->ipv6_label) & 0xfffff), out);
    put_u16(0, out); /* Length. */
    put_u8(key->nw_frag ? IP_PROTO_IPV6_FRAGMENT : proto, out);
    put_u8(known->nw_ttl ? key->nw_ttl : COMPOSE_TTL, out);
    buffer_put(out, &key->ipv6_src, sizeof key->ipv6_src);
    buffer_put(out, &key->ipv6_dst, sizeof key->ipv6_dst);
    size_t body = out->size;
    if (key->nw_frag) {
        put_u8(proto, out);
        put_u8(0, out);
        put_u16(key->nw_frag & NW_FRAG_LATER ? LATER_OFFSET << 3 : 1, out);
        put_u32(0, out); /* Identification. */
    }
    size_t transport = out->size;
    if (key->nw_frag & NW_FRAG_LATER)
        buffer_put_zeros(out, 8);
    else if (put_transport(key, proto, true, out))
        fill_checksum(proto,
                      checksum_add_pseudo_ipv6(0, &key->ipv6_src, &key->ipv6_dst, (uint8_t)proto,
                                               (uint32_t)(out->size - transport)),
                      transport, out);
    be16_store(out->data + start + 4, (uint16_t)(out->size - body));
}

void compose_frame(const struct flow_key *key, const struct flow_key *known, struct buffer *out)
{
    unsigned eth_type = known->eth_type.raw ? be16_host(key->eth_type) : COMPOSE_ETH_TYPE;
    size_t start = out->size;

    buffer_put(out, &key->eth_dst, sizeof key->eth_dst);
    buffer_put(out, &key->eth_src, sizeof key->eth_src);
    put_tags(key, out);
    put_u16(eth_type, out);
    switch (eth_type) {
    case ETH_TYPE_IPV4:
        put_ipv4(key, known, out);
        break;
    case ETH_TYPE_IPV6:
        put_ipv6(key, known, out);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        put_arp(key, out);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MULTICAST:
        put_labels(key, known, out);
        break;
    default:
        break;
    }
    if (out->size - start < COMPOSE_MIN_BYTES)
        buffer_put_zeros(out, COMPOSE_MIN_BYTES - (out->size - start));
}
