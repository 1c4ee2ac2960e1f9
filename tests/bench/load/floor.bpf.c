// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

/* What is the least that a switch in BPF costs?  'redirect' programs send every frame to the other port
 * and look at nothing.  'lookup' programs parse it first, as the switch does, find it in a hash map by a key
 * of 64 bytes and count it: nothing that caches flows by exact match can be faster by more than its map is.
 * 'line' hashes the addresses and ports of IPv4, without looking at what they are, and counts in the one line of memory
 * that this points at: nothing that keeps anything for each flow can touch less.
 *
 * A flow that is not in the map is put there by the program: there is no userspace to ask. */

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "lib/flow_parse.h"

enum { MAX_FLOWS = 1 << 18, N_PORTS = 2 };

const volatile __u32 ifindexes[N_PORTS];
const volatile bool uses_peer; /* bpf_redirect_peer(): straight into the other namespace. */

struct floor_key {
    __u32 in_ifindex;
    __u8 eth_dst_src[12];
    __u16 eth_type;
    __u16 tci;
    __u8 nw_frag, nw_tos, nw_ttl, nw_proto;
    __u16 tp_src, tp_dst;
    __u8 addresses[32];
    __u32 zero;
};
_Static_assert(sizeof(struct floor_key) == 64, "one cache line");

struct floor_entry {
    __u32 out_ifindex;
    __u32 zero;
    __u64 n_packets;
    __u64 n_bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __uint(max_entries, MAX_FLOWS);
    __type(key, struct floor_key);
    __type(value, struct floor_entry);
} flows SEC(".maps");

enum { LINES_BITS = 17, N_LINES = 1 << LINES_BITS };

struct line {
    __u64 n_packets, n_bytes, rest[6];
};
_Static_assert(sizeof(struct line) == 64, "one cache line");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE); /* Where lines begin at multiples of their size. */
    __uint(max_entries, N_LINES);
    __type(key, __u32);
    __type(value, struct line);
} lines SEC(".maps");

static __always_inline __u32 other_port(__u32 ifindex)
{
    return ifindex == ifindexes[0] ? ifindexes[1] : ifindexes[0];
}

static __always_inline void make_key(struct floor_key *key, const struct flow_key *flow,
                                     __u32 ifindex)
{
    __builtin_memset(key, 0, sizeof *key);
    key->in_ifindex = ifindex;
    __builtin_memcpy(key->eth_dst_src, &flow->eth_dst, 12);
    key->eth_type = flow->eth_type.raw;
    key->tci = flow->vlan[0].tci.raw;
    key->nw_frag = flow->nw_frag;
    key->nw_tos = flow->nw_tos;
    key->nw_ttl = flow->nw_ttl;
    key->nw_proto = flow->nw_proto;
    key->tp_src = flow->tp_src.raw;
    key->tp_dst = flow->tp_dst.raw;
    if (be16_host(flow->eth_type) == ETH_TYPE_IPV6) {
        __builtin_memcpy(key->addresses, &flow->ipv6_src, 32);
    } else {
        __builtin_memcpy(key->addresses, &flow->nw_src, 8);
    }
}

/* The interface that the frame goes to; 0 if it is dropped. */
static __always_inline __u32 look_up(struct flow_parse *parse, __u32 ifindex, __u32 n_bytes)
{
    struct flow_key flow = {};
    struct floor_key key;

    flow_parse_frame(parse, &flow);
    make_key(&key, &flow, ifindex);

    struct floor_entry *entry = bpf_map_lookup_elem(&flows, &key);
    if (!entry || !entry->out_ifindex) { /* New, or new to this processor. */
        struct floor_entry fresh = {.out_ifindex = other_port(ifindex)};

        bpf_map_update_elem(&flows, &key, &fresh, BPF_ANY);
        return fresh.out_ifindex;
    }
    entry->n_packets++;
    entry->n_bytes += n_bytes;
    return entry->out_ifindex;
}

static __always_inline int tc_send(__u32 ifindex)
{
    return (int)(uses_peer ? bpf_redirect_peer(ifindex, 0) : bpf_redirect(ifindex, 0));
}

SEC("tc")
int tc_redirect(struct __sk_buff *skb)
{
    return tc_send(other_port(skb->ifindex));
}

SEC("tc")
int tc_lookup(struct __sk_buff *skb)
{
    struct flow_parse parse;

    bpf_skb_pull_data(skb, 0);
    flow_parse_init(&parse, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->len,
                    skb->gso_size);
    return tc_send(look_up(&parse, skb->ifindex, skb->len));
}

SEC("xdp")
int xdp_redirect(struct xdp_md *context)
{
    return (int)bpf_redirect(other_port(context->ingress_ifindex), 0);
}

SEC("xdp")
int xdp_lookup(struct xdp_md *context)
{
    void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
    struct flow_parse parse;

    flow_parse_init(&parse, data, end, (__u32)(end - data), false);
    return (int)bpf_redirect(look_up(&parse, context->ingress_ifindex, (__u32)(end - data)), 0);
}

enum { ADDRESSES_AND_PORTS = 26, ADDRESS_BYTES = 8, PORT_BYTES = 4 };

SEC("xdp")
int xdp_line(struct xdp_md *context)
{
    void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
    const __u8 *at = data + ADDRESSES_AND_PORTS;
    __u64 addresses;
    __u32 ports;

    if ((void *)(at + ADDRESS_BYTES + PORT_BYTES) > end)
        return XDP_PASS;
    __builtin_memcpy(&addresses, at, ADDRESS_BYTES);
    __builtin_memcpy(&ports, at + ADDRESS_BYTES, PORT_BYTES);
    __u64 hash = addresses * 0x9e3779b97f4a7c15 + ports * 0xc2b2ae3d27d4eb4f;
    hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15;
    __u32 place = hash >> (64 - LINES_BITS);
    struct line *line = bpf_map_lookup_elem(&lines, &place);
    if (line) {
        __sync_fetch_and_add(&line->n_packets, 1);
        __sync_fetch_and_add(&line->n_bytes, (__u64)(end - data));
    }
    return (int)bpf_redirect(other_port(context->ingress_ifindex), 0);
}

/* Stands in the way, for tests. */
SEC("xdp")
int xdp_pass(struct xdp_md *context)
{
    (void)context;
    return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
