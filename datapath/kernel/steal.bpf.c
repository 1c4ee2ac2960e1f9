/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */

/* steal - what each netdev port does with a frame before the host's stack sees it (TC ingress), and each
 * internal port with what the host sends (TC egress).
 *
 * parse -> look up -> act, or else miss: the frame gets a head that names the port it came in by, and goes
 * to the exception tap with its offload metadata whole, for a worker to treat.  What the host sends by an
 * internal port needs no tap: it goes on to the port's own descriptors.
 *
 * The head stands in front of the frame (bpf_skb_change_head) rather than in a VLAN tag, because the
 * kernel segments GSO frames that carry a second tag.  A frame of more than 16 KiB that is no GSO frame
 * cannot get a head, so there it is a tag.  See kernel/head.h. */

#include "datapath/kernel/act.bpf.h"
#include "datapath/kernel/head.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, KC_MAX_PORTS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32); /* ifindex */
    __type(value, struct kc_device);
} port_slots SEC(".maps");

const volatile __u32 exception_tap_ifindex = 0; /* Set before loading. */

/* Hands the frame to userspace. */
static __always_inline int miss(struct __sk_buff *skb, struct kc_device *device)
{
    if (bpf_skb_change_head(skb, sizeof(struct exception_head), 0)) {
        if (!bpf_skb_vlan_push(skb, bpf_htons(EXCEPTION_TAG_TPID), device->slot))
            return (int)bpf_redirect(exception_tap_ifindex, 0);
        __sync_fetch_and_add(&device->n_lost, 1);
        return TC_ACT_SHOT;
    }

    /* Were it written in place, the kernel would call a helper for each frame that is cloned, as TCP's are, before
     * the program begins: to copy it, if need be. */
    struct exception_head head;

    exception_head_fill(&head, device->slot);
    if (bpf_skb_store_bytes(skb, 0, &head, sizeof head, 0)) {
        __sync_fetch_and_add(&device->n_lost, 1);
        return TC_ACT_SHOT;
    }
    return (int)bpf_redirect(exception_tap_ifindex, 0);
}

/* NULL: not a port, or not yet. */
static __always_inline struct kc_device *device_of(__u32 ifindex)
{
    __u32 place = ifindex % KC_MAX_DEVICES;
    struct kc_device *device = bpf_map_lookup_elem(&kc_devices, &place);

    if (device && device->ifindex == ifindex)
        return device;
    return bpf_map_lookup_elem(&port_slots, &ifindex);
}

SEC("tc")
int weir_ingress(struct __sk_buff *skb)
{
    struct kc_device *device = device_of(skb->ifindex);

    if (!device)
        return TC_ACT_UNSPEC;
    int result = device->is_off ? KC_PASS : kc_try(skb, device, true);
    return result == KC_PASS ? miss(skb, device) : result;
}

SEC("tc")
int weir_egress(struct __sk_buff *skb)
{
    struct kc_device *device = device_of(skb->ifindex);

    if (!device)
        return TC_ACT_UNSPEC;
    int result = device->is_off ? KC_PASS : kc_try(skb, device, false);
    return result == KC_PASS ? TC_ACT_UNSPEC : result;
}

char _license[] SEC("license") = "Dual BSD/GPL";
