/* SPDX-License-Identifier: Apache-2.0 */

/* A flow is begun with a kind of frame, which decides what fields it may match and set. */

#include <arpa/inet.h>
#include <inttypes.h>

#include "lib/mac.h"
#include "tests/generate/generate.h"

enum {
    KIND_IPV4 = 1 << 0,
    KIND_IPV6 = 1 << 1,
    KIND_IP = KIND_IPV4 | KIND_IPV6,
    KIND_ARP = 1 << 2,
    KIND_TCP = 1 << 3,
    KIND_UDP = 1 << 4,
    KIND_SCTP = 1 << 5,
    KIND_PORTS = KIND_TCP | KIND_UDP | KIND_SCTP,
    KIND_ICMP = 1 << 6,
    KIND_ICMPV6 = 1 << 7,
    KIND_ND = 1 << 8,
    KIND_MPLS = 1 << 9,
    KIND_NS = 1 << 10, /* Which of both. */
    KIND_NA = 1 << 11,
};

static const struct kind {
    const char *text;
    unsigned int is;
} kinds[] = {
    {"", 0},
    {"", 0},
    {"ip", KIND_IPV4},
    {"ip", KIND_IPV4},
    {"ipv6", KIND_IPV6},
    {"tcp", KIND_IPV4 | KIND_TCP},
    {"tcp", KIND_IPV4 | KIND_TCP},
    {"udp", KIND_IPV4 | KIND_UDP},
    {"sctp", KIND_IPV4 | KIND_SCTP},
    {"icmp", KIND_IPV4 | KIND_ICMP},
    {"tcp6", KIND_IPV6 | KIND_TCP},
    {"udp6", KIND_IPV6 | KIND_UDP},
    {"icmp6", KIND_IPV6 | KIND_ICMPV6},
    {"icmp6,icmpv6_type=135,icmpv6_code=0", KIND_IPV6 | KIND_ICMPV6 | KIND_ND | KIND_NS},
    {"icmp6,icmpv6_type=136,icmpv6_code=0", KIND_IPV6 | KIND_ICMPV6 | KIND_ND | KIND_NA},
    {"ip,nw_proto=0", KIND_IPV4},
    {"ipv6,nw_proto=0", KIND_IPV6},
    {"arp", KIND_ARP},
    {"arp", KIND_ARP},
    {"dl_type=0x8847", KIND_MPLS},
    {"mpls", KIND_MPLS},
    {"mplsm", KIND_MPLS},
    {"dl_type=0x1234", 0},
    {"dl_type=0x05ff", 0},
};

enum value {
    V_PORT,
    V_MAC,
    V_MAC_MASKED,
    V_IPV4,
    V_IPV4_MASKED,
    V_IPV6,
    V_IPV6_MASKED,
    V_L4,
    V_L4_MASKED,
    V_VLAN,
    V_VLAN_TCI,
    V_SMALL, /* 0 to 7. */
    V_TOS,
    V_DSCP,
    V_ECN,
    V_TTL,
    V_FRAG,
    V_TCP_FLAGS,
    V_ICMP_TYPE,
    V_ND_RESERVED,
    V_ND_OPTIONS_TYPE,
    V_REG,
    V_REG_MASKED,
    V_CONJUNCTION,
};

