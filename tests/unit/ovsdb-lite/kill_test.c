/* SPDX-License-Identifier: Apache-2.0 */

/* kill -9 at any moment: every acknowledged transaction is there afterwards, and each is there whole
 * or not at all.  WEIR_KILLS=N asks for more rounds than the default. */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/jsonrpc_client.h"
#include "lib/ovsdb/session.h"

enum { N_CLIENTS = 4, DEFAULT_KILLS = 100 };

/* Pairs are inserted in one transaction: half a pair is a transaction that is not whole. */
static const char schema_text[] =
    "{\"name\":\"Kill\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"isRoot\":true,\"indexes\":"
    "[[\"key\"]],\"columns\":{\"key\":{\"type\":\"string\"},\"round\":{\"type\":\"integer\"}}}}}";

struct fixture {
    char directory[64], rundir_option[96], schema_option[128], db_path[96], socket_path[96];
    pid_t server;
    json_int_t n_acknowledged;
};

static pid_t start_server(struct fixture *fixture)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid) {
        execl(WEIR_BUILD_DIR "/ovsdb-lite/ovsdb-lite", "ovsdb-lite", fixture->rundir_option,
              fixture->schema_option, "-vconsole:err", fixture->db_path, NULL);
        _exit(127);
    }
    return pid;
}

static struct ovsdb_session *connect_to(struct fixture *fixture)
{
    for (int i = 0; i < 1000; i++) {
        struct error error = ERROR_INIT;
        struct ovsdb_session *session = ovsdb_session_connect(
            fixture->socket_path, "Kill", NULL, clock_now_ns() + 10 * SECOND_NS, &error);
        if (session)
            return session;
        usleep(5000);
    }
    fail_msg("the server did not come back");
    return NULL;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char schema_path[96];

