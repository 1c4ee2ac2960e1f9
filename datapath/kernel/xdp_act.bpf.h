/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* xdp_act - what a verdict does to a frame, by XDP.  See act.bpf.h for the same by TC.
 *
 * The tag is in the frame, so that offsets behind it move as tags come and go.  Checksums are whole (others
 * have gone on to TC) and are changed by the difference (RFC 1624).
 *
 * Threads  See lookup.bpf.h. */

#include <bpf/bpf_endian.h>

#include "datapath/kernel/lookup.bpf.h"
#include "datapath/kernel/meter.bpf.h"

enum {
    KC_XDP_L3 = 14,
    KC_XDP_MAX_OFFSET = 0x7f, /* Of anything that is written: two tags, IPv6, TCP. */
};

struct kc_xdp {
    struct xdp_md *context;
    __u16 type;
    __u8 proto;
    __u32 l3; /* Offset of the IP header. */
};

/* 'n' bytes (a constant) at 'offset', or NULL. */
static __always_inline __u8 *kc_xdp_at(const struct xdp_md *context, __u32 offset, __u32 n)
{
    __u8 *at = (void *)(long)context->data;

    __asm__ volatile("%0 &= 0x7f" : "+r"(offset));
    at += offset;
    return at + n > (__u8 *)(long)context->data_end ? NULL : at;
}

static __always_inline void kc_store16(__u8 *at, __u16 value)
{
    *(__u16 *)(void *)at = value;
}

static __always_inline void kc_store32(__u8 *at, __u32 value)
{
    *(__u32 *)(void *)at = value;
}

static __always_inline void kc_store64(__u8 *at, __u64 value)
{
    *(__u64 *)(void *)at = value;
}

/* --- Checksums ------------------------------------------------------------------------------ */

static __always_inline __u16 kc_xdp_fold(__u64 sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (__u16)((sum & 0xffff) + (sum >> 16));
}

/* The sum of 'to' less that of 'from', to be added to one that covers them. */
static __always_inline __u64 kc_xdp_difference(__u64 from, __u64 to)
{
    return (to & 0xffffffff) + (to >> 32) + (~from & 0xffffffff) + (~from >> 32);
}

static __always_inline void kc_xdp_change_checksum(__u8 *field, __u64 difference)
{
    kc_store16(field, (__u16)~kc_xdp_fold((__u16)~kc_load16(field) + difference));
}

/* Of the transport, if it has one that covers what has changed. */
static __always_inline void kc_xdp_change_l4_checksum(const struct kc_xdp *x, __u64 difference)
{
    bool is_ipv6 = x->type == ETH_TYPE_IPV6;
    __u32 offset;

    if (x->proto == IP_PROTO_TCP)
        offset = 16;
    else if (x->proto == IP_PROTO_UDP)
        offset = 6;
    else if (is_ipv6 && x->proto == IP_PROTO_ICMPV6)
        offset = 2;
    else
        return;

    __u8 *field = kc_xdp_at(x->context, x->l3 + (is_ipv6 ? 40 : 20) + offset, 2);
    if (!field || (x->proto == IP_PROTO_UDP && !kc_load16(field)))
        return; /* RFC 768: it was sent without. */
    kc_xdp_change_checksum(field, difference);
    if (x->proto == IP_PROTO_UDP && !kc_load16(field))
        kc_store16(field, 0xffff);
}

/* --- Header fields -------------------------------------------------------------------------- */

static __always_inline __u64 kc_xdp_mix(__u64 from, const struct kc_step *step)
{
    return (from & ~step->mask) | (step->value & step->mask);
}

static __always_inline void kc_xdp_set_ipv4_addrs(const struct kc_xdp *x,
                                                  const struct kc_step *step)
{
    __u8 *ip = kc_xdp_at(x->context, x->l3, 20);

    if (!ip)
        return;
    __u64 from = kc_load64(ip + 12), to = kc_xdp_mix(from, step);
    kc_store64(ip + 12, to);
    kc_xdp_change_checksum(ip + 10, kc_xdp_difference(from, to));
    kc_xdp_change_l4_checksum(x, kc_xdp_difference(from, to));
}