static const struct field {
    const char *name;
    unsigned int needs; /* All of these kinds' bits; for KIND_IP and KIND_PORTS any. */
    enum value value;
} fields[] = {
    {"in_port", 0, V_PORT},
    {"in_port", 0, V_PORT},
    {"dl_src", 0, V_MAC_MASKED},
    {"dl_dst", 0, V_MAC_MASKED},
    {"dl_vlan", 0, V_VLAN},
    {"dl_vlan_pcp", 0, V_SMALL},
    {"vlan_tci", 0, V_VLAN_TCI},
    {"reg0", 0, V_REG_MASKED},
    {"reg5", 0, V_REG},
    {"metadata", 0, V_REG_MASKED},
    {"conj_id", 0, V_CONJUNCTION},
    {"nw_src", KIND_IPV4, V_IPV4_MASKED},
    {"nw_dst", KIND_IPV4, V_IPV4_MASKED},
    {"nw_src", KIND_IPV4, V_IPV4},
    {"ipv6_src", KIND_IPV6, V_IPV6_MASKED},
    {"ipv6_dst", KIND_IPV6, V_IPV6_MASKED},
    {"ipv6_label", KIND_IPV6, V_SMALL},
    {"nw_tos", KIND_IP, V_TOS},
    {"nw_ecn", KIND_IP, V_ECN},
    {"nw_ttl", KIND_IP, V_TTL},
    {"ip_frag", KIND_IP, V_FRAG},
    {"tcp_flags", KIND_TCP, V_TCP_FLAGS},
    {"tcp_src", KIND_TCP, V_L4_MASKED},
    {"tcp_dst", KIND_TCP, V_L4_MASKED},
    {"udp_src", KIND_UDP, V_L4_MASKED},
    {"udp_dst", KIND_UDP, V_L4_MASKED},
    {"sctp_dst", KIND_SCTP, V_L4_MASKED},
    {"icmp_type", KIND_ICMP, V_ICMP_TYPE},
    {"icmp_code", KIND_ICMP, V_ECN},
    {"nd_target", KIND_ND, V_IPV6_MASKED},
    {"arp_op", KIND_ARP, V_ECN},
    {"arp_spa", KIND_ARP, V_IPV4_MASKED},
    {"arp_tpa", KIND_ARP, V_IPV4_MASKED},
    {"arp_sha", KIND_ARP, V_MAC_MASKED},
    {"arp_tha", KIND_ARP, V_MAC},
    {"mpls_label", KIND_MPLS, V_SMALL},
    {"mpls_tc", KIND_MPLS, V_SMALL},
    {"mpls_ttl", KIND_MPLS, V_TTL},
    {"reg2", 0, V_REG_MASKED},
    {"xreg3", 0, V_REG_MASKED},
    {"xxreg2", 0, V_REG_MASKED},
    {"tun_id", 0, V_REG_MASKED},
    {"sctp_src", KIND_SCTP, V_L4_MASKED},
    {"nd_sll", KIND_NS, V_MAC_MASKED},
    {"nd_tll", KIND_NA, V_MAC_MASKED},
    {"nd_reserved", KIND_ND, V_ND_RESERVED},
    {"nd_options_type", KIND_ND, V_ND_OPTIONS_TYPE},
};

/* What set_field may set, in the spelling of "set_field:VALUE->NAME". */
static const struct field settable[] = {
    {"eth_src", 0, V_MAC},
    {"eth_dst", 0, V_MAC},
    {"reg0", 0, V_REG},
    {"reg5", 0, V_REG},
    {"metadata", 0, V_REG},
    {"ip_src", KIND_IPV4, V_IPV4},
    {"ip_dst", KIND_IPV4, V_IPV4},
    {"ipv6_src", KIND_IPV6, V_IPV6},
    {"ipv6_dst", KIND_IPV6, V_IPV6},
    {"ipv6_label", KIND_IPV6, V_SMALL},
    {"ip_dscp", KIND_IP, V_DSCP},
    {"nw_ecn", KIND_IP, V_ECN},
    {"nw_ttl", KIND_IP, V_TTL},
    {"tcp_src", KIND_TCP, V_L4},
    {"tcp_dst", KIND_TCP, V_L4},
    {"udp_src", KIND_UDP, V_L4},
    {"udp_dst", KIND_UDP, V_L4},
    {"sctp_dst", KIND_SCTP, V_L4},
    {"arp_op", KIND_ARP, V_ECN},
    {"arp_spa", KIND_ARP, V_IPV4},
    {"arp_tpa", KIND_ARP, V_IPV4},
    {"arp_sha", KIND_ARP, V_MAC},
    {"arp_tha", KIND_ARP, V_MAC},
    {"nd_target", KIND_ND, V_IPV6},
    {"nd_sll", KIND_NS, V_MAC},
    {"nd_tll", KIND_NA, V_MAC},
    {"sctp_src", KIND_SCTP, V_L4},
    {"reg2", 0, V_REG},
    {"xreg3", 0, V_REG},
    {"xxreg2", 0, V_REG},
    {"tun_id", 0, V_REG},
    {"pkt_mark", 0, V_REG},
    {"nd_reserved", KIND_ND, V_ND_RESERVED},
    {"nd_options_type", KIND_ND, V_ND_OPTIONS_TYPE},
};

