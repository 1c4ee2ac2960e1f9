/* SPDX-License-Identifier: Apache-2.0 */

/* Which frames are too many, told by a clock of the test's own; and what threads do to one bucket. */

#include "tests/unit/datapath/cmocka_all.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/meters.h"
#include "lib/clock.h"

enum { FRAME_BYTES = 1000, N_THREADS = 4, FRAMES_PER_THREAD = 20000 };

static int set_up(void **state)
{
    *state = dp_meters_create();
    return *state == NULL;
}

static int tear_down(void **state)
{
    dp_meters_destroy(*state);
    return 0;
}

static uint32_t add_meter(struct dp_meters *meters, bool counts_packets, uint32_t rate,
                          uint32_t burst)
{
    const struct dp_meter_config config = {
        .counts_packets = counts_packets,
        .n_bands = 1,
        .bands = {{.rate = rate, .burst = burst}},
    };

    return dp_meters_add(meters, &config);
}

static bool passes(struct dp_meters *meters, uint32_t number, int64_t now_ns)
{
    return !dp_meters_apply(meters, number, FRAME_BYTES, FRAME_BYTES, now_ns);
}

static unsigned int n_passing_at_once(struct dp_meters *meters, uint32_t number, unsigned int n,
                                      int64_t now_ns)
{
    unsigned int n_passing = 0;

    for (unsigned int i = 0; i < n; i++)
        n_passing += passes(meters, number, now_ns);
    return n_passing;
}

static void a_burst_passes_and_no_more(void **state)
{
    static const struct {
        bool counts_packets;
        uint32_t rate, burst;
        unsigned int n;
    } cases[] = {
        {true, 1, 1, 1},
        {true, 1, 20, 20},
        {true, 100, 0, 100},
        {true, 1000000, 50, 50},
        {true, 7, 13, 13},
        {true, 4000000000u, 100, 100},
        {false, 1, 8, 1},
        {false, 1, 7, 0},
        {false, 1000, 100, 12},
        {false, 1000, 0, 125},
        {false, 10000000, 80, 10},
        {false, 3, 799, 99},
        {true, 1, 4000000000u, 300},
        {false, 1, 4000000000u, 300},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t number = add_meter(*state, cases[i].counts_packets, cases[i].rate, cases[i].burst);
        int64_t now_ns = 1000 * SECOND_NS;

        assert_int_equal(n_passing_at_once(*state, number, 300, now_ns), cases[i].n);
        dp_meters_remove(*state, number);
    }
}

/* Frames at twice the rate for ten seconds, less the burst that is passed first. */
static void check_rate(struct dp_meters *meters, bool counts_packets, uint32_t rate)
{
    double per_second = counts_packets ? rate : rate * 1000. / 8 / FRAME_BYTES;
    uint32_t number = add_meter(meters, counts_packets, rate, 0);
    int64_t now_ns = 5 * SECOND_NS, step_ns = (int64_t)(1e9 / per_second / 2);
    unsigned int n_passed = 0, n_sent = (unsigned int)(20 * per_second);

    if (n_sent > 400000)
        n_sent = 400000;
    n_passing_at_once(meters, number, (unsigned int)per_second + 1, now_ns);
    for (unsigned int i = 0; i < n_sent; i++)
        n_passed += passes(meters, number, now_ns += step_ns);
    double expected = (double)n_sent * (double)step_ns / 1e9 * per_second;
    assert_true(n_passed > expected * .99 - 1 && n_passed < expected * 1.01 + 1);
    dp_meters_remove(meters, number);
}

static void rates_are_kept_within_one_percent(void **state)
{
    static const uint32_t rates[] = {1, 3, 10, 99, 1000, 65537, 1000000};

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        check_rate(*state, true, rates[i]);
        check_rate(*state, false, rates[i] < 100 ? rates[i] * 100 : rates[i]);
    }
}

