/* SPDX-License-Identifier: Apache-2.0 */

/* Each word of the key has a function that knows where its bytes stand in a frame. */

#include "datapath/rewrite.h"

#include "lib/crc32c.h"
#include "datapath/actions.h"
#include "datapath/kernel/meter.h"
#include "datapath/offload.h"
#include "lib/checksum.h"

enum {
    ETH_ADDRS_BYTES = 12,
    ETH_HEADER_BYTES = 14,
    VLAN_BYTES = 4,
    MPLS_BYTES = 4,
    IPV6_HEADER_BYTES = 40
};

struct patch {
    const uint8_t *value;
    const uint8_t *mask;
};

/* 'n' bytes at 'at', from byte 'skip' of the word on.  True if a bit was asked for. */
static bool patch_bytes(uint8_t *at, const struct patch *patch, size_t skip, size_t n)
{
    uint8_t any = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t mask = patch->mask[skip + i];

        at[i] = (uint8_t)((at[i] & ~mask) | (patch->value[skip + i] & mask));
        any |= mask;
    }
    return any;
}

/* The type in front of L3; 0 if there is no L3. */
static uint16_t l3_type(const struct packet *packet)
{
    if (packet->l3_offset == PACKET_OFFSET_NONE)
        return 0;
    return be16_host(be16_load(packet->data + packet->l3_offset - 2));
}

/* Offset of the checksum in the transport header; 0 if that has no Internet checksum. */
static uint16_t l4_checksum_offset(uint8_t nw_proto, bool is_ipv6)
{
    if (nw_proto == IP_PROTO_TCP)
        return 16;
    if (nw_proto == IP_PROTO_UDP)
        return 6;
    return nw_proto == (is_ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP) ? 2 : 0;
}

static void l3_checksum_update(uint8_t *ipv4, const void *from, const void *to, size_t n_bytes)
{
    be16 checksum = checksum_update(be16_load(ipv4 + 10), from, to, n_bytes);

    memcpy(ipv4 + 10, &checksum, sizeof checksum);
}

enum { UNDER_PSEUDO_HEADER = true, UNDER_TRANSPORT = false };

/* 'from' became 'to' under the transport checksum. */
static void l4_checksum_update(struct packet *packet, const struct flow_key *key, bool is_pseudo,
                               const void *from, const void *to, size_t n_bytes)
{
    bool is_ipv6 = be16_host(key->eth_type) == ETH_TYPE_IPV6;
    uint16_t offset = l4_checksum_offset(key->nw_proto, is_ipv6);

    /* ICMP has no pseudo header, ICMPv6 has. */
    if (packet->l4_offset == PACKET_OFFSET_NONE || !offset ||
        (is_pseudo && !is_ipv6 && key->nw_proto == IP_PROTO_ICMP))
        return;

    uint8_t *at = packet->data + packet->l4_offset + offset;
    be16 checksum = be16_load(at);

    if (packet_needs_checksum(packet) &&
        packet->vnet.csum_start + packet->vnet.csum_offset == packet->l4_offset + offset) {
        if (!is_pseudo)
            return;
        checksum.raw = (uint16_t)~checksum.raw;
        checksum = checksum_update(checksum, from, to, n_bytes);
        checksum.raw = (uint16_t)~checksum.raw;
    } else {
        if (key->nw_proto == IP_PROTO_UDP && !checksum.raw)
            return;
        checksum = checksum_update(checksum, from, to, n_bytes);
        if (key->nw_proto == IP_PROTO_UDP && !checksum.raw)
            checksum.raw = UINT16_MAX;
    }
    memcpy(at, &checksum, sizeof checksum);
}

static void set_eth_addrs(struct packet *packet, const struct patch *patch, size_t at, size_t n)
{
    if (packet->size >= ETH_HEADER_BYTES)
        patch_bytes(packet->data + at, patch, 0, n);
}

