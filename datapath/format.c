/* SPDX-License-Identifier: Apache-2.0 */

/* The notation of ovs-dpctl(8): a field stands there if its mask has a bit, as value/mask unless
 * the mask has all. */

#include <arpa/inet.h>
#include <inttypes.h>

#include "datapath/datapath.h"
#include "datapath/format_labels.h"
#include "lib/clock.h"

struct printer {
    struct buffer *out;
    const struct flow_key *key, *mask;
    bool is_first; /* In these parentheses. */
};

static const struct {
    uint16_t bit;
    char letter;
    const char *name;
} tcp_flags[] = {
    {0x001, 'F', "fin"}, {0x002, 'S', "syn"}, {0x004, 'R', "rst"},
    {0x008, 'P', "psh"}, {0x010, '.', "ack"}, {0x020, 'U', "urg"},
    {0x040, 'E', "ece"}, {0x080, 'C', "cwr"}, {0x100, 'N', "ns"},
};

/* Fields */

static void put_name(struct printer *p, const char *name)
{
    buffer_printf(p->out, "%s%s=", p->is_first ? "" : ",", name);
    p->is_first = false;
}

static void put_open(struct printer *p, const char *name)
{
    buffer_printf(p->out, "%s(", name);
    p->is_first = true;
}

static void put_close(struct printer *p)
{
    buffer_putc(p->out, ')');
    p->is_first = false;
}

static void put_mac(struct printer *p, const char *name, struct mac mac, struct mac mask)
{
    if (mac_is_zero(mask))
        return;
    put_name(p, name);
    buffer_printf(p->out, MAC_FORMAT, MAC_ARGS(mac));
    if (!mac_is_broadcast(mask))
        buffer_printf(p->out, "/" MAC_FORMAT, MAC_ARGS(mask));
}

static void put_ipv4(struct printer *p, const char *name, be32 addr, be32 mask)
{
    char text[INET_ADDRSTRLEN];

    if (!mask.raw)
        return;
    put_name(p, name);
    buffer_puts(p->out, inet_ntop(AF_INET, &addr, text, sizeof text));
    if (mask.raw != UINT32_MAX)
        buffer_printf(p->out, "/%s", inet_ntop(AF_INET, &mask, text, sizeof text));
}

static bool ipv6_mask_is_all(const struct ipv6_addr *mask, uint8_t byte)
{
    for (size_t i = 0; i < sizeof mask->bytes; i++)
        if (mask->bytes[i] != byte)
            return false;
    return true;
}

static void put_ipv6(struct printer *p, const char *name, const struct ipv6_addr *addr,
                     const struct ipv6_addr *mask)
{
    char text[INET6_ADDRSTRLEN];

    if (ipv6_mask_is_all(mask, 0))
        return;
    put_name(p, name);
    buffer_puts(p->out, inet_ntop(AF_INET6, addr, text, sizeof text));
    if (!ipv6_mask_is_all(mask, UINT8_MAX))
        buffer_printf(p->out, "/%s", inet_ntop(AF_INET6, mask, text, sizeof text));
}

static void put_decimal(struct printer *p, const char *name, uint32_t value, uint32_t mask,
                        uint32_t all)
{
    if (!mask)
        return;
    put_name(p, name);
    buffer_printf(p->out, "%" PRIu32, value);
    if (mask != all)
        buffer_printf(p->out, "/0x%" PRIx32, mask);
}

static void put_hex(struct printer *p, const char *name, uint32_t value, uint32_t mask,
                    uint32_t all)
{
    if (!mask)
        return;
    put_name(p, name);
    buffer_printf(p->out, "0x%" PRIx32, value);
    if (mask != all)
        buffer_printf(p->out, "/0x%" PRIx32, mask);
}

/* Headers */

static void put_frag(struct printer *p)
{
    uint8_t mask = p->mask->nw_frag, frag = p->key->nw_frag;

    if (!mask)
        return;
    put_name(p, "frag");
    buffer_puts(p->out, !(frag & NW_FRAG_ANY) ? "no" : frag & NW_FRAG_LATER ? "later" : "first");
}

