/* SPDX-License-Identifier: Apache-2.0 */

/* Clients that speak the protocol well and ask for too much: each is refused or made to wait, and the
 * others do not notice. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/annotations.h"
#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/jsonrpc_client.h"
#include "lib/unix_socket.h"

#define PATIENCE_NS (120 * SECOND_NS)

static char directory[64], socket_path[96];
static pid_t server;

static int start(void **state UNUSED)
{
    char rundir[96], db[96];

    strcpy(directory, "/tmp/hostile_clients_test.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(rundir, sizeof rundir, "--rundir=%s", directory);
    snprintf(db, sizeof db, "%s/conf.db", directory);
    snprintf(socket_path, sizeof socket_path, "%s/db.sock", directory);
    server = fork();
    assert_true(server >= 0);
    if (!server) {
        execl(WEIR_BUILD_DIR "/ovsdb-lite/ovsdb-lite", "ovsdb-lite", rundir, "-vconsole:err",
              "-vsyslog:off", db, NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(socket_path, F_OK); i++)
        usleep(10000);
    return access(socket_path, F_OK);
}

static int stop(void **state UNUSED)
{
    char command[128];
    int status;

    kill(server, SIGTERM);
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static struct jsonrpc_client *connect_client(void)
{
    struct error error = ERROR_INIT;
    struct jsonrpc_client *client = jsonrpc_client_connect(socket_path,
                                                           clock_now_ns() + PATIENCE_NS, &error);

    if (!client)
        fail_msg("%s", error.message);
    return client;
}

/* The answer to a request whose parameters are given as text. */
static json_t *call(struct jsonrpc_client *client, const char *method, const char *params,
                    bool *is_error)
{
    struct error error = ERROR_INIT;
    json_t *answer, *json = json_loads(params, 0, NULL);

    assert_non_null(json);
    jsonrpc_client_set_deadline(client, clock_now_ns() + PATIENCE_NS);
    if (jsonrpc_client_call_take(client, method, json, &answer, is_error, &error))
        fail_msg("%s: %s", method, error.message);
    return answer;
}

static bool mentions(const json_t *json, const char *text)
{
    char *dump = json_dumps(json, JSON_ENCODE_ANY);
    bool result = strstr(dump, text);

    free(dump);
    return result;
}

/* What "transact" of 'n' operations answers; '%zu' in 'operation' is its number. */
static json_t *transact_many(struct jsonrpc_client *client, size_t n, const char *operation)
{
    struct buffer text = BUFFER_INIT;
    bool is_error;

    buffer_puts(&text, "[\"Open_vSwitch\"");
    for (size_t i = 0; i < n; i++) {
        const char *number = strchr(operation, '#');
        buffer_printf(&text, ",%.*s", number ? (int)(number - operation) : 10000, operation);
        if (number)
            buffer_printf(&text, "%zu%s", i, number + 1);
    }
    buffer_putc(&text, ']');
    json_t *answer = call(client, "transact", buffer_text(&text), &is_error);
    assert_false(is_error);
    buffer_fini(&text);
    return answer;
}

static size_t server_rss_kib(void)
{
    char path[64], line[256];
    unsigned long kib = 0;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)server);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        sscanf(line, "VmHWM: %lu", &kib);
    fclose(file);
    return kib;
}

static void make_rows(struct jsonrpc_client *client)
{
    json_t *answer = transact_many(
        client, 1000,
        "{\"op\":\"insert\",\"table\":\"QoS\",\"row\":{\"type\":\"t#\",\"external_ids\":[\"map\","
        "[[\"a\",\"1\"],[\"b\",\"2\"],[\"c\",\"3\"],[\"d\",\"4\"],[\"e\",\"5\"],[\"f\",\"6\"]]]}}");

    assert_int_equal(json_array_size(answer), 1000);
    assert_false(mentions(answer, "error"));
    json_decref(answer);
}