static bool has_tag(const struct packet *packet, unsigned int i)
{
    size_t at = ETH_ADDRS_BYTES + i * VLAN_BYTES;

    if (packet->size < at + VLAN_BYTES + 2)
        return false;
    uint16_t type = be16_host(be16_load(packet->data + at));
    return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

static void set_vlans(struct packet *packet, const struct patch *patch)
{
    for (unsigned int i = 0; i < FLOW_N_VLANS && has_tag(packet, i); i++) {
        uint8_t *tci = packet->data + ETH_ADDRS_BYTES + i * VLAN_BYTES + 2;
        uint8_t cfi = tci[0] & (VLAN_CFI >> 8);

        patch_bytes(tci, patch, i * VLAN_BYTES + 2, 2);
        tci[0] = (uint8_t)((tci[0] & ~(VLAN_CFI >> 8)) | cfi);
    }
}

static void set_nw_addrs(struct packet *packet, const struct flow_key *key,
                         const struct patch *patch)
{
    uint8_t *l3 = packet->data + packet->l3_offset;
    uint8_t old[8];

    switch (l3_type(packet)) {
    case ETH_TYPE_IPV4:
        memcpy(old, l3 + 12, sizeof old);
        patch_bytes(l3 + 12, patch, 0, sizeof old);
        l3_checksum_update(l3, old, l3 + 12, sizeof old);
        l4_checksum_update(packet, key, UNDER_PSEUDO_HEADER, old, l3 + 12, sizeof old);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        patch_bytes(l3 + 14, patch, 0, 4);
        patch_bytes(l3 + 24, patch, 4, 4);
        break;
    }
}

/* With segments left in a routing header, the transport checksum covers the last hop's address, which is
 * in there (RFC 8200 section 8.1), not the header's destination. */
static bool has_segments_left(const struct packet *packet)
{
    size_t at = packet->l3_offset + (size_t)IPV6_HEADER_BYTES;
    uint8_t proto = packet->data[packet->l3_offset + 6];

    while (packet->l4_offset != PACKET_OFFSET_NONE && at + 8 <= packet->l4_offset) {
        const uint8_t *header = packet->data + at;

        if (proto == 43)
            return header[3] != 0;
        at += proto == 44 ? 8 : proto == 51 ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
        proto = header[0];
    }
    return false;
}

static void set_ipv6_addrs(struct packet *packet, const struct flow_key *key,
                           const struct patch *patch, unsigned int word)
{
    uint8_t *at = packet->data + packet->l3_offset + 8 + (size_t)word * 8;
    uint8_t old[8];

    if (l3_type(packet) != ETH_TYPE_IPV6)
        return;
    memcpy(old, at, sizeof old);
    patch_bytes(at, patch, 0, sizeof old);
    if (word < 2 || !has_segments_left(packet))
        l4_checksum_update(packet, key, UNDER_PSEUDO_HEADER, old, at, sizeof old);
}

/* The word of ipv6_label, nw_frag, nw_tos, nw_ttl and nw_proto, in which ARP keeps its opcode. */
enum { IN_WORD_TOS = 5, IN_WORD_TTL = 6, IN_WORD_PROTO = 7 };

static void set_ipv4_fields(struct packet *packet, const struct patch *patch)
{
    uint8_t *l3 = packet->data + packet->l3_offset;
    uint8_t old[2];

    memcpy(old, l3, sizeof old);
    if (patch_bytes(l3 + 1, patch, IN_WORD_TOS, 1))
        l3_checksum_update(l3, old, l3, sizeof old);
    memcpy(old, l3 + 8, sizeof old);
    if (patch_bytes(l3 + 8, patch, IN_WORD_TTL, 1))
        l3_checksum_update(l3, old, l3 + 8, sizeof old);
}

static void set_ipv6_fields(struct packet *packet, const struct patch *patch)
{
    uint8_t *l3 = packet->data + packet->l3_offset;
    uint32_t first = be32_host(be32_load(l3));
    uint32_t mask = be32_host(be32_load(patch->mask)) & 0xfffff;
    uint32_t value = be32_host(be32_load(patch->value));

    mask |= (uint32_t)patch->mask[IN_WORD_TOS] << 20;
    value = (value & 0xfffff) | (uint32_t)patch->value[IN_WORD_TOS] << 20;
    be32_store(l3, (first & ~mask) | (value & mask));
    patch_bytes(l3 + 7, patch, IN_WORD_TTL, 1);
}

static void set_arp_op(struct packet *packet, const struct patch *patch)
{
    uint8_t *op = packet->data + packet->l3_offset + 6;

    if (patch->mask[IN_WORD_PROTO] == UINT8_MAX)
        op[0] = 0; /* The key holds no opcode of more than a byte. */
    patch_bytes(op + 1, patch, IN_WORD_PROTO, 1);
}

static void set_nw_fields(struct packet *packet, const struct patch *patch)
{
    switch (l3_type(packet)) {
    case ETH_TYPE_IPV4:
        set_ipv4_fields(packet, patch);
        break;
    case ETH_TYPE_IPV6:
        set_ipv6_fields(packet, patch);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        set_arp_op(packet, patch);
        break;
    }
}

void rewrite_drop_precedence(struct packet *packet, uint8_t n_steps)
{
    const uint8_t *l3 = packet->data + packet->l3_offset;
    uint8_t value[8] = {0}, mask[8] = {[IN_WORD_TOS] = UINT8_MAX};
    const struct patch patch = {.value = value, .mask = mask};

    switch (l3_type(packet)) {
    case ETH_TYPE_IPV4:
        value[IN_WORD_TOS] = (uint8_t)kc_raise_precedence(l3[1], n_steps);
        set_ipv4_fields(packet, &patch);
        break;
    case ETH_TYPE_IPV6:
        value[IN_WORD_TOS] = (uint8_t)kc_raise_precedence((uint8_t)(l3[0] << 4 | l3[1] >> 4),
                                                          n_steps);
        set_ipv6_fields(packet, &patch);
        break;
    }
}

enum { ND_RESERVED_AT = 4, ND_TARGET_AT = 8, ND_OPTIONS_AT = 24 };

/* ICMPv6, long enough to have neighbour discovery's target. */
static bool may_be_nd(const struct packet *packet, const struct flow_key *key)
{
    return be16_host(key->eth_type) == ETH_TYPE_IPV6 && key->nw_proto == IP_PROTO_ICMPV6 &&
           packet->l4_offset != PACKET_OFFSET_NONE && packet->l4_bytes >= ND_OPTIONS_AT;
}

static bool is_nd(const struct packet *packet, const struct flow_key *key)
{
    const uint8_t *l4 = packet->data + packet->l4_offset;

    return may_be_nd(packet, key) &&
           (l4[0] == ND_NEIGHBOR_SOLICIT || l4[0] == ND_NEIGHBOR_ADVERT) && l4[1] == 0;
}

/* The link-layer address in the option of 'type', or NULL. */
static uint8_t *nd_option_addr(struct packet *packet, uint8_t type)
{
    uint8_t *l4 = packet->data + packet->l4_offset;

    for (size_t at = ND_OPTIONS_AT; at + 8 <= packet->l4_bytes && l4[at + 1]; at += l4[at + 1] * 8u)
        if (l4[at] == type && l4[at + 1] == 1)
            return l4 + at + 2;
    return NULL;
}

static void set_nd_addr(struct packet *packet, const struct flow_key *key,
                        const struct patch *patch, uint8_t option, size_t skip, size_t n,
                        size_t at_byte)
{
    uint8_t *addr = nd_option_addr(packet, option);
    uint8_t old[6];

    if (!addr)
        return;
    memcpy(old, addr, sizeof old);
    patch_bytes(addr + at_byte, patch, skip, n);
    l4_checksum_update(packet, key, UNDER_TRANSPORT, old, addr, sizeof old);
}

/* Of the first option, whatever it is. */
static void set_nd_option_type(struct packet *packet, const struct flow_key *key,
                               const struct patch *patch, size_t skip)
{
    uint8_t *at = packet->data + packet->l4_offset + ND_OPTIONS_AT;
    uint8_t old[2] = {0}, new[2] = {0};

    if (!may_be_nd(packet, key) || packet->l4_bytes == ND_OPTIONS_AT)
        return;
    old[0] = *at;
    if (!patch_bytes(at, patch, skip, 1))
        return;
    new[0] = *at;
    l4_checksum_update(packet, key, UNDER_TRANSPORT, old, new, sizeof old);
}

/* arp_sha and the first two bytes of arp_tha. */
static void set_arp_sha(struct packet *packet, const struct flow_key *key,
                        const struct patch *patch)
{
    uint16_t type = l3_type(packet);

    if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP) {
        patch_bytes(packet->data + packet->l3_offset + 8, patch, 0, 6);
        patch_bytes(packet->data + packet->l3_offset + 18, patch, 6, 2);
    } else if (is_nd(packet, key)) {
        set_nd_addr(packet, key, patch, ND_OPTION_SOURCE, 0, 6, 0);
        set_nd_addr(packet, key, patch, ND_OPTION_TARGET, 6, 2, 0);
    }
}

