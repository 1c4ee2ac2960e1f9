/* SPDX-License-Identifier: Apache-2.0 */

/* Matches as ovs-ofctl prints them: the names of OpenFlow 1.0, protocols as words, VLANs in their
 * own way. */

#include "lib/openflow/flow_text.h"

#include <string.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/openflow/fields.h"
#include "lib/openflow/tunnel_options.h"
#include "lib/openflow/wire.h"

/* A word for eth_type, and perhaps nw_proto. */
static const struct {
    const char *word;
    uint16_t eth_type;
    uint8_t nw_proto; /* 0: any. */
} protocols[] = {
    {"icmp", ETH_TYPE_IPV4, IP_PROTO_ICMP},
    {"tcp", ETH_TYPE_IPV4, IP_PROTO_TCP},
    {"udp", ETH_TYPE_IPV4, IP_PROTO_UDP},
    {"sctp", ETH_TYPE_IPV4, IP_PROTO_SCTP},
    {"ip", ETH_TYPE_IPV4, 0},
    {"icmp6", ETH_TYPE_IPV6, IP_PROTO_ICMPV6},
    {"tcp6", ETH_TYPE_IPV6, IP_PROTO_TCP},
    {"udp6", ETH_TYPE_IPV6, IP_PROTO_UDP},
    {"sctp6", ETH_TYPE_IPV6, IP_PROTO_SCTP},
    {"ipv6", ETH_TYPE_IPV6, 0},
    {"arp", ETH_TYPE_ARP, 0},
    {"rarp", ETH_TYPE_RARP, 0},
    {"mpls", ETH_TYPE_MPLS, 0},
    {"mplsm", ETH_TYPE_MPLS_MULTICAST, 0},
};

/* Fields behind the Ethernet addresses, in their order.  Prerequisites keep those apart that share
 * storage. */
static const struct {
    const char *label;
    uint16_t field;
} upper_fields[] = {
    {"nw_src", FIELD_IPV4_SRC},         {"nw_dst", FIELD_IPV4_DST},
    {"ipv6_src", FIELD_IPV6_SRC},       {"ipv6_dst", FIELD_IPV6_DST},
    {"ipv6_label", FIELD_IPV6_LABEL},   {"arp_spa", FIELD_ARP_SPA},
    {"arp_tpa", FIELD_ARP_TPA},         {"arp_op", FIELD_ARP_OP},
    {"nw_proto", FIELD_IP_PROTO},       {"arp_sha", FIELD_ARP_SHA},
    {"arp_tha", FIELD_ARP_THA},         {"nw_tos", FIELD_NW_TOS},
    {"nw_ecn", FIELD_IP_ECN},           {"nw_ttl", FIELD_IP_TTL},
    {"mpls_label", FIELD_MPLS_LABEL},   {"mpls_tc", FIELD_MPLS_TC},
    {"mpls_ttl", FIELD_MPLS_TTL},       {"mpls_bos", FIELD_MPLS_BOS},
    {"nw_frag", FIELD_IP_FRAG},         {"icmp_type", FIELD_ICMPV4_TYPE},
    {"icmp_code", FIELD_ICMPV4_CODE},   {"icmp_type", FIELD_ICMPV6_TYPE},
    {"icmp_code", FIELD_ICMPV6_CODE},   {"nd_target", FIELD_ND_TARGET},
    {"nd_sll", FIELD_ND_SLL},           {"nd_tll", FIELD_ND_TLL},
    {"nd_reserved", FIELD_ND_RESERVED}, {"nd_options_type", FIELD_ND_OPTIONS_TYPE},
    {"tp_src", FIELD_TCP_SRC},          {"tp_dst", FIELD_TCP_DST},
    {"tp_src", FIELD_UDP_SRC},          {"tp_dst", FIELD_UDP_DST},
    {"tp_src", FIELD_SCTP_SRC},         {"tp_dst", FIELD_SCTP_DST},
    {"tcp_flags", FIELD_TCP_FLAGS},
};

/* In front of the protocol. */
static const uint16_t lower_fields[] = {
    FIELD_PKT_MARK,     FIELD_RECIRC_ID,     FIELD_DP_HASH,     FIELD_CONJ_ID,
    FIELD_SKB_PRIORITY, FIELD_ACTSET_OUTPUT, FIELD_CT_STATE,    FIELD_CT_ZONE,
    FIELD_CT_MARK,      FIELD_CT_LABEL,      FIELD_CT_NW_SRC,   FIELD_CT_IPV6_SRC,
    FIELD_CT_NW_DST,    FIELD_CT_IPV6_DST,   FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC,
    FIELD_CT_TP_DST,    FIELD_PACKET_TYPE,
};

