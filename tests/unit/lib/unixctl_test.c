/* SPDX-License-Identifier: Apache-2.0 */

/* A control socket and its client: the server runs in the test, the blocking client in a thread. */

#include "lib/unixctl.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/unixctl_client.h"

struct fixture {
    struct ev_loop *loop;
    struct unixctl_server *server;
    char socket_path[64];
    struct unixctl_request *waiting;

    /* What the client thread is to say, and what it heard. */
    const char *command;
    const char *args[3];
    size_t n_args;
    char *answer;
    bool is_error;
    int result;
    struct ev_async done;
};

static void cmd_join(struct unixctl_request *request, int argc, const char *const argv[], void *aux)
{
    (void)aux;
    unixctl_reply_format(request, "%d:%s", argc - 1, argc > 1 ? argv[1] : "");
}

static void cmd_later(struct unixctl_request *request, int argc, const char *const argv[],
                      void *aux)
{
    struct fixture *fixture = aux;

    (void)argc, (void)argv;
    fixture->waiting = request;
}

static void answer_waiting(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    struct fixture *fixture = timer->data;

    (void)events;
    if (fixture->waiting)
        unixctl_reply(fixture->waiting, "late");
    else
        ev_timer_start(loop, timer);
}

static void stop_loop(struct ev_loop *loop, struct ev_async *async, int events)
{
    (void)async, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct error error = ERROR_INIT;

    memset(&fixture, 0, sizeof fixture);
    fixture.loop = ev_loop_new(EVFLAG_AUTO);
    snprintf(fixture.socket_path, sizeof fixture.socket_path, "/tmp/unixctl_test.%ld",
             (long)getpid());
    fixture.server = unixctl_server_create(fixture.loop, fixture.socket_path, "test (Weir) 1",
                                           &error);
    assert_non_null(fixture.server);
    unixctl_command_register(fixture.server, "join", "[A [B]]", 1, 2, cmd_join, &fixture);
    unixctl_command_register(fixture.server, "later", "", 0, 0, cmd_later, &fixture);
    ev_async_init(&fixture.done, stop_loop);
    ev_async_start(fixture.loop, &fixture.done);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    unixctl_server_destroy(fixture->server);
    ev_loop_destroy(fixture->loop);
    free(fixture->answer);
    return 0;
}

static void *run_client(void *aux)
{
    struct fixture *fixture = aux;
    struct error error = ERROR_INIT;

    fixture->result = unixctl_client_call(fixture->socket_path, fixture->command, fixture->n_args,
                                          fixture->args, clock_now_ns() + 5 * SECOND_NS,
                                          &fixture->answer, &fixture->is_error, &error);
    ev_async_send(fixture->loop, &fixture->done);
    return NULL;
}

static void call(struct fixture *fixture, const char *command, size_t n_args)
{
    pthread_t thread;

    fixture->command = command;
    fixture->n_args = n_args;
    free(fixture->answer);
    fixture->answer = NULL;
    pthread_create(&thread, NULL, run_client, fixture);
    ev_run(fixture->loop, 0);
    pthread_join(thread, NULL);
    assert_int_equal(fixture->result, 0);
}

static void command_gets_its_arguments(void **state)
{
    struct fixture *fixture = *state;

    fixture->args[0] = "x y";
    fixture->args[1] = "z";
    call(fixture, "join", 2);
    assert_string_equal(fixture->answer, "2:x y\n");
    assert_false(fixture->is_error);
}

static void unknown_command_is_refused_in_the_words_scripts_know(void **state)
{
    struct fixture *fixture = *state;

    call(fixture, "foo", 0);
    assert_true(fixture->is_error);
    assert_string_equal(fixture->answer, "\"foo\" is not a valid command (use \"list-commands\" "
                                         "to see a list of valid commands)\n");
}

static void argument_count_is_checked(void **state)
{
    struct fixture *fixture = *state;

    call(fixture, "join", 0);
    assert_true(fixture->is_error);
    assert_string_equal(fixture->answer, "\"join\" command requires at least 1 arguments\n");
    fixture->args[0] = fixture->args[1] = fixture->args[2] = "";
    call(fixture, "join", 3);
    assert_true(fixture->is_error);
    assert_string_equal(fixture->answer, "\"join\" command takes at most 2 arguments\n");
}

static void commands_are_listed_in_order(void **state)
{
    struct fixture *fixture = *state;

    call(fixture, "list-commands", 0);
    const char *join = strstr(fixture->answer, "  join                    [A [B]]\n");
    assert_non_null(join);
    assert_non_null(strstr(join, "  later "));
    assert_non_null(strstr(join, "  vlog/set "));
}

static void answer_may_come_later(void **state)
{
    struct fixture *fixture = *state;
    struct ev_timer timer;

    ev_timer_init(&timer, answer_waiting, 0.01, 0);
    timer.data = fixture;
    ev_timer_start(fixture->loop, &timer);
    call(fixture, "later", 0);
    assert_string_equal(fixture->answer, "late\n");
}

static void second_server_on_the_socket_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;

    assert_null(unixctl_server_create(fixture->loop, fixture->socket_path, "", &error));
    assert_int_equal(error.code, -EADDRINUSE);
}

static void log_levels_are_set_and_listed(void **state)
{
    struct fixture *fixture = *state;

    fixture->args[0] = "unixctl:file:dbg";
    call(fixture, "vlog/set", 1);
    assert_false(fixture->is_error);
    call(fixture, "vlog/list", 0);
    assert_non_null(strstr(fixture->answer, "unixctl           INFO        OFF        DBG\n"));
    fixture->args[0] = "nonsense";
    call(fixture, "vlog/set", 1);
    assert_true(fixture->is_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_gets_its_arguments),
        cmocka_unit_test(unknown_command_is_refused_in_the_words_scripts_know),
        cmocka_unit_test(argument_count_is_checked),
        cmocka_unit_test(commands_are_listed_in_order),
        cmocka_unit_test(answer_may_come_later),
        cmocka_unit_test(second_server_on_the_socket_is_refused),
        cmocka_unit_test(log_levels_are_set_and_listed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
