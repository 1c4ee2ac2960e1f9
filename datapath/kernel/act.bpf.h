/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#pragma once

/* act - what a verdict does to a frame, by TC.
 *
 * What a frame brings along for hardware to do is kept true: bpf_l4_csum_replace() changes a partial
 * checksum by the pseudo header alone, and bpf_skb_vlan_push() moves no offsets.
 *
 * Threads  See lookup.bpf.h. */

#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>

#include "datapath/kernel/lookup.bpf.h"
#include "datapath/kernel/meter.bpf.h"

enum {
    KC_PASS = -2, /* Userspace is to treat the frame; it is as it came. */
    KC_L3 = 14,   /* Where the IP header is: the tag is not in the frame. */
    KC_PACKET_HOST = 0,
    KC_MAX_TAG_BYTES = 8, /* In front of an IP header that a program may have moved. */
    KC_MAX_FRAME = 1 << 17,
};

/* What is known of a frame, as one scalar: functions that are verified once, instead of once for each way
 * that leads to them, take nothing else but the frame and memory. */
struct kc_frame_info {
    __u16 type;
    __u8 proto;
    __u8 l3;         /* Offset of the IP header, as tags come and go. */
    bool is_ingress; /* TC ingress, not egress. */
};

static __always_inline __u64 kc_pack(const struct kc_frame_info *info)
{
    return (__u64)info->is_ingress << 32 | (__u64)info->l3 << 24 | (__u64)info->proto << 16 |
           info->type;
}

static __always_inline struct kc_frame_info kc_unpack(__u64 packed)
{
    return (struct kc_frame_info){
        .type = (__u16)packed,
        .proto = (__u8)(packed >> 16),
        .l3 = (__u8)(packed >> 24),
        .is_ingress = packed >> 32 & 1,
    };
}

struct kc_skb {
    struct __sk_buff *skb;
    struct kc_frame_info info;
};

/* --- Out ------------------------------------------------------------------------------------ */

static __always_inline const struct kc_port *kc_get_port(__u32 number)
{
    return bpf_map_lookup_elem(&kc_ports, &number);
}

/* Would the device take it?  If not userspace tries, and counts. */
static __always_inline bool kc_port_takes(const struct kc_port *port, const struct __sk_buff *skb)
{
    return port && port->ifindex && (skb->len <= port->max_bytes || skb->gso_size);
}

/* To the other end of a veth without a second pass through the queue of received frames.  The stack
 * there takes a frame for its own by a mark that says so, hence the look at the address. */
static __always_inline bool kc_may_go_to_peer(const struct kc_port *port, struct __sk_buff *skb,
                                              __u64 first_bytes)
{
    __u64 address = first_bytes & 0xffffffffffff;

    if (!port->has_peer)
        return false;
    if (first_bytes & 1)
        return true; /* Multicast: it is marked as such. */
    return address == port->peer_mac && !bpf_skb_change_type(skb, KC_PACKET_HOST);
}

static __always_inline int kc_send(const struct kc_port *port, struct __sk_buff *skb,
                                   __u64 first_bytes, bool is_ingress)
{
    if (is_ingress && kc_may_go_to_peer(port, skb, first_bytes))
        return (int)bpf_redirect_peer(port->ifindex, 0);
    return (int)bpf_redirect(port->ifindex, port->redirect_flags);
}

/* --- Header fields -------------------------------------------------------------------------- */

/* Replaces the bits of 'mask' in 'n' bytes (a constant, up to 8) at 'offset'; '*from' and '*to' are
 * what they were and are.  False: it cannot be done, and has not been. */
static __always_inline bool kc_patch(struct __sk_buff *skb, __u32 offset, __u32 n,
                                     const struct kc_step *step, __u64 flags, __u64 *from,
                                     __u64 *to)
{
    *from = 0;
    if (bpf_skb_load_bytes(skb, offset, from, n))
        return false;
    *to = (*from & ~step->mask) | (step->value & step->mask);
    return !bpf_skb_store_bytes(skb, offset, to, n, flags);
}

