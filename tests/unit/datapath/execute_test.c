/* SPDX-License-Identifier: Apache-2.0 */

/* The executor: every word of the key, checksums verified from scratch, tags, cuts, offloads. */

#include "tests/unit/datapath/cmocka_all.h"

#include <stdlib.h>

#include "lib/crc32c.h"
#include "datapath/internal.h"
#include "tests/unit/datapath/frames.h"

enum { MAX_SENT = 8 };

/* What left, in order, by which port. */
struct sent {
    unsigned int n;
    uint32_t ports[MAX_SENT];
    struct frame frames[MAX_SENT];
    struct virtio_net_hdr vnet[MAX_SENT];
    unsigned int n_delivered;
    struct frame delivered;
};

struct bench {
    struct datapath *dp;
    uint32_t ports[4];
    struct sent sent;
    struct dp_actions actions;
};

static void on_sent(void *arg, uint32_t port_no, const struct packet *packet)
{
    struct sent *sent = arg;
    struct frame *frame = &sent->frames[sent->n];

    assert_true(sent->n < MAX_SENT && packet->size <= FRAME_MAX);
    sent->ports[sent->n] = port_no;
    sent->vnet[sent->n] = packet->vnet;
    memcpy(frame->bytes, packet->data, packet->size);
    frame->size = packet->size;
    sent->n++;
}

static void translate(void *aux, const struct flow_key *key, const struct packet *packet,
                      int64_t now_ns, struct verdict *verdict)
{
    struct bench *bench = aux;

    (void)key;
    (void)packet;
    (void)now_ns;
    verdict->actions = bench->actions;
    verdict->cacheable = false;
}

static void deliver(void *aux, void *context, uint32_t arg, const struct packet *packet,
                    const struct flow_key *key)
{
    struct bench *bench = aux;

    (void)context;
    (void)key;
    assert_int_equal(arg, 42);
    bench->sent.n_delivered++;
    memcpy(bench->sent.delivered.bytes, packet->data, packet->size);
    bench->sent.delivered.size = packet->size;
}

static int set_up(void **state)
{
    static const struct datapath_ops ops = {.translate = translate, .deliver = deliver};
    static const char *const names[] = {"in", "a", "b", "c"};
    const struct datapath_config config = {.misses_per_second = UINT32_MAX};
    struct bench *bench = calloc(1, sizeof *bench);

    bench->dp = datapath_create(&config, &ops, bench, NULL);
    for (size_t i = 0; i < 4; i++) {
        const struct dp_port_config port = {.name = names[i], .type = DP_PORT_DUMMY};
        assert_int_equal(datapath_port_add(bench->dp, &port, &bench->ports[i], NULL), 0);
    }
    datapath_set_dummy_tx(bench->dp, on_sent, &bench->sent);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    datapath_destroy(bench->dp);
    free(bench);
    return 0;
}

/* Building the list of actions */

static struct dp_action *add(struct bench *bench, enum dp_action_type type, uint32_t arg)
{
    struct dp_action *action = &bench->actions.list[bench->actions.n++];

    *action = (struct dp_action){.type = (uint8_t)type, .arg = arg};
    return action;
}

static void add_output(struct bench *bench)
{
    add(bench, DP_OUTPUT, bench->ports[1]);
}

/* Sets the 'n' bytes of struct flow_key at 'offset', word by word. */
static void add_set(struct bench *bench, size_t offset, const void *value, size_t n)
{
    struct flow_key key, mask;

    memset(&key, 0, sizeof key);
    memset(&mask, 0, sizeof mask);
    memcpy((uint8_t *)&key + offset, value, n);
    memset((uint8_t *)&mask + offset, 0xff, n);
    for (uint8_t i = 0; i < FLOW_KEY_WORDS; i++) {
        if (!flow_key_words(&mask)[i])
            continue;
        struct dp_action *action = add(bench, DP_SET, 0);
        action->word = i;
        action->value = flow_key_words(&key)[i];
        action->mask = flow_key_words(&mask)[i];
    }
}

#define ADD_SET(bench, member, ...)                                                     \
    do {                                                                                \
        const uint8_t set_value[] = {__VA_ARGS__};                                      \
        add_set(bench, offsetof(struct flow_key, member), set_value, sizeof set_value); \
    } while (0)

static void send_with(struct bench *bench, const struct frame *frame,
                      const struct virtio_net_hdr *vnet)
{
    bench->sent.n = 0;
    datapath_inject(bench->dp, bench->ports[0], frame->bytes, frame->size, vnet);
}

