// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

/* Frames as fast as the kernel makes them: 'generate' runs on frames that BPF_PROG_RUN recycles and
 * sends each out of one interface; 'absorb' counts what arrives and frees it, and 'absorb_late' what a
 * switch delivered past the XDP hook (bpf_redirect_peer()). */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <stdint.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

volatile const uint32_t out_ifindex;
volatile const uint32_t n_flows = 1;
volatile const uint16_t vlan = 10;
volatile const uint8_t eth_addresses[12];

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 2);
    __type(key, uint32_t);
    __type(value, uint64_t);
} counters SEC(".maps");

enum { SENT, ABSORBED };

static __always_inline uint64_t *counter(uint32_t which)
{
    return bpf_map_lookup_elem(&counters, &which);
}

/* Flow number 'flow' in source address and port; the header checksum made anew.  Frames are recycled as the
 * switch has left them, so what it may have rewritten is put back. */
static __always_inline void set_flow(uint8_t *eth, struct iphdr *ip, struct udphdr *udp,
                                     uint32_t flow)
{
    uint16_t *half_words = (void *)ip;
    uint32_t sum = 0;

    for (int i = 0; i < 12; i++)
        eth[i] = eth_addresses[i];
    ip->ttl = 64;
    ip->saddr = bpf_htonl(0x0a090000u + (flow >> 12) + 1);
    udp->source = bpf_htons(1024 + (flow & 0xfff));
    udp->check = 0;
    ip->check = 0;
    for (int i = 0; i < 10; i++)
        sum += half_words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    ip->check = ~((sum & 0xffff) + (sum >> 16));
}

SEC("xdp")
int generate(struct xdp_md *context)
{
    void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
    struct iphdr *ip = data + sizeof(struct ethhdr);
    struct udphdr *udp = (void *)(ip + 1);
    uint64_t *sent = counter(SENT);

    if (!sent || (void *)(udp + 1) > end)
        return XDP_ABORTED;
    set_flow(data, ip, udp, (uint32_t)(*sent % n_flows));
    *sent += 1;
    return bpf_redirect(out_ifindex, 0);
}

SEC("xdp")
int absorb(struct xdp_md *context)
{
    uint64_t *absorbed = counter(ABSORBED);

    (void)context;
    if (absorbed)
        *absorbed += 1;
    return XDP_DROP;
}

SEC("tc")
int absorb_late(struct __sk_buff *skb)
{
    uint64_t *absorbed = counter(ABSORBED);

    (void)skb;
    if (absorbed)
        *absorbed += 1;
    return TC_ACT_SHOT;
}

/* On its way out; the sender is told that it has left. */
SEC("tc")
int swallow(struct __sk_buff *skb)
{
    uint64_t *absorbed = counter(ABSORBED);

    (void)skb;
    if (absorbed)
        *absorbed += 1;
    return TC_ACT_STOLEN;
}

/* A host that speaks in a VLAN, for kernels without VLAN devices. */
SEC("tc")
int push_tag(struct __sk_buff *skb)
{
    return bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), vlan) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int pop_tag(struct __sk_buff *skb)
{
    return !skb->vlan_present || bpf_skb_vlan_pop(skb) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