enum { TAGS_UNKNOWN = 8, N_CONJUNCTIONS = 4 };

struct flow_writer {
    struct random *random;
    const struct generate_flows *options;
    struct buffer *text;
    unsigned int kind;
    unsigned int table_id;
    unsigned int n_tags; /* That frames are known to have, at least; or TAGS_UNKNOWN. */
    bool is_modern;      /* Instructions and actions that OpenFlow 1.0 lacks are allowed. */
};

static bool fits(unsigned int needs, unsigned int kind)
{
    return needs == KIND_IP || needs == KIND_PORTS ? (needs & kind) != 0 : (needs & kind) == needs;
}

static void put_mac(struct flow_writer *w, bool may_mask)
{
    static const char *const masks[] = {"01:00:00:00:00:00", "ff:ff:ff:ff:ff:00",
                                        "ff:00:00:00:00:03", "ff:ff:ff:00:00:00"};
    struct mac mac;

    memcpy(&mac, RANDOM_OF(w->random, pool_macs), sizeof mac);
    buffer_printf(w->text, MAC_FORMAT, MAC_ARGS(mac));
    if (may_mask && random_chance(w->random, 30))
        buffer_printf(w->text, "/%s", RANDOM_OF(w->random, masks));
}

static void put_ip(struct flow_writer *w, int family, const uint8_t *address)
{
    char text[INET6_ADDRSTRLEN];

    buffer_puts(w->text, inet_ntop(family, address, text, sizeof text));
}