/* Offset of the transport checksum; 0: it has none that covers addresses or ports. */
static __always_inline __u32 kc_l4_checksum(const struct kc_skb *x)
{
    if (x->info.proto == IP_PROTO_TCP)
        return 16;
    if (x->info.proto == IP_PROTO_UDP)
        return 6;
    return x->info.type == ETH_TYPE_IPV6 && x->info.proto == IP_PROTO_ICMPV6 ? 2 : 0;
}

static __always_inline __u64 kc_l4_flags(const struct kc_skb *x)
{
    return x->info.proto == IP_PROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

static __always_inline void kc_set_ipv4_addrs(const struct kc_skb *x, const struct kc_step *step)
{
    __u32 at = kc_l4_checksum(x);
    __u64 from, to;

    /* The header's own checksum keeps the sum over the packet as it was. */
    if (!kc_patch(x->skb, x->info.l3 + 12, 8, step, 0, &from, &to))
        return;
    bpf_l3_csum_replace(x->skb, x->info.l3 + 10, (__u32)from, (__u32)to, 4);
    bpf_l3_csum_replace(x->skb, x->info.l3 + 10, from >> 32, to >> 32, 4);
    if (!at)
        return;
    at += x->info.l3 + 20;
    bpf_l4_csum_replace(x->skb, at, (__u32)from, (__u32)to, kc_l4_flags(x) | BPF_F_PSEUDO_HDR | 4);
    bpf_l4_csum_replace(x->skb, at, from >> 32, to >> 32, kc_l4_flags(x) | BPF_F_PSEUDO_HDR | 4);
}

static __always_inline void kc_set_ipv6_addrs(const struct kc_skb *x, const struct kc_step *step)
{
    __u32 at = kc_l4_checksum(x), word = step->word - FLOW_KEY_WORD(ipv6_src);
    __u64 from, to;

    /* A sum over the packet changes here, and back when the transport checksum does. */
    if (!kc_patch(x->skb, x->info.l3 + 8 + (word & 3) * 8, 8, step, BPF_F_RECOMPUTE_CSUM, &from,
                  &to) ||
        !at)
        return;
    at += x->info.l3 + 40;
    bpf_l4_csum_replace(x->skb, at, (__u32)from, (__u32)to, kc_l4_flags(x) | BPF_F_PSEUDO_HDR | 4);
    bpf_l4_csum_replace(x->skb, at, from >> 32, to >> 32, kc_l4_flags(x) | BPF_F_PSEUDO_HDR | 4);
}

enum { KC_IN_WORD_TOS = 40, KC_IN_WORD_TTL = 48 }; /* Bits of ipv6_label's word, little-endian. */

/* One byte of the header at 'offset' (even), or behind it. */
static __always_inline void kc_set_ipv4_byte(const struct kc_skb *x, __u32 offset, bool is_second,
                                             __u8 value, __u8 mask)
{
    __u8 bytes[2];

    if (!mask || bpf_skb_load_bytes(x->skb, x->info.l3 + offset, bytes, 2))
        return;
    __u16 from = (__u16)(bytes[0] | bytes[1] << 8), to = from;
    __u16 wide_mask = (__u16)(is_second ? mask << 8 : mask);
    __u16 wide_value = (__u16)(is_second ? value << 8 : value);
    to = (__u16)((from & ~wide_mask) | (wide_value & wide_mask));
    bytes[0] = (__u8)to;
    bytes[1] = to >> 8;
    if (!bpf_skb_store_bytes(x->skb, x->info.l3 + offset, bytes, 2, 0))
        bpf_l3_csum_replace(x->skb, x->info.l3 + 10, from, to, 2);
}

static __always_inline void kc_set_ipv6_fields(const struct kc_skb *x, const struct kc_step *step)
{
    __u8 tos_mask = step->mask >> KC_IN_WORD_TOS, tos = step->value >> KC_IN_WORD_TOS;
    __u8 ttl_mask = step->mask >> KC_IN_WORD_TTL, ttl = step->value >> KC_IN_WORD_TTL;
    __u8 header[8];

    if (bpf_skb_load_bytes(x->skb, x->info.l3, header, sizeof header))
        return;
    __u32 first = (__u32)header[0] << 24 | (__u32)header[1] << 16 | (__u32)header[2] << 8 |
                  header[3];
    __u32 mask = (bpf_ntohl((__u32)step->mask) & 0xfffff) | (__u32)tos_mask << 20;
    __u32 value = (bpf_ntohl((__u32)step->value) & 0xfffff) | (__u32)tos << 20;
    first = (first & ~mask) | (value & mask);
    header[0] = first >> 24;
    header[1] = (__u8)(first >> 16);
    header[2] = (__u8)(first >> 8);
    header[3] = (__u8)first;
    header[7] = (__u8)((header[7] & ~ttl_mask) | (ttl & ttl_mask));
    bpf_skb_store_bytes(x->skb, x->info.l3, header, sizeof header, BPF_F_RECOMPUTE_CSUM);
}

static __always_inline void kc_set_ports(const struct kc_skb *x, const struct kc_step *step)
{
    __u32 l4 = x->info.l3 + (x->info.type == ETH_TYPE_IPV6 ? 40 : 20);
    __u64 from, to;

    if (kc_patch(x->skb, l4, 4, step, 0, &from, &to))
        bpf_l4_csum_replace(x->skb, l4 + kc_l4_checksum(x), (__u32)from, (__u32)to,
                            kc_l4_flags(x) | 4);
}

/* The tag is beside the frame: out with it, and in with the other. */
static __always_inline void kc_set_tag(const struct kc_skb *x, const struct kc_step *step)
{
    __u16 mask = bpf_ntohs((__u16)(step->mask >> 16)),
          value = bpf_ntohs((__u16)(step->value >> 16));
    __u16 tci = (__u16)x->skb->vlan_tci, tpid = (__u16)x->skb->vlan_proto;

    mask &= (__u16)~VLAN_CFI;
    if (!x->skb->vlan_present || bpf_skb_vlan_pop(x->skb))
        return;
    bpf_skb_vlan_push(x->skb, tpid, (__u16)((tci & ~mask) | (value & mask)));
}

/* Not static: the verifier looks at it once. */
__noinline int kc_set(struct __sk_buff *skb, const struct kc_step *step, __u64 packed)
{
    const struct kc_skb x = {.skb = skb, .info = kc_unpack(packed)};
    bool is_ipv4 = x.info.type == ETH_TYPE_IPV4, is_ipv6 = x.info.type == ETH_TYPE_IPV6;
    __u64 from, to;

    if (!step)
        return 0;
    switch (step->word) {
    case FLOW_KEY_WORD(eth_dst):
        kc_patch(skb, 0, 8, step, 0, &from, &to);
        break;
    case FLOW_KEY_WORD(eth_dst) + 1:
        kc_patch(skb, 8, 4, step, 0, &from, &to);
        break;
    case FLOW_KEY_WORD(vlan):
        kc_set_tag(&x, step);
        break;
    case FLOW_KEY_WORD(nw_src):
        if (is_ipv4)
            kc_set_ipv4_addrs(&x, step);
        break;
    case FLOW_KEY_WORD(ipv6_src):
    case FLOW_KEY_WORD(ipv6_src) + 1:
    case FLOW_KEY_WORD(ipv6_dst):
    case FLOW_KEY_WORD(ipv6_dst) + 1:
        if (is_ipv6)
            kc_set_ipv6_addrs(&x, step);
        break;
    case FLOW_KEY_WORD(ipv6_label):
        if (is_ipv4) {
            kc_set_ipv4_byte(&x, 0, true, step->value >> KC_IN_WORD_TOS,
                             step->mask >> KC_IN_WORD_TOS);
            kc_set_ipv4_byte(&x, 8, false, step->value >> KC_IN_WORD_TTL,
                             step->mask >> KC_IN_WORD_TTL);
        } else if (is_ipv6) {
            kc_set_ipv6_fields(&x, step);
        }
        break;
    case FLOW_KEY_WORD(tp_src):
        if ((is_ipv4 || is_ipv6) && (x.info.proto == IP_PROTO_TCP || x.info.proto == IP_PROTO_UDP))
            kc_set_ports(&x, step);
        break;
    }
    return 0;
}

/* --- Programs ------------------------------------------------------------------------------- */

/* A tag that is already there goes into the frame. */
static __always_inline void kc_push(struct kc_skb *x, __u32 arg)
{
    bool had_tag = x->skb->vlan_present;

    if (!bpf_skb_vlan_push(x->skb, bpf_htons((__u16)(arg >> 16)), (__u16)(arg & ~VLAN_CFI)) &&
        had_tag)
        x->info.l3 += 4;
}

/* If there is another tag in the frame, it comes out to stand beside. */
static __always_inline void kc_pop(struct kc_skb *x)
{
    bool has_tag = x->skb->vlan_present;

    if (has_tag && !bpf_skb_vlan_pop(x->skb) && x->skb->vlan_present)
        x->info.l3 -= 4;
}

/* What a program has done: a TC action, and beside it ... */
enum {
    KC_RESULT_ACTION = 0x7f,
    KC_RESULT_METERED = 0x80, /* The frame was too much for a meter. */
    KC_RESULT_LOST = 8,       /* Shift: how many copies could not be sent. */
};

/* The last port of the last step gets the frame itself, others copies. */
__noinline int kc_output(struct __sk_buff *skb, const struct kc_step *step, int is_last,
                         int is_ingress)
{
    int n_lost = 0;

    for (__u32 i = 0; step && i < KC_STEP_PORTS && i < step->n; i++) {
        const struct kc_port *port = kc_get_port(step->ports[i]);

        if (!port)
            break;
        if (is_last && i + 1 == step->n) {
            __u64 first_bytes = 0;

            bpf_skb_load_bytes(skb, 0, &first_bytes, sizeof first_bytes);
            return n_lost << KC_RESULT_LOST | kc_send(port, skb, first_bytes, is_ingress);
        }
        n_lost += bpf_clone_redirect(skb, port->ifindex, port->redirect_flags) != 0;
    }
    return n_lost << KC_RESULT_LOST | TC_ACT_SHOT; /* Which ends nothing but the last step. */
}

/* Cuts the frame to 'n_bytes' with the tag beside it.  False: it cannot be cut. */
static __always_inline bool kc_cut(struct __sk_buff *skb, struct kc_program *program, __u32 n_bytes)
{
    __u32 tag_bytes = skb->vlan_present ? 4 : 0;

    if (skb->len + tag_bytes > n_bytes && bpf_skb_change_tail(skb, n_bytes - tag_bytes, 0))
        return false;
    __sync_fetch_and_add(&program->n_cut_bytes, skb->len + tag_bytes);
    return true;
}

/* Where the checksum ends that may have been left to the device, which the kernel wants to keep in the frame; of a
 * frame that may be a tunnel's, the inner one's is beyond all that is known. */
static __always_inline __u32 kc_min_cut(const struct kc_skb *x)
{
    bool is_ipv4 = x->info.type == ETH_TYPE_IPV4, is_ipv6 = x->info.type == ETH_TYPE_IPV6;
    __u32 l4 = KC_L3 + (is_ipv6 ? 40 : 20);
    __u16 words[4];

    if (!is_ipv4 && !is_ipv6)
        return KC_L3;
    if (x->info.proto == IP_PROTO_TCP)
        return l4 + 18;
    if (x->info.proto == (is_ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
        return l4 + 4;
    if (x->info.proto != IP_PROTO_UDP || bpf_skb_load_bytes(x->skb, l4, words, sizeof words) ||
        (x->skb->len >= KC_MIN_TUNNEL_BYTES && (!words[3] || kc_is_tunnel_port(words[1]))))
        return KC_MAX_FRAME;
    return l4 + 8;
}

/* The step of an output that is preceded by a cut: can what is left be sent? */
static __always_inline bool kc_can_cut(const struct kc_skb *x, const struct kc_step *cut,
                                       const struct kc_port *port)
{
    __u32 n_bytes = x->skb->len + KC_MAX_TAG_BYTES < cut->arg ? x->skb->len : cut->arg;

    return port && port->ifindex && n_bytes <= port->max_bytes &&
           (n_bytes < cut->arg || cut->arg >= kc_min_cut(x) + KC_MAX_TAG_BYTES);
}

static __always_inline __u32 kc_frame_bytes(const struct __sk_buff *skb)
{
    return skb->len + (skb->vlan_present ? 4 : 0);
}

static __always_inline void kc_remark(const struct kc_skb *x, __u32 n_steps)
{
    __u8 header[2];

    if ((x->info.type != ETH_TYPE_IPV4 && x->info.type != ETH_TYPE_IPV6) ||
        bpf_skb_load_bytes(x->skb, x->info.l3, header, sizeof header))
        return;
    if (x->info.type == ETH_TYPE_IPV4) {
        kc_set_ipv4_byte(x, 0, true, (__u8)kc_raise_precedence(header[1], n_steps), 0xff);
        return;
    }
    __u8 tos = (__u8)kc_raise_precedence((__u8)(header[0] << 4 | header[1] >> 4), n_steps);
    header[0] = (__u8)((header[0] & 0xf0) | tos >> 4);
    header[1] = (__u8)((header[1] & 0x0f) | tos << 4);
    bpf_skb_store_bytes(x->skb, x->info.l3, header, sizeof header, BPF_F_RECOMPUTE_CSUM);
}

/* False: the frame is too much. */
static __always_inline bool kc_meter(const struct kc_skb *x, struct kc_program *program,
                                     const struct kc_step *step)
{
    __u32 n_bytes = kc_frame_bytes(x->skb), segment = x->skb->gso_size;
    int result = kc_meter_step(program, step, n_bytes,
                               segment && segment < n_bytes ? segment : n_bytes);

    if (result >= 0)
        kc_remark(x, (__u32)result);
    return result != KC_METER_DROPS;
}

/* Could every output of the program be done? */
__noinline int kc_ports_take(struct __sk_buff *skb, const struct kc_program *program, __u64 packed)
{
    const struct kc_skb x = {.skb = skb, .info = kc_unpack(packed)};

    for (int s = 0; program && s < KC_PROGRAM_STEPS && s < program->n_steps; s++) {
        const struct kc_step *step = &program->steps[s];

        if (step->op == KC_CUT)
            return s + 1 < KC_PROGRAM_STEPS &&
                   kc_can_cut(&x, step, kc_get_port(program->steps[s + 1].ports[0]));
        if (step->op != KC_OUTPUT)
            continue;
        for (__u32 i = 0; i < KC_STEP_PORTS && i < step->n; i++)
            if (!kc_port_takes(kc_get_port(step->ports[i]), skb))
                return false;
    }
    return true;
}

/* Is the frame one that the verdict is for, in what the key leaves out? */
static __always_inline bool kc_program_is_for(const struct kc_program *program,
                                              const struct kc_skb *x)
{
    bool is_ipv4 = x->info.type == ETH_TYPE_IPV4, is_ipv6 = x->info.type == ETH_TYPE_IPV6;
    __u16 flags;
    __u8 ttl;

    if (!is_ipv4 && !is_ipv6)
        return true;
    if (program->ttl_mask && (bpf_skb_load_bytes(x->skb, KC_L3 + (is_ipv6 ? 7 : 8), &ttl, 1) ||
                              (ttl & program->ttl_mask) != program->ttl))
        return false;
    return !program->tcp_flags_mask || x->info.proto != IP_PROTO_TCP ||
           (!bpf_skb_load_bytes(x->skb, KC_L3 + (is_ipv6 ? 40 : 20) + 12, &flags, 2) &&
            (flags & program->tcp_flags_mask) == program->tcp_flags);
}

/* What it has done (KC_RESULT_ACTION), or KC_PASS. */
__noinline int kc_run(struct __sk_buff *skb, struct kc_program *program, __u64 packed)
{
    struct kc_skb x = {.skb = skb, .info = kc_unpack(packed)};
    int result = TC_ACT_SHOT, n_lost = 0;

    if (!program || !kc_program_is_for(program, &x) || !kc_ports_take(skb, program, packed))
        return KC_PASS;
    for (int i = 0; i < KC_PROGRAM_STEPS && i < program->n_steps; i++) {
        const struct kc_step *step = &program->steps[i];

        switch (step->op) {
        case KC_OUTPUT:
            result = kc_output(skb, step, i + 1 == program->n_steps, x.info.is_ingress);
            n_lost += result >> KC_RESULT_LOST;
            break;
        case KC_SET:
            kc_set(skb, step, kc_pack(&x.info));
            break;
        case KC_PUSH_VLAN:
            kc_push(&x, step->arg);
            break;
        case KC_POP_VLAN:
            kc_pop(&x);
            break;
        case KC_CUT:
            if (!kc_cut(skb, program, step->arg))
                return (n_lost + 1) << KC_RESULT_LOST | TC_ACT_SHOT;
            break;
        case KC_METER:
            if (!kc_meter(&x, program, step))
                return n_lost << KC_RESULT_LOST | KC_RESULT_METERED | TC_ACT_SHOT;
            break;
        }
    }
    return n_lost << KC_RESULT_LOST | (result & KC_RESULT_ACTION);
}

/* --- The whole ------------------------------------------------------------------------------ */

static __always_inline int kc_treat_by_program(struct __sk_buff *skb, struct kc_device *device,
                                               struct kc_entry *entry, __u32 index, __u64 packed)
{
    struct kc_program *program = bpf_map_lookup_elem(&kc_programs, &index);
    __u32 n_bytes = kc_frame_bytes(skb);
    int result = program ? kc_run(skb, program, packed) : KC_PASS;

    if (result == KC_PASS)
        return KC_PASS;
    kc_count(entry, n_bytes);
    if (result >> KC_RESULT_LOST)
        __sync_fetch_and_add(&device->n_unsent, result >> KC_RESULT_LOST);
    if (result & KC_RESULT_METERED)
        __sync_fetch_and_add(&device->n_metered, 1);
    return result & KC_RESULT_ACTION;
}

/* What the cache knows of the frame is done.  A TC action, or KC_PASS. */
static __always_inline int kc_try(struct __sk_buff *skb, struct kc_device *device, bool is_ingress)
{
    const struct kc_state *state = kc_get_state();
    struct kc_frame frame = {
        .at = (void *)(long)skb->data,
        .end = (void *)(long)skb->data_end,
        .n_bytes = skb->len,
        .slot = device->slot,
    };
    struct kc_key key;
    __u64 verdict = 0;

    if (skb->vlan_present) {
        if (skb->vlan_proto != bpf_htons(ETH_TYPE_VLAN))
            return KC_PASS;
        frame.tag = (__u16)(skb->vlan_tci | VLAN_CFI);
    }
    if (!state || kc_parse(&frame, &key) != KC_PARSED)
        return KC_PASS;

    bool is_ipv6 = key.n_words == KC_KEY6_WORDS;
    struct kc_entry *entry = is_ipv6 ? kc_find(state, &key, true, &verdict)
                                     : kc_find(state, &key, false, &verdict);
    if (!entry || !kc_is_valid(state, entry, verdict))
        return KC_PASS;

    __u32 action = kc_action(verdict);
    if (action < KC_DROP) {
        const struct kc_port *port = kc_get_port(action);

        if (!kc_port_takes(port, skb))
            return KC_PASS;
        kc_count(entry, kc_frame_bytes(skb));
        return kc_send(port, skb, key.words[0], is_ingress);
    }
    if (action == KC_DROP) {
        kc_count(entry, kc_frame_bytes(skb));
        return TC_ACT_SHOT;
    }
    const struct kc_frame_info info = {
        .type = (__u16)(key.words[1] >> 32),
        .proto = (__u8)(key.words[3] >> 8),
        .l3 = KC_L3,
        .is_ingress = is_ingress,
    };
    return kc_treat_by_program(skb, device, entry, action - KC_FIRST_PROGRAM, kc_pack(&info));
}
