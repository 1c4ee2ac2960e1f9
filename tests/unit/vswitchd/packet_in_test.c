/* SPDX-License-Identifier: Apache-2.0 */

/* The queue of frames for controllers: order, bound, and pushers that race. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "vswitchd/packet_in.h"

static _Atomic(unsigned int) n_wakes;

static void count_wake(void *aux UNUSED)
{
    n_wakes++;
}

static int set_up(void **state)
{
    n_wakes = 0;
    *state = packet_in_queue_create(count_wake, NULL);
    return 0;
}

static int tear_down(void **state)
{
    packet_in_queue_destroy(*state);
    return 0;
}

static int push(struct packet_in_queue *queue, of_port port)
{
    static const uint8_t frame[60] = {1, 2, 3};
    struct packet_in header = {.in_port = port, .total_bytes = 60, .n_bytes = 3};

    return packet_in_push(queue, &header, frame);
}

/* Frees what is there and counts it. */
static unsigned int take_all(struct packet_in_queue *queue)
{
    unsigned int n = 0;

    for (struct packet_in *packet = packet_in_take_all(queue), *next; packet; packet = next, n++) {
        next = packet_in_next(packet);
        free(packet);
    }
    return n;
}

static void packets_come_out_in_order(void **state)
{
    struct packet_in_queue *queue = *state;

    for (of_port port = 1; port <= 3; port++)
        assert_int_equal(push(queue, port), 0);
    struct packet_in *packet = packet_in_take_all(queue);
    for (of_port port = 1; port <= 3; port++) {
        struct packet_in *next = packet_in_next(packet);
        assert_int_equal(packet->in_port, port);
        assert_int_equal(packet->total_bytes, 60);
        assert_int_equal(packet->frame[2], 3);
        free(packet);
        packet = next;
    }
    assert_null(packet);
    assert_null(packet_in_take_all(queue));
    assert_int_equal(n_wakes, 1);
}

static void userdata_is_copied_behind_the_frame(void **state)
{
    uint8_t frame[] = {1, 2, 3}, userdata[] = {7, 8};
    const struct packet_in header = {
        .n_bytes = sizeof frame,
        .userdata = userdata,
        .n_userdata = sizeof userdata,
    };

    assert_int_equal(packet_in_push(*state, &header, frame), 0);
    frame[2] = userdata[0] = 0;
    struct packet_in *packet = packet_in_take_all(*state);
    assert_int_equal(packet->n_userdata, 2);
    assert_int_equal(packet->userdata[0], 7);
    assert_int_equal(packet->userdata[1], 8);
    assert_int_equal(packet->frame[2], 3);
    free(packet);
}

static void full_queue_drops_and_counts(void **state)
{
    struct packet_in_queue *queue = *state;

    for (unsigned int i = 0; i < PACKET_IN_QUEUE_MAX; i++)
        assert_int_equal(push(queue, 1), 0);
    assert_int_equal(push(queue, 1), -ENOBUFS);
    assert_int_equal(packet_in_n_dropped(queue), 1);
    assert_int_equal(n_wakes, 1);
    assert_int_equal(take_all(queue), PACKET_IN_QUEUE_MAX);
    assert_int_equal(push(queue, 1), 0);
}

static void emptied_queue_wakes_again(void **state)
{
    struct packet_in_queue *queue = *state;

    push(queue, 1);
    take_all(queue);
    push(queue, 1);
    assert_int_equal(n_wakes, 2);
}

enum { N_THREADS = 3, PUSHES_EACH = 20000 };

static void *push_many(void *queue)
{
    for (of_port i = 0; i < PUSHES_EACH; i++)
        push(queue, i);
    return NULL;
}

static void threads_lose_nothing_uncounted(void **state)
{
    struct packet_in_queue *queue = *state;
    pthread_t pushers[N_THREADS];
    uint64_t n_taken = 0;

    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&pushers[i], NULL, push_many, queue), 0);
    for (unsigned int i = 0; i < 10000; i++)
        n_taken += take_all(queue);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(pushers[i], NULL);
    n_taken += take_all(queue);
    assert_int_equal(n_taken + packet_in_n_dropped(queue), N_THREADS * PUSHES_EACH);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(packets_come_out_in_order),      TEST(userdata_is_copied_behind_the_frame),
        TEST(full_queue_drops_and_counts),    TEST(emptied_queue_wakes_again),
        TEST(threads_lose_nothing_uncounted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