static void put_value(struct flow_writer *w, enum value value)
{
    static const char *const ipv4_masks[] = {"255.255.255.0", "255.0.0.0", "255.255.0.0",
                                             "0.0.0.255", "255.255.255.254"};
    static const char *const ipv6_masks[] = {"ffff::", "ffff:ffff:ffff:ffff::", "::1", "::ff:0:ff"};
    static const char *const tcis[] = {"0x0000", "0x1000/0x1000", "0x100a/0x1fff", "0xa000/0xe000",
                                       "0x0000/0x0fff"};
    static const char *const frags[] = {"no", "yes", "first", "not_later", "later"};
    static const unsigned int has_l4 = KIND_PORTS | KIND_ICMP | KIND_ICMPV6;
    static const char *const flags[] = {"+syn-ack", "+syn", "-fin", "+ack+psh", "0x002/0x017"};
    static const uint8_t ttls[] = {0, 1, 2, 64, 255};
    static const uint8_t icmp_types[] = {0, 3, 8, 255};
    struct random *random = w->random;

    switch (value) {
    case V_PORT:
        buffer_printf(w->text, "%u", 1 + random_below(random, w->options->n_ports));
        break;
    case V_MAC:
    case V_MAC_MASKED:
        put_mac(w, value == V_MAC_MASKED);
        break;
    case V_IPV4:
    case V_IPV4_MASKED:
        put_ip(w, AF_INET, RANDOM_OF(random, pool_ipv4));
        if (value == V_IPV4_MASKED && random_chance(random, 50))
            buffer_printf(w->text, "/%s", RANDOM_OF(random, ipv4_masks));
        break;
    case V_IPV6:
    case V_IPV6_MASKED:
        put_ip(w, AF_INET6, RANDOM_OF(random, pool_ipv6));
        if (value == V_IPV6_MASKED && random_chance(random, 50))
            buffer_printf(w->text, "/%s", RANDOM_OF(random, ipv6_masks));
        break;
    case V_L4:
    case V_L4_MASKED:
        buffer_printf(w->text, "%u", RANDOM_OF(random, pool_ports));
        if (value == V_L4_MASKED && random_chance(random, 30))
            buffer_puts(w->text, random_chance(random, 50) ? "/0xfff0" : "/0x0001");
        break;
    case V_VLAN:
        buffer_printf(w->text, "%u", RANDOM_OF(random, pool_vlans));
        break;
    case V_VLAN_TCI:
        /* OpenFlow 1.2 and later cannot say the last two. */
        buffer_puts(w->text, tcis[random_below(random, w->is_modern ? 3 : 5)]);
        break;
    case V_SMALL:
        buffer_printf(w->text, "%u", random_below(random, 3) * 2);
        break;
    case V_TOS:
        buffer_printf(w->text, "%u", random_chance(random, 50) ? 0x28 : 0);
        break;
    case V_DSCP:
        buffer_printf(w->text, "%u", random_chance(random, 50) ? 10 : 63);
        break;
    case V_ECN:
        buffer_printf(w->text, "%u", 1 + random_below(random, 2));
        break;
    case V_TTL:
        buffer_printf(w->text, "%u", RANDOM_OF(random, ttls));
        break;
    case V_FRAG:
        /* The last one contradicts what needs a transport header. */
        buffer_puts(w->text, frags[random_below(random, w->kind & has_l4 ? 4 : 5)]);
        break;
    case V_TCP_FLAGS:
        buffer_puts(w->text, RANDOM_OF(random, flags));
        break;
    case V_ICMP_TYPE:
        buffer_printf(w->text, "%u", RANDOM_OF(random, icmp_types));
        break;
    case V_ND_RESERVED:
        buffer_printf(w->text, "%" PRIu32, RANDOM_OF(random, pool_nd_reserved));
        break;
    case V_ND_OPTIONS_TYPE:
        buffer_printf(w->text, "%u", random_below(random, 3));
        break;
    case V_REG:
    case V_REG_MASKED:
        buffer_printf(w->text, "0x%x", random_below(random, 4));
        if (value == V_REG_MASKED && random_chance(random, 30))
            buffer_puts(w->text, "/0x1");
        break;
    case V_CONJUNCTION:
        buffer_printf(w->text, "%u", 1 + random_below(random, N_CONJUNCTIONS));
        break;
    }
}

static void put_match(struct flow_writer *w)
{
    const struct kind *kind = &RANDOM_OF(w->random, kinds);
    uint64_t used = 0;

    w->kind = kind->is;
    if (*kind->text)
        buffer_printf(w->text, ",%s", kind->text);
    for (uint32_t n = random_below(w->random, 4); n > 0; n--) {
        uint32_t i = random_below(w->random, sizeof fields / sizeof fields[0]);
        const struct field *field = &fields[i];
        bool is_vlan = field->value == V_VLAN || field->value == V_VLAN_TCI || i == 5;

        /* One field of each sort, as two of the same would contradict each other. */
        if (!fits(field->needs, w->kind) || used >> i & 1 || (is_vlan && used & 0x70))
            continue;
        if ((i == 0 || i == 1) && used & 3)
            continue;
        if ((i == 11 || i == 13) && used & (1 << 11 | 1 << 13))
            continue;
        used |= UINT64_C(1) << i;
        w->n_tags += field->value == V_VLAN || i == 5;
        w->n_tags += field->value == V_VLAN_TCI ? TAGS_UNKNOWN : 0;
        buffer_printf(w->text, ",%s=", field->name);
        put_value(w, field->value);
    }
}

static void put_set_field(struct flow_writer *w)
{
    for (;;) {
        const struct field *field = &RANDOM_OF(w->random, settable);

        if (!fits(field->needs, w->kind))
            continue;
        buffer_puts(w->text, "set_field:");
        put_value(w, field->value);
        buffer_printf(w->text, "->%s", field->name);
        return;
    }
}

