/* SPDX-License-Identifier: Apache-2.0 */

/* DP_METER in the executor: what a frame that is too much misses, and what re-marking does to it. */

#include "tests/unit/datapath/execute_fixture.h"

#include "lib/clock.h"

enum { TOS_AT = 15 };

static uint32_t add_meter(struct bench *bench, const struct dp_band *band)
{
    const struct dp_meter_config config = {.counts_packets = true, .n_bands = 1, .bands = {*band}};

    return dp_meters_add(datapath_meters(bench->dp), &config);
}

/* Passes 'burst' frames, whatever the time. */
static uint32_t add_drop_meter(struct bench *bench, uint32_t burst)
{
    return add_meter(bench, &(struct dp_band){.rate = 1, .burst = burst});
}

static void add_metering(struct bench *bench, uint32_t number, uint64_t n_missed)
{
    add(bench, DP_METER, number)->value = n_missed;
}

static void send_at(struct bench *bench, const struct frame *frame, int64_t now_ns)
{
    bench->sent.n = bench->sent.n_delivered = 0;
    datapath_inject_at(bench->dp, bench->ports[0], frame->bytes, frame->size, NULL, now_ns);
}

static uint64_t n_dropped(struct bench *bench)
{
    struct dp_port_stats stats;

    datapath_port_get_stats(bench->dp, bench->ports[0], &stats);
    return stats.dropped[DROP_METER];
}

static void frames_beyond_the_rate_are_dropped_and_counted(void **state)
{
    struct bench *bench = *state;
    uint32_t number = add_drop_meter(bench, 3);
    struct dp_meter_stats stats;
    struct frame frame;
    unsigned int n_sent = 0;

    frame_make_arp(&frame);
    add_metering(bench, number, UINT64_MAX);
    add_output(bench);
    for (int i = 0; i < 5; i++) {
        send_at(bench, &frame, SECOND_NS);
        n_sent += bench->sent.n;
    }
    assert_int_equal(n_sent, 3);
    assert_int_equal(n_dropped(bench), 2);
    send_at(bench, &frame, 2 * SECOND_NS);
    assert_int_equal(bench->sent.n, 1);
    dp_meters_get_stats(datapath_meters(bench->dp), number, &stats);
    assert_int_equal(stats.in.n_packets, 6);
    assert_int_equal(stats.in.n_bytes, 6 * frame.size);
    assert_int_equal(stats.bands[0].n_packets, 2);
}

static void only_what_is_behind_the_meter_is_missed(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    frame_make_arp(&frame);
    add(bench, DP_OUTPUT, bench->ports[2]);
    add_metering(bench, add_drop_meter(bench, 1), 2);
    add(bench, DP_OUTPUT, bench->ports[1]);
    add(bench, DP_DELIVER, 42);
    add(bench, DP_OUTPUT, bench->ports[3]);
    send_at(bench, &frame, SECOND_NS);
    assert_int_equal(bench->sent.n, 3);
    assert_int_equal(bench->sent.n_delivered, 1);
    send_at(bench, &frame, SECOND_NS);
    assert_int_equal(bench->sent.n, 2);
    assert_int_equal(bench->sent.n_delivered, 0);
    assert_int_equal(bench->sent.ports[0], bench->ports[2]);
    assert_int_equal(bench->sent.ports[1], bench->ports[3]);
}

static void a_frame_that_misses_its_changes_is_as_it_was(void **state)
{
    struct bench *bench = *state;
    struct frame frame;

    frame_make_ipv4(&frame, IP_PROTO_UDP, 50);
    add(bench, DP_SAVE, 0);
    add_metering(bench, add_drop_meter(bench, 1), 2);
    add(bench, DP_PUSH_VLAN, (uint32_t)ETH_TYPE_VLAN << 16 | 10);
    add(bench, DP_OUTPUT, bench->ports[2]);
    add(bench, DP_RESTORE, 0);
    add_output(bench);
    for (int i = 0; i < 2; i++) {
        send_at(bench, &frame, SECOND_NS);
        assert_int_equal(bench->sent.n, 2 - i);
        const struct frame *last = &bench->sent.frames[bench->sent.n - 1];
        assert_int_equal(last->size, frame.size);
        assert_memory_equal(last->bytes, frame.bytes, frame.size);
    }
}

static uint8_t tos_of(const struct frame *frame)
{
    bool is_ipv4 = frame->bytes[14] >> 4 == 4;

    return is_ipv4 ? frame->bytes[TOS_AT]
                   : (uint8_t)(frame->bytes[14] << 4 | frame->bytes[15] >> 4);
}

