/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */

/* xdp - the flow cache before there is an skb, on devices whose port asks for it (options:fastpath=xdp).
 *
 * The same parse, the same entries and the same verdicts as by TC (act.bpf.h).  What is not plain goes on to
 * the TC program of the same device, which knows all that this one knows and more: misses, copies to several
 * ports, ports that XDP cannot send to, and frames of which XDP does not see everything:
 *
 * - A checksum that was left to the device.  No program can ask for it; but the field then holds the sum of
 *   the pseudo header, and a frame whose field does goes on.  (One in 65,536 others does as well.)
 * - The same inside of a tunnel: UDP that may hold one, and protocols other than TCP, UDP and ICMP, go on.
 * - A tag that the device took out.  Where it does that, it is asked for it; frames that have one go on.
 *
 * The program is loaded for each device, since only a program bound to a device may ask it.
 *
 * Threads  See lookup.bpf.h. */

#include "datapath/kernel/lookup.bpf.h"
#include "datapath/kernel/xdp_act.bpf.h"

extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *context, __be16 *tpid,
                                        __u16 *tci) __ksym __weak;

enum {
    TAG_BYTES = 4,
};

/* 16-bit sum of the pseudo header, as it is left in the field. */
static __always_inline __u16 pseudo_header_sum(const struct kc_key *key, __u32 l4_bytes, __u8 proto)
{
    __u64 sum = (__u64)bpf_htons((__u16)l4_bytes) + bpf_htons(proto);

    if (key->n_words == KC_KEY6_WORDS) {
        for (int i = KC_KEY_WORDS; i < KC_KEY6_WORDS; i++)
            sum += (key->words[i] & 0xffffffff) + (key->words[i] >> 32);
    } else {
        sum += (key->words[2] & 0xffffffff) + (key->words[2] >> 32);
    }
    return kc_xdp_fold(sum);
}

/* May a checksum be missing, of this header or of one in the payload?  Only frames that are surely whole
 * are sent from here. */
static __always_inline bool may_lack_checksum(const struct kc_xdp *x, const struct kc_key *key,
                                              __u32 n_bytes)
{
    bool is_ipv6 = x->type == ETH_TYPE_IPV6;
    __u32 l4 = x->l3 + (is_ipv6 ? 40 : 20);

    if (x->type != ETH_TYPE_IPV4 && !is_ipv6)
        return false;
    if (x->proto == (is_ipv6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
        return false;
    if (x->proto != IP_PROTO_TCP && x->proto != IP_PROTO_UDP)
        return true;

    const __u8 *length = kc_xdp_at(x->context, x->l3 + (is_ipv6 ? 4 : 2), 2);
    const __u8 *field = kc_xdp_at(x->context, l4 + (x->proto == IP_PROTO_TCP ? 16 : 6), 2);
    if (!length || !field)
        return true;
    __u32 l4_bytes = bpf_ntohs(kc_load16(length)) - (is_ipv6 ? 0u : 20u);
    __u16 found = kc_load16(field);
    if (found == pseudo_header_sum(key, l4_bytes, x->proto))
        return true;
    if (x->proto == IP_PROTO_TCP || n_bytes < KC_MIN_TUNNEL_BYTES)
        return false;
    return !found || kc_is_tunnel_port((__u16)(key->words[3] >> 48));
}

/* The key of the frame, and what else is known of it.  False: it has none. */
static __always_inline bool parse(struct kc_xdp *x, const struct kc_device *device,
                                  struct kc_key *key)
{
    const __u8 *data = (void *)(long)x->context->data, *end = (void *)(long)x->context->data_end;
    struct kc_frame frame = {
        .at = data,
        .end = end,
        .n_bytes = (__u32)(end - data),
        .slot = device->slot,
    };

    if (data + 18 > end)
        return false;
    if (kc_load16(data + 12) != bpf_htons(ETH_TYPE_VLAN)) {
        if (kc_parse(&frame, key) != KC_PARSED)
            return false;
    } else {
        /* As if the tag were out: the parser is shown the frame from 4 bytes on, and sees wrong addresses. */
        frame.at += TAG_BYTES;
        frame.n_bytes -= TAG_BYTES;
        frame.tag = (__u16)(bpf_ntohs(kc_load16(data + 14)) | VLAN_CFI);
        if (kc_parse(&frame, key) != KC_PARSED)
            return false;
        key->words[0] = kc_load64(data);
        key->words[1] = (key->words[1] >> 32 << 32) | kc_load32(data + 8);
        x->l3 += TAG_BYTES;
    }
    x->type = (__u16)(key->words[1] >> 32);
    x->proto = (__u8)(key->words[3] >> 8);
    return true;
}

/* Of the device it was loaded for; 0: any.  The program goes along when that is moved to another namespace, where
 * it may get a number that here is another port's. */
const volatile __u32 own_ifindex = 0;

static __always_inline int forward(struct xdp_md *context)
{
    struct kc_xdp x = {.context = context, .l3 = KC_XDP_L3};
    __u32 place = context->ingress_ifindex % KC_MAX_DEVICES;
    struct kc_device *device = bpf_map_lookup_elem(&kc_devices, &place);
    const struct kc_state *state = kc_get_state();
    struct kc_key key;
    __u64 verdict = 0;

    if (own_ifindex && context->ingress_ifindex != own_ifindex)
        return XDP_PASS;
    if (!device || device->ifindex != context->ingress_ifindex || !state ||
        !parse(&x, device, &key))
        return XDP_PASS;

    bool is_ipv6 = key.n_words == KC_KEY6_WORDS;
    struct kc_entry *entry = is_ipv6 ? kc_find(state, &key, true, &verdict)
                                     : kc_find(state, &key, false, &verdict);
    if (!entry || !kc_is_valid(state, entry, verdict))
        return XDP_PASS;

    __u32 n_bytes = (__u32)(context->data_end - context->data);
    if (kc_action(verdict) == KC_DROP) {
        kc_count(entry, n_bytes);
        return XDP_DROP;
    }
    if (may_lack_checksum(&x, &key, n_bytes))
        return XDP_PASS;
    return kc_xdp_treat(&x, device, entry, kc_action(verdict), n_bytes);
}

/* For devices that leave tags in the frame. */
SEC("xdp")
int weir_xdp(struct xdp_md *context)
{
    return forward(context);
}

/* For devices that take them out. */
SEC("xdp")
int weir_xdp_bound(struct xdp_md *context)
{
    __be16 tpid;
    __u16 tci;

    if (!bpf_xdp_metadata_rx_vlan_tag(context, &tpid, &tci))
        return XDP_PASS;
    return forward(context);
}

char _license[] SEC("license") = "Dual BSD/GPL";