static void put_load_or_move(struct flow_writer *w)
{
    static const char *const any[] = {
        "load:0x2->NXM_NX_REG0[]",
        "load:0x1->NXM_NX_REG0[0..3]",
        "load:0x3->NXM_NX_REG5[1..2]",
        "load:0x5->NXM_OF_ETH_SRC[0..3]",
        "load:0x2->NXM_OF_ETH_DST[0..15]",
        "load:0x1->NXM_OF_IN_PORT[]",
        "load:0->NXM_OF_IN_PORT[]",
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
        "move:NXM_OF_ETH_DST[0..15]->NXM_NX_REG0[16..31]",
        "move:NXM_NX_REG0[0..7]->NXM_OF_ETH_SRC[0..7]",
        "move:NXM_OF_IN_PORT[]->NXM_NX_REG5[0..15]",
        "move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG0[0..11]",
        "move:NXM_NX_REG0[]->NXM_NX_REG5[]",
        "move:NXM_OF_ETH_SRC[]->NXM_NX_XXREG2[40..87]",
        "move:NXM_NX_XXREG2[60..67]->NXM_NX_REG2[1..8]",
        "move:OXM_OF_METADATA[0..2]->NXM_NX_TUN_ID[0..2]",
        "move:NXM_NX_TUN_ID[0..15]->NXM_OF_ETH_DST[4..19]",
    };
    static const char *const tci[] = {
        "load:0x100a->NXM_OF_VLAN_TCI[]",
        "load:0->NXM_OF_VLAN_TCI[]",
        "load:0x14->NXM_OF_VLAN_TCI[0..11]",
        "load:0x1->NXM_OF_VLAN_TCI[12]",
    };
    static const char *const ipv4[] = {
        "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]",   "move:NXM_OF_IP_DST[0..7]->NXM_NX_REG0[0..7]",
        "load:0x0a000001->NXM_OF_IP_DST[]",        "load:0x7->NXM_OF_IP_SRC[0..7]",
        "move:NXM_NX_IP_TTL[]->NXM_NX_REG5[0..7]",
    };
    static const char *const ipv6[] = {
        "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[]",
        "load:0x1->NXM_NX_IPV6_DST[0..63]",
    };
    static const char *const arp[] = {
        "load:0x2->NXM_OF_ARP_OP[]",
        "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[]",
        "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]",
        "move:NXM_OF_ARP_TPA[]->NXM_NX_REG0[]",
    };
    static const char *const nd[] = {
        "move:ERICOXM_OF_ICMPV6_ND_RESERVED[]->NXM_NX_REG0[]",
        "move:NXM_NX_REG5[]->ERICOXM_OF_ICMPV6_ND_RESERVED[]",
        "load:0x1->ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE[]",
    };
    static const char *const tcp[] = {
        "move:NXM_OF_TCP_SRC[]->NXM_OF_TCP_DST[]",
        "load:0x50->NXM_OF_TCP_DST[]",
        "load:0x3->NXM_OF_TCP_SRC[0..3]",
    };

    if (!w->is_modern && random_chance(w->random, 20))
        buffer_puts(w->text, RANDOM_OF(w->random, tci));
    else if (w->kind & KIND_TCP && random_chance(w->random, 40))
        buffer_puts(w->text, RANDOM_OF(w->random, tcp));
    else if (w->kind & KIND_IPV4 && random_chance(w->random, 50))
        buffer_puts(w->text, RANDOM_OF(w->random, ipv4));
    else if (w->kind & KIND_ND && random_chance(w->random, 40))
        buffer_puts(w->text, RANDOM_OF(w->random, nd));
    else if (w->kind & KIND_IPV6 && random_chance(w->random, 50))
        buffer_puts(w->text, RANDOM_OF(w->random, ipv6));
    else if (w->kind & KIND_ARP && random_chance(w->random, 60))
        buffer_puts(w->text, RANDOM_OF(w->random, arp));
    else
        buffer_puts(w->text, RANDOM_OF(w->random, any));
}

