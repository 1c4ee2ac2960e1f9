/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/acceptor.h"
#include "lib/annotations.h"
#include "lib/clock.h"
#include "lib/jsonrpc_client.h"
#include "lib/unix_socket.h"

enum { MAX_QUEUE = 10000 };

static char directory[64], path[96];

static int set_up(void **state UNUSED)
{
    snprintf(directory, sizeof directory, "/tmp/unix_socket_test.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    unlink(path);
    return rmdir(directory);
}

static void on_accepted(int fd, void *aux)
{
    *(int *)aux = fd;
}

static void shortage_of_descriptors_does_not_make_the_loop_spin(void **state UNUSED)
{
    struct ev_loop *loop = ev_loop_new(0);
    struct error error = ERROR_INIT;
    struct acceptor acceptor;
    struct rlimit before, none;
    int accepted = -1;
    int listener = unix_socket_listen(path, 0600, &error);

    assert_true(listener >= 0);
    acceptor_start(&acceptor, loop, listener, on_accepted, &accepted);
    int client = unix_socket_connect_now(path, &error);
    assert_true(client >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)client + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

    for (int64_t end_ns = clock_now_ns() + 300 * MILLISECOND_NS; clock_now_ns() < end_ns;)
        ev_run(loop, EVRUN_ONCE);
    assert_true(ev_iteration(loop) < 10);
    assert_int_equal(accepted, -1);

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 10 && accepted < 0; i++)
        ev_run(loop, EVRUN_ONCE);
    assert_true(accepted >= 0);
    close(accepted);
    close(client);
    acceptor_stop(&acceptor);
    ev_loop_destroy(loop);
}

/* Connects until the listener has no room; the number of descriptors. */
static size_t fill_queue(int *fds)
{
    struct error error = ERROR_INIT;
    size_t n = 0;

    while (n < MAX_QUEUE && (fds[n] = unix_socket_connect_now(path, &error)) >= 0)
        n++;
    assert_int_equal(fds[n], -EAGAIN);
    return n;
}

static void listener_with_a_full_queue_keeps_nobody_waiting(void **state UNUSED)
{
    static int fds[MAX_QUEUE + 1];
    struct error error = ERROR_INIT;
    int listener = unix_socket_listen(path, 0600, &error);

    assert_true(listener >= 0);
    assert_int_equal(listen(listener, 3), 0);
    size_t n = fill_queue(fds);

    alarm(20); /* What is tested is that nothing blocks. */
    assert_int_equal(unix_socket_listen(path, 0600, &error), -EADDRINUSE);
    assert_null(jsonrpc_client_connect(path, clock_now_ns() + 50 * MILLISECOND_NS, &error));
    assert_int_equal(error.code, -ETIMEDOUT);
    alarm(0);

    while (n)
        close(fds[--n]);
    close(listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(shortage_of_descriptors_does_not_make_the_loop_spin),
        TEST(listener_with_a_full_queue_keeps_nobody_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
