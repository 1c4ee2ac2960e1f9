/* SPDX-License-Identifier: Apache-2.0 */

/* The executor: outputs, cuts, offloads, drops. */

#include "tests/unit/datapath/execute_fixture.h"

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

/* The checksum of a piece is that of the piece, as the kernel has it. */
static void a_cut_frame_asks_for_the_checksum_whose_field_it_has(void **state)
{
    struct bench *bench = *state;
    const struct virtio_net_hdr vnet = partial_tcp();
    struct frame frame;

    make_partial_tcp(&frame, 33);
    add(bench, DP_TRUNC, 60);
    add_output(bench);
    add(bench, DP_TRUNC, 51);
    add_output(bench);
    add_output(bench);
    send_with(bench, &frame, &vnet);
    assert_int_equal(bench->sent.vnet[0].flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(bench->sent.vnet[0].csum_start, vnet.csum_start);
    assert_int_equal(bench->sent.vnet[1].flags, 0);
    assert_int_equal(bench->sent.vnet[2].flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cut_is_for_the_next_output_only),
        TEST(what_is_delivered_has_its_checksum),
        TEST(a_cut_frame_asks_for_the_checksum_whose_field_it_has),
        TEST(impossible_offloads_are_dropped_and_counted),
        TEST(a_good_super_frame_passes_with_its_metadata),
        TEST(a_super_frame_behind_a_label_is_dropped_and_counted),
        TEST(drops_are_counted_by_reason),
        TEST(execute_leaves_the_callers_packet_alone),
        TEST(each_output_sends_the_frame_as_it_was_then),
        TEST(what_was_saved_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