static __always_inline void kc_xdp_set_ipv6_addrs(const struct kc_xdp *x,
                                                  const struct kc_step *step)
{
    __u32 word = step->word - FLOW_KEY_WORD(ipv6_src);
    __u8 *at = kc_xdp_at(x->context, x->l3 + 8 + (word & 3) * 8, 8);

    if (!at)
        return;
    __u64 from = kc_load64(at), to = kc_xdp_mix(from, step);
    kc_store64(at, to);
    kc_xdp_change_l4_checksum(x, kc_xdp_difference(from, to));
}

/* Of ipv6_label's word of the flow key, as it lies in memory. */
struct kc_xdp_ip_fields {
    __u32 label;
    __u8 frag, tos, ttl, proto;
};

static __always_inline struct kc_xdp_ip_fields kc_xdp_ip_fields(__u64 word)
{
    return (struct kc_xdp_ip_fields){
        .label = bpf_ntohl((__u32)word) & 0xfffff,
        .tos = (__u8)(word >> 40),
        .ttl = (__u8)(word >> 48),
    };
}

static __always_inline void kc_xdp_set_ipv4_fields(const struct kc_xdp *x,
                                                   const struct kc_step *step)
{
    struct kc_xdp_ip_fields value = kc_xdp_ip_fields(step->value);
    struct kc_xdp_ip_fields mask = kc_xdp_ip_fields(step->mask);
    __u8 *ip = kc_xdp_at(x->context, x->l3, 20);

    if (!ip)
        return;
    __u64 from = kc_load16(ip) | (__u64)kc_load16(ip + 8) << 16;
    ip[1] = (ip[1] & ~mask.tos) | (value.tos & mask.tos);
    ip[8] = (ip[8] & ~mask.ttl) | (value.ttl & mask.ttl);
    __u64 to = kc_load16(ip) | (__u64)kc_load16(ip + 8) << 16;
    kc_xdp_change_checksum(ip + 10, kc_xdp_difference(from, to));
}

static __always_inline void kc_xdp_set_ipv6_fields(const struct kc_xdp *x,
                                                   const struct kc_step *step)
{
    struct kc_xdp_ip_fields value = kc_xdp_ip_fields(step->value);
    struct kc_xdp_ip_fields mask = kc_xdp_ip_fields(step->mask);
    __u8 *ip = kc_xdp_at(x->context, x->l3, 8);

    if (!ip)
        return;
    __u32 bits = mask.label | (__u32)mask.tos << 20;
    __u32 first = bpf_ntohl(kc_load32(ip));
    first = (first & ~bits) | ((value.label | (__u32)value.tos << 20) & bits);
    kc_store32(ip, bpf_htonl(first));
    ip[7] = (ip[7] & ~mask.ttl) | (value.ttl & mask.ttl);
}

static __always_inline void kc_xdp_set_ports(const struct kc_xdp *x, const struct kc_step *step)
{
    __u8 *at = kc_xdp_at(x->context, x->l3 + (x->type == ETH_TYPE_IPV6 ? 40 : 20), 4);

    if (!at)
        return;
    __u32 from = kc_load32(at), to = (__u32)kc_xdp_mix(from, step);
    kc_store32(at, to);
    kc_xdp_change_l4_checksum(x, kc_xdp_difference(from, to));
}

static __always_inline bool kc_xdp_is_tagged(const struct kc_xdp *x)
{
    const __u8 *at = kc_xdp_at(x->context, 12, 2);

    return at &&
           (kc_load16(at) == bpf_htons(ETH_TYPE_VLAN) || kc_load16(at) == bpf_htons(ETH_TYPE_QINQ));
}

static __always_inline void kc_xdp_set_tag(const struct kc_xdp *x, const struct kc_step *step)
{
    __u16 mask = (__u16)(step->mask >> 16) & (__u16)~bpf_htons(VLAN_CFI);
    __u8 *at = kc_xdp_at(x->context, 14, 2);

    if (at && kc_xdp_is_tagged(x))
        kc_store16(at, (kc_load16(at) & ~mask) | ((__u16)(step->value >> 16) & mask));
}