static void a_bucket_fills_to_its_burst_and_no_further(void **state)
{
    uint32_t number = add_meter(*state, true, 10, 5);
    int64_t now_ns = SECOND_NS;

    assert_int_equal(n_passing_at_once(*state, number, 10, now_ns), 5);
    now_ns += 200 * MILLISECOND_NS;
    assert_int_equal(n_passing_at_once(*state, number, 10, now_ns), 2);
    now_ns += 3600 * SECOND_NS;
    assert_int_equal(n_passing_at_once(*state, number, 10, now_ns), 5);
    now_ns += 99 * MILLISECOND_NS;
    assert_int_equal(n_passing_at_once(*state, number, 10, now_ns), 0);
    now_ns += MILLISECOND_NS;
    assert_int_equal(n_passing_at_once(*state, number, 10, now_ns), 1);
}

static void years_of_silence_are_forgotten(void **state)
{
    uint32_t number = add_meter(*state, true, 10, 5);
    int64_t now_ns = SECOND_NS;

    for (int year = 0; year < 20; year++) {
        assert_int_equal(n_passing_at_once(*state, number, 10, now_ns), 5);
        now_ns += INT64_C(150) * 24 * 3600 * SECOND_NS;
    }
}

static void a_thread_with_an_older_clock_gives_nothing_away(void **state)
{
    uint32_t number = add_meter(*state, true, 10, 5);

    assert_int_equal(n_passing_at_once(*state, number, 10, SECOND_NS), 5);
    assert_int_equal(n_passing_at_once(*state, number, 10, SECOND_NS - 50000), 0);
    assert_int_equal(n_passing_at_once(*state, number, 10, SECOND_NS - 500 * MILLISECOND_NS), 0);
}

static void the_highest_rate_that_is_exceeded_applies(void **state)
{
    const struct dp_meter_config config = {
        .counts_packets = true,
        .n_bands = 3,
        .bands = {{.rate = 10, .burst = 10, .remarks = true, .precedence = 1},
                  {.rate = 30, .burst = 30},
                  {.rate = 20, .burst = 20, .remarks = true, .precedence = 2}},
    };
    uint32_t number = dp_meters_add(*state, &config);
    unsigned int n_applied[4] = {0};
    struct dp_meter_stats stats;

    for (int i = 0; i < 50; i++) {
        const struct dp_band *band = dp_meters_apply(*state, number, 100, 100, SECOND_NS);
        n_applied[!band ? 3 : !band->remarks ? 1 : band->precedence == 1 ? 0 : 2]++;
    }
    assert_int_equal(n_applied[3], 10);
    assert_int_equal(n_applied[0], 10);
    assert_int_equal(n_applied[2], 10);
    assert_int_equal(n_applied[1], 20);
    dp_meters_get_stats(*state, number, &stats);
    assert_int_equal(stats.in.n_packets, 50);
    assert_int_equal(stats.in.n_bytes, 5000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stats.bands[i].n_packets, n_applied[i]);
        assert_int_equal(stats.bands[i].n_bytes, 100 * n_applied[i]);
    }
}

static void a_frame_to_be_segmented_may_leave_a_debt(void **state)
{
    uint32_t number = add_meter(*state, false, 8000, 100); /* 1 MB/s, 12,500 bytes. */
    int64_t now_ns = SECOND_NS;
    unsigned int n_passed = 0;

    assert_non_null(dp_meters_apply(*state, number, 60000, 60000, now_ns));
    assert_null(dp_meters_apply(*state, number, 60000, 1500, now_ns));
    assert_non_null(dp_meters_apply(*state, number, 60, 60, now_ns));
    for (int i = 0; i < 10000; i++, now_ns += MILLISECOND_NS)
        n_passed += !dp_meters_apply(*state, number, 60000, 1500, now_ns);
    assert_in_range(n_passed, 164, 168); /* 10 MB. */
}

static void numbers_are_not_soon_used_again(void **state)
{
    uint32_t first = add_meter(*state, true, 1, 1), number;

    dp_meters_remove(*state, first);
    for (unsigned int i = 1; i < DP_METERS_MAX; i++) {
        number = add_meter(*state, true, 1, 1);
        assert_int_not_equal(number, first);
        dp_meters_remove(*state, number);
    }
    assert_int_equal(add_meter(*state, true, 1, 1), first);
}