static void put_ip(struct printer *p, bool is_ipv6)
{
    const struct flow_key *key = p->key, *mask = p->mask;

    put_open(p, is_ipv6 ? "ipv6" : "ipv4");
    if (is_ipv6) {
        put_ipv6(p, "src", &key->ipv6_src, &mask->ipv6_src);
        put_ipv6(p, "dst", &key->ipv6_dst, &mask->ipv6_dst);
        put_hex(p, "label", be32_host(key->ipv6_label), be32_host(mask->ipv6_label) & 0xfffff,
                0xfffff);
    } else {
        put_ipv4(p, "src", key->nw_src, mask->nw_src);
        put_ipv4(p, "dst", key->nw_dst, mask->nw_dst);
    }
    put_decimal(p, "proto", key->nw_proto, mask->nw_proto, UINT8_MAX);
    put_hex(p, is_ipv6 ? "tclass" : "tos", key->nw_tos, mask->nw_tos, UINT8_MAX);
    put_decimal(p, is_ipv6 ? "hlimit" : "ttl", key->nw_ttl, mask->nw_ttl, UINT8_MAX);
    put_frag(p);
    put_close(p);
}

static void put_arp(struct printer *p)
{
    const struct flow_key *key = p->key, *mask = p->mask;

    put_open(p, "arp");
    put_ipv4(p, "sip", key->nw_src, mask->nw_src);
    put_ipv4(p, "tip", key->nw_dst, mask->nw_dst);
    put_decimal(p, "op", key->nw_proto, mask->nw_proto, UINT8_MAX);
    put_mac(p, "sha", key->arp_sha, mask->arp_sha);
    put_mac(p, "tha", key->arp_tha, mask->arp_tha);
    put_close(p);
}

static void put_tcp_flags(struct printer *p)
{
    uint16_t flags = be16_host(p->key->tcp_flags), mask = be16_host(p->mask->tcp_flags);

    if (mask)
        buffer_printf(p->out, ",tcp_flags(0x%03x/0x%03x)", flags, mask);
}

static void put_ports(struct printer *p, const char *protocol, const char *src, const char *dst)
{
    uint16_t src_mask = be16_host(p->mask->tp_src), dst_mask = be16_host(p->mask->tp_dst);

    if (!src_mask && !dst_mask)
        return;
    buffer_putc(p->out, ',');
    put_open(p, protocol);
    put_decimal(p, src, be16_host(p->key->tp_src), src_mask, UINT16_MAX);
    put_decimal(p, dst, be16_host(p->key->tp_dst), dst_mask, UINT16_MAX);
    put_close(p);
}

static void put_nd(struct printer *p)
{
    const struct flow_key *key = p->key, *mask = p->mask;

    if (ipv6_mask_is_all(&mask->nd_target, 0) && mac_is_zero(mask->arp_sha) &&
        mac_is_zero(mask->arp_tha))
        return;
    buffer_putc(p->out, ',');
    put_open(p, "nd");
    put_ipv6(p, "target", &key->nd_target, &mask->nd_target);
    put_mac(p, "sll", key->arp_sha, mask->arp_sha);
    put_mac(p, "tll", key->arp_tha, mask->arp_tha);
    put_close(p);
}

static bool has_nd_ext(const struct flow_key *mask)
{
    return mask->nd_reserved.raw || mask->nd_options_type;
}

static void put_nd_ext(struct printer *p)
{
    put_open(p, "nd_ext");
    put_hex(p, "nd_reserved", be32_host(p->key->nd_reserved), be32_host(p->mask->nd_reserved),
            UINT32_MAX);
    put_decimal(p, "nd_options_type", p->key->nd_options_type, p->mask->nd_options_type, UINT8_MAX);
    put_close(p);
}