/* The one frame that comes out. */
static const struct frame *run(struct bench *bench, const struct frame *frame)
{
    send_with(bench, frame, NULL);
    assert_int_equal(bench->sent.n, 1);
    return &bench->sent.frames[0];
}

static struct flow_key key_of(const struct frame *frame)
{
    struct packet packet;
    struct flow_key key;

    packet_init(&packet, (void *)(uintptr_t)frame->bytes, sizeof frame->bytes);
    packet.data = packet.start;
    packet.size = (uint32_t)frame->size;
    flow_extract(&packet, be32_from(0), &key);
    return key;
}

static const uint8_t ip_protocols[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMP};

static void ethernet_addresses_are_set(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 10);
    ADD_SET(bench, eth_src, 2, 1, 1, 1, 1, 1);
    ADD_SET(bench, eth_dst, 2, 2, 2, 2, 2, 2);
    add_output(bench);
    const struct frame *out = run(bench, &frame);
    memset(frame.bytes, 2, 6);
    memset(frame.bytes + 6, 1, 6);
    frame.bytes[6] = 2;
    assert_int_equal(out->size, frame.size);
    assert_memory_equal(out->bytes, frame.bytes, frame.size);
}

static void ipv4_fields_are_set_and_checksums_follow(void **state)
{
    struct bench *bench = *state;

    ADD_SET(bench, nw_src, 192, 168, 255, 254);
    ADD_SET(bench, nw_dst, 172, 16, 0, 9);
    ADD_SET(bench, nw_tos, 0xb8);
    ADD_SET(bench, nw_ttl, 9);
    ADD_SET(bench, tp_src, 0, 77);
    ADD_SET(bench, tp_dst, 0, 3);
    add_output(bench);
    for (size_t i = 0; i < sizeof ip_protocols; i++) {
        for (size_t payload_bytes = 0; payload_bytes < 5; payload_bytes++) {
            struct frame frame;

            frame_make_ipv4(&frame, ip_protocols[i], payload_bytes);
            assert_true(frame_is_sound(frame.bytes, frame.size, 14, ip_protocols[i]));
            const struct frame *out = run(bench, &frame);
            struct flow_key key = key_of(out);

            assert_true(frame_is_sound(out->bytes, out->size, 14, ip_protocols[i]));
            assert_int_equal(be32_host(key.nw_src), 0xc0a8fffe);
            assert_int_equal(be32_host(key.nw_dst), 0xac100009);
            assert_int_equal(key.nw_tos, 0xb8);
            assert_int_equal(key.nw_ttl, 9);
            assert_int_equal(be16_host(key.tp_src), 77);
            assert_int_equal(be16_host(key.tp_dst), 3);
        }
    }
}

