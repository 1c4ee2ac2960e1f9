/* SPDX-License-Identifier: Apache-2.0 */

/* What actions make of headers: every word of the key, tags, labels; checksums verified from scratch. */

#include "lib/crc32c.h"
#include "tests/unit/datapath/execute_fixture.h"

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

static void solicitation_becomes_an_advertisement(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    make_nd(&frame);
    ADD_SET(bench, nd_options_type, ND_OPTION_TARGET);
    ADD_SET(bench, arp_tha, 2, 0, 0, 9, 9, 9);
    ADD_SET(bench, nd_reserved, 0xe0, 0, 0, 5);
    ADD_SET(bench, tp_src, 0, ND_NEIGHBOR_ADVERT);
    add_output(bench);
    const struct frame *out = run(bench, &frame);
    struct flow_key key = key_of(out);
    assert_true(frame_is_sound(out->bytes, out->size, 14, IP_PROTO_ICMPV6));
    assert_int_equal(be16_host(key.tp_src), ND_NEIGHBOR_ADVERT);
    assert_int_equal(be32_host(key.nd_reserved), 0xe0000005);
    assert_int_equal(key.nd_options_type, ND_OPTION_TARGET);
    assert_true(mac_is_zero(key.arp_sha));
    assert_memory_equal(&key.arp_tha, "\2\0\0\x9\x9\x9", 6);
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

/* Each pop takes four bytes, whatever they are. */
static void a_checksum_may_be_popped_away(void **state)
{
    struct bench *bench = *state;
    struct frame frame;
    const struct virtio_net_hdr vnet = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6};

    frame_make_ipv4(&frame, IP_PROTO_UDP, 100);
    for (int i = 0; i < 10; i++)
        add(bench, DP_POP_MPLS, ETH_TYPE_MPLS);
    push_label(bench, 0, 0x00064140);
    add_output(bench);
    send_with(bench, &frame, &vnet);

    assert_int_equal(bench->sent.n, 1);
    assert_int_equal(bench->sent.frames[0].size, frame.size - 9 * 4);
    assert_int_equal(bench->sent.vnet[0].flags, 0);
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
        TEST(solicitation_becomes_an_advertisement),
        TEST(absent_headers_are_left_alone),
        TEST(tags_are_pushed_set_and_popped),
        TEST(mpls_labels_are_set_as_far_as_the_stack_goes),
        TEST(a_partial_checksum_follows_addresses_and_tags),
        TEST(labels_are_pushed_set_and_popped),
        TEST(a_checksum_may_be_popped_away),
        TEST(checksum_is_completed_in_front_of_a_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