/* The word of the rest of arp_tha, of TCP flags and nd_options_type. */
enum { IN_WORD_ND_OPTIONS_TYPE = 6 };
static_assert(offsetof(struct flow_key, nd_options_type) % 8 == IN_WORD_ND_OPTIONS_TYPE &&
                  FLOW_KEY_WORD(nd_options_type) == FLOW_KEY_WORD(tcp_flags),
              "words as they are patched");

static void set_arp_tha(struct packet *packet, const struct flow_key *key,
                        const struct patch *patch)
{
    uint16_t type = l3_type(packet);

    if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP)
        patch_bytes(packet->data + packet->l3_offset + 20, patch, 0, 4);
    set_nd_option_type(packet, key, patch, IN_WORD_ND_OPTIONS_TYPE);
    if (is_nd(packet, key))
        set_nd_addr(packet, key, patch, ND_OPTION_TARGET, 0, 4, 2);
}

static void set_nd_target(struct packet *packet, const struct flow_key *key,
                          const struct patch *patch, unsigned int word)
{
    uint8_t *at = packet->data + packet->l4_offset + ND_TARGET_AT + (size_t)word * 8;
    uint8_t old[8];

    if (!is_nd(packet, key))
        return;
    memcpy(old, at, sizeof old);
    patch_bytes(at, patch, 0, sizeof old);
    l4_checksum_update(packet, key, UNDER_TRANSPORT, old, at, sizeof old);
}