static void ipv6_fields_are_set_and_checksums_follow(void **state)
{
    static const uint8_t protocols[] = {IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMPV6};
    struct bench *bench = *state;

    ADD_SET(bench, ipv6_src, 0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    ADD_SET(bench, ipv6_dst, 0x20, 1, 0xd, 0xb8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9);
    ADD_SET(bench, ipv6_label, 0, 0xa, 0xbc, 0xde);
    ADD_SET(bench, nw_tos, 0x51);
    ADD_SET(bench, nw_ttl, 200);
    ADD_SET(bench, tp_dst, 0, 1);
    add_output(bench);
    for (size_t i = 0; i < sizeof protocols; i++) {
        struct frame frame;

        frame_make_ipv6(&frame, protocols[i], 21);
        assert_true(frame_is_sound(frame.bytes, frame.size, 14, protocols[i]));
        const struct frame *out = run(bench, &frame);
        struct flow_key key = key_of(out);

        assert_true(frame_is_sound(out->bytes, out->size, 14, protocols[i]));
        assert_int_equal(key.ipv6_src.bytes[15], 12);
        assert_int_equal(key.ipv6_dst.bytes[4], 9);
        assert_int_equal(be32_host(key.ipv6_label), 0xabcde);
        assert_int_equal(key.nw_tos, 0x51);
        assert_int_equal(key.nw_ttl, 200);
        assert_int_equal(out->bytes[14] >> 4, 6);
    }
}

static void only_the_bits_of_the_mask_are_set(void **state)
{
    struct bench *bench = *state;
    struct frame frame;
    struct flow_key value = {.nw_src = be32_from(UINT32_MAX)};
    struct flow_key mask = {.nw_src = be32_from(0x0000ff00)};
    struct dp_action *action = add(bench, DP_SET, 0);

    action->word = FLOW_KEY_WORD(nw_src);
    action->value = flow_key_words(&value)[action->word];
    action->mask = flow_key_words(&mask)[action->word];
    add_output(bench);
    frame_make_ipv4(&frame, IP_PROTO_TCP, 1);
    const struct frame *out = run(bench, &frame);
    assert_int_equal(be32_host(key_of(out).nw_src), 0x0a00ff01);
    assert_true(frame_is_sound(out->bytes, out->size, 14, IP_PROTO_TCP));
}

static void a_udp_checksum_of_zero_stays(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    ADD_SET(bench, nw_dst, 1, 2, 3, 4);
    ADD_SET(bench, tp_dst, 1, 2);
    add_output(bench);
    frame_make_ipv4(&frame, IP_PROTO_UDP, 8);
    be16_store(frame.bytes + 40, 0);
    const struct frame *out = run(bench, &frame);
    assert_int_equal(be16_host(be16_load(out->bytes + 40)), 0);
    assert_int_equal(be16_host(key_of(out).tp_dst), 0x102);
}

static void a_wrong_checksum_stays_wrong(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    ADD_SET(bench, nw_dst, 1, 2, 3, 4);
    add_output(bench);
    frame_make_ipv4(&frame, IP_PROTO_TCP, 8);
    frame.bytes[60] ^= 1;
    const struct frame *out = run(bench, &frame);
    assert_false(frame_is_sound(out->bytes, out->size, 14, IP_PROTO_TCP));
}

static void an_sctp_checksum_is_right_after_a_port_change(void **state)
{
    struct bench *bench = *state;
    struct frame frame;
    static const uint8_t zeros[4];

    frame_make_ipv4(&frame, IP_PROTO_SCTP, 16);
    uint8_t *l4 = frame.bytes + 34;
    uint32_t crc = htole32(crc32c(0, l4, 28));
    memcpy(l4 + 8, &crc, sizeof crc);
    ADD_SET(bench, tp_src, 0x12, 0x34);
    add_output(bench);
    const struct frame *out = run(bench, &frame);

    const uint8_t *sent = out->bytes + 34;
    crc = crc32c(0, sent, 8);
    crc = crc32c(crc, zeros, 4);
    crc = htole32(crc32c(crc, sent + 12, 16));
    assert_memory_equal(sent + 8, &crc, 4);
    assert_int_equal(be16_host(key_of(out).tp_src), 0x1234);
}

static void arp_fields_are_set(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    frame_make_arp(&frame);
    ADD_SET(bench, nw_proto, 2);
    ADD_SET(bench, nw_src, 1, 1, 1, 1);
    ADD_SET(bench, nw_dst, 2, 2, 2, 2);
    ADD_SET(bench, arp_sha, 3, 3, 3, 3, 3, 3);
    ADD_SET(bench, arp_tha, 4, 4, 4, 4, 4, 4);
    add_output(bench);
    struct flow_key key = key_of(run(bench, &frame));
    assert_int_equal(key.nw_proto, 2);
    assert_int_equal(be32_host(key.nw_src), 0x01010101);
    assert_int_equal(be32_host(key.nw_dst), 0x02020202);
    assert_memory_equal(&key.arp_sha, "\3\3\3\3\3\3", 6);
    assert_memory_equal(&key.arp_tha, "\4\4\4\4\4\4", 6);
}

/* A neighbour solicitation with a source link-layer address. */
static void make_nd(struct frame *frame)
{
    uint8_t nd[32] = {ND_NEIGHBOR_SOLICIT};

    nd[8] = 0xfe;
    nd[9] = 0x80;
    nd[23] = 5;
    nd[24] = 1;
    nd[25] = 1;
    memset(nd + 26, 7, 6);
    frame_ethernet(frame, ETH_TYPE_IPV6);
    frame_ipv6(frame, IP_PROTO_ICMPV6, sizeof nd);
    uint8_t *l4 = frame->bytes + frame->size;
    frame_put(frame, nd, sizeof nd);
    be16_store(l4 + 2, frame_l4_sum(frame->bytes + 14, l4, sizeof nd, IP_PROTO_ICMPV6));
}

static void neighbour_discovery_fields_are_set_and_checksums_follow(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    make_nd(&frame);
    assert_true(frame_is_sound(frame.bytes, frame.size, 14, IP_PROTO_ICMPV6));
    ADD_SET(bench, nd_target, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ADD_SET(bench, arp_sha, 2, 0, 0, 9, 9, 9);
    ADD_SET(bench, arp_tha, 1, 1, 1, 1, 1, 1); /* There is no such option: nothing. */
    add_output(bench);
    const struct frame *out = run(bench, &frame);
    struct flow_key key = key_of(out);
    assert_true(frame_is_sound(out->bytes, out->size, 14, IP_PROTO_ICMPV6));
    assert_int_equal(key.nd_target.bytes[15], 15);
    assert_memory_equal(&key.arp_sha, "\2\0\0\x9\x9\x9", 6);
    assert_true(mac_is_zero(key.arp_tha));
}

static void absent_headers_are_left_alone(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    ADD_SET(bench, nw_ttl, 1);
    ADD_SET(bench, tp_src, 1, 1);
    ADD_SET(bench, ipv6_src, 1, 2, 3, 4, 5, 6, 7, 8);
    ADD_SET(bench, nd_target, 1, 2, 3, 4, 5, 6, 7, 8);
    ADD_SET(bench, mpls_lse, 1, 2, 3, 4);
    ADD_SET(bench, vlan, 0x81, 0, 0, 1);
    add(bench, DP_POP_VLAN, 0);
    add_output(bench);

    frame_make_arp(&frame);
    const struct frame *out = run(bench, &frame);
    assert_int_equal(out->size, frame.size);
    assert_memory_equal(out->bytes, frame.bytes, frame.size);

    /* A later fragment has addresses but no ports. */
    frame_make_ipv4(&frame, IP_PROTO_UDP, 30);
    frame.bytes[21] = 1;
    out = run(bench, &frame);
    assert_memory_equal(out->bytes + 34, frame.bytes + 34, frame.size - 34);

    /* Cut in the middle of headers. */
    for (size_t size = 14; size < 42; size++) {
        frame_make_ipv4(&frame, IP_PROTO_UDP, 30);
        frame.size = size;
        out = run(bench, &frame);
        assert_int_equal(out->size, size);
        assert_memory_equal(out->bytes, frame.bytes, size);
    }
}

static void push_label(struct bench *bench, unsigned int n_tags, uint32_t lse)
{
    add(bench, DP_PUSH_MPLS, lse);
    bench->actions.list[bench->actions.n - 1].word = (uint8_t)n_tags;
    bench->actions.list[bench->actions.n - 1].value = ETH_TYPE_MPLS;
}

static void tags_are_pushed_set_and_popped(void **state)
{
    struct bench *bench = *state;
    struct frame frame;
    struct flow_key key;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 4);
    add(bench, DP_PUSH_VLAN, (uint32_t)ETH_TYPE_VLAN << 16 | 0x1000 | 10);
    add_output(bench);
    add(bench, DP_PUSH_VLAN, (uint32_t)ETH_TYPE_QINQ << 16 | 0x6000 | 20);
    ADD_SET(bench, nw_ttl, 5);
    add_output(bench);
    ADD_SET(bench, vlan, 0, 0, 0x50, 30, 0, 0, 0x10, 40);
    add_output(bench);
    add(bench, DP_POP_VLAN, 0);
    add(bench, DP_POP_VLAN, 0);
    add(bench, DP_POP_VLAN, 0);
    add_output(bench);
    send_with(bench, &frame, NULL);

    assert_int_equal(bench->sent.n, 4);
    key = key_of(&bench->sent.frames[0]);
    assert_int_equal(be16_host(key.vlan[0].tpid), ETH_TYPE_VLAN);
    assert_int_equal(be16_host(key.vlan[0].tci), VLAN_CFI | 10);
    assert_int_equal(bench->sent.frames[0].bytes[14], 0); /* The CFI bit is not on the wire. */
    assert_int_equal(key.nw_ttl, 64);
    key = key_of(&bench->sent.frames[1]);
    assert_int_equal(be16_host(key.vlan[0].tpid), ETH_TYPE_QINQ);
    assert_int_equal(be16_host(key.vlan[0].tci), 0x6000 | VLAN_CFI | 20);
    assert_int_equal(be16_host(key.vlan[1].tci), VLAN_CFI | 10);
    assert_int_equal(key.nw_ttl, 5);
    key = key_of(&bench->sent.frames[2]);
    assert_int_equal(be16_host(key.vlan[0].tci), 0x4000 | VLAN_CFI | 30);
    assert_int_equal(be16_host(key.vlan[1].tci), VLAN_CFI | 40);
    assert_int_equal(bench->sent.frames[3].size, frame.size);
    assert_true(frame_is_sound(bench->sent.frames[3].bytes, frame.size, 14, IP_PROTO_UDP));
}

static void mpls_labels_are_set_as_far_as_the_stack_goes(void **state)
{
    struct bench *bench = *state;
    const uint8_t stack[] = {0, 0, 0x10, 64, 0, 0, 0x21, 64, 0xee, 0xee, 0xee, 0xee};
    const uint8_t expected[] = {0xaa, 0xaa, 0x10, 64, 0xbb, 0xbb, 0x21, 64, 0xee, 0xee, 0xee, 0xee};
    struct frame frame;

    frame_ethernet(&frame, ETH_TYPE_MPLS);
    frame_put(&frame, stack, sizeof stack);
    ADD_SET(bench, mpls_lse[0], 0xaa, 0xaa);
    ADD_SET(bench, mpls_lse[1], 0xbb, 0xbb);
    ADD_SET(bench, mpls_lse[2], 0xcc, 0xcc);
    add_output(bench);
    assert_memory_equal(run(bench, &frame)->bytes + 14, expected, sizeof expected);
}

static void a_cut_is_for_the_next_output_only(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 100);
    add(bench, DP_TRUNC, 60);
    add_output(bench);
    add_output(bench);
    add(bench, DP_TRUNC, 1);
    add_output(bench);
    send_with(bench, &frame, NULL);
    assert_int_equal(bench->sent.n, 3);
    assert_int_equal(bench->sent.frames[0].size, 60);
    assert_int_equal(bench->sent.frames[1].size, frame.size);
    assert_int_equal(bench->sent.frames[2].size, 14);
}