static void there_are_so_many_and_no_more(void **state)
{
    for (uint32_t i = 0; i < DP_METERS_MAX; i++) {
        uint32_t number = add_meter(*state, true, 1, 1);
        assert_true(number < DP_METERS_MAX);
    }
    assert_int_equal(add_meter(*state, true, 1, 1), DP_METER_NONE);
    dp_meters_remove(*state, 77);
    dp_meters_remove(*state, DP_METERS_MAX - 1);
    assert_int_equal(add_meter(*state, true, 1, 1), 77);
    assert_int_equal(add_meter(*state, true, 1, 1), DP_METERS_MAX - 1);
}

static void without_a_meter_all_passes(void **state)
{
    struct dp_meter_stats stats;
    uint32_t number = add_meter(*state, true, 1, 1);

    dp_meters_remove(*state, number);
    dp_meters_remove(*state, number);
    assert_int_equal(n_passing_at_once(*state, number, 10, SECOND_NS), 10);
    assert_int_equal(n_passing_at_once(*state, DP_METER_NONE, 10, SECOND_NS), 10);
    dp_meters_get_stats(*state, number, &stats);
    assert_int_equal(stats.in.n_packets, 0);
    assert_int_equal(dp_meters_place(*state, number), DP_METER_NONE);
}

/* The kernel's memory */

struct kernel {
    struct kc_meter memory[KC_N_METERS];
    bool is_reserved[KC_N_METERS];
};

static struct kernel *create_kernel(void)
{
    struct kernel *kernel = calloc(1, sizeof *kernel);

    assert_non_null(kernel);
    return kernel;
}

/* What a program does. */
static bool passes_in_kernel(struct kc_meter *meter, int64_t now_ns)
{
    return kc_meter_charge(meter, (uint64_t)now_ns, FRAME_BYTES, FRAME_BYTES) == KC_METER_PASSES;
}

static void the_kernel_takes_from_the_same_bucket(void **state)
{
    struct kernel *kernel = create_kernel();
    uint32_t before = add_meter(*state, true, 1, 6), after;
    struct dp_meter_stats stats;

    assert_int_equal(n_passing_at_once(*state, before, 2, SECOND_NS), 2);
    dp_meters_set_memory(*state, kernel->memory, NULL);
    after = add_meter(*state, true, 1, 6);
    const uint32_t numbers[] = {before, after};
    for (int i = 0; i < 2; i++) {
        uint32_t place = dp_meters_place(*state, numbers[i]);

        assert_true(place < KC_N_METERS);
        assert_true(passes_in_kernel(&kernel->memory[place], SECOND_NS));
        assert_int_equal(n_passing_at_once(*state, numbers[i], 2, SECOND_NS), 2);
        assert_int_equal(passes_in_kernel(&kernel->memory[place], SECOND_NS), 1);
        assert_int_equal(n_passing_at_once(*state, numbers[i], 9, SECOND_NS), i ? 2 : 0);
        assert_false(passes_in_kernel(&kernel->memory[place], SECOND_NS));
        dp_meters_get_stats(*state, numbers[i], &stats);
        assert_int_equal(stats.in.n_packets, i ? 14 : 16);
        assert_int_equal(stats.bands[0].n_packets, i ? 8 : 10);
    }
    dp_meters_remove(*state, before);
    dp_meters_remove(*state, after);
    free(kernel);
}

static void programs_know_what_a_band_does(void **state)
{
    const struct dp_meter_config config = {
        .counts_packets = true,
        .n_bands = 2,
        .bands = {{.rate = 1, .remarks = true, .precedence = 2}, {.rate = 2}},
    };
    struct kernel *kernel = create_kernel();

    dp_meters_set_memory(*state, kernel->memory, NULL);
    uint32_t number = dp_meters_add(*state, &config);
    const struct kc_meter *meter = &kernel->memory[dp_meters_place(*state, number)];
    assert_int_equal(meter->n_bands, 2);
    assert_true(meter->bands[0].remarks);
    assert_int_equal(meter->bands[0].precedence, 2);
    assert_false(meter->bands[1].remarks);
    dp_meters_remove(*state, number);
    assert_int_equal(meter->n_bands, 0);
    free(kernel);
}