static __always_inline void kc_xdp_set(const struct kc_xdp *x, const struct kc_step *step)
{
    bool is_ipv4 = x->type == ETH_TYPE_IPV4, is_ipv6 = x->type == ETH_TYPE_IPV6;
    __u8 *at;

    switch (step->word) {
    case FLOW_KEY_WORD(eth_dst):
        at = kc_xdp_at(x->context, 0, 8);
        if (at)
            kc_store64(at, kc_xdp_mix(kc_load64(at), step));
        break;
    case FLOW_KEY_WORD(eth_dst) + 1:
        at = kc_xdp_at(x->context, 8, 4);
        if (at)
            kc_store32(at, (__u32)kc_xdp_mix(kc_load32(at), step));
        break;
    case FLOW_KEY_WORD(vlan):
        kc_xdp_set_tag(x, step);
        break;
    case FLOW_KEY_WORD(nw_src):
        if (is_ipv4)
            kc_xdp_set_ipv4_addrs(x, step);
        break;
    case FLOW_KEY_WORD(ipv6_src):
    case FLOW_KEY_WORD(ipv6_src) + 1:
    case FLOW_KEY_WORD(ipv6_dst):
    case FLOW_KEY_WORD(ipv6_dst) + 1:
        if (is_ipv6)
            kc_xdp_set_ipv6_addrs(x, step);
        break;
    case FLOW_KEY_WORD(ipv6_label):
        if (is_ipv4)
            kc_xdp_set_ipv4_fields(x, step);
        else if (is_ipv6)
            kc_xdp_set_ipv6_fields(x, step);
        break;
    case FLOW_KEY_WORD(tp_src):
        if ((is_ipv4 || is_ipv6) && (x->proto == IP_PROTO_TCP || x->proto == IP_PROTO_UDP))
            kc_xdp_set_ports(x, step);
        break;
    }
}

/* False: there is no room for it, which devices with XDP always have. */
static __always_inline bool kc_xdp_push(struct kc_xdp *x, __u32 arg)
{
    if (bpf_xdp_adjust_head(x->context, -4))
        return false;
    __u8 *at = kc_xdp_at(x->context, 0, 18);
    if (!at)
        return false;
    __u64 first = kc_load64(at + 4);
    __u32 rest = kc_load32(at + 12);
    kc_store64(at, first);
    kc_store32(at + 8, rest);
    kc_store16(at + 12, bpf_htons((__u16)(arg >> 16)));
    kc_store16(at + 14, bpf_htons((__u16)(arg & ~VLAN_CFI)));
    x->l3 += 4;
    return true;
}

static __always_inline bool kc_xdp_pop(struct kc_xdp *x)
{
    __u8 *at = kc_xdp_at(x->context, 0, 18);

    if (!kc_xdp_is_tagged(x))
        return true;
    if (!at)
        return false;
    __u64 first = kc_load64(at);
    __u32 rest = kc_load32(at + 8);
    kc_store32(at + 12, rest);
    kc_store64(at + 4, first);
    if (bpf_xdp_adjust_head(x->context, 4))
        return false;
    x->l3 -= 4;
    return true;
}

/* --- The whole ------------------------------------------------------------------------------ */

/* Would the device take it, sent from here? */
static __always_inline const struct kc_port *kc_xdp_port(__u32 number, __u32 n_bytes)
{
    const struct kc_port *port = bpf_map_lookup_elem(&kc_ports, &number);

    return port && port->takes_xdp && port->ifindex && n_bytes <= port->max_bytes ? port : NULL;
}

static __always_inline bool kc_xdp_program_is_for(const struct kc_program *program,
                                                  const struct kc_xdp *x)
{
    bool is_ipv6 = x->type == ETH_TYPE_IPV6;
    const __u8 *at;

    if (program->ttl_mask) {
        at = kc_xdp_at(x->context, x->l3 + (is_ipv6 ? 7 : 8), 1);
        if (!at || (*at & program->ttl_mask) != program->ttl)
            return false;
    }
    if (program->tcp_flags_mask) {
        at = kc_xdp_at(x->context, x->l3 + (is_ipv6 ? 40 : 20) + 12, 2);
        if (!at || (kc_load16(at) & program->tcp_flags_mask) != program->tcp_flags)
            return false;
    }
    return true;
}

/* The port that the last step sends to; the others send nowhere. */
static __always_inline const struct kc_port *kc_xdp_program_port(const struct kc_program *program,
                                                                 __u32 n_bytes)
{
    __u32 last = (program->n_steps - 1u) & 0xf;

    if (!program->sends_once || last >= KC_PROGRAM_STEPS)
        return NULL;
    return kc_xdp_port(program->steps[last].ports[0], n_bytes);
}