/* Of OpenFlow 1.0, whose meaning for frames without the field is "nothing". */
static void put_mod(struct flow_writer *w)
{
    static const struct field mods[] = {
        {"mod_dl_src", 0, V_MAC},          {"mod_dl_dst", 0, V_MAC},
        {"mod_vlan_vid", 0, V_VLAN},       {"mod_vlan_vid", 0, V_VLAN},
        {"mod_vlan_pcp", 0, V_SMALL},      {"mod_nw_src", KIND_IPV4, V_IPV4},
        {"mod_nw_dst", KIND_IPV4, V_IPV4}, {"mod_nw_tos", KIND_IP, V_TOS},
        {"mod_tp_src", KIND_PORTS, V_L4},  {"mod_tp_dst", KIND_PORTS, V_L4},
    };
    const struct field *mod = &RANDOM_OF(w->random, mods);

    if (!fits(mod->needs, w->kind) || random_chance(w->random, 15)) {
        buffer_puts(w->text, "strip_vlan");
        return;
    }
    buffer_printf(w->text, "%s:", mod->name);
    put_value(w, mod->value);
}

static void put_controller(struct flow_writer *w)
{
    buffer_printf(w->text, "controller(max_len=%u", 20 + random_below(w->random, 100));
    if (w->options->n_meters && random_chance(w->random, 50))
        buffer_printf(w->text, ",meter_id=%u", 1 + random_below(w->random, w->options->n_meters));
    buffer_putc(w->text, ')');
}

static void put_output(struct flow_writer *w)
{
    uint32_t choice = random_below(w->random, 100);
    uint32_t port = 1 + random_below(w->random, w->options->n_ports + 1); /* One is not there. */

    if (w->options->n_groups && random_chance(w->random, 20))
        buffer_printf(w->text, "group:%u", 1 + random_below(w->random, w->options->n_groups));
    else if (choice < 50)
        buffer_printf(w->text, "output:%u", port);
    else if (choice < 55)
        buffer_printf(w->text, "output(port=%u,max_len=%u)",
                      1 + random_below(w->random, w->options->trunc_ports),
                      14 + random_below(w->random, 60));
    else if (choice < 63)
        buffer_puts(w->text, "in_port");
    else if (choice < 80)
        buffer_puts(w->text, "normal");
    else if (choice < 85)
        buffer_puts(w->text, "flood");
    else if (choice < 90)
        buffer_puts(w->text, "all");
    else if (choice < 94 && w->options->has_controller)
        put_controller(w);
    else
        buffer_puts(w->text, "local");
}

/* OpenFlow 1.1 and later want flows to know what tags there are. */
static void put_retag(struct flow_writer *w)
{
    static const char *const pushes[] = {"push_vlan:0x8100", "push_vlan:0x8100",
                                         "push_vlan:0x88a8"};

    if (w->n_tags >= TAGS_UNKNOWN) {
        put_set_field(w);
    } else if (w->n_tags == 0 || (w->n_tags == 1 && random_chance(w->random, 50))) {
        buffer_puts(w->text, RANDOM_OF(w->random, pushes));
        w->n_tags++;
    } else {
        buffer_puts(w->text, "pop_vlan");
        w->n_tags--;
    }
}

/* Nicira's, for any frame. */
static void put_extension(struct flow_writer *w)
{
    static const char *const any[] = {
        "push:NXM_OF_ETH_SRC[],push:NXM_OF_ETH_DST[],pop:NXM_OF_ETH_SRC[],pop:NXM_OF_ETH_DST[]",
        "push:NXM_NX_REG0[0..3],pop:NXM_NX_REG5[4..7]",
        "push:NXM_OF_IN_PORT[],pop:NXM_NX_REG0[]",
        "pop:NXM_NX_REG5[]",
        "pop:NXM_OF_ETH_SRC[0..3]",
        "push:NXM_OF_ETH_DST[0..5]",
        "output:NXM_NX_REG0[]",
        "output:NXM_NX_REG5[0..2]",
        "output:NXM_OF_IN_PORT[]",
        "enqueue:2:1",
        "set_queue:3",
        "note:01.02.03",
        "check_pkt_larger(60)->NXM_NX_REG0[0]",
        "check_pkt_larger(100)->NXM_NX_REG5[1]",
        "bundle(eth_src,50,active_backup,ofport,members:2,1,4)",
        "bundle_load(eth_src,50,active_backup,ofport,NXM_NX_REG0[0..15],members:9,3)",
        "multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG5[0..3])",
    };

    buffer_puts(w->text, RANDOM_OF(w->random, any));
}

