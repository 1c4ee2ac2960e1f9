/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */

/* steal - what each netdev port does with a frame before the host's stack sees it (TC ingress).
 *
 * parse -> look up -> miss.  So far every frame is a miss: it gets a head that names the port it came in
 * by, and goes to the exception tap with its offload metadata whole, for a worker to treat.
 *
 * The head stands in front of the frame (bpf_skb_change_head) rather than in a VLAN tag, because the
 * kernel segments GSO frames that carry a second tag.  A frame of more than 16 KiB that is no GSO frame
 * cannot get a head, so there it is a tag.  See kernel/head.h. */

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "datapath/kernel/head.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, __u32);   /* ifindex */
    __type(value, __u16); /* slot */
} port_slots SEC(".maps");

const volatile __u32 exception_tap_ifindex = 0; /* Set before loading. */

/* Hands the frame to userspace. */
static __always_inline int miss(struct __sk_buff *skb, __u16 slot)
{
    if (bpf_skb_change_head(skb, sizeof(struct exception_head), 0)) {
        if (bpf_skb_vlan_push(skb, bpf_htons(EXCEPTION_TAG_TPID), slot))
            return TC_ACT_SHOT;
        return (int)bpf_redirect(exception_tap_ifindex, 0);
    }

    struct exception_head *head = (void *)(long)skb->data;
    if ((void *)(head + 1) > (void *)(long)skb->data_end)
        return TC_ACT_SHOT;
    exception_head_fill(head, slot);
    return (int)bpf_redirect(exception_tap_ifindex, 0);
}

SEC("tc")
int weir_ingress(struct __sk_buff *skb)
{
    __u32 ifindex = skb->ifindex;
    const __u16 *slot = bpf_map_lookup_elem(&port_slots, &ifindex);

    if (!slot)
        return TC_ACT_UNSPEC; /* Not a port, or not yet. */
    return miss(skb, *slot);
}

char _license[] SEC("license") = "Dual BSD/GPL";