/* The checksum field reads as zero. */
static uint32_t sctp_checksum(const uint8_t *l4, size_t l4_bytes)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc32c(0, l4, 8);

    crc = crc32c(crc, zeros, sizeof zeros);
    return crc32c(crc, l4 + 12, l4_bytes - 12);
}

static void set_sctp_ports(struct packet *packet, const struct flow_key *key,
                           const struct patch *patch)
{
    uint8_t *l4 = packet->data + packet->l4_offset;

    if (key->nw_frag || packet_needs_checksum(packet)) {
        patch_bytes(l4, patch, 0, 4); /* A checksum over what is not here. */
        return;
    }

    /* CRCs of equal length differ by the same bits, whether the old one was right or not. */
    uint32_t difference = sctp_checksum(l4, packet->l4_bytes), field;
    patch_bytes(l4, patch, 0, 4);
    difference ^= sctp_checksum(l4, packet->l4_bytes);
    memcpy(&field, l4 + 8, sizeof field);
    field ^= htole32(difference);
    memcpy(l4 + 8, &field, sizeof field);
}

/* nd_reserved stands behind the type and code. */
static void set_icmp(struct packet *packet, const struct flow_key *key, const struct patch *patch)
{
    uint8_t *l4 = packet->data + packet->l4_offset;
    uint8_t old[4];

    if (may_be_nd(packet, key)) {
        memcpy(old, l4 + ND_RESERVED_AT, sizeof old);
        patch_bytes(l4 + ND_RESERVED_AT, patch, 4, sizeof old);
        l4_checksum_update(packet, key, UNDER_TRANSPORT, old, l4 + ND_RESERVED_AT, sizeof old);
    }
    memcpy(old, l4, 2);
    patch_bytes(l4, patch, 1, 1);     /* Type: low byte of tp_src. */
    patch_bytes(l4 + 1, patch, 3, 1); /* Code: low byte of tp_dst. */
    l4_checksum_update(packet, key, UNDER_TRANSPORT, old, l4, 2);
}