static void put_tos(struct frame *frame, bool is_ipv6, uint8_t tos)
{
    if (is_ipv6) {
        frame_make_ipv6(frame, IP_PROTO_TCP, 20);
        frame->bytes[14] = (uint8_t)(0x60 | tos >> 4);
        frame->bytes[15] = (uint8_t)(tos << 4);
        return;
    }
    frame_make_ipv4(frame, IP_PROTO_TCP, 20);
    frame->bytes[TOS_AT] = tos;
    memset(frame->bytes + 24, 0, 2);
    be16 checksum = checksum_of(frame->bytes + 14, 20);
    memcpy(frame->bytes + 24, &checksum, sizeof checksum);
}

static void remarking_raises_the_precedence_and_keeps_checksums(void **state)
{
    static const struct {
        uint8_t n_steps, from, to;
    } cases[] = {
        {1, 10 << 2, 12 << 2},         {2, 10 << 2, 14 << 2},
        {1, 12 << 2, 14 << 2},         {3, 34 << 2 | 1, 38 << 2 | 1},
        {200, 18 << 2, 22 << 2},       {1, 14 << 2, 14 << 2},
        {1, 46 << 2, 46 << 2},         {1, 0, 0},
        {1, 8 << 2, 8 << 2},           {1, 11 << 2, 11 << 2},
        {0, 26 << 2 | 3, 26 << 2 | 3}, {1, 42 << 2, 42 << 2},
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        const struct dp_band band = {
            .rate = 1, .burst = 1, .remarks = true, .precedence = cases[i / 2].n_steps};
        struct frame frame;

        put_tos(&frame, i % 2, cases[i / 2].from);
        bench->actions.n = 0;
        add_metering(bench, add_meter(bench, &band), UINT64_MAX);
        add_output(bench);
        send_at(bench, &frame, SECOND_NS);
        assert_memory_equal(bench->sent.frames[0].bytes, frame.bytes, frame.size);
        send_at(bench, &frame, SECOND_NS);
        assert_int_equal(bench->sent.n, 1);
        const struct frame *sent = &bench->sent.frames[0];
        assert_int_equal(tos_of(sent), cases[i / 2].to);
        assert_true(frame_is_sound(sent->bytes, sent->size, 14, IP_PROTO_TCP));
    }
    assert_int_equal(n_dropped(bench), 0);
}

static void remarking_is_for_ip_alone(void **state)
{
    const struct dp_band band = {.rate = 1, .burst = 1, .remarks = true, .precedence = 1};
    struct bench *bench = *state;
    struct frame frame;

    frame_make_arp(&frame);
    add_metering(bench, add_meter(bench, &band), UINT64_MAX);
    add_output(bench);
    for (int i = 0; i < 3; i++) {
        send_at(bench, &frame, SECOND_NS);
        assert_memory_equal(bench->sent.frames[0].bytes, frame.bytes, frame.size);
    }
}

static void what_was_sent_before_is_not_remarked(void **state)
{
    const struct dp_band band = {.rate = 1, .burst = 1, .remarks = true, .precedence = 1};
    struct bench *bench = *state;
    struct frame frame;

    put_tos(&frame, false, 10 << 2);
    add_output(bench);
    add_metering(bench, add_meter(bench, &band), UINT64_MAX);
    add_output(bench);
    send_at(bench, &frame, SECOND_NS);
    send_at(bench, &frame, SECOND_NS);
    assert_int_equal(tos_of(&bench->sent.frames[0]), 10 << 2);
    assert_int_equal(tos_of(&bench->sent.frames[1]), 12 << 2);
}

static void a_list_of_actions_shows_its_meters(void **state)
{
    struct bench *bench = *state;
    struct buffer text = BUFFER_INIT;

    add_metering(bench, 7, UINT64_MAX);
    add_output(bench);
    dp_actions_format(&text, bench->actions.list, bench->actions.n, NULL, NULL, NULL, NULL);
    assert_string_equal(buffer_text(&text), "meter(7),2");
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_beyond_the_rate_are_dropped_and_counted),
        TEST(only_what_is_behind_the_meter_is_missed),
        TEST(a_frame_that_misses_its_changes_is_as_it_was),
        TEST(remarking_raises_the_precedence_and_keeps_checksums),
        TEST(remarking_is_for_ip_alone),
        TEST(what_was_sent_before_is_not_remarked),
        TEST(a_list_of_actions_shows_its_meters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