static void answers_that_nobody_reads_are_not_made(void **state UNUSED)
{
    static const char select[] = "{\"method\":\"transact\",\"id\":1,\"params\":[\"Open_vSwitch\","
                                 "{\"op\":\"select\",\"table\":\"QoS\",\"where\":[]}]}";
    struct jsonrpc_client *honest = connect_client();
    struct error error = ERROR_INIT;
    bool is_error;

    make_rows(honest);
    size_t before_kib = server_rss_kib();
    int silent = unix_socket_connect(socket_path, &error);
    for (int i = 0; i < 500; i++)
        if (send(silent, select, sizeof select - 1, MSG_DONTWAIT) < 0)
            break;
    for (int i = 0; i < 5; i++)
        json_decref(call(honest, "list_dbs", "[]", &is_error));

    assert_in_range(server_rss_kib() - before_kib, 0, 64 << 10);
    close(silent);
    jsonrpc_client_destroy(honest);
}

static void results_that_are_too_large_are_refused(void **state UNUSED)
{
    struct jsonrpc_client *client = connect_client();

    make_rows(client);
    json_t *answer = transact_many(client, 100,
                                   "{\"op\":\"select\",\"table\":\"QoS\",\"where\":[]}");
    assert_true(mentions(answer, "resources exhausted"));
    json_decref(answer);
    answer = transact_many(client, 1, "{\"op\":\"select\",\"table\":\"QoS\",\"where\":[]}");
    assert_false(mentions(answer, "resources exhausted"));
    json_decref(answer);
    jsonrpc_client_destroy(client);
}

static void unfinished_messages_of_all_clients_are_bounded(void **state UNUSED)
{
    enum { N_CLIENTS = 12, N_BYTES = 12 << 20 };
    struct jsonrpc_client *honest = connect_client();
    static char text[N_BYTES] = "[\"";
    struct error error = ERROR_INIT;
    int fds[N_CLIENTS], n_closed = 0;
    bool is_error;

    memset(text + 2, 'x', sizeof text - 2);
    for (int i = 0; i < N_CLIENTS; i++) {
        fds[i] = unix_socket_connect(socket_path, &error);
        for (size_t n_sent = 0; n_sent < sizeof text;) {
            ssize_t n = send(fds[i], text + n_sent, sizeof text - n_sent, MSG_NOSIGNAL);
            if (n < 0)
                break;
            n_sent += (size_t)n;
        }
    }
    json_decref(call(honest, "list_dbs", "[]", &is_error));
    for (int i = 0; i < N_CLIENTS; i++) {
        char byte;
        n_closed += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
        close(fds[i]);
    }
    assert_in_range(n_closed, 6, 8);
    jsonrpc_client_destroy(honest);
}

/* Each insertion copies what is there: the whole costs the square of its length. */
static void transaction_that_takes_too_long_is_refused_whole(void **state UNUSED)
{
    struct jsonrpc_client *client = connect_client();

    json_t *answer = transact_many(client, 60000,
                                   "{\"op\":\"mutate\",\"table\":\"Open_vSwitch\",\"where\":[],"
                                   "\"mutations\":[[\"external_ids\",\"insert\",[\"map\","
                                   "[[\"key#\",\"value\"]]]]]}");
    assert_true(mentions(answer, "resources exhausted"));
    json_decref(answer);
    answer = transact_many(client, 1,
                           "{\"op\":\"select\",\"table\":\"Open_vSwitch\",\"where\":[]}");
    assert_false(mentions(answer, "key0"));
    json_decref(answer);
    jsonrpc_client_destroy(client);
}

/* As ovsdb-client restore sends it.  The time it may take grows with what is sent. */
static void a_large_backup_is_restored_in_one_transaction(void **state UNUSED)
{
    struct jsonrpc_client *client = connect_client();
    json_t *answer = transact_many(client, 100000,
                                   "{\"op\":\"insert\",\"table\":\"QoS\",\"row\":{\"type\":"
                                   "\"t#\",\"external_ids\":[\"map\",[[\"a\",\"b\"]]]}}");

    assert_int_equal(json_array_size(answer), 100000);
    assert_false(mentions(json_array_get(answer, 99999), "error"));
    json_decref(answer);
    jsonrpc_client_destroy(client);
}