static struct virtio_net_hdr partial_tcp(void)
{
    return (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
}

/* Leaves the TCP checksum to hardware: the field has the sum of the pseudo header. */
static void make_partial_tcp(struct frame *frame, size_t payload_bytes)
{
    frame_make_ipv4(frame, IP_PROTO_TCP, payload_bytes);
    uint8_t *l3 = frame->bytes + 14;
    be16 sum = checksum_fold(checksum_add_pseudo_ipv4(
        0, be32_load(l3 + 12), be32_load(l3 + 16), IP_PROTO_TCP, (uint16_t)(20 + payload_bytes)));
    memcpy(frame->bytes + 50, &sum, sizeof sum);
}

static void a_partial_checksum_follows_addresses_and_tags(void **state)
{
    struct bench *bench = *state;
    const struct virtio_net_hdr vnet = partial_tcp();
    struct frame frame;

    make_partial_tcp(&frame, 33);
    ADD_SET(bench, nw_src, 99, 98, 97, 96);
    ADD_SET(bench, tp_dst, 0x44, 0x55);
    add(bench, DP_PUSH_VLAN, (uint32_t)ETH_TYPE_VLAN << 16 | 10);
    add_output(bench);
    send_with(bench, &frame, &vnet);

    /* Complete it as the device would. */
    struct frame *out = &bench->sent.frames[0];
    const struct virtio_net_hdr *sent = &bench->sent.vnet[0];
    assert_int_equal(sent->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(sent->csum_start, 38);
    be16 checksum = checksum_of(out->bytes + 38, out->size - 38);
    memcpy(out->bytes + 38 + sent->csum_offset, &checksum, sizeof checksum);
    assert_true(frame_is_sound(out->bytes, out->size, 18, IP_PROTO_TCP));
}

static void what_is_delivered_has_its_checksum(void **state)
{
    struct bench *bench = *state;
    const struct virtio_net_hdr vnet = partial_tcp();
    struct frame frame;

    make_partial_tcp(&frame, 33);
    add(bench, DP_DELIVER, 42);
    add_output(bench);
    send_with(bench, &frame, &vnet);
    assert_int_equal(bench->sent.n_delivered, 1);
    assert_true(
        frame_is_sound(bench->sent.delivered.bytes, bench->sent.delivered.size, 14, IP_PROTO_TCP));
}

static void a_cut_frame_asks_for_no_offload(void **state)
{
    struct bench *bench = *state;
    const struct virtio_net_hdr vnet = partial_tcp();
    struct frame frame;

    make_partial_tcp(&frame, 33);
    add(bench, DP_TRUNC, 60);
    add_output(bench);
    add_output(bench);
    send_with(bench, &frame, &vnet);
    assert_int_equal(bench->sent.vnet[0].flags, 0);
    assert_int_equal(bench->sent.vnet[1].flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

static uint64_t bad_offloads(struct bench *bench)
{
    struct dp_port_stats stats;

    datapath_port_get_stats(bench->dp, bench->ports[0], &stats);
    return stats.dropped[DROP_BAD_OFFLOAD];
}

static void impossible_offloads_are_dropped_and_counted(void **state)
{
    enum {
        NEEDS_CSUM = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        TCPV4 = VIRTIO_NET_HDR_GSO_TCPV4,
        TCPV6 = VIRTIO_NET_HDR_GSO_TCPV6,
        UDP_L4 = 5,
    };
    static const struct virtio_net_hdr bad[] = {
        {.flags = NEEDS_CSUM, .csum_start = 0, .csum_offset = 16},
        {.flags = NEEDS_CSUM, .csum_start = 13, .csum_offset = 16},
        {.flags = NEEDS_CSUM, .csum_start = 34, .csum_offset = 2000},
        {.flags = NEEDS_CSUM, .csum_start = 86, .csum_offset = 0},
        {.flags = NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535},
        {.gso_type = TCPV4, .gso_size = 10},
        {.flags = NEEDS_CSUM, .gso_type = TCPV4, .csum_start = 34, .csum_offset = 16},
        {.flags = NEEDS_CSUM, .gso_type = 7, .gso_size = 9, .csum_start = 34, .csum_offset = 16},
        {.flags = NEEDS_CSUM, .gso_type = 0x40, .gso_size = 9, .csum_start = 34, .csum_offset = 16},
        {.flags = NEEDS_CSUM,
         .gso_type = TCPV4,
         .gso_size = 9,
         .csum_start = 35,
         .csum_offset = 16},
        {.flags = NEEDS_CSUM, .gso_type = TCPV4, .gso_size = 9, .csum_start = 34, .csum_offset = 6},
        {.flags = NEEDS_CSUM,
         .gso_type = TCPV6,
         .gso_size = 9,
         .csum_start = 34,
         .csum_offset = 16},
        {.flags = NEEDS_CSUM,
         .gso_type = UDP_L4,
         .gso_size = 9,
         .csum_start = 34,
         .csum_offset = 6},
        {.flags = NEEDS_CSUM,
         .gso_type = TCPV4,
         .gso_size = 9,
         .hdr_len = 60000,
         .csum_start = 34,
         .csum_offset = 16},
    };
    struct bench *bench = *state;
    struct frame frame;

    add_output(bench);
    make_partial_tcp(&frame, 33);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        send_with(bench, &frame, &bad[i]);
        assert_int_equal(bench->sent.n, 0);
        assert_int_equal(bad_offloads(bench), i + 1);
    }

    frame_make_arp(&frame);
    const struct virtio_net_hdr arp = {
        .flags = NEEDS_CSUM, .gso_type = TCPV4, .gso_size = 9, .csum_start = 14, .csum_offset = 16};
    send_with(bench, &frame, &arp);
    assert_int_equal(bench->sent.n, 0);
}

static void a_good_super_frame_passes_with_its_metadata(void **state)
{
    const struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 |
                                                    VIRTIO_NET_HDR_GSO_ECN,
                                        .gso_size = 500,
                                        .csum_start = 34,
                                        .csum_offset = 16};
    struct bench *bench = *state;
    struct frame frame;

    make_partial_tcp(&frame, 1900);
    add(bench, DP_PUSH_VLAN, (uint32_t)ETH_TYPE_VLAN << 16 | 10);
    add_output(bench);
    send_with(bench, &frame, &vnet);
    assert_int_equal(bench->sent.n, 1);
    assert_int_equal(bench->sent.vnet[0].gso_type, vnet.gso_type);
    assert_int_equal(bench->sent.vnet[0].gso_size, 500);
    assert_int_equal(bench->sent.vnet[0].csum_start, 38);
    assert_int_equal(bench->sent.vnet[0].hdr_len, 58);
}

static void a_super_frame_behind_a_label_is_dropped_and_counted(void **state)
{
    const struct virtio_net_hdr vnet = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                        .gso_size = 500,
                                        .csum_start = 34,
                                        .csum_offset = 16};
    struct bench *bench = *state;
    struct dp_port_stats stats;
    struct frame frame;

    make_partial_tcp(&frame, 1900);
    push_label(bench, 0, 0x00064140);
    add_output(bench);
    add(bench, DP_POP_MPLS, ETH_TYPE_IPV4);
    add_output(bench);
    send_with(bench, &frame, &vnet);
    assert_int_equal(bench->sent.n, 1);
    assert_int_equal(bench->sent.vnet[0].csum_start, 34);
    datapath_port_get_stats(bench->dp, bench->ports[0], &stats);
    assert_int_equal(stats.dropped[DROP_NOT_SEGMENTABLE], 1);
}

static void drops_are_counted_by_reason(void **state)
{
    struct bench *bench = *state;
    struct dp_port_stats stats;
    struct frame frame;

    frame_make_arp(&frame);
    add(bench, DP_DROP, DROP_VLAN_FILTERED);
    send_with(bench, &frame, NULL);
    datapath_port_get_stats(bench->dp, bench->ports[0], &stats);
    assert_int_equal(stats.dropped[DROP_VLAN_FILTERED], 1);
    assert_int_equal(stats.rx_packets, 1);
    assert_string_equal(drop_reason_name(DROP_VLAN_FILTERED), "vlan_filtered");
}

static void execute_leaves_the_callers_packet_alone(void **state)
{
    struct bench *bench = *state;
    struct frame frame, before;
    struct packet packet;
    struct flow_key key;

    frame_make_ipv4(&frame, IP_PROTO_TCP, 3);
    before = frame;
    memset(&packet, 0, sizeof packet);
    packet.start = packet.data = frame.bytes;
    packet.capacity = sizeof frame.bytes;
    packet.size = (uint32_t)frame.size;
    flow_extract(&packet, be32_from(bench->ports[2]), &key);
    ADD_SET(bench, nw_dst, 9, 9, 9, 9);
    add_output(bench);
    datapath_execute(bench->dp, &packet, &key, &bench->actions, NULL);
    assert_int_equal(bench->sent.n, 1);
    assert_true(frame_is_sound(bench->sent.frames[0].bytes, frame.size, 14, IP_PROTO_TCP));
    assert_memory_equal(frame.bytes, before.bytes, frame.size);
}

/* As a netdev port does: bytes are needed until the batch ends. */
static struct {
    unsigned int n;
    const uint8_t *data[MAX_SENT];
    uint32_t size[MAX_SENT];
} held;

static void hold(struct lane *lane, struct dp_port *port, struct tx_frame *frame)
{
    (void)lane;
    (void)port;
    held.data[held.n] = frame->packet->data;
    held.size[held.n++] = frame->packet->size;
    frame->is_held = true;
}

static void dummy_close(struct dp_port *port)
{
    (void)port;
}

static void each_output_sends_the_frame_as_it_was_then(void **state)
{
    static const struct port_ops holding = {.send = hold, .close = dummy_close};
    struct bench *bench = *state;
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 10);
    add_output(bench);
    for (uint8_t i = 1; i < 4; i++) {
        ADD_SET(bench, eth_src, 2, 1, 1, 1, 1, i);
        add_output(bench);
    }
    datapath_port(bench->dp, bench->ports[1])->ops = &holding;
    held.n = 0;
    send_with(bench, &frame, NULL);
    assert_int_equal(held.n, 4);
    for (uint8_t i = 0; i < 4; i++) {
        assert_int_equal(held.size[i], frame.size);
        if (i)
            memcpy(frame.bytes + 6, (const uint8_t[]){2, 1, 1, 1, 1, i}, 6);
        assert_memory_equal(held.data[i], frame.bytes, frame.size);
    }
}