/* What frames teach is in the table behind all others, each lesson with its priority. */
static void put_lesson(struct flow_writer *w)
{
    static const char *const lessons[] = {
        "priority=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]",
        "priority=2,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
        "load:NXM_OF_IN_PORT[]->NXM_NX_REG5[0..15]",
        "priority=3,NXM_OF_ETH_TYPE[],NXM_OF_ETH_SRC[],load:0x2->NXM_NX_REG0[0..3],"
        "load:NXM_OF_ETH_SRC[0..15]->NXM_OF_ETH_DST[0..15]",
    };

    buffer_printf(w->text, "resubmit(,%u)", w->options->n_tables);
    if (random_chance(w->random, 70))
        buffer_printf(w->text, ",learn(table=%u,%s)", w->options->n_tables,
                      RANDOM_OF(w->random, lessons));
}

/* A label more, a label less, or what is in the first one. */
static void put_label(struct flow_writer *w)
{
    static const struct {
        const char *text;
        unsigned int kind; /* That frames then are. */
    } changes[] = {
        {"pop_mpls:0x0800", KIND_IPV4},         {"pop_mpls:0x0800", KIND_IPV4},
        {"pop_mpls:0x86dd", KIND_IPV6},         {"pop_mpls:0x8847", KIND_MPLS},
        {"push_mpls:0x8847", KIND_MPLS},        {"push_mpls:0x8848", KIND_MPLS},
        {"set_mpls_label:77", KIND_MPLS},       {"set_mpls_label:1048575", KIND_MPLS},
        {"set_mpls_tc:5", KIND_MPLS},           {"set_mpls_ttl:9", KIND_MPLS},
        {"set_mpls_ttl:1", KIND_MPLS},          {"dec_mpls_ttl", KIND_MPLS},
        {"set_field:3->mpls_label", KIND_MPLS},
    };
    uint32_t i = random_below(w->random, sizeof changes / sizeof changes[0]);

    if (!(w->kind & KIND_MPLS))
        i = 4 + random_below(w->random, 2);
    buffer_puts(w->text, changes[i].text);
    w->kind = changes[i].kind;
}

static void put_action(struct flow_writer *w);

static void put_clone(struct flow_writer *w)
{
    unsigned int n_tags = w->n_tags, kind = w->kind;

    buffer_puts(w->text, "clone(");
    for (uint32_t n = random_below(w->random, 3); n > 0; n--) {
        put_action(w);
        buffer_putc(w->text, ',');
    }
    put_output(w);
    buffer_putc(w->text, ')');
    w->n_tags = n_tags;
    w->kind = kind;
}

/* An action that the match has nothing to do with, or whose fields it guarantees. */
static void put_action(struct flow_writer *w)
{
    uint32_t choice = random_below(w->random, 112);

    if (random_chance(w->random, w->kind & KIND_MPLS ? 30 : 3))
        put_label(w);
    else if (w->options->has_lessons && random_chance(w->random, 5))
        put_lesson(w);
    else if (choice >= 107)
        put_clone(w);
    else if (choice >= 101)
        put_extension(w);
    else if (choice >= 100)
        buffer_puts(w->text, "exit");
    else if (choice < 34)
        put_output(w);
    else if (choice < 48)
        buffer_printf(w->text, "resubmit(,%u)", random_below(w->random, w->options->n_tables));
    else if (choice < 51)
        buffer_printf(w->text, "resubmit(%u,%u)", 1 + random_below(w->random, w->options->n_ports),
                      random_below(w->random, w->options->n_tables));
    else if (choice < 66)
        put_set_field(w);
    else if (choice < 80)
        put_load_or_move(w);
    else if (choice < 86 && w->kind & KIND_IP)
        buffer_puts(w->text, "dec_ttl");
    else if (w->is_modern)
        put_retag(w);
    else
        put_mod(w);
}

