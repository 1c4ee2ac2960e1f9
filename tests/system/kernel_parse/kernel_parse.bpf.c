// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)

/* The parser of lib/flow_parse.h where the kernel runs it, with its result where the test can read it. */

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "tests/system/kernel_parse/result.h"

struct kernel_parse_result result;

static __always_inline void parse_frame(void *data, void *end, __u32 n_bytes, bool is_gso)
{
    struct flow_parse parse;
    struct flow_key key = {};

    flow_parse_init(&parse, data, end, n_bytes, is_gso);
    flow_parse_frame(&parse, &key);
    result.key = key;
    result.is_out_of_reach = parse.is_out_of_reach;
    result.l3_offset = parse.l3_offset;
    result.l4_offset = parse.l4_offset;
    result.vlan_bytes = parse.vlan_bytes;
    result.l4_bytes = parse.l4_bytes;
}

SEC("tc")
int parse_skb(struct __sk_buff *skb)
{
    parse_frame((void *)(long)skb->data, (void *)(long)skb->data_end, skb->len, skb->gso_size);
    return TC_ACT_OK;
}

SEC("xdp")
int parse_xdp(struct xdp_md *context)
{
    void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;

    parse_frame(data, end, (__u32)(end - data), false);
    return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