/* Behind the registers. */
static const uint16_t tunnel_fields[] = {
    FIELD_TUN_ID,          FIELD_TUN_SRC,        FIELD_TUN_DST,          FIELD_TUN_IPV6_SRC,
    FIELD_TUN_IPV6_DST,    FIELD_TUN_GBP_ID,     FIELD_TUN_GBP_FLAGS,    FIELD_TUN_TOS,
    FIELD_TUN_TTL,         FIELD_TUN_ERSPAN_VER, FIELD_TUN_ERSPAN_IDX,   FIELD_TUN_ERSPAN_DIR,
    FIELD_TUN_ERSPAN_HWID, FIELD_TUN_GTPU_FLAGS, FIELD_TUN_GTPU_MSGTYPE, FIELD_TUN_FLAGS,
};

static const uint16_t nsh_fields[] = {
    FIELD_NSH_FLAGS, FIELD_NSH_TTL, FIELD_NSH_MDTYPE, FIELD_NSH_NP, FIELD_NSH_SPI,
    FIELD_NSH_SI,    FIELD_NSH_C1,  FIELD_NSH_C2,     FIELD_NSH_C3, FIELD_NSH_C4,
};

/* Values that are printed in a way of their own: labels with five digits, masked ports in hex. */
static bool put_odd_value(const struct of_field *field, const struct of_value *value,
                          const struct of_value *mask, struct buffer *out)
{
    bool is_exact = of_value_is_all_ones(field, mask);
    bool is_hex_if_masked = field->offset == of_field(FIELD_TCP_SRC)->offset ||
                            field->offset == of_field(FIELD_TCP_DST)->offset ||
                            field->id == FIELD_CT_TP_SRC || field->id == FIELD_CT_TP_DST ||
                            field->id == FIELD_TUN_GBP_ID;
    unsigned long long number, bits;

    if (field->n_bytes > 8)
        return false;
    if (field->id == FIELD_TUN_FLAGS) {
        buffer_puts(out, of_value_u64(field, value) ? "+oam" : "-oam");
        return true;
    }
    number = of_value_u64(field, value);
    bits = of_value_u64(field, mask);
    if (field->id == FIELD_NSH_FLAGS && !is_exact) {
        buffer_printf(out, "0x%02llx/0x%02llx", number, bits);
        return true;
    }
    if (field->prereq == PREREQ_NSH && field->format == FORMAT_HEX && is_exact) {
        buffer_printf(out, "0x%llx", number);
        return true;
    }
    if (field->id != FIELD_IPV6_LABEL && !(is_hex_if_masked && !is_exact))
        return false;
    if (field->id != FIELD_IPV6_LABEL)
        buffer_printf(out, "0x%llx/0x%llx", number, bits);
    else if (is_exact)
        buffer_printf(out, "0x%05llx", number);
    else
        buffer_printf(out, "0x%05llx/0x%05llx", number, bits);
    return true;
}

static void put_field(const struct match *match, const char *label, enum of_field_id id,
                      struct buffer *out)
{
    const struct of_field *field = of_field(id);
    struct of_value value, mask;

    if (!of_field_is_matched(field, match) || !of_field_match_allows(field, match))
        return;
    of_field_get(field, &match->mask, &mask);
    of_field_get(field, &match->flow, &value);
    if (field->mask_rule == MASK_NONE)
        of_value_all_ones(field, &mask);
    buffer_puts(out, label);
    if (of_field_is_option(field) && wire_is_zero(mask.bytes, sizeof mask.bytes)) {
        buffer_putc(out, ',');
        return;
    }
    buffer_putc(out, '=');
    if (!put_odd_value(field, &value, &mask, out))
        of_value_format_masked(field, &value, &mask, out);
    buffer_putc(out, ',');
}

static void put_fields(const struct match *match, const uint16_t *fields, size_t n,
                       struct buffer *out)
{
    for (size_t i = 0; i < n; i++)
        put_field(match, of_field((enum of_field_id)fields[i])->name, (enum of_field_id)fields[i],
                  out);
}

/* 'suffix' tells the tag from one in front of it. */
static void put_vlan(const struct match *match, size_t i, const char *suffix, struct buffer *out)
{
    unsigned tci = be16_host(match->flow.key.vlan[i].tci);
    unsigned mask = be16_host(match->mask.key.vlan[i].tci);
    unsigned vid_mask = mask & VLAN_VID_MASK, pcp_mask = mask & VLAN_PCP_MASK;
    bool is_plain = mask & tci & VLAN_CFI && (!vid_mask || vid_mask == VLAN_VID_MASK) &&
                    (!pcp_mask || pcp_mask == VLAN_PCP_MASK) && (vid_mask || pcp_mask);

    if (!mask)
        return;
    if (is_plain) {
        if (vid_mask)
            buffer_printf(out, "dl_vlan%s=%u,", suffix, tci & VLAN_VID_MASK);
        if (pcp_mask)
            buffer_printf(out, "dl_vlan_pcp%s=%u,", suffix, tci >> VLAN_PCP_SHIFT);
    } else if (mask == UINT16_MAX) {
        buffer_printf(out, "vlan_tci%s=0x%04x,", suffix, tci);
    } else {
        buffer_printf(out, "vlan_tci%s=0x%04x/0x%04x,", suffix, tci, mask);
    }
}

