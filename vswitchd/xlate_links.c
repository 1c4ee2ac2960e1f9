/* SPDX-License-Identifier: Apache-2.0 */

/* multipath() and bundle(): a hash of the frame chooses.  Which way a frame goes depends on nothing but the
 * fields named, the basis and, for bundles, which members are up. */

#include "lib/hash.h"
#include "vswitchd/xlate_internal.h"

/* The hash's input: words of the frame, of which it then depends on every bit. */
struct input {
    uint64_t words[8];
    size_t n;
};

static void add(struct input *input, uint64_t word)
{
    input->words[input->n++] = word;
}

static uint64_t address_words(const struct ipv6_addr *address, size_t word)
{
    return be64_host(be64_load(address->bytes + 8 * word));
}

static void look_at_addresses(struct xlate *x)
{
    struct flow_key *looked = &x->looked.key;

    looked->eth_type = be16_from(UINT16_MAX);
    if (be16_host(x->now.flow.key.eth_type) == ETH_TYPE_IPV4) {
        looked->nw_src = looked->nw_dst = be32_from(UINT32_MAX);
    } else {
        memset(&looked->ipv6_src, 0xff, sizeof looked->ipv6_src);
        memset(&looked->ipv6_dst, 0xff, sizeof looked->ipv6_dst);
    }
}

static void add_ip_pair(struct xlate *x, struct input *input)
{
    const struct flow_key *key = &x->now.flow.key;

    look_at_addresses(x);
    if (be16_host(key->eth_type) == ETH_TYPE_IPV4) {
        add(input, key->nw_src.raw ^ key->nw_dst.raw);
        return;
    }
    for (size_t i = 0; i < 2; i++)
        add(input, address_words(&key->ipv6_src, i) ^ address_words(&key->ipv6_dst, i));
}

static void add_one_ip(struct xlate *x, bool is_source, struct input *input)
{
    const struct flow_key *key = &x->now.flow.key;
    struct flow_key *looked = &x->looked.key;

    looked->eth_type = be16_from(UINT16_MAX);
    if (be16_host(key->eth_type) == ETH_TYPE_IPV4) {
        *(is_source ? &looked->nw_src : &looked->nw_dst) = be32_from(UINT32_MAX);
        add(input, is_source ? key->nw_src.raw : key->nw_dst.raw);
    } else if (be16_host(key->eth_type) == ETH_TYPE_IPV6) {
        memset(is_source ? &looked->ipv6_src : &looked->ipv6_dst, 0xff, sizeof looked->ipv6_src);
        for (size_t i = 0; i < 2; i++)
            add(input, address_words(is_source ? &key->ipv6_src : &key->ipv6_dst, i));
    }
}

static void add_ports(struct xlate *x, bool with_udp, struct input *input)
{
    const struct flow_key *key = &x->now.flow.key;
    uint8_t proto = key->nw_proto;

    x->looked.key.nw_proto = UINT8_MAX;
    add(input, proto);
    if (!flow_has_l4(key, proto) ||
        (proto != IP_PROTO_TCP && proto != IP_PROTO_SCTP && !(with_udp && proto == IP_PROTO_UDP)))
        return;
    x->looked.key.tp_src = x->looked.key.tp_dst = be16_from(UINT16_MAX);
    add(input, key->tp_src.raw ^ key->tp_dst.raw);
}

static void add_ethernet(struct xlate *x, struct input *input)
{
    const struct flow_key *key = &x->now.flow.key;
    struct flow_key *looked = &x->looked.key;

    memset(&looked->eth_src, 0xff, sizeof looked->eth_src);
    memset(&looked->eth_dst, 0xff, sizeof looked->eth_dst);
    looked->eth_type = be16_from(UINT16_MAX);
    add(input, mac_to_u64(key->eth_src) ^ mac_to_u64(key->eth_dst));
    add(input, key->eth_type.raw);
    add(input, xlate_has_tag(x) ? xlate_get_vid(x) : 0);
}

