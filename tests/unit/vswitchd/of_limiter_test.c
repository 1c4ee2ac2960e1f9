/* SPDX-License-Identifier: Apache-2.0 */

/* Packet-ins within a limit: what goes at once, what waits, whose are lost. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/buffer.h"
#include "lib/clock.h"
#include "vswitchd/of_limiter.h"

static const int64_t NOW_NS = 1000 * SECOND_NS;

struct fixture {
    struct of_limiter limiter;
    struct buffer out; /* A byte for each message: its port. */
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.out = BUFFER_INIT};
    of_limiter_init(&fixture.limiter);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    of_limiter_fini(&fixture->limiter);
    buffer_fini(&fixture->out);
    return 0;
}

static void send_at(struct fixture *fixture, uint8_t port, unsigned int n, int64_t now_ns)
{
    struct buffer message = BUFFER_INIT;

    buffer_put(&message, &port, 1);
    for (unsigned int i = 0; i < n; i++)
        of_limiter_send(&fixture->limiter, port, &message, now_ns, &fixture->out);
    buffer_fini(&message);
}

static unsigned int n_sent(const struct fixture *fixture, uint8_t port)
{
    unsigned int n = 0;

    for (size_t i = 0; i < fixture->out.size; i++)
        n += fixture->out.data[i] == port;
    return n;
}

static void run_at(struct fixture *fixture, int64_t now_ns)
{
    while (of_limiter_run(&fixture->limiter, now_ns, &fixture->out))
        continue;
}

static void without_a_limit_all_goes_at_once(void **state)
{
    struct fixture *fixture = *state;

    send_at(fixture, 1, 1000, NOW_NS);
    assert_int_equal(n_sent(fixture, 1), 1000);
    assert_true(of_limiter_next_ns(&fixture->limiter) == INT64_MAX);
}

static void a_burst_goes_at_once_and_then_the_rate_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct of_limiter_stats *stats = &fixture->limiter.stats;

    of_limiter_set(&fixture->limiter, 100, 0, NOW_NS); /* 25 at once. */
    send_at(fixture, 1, 40, NOW_NS);
    assert_int_equal(n_sent(fixture, 1), 25);
    assert_int_equal(stats->n_bypassed, 25);
    assert_int_equal(stats->n_queued, 15);
    assert_int_equal(stats->n_waiting, 15);
    int64_t next_ns = of_limiter_next_ns(&fixture->limiter);
    assert_in_range(next_ns, NOW_NS + 9 * MILLISECOND_NS, NOW_NS + 11 * MILLISECOND_NS);
    run_at(fixture, NOW_NS);
    assert_int_equal(n_sent(fixture, 1), 25);
    run_at(fixture, next_ns);
    assert_int_equal(n_sent(fixture, 1), 26);
    run_at(fixture, NOW_NS + 10 * SECOND_NS);
    assert_int_equal(n_sent(fixture, 1), 40);
    assert_int_equal(stats->n_dropped, 0);
}

static void the_longest_queue_loses_and_ports_take_turns(void **state)
{
    struct fixture *fixture = *state;
    const struct of_limiter_stats *stats = &fixture->limiter.stats;

    of_limiter_set(&fixture->limiter, 100, 30, NOW_NS);
    send_at(fixture, 9, 30, NOW_NS); /* The tokens. */
    send_at(fixture, 1, 1000, NOW_NS);
    assert_int_equal(stats->n_waiting, 30);
    send_at(fixture, 2, 5, NOW_NS);
    send_at(fixture, 3, 100, NOW_NS);
    assert_int_equal(stats->n_waiting, 30);
    assert_int_equal(stats->n_dropped, 970 + 5 + 100);
    fixture->out.size = 0;
    run_at(fixture, NOW_NS + 60 * MILLISECOND_NS);
    assert_int_equal(fixture->out.size, 6);
    for (uint8_t port = 1; port <= 3; port++)
        assert_int_equal(n_sent(fixture, port), 2);
    run_at(fixture, NOW_NS + SECOND_NS);
    assert_int_equal(n_sent(fixture, 2), 5); /* The quiet port lost nothing. */
    assert_in_range(n_sent(fixture, 1), 12, 13);
    assert_in_range(n_sent(fixture, 3), 12, 13);
}

static void a_new_limit_begins_anew(void **state)
{
    struct fixture *fixture = *state;

    of_limiter_set(&fixture->limiter, 100, 25, NOW_NS);
    send_at(fixture, 1, 30, NOW_NS);
    of_limiter_set(&fixture->limiter, 100, 25, NOW_NS); /* The same. */
    assert_int_equal(fixture->limiter.stats.n_waiting, 5);
    of_limiter_set(&fixture->limiter, 0, 0, NOW_NS);
    assert_int_equal(fixture->limiter.stats.n_waiting, 0);
    assert_int_equal(fixture->limiter.stats.n_bypassed, 0);
    of_limiter_set(&fixture->limiter, 1, 0, NOW_NS); /* There is room for one at least. */
    send_at(fixture, 1, 3, NOW_NS);
    assert_int_equal(fixture->limiter.stats.n_bypassed, 1);
    assert_int_equal(fixture->limiter.stats.n_waiting, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_a_limit_all_goes_at_once),
        TEST(a_burst_goes_at_once_and_then_the_rate_counts),
        TEST(the_longest_queue_loses_and_ports_take_turns),
        TEST(a_new_limit_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