static void put_written(struct flow_writer *w)
{
    buffer_puts(w->text, "write_actions(");
    for (uint32_t n = random_below(w->random, 3); n > 0; n--) {
        put_set_field(w);
        buffer_putc(w->text, ',');
    }
    if (w->kind & KIND_IP && random_chance(w->random, 20))
        buffer_puts(w->text, "dec_ttl,");
    if (w->options->n_groups && random_chance(w->random, 20))
        buffer_printf(w->text, "group:%u,", 1 + random_below(w->random, w->options->n_groups));
    buffer_printf(w->text, "output:%u)", 1 + random_below(w->random, w->options->n_ports));
}

static void put_instructions(struct flow_writer *w, const char *separator)
{
    if (random_chance(w->random, 15)) {
        buffer_printf(w->text, "%sclear_actions", separator);
        separator = ",";
    }
    if (!w->options->lacks_action_sets && random_chance(w->random, 40)) {
        buffer_puts(w->text, separator);
        put_written(w);
        separator = ",";
    }
    if (random_chance(w->random, 20)) {
        buffer_printf(w->text, "%swrite_metadata:0x%x/0x3", separator, random_below(w->random, 4));
        separator = ",";
    }
    if (w->table_id + 1 < w->options->n_tables && random_chance(w->random, 50))
        buffer_printf(w->text, "%sgoto_table:%u", separator,
                      w->table_id + 1 +
                          random_below(w->random, w->options->n_tables - w->table_id - 1));
}

/* One clause of a conjunction; all flows of one have one priority.  Open vSwitch overlooks ordinary flows of the
 * very same match, so these look at the mark too, which no frame has. */
static void put_conjunction(struct flow_writer *w)
{
    uint32_t id = 1 + random_below(w->random, N_CONJUNCTIONS);
    uint32_t n_clauses = id < 4 ? 2 : 3;

    buffer_printf(w->text, "table=%u,priority=%u", w->table_id, GENERATE_MAX_PRIORITY + id);
    put_match(w);
    buffer_printf(w->text, ",pkt_mark=0/0x1,actions=conjunction(%u,%u/%u)", id,
                  1 + random_below(w->random, n_clauses), n_clauses);
}

bool generate_flow(struct random *random, const struct generate_flows *options, struct buffer *text)
{
    struct flow_writer w = {
        .random = random,
        .options = options,
        .text = text,
        .table_id = random_chance(random, 45) ? 0 : random_below(random, options->n_tables),
        .is_modern = random_chance(random, 40),
    };
    uint32_t n_actions = random_chance(random, 8) ? 0 : 1 + random_below(random, 4);

    if (random_chance(random, 20)) {
        put_conjunction(&w);
        return w.is_modern;
    }

    /* Equal priorities would let each switch choose. */
    buffer_printf(text, "table=%u,priority=%u", w.table_id,
                  1 + random_below(random, GENERATE_MAX_PRIORITY));
    put_match(&w);
    buffer_puts(text, ",actions=");
    bool is_metered = w.is_modern && options->n_meters && random_chance(random, 35);
    if (is_metered)
        buffer_printf(text, "meter:%u,", 1 + random_below(random, options->n_meters));
    size_t start = text->size;
    for (uint32_t i = 0; i < n_actions; i++) {
        if (i)
            buffer_putc(text, ',');
        put_action(&w);
    }
    if (w.is_modern)
        put_instructions(&w, n_actions ? "," : "");
    if (text->size == start && is_metered)
        text->size--; /* The comma. */
    else if (text->size == start)
        buffer_puts(text, "drop");
    return w.is_modern;
}