static void put_transport(struct printer *p, bool is_ipv6)
{
    uint8_t proto = p->key->nw_proto;

    if (p->mask->nw_proto != UINT8_MAX || (p->key->nw_frag & NW_FRAG_LATER))
        return;
    if (proto == IP_PROTO_TCP) {
        put_ports(p, "tcp", "src", "dst");
        put_tcp_flags(p);
    } else if (proto == IP_PROTO_UDP) {
        put_ports(p, "udp", "src", "dst");
    } else if (proto == IP_PROTO_SCTP) {
        put_ports(p, "sctp", "src", "dst");
    } else if (!is_ipv6 && proto == IP_PROTO_ICMP) {
        put_ports(p, "icmp", "type", "code");
    } else if (is_ipv6 && proto == IP_PROTO_ICMPV6) {
        put_ports(p, "icmpv6", "type", "code");
        put_nd(p);
        if (has_nd_ext(p->mask)) {
            buffer_putc(p->out, ',');
            put_nd_ext(p);
        }
    }
}

static void put_mpls(struct printer *p)
{
    struct buffer labels = BUFFER_INIT;

    format_labels(&labels, p->key, p->mask);
    if (labels.size)
        buffer_printf(p->out, ",mpls(%s)", buffer_text(&labels));
    buffer_fini(&labels);
}

/* From the Ethernet type on. */
static void put_network(struct printer *p)
{
    uint16_t type = be16_host(p->key->eth_type), mask = be16_host(p->mask->eth_type);

    if (!mask)
        return;
    if (type != ETH_TYPE_NONE || mask != UINT16_MAX) {
        buffer_printf(p->out, ",eth_type(0x%04x", type);
        if (mask != UINT16_MAX)
            buffer_printf(p->out, "/0x%04x", mask);
        buffer_putc(p->out, ')');
    }
    switch (type) {
    case ETH_TYPE_IPV4:
    case ETH_TYPE_IPV6:
        buffer_putc(p->out, ',');
        put_ip(p, type == ETH_TYPE_IPV6);
        put_transport(p, type == ETH_TYPE_IPV6);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        buffer_putc(p->out, ',');
        put_arp(p);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MULTICAST:
        put_mpls(p);
        break;
    }
}

/* Tags, each with what it holds inside encap(). */
static unsigned int put_vlans(struct printer *p)
{
    unsigned int n = 0;

    for (int i = 0; i < FLOW_N_VLANS; i++) {
        uint16_t tci = be16_host(p->key->vlan[i].tci), mask = be16_host(p->mask->vlan[i].tci);

        if (!p->key->vlan[i].tpid.raw || (!mask && !p->mask->vlan[i].tpid.raw))
            break;
        buffer_printf(p->out, ",eth_type(0x%04x),", be16_host(p->key->vlan[i].tpid));
        put_open(p, "vlan");
        put_decimal(p, "vid", tci & VLAN_VID_MASK, mask & VLAN_VID_MASK, VLAN_VID_MASK);
        put_decimal(p, "pcp", tci >> VLAN_PCP_SHIFT, mask >> VLAN_PCP_SHIFT,
                    VLAN_PCP_MASK >> VLAN_PCP_SHIFT);
        put_close(p);
        buffer_puts(p->out, ",encap(");
        n++;
    }
    return n;
}

static void put_match(struct printer *p, const char *(*port_name)(uint32_t, void *), void *arg)
{
    uint32_t in_port = be32_host(p->key->in_port);
    const char *name = port_name ? port_name(in_port, arg) : NULL;

    buffer_puts(p->out, "recirc_id(0),");
    if (name)
        buffer_printf(p->out, "in_port(%s),", name);
    else
        buffer_printf(p->out, "in_port(%" PRIu32 "),", in_port);
    buffer_puts(p->out, "packet_type(ns=0,id=0)");

    if (!mac_is_zero(p->mask->eth_src) || !mac_is_zero(p->mask->eth_dst)) {
        buffer_putc(p->out, ',');
        put_open(p, "eth");
        put_mac(p, "src", p->key->eth_src, p->mask->eth_src);
        put_mac(p, "dst", p->key->eth_dst, p->mask->eth_dst);
        put_close(p);
    }
    unsigned int n_vlans = put_vlans(p);
    size_t before = p->out->size;
    put_network(p);
    if (n_vlans && p->out->size > before) { /* Inside encap() there is nothing in front. */
        memmove(p->out->data + before, p->out->data + before + 1, p->out->size - before - 1);
        p->out->size--;
    }
    while (n_vlans--)
        buffer_putc(p->out, ')');
}

