/* SPDX-License-Identifier: Apache-2.0 */

/* A disk that fails.  The program's own fdatasync() and writev() take the place of the C library's:
 * they fail when a test asks for it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/jsonrpc.h"
#include "lib/log.h"
#include "lib/unix_socket.h"
#include "ovsdb-lite/server.h"

static bool sync_fails, write_fails;
static int n_syncs;

int fdatasync(int fd)
{
    if (sync_fails) {
        errno = EIO;
        return -1;
    }
    n_syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
    if (write_fails) {
        /* A part gets through, as on a disk that is nearly full. */
        ssize_t n = write(fd, parts->iov_base, parts->iov_len / 2);
        write_fails = n == 0;
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_writev, fd, parts, n_parts);
}

static const char schema_text[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{\"n\":{\"type\":"
    "\"integer\"}}}}}";

struct fixture {
    struct ev_loop *loop;
    char directory[64], socket_path[96], db_path[96];
    struct server *server;
    struct jsonrpc *rpc;
    json_t *answer; /* "result" of the last reply. */
    bool is_closed;
};

static void on_message(struct jsonrpc *rpc, const struct jsonrpc_message *message, void *aux)
{
    struct fixture *fixture = aux;

    (void)rpc;
    json_decref(fixture->answer);
    fixture->answer = json_incref(message->result);
}

static void on_closed(struct jsonrpc *rpc, const char *reason, void *aux)
{
    struct fixture *fixture = aux;

    (void)rpc, (void)reason;
    fixture->is_closed = true;
}

static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};

static void start(struct fixture *fixture)
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

static void connect_client(struct fixture *fixture)
{
    struct error error = ERROR_INIT;

    jsonrpc_destroy(fixture->rpc);
    fixture->is_closed = false;
    fixture->rpc = jsonrpc_create(fixture->loop, unix_socket_connect(fixture->socket_path, &error),
                                  &callbacks, fixture);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    strcpy(fixture->directory, "/tmp/sync_failure.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->socket_path, sizeof fixture->socket_path, "%s/s", fixture->directory);
    snprintf(fixture->db_path, sizeof fixture->db_path, "%s/db", fixture->directory);
    fixture->loop = ev_loop_new(EVFLAG_AUTO);
    start(fixture);
    connect_client(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[96];

    sync_fails = write_fails = false;
    jsonrpc_destroy(fixture->rpc);
    server_destroy(fixture->server);
    ev_loop_destroy(fixture->loop);
    json_decref(fixture->answer);
    snprintf(command, sizeof command, "rm -rf %s", fixture->directory);
    free(fixture);
    return system(command);
}

/* The answer, or NULL if the connection ended without one. */
static const json_t *transact(struct fixture *fixture, json_t *operation)
{
    json_decref(fixture->answer);
    fixture->answer = NULL;
    jsonrpc_call_take(fixture->rpc, "transact", json_pack("[s, o]", "D", operation));
    for (int i = 0; i < 1000 && !fixture->answer && !fixture->is_closed; i++)
        ev_run(fixture->loop, EVRUN_ONCE);
    return fixture->answer;
}

static const json_t *insert(struct fixture *fixture, int n)
{
    return transact(fixture,
                    json_pack("{s:s, s:s, s:{s:i}}", "op", "insert", "table", "T", "row", "n", n));
}

static size_t count(struct fixture *fixture)
{
    const json_t *answer =
        transact(fixture, json_pack("{s:s, s:s, s:[]}", "op", "select", "table", "T", "where"));

    return json_array_size(json_object_get(json_array_get(answer, 0), "rows"));
}

static const char *failure(const json_t *answer)
{
    const json_t *last = json_array_get(answer, json_array_size(answer) - 1);

    return json_string_value(json_object_get(last, "error"));
}

static void restart(struct fixture *fixture)
{
    server_destroy(fixture->server);
    start(fixture);
    connect_client(fixture);
}

static void failed_sync_acknowledges_nothing_and_shows_nothing(void **state)
{
    struct fixture *fixture = *state;

    assert_null(failure(insert(fixture, 1)));
    sync_fails = true;
    assert_null(insert(fixture, 2));
    assert_true(fixture->is_closed);

    sync_fails = false;
    connect_client(fixture);
    assert_int_equal(count(fixture), 1);
    assert_string_equal(failure(insert(fixture, 3)), "I/O error");
    assert_int_equal(count(fixture), 1);
    restart(fixture);
    assert_int_equal(count(fixture), 1); /* What may not be on the disk does not come back. */
    assert_null(failure(insert(fixture, 4)));
}

static void failed_write_is_refused_and_forgotten(void **state)
{
    struct fixture *fixture = *state;

    assert_null(failure(insert(fixture, 1)));
    write_fails = true;
    n_syncs = 0;
    assert_string_equal(failure(insert(fixture, 2)), "I/O error");
    assert_int_equal(n_syncs, 1); /* Of the file without it, before that was said. */
    assert_int_equal(count(fixture), 1);
    assert_null(failure(insert(fixture, 3))); /* There is space again. */
    restart(fixture);
    assert_int_equal(count(fixture), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(failed_sync_acknowledges_nothing_and_shows_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(failed_write_is_refused_and_forgotten, setup, teardown),
    };
    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
