/* SPDX-License-Identifier: Apache-2.0 */

/* Somebody sets the clock.  The program's own clock_gettime() and gettimeofday() take the place of the C
 * library's: the time of day is a day off when a test asks for it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/jsonrpc.h"
#include "lib/log.h"
#include "lib/unix_socket.h"
#include "ovsdb-lite/session.h"

enum { DAY_S = 86400 };

static time_t offset_s;
static int n_looks; /* At the time of day. */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (clock == CLOCK_REALTIME) {
        now->tv_sec += offset_s;
        n_looks++;
    }
    return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    int result = (int)syscall(SYS_gettimeofday, now, zone);

    now->tv_sec += offset_s;
    n_looks++;
    return result;
}

static const char schema_text[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{\"n\":{\"type\":"
    "\"integer\"}}}}}";

struct fixture {
    struct ev_loop *loop;
    char directory[64], socket_path[96], db_path[96];
    struct server *server;
    struct jsonrpc *rpc;
    json_t *answers; /* The results of "transact", in the order they came. */
    bool is_closed;
};

static void on_message(struct jsonrpc *rpc UNUSED, const struct jsonrpc_message *message, void *aux)
{
    struct fixture *fixture = aux;

    json_array_append(fixture->answers, message->result);
}

static void on_closed(struct jsonrpc *rpc UNUSED, const char *reason UNUSED, void *aux)
{
    struct fixture *fixture = aux;

    fixture->is_closed = true;
}

static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};

static void start_server(struct fixture *fixture)
{
    json_t *schema = json_loads(schema_text, 0, NULL);
    struct error error = ERROR_INIT;

    fixture->server = server_create(fixture->loop);
    struct store *store = store_open(fixture->db_path, schema, &error);
    if (!store)
        fail_msg("%s", error.message);
    json_decref(schema);
    server_add_store_take(fixture->server, store);
    assert_int_equal(server_listen(fixture->server, fixture->socket_path, &error), 0);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error = ERROR_INIT;

    offset_s = 0;
    strcpy(fixture->directory, "/tmp/clock_jumps.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->socket_path, sizeof fixture->socket_path, "%s/s", fixture->directory);
    snprintf(fixture->db_path, sizeof fixture->db_path, "%s/db", fixture->directory);
    fixture->answers = json_array();
    fixture->loop = ev_loop_new(EVFLAG_AUTO);
    start_server(fixture);
    fixture->rpc = jsonrpc_create(fixture->loop, unix_socket_connect(fixture->socket_path, &error),
                                  &callbacks, fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[96];

    offset_s = 0;
    jsonrpc_destroy(fixture->rpc);
    server_destroy(fixture->server);
    ev_loop_destroy(fixture->loop);
    json_decref(fixture->answers);
    snprintf(command, sizeof command, "rm -rf %s", fixture->directory);
    free(fixture);
    return system(command);
}

static void transact(struct fixture *fixture, const char *operation)
{
    json_t *params = json_array();

    json_array_append_new(params, json_string("D"));
    json_array_append_new(params, json_loads(operation, 0, NULL));
    jsonrpc_call_take(fixture->rpc, "transact", params);
}

static void nothing(struct ev_loop *loop UNUSED, struct ev_timer *timer UNUSED, int events UNUSED)
{
}

/* Long enough for the loop to see that the time of day has jumped. */
static void run_a_while(struct fixture *fixture)
{
    struct ev_timer timer;

    ev_timer_init(&timer, nothing, 0.1, 0.1);
    ev_timer_start(fixture->loop, &timer);
    for (int i = 0; i < 8; i++)
        ev_run(fixture->loop, EVRUN_ONCE);
    ev_timer_stop(fixture->loop, &timer);
}

static void run_until_answered(struct fixture *fixture, size_t n)
{
    for (int i = 0; i < 10000 && json_array_size(fixture->answers) < n && !fixture->is_closed; i++)
        ev_run(fixture->loop, EVRUN_ONCE);
    assert_int_equal(json_array_size(fixture->answers), n);
}

/* Neither a wait's timeout nor a probe's interval is a matter of the time of day. */
static void no_timer_follows_the_time_of_day(void **state)
{
    static const time_t offsets[] = {DAY_S, -DAY_S};
    struct fixture *fixture = *state;

    transact(fixture, "{\"op\":\"wait\",\"table\":\"T\",\"where\":[],\"columns\":[\"n\"],"
                      "\"until\":\"==\",\"rows\":[{\"n\":1}],\"timeout\":600000}");
    run_a_while(fixture);
    struct session *session = cds_list_first_entry(&fixture->server->sessions, struct session,
                                                   node);
    session_set_probe(session, 600000);
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        offset_s = offsets[i];
        n_looks = 0;
        run_a_while(fixture);
        assert_true(n_looks > 0); /* By the loop: the test has an effect. */
        assert_false(fixture->is_closed);
        assert_false(session->is_probing);
        assert_int_equal(json_array_size(fixture->answers), 0);
    }
    transact(fixture, "{\"op\":\"insert\",\"table\":\"T\",\"row\":{\"n\":1}}");
    run_until_answered(fixture, 2);
    for (size_t i = 0; i < 2; i++)
        assert_null(
            json_object_get(json_array_get(json_array_get(fixture->answers, i), 0), "error"));
}

static void records_are_in_order_whatever_their_time_says(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 1; i <= 4; i++) {
        offset_s = i % 2 ? DAY_S : -DAY_S;
        transact(fixture, "{\"op\":\"insert\",\"table\":\"T\",\"row\":{}}");
        run_until_answered(fixture, i);
    }
    transact(fixture, "{\"op\":\"mutate\",\"table\":\"T\",\"where\":[],\"mutations\":[[\"n\","
                      "\"+=\",1]]}");
    run_until_answered(fixture, 5);
    server_destroy(fixture->server);
    start_server(fixture);
    assert_int_equal(database_table(store_database(fixture->server->stores[0]), "T")->n_rows, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_timer_follows_the_time_of_day, setup, teardown),
        cmocka_unit_test_setup_teardown(records_are_in_order_whatever_their_time_says, setup,
                                        teardown),
    };

    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