/* Actions */

/* What a run of DP_SET does, as one key and mask: printed header by header, like a match. */
struct set_run {
    struct flow_key value, mask;
};

static bool set_run_touches(const struct set_run *run, size_t first_word, size_t end_word)
{
    for (size_t i = first_word; i < end_word; i++)
        if (flow_key_words_const(&run->mask)[i])
            return true;
    return false;
}

static const char *protocol_name(const struct flow_key *key)
{
    switch (key ? key->nw_proto : 0) {
    case IP_PROTO_TCP:
        return "tcp";
    case IP_PROTO_UDP:
        return "udp";
    case IP_PROTO_SCTP:
        return "sctp";
    case IP_PROTO_ICMP:
        return "icmp";
    case IP_PROTO_ICMPV6:
        return "icmpv6";
    }
    return "transport";
}

static void put_set_eth(struct printer *p)
{
    put_open(p, "eth");
    put_mac(p, "src", p->key->eth_src, p->mask->eth_src);
    put_mac(p, "dst", p->key->eth_dst, p->mask->eth_dst);
    put_close(p);
}

static void put_set_vlan(struct printer *p)
{
    uint16_t tci = be16_host(p->key->vlan[0].tci), mask = be16_host(p->mask->vlan[0].tci);

    put_open(p, "vlan");
    put_decimal(p, "vid", tci & VLAN_VID_MASK, mask & VLAN_VID_MASK, VLAN_VID_MASK);
    put_decimal(p, "pcp", tci >> VLAN_PCP_SHIFT, mask >> VLAN_PCP_SHIFT,
                VLAN_PCP_MASK >> VLAN_PCP_SHIFT);
    put_close(p);
}

static void put_set_ports(struct printer *p, const struct flow_key *key)
{
    bool is_icmp = key && (key->nw_proto == IP_PROTO_ICMP || key->nw_proto == IP_PROTO_ICMPV6);

    put_open(p, protocol_name(key));
    put_decimal(p, is_icmp ? "type" : "src", be16_host(p->key->tp_src), be16_host(p->mask->tp_src),
                UINT16_MAX);
    put_decimal(p, is_icmp ? "code" : "dst", be16_host(p->key->tp_dst), be16_host(p->mask->tp_dst),
                UINT16_MAX);
    put_close(p);
}

static void put_set_nd(struct printer *p)
{
    put_open(p, "nd");
    put_ipv6(p, "target", &p->key->nd_target, &p->mask->nd_target);
    put_mac(p, "sll", p->key->arp_sha, p->mask->arp_sha);
    put_mac(p, "tll", p->key->arp_tha, p->mask->arp_tha);
    put_close(p);
}

static void put_set_network(struct printer *p, const struct flow_key *key)
{
    if (key && flow_is_arp(key))
        put_arp(p);
    else
        put_ip(p, key && be16_host(key->eth_type) == ETH_TYPE_IPV6);
}

static void put_set_mpls(struct printer *p, struct known_labels *labels)
{
    buffer_puts(p->out, "mpls(");
    format_label_set(p->out, labels, be32_host(p->key->mpls_lse[0]),
                     be32_host(p->mask->mpls_lse[0]));
    buffer_putc(p->out, ')');
}

/* The actions from 'actions' on that are DP_SET: how many, and what they do together. */
static uint32_t collect_sets(const struct dp_action *actions, uint32_t n_actions,
                             struct set_run *run)
{
    uint32_t n = 0;

    *run = (struct set_run){.mask = {.in_port = {0}}};
    for (; n < n_actions && actions[n].type == DP_SET; n++) {
        uint64_t *value = &flow_key_words(&run->value)[actions[n].word];

        *value = (*value & ~actions[n].mask) | (actions[n].value & actions[n].mask);
        flow_key_words(&run->mask)[actions[n].word] |= actions[n].mask;
    }
    return n;
}