static void set_l4(struct packet *packet, const struct flow_key *key, const struct patch *patch)
{
    if (packet->l4_offset == PACKET_OFFSET_NONE || !flow_is_ip(key))
        return;

    uint8_t *l4 = packet->data + packet->l4_offset;
    bool is_ipv6 = be16_host(key->eth_type) == ETH_TYPE_IPV6;
    uint8_t old[4];

    /* Of a protocol without ports, not even four bytes need be there. */
    if (key->nw_proto == IP_PROTO_TCP || key->nw_proto == IP_PROTO_UDP) {
        memcpy(old, l4, sizeof old);
        patch_bytes(l4, patch, 0, 4);
        l4_checksum_update(packet, key, UNDER_TRANSPORT, old, l4, sizeof old);
    } else if (key->nw_proto == IP_PROTO_SCTP) {
        set_sctp_ports(packet, key, patch);
    } else if (key->nw_proto == (is_ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP)) {
        set_icmp(packet, key, patch);
    }
}

/* 'first' is the label that the word begins with. */
static void set_mpls(struct packet *packet, const struct patch *patch, unsigned int first)
{
    uint16_t type = l3_type(packet);

    if (type != ETH_TYPE_MPLS && type != ETH_TYPE_MPLS_MULTICAST)
        return;
    for (unsigned int i = 0; i < FLOW_N_MPLS && i < first + 2; i++) {
        size_t at = packet->l3_offset + (size_t)i * 4;

        if (at + 4 > packet->size)
            return;
        bool is_bottom = packet->data[at + 2] & 1;
        if (i >= first)
            patch_bytes(packet->data + at, patch, (i - first) * 4, 4);
        if (is_bottom)
            return;
    }
}

void rewrite_set(struct packet *packet, const struct flow_key *key, unsigned int word,
                 uint64_t value, uint64_t mask)
{
    const struct patch patch = {.value = (const uint8_t *)&value, .mask = (const uint8_t *)&mask};

    switch (word) {
    case FLOW_KEY_WORD(eth_dst):
        set_eth_addrs(packet, &patch, 0, 8);
        break;
    case FLOW_KEY_WORD(eth_dst) + 1:
        set_eth_addrs(packet, &patch, 8, 4);
        break;
    case FLOW_KEY_WORD(vlan):
        set_vlans(packet, &patch);
        break;
    case FLOW_KEY_WORD(nw_src):
        set_nw_addrs(packet, key, &patch);
        break;
    case FLOW_KEY_WORD(ipv6_src):
    case FLOW_KEY_WORD(ipv6_src) + 1:
    case FLOW_KEY_WORD(ipv6_src) + 2:
    case FLOW_KEY_WORD(ipv6_src) + 3:
        set_ipv6_addrs(packet, key, &patch, word - FLOW_KEY_WORD(ipv6_src));
        break;
    case FLOW_KEY_WORD(ipv6_label):
        set_nw_fields(packet, &patch);
        break;
    case FLOW_KEY_WORD(arp_sha):
        set_arp_sha(packet, key, &patch);
        break;
    case FLOW_KEY_WORD(arp_sha) + 1:
        set_arp_tha(packet, key, &patch);
        break;
    case FLOW_KEY_WORD(nd_target):
    case FLOW_KEY_WORD(nd_target) + 1:
        set_nd_target(packet, key, &patch, word - FLOW_KEY_WORD(nd_target));
        break;
    case FLOW_KEY_WORD(tp_src):
        set_l4(packet, key, &patch);
        break;
    case FLOW_KEY_WORD(mpls_lse):
        set_mpls(packet, &patch, 0);
        break;
    case FLOW_KEY_WORD(mpls_lse) + 1:
        set_mpls(packet, &patch, 2);
        break;
    }
}