static void places_are_given_in_turn_while_there_are_some(void **state)
{
    struct kernel *kernel = create_kernel();
    uint32_t last = 0;

    dp_meters_set_memory(*state, kernel->memory, NULL);
    uint32_t first = add_meter(*state, true, 1, 1);
    uint32_t place = dp_meters_place(*state, first);
    for (unsigned int i = 1; i < KC_N_METERS; i++) {
        last = add_meter(*state, true, 1, 1);
        assert_true(dp_meters_place(*state, last) < KC_N_METERS);
        assert_int_not_equal(dp_meters_place(*state, last), place);
    }
    uint32_t beyond = add_meter(*state, true, 1, 1);
    assert_int_equal(dp_meters_place(*state, beyond), DP_METER_NONE);
    assert_int_equal(n_passing_at_once(*state, beyond, 10, SECOND_NS), 1);
    dp_meters_remove(*state, first);
    assert_int_equal(dp_meters_place(*state, add_meter(*state, true, 1, 1)), place);
    free(kernel);
}

static void what_is_reserved_is_left_alone(void **state)
{
    struct kernel *kernel = create_kernel();
    uint32_t place;

    memset(kernel->is_reserved, true, KC_N_METERS - 2);
    kernel->memory[5].n_packets = 77;
    dp_meters_set_memory(*state, kernel->memory, kernel->is_reserved);
    for (int i = 0; i < 2; i++) {
        place = dp_meters_place(*state, add_meter(*state, true, 1, 1));
        assert_in_range(place, KC_N_METERS - 2, KC_N_METERS - 1);
    }
    assert_int_equal(dp_meters_place(*state, add_meter(*state, true, 1, 1)), DP_METER_NONE);
    dp_meters_release_reserved(*state);
    for (uint32_t i = 0; i < KC_N_METERS - 2; i++)
        assert_int_equal(dp_meters_place(*state, add_meter(*state, true, 1, 1)), i);
    assert_int_equal(kernel->memory[5].n_packets, 0);
    free(kernel);
}

/* Threads */

struct sender {
    struct dp_meters *meters;
    uint32_t number;
    unsigned int n_passed;
};

static void *send(void *arg)
{
    struct sender *sender = arg;

    for (int i = 0; i < FRAMES_PER_THREAD; i++)
        sender->n_passed += passes(sender->meters, sender->number, SECOND_NS);
    return NULL;
}

static void threads_share_a_bucket(void **state)
{
    enum { BURST = 1000 };
    struct sender senders[N_THREADS];
    pthread_t threads[N_THREADS];
    uint32_t number = add_meter(*state, true, 1, BURST);
    struct dp_meter_stats stats;
    unsigned int n_passed = 0;

    for (int i = 0; i < N_THREADS; i++) {
        senders[i] = (struct sender){.meters = *state, .number = number};
        assert_int_equal(pthread_create(&threads[i], NULL, send, &senders[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        n_passed += senders[i].n_passed;
    }
    dp_meters_get_stats(*state, number, &stats);
    assert_int_equal(stats.in.n_packets, N_THREADS * FRAMES_PER_THREAD);
    assert_int_equal(stats.bands[0].n_packets, N_THREADS * FRAMES_PER_THREAD - n_passed);
    /* Those that lose every race pass without charge: few do. */
    assert_in_range(n_passed, BURST, BURST + BURST / 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_burst_passes_and_no_more),
        TEST(rates_are_kept_within_one_percent),
        TEST(a_bucket_fills_to_its_burst_and_no_further),
        TEST(years_of_silence_are_forgotten),
        TEST(a_thread_with_an_older_clock_gives_nothing_away),
        TEST(the_highest_rate_that_is_exceeded_applies),
        TEST(a_frame_to_be_segmented_may_leave_a_debt),
        TEST(numbers_are_not_soon_used_again),
        TEST(there_are_so_many_and_no_more),
        TEST(without_a_meter_all_passes),
        TEST(the_kernel_takes_from_the_same_bucket),
        TEST(programs_know_what_a_band_does),
        TEST(places_are_given_in_turn_while_there_are_some),
        TEST(what_is_reserved_is_left_alone),
        TEST(threads_share_a_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