static uint32_t put_sets(struct buffer *out, const struct dp_action *actions, uint32_t n_actions,
                         const struct flow_key *key, struct known_labels *labels)
{
    struct flow_key nd_ext_mask = {.in_port = {0}};
    struct set_run run;
    struct printer p = {.out = out, .key = &run.value, .mask = &run.mask};
    struct printer nd_ext = {.out = out, .key = &run.value, .mask = &nd_ext_mask};
    bool is_arp = key && flow_is_arp(key);
    const char *separator = "set(";
    uint32_t n = collect_sets(actions, n_actions, &run);

    nd_ext_mask.nd_reserved = run.mask.nd_reserved;
    nd_ext_mask.nd_options_type = run.mask.nd_options_type;
    run.mask.nd_reserved = be32_from(0);
    run.mask.nd_options_type = 0;

    static const size_t ends[][2] = {
        {FLOW_KEY_WORD(eth_dst), FLOW_KEY_WORD(vlan)},
        {FLOW_KEY_WORD(vlan), FLOW_KEY_WORD(nw_src)},
        {FLOW_KEY_WORD(nw_src), FLOW_KEY_WORD(arp_sha)},
        {FLOW_KEY_WORD(arp_sha), FLOW_KEY_WORD(tp_src)},
        {FLOW_KEY_WORD(tp_src), FLOW_KEY_WORD(mpls_lse)},
        {FLOW_KEY_WORD(mpls_lse), FLOW_KEY_WORDS},
    };
    for (size_t header = 0; header < sizeof ends / sizeof ends[0]; header++) {
        if (header == 3 && has_nd_ext(&nd_ext_mask)) {
            buffer_puts(out, separator);
            separator = "),set(";
            put_nd_ext(&nd_ext);
        }
        if (!set_run_touches(&run, ends[header][0], ends[header][1]) ||
            (header == 3 && is_arp && set_run_touches(&run, ends[2][0], ends[2][1])))
            continue;
        buffer_puts(out, separator);
        separator = "),set(";
        switch (header) {
        case 0:
            put_set_eth(&p);
            break;
        case 1:
            put_set_vlan(&p);
            break;
        case 2:
            put_set_network(&p, key);
            break;
        case 3:
            if (is_arp)
                put_arp(&p);
            else
                put_set_nd(&p);
            break;
        case 4:
            put_set_ports(&p, key);
            break;
        case 5:
            put_set_mpls(&p, labels);
            break;
        }
    }
    buffer_putc(out, ')');
    return n;
}

static void put_push_vlan(struct buffer *out, uint32_t arg)
{
    uint16_t tpid = (uint16_t)(arg >> 16), tci = (uint16_t)arg;

    buffer_puts(out, "push_vlan(");
    if (tpid != ETH_TYPE_VLAN)
        buffer_printf(out, "tpid=0x%04x,", tpid);
    buffer_printf(out, "vid=%d,pcp=%d)", tci & VLAN_VID_MASK, tci >> VLAN_PCP_SHIFT);
}

/* With what is set of nothing but the new label right behind; returns how many actions that was more. */
static uint32_t put_push_mpls(struct buffer *out, const struct dp_action *push, uint32_t n_actions,
                              struct known_labels *labels)
{
    struct set_run run;
    uint32_t n = collect_sets(push + 1, n_actions - 1, &run),
             mask = be32_host(run.mask.mpls_lse[0]);

    known_labels_push(labels, push->arg);
    run.mask.mpls_lse[0] = be32_from(0);
    if (set_run_touches(&run, 0, FLOW_KEY_WORDS))
        n = mask = 0;
    buffer_puts(out, "push_mpls(");
    format_label_set(out, labels, be32_host(run.value.mpls_lse[0]), mask);
    buffer_printf(out, ",eth_type=0x%" PRIx64 ")", push->value);
    return n;
}

/* Does a frame that the meter drops go on somewhere that is not the end of a clone anyway? */
static bool bounds_clone(const struct dp_action *actions, uint32_t i, uint32_t n_actions)
{
    uint64_t n_missed = actions[i].value, n_behind = n_actions - i - 1;

    return n_missed < n_behind && actions[i + 1 + n_missed].type != DP_RESTORE;
}