static void labels_are_pushed_set_and_popped(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 4);
    add(bench, DP_PUSH_VLAN, (uint32_t)ETH_TYPE_VLAN << 16 | 10);
    push_label(bench, 1, 0x00064140);
    push_label(bench, 1, 0x000c8007);
    add_output(bench);
    ADD_SET(bench, mpls_lse, 0xff, 0xff, 0xf2, 9);
    add_output(bench);
    add(bench, DP_POP_MPLS, ETH_TYPE_MPLS);
    bench->actions.list[bench->actions.n - 1].word = 1;
    add(bench, DP_POP_MPLS, ETH_TYPE_IPV4);
    bench->actions.list[bench->actions.n - 1].word = 1;
    ADD_SET(bench, nw_ttl, 5); /* It is an IP frame again. */
    add(bench, DP_POP_VLAN, 0);
    add_output(bench);
    send_with(bench, &frame, NULL);

    assert_int_equal(bench->sent.n, 3);
    assert_int_equal(bench->sent.frames[0].size, frame.size + 12);
    assert_memory_equal(bench->sent.frames[0].bytes + 12,
                        "\x81\0\0\xa\x88\x47\0\xc\x80\7\0\6\x41\x40\x45", 15);
    assert_memory_equal(bench->sent.frames[1].bytes + 18, "\xff\xff\xf2\x9\0\6\x41\x40", 8);
    assert_int_equal(bench->sent.frames[2].size, frame.size);
    assert_true(frame_is_sound(bench->sent.frames[2].bytes, frame.size, 14, IP_PROTO_UDP));
    assert_int_equal(bench->sent.frames[2].bytes[22], 5);
}