static void condition_with_too_many_clauses_is_refused(void **state UNUSED)
{
    struct jsonrpc_client *client = connect_client();
    struct buffer text = BUFFER_INIT;
    bool is_error;

    make_rows(client);
    buffer_puts(&text, "[\"Open_vSwitch\",{\"op\":\"select\",\"table\":\"QoS\",\"where\":[true");
    for (int i = 0; i < 100000; i++)
        buffer_puts(&text, ",[\"type\",\"!=\",\"x\"]");
    buffer_puts(&text, "]}]");
    json_t *answer = call(client, "transact", buffer_text(&text), &is_error);
    assert_true(mentions(answer, "resources exhausted"));
    json_decref(answer);
    buffer_fini(&text);
    jsonrpc_client_destroy(client);
}

static void transactions_that_wait_are_bounded(void **state UNUSED)
{
    static const char wait[] =
        "{\"method\":\"transact\",\"id\":%d,\"params\":[\"Open_vSwitch\",{\"op\":\"wait\","
        "\"table\":"
        "\"Open_vSwitch\",\"where\":[],\"columns\":[\"next_cfg\"],\"until\":\"==\",\"rows\":"
        "[{\"next_cfg\":77}]},{\"op\":\"abort\",\"junk\":[";
    struct jsonrpc_client *client = connect_client();
    struct jsonrpc_message message;
    struct error error = ERROR_INIT;
    struct buffer junk = BUFFER_INIT;

    for (int i = 0; i < 100000; i++)
        buffer_puts(&junk, "0,");
    buffer_puts(&junk, "0]}]}");
    for (int i = 0; i < 25; i++) {
        struct buffer text = BUFFER_INIT;
        buffer_printf(&text, wait, i);
        buffer_puts(&text, buffer_text(&junk));
        assert_int_equal(
            jsonrpc_client_send_take(client, json_loads(buffer_text(&text), 0, NULL), &error), 0);
        buffer_fini(&text);
    }
    assert_int_equal(jsonrpc_client_receive(client, &message, &error), 0);
    assert_true(mentions(message.json, "resources exhausted"));
    jsonrpc_message_fini(&message);
    buffer_fini(&junk);
    jsonrpc_client_destroy(client);
}

/* The first wait has no limit, the second has: it must count from when the first was met. */
static void second_wait_of_a_transaction_has_its_own_timeout(void **state UNUSED)
{
    static const char params[] =
        "[\"Open_vSwitch\","
        "{\"op\":\"wait\",\"table\":\"Open_vSwitch\",\"where\":[],\"columns\":[\"next_cfg\"],"
        "\"until\":\"==\",\"rows\":[{\"next_cfg\":5}]},"
        "{\"op\":\"wait\",\"table\":\"Open_vSwitch\",\"where\":[],\"columns\":[\"cur_cfg\"],"
        "\"until\":\"==\",\"rows\":[{\"cur_cfg\":5}],\"timeout\":300}]";
    struct jsonrpc_client *waiting = connect_client(), *other = connect_client();
    struct jsonrpc_message message;
    struct error error = ERROR_INIT;

    assert_int_equal(
        jsonrpc_client_send_take(
            waiting, jsonrpc_request_take("transact", json_loads(params, 0, NULL), json_integer(1)),
            &error),
        0);
    json_decref(transact_many(other, 1,
                              "{\"op\":\"update\",\"table\":\"Open_vSwitch\",\"where\":[],"
                              "\"row\":{\"next_cfg\":5}}"));
    jsonrpc_client_set_deadline(waiting, clock_now_ns() + PATIENCE_NS);
    if (jsonrpc_client_receive(waiting, &message, &error))
        fail_msg("%s", error.message);
    assert_true(mentions(message.json, "timed out"));
    jsonrpc_message_fini(&message);
    jsonrpc_client_destroy(waiting);
    jsonrpc_client_destroy(other);
}