static __always_inline __u32 kc_xdp_bytes(const struct kc_xdp *x)
{
    return (__u32)(x->context->data_end - x->context->data);
}

static __always_inline bool kc_xdp_cut(const struct kc_xdp *x, struct kc_program *program,
                                       __u32 max_bytes)
{
    __u32 n_bytes = kc_xdp_bytes(x);

    if (n_bytes > max_bytes && bpf_xdp_adjust_tail(x->context, (int)(max_bytes - n_bytes)))
        return false;
    __sync_fetch_and_add(&program->n_cut_bytes, kc_xdp_bytes(x));
    return true;
}

static __always_inline void kc_xdp_remark(const struct kc_xdp *x, __u32 n_steps)
{
    const __u8 *ip = kc_xdp_at(x->context, x->l3, 2);
    struct kc_step set = {.mask = 0xffULL
                                  << 40}; /* The type of service, as in kc_xdp_ip_fields(). */

    if (!ip)
        return;
    if (x->type == ETH_TYPE_IPV4) {
        set.value = (__u64)(__u8)kc_raise_precedence(ip[1], n_steps) << 40;
        kc_xdp_set_ipv4_fields(x, &set);
    } else if (x->type == ETH_TYPE_IPV6) {
        __u8 tos = (__u8)(ip[0] << 4 | ip[1] >> 4);

        set.value = (__u64)(__u8)kc_raise_precedence(tos, n_steps) << 40;
        kc_xdp_set_ipv6_fields(x, &set);
    }
}

/* False: the frame is too much. */
static __always_inline bool kc_xdp_meter(const struct kc_xdp *x, struct kc_program *program,
                                         const struct kc_step *step)
{
    __u32 n_bytes = kc_xdp_bytes(x);
    int result = kc_meter_step(program, step, n_bytes, n_bytes);

    if (result >= 0)
        kc_xdp_remark(x, (__u32)result);
    return result != KC_METER_DROPS;
}

/* What is to become of the frame: XDP_REDIRECT; XDP_DROP: it was too much for a meter; else it is of no use now. */
static __noinline int kc_xdp_run(struct kc_xdp *x, struct kc_program *program)
{
    if (!x || !program)
        return XDP_ABORTED;
    for (int i = 0; i < KC_PROGRAM_STEPS && i < program->n_steps; i++) {
        const struct kc_step *step = &program->steps[i];

        if (step->op == KC_SET)
            kc_xdp_set(x, step);
        else if (step->op == KC_PUSH_VLAN && !kc_xdp_push(x, step->arg))
            return XDP_ABORTED;
        else if (step->op == KC_POP_VLAN && !kc_xdp_pop(x))
            return XDP_ABORTED;
        else if (step->op == KC_CUT && !kc_xdp_cut(x, program, step->arg))
            return XDP_ABORTED;
        else if (step->op == KC_METER && !kc_xdp_meter(x, program, step))
            return XDP_DROP;
    }
    return XDP_REDIRECT;
}

/* An XDP action; XDP_PASS if TC shall treat the frame, which is then as it came. */
static __always_inline int kc_xdp_treat(struct kc_xdp *x, struct kc_device *device,
                                        struct kc_entry *entry, __u32 action, __u32 n_bytes)
{
    const struct kc_port *port;

    if (action < KC_DROP) {
        port = kc_xdp_port(action, n_bytes);
        if (!port)
            return XDP_PASS;
        kc_count(entry, n_bytes);
        return (int)bpf_redirect(port->ifindex, 0);
    }

    action -= KC_FIRST_PROGRAM;
    struct kc_program *program = bpf_map_lookup_elem(&kc_programs, &action);
    if (!program || !kc_xdp_program_is_for(program, x))
        return XDP_PASS;
    port = kc_xdp_program_port(program, n_bytes);
    if (!port)
        return XDP_PASS;
    kc_count(entry, n_bytes);
    int result = kc_xdp_run(x, program);
    if (result == XDP_DROP)
        __sync_fetch_and_add(&device->n_metered, 1);
    return result == XDP_REDIRECT ? (int)bpf_redirect(port->ifindex, 0) : result;
}