    strcpy(fixture->directory, "/tmp/kill_test.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(schema_path, sizeof schema_path, "%s/schema", fixture->directory);
    FILE *file = fopen(schema_path, "w");
    fputs(schema_text, file);
    fclose(file);
    snprintf(fixture->rundir_option, sizeof fixture->rundir_option, "--rundir=%s",
             fixture->directory);
    snprintf(fixture->schema_option, sizeof fixture->schema_option, "--schema=%s", schema_path);
    snprintf(fixture->db_path, sizeof fixture->db_path, "%s/db", fixture->directory);
    snprintf(fixture->socket_path, sizeof fixture->socket_path, "%s/db.sock", fixture->directory);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    if (fixture->server > 0) {
        kill(fixture->server, SIGKILL);
        waitpid(fixture->server, NULL, 0);
    }
    snprintf(command, sizeof command, "rm -rf %s", fixture->directory);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static json_t *pair_of(json_int_t round, int client, int n)
{
    char a[64], b[64];

    snprintf(a, sizeof a, "%lld-%d-%d-a", (long long)round, client, n);
    snprintf(b, sizeof b, "%lld-%d-%d-b", (long long)round, client, n);
    return json_pack("[s, {s:s, s:s, s:{s:s, s:I}}, {s:s, s:s, s:{s:s, s:I}}]", "Kill", "op",
                     "insert", "table", "T", "row", "key", a, "round", round, "op", "insert",
                     "table", "T", "row", "key", b, "round", round);
}

/* Commits pairs, telling the parent of each acknowledged one, until the server is gone. */
static _Noreturn void run_client(struct fixture *fixture, json_int_t round, int client, int pipe_fd)
{
    struct error error = ERROR_INIT;
    struct jsonrpc_client *rpc = jsonrpc_client_connect(fixture->socket_path,
                                                        clock_now_ns() + 10 * SECOND_NS, &error);

    for (int n = 0; rpc; n++) {
        bool is_error;
        json_t *answer;
        if (jsonrpc_client_call_take(rpc, "transact", pair_of(round, client, n), &answer, &is_error,
                                     &error))
            break;
        if (is_error || json_array_size(answer) != 2 || write(pipe_fd, "x", 1) != 1)
            _exit(1);
        json_decref(answer);
    }
    _exit(0);
}

/* Lets clients commit for a while, kills the server, and counts what was acknowledged. */
static json_int_t run_round(struct fixture *fixture, json_int_t round, useconds_t delay_us)
{
    pid_t clients[N_CLIENTS];
    char bytes[4096];
    json_int_t n_acknowledged = 0;
    ssize_t n;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < N_CLIENTS; i++) {
        clients[i] = fork();
        if (!clients[i]) {
            close(ends[0]);
            run_client(fixture, round, i, ends[1]);
        }
    }
    close(ends[1]);
    usleep(delay_us);
    kill(fixture->server, SIGKILL);
    waitpid(fixture->server, NULL, 0);
    while ((n = read(ends[0], bytes, sizeof bytes)) > 0)
        n_acknowledged += n;
    close(ends[0]);
    for (int i = 0; i < N_CLIENTS; i++) {
        int status;
        waitpid(clients[i], &status, 0);
        assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
    }
    return n_acknowledged;
}

/* Clients count up, so what was acknowledged is what each has from 0 on without a gap. */
static void check_round(json_t *rows, json_int_t n_acknowledged, json_int_t round)
{
    int n_of[N_CLIENTS] = {0}, highest[N_CLIENTS] = {0};
    size_t i;
    json_t *row;

    json_array_foreach (rows, i, row) {
        long long r;
        int client, n;
        char half;
        assert_int_equal(sscanf(json_string_value(json_object_get(row, "key")), "%lld-%d-%d-%c", &r,
                                &client, &n, &half),
                         4);
        n_of[client] += 1;
        if (n + 1 > highest[client])
            highest[client] = n + 1;
    }
    json_int_t n_pairs = 0;
    for (int c = 0; c < N_CLIENTS; c++) {
        if (n_of[c] != 2 * highest[c])
            fail_msg("round %lld: client %d has %d rows of %d pairs", (long long)round, c, n_of[c],
                     highest[c]);
        n_pairs += highest[c];
    }
    /* Each client may have one that was committed and not acknowledged. */
    if (n_pairs < n_acknowledged || n_pairs > n_acknowledged + N_CLIENTS)
        fail_msg("round %lld: %lld pairs, %lld acknowledged", (long long)round, (long long)n_pairs,
                 (long long)n_acknowledged);
}

static void acknowledged_is_durable_and_whole(void **state)
{
    struct fixture *fixture = *state;
    const char *asked = getenv("WEIR_KILLS");
    json_int_t n_kills = asked ? atoi(asked) : DEFAULT_KILLS;
    json_int_t n_all = 0;

    srand(7);
    fixture->server = start_server(fixture);
    for (json_int_t round = 0; round < n_kills; round++) {
        struct ovsdb_session *session = connect_to(fixture);
        struct error error = ERROR_INIT;
        ovsdb_session_destroy(session);

        json_int_t n = run_round(fixture, round, (useconds_t)(rand() % 50000));
        n_all += n;
        int64_t start_ns = clock_now_ns();
        fixture->server = start_server(fixture);
        session = connect_to(fixture);
        json_t *rows = ovsdb_session_select_take(
            session, "T", json_pack("[[s, s, I]]", "round", "==", round), NULL, &error);
        if (!rows)
            fail_msg("%s", error.message);
        check_round(rows, n, round);
        assert_true(clock_now_ns() - start_ns < 5 * SECOND_NS);
        json_decref(rows);

        /* Also compaction may be what is interrupted next time; and the file stays small. */
        json_t *results;
        if (ovsdb_session_transact_take(
                session, json_pack("[{s:s, s:s, s:[]}]", "op", "delete", "table", "T", "where"),
                &results, &error))
            fail_msg("%s", error.message);
        json_decref(results);
        ovsdb_session_destroy(session);
    }
    printf("kills=%lld acknowledged=%lld\n", (long long)n_kills, (long long)n_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(acknowledged_is_durable_and_whole, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
