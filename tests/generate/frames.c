/* SPDX-License-Identifier: Apache-2.0 */

/* Frames are written front to back; lengths and checksums are filled in on the way back. */

#include <string.h>

#include "lib/byteorder.h"
#include "lib/flow.h"
#include "tests/generate/generate.h"

const uint8_t pool_macs[POOL_MACS][6] = {
    {0x02, 0, 0, 0, 0, 0x01},
    {0x02, 0, 0, 0, 0, 0x02},
    {0x02, 0, 0, 0, 0, 0x03},
    {0x02, 0, 0, 0, 0, 0x11},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0x01, 0x00, 0x5e, 0, 0, 0x05},
    {0x01, 0x80, 0xc2, 0, 0, 0x00},
    {0x33, 0x33, 0, 0, 0, 0x01},
};
const uint8_t pool_ipv4[POOL_IPV4][4] = {
    {10, 0, 0, 1},    {10, 0, 0, 2},      {10, 0, 1, 1},
    {192, 168, 0, 1}, {192, 168, 255, 9}, {224, 0, 0, 5},
};
const uint8_t pool_ipv6[POOL_IPV6][16] = {
    {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
    {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 1},
    {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
};
const uint16_t pool_ports[POOL_PORTS] = {0, 53, 80, 81, 443, 65535};
const uint16_t pool_vlans[POOL_VLANS] = {0, 10, 20, 4095};
const uint32_t pool_nd_reserved[POOL_ND] = {0, 5, UINT32_C(0x60000000), UINT32_C(0xe0000005)};

struct writer {
    struct random *random;
    const struct generate_frames *options;
    uint8_t *frame;
    size_t size;
};

static uint8_t *put(struct writer *w, size_t n)
{
    uint8_t *at = w->frame + w->size;

    memset(at, 0, n);
    w->size += n;
    return at;
}

static void put_u16(struct writer *w, uint16_t value)
{
    be16_store(put(w, 2), value);
}

static bool one_in(struct writer *w, uint32_t n)
{
    return random_below(w->random, n) == 0;
}

/* Once in a while and if allowed: something that is not true. */
static bool lies(struct writer *w)
{
    return !w->options->is_valid && one_in(w, 24);
}

static void put_payload(struct writer *w, uint32_t max)
{
    uint32_t n = random_below(w->random, max + 1);
    uint8_t *at = put(w, n);

    for (uint32_t i = 0; i < n; i++)
        at[i] = (uint8_t)(i * 7 + n);
}

/* Transport */

static void put_tcp(struct writer *w)
{
    static const uint8_t flags[] = {0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x00, 0xff};
    uint8_t *at = put(w, 20);

    be16_store(at, RANDOM_OF(w->random, pool_ports));
    be16_store(at + 2, RANDOM_OF(w->random, pool_ports));
    at[12] = 0x50;
    if (one_in(w, 6)) {
        put(w, 12)[0] = 1;
        at[12] = 0x80;
    }
    if (lies(w))
        at[12] = (uint8_t)random_u32(w->random);
    at[13] = RANDOM_OF(w->random, flags);
    put_payload(w, 40);
}

static void put_udp(struct writer *w)
{
    size_t start = w->size;
    uint8_t *at = put(w, 8);

    be16_store(at, RANDOM_OF(w->random, pool_ports));
    be16_store(at + 2, RANDOM_OF(w->random, pool_ports));
    put_payload(w, 40);
    be16_store(at + 4, (uint16_t)(lies(w) ? random_u32(w->random) : w->size - start));
}

static void put_sctp(struct writer *w)
{
    uint8_t *at = put(w, 12);

    be16_store(at, RANDOM_OF(w->random, pool_ports));
    be16_store(at + 2, RANDOM_OF(w->random, pool_ports));
    put_payload(w, 20);
}

static void put_icmp(struct writer *w)
{
    static const uint8_t types[] = {0, 8, 3, 11, 255};
    uint8_t *at = put(w, 8);

    at[0] = RANDOM_OF(w->random, types);
    at[1] = (uint8_t)random_below(w->random, 2);
    put_payload(w, 20);
}

static void put_nd_options(struct writer *w)
{
    for (uint32_t n = random_below(w->random, 3); n > 0; n--) {
        uint8_t *at = put(w, 8);

        at[0] = (uint8_t)(1 + random_below(w->random, 3));
        at[1] = lies(w) ? (uint8_t)random_below(w->random, 4) : 1;
        if (!one_in(w, 8))
            memcpy(at + 2, RANDOM_OF(w->random, pool_macs), 6);
        if (one_in(w, 8)) {
            put(w, 8);
            at[1]++;
        }
    }
    if (lies(w))
        put_payload(w, 7);
}

static void put_icmpv6(struct writer *w)
{
    static const uint8_t types[] = {128, 129, 133, 135, 136, 135, 136};
    uint8_t *at = put(w, 8);

    at[0] = RANDOM_OF(w->random, types);
    at[1] = lies(w) ? 1 : 0;
    if (at[0] < 135) {
        put_payload(w, 20);
        return;
    }
    be32_store(at + 4, RANDOM_OF(w->random, pool_nd_reserved));
    memcpy(put(w, 16), RANDOM_OF(w->random, pool_ipv6), 16);
    put_nd_options(w);
}

static void put_transport(struct writer *w, uint8_t proto, bool is_ipv6)
{
    switch (proto) {
    case IP_PROTO_TCP:
        put_tcp(w);
        break;
    case IP_PROTO_UDP:
        put_udp(w);
        break;
    case IP_PROTO_SCTP:
        put_sctp(w);
        break;
    case IP_PROTO_ICMP:
        put_icmp(w);
        break;
    case IP_PROTO_ICMPV6:
        put_icmpv6(w);
        break;
    default:
        put_payload(w, 30);
        break;
    }
    (void)is_ipv6;
}

/* Where the transport checksum stands; 0: there is none. */
static size_t checksum_offset(uint8_t proto, bool is_ipv6)
{
    if (proto == IP_PROTO_TCP)
        return 16;
    if (proto == IP_PROTO_UDP)
        return 6;
    return proto == (is_ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP) ? 2 : 0;
}

static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (n & 1)
        sum += (uint32_t)bytes[n - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void fill_checksum(uint8_t *l4, size_t n, uint8_t proto, bool is_ipv6, const uint8_t *addrs,
                          size_t addrs_bytes)
{
    size_t at = checksum_offset(proto, is_ipv6);
    uint32_t sum = 0;

    if (!at || n < at + 2)
        return;
    if (is_ipv6 || proto != IP_PROTO_ICMP)
        sum = sum_bytes((uint32_t)n + proto, addrs, addrs_bytes);
    be16_store(l4 + at, fold(sum_bytes(sum, l4, n)));
}

/* Network */

static const uint8_t tos_pool[] = {0, 0x28, 0x2b, 0xff};
static const uint8_t ttl_pool[] = {0, 1, 2, 64, 64, 64, 255};

static void put_ipv4(struct writer *w)
{
    static const uint8_t protos[] = {IP_PROTO_TCP,
                                     IP_PROTO_TCP,
                                     IP_PROTO_UDP,
                                     IP_PROTO_UDP,
                                     IP_PROTO_ICMP,
                                     IP_PROTO_SCTP,
                                     0,
                                     47};
    static const uint16_t fragments[] = {0x2000, 0x2010, 0x0010, 0x4000};
    size_t start = w->size;
    uint8_t *at = put(w, 20);
    uint8_t proto = RANDOM_OF(w->random, protos);

    if (!proto && !w->options->has_protocol_0)
        proto = IP_PROTO_UDP;
    at[0] = 0x45;
    if (one_in(w, 8)) {
        put(w, 4)[0] = 1;
        at[0] = 0x46;
    }
    at[1] = RANDOM_OF(w->random, tos_pool);
    if (one_in(w, 8))
        be16_store(at + 6, RANDOM_OF(w->random, fragments));
    at[8] = RANDOM_OF(w->random, ttl_pool);
    at[9] = proto;
    memcpy(at + 12, RANDOM_OF(w->random, pool_ipv4), 4);
    memcpy(at + 16, RANDOM_OF(w->random, pool_ipv4), 4);

    size_t l4 = w->size;
    put_transport(w, proto, false);
    fill_checksum(w->frame + l4, w->size - l4, proto, false, at + 12, 8);
    be16_store(at + 2, (uint16_t)(w->size - start));
    if (lies(w))
        be16_store(at + 2, (uint16_t)(w->size - start + random_below(w->random, 7) - 3));
    if (lies(w))
        at[0] = (uint8_t)(0x40 | random_below(w->random, 16));
    if (lies(w) && w->options->has_wrong_versions)
        at[0] = (uint8_t)random_u32(w->random);
    be16_store(at + 10, fold(sum_bytes(0, at, l4 - start)));
}

static uint8_t put_ipv6_extension(struct writer *w, uint8_t next)
{
    static const uint8_t types[] = {0, 43, 44, 51, 60, 44};
    uint8_t type = RANDOM_OF(w->random, types);

    if (type == 44 && !w->options->has_ipv6_fragments)
        type = 60;
    uint32_t n = random_below(w->random, 2);
    uint8_t *at = put(w, type == 44 ? 8 : type == 51 ? 12 : (n + 1) * 8);

    at[0] = next;
    if (type == 51)
        at[1] = 1;
    else if (type != 44)
        at[1] = (uint8_t)n;
    else if (one_in(w, 2))
        be16_store(at + 2, (uint16_t)(one_in(w, 2) ? 1 : 0x0101));
    if (lies(w))
        at[1] = (uint8_t)random_u32(w->random);
    return type;
}

static void put_ipv6(struct writer *w)
{
    static const uint8_t protos[] = {IP_PROTO_TCP,  IP_PROTO_UDP, IP_PROTO_ICMPV6, IP_PROTO_ICMPV6,
                                     IP_PROTO_SCTP, 0xfd,         IP_PROTO_TCP,    IP_PROTO_ICMP};
    uint8_t *at = put(w, 40);
    uint8_t proto = RANDOM_OF(w->random, protos), next = proto;
    uint8_t headers[256];
    size_t headers_bytes = 0;

    at[0] = 0x60;
    at[1] = (uint8_t)(random_below(w->random, 2) * 0x83);
    at[3] = (uint8_t)random_below(w->random, 3);
    at[7] = RANDOM_OF(w->random, ttl_pool);
    memcpy(at + 8, RANDOM_OF(w->random, pool_ipv6), 16);
    memcpy(at + 24, RANDOM_OF(w->random, pool_ipv6), 16);

    /* Extension headers name the one behind them: made last to first, put in front of each other. */
    for (uint32_t n = one_in(w, 5) ? 1 + random_below(w->random, 3) : 0; n > 0; n--) {
        size_t before = w->size, n_bytes;

        next = put_ipv6_extension(w, next);
        n_bytes = w->size - before;
        memmove(headers + n_bytes, headers, headers_bytes);
        memcpy(headers, w->frame + before, n_bytes);
        headers_bytes += n_bytes;
        w->size = before;
    }
    at[6] = next;
    memcpy(put(w, headers_bytes), headers, headers_bytes);

    size_t l4 = w->size;
    put_transport(w, proto, true);
    fill_checksum(w->frame + l4, w->size - l4, proto, true, at + 8, 32);
    be16_store(at + 4, (uint16_t)(w->frame + w->size - at - 40));
    if (lies(w))
        be16_store(at + 4,
                   (uint16_t)(w->frame + w->size - at - 40 + random_below(w->random, 7) - 3));
    if (lies(w) && w->options->has_wrong_versions)
        at[0] = (uint8_t)random_u32(w->random);
}

static void put_arp(struct writer *w)
{
    static const uint8_t fixed[] = {0, 1, 8, 0, 6, 4, 0};
    uint8_t *at = put(w, 28);

    memcpy(at, fixed, sizeof fixed);
    at[7] = (uint8_t)(1 + random_below(w->random, 3));
    memcpy(at + 8, RANDOM_OF(w->random, pool_macs), 6);
    memcpy(at + 14, RANDOM_OF(w->random, pool_ipv4), 4);
    memcpy(at + 18, RANDOM_OF(w->random, pool_macs), 6);
    memcpy(at + 24, RANDOM_OF(w->random, pool_ipv4), 4);
    if (lies(w))
        at[random_below(w->random, 8)] ^= 1;
}

static void put_mpls(struct writer *w)
{
    uint32_t n = 1 + random_below(w->random, 4);

    for (uint32_t i = 1; i <= n; i++) {
        uint8_t *at = put(w, 4);

        at[1] = (uint8_t)random_below(w->random, 2);
        at[2] = i == n && !lies(w);
        at[3] = RANDOM_OF(w->random, ttl_pool);
    }
    put_payload(w, 20);
}

static void put_llc(struct writer *w)
{
    static const uint8_t snap[] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    size_t length_at = w->size;

    put_u16(w, 0);
    if (one_in(w, 2)) {
        memcpy(put(w, sizeof snap), snap, sizeof snap);
        put_u16(w, one_in(w, 2) ? ETH_TYPE_IPV4 : 0x0123);
        put_ipv4(w);
    } else {
        put_payload(w, 40);
    }
    be16_store(w->frame + length_at, (uint16_t)(w->size - length_at - 2));
}

static void put_ethertype_and_rest(struct writer *w)
{
    uint32_t choice = random_below(w->random, 100);

    if (choice < 45) {
        put_u16(w, ETH_TYPE_IPV4);
        put_ipv4(w);
    } else if (choice < 75) {
        put_u16(w, ETH_TYPE_IPV6);
        put_ipv6(w);
    } else if (choice < 87) {
        put_u16(w, choice < 86 ? ETH_TYPE_ARP : ETH_TYPE_RARP);
        put_arp(w);
    } else if (choice < 92) {
        put_u16(w, choice < 91 ? ETH_TYPE_MPLS : ETH_TYPE_MPLS_MULTICAST);
        put_mpls(w);
    } else if (choice < 95) {
        put_llc(w);
    } else {
        put_u16(w, choice < 98 ? 0x88cc : 0x1234);
        put_payload(w, 60);
    }
}

static void put_tag(struct writer *w)
{
    put_u16(w, one_in(w, 4) ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
    put_u16(w, (uint16_t)(RANDOM_OF(w->random, pool_vlans) |
                          random_below(w->random, 2) * 5 << VLAN_PCP_SHIFT |
                          (one_in(w, 8) && w->options->has_dei ? VLAN_CFI : 0)));
}

size_t generate_frame(struct random *random, const struct generate_frames *options,
                      uint8_t frame[static GENERATE_MAX_FRAME])
{
    struct writer w = {.random = random, .options = options, .frame = frame};
    uint32_t n_tags = random_chance(random, 40) ? 1 : 0;

    if (n_tags && random_chance(random, 30))
        n_tags = random_chance(random, 30) ? 3 : 2;
    if (n_tags > options->max_vlans)
        n_tags = options->max_vlans;

    memcpy(put(&w, 6), RANDOM_OF(random, pool_macs), 6);
    memcpy(put(&w, 6), pool_macs[random_below(random, random_chance(random, 95) ? 4 : POOL_MACS)],
           6);
    while (n_tags-- > 0)
        put_tag(&w);
    put_ethertype_and_rest(&w);

    if (random_chance(random, 10)) {
        uint32_t n = random_below(random, random_chance(random, 20) ? 300 : 20);

        memset(put(&w, n), 0x5a, n);
    }
    if (!options->is_valid && random_chance(random, 10))
        w.size = random_below(random, (uint32_t)w.size + 1);
    return w.size;
}
