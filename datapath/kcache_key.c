/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/kcache_key.h"

#include <pthread.h>
#include <string.h>

#include "datapath/kernel/parse.h"

/* Words of both that are alike. */
enum {
    ADDRS_WORD = FLOW_KEY_WORD(eth_dst),
    IPV4_WORD = FLOW_KEY_WORD(nw_src),
    IPV6_WORD = FLOW_KEY_WORD(ipv6_src),
    PORTS_WORD = FLOW_KEY_WORD(tp_src),
};
static_assert(offsetof(struct flow_key, eth_src) == 8 * ADDRS_WORD + 6 &&
                  offsetof(struct flow_key, nw_dst) == 8 * IPV4_WORD + 4 &&
                  offsetof(struct flow_key, tp_dst) == 8 * PORTS_WORD + 2,
              "the flow key begins words where frames do");

static bool has_key(const struct flow_key *flow)
{
    uint16_t type = be16_host(flow->eth_type), tpid = be16_host(flow->vlan[0].tpid);

    if ((tpid && tpid != ETH_TYPE_VLAN) || flow->vlan[1].tpid.raw || flow->nw_frag)
        return false;
    return type >= ETH_TYPE_MIN && type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ &&
           type != ETH_TYPE_MPLS && type != ETH_TYPE_MPLS_MULTICAST;
}

bool kc_key_from_flow(const struct flow_key *flow, uint16_t slot, struct kc_key *key)
{
    const uint64_t *words = flow_key_words_const(flow);
    uint16_t type = be16_host(flow->eth_type), tag = be16_host(flow->vlan[0].tci);

    memset(key, 0, sizeof *key);
    if (!has_key(flow))
        return false;
    key->words[0] = words[ADDRS_WORD];
    key->words[1] = (uint32_t)words[ADDRS_WORD + 1] | (uint64_t)type << 32 | (uint64_t)slot << 48;
    key->n_words = KC_KEY_WORDS;
    if (type != ETH_TYPE_IPV4 && type != ETH_TYPE_IPV6) {
        key->words[3] = kc_word3(0, tag, 0, 0);
        return true;
    }
    key->words[3] = kc_word3((uint32_t)words[PORTS_WORD], tag, flow->nw_proto, flow->nw_tos);
    if (type == ETH_TYPE_IPV4) {
        key->words[2] = words[IPV4_WORD];
        return true;
    }
    key->words[2] = be32_host(flow->ipv6_label);
    memcpy(&key->words[4], &words[IPV6_WORD], 4 * sizeof words[0]);
    key->n_words = KC_KEY6_WORDS;
    return true;
}

static enum kc_kind kind_of_type(uint16_t type)
{
    switch (type) {
    case ETH_TYPE_IPV4:
        return KC_KIND_IPV4;
    case ETH_TYPE_IPV6:
        return KC_KIND_IPV6;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        return KC_KIND_ARP;
    }
    return KC_KIND_OTHER;
}

enum kc_kind kc_key_kind(const struct kc_key *key)
{
    return kind_of_type((uint16_t)(key->words[1] >> 32));
}

enum kc_kind kc_flow_kind(const struct flow_key *flow)
{
    return kind_of_type(be16_host(flow->eth_type));
}

static struct flow_key bits[KC_N_KINDS];

static void fill_bits(void)
{
    for (int kind = 0; kind < KC_N_KINDS; kind++)
        memset(&bits[kind], 0xff, sizeof bits[kind]);
    memset(&bits[KC_KIND_ARP].nw_src, 0, 8);
    memset(&bits[KC_KIND_ARP].arp_sha, 0, 12);
    bits[KC_KIND_ARP].nw_proto = 0;
}

const struct flow_key *kc_key_bits(enum kc_kind kind)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fill_bits);
    return &bits[kind];
}

void kc_shown_bits(enum kc_kind kind, struct flow_key *shown)
{
    *shown = *kc_key_bits(kind);
    shown->nw_ttl = 0;
    shown->tcp_flags = be16_from(0);
}

void kc_key_to_flow(const struct kc_key *key, uint32_t port_no, struct flow_key *flow)
{
    uint64_t *words = flow_key_words(flow);
    uint16_t tag = (uint16_t)(key->words[3] >> 16);
    enum kc_kind kind = kc_key_kind(key);

    memset(flow, 0, sizeof *flow);
    flow->in_port = be32_from(port_no);
    words[ADDRS_WORD] = key->words[0];
    words[ADDRS_WORD + 1] = (uint32_t)key->words[1];
    flow->eth_type = be16_from((uint16_t)(key->words[1] >> 32));
    if (tag) {
        flow->vlan[0].tpid = be16_from(ETH_TYPE_VLAN);
        flow->vlan[0].tci = be16_from(tag);
    }
    if (kind != KC_KIND_IPV4 && kind != KC_KIND_IPV6)
        return;
    flow->nw_proto = (uint8_t)(key->words[3] >> 8);
    flow->nw_tos = (uint8_t)key->words[3];
    words[PORTS_WORD] = key->words[3] >> 32;
    if (kind == KC_KIND_IPV4) {
        words[IPV4_WORD] = key->words[2];
        return;
    }
    flow->ipv6_label = be32_from((uint32_t)key->words[2]);
    memcpy(&words[IPV6_WORD], &key->words[4], 4 * sizeof words[0]);
}