static void monitors_and_locks_of_a_client_are_bounded(void **state UNUSED)
{
    struct jsonrpc_client *client = connect_client();
    bool is_error = false;
    int n_monitors = 0, n_locks = 0;
    char params[100];

    for (; n_monitors < 1000 && !is_error; n_monitors++) {
        snprintf(params, sizeof params, "[\"Open_vSwitch\",%d,{\"Port\":{}}]", n_monitors);
        json_decref(call(client, "monitor", params, &is_error));
    }
    assert_in_range(n_monitors, 10, 500);
    for (is_error = false; n_locks < 1000 && !is_error; n_locks++) {
        snprintf(params, sizeof params, "[\"lock%d\"]", n_locks);
        json_decref(call(client, "lock", params, &is_error));
    }
    assert_in_range(n_locks, 10, 500);
    json_decref(call(client, "unlock", "[\"lock1\"]", &is_error));
    assert_false(is_error);
    json_decref(call(client, "steal", "[\"another\"]", &is_error));
    assert_false(is_error);
    jsonrpc_client_destroy(client);
}

/* {"QoS": [{"where": ["type", FUNCTION, "x0"], ...]}]} */
static char *condition_text(const char *prefix, size_t n, const char *function)
{
    struct buffer text = BUFFER_INIT;

    buffer_printf(&text, "%s{\"QoS\":[{\"where\":[", prefix);
    for (size_t i = 0; i < n; i++)
        buffer_printf(&text, "%s[\"type\",\"%s\",\"x%zu\"]", i ? "," : "", function, i);
    buffer_puts(&text, "]}]}]");
    return buffer_take_text(&text);
}

static void conditions_of_monitors_are_bounded(void **state UNUSED)
{
    struct jsonrpc_client *client = connect_client();
    char *many = condition_text("[\"Open_vSwitch\",\"many\",", 40000, "==");
    char *costly = condition_text("[\"Open_vSwitch\",\"costly\",", 1001, "!=");
    char *more = condition_text("[\"many\",\"many\",", 60000, "==");
    char *fewer = condition_text("[\"many\",\"many\",", 1, "!=");
    bool is_error;

    json_decref(call(client, "monitor_cond", many, &is_error));
    assert_false(is_error);
    json_t *answer = call(client, "monitor_cond", costly, &is_error);
    assert_true(is_error && mentions(answer, "resources exhausted"));
    json_decref(answer);
    answer = call(client, "monitor_cond_change", more, &is_error);
    assert_true(is_error && mentions(answer, "resources exhausted"));
    json_decref(answer);

    /* A change of one table that fails leaves the other as it is. */
    answer = call(client, "monitor_cond_change",
                  "[\"many\",\"many\",{\"QoS\":[{\"where\":[]}],\"Bridge\":[{\"where\":[]}]}]",
                  &is_error);
    assert_true(is_error && mentions(answer, "Bridge"));
    json_decref(answer);
    json_decref(call(client, "monitor_cond_change", fewer, &is_error));
    assert_false(is_error);
    free(many);
    free(costly);
    free(more);
    free(fewer);
    jsonrpc_client_destroy(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(answers_that_nobody_reads_are_not_made),
        TEST(results_that_are_too_large_are_refused),
        TEST(unfinished_messages_of_all_clients_are_bounded),
        TEST(transaction_that_takes_too_long_is_refused_whole),
        TEST(a_large_backup_is_restored_in_one_transaction),
        TEST(condition_with_too_many_clauses_is_refused),
        TEST(transactions_that_wait_are_bounded),
        TEST(second_wait_of_a_transaction_has_its_own_timeout),
        TEST(monitors_and_locks_of_a_client_are_bounded),
        TEST(conditions_of_monitors_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