static uint32_t hash_frame(struct xlate *x, enum ofa_hash_fields fields, uint32_t basis)
{
    const struct flow_key *key = &x->now.flow.key;
    struct input input = {.n = 0};

    switch (fields) {
    case OFA_HASH_ETH_SRC:
        memset(&x->looked.key.eth_src, 0xff, sizeof x->looked.key.eth_src);
        add(&input, mac_to_u64(key->eth_src));
        break;
    case OFA_HASH_SYMMETRIC_L4:
        add_ethernet(x, &input);
        if (flow_is_ip(key)) {
            add_ip_pair(x, &input);
            add_ports(x, false, &input);
        }
        break;
    case OFA_HASH_SYMMETRIC_L3L4:
    case OFA_HASH_SYMMETRIC_L3L4_UDP:
        x->looked.key.eth_type = be16_from(UINT16_MAX);
        if (flow_is_ip(key)) {
            add_ip_pair(x, &input);
            add_ports(x, fields == OFA_HASH_SYMMETRIC_L3L4_UDP, &input);
        }
        break;
    case OFA_HASH_NW_SRC:
    case OFA_HASH_NW_DST:
        add_one_ip(x, fields == OFA_HASH_NW_SRC, &input);
        break;
    case OFA_HASH_SYMMETRIC_L3:
        x->looked.key.eth_type = be16_from(UINT16_MAX);
        if (flow_is_ip(key))
            add_ip_pair(x, &input);
        break;
    case OFA_N_HASH_FIELDS:
        break;
    }
    return hash_words(input.words, input.n, basis);
}

static uint32_t weight_of(uint32_t hash, uint32_t link)
{
    return hash_words(&(uint64_t){(uint64_t)hash << 32 | link}, 1, 0);
}

/* A link keeps its frames when others come or go. */
static uint32_t highest_weight(uint32_t hash, uint32_t n_links)
{
    uint32_t best = 0, best_weight = 0;

    for (uint32_t link = 0; link < n_links; link++) {
        uint32_t weight = weight_of(hash, link);
        if (weight > best_weight || !link) {
            best = link;
            best_weight = weight;
        }
    }
    return best;
}

static uint32_t least_power_of_2(uint32_t at_least)
{
    uint32_t power = 1;

    while (power < at_least)
        power <<= 1;
    return power;
}

/* Hashes into 'room' until it meets one of the links.  A room that is too small, or much too large, is not taken. */
static uint32_t iterate_hash(uint32_t hash, uint32_t n_links, uint32_t room)
{
    if (room < n_links || room / 2 > n_links)
        room = least_power_of_2(n_links);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t link = weight_of(hash, i) % room;
        if (link < n_links)
            return link;
    }
    return hash % n_links;
}

static uint32_t choose_link(const struct ofa_multipath *action, uint32_t hash)
{
    uint32_t n_links = action->max_link + 1U;

    switch ((enum ofa_multipath_algorithm)action->algorithm) {
    case OFA_MP_MODULO_N:
        return hash % n_links;
    case OFA_MP_HASH_THRESHOLD:
        return (uint32_t)((uint64_t)hash * n_links >> 32);
    case OFA_MP_HRW:
        /* Its cost grows with the number of links. */
        return n_links <= 64 ? highest_weight(hash, n_links)
                             : iterate_hash(hash, n_links, action->arg);
    case OFA_MP_ITER_HASH:
        return iterate_hash(hash, n_links, action->arg);
    case OFA_N_MP_ALGORITHMS:
        break;
    }
    return 0;
}

void xlate_multipath(struct xlate *x, const struct ofa_multipath *action)
{
    uint32_t hash = hash_frame(x, (enum ofa_hash_fields)action->fields, action->basis);
    uint32_t link = choose_link(action, hash);

    xlate_write_number(x, action->destination, link);
    xlate_trace_part(x, action->destination);
}

static bool is_up(const struct xlate *x, of_port member)
{
    const struct port_view *port = bridge_view_port(x->bridge, member);

    return port && port->is_up && !(port->config & OFPPC_PORT_DOWN);
}

static of_port choose_member(struct xlate *x, const struct ofa_bundle *action)
{
    bool is_hashed = action->algorithm == OFA_BUNDLE_HRW;
    uint32_t hash = 0, best_weight = 0;
    of_port best = OFPP_NONE;

    if (is_hashed)
        hash = hash_frame(x, (enum ofa_hash_fields)action->fields, action->basis);
    for (size_t i = 0; i < action->n_members; i++) {
        uint32_t weight = is_hashed ? weight_of(hash, (uint32_t)i) : 0;

        if (!is_up(x, action->members[i]) || (best != OFPP_NONE && weight <= best_weight))
            continue;
        best = action->members[i];
        best_weight = weight;
    }
    return best;
}

void xlate_bundle(struct xlate *x, const struct ofa_bundle *action)
{
    of_port member = choose_member(x, action);

    if (action->destination.n_bits) {
        xlate_write_number(x, action->destination, member);
        xlate_trace_part(x, action->destination);
    } else if (member == OFPP_NONE) {
        xlate_trace(x, TRACE_NOTE, "no member is up");
        x->reason = DROP_OUTPUT_TO_NOWHERE;
    } else {
        xlate_output(x, member, 0);
    }
}