static void what_was_saved_comes_back(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 4);
    add(bench, DP_SAVE, 0);
    push_label(bench, 0, 0x00064140);
    add(bench, DP_SAVE, 0);
    add(bench, DP_POP_MPLS, ETH_TYPE_IPV4);
    ADD_SET(bench, nw_ttl, 5);
    add_output(bench);
    add(bench, DP_RESTORE, 0);
    add_output(bench);
    add(bench, DP_RESTORE, 0);
    add_output(bench);
    add(bench, DP_RESTORE, 0); /* Nothing to go back to. */
    add(bench, DP_SAVE, 0);    /* And nobody comes back for this. */
    send_with(bench, &frame, NULL);

    assert_int_equal(bench->sent.n, 3);
    assert_int_equal(bench->sent.frames[0].bytes[22], 5);
    assert_int_equal(bench->sent.frames[1].size, frame.size + 4);
    assert_int_equal(bench->sent.frames[1].bytes[26], 64);
    assert_int_equal(bench->sent.frames[2].size, frame.size);
    assert_memory_equal(bench->sent.frames[2].bytes, frame.bytes, frame.size);
}

static void checksum_is_completed_in_front_of_a_label(void **state)
{
    const struct virtio_net_hdr vnet = partial_tcp();
    struct bench *bench = *state;
    struct frame frame;

    make_partial_tcp(&frame, 33);
    push_label(bench, 0, 0x00064140);
    add_output(bench);
    add(bench, DP_POP_MPLS, ETH_TYPE_IPV4);
    add_output(bench);
    send_with(bench, &frame, &vnet);
    assert_int_equal(bench->sent.n, 2);
    assert_int_equal(bench->sent.vnet[0].flags, 0);
    assert_true(frame_is_sound(bench->sent.frames[1].bytes, frame.size, 14, IP_PROTO_TCP));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ethernet_addresses_are_set),
        TEST(ipv4_fields_are_set_and_checksums_follow),
        TEST(ipv6_fields_are_set_and_checksums_follow),
        TEST(only_the_bits_of_the_mask_are_set),
        TEST(a_udp_checksum_of_zero_stays),
        TEST(a_wrong_checksum_stays_wrong),
        TEST(an_sctp_checksum_is_right_after_a_port_change),
        TEST(arp_fields_are_set),
        TEST(neighbour_discovery_fields_are_set_and_checksums_follow),
        TEST(absent_headers_are_left_alone),
        TEST(tags_are_pushed_set_and_popped),
        TEST(mpls_labels_are_set_as_far_as_the_stack_goes),
        TEST(a_cut_is_for_the_next_output_only),
        TEST(a_partial_checksum_follows_addresses_and_tags),
        TEST(what_is_delivered_has_its_checksum),
        TEST(a_cut_frame_asks_for_no_offload),
        TEST(impossible_offloads_are_dropped_and_counted),
        TEST(a_good_super_frame_passes_with_its_metadata),
        TEST(a_super_frame_behind_a_label_is_dropped_and_counted),
        TEST(drops_are_counted_by_reason),
        TEST(execute_leaves_the_callers_packet_alone),
        TEST(each_output_sends_the_frame_as_it_was_then),
        TEST(labels_are_pushed_set_and_popped),
        TEST(what_was_saved_comes_back),
        TEST(checksum_is_completed_in_front_of_a_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
