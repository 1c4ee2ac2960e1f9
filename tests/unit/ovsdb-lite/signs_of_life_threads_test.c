/* SPDX-License-Identifier: Apache-2.0 */

/* A disk that takes its time: the program's own fdatasync() returns once another client has been given
 * a sign of life.  If the server kept everybody waiting, it would wait for ever. */

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/jsonrpc_client.h"
#include "lib/log.h"
#include "lib/long_work.h"
#include "lib/unix_socket.h"
#include "ovsdb-lite/server.h"

static const char schema_text[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{\"n\":{\"type\":"
    "\"integer\"}}}}}";

static char directory[64], socket_path[96], db_path[96];
static atomic_bool is_slow, was_patient;
static sem_t sync_began, sign_came;

static bool wait_a_minute(sem_t *semaphore)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    return !sem_timedwait(semaphore, &until);
}

int fdatasync(int fd)
{
    if (atomic_exchange(&is_slow, false)) {
        sem_post(&sync_began);
        atomic_store(&was_patient, wait_a_minute(&sign_came));
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static struct jsonrpc_client *connect_client(void)
{
    struct error error = ERROR_INIT;
    struct jsonrpc_client *client =
        jsonrpc_client_connect(socket_path, clock_now_ns() + 120 * SECOND_NS, &error);

    if (!client)
        fprintf(stderr, "%s\n", error.message);
    return client;
}

static bool call(struct jsonrpc_client *client, const char *method, json_t *params)
{
    struct error error = ERROR_INIT;
    json_t *answer = NULL;
    bool is_error = true;

    if (jsonrpc_client_call_take(client, method, params, &answer, &is_error, &error))
        fprintf(stderr, "%s: %s\n", method, error.message);
    json_decref(answer);
    return !is_error;
}

/* Changes something, and waits for the answer. */
static void *change(void *loop_stop)
{
    struct jsonrpc_client *client = connect_client();
    json_t *insert = json_pack("{s:s, s:s, s:{s:i}}", "op", "insert", "table", "T", "row", "n", 1);
    bool is_ok = call(client, "transact", json_pack("[s, o]", "D", insert));

    jsonrpc_client_destroy(client);
    ev_async_send(ev_default_loop(0), loop_stop);
    return is_ok ? client : NULL;
}

/* Is connected before, and asks while the server waits for the disk. */
static void *ask(void *client)
{
    bool is_ok = wait_a_minute(&sync_began) && call(client, "echo", json_array()) &&
                 call(client, "echo", json_array());

    sem_post(&sign_came);
    return is_ok ? client : NULL;
}

static struct server *start_server(struct ev_loop *loop)
{
    json_t *schema = json_loads(schema_text, 0, NULL);
    struct error error = ERROR_INIT;
    struct server *server = server_create(loop);
    struct store *store = store_open(db_path, schema, &error);

    if (!store)
        fail_msg("%s", error.message);
    json_decref(schema);
    server_add_store_take(server, store);
    assert_int_equal(server_listen(server, socket_path, &error), 0);
    server_start_signs_of_life(server);
    return server;
}

static void on_stop(struct ev_loop *loop, struct ev_async *watcher UNUSED, int events UNUSED)
{
    ev_break(loop, EVBREAK_ALL);
}

static void a_slow_disk_is_no_reason_to_be_silent(void **state UNUSED)
{
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    struct server *server = start_server(loop);
    struct jsonrpc_client *other = connect_client();
    pthread_t changing, asking;
    void *has_changed, *was_answered;
    struct ev_async stop;

    assert_non_null(other);
    ev_async_init(&stop, on_stop);
    ev_async_start(loop, &stop);
    while (!server->n_sessions)
        ev_run(loop, EVRUN_ONCE);
    atomic_store(&is_slow, true);
    assert_int_equal(pthread_create(&asking, NULL, ask, other), 0);
    assert_int_equal(pthread_create(&changing, NULL, change, &stop), 0);
    ev_run(loop, 0);
    pthread_join(changing, &has_changed);
    pthread_join(asking, &was_answered);

    assert_true(atomic_load(&was_patient));
    assert_non_null(was_answered);
    assert_non_null(has_changed);
    jsonrpc_client_destroy(other);
    server_destroy(server);
    ev_async_stop(loop, &stop);
    ev_loop_destroy(loop);
}

static int setup(void **state UNUSED)
{
    strcpy(directory, "/tmp/signs_of_life.XXXXXX");
    snprintf(socket_path, sizeof socket_path, "%s/s", mkdtemp(directory));
    snprintf(db_path, sizeof db_path, "%s/db", directory);
    return sem_init(&sync_began, 0, 0) || sem_init(&sign_came, 0, 0);
}

static int teardown(void **state UNUSED)
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slow_disk_is_no_reason_to_be_silent, setup, teardown),
    };

    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