/* Those behind the first are in no field. */
static void put_inner_labels(const struct match *match, struct buffer *out)
{
    for (size_t i = 1; i < FLOW_N_MPLS; i++) {
        uint32_t lse = be32_host(match->flow.key.mpls_lse[i]);
        uint32_t mask = be32_host(match->mask.key.mpls_lse[i]);

        if (mask == UINT32_MAX)
            buffer_printf(out, "mpls_lse%zu=%u,", i, lse);
        else if (mask)
            buffer_printf(out, "mpls_lse%zu=0x%x/0x%x,", i, lse, mask);
    }
}

/* Returns whether nw_proto was said, too. */
static bool put_protocol(const struct match *match, bool *has_type, struct buffer *out)
{
    uint16_t eth_type = be16_host(match->flow.key.eth_type);

    *has_type = false;
    for (size_t i = 0; match->mask.key.eth_type.raw && i < ARRAY_SIZE(protocols); i++) {
        uint8_t nw_proto = protocols[i].nw_proto;

        if (protocols[i].eth_type != eth_type)
            continue;
        if (nw_proto && !(match->mask.key.nw_proto && match->flow.key.nw_proto == nw_proto))
            continue;
        *has_type = true;
        buffer_printf(out, "%s,", protocols[i].word);
        return nw_proto;
    }
    return false;
}

static void put_match(const struct match *match, const struct of_names *names, struct buffer *out)
{
    static const char *const reg_labels[FLOW_N_REGS] = {
        "reg0", "reg1", "reg2",  "reg3",  "reg4",  "reg5",  "reg6",  "reg7",
        "reg8", "reg9", "reg10", "reg11", "reg12", "reg13", "reg14", "reg15",
    };
    bool has_type;

    put_fields(match, lower_fields, ARRAY_SIZE(lower_fields), out);
    if (match->mask.key.recirc_id.raw && match->mask.key.eth_type.raw)
        buffer_puts(out, "eth,");
    bool has_proto = put_protocol(match, &has_type, out);
    for (size_t i = 0; i < FLOW_N_REGS; i++)
        put_field(match, reg_labels[i], (enum of_field_id)(FIELD_REG0 + i), out);
    put_fields(match, tunnel_fields, ARRAY_SIZE(tunnel_fields), out);
    for (size_t i = 0; match->mask.tun_options_present.raw && i < TUNNEL_N_OPTIONS; i++) {
        enum of_field_id id = (enum of_field_id)(FIELD_TUN_METADATA0 + i);
        put_field(match, of_field(id)->name, id, out);
    }
    put_field(match, "metadata", FIELD_METADATA, out);
    if (match->mask.key.in_port.raw) {
        buffer_puts(out, "in_port=");
        of_port_format((of_port)be32_host(match->flow.key.in_port), names, out);
        buffer_putc(out, ',');
    }
    put_vlan(match, 0, "", out);
    put_vlan(match, 1, "1", out);
    put_field(match, "dl_src", FIELD_ETH_SRC, out);
    put_field(match, "dl_dst", FIELD_ETH_DST, out);
    if (match->mask.key.eth_type.raw && !has_type)
        buffer_printf(out, "dl_type=0x%04x,", be16_host(match->flow.key.eth_type));
    put_fields(match, nsh_fields, ARRAY_SIZE(nsh_fields), out);
    for (size_t i = 0; has_type && i < ARRAY_SIZE(upper_fields); i++) {
        if (!has_proto || upper_fields[i].field != FIELD_IP_PROTO)
            put_field(match, upper_fields[i].label, (enum of_field_id)upper_fields[i].field, out);
        if (upper_fields[i].field == FIELD_MPLS_BOS)
            put_inner_labels(match, out);
    }
}

static void drop_last_comma(size_t start, struct buffer *out)
{
    if (out->size > start && out->data[out->size - 1] == ',')
        out->size--;
}

void of_match_format(const struct match *match, const struct of_names *names, struct buffer *out)
{
    size_t start = out->size;

    put_match(match, names, out);
    drop_last_comma(start, out);
}

void of_match_format_priority(const struct match *match, uint16_t priority,
                              const struct of_names *names, struct buffer *out)
{
    size_t start = out->size;

    if (priority != OF_DEFAULT_PRIORITY)
        buffer_printf(out, "priority=%u,", priority);
    put_match(match, names, out);
    drop_last_comma(start, out);
}