void dp_actions_format(struct buffer *out, const struct dp_action *actions, uint32_t n_actions,
                       const struct flow_key *key, const struct flow_key *mask,
                       const char *(*port_name)(uint32_t port_no, void *arg), void *arg)
{
    enum { MAX_SAVED = 16 };
    struct known_labels labels, saved[MAX_SAVED] = {{.known = {0}}};
    uint32_t n_saved = 0;
    uint64_t clone_end = 0; /* Of one that is just for a meter. */

    known_labels_init(&labels, key, mask);
    if (!n_actions)
        buffer_puts(out, "drop");
    for (uint32_t i = 0; i < n_actions; i++) {
        const struct dp_action *action = &actions[i];
        const char *name = NULL;

        if (i && action->type == DP_DROP)
            break; /* A meter is all there is. */
        if (i && action->type != DP_RESTORE && actions[i - 1].type != DP_SAVE)
            buffer_putc(out, ',');
        switch ((enum dp_action_type)action->type) {
        case DP_OUTPUT:
            name = port_name ? port_name(action->arg, arg) : NULL;
            if (name)
                buffer_puts(out, name);
            else
                buffer_printf(out, "%" PRIu32, action->arg);
            break;
        case DP_SET:
            i += put_sets(out, action, n_actions - i, key, &labels) - 1;
            break;
        case DP_PUSH_VLAN:
            put_push_vlan(out, action->arg);
            break;
        case DP_POP_VLAN:
            buffer_puts(out, "pop_vlan");
            break;
        case DP_PUSH_MPLS:
            i += put_push_mpls(out, action, n_actions - i, &labels);
            break;
        case DP_POP_MPLS:
            known_labels_pop(&labels);
            buffer_printf(out, "pop_mpls(eth_type=0x%" PRIx32 ")", action->arg);
            break;
        case DP_SAVE:
            if (n_saved++ < MAX_SAVED)
                saved[n_saved - 1] = labels;
            buffer_puts(out, "clone(");
            break;
        case DP_RESTORE:
            n_saved -= n_saved > 0;
            if (n_saved < MAX_SAVED)
                labels = saved[n_saved];
            else
                known_labels_init(&labels, NULL, NULL);
            buffer_putc(out, ')');
            break;
        case DP_METER:
            if (bounds_clone(actions, i, n_actions)) {
                buffer_puts(out, "clone(");
                clone_end = i + action->value;
            }
            buffer_printf(out, "meter(%" PRIu32 ")", action->arg);
            break;
        case DP_TRUNC:
            buffer_printf(out, "trunc(%" PRIu32 ")", action->arg);
            break;
        case DP_DELIVER:
            buffer_printf(out, "userspace(%" PRIu32 ")", action->arg);
            break;
        case DP_DROP:
            buffer_puts(out, "drop");
            break;
        }
        if (clone_end && i == clone_end)
            buffer_putc(out, ')');
    }
}

void dp_flow_format(struct buffer *out, const struct dp_flow_info *flow,
                    const char *(*port_name)(uint32_t port_no, void *arg), void *arg)
{
    struct printer p = {.out = out, .key = flow->key, .mask = flow->mask};

    put_match(&p, port_name, arg);
    buffer_printf(out, ", packets:%" PRIu64 ", bytes:%" PRIu64 ", used:", flow->n_packets,
                  flow->n_bytes);
    if (flow->used_ns)
        buffer_printf(out, "%.3fs", (double)(clock_now_ns() - flow->used_ns) / 1e9);
    else
        buffer_puts(out, "never");
    if (flow->tcp_flags) {
        buffer_puts(out, ", flags:");
        for (size_t i = 0; i < sizeof tcp_flags / sizeof tcp_flags[0]; i++)
            if (flow->tcp_flags & tcp_flags[i].bit)
                buffer_putc(out, tcp_flags[i].letter);
    }
    if (flow->is_in_kernel)
        buffer_puts(out, ", offloaded:yes, dp:tc");
    buffer_puts(out, ", actions:");
    dp_actions_format(out, flow->actions, flow->n_actions, flow->key, flow->mask, port_name, arg);
}