static void shift_offsets(struct packet *packet, int n_bytes)
{
    if (packet->l3_offset != PACKET_OFFSET_NONE)
        packet->l3_offset = (uint16_t)(packet->l3_offset + n_bytes);
    if (packet->l4_offset != PACKET_OFFSET_NONE)
        packet->l4_offset = (uint16_t)(packet->l4_offset + n_bytes);
    if (packet->vlan_bytes + n_bytes >= 0) /* Tags beyond those parsed can be popped too. */
        packet->vlan_bytes = (uint16_t)(packet->vlan_bytes + n_bytes);
    offload_shift(packet, n_bytes);
}

bool rewrite_restore_vlan(struct packet *packet, uint16_t tpid, uint16_t tci)
{
    if (packet->size < ETH_HEADER_BYTES ||
        packet_headroom(packet) <
            VLAN_BYTES + sizeof packet->vnet) /* Which goes in front to send. */
        return false;

    packet->data -= VLAN_BYTES;
    packet->size += VLAN_BYTES;
    memmove(packet->data, packet->data + VLAN_BYTES, ETH_ADDRS_BYTES);
    be16_store(packet->data + ETH_ADDRS_BYTES, tpid);
    be16_store(packet->data + ETH_ADDRS_BYTES + 2, tci);
    shift_offsets(packet, VLAN_BYTES);
    return true;
}

bool rewrite_push_vlan(struct packet *packet, uint16_t tpid, uint16_t tci)
{
    return rewrite_restore_vlan(packet, tpid, tci & (uint16_t)~VLAN_CFI);
}

bool rewrite_pop_vlan(struct packet *packet)
{
    if (!has_tag(packet, 0))
        return false;

    memmove(packet->data + VLAN_BYTES, packet->data, ETH_ADDRS_BYTES);
    packet->data += VLAN_BYTES;
    packet->size -= VLAN_BYTES;
    shift_offsets(packet, -VLAN_BYTES);
    return true;
}

/* Where the type in front of the labels stands. */
static size_t type_at(unsigned int n_tags)
{
    return ETH_ADDRS_BYTES + (size_t)n_tags * VLAN_BYTES;
}

bool rewrite_push_mpls(struct packet *packet, unsigned int n_tags, uint16_t type, uint32_t lse)
{
    size_t at = type_at(n_tags);

    if (packet->size < at + 2 || packet_headroom(packet) < MPLS_BYTES + sizeof packet->vnet)
        return false;
    offload_complete_checksum(packet);
    packet->data -= MPLS_BYTES;
    packet->size += MPLS_BYTES;
    memmove(packet->data, packet->data + MPLS_BYTES, at);
    be16_store(packet->data + at, type);
    be32_store(packet->data + at + 2, lse);
    offload_shift(packet, MPLS_BYTES);
    return true;
}

bool rewrite_pop_mpls(struct packet *packet, unsigned int n_tags, uint16_t type)
{
    size_t at = type_at(n_tags);

    if (packet->size < at + 2 + MPLS_BYTES)
        return false;
    memmove(packet->data + MPLS_BYTES, packet->data, at);
    packet->data += MPLS_BYTES;
    packet->size -= MPLS_BYTES;
    be16_store(packet->data + at, type);
    offload_shift(packet, -MPLS_BYTES);
    return true;
}

bool rewrite_execute(struct packet *packet, struct flow_key *key, const struct dp_action *action)
{
    switch ((enum dp_action_type)action->type) {
    case DP_SET:
        rewrite_set(packet, key, action->word, action->value, action->mask);
        return true;
    case DP_PUSH_VLAN:
        rewrite_push_vlan(packet, (uint16_t)(action->arg >> 16), (uint16_t)action->arg);
        return true;
    case DP_POP_VLAN:
        rewrite_pop_vlan(packet);
        return true;
    case DP_PUSH_MPLS:
        rewrite_push_mpls(packet, action->word, (uint16_t)action->value, action->arg);
        flow_extract(packet, key->in_port, key);
        return true;
    case DP_POP_MPLS:
        rewrite_pop_mpls(packet, action->word, (uint16_t)action->arg);
        flow_extract(packet, key->in_port, key);
        return true;
    default:
        return false;
    }
}
