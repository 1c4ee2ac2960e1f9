/* SPDX-License-Identifier: Apache-2.0 */

/* Server and client together on one loop: what the replica sees of a database. */

#include "lib/ovsdb/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/buffer.h"
#include "lib/jsonrpc.h"
#include "lib/log.h"
#include "lib/unix_socket.h"
#include "ovsdb-lite/builtin_schema.h"
#include "ovsdb-lite/server.h"
#include "ovsdb-lite/store.h"

struct fixture {
    struct ev_loop *loop;
    char directory[64], socket_path[96], db_path[96];
    struct server *server;
    struct ovsdb_client *client;
    struct buffer events; /* What the callbacks were told, in words. */
    int n_updates;
    bool is_connected;
    enum ovsdb_txn_status status;
    char message[512];
    bool is_done;
};

static void on_row_changed(struct ovsdb_client *client, enum ovsdb_change change, const char *table,
                           const struct ovsdb_row *before, const struct ovsdb_row *after, void *aux)
{
    static const char *const verbs[] = {"insert", "modify", "delete"};
    struct fixture *fixture = aux;
    const char *name = ovsdb_row_string(after ? after : before, "name");

    (void)client;
    buffer_printf(&fixture->events, "%s %s %s;", verbs[change], table, name ? name : "-");
}

static void on_updated(struct ovsdb_client *client, void *aux)
{
    struct fixture *fixture = aux;

    (void)client;
    fixture->n_updates++;
}

static void on_connected(struct ovsdb_client *client, bool is_connected, void *aux)
{
    struct fixture *fixture = aux;

    (void)client;
    fixture->is_connected = is_connected;
}

static const struct ovsdb_client_callbacks callbacks = {
    .row_changed = on_row_changed, .updated = on_updated, .connected = on_connected};

static void start_server(struct fixture *fixture)
{
    json_t *schema = json_loads(builtin_schema, 0, NULL);
    struct error error = ERROR_INIT;

    fixture->server = server_create(fixture->loop);
    struct store *store = store_open(fixture->db_path, schema, &error);
    if (!store)
        fail_msg("%s", error.message);
    json_decref(schema);
    server_add_store_take(fixture->server, store);
    server_add_server_database(fixture->server);
    assert_int_equal(server_listen(fixture->server, fixture->socket_path, &error), 0);
}

static void run_until(struct fixture *fixture, const bool *flag, bool value)
{
    for (int i = 0; i < 10000 && *flag != value; i++)
        ev_run(fixture->loop, EVRUN_ONCE);
    assert_int_equal(*flag, value);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    strcpy(fixture->directory, "/tmp/replica_test.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->socket_path, sizeof fixture->socket_path, "%s/db.sock", fixture->directory);
    snprintf(fixture->db_path, sizeof fixture->db_path, "%s/conf.db", fixture->directory);
    fixture->loop = ev_loop_new(EVFLAG_AUTO);
    start_server(fixture);
    fixture->client = ovsdb_client_create(fixture->loop, fixture->socket_path, "Open_vSwitch",
                                          &callbacks, fixture);
    ovsdb_client_watch(fixture->client, "Open_vSwitch", NULL);
    ovsdb_client_watch(fixture->client, "Bridge", "name", "ports", "other_config", NULL);
    ovsdb_client_watch(fixture->client, "No_such_table", NULL);
    ovsdb_client_start(fixture->client);
    run_until(fixture, &fixture->is_connected, true);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    ovsdb_client_destroy(fixture->client);
    server_destroy(fixture->server);
    ev_loop_destroy(fixture->loop);
    buffer_fini(&fixture->events);
    snprintf(command, sizeof command, "rm -rf %s", fixture->directory);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void on_done(enum ovsdb_txn_status status, const char *message, const json_t *results,
                    void *aux)
{
    struct fixture *fixture = aux;

    (void)results;
    fixture->status = status;
    snprintf(fixture->message, sizeof fixture->message, "%s", message);
    fixture->is_done = true;
}

static enum ovsdb_txn_status commit(struct fixture *fixture, struct ovsdb_txn *txn)
{
    fixture->is_done = false;
    buffer_clear(&fixture->events);
    ovsdb_txn_commit_take(txn, on_done, fixture);
    assert_false(fixture->is_done);
    run_until(fixture, &fixture->is_done, true);
    return fixture->status;
}

static const struct ovsdb_row *root(struct fixture *fixture)
{
    return ovsdb_client_first(fixture->client, "Open_vSwitch");
}

static void add_bridge(struct fixture *fixture, const char *name)
{
    struct ovsdb_txn *txn = ovsdb_txn_create(fixture->client);

    ovsdb_txn_insert_take(txn, "Bridge", "b", json_pack("{s:s}", "name", name));
    ovsdb_txn_mutate_take(txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)), "bridges", "insert",
                          ovsdb_json_named_uuid("b"));
    assert_int_equal(commit(fixture, txn), OVSDB_TXN_SUCCESS);
}

static void new_file_has_its_root_row(void **state)
{
    struct fixture *fixture = *state;

    assert_non_null(root(fixture));
    assert_int_equal(ovsdb_client_n_rows(fixture->client, "Open_vSwitch"), 1);
    assert_int_equal(ovsdb_row_integer(root(fixture), "next_cfg", -1), 0);
    assert_null(ovsdb_row_string(root(fixture), "ovs_version"));
}

static void transaction_is_in_the_replica_when_it_completes(void **state)
{
    struct fixture *fixture = *state;

    add_bridge(fixture, "br0");
    assert_int_equal(ovsdb_client_n_rows(fixture->client, "Bridge"), 1);
    const struct ovsdb_row *bridge = ovsdb_row_ref_at(root(fixture), "bridges", 0);
    assert_non_null(bridge);
    assert_string_equal(ovsdb_row_string(bridge, "name"), "br0");
    assert_non_null(strstr(buffer_text(&fixture->events), "insert Bridge br0;"));
    assert_non_null(strstr(buffer_text(&fixture->events), "modify Open_vSwitch -;"));
}

static void set_sends_only_what_differs(void **state)
{
    struct fixture *fixture = *state;

    add_bridge(fixture, "br0");
    const struct ovsdb_row *bridge = ovsdb_client_first(fixture->client, "Bridge");
    for (int round = 0; round < 2; round++) {
        struct ovsdb_txn *txn = ovsdb_txn_create(fixture->client);
        json_t *map = ovsdb_json_map();
        ovsdb_json_map_add_string(map, "hwaddr", "00:00:00:00:00:01");
        ovsdb_json_map_add_string(map, "n", "12");
        bool is_sent = ovsdb_txn_set_take(txn, bridge, "other_config", map);
        assert_int_equal(is_sent, round == 0);
        assert_false(ovsdb_txn_set_take(txn, bridge, "no_such_column", json_integer(1)));
        assert_int_equal(commit(fixture, txn), round ? OVSDB_TXN_UNCHANGED : OVSDB_TXN_SUCCESS);
    }
    assert_ptr_equal(bridge, ovsdb_client_first(fixture->client, "Bridge"));
    assert_string_equal(ovsdb_row_map_get(bridge, "other_config", "hwaddr"), "00:00:00:00:00:01");
    assert_int_equal(ovsdb_row_map_integer(bridge, "other_config", "n", 0), 12);
    assert_null(ovsdb_row_map_get(bridge, "other_config", "x"));
}

static void refusal_names_the_reason(void **state)
{
    struct fixture *fixture = *state;
    struct ovsdb_txn *txn;

    txn = ovsdb_txn_create(fixture->client);
    ovsdb_txn_update_take(txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)),
                          json_pack("{s:s}", "next_cfg", "x"));
    assert_int_equal(commit(fixture, txn), OVSDB_TXN_REFUSED);
    assert_non_null(strstr(fixture->message, "next_cfg"));

    txn = ovsdb_txn_create(fixture->client);
    ovsdb_txn_wait_take(txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)),
                        json_pack("{s:i}", "next_cfg", 7));
    ovsdb_txn_update_take(txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)),
                          json_pack("{s:i}", "next_cfg", 8));
    assert_int_equal(commit(fixture, txn), OVSDB_TXN_TRY_AGAIN);
}

static void deleted_row_is_reported(void **state)
{
    struct fixture *fixture = *state;
    struct ovsdb_txn *txn;

    add_bridge(fixture, "br0");
    txn = ovsdb_txn_create(fixture->client);
    ovsdb_txn_update_take(txn, "Open_vSwitch", ovsdb_row_uuid(root(fixture)),
                          json_pack("{s:o}", "bridges", ovsdb_json_empty_set()));
    assert_int_equal(commit(fixture, txn), OVSDB_TXN_SUCCESS);
    assert_non_null(strstr(buffer_text(&fixture->events), "delete Bridge br0;"));
    assert_int_equal(ovsdb_client_n_rows(fixture->client, "Bridge"), 0);
}

static void reconnection_reports_differences_only(void **state)
{
    struct fixture *fixture = *state;

    add_bridge(fixture, "br0");
    const struct ovsdb_row *bridge = ovsdb_client_first(fixture->client, "Bridge");
    server_destroy(fixture->server);
    run_until(fixture, &fixture->is_connected, false);
    assert_int_equal(ovsdb_client_n_rows(fixture->client, "Bridge"), 1);

    struct ovsdb_txn *txn = ovsdb_txn_create(fixture->client);
    ovsdb_txn_set_take(txn, root(fixture), "cur_cfg", json_integer(5));
    assert_int_equal(commit(fixture, txn), OVSDB_TXN_LOST);

    buffer_clear(&fixture->events);
    start_server(fixture);
    run_until(fixture, &fixture->is_connected, true);
    assert_string_equal(buffer_text(&fixture->events), "");
    assert_ptr_equal(bridge, ovsdb_client_first(fixture->client, "Bridge"));
}

struct raw {
    struct jsonrpc *rpc;
    struct buffer heard;
    bool is_answered;
};

static void on_raw_message(struct jsonrpc *rpc, const struct jsonrpc_message *message, void *aux)
{
    struct raw *raw = aux;
    char *text = json_dumps(message->json, JSON_COMPACT | JSON_SORT_KEYS);

    (void)rpc;
    buffer_printf(&raw->heard, "%s\n", text);
    free(text);
    raw->is_answered = message->type == JSONRPC_REPLY || message->type == JSONRPC_ERROR;
}

static void on_raw_closed(struct jsonrpc *rpc, const char *reason, void *aux)
{
    (void)rpc, (void)reason, (void)aux;
}

static void say(struct fixture *fixture, struct raw *raw, const char *method, const char *params)
{
    raw->is_answered = false;
    jsonrpc_call_take(raw->rpc, method, json_loads(params, 0, NULL));
    run_until(fixture, &raw->is_answered, true);
}

static void monitors_of_all_forms_tell_the_same_story(void **state)
{
    static const struct jsonrpc_callbacks raw_callbacks = {.message = on_raw_message,
                                                           .closed = on_raw_closed};
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    struct raw raw = {.heard = BUFFER_INIT};

    raw.rpc = jsonrpc_create(fixture->loop, unix_socket_connect(fixture->socket_path, &error),
                             &raw_callbacks, &raw);
    say(fixture, &raw, "monitor",
        "[\"Open_vSwitch\",1,{\"Bridge\":{\"columns\":[\"name\",\"ports\"]}}]");
    say(fixture, &raw, "monitor_cond",
        "[\"Open_vSwitch\",2,{\"Bridge\":[{\"columns\":[\"name\"],\"where\":[[\"name\",\"==\","
        "\"br1\"]]}]}]");
    say(fixture, &raw, "monitor_cond_since",
        "[\"Open_vSwitch\",3,{\"Bridge\":[{\"columns\":[\"name\"]}]},"
        "\"00000000-0000-0000-0000-000000000000\"]");
    assert_non_null(strstr(buffer_text(&raw.heard), "\"result\":[false,\""));
    buffer_clear(&raw.heard);
    add_bridge(fixture, "br0");
    say(fixture, &raw, "list_dbs", "[]");
    const char *heard = buffer_text(&raw.heard);
    assert_non_null(strstr(heard, "\"method\":\"update\",\"params\":[1,{\"Bridge\":{"));
    assert_non_null(strstr(heard, "{\"new\":{\"name\":\"br0\",\"ports\":[\"set\",[]]}}"));
    assert_null(strstr(heard, "update2"));
    assert_non_null(strstr(heard, "\"method\":\"update3\",\"params\":[3,\""));
    assert_non_null(strstr(heard, "{\"insert\":{\"name\":\"br0\"}}"));

    buffer_clear(&raw.heard);
    say(fixture, &raw, "monitor_cond_change",
        "[2,2,{\"Bridge\":[{\"where\":[[\"name\",\"==\",\"br0\"]]}]}]");
    heard = buffer_text(&raw.heard);
    const char *update = strstr(heard, "update2");
    assert_non_null(update);
    assert_non_null(strstr(update, "\"result\":{}")); /* The change comes before the answer. */
    say(fixture, &raw, "monitor_cancel", "[2]");
    say(fixture, &raw, "monitor_cancel", "[2]");
    assert_non_null(strstr(buffer_text(&raw.heard), "unknown monitor"));
    jsonrpc_destroy(raw.rpc);
    buffer_fini(&raw.heard);
}

static void locks_are_owned_in_line(void **state)
{
    static const struct jsonrpc_callbacks raw_callbacks = {.message = on_raw_message,
                                                           .closed = on_raw_closed};
    struct fixture *fixture = *state;
    struct error error = ERROR_INIT;
    struct raw one = {.heard = BUFFER_INIT}, two = {.heard = BUFFER_INIT};

    one.rpc = jsonrpc_create(fixture->loop, unix_socket_connect(fixture->socket_path, &error),
                             &raw_callbacks, &one);
    two.rpc = jsonrpc_create(fixture->loop, unix_socket_connect(fixture->socket_path, &error),
                             &raw_callbacks, &two);
    say(fixture, &one, "lock", "[\"l\"]");
    assert_non_null(strstr(buffer_text(&one.heard), "\"locked\":true"));
    say(fixture, &two, "lock", "[\"l\"]");
    assert_non_null(strstr(buffer_text(&two.heard), "\"locked\":false"));
    say(fixture, &one, "unlock", "[\"l\"]");
    say(fixture, &two, "transact", "[\"Open_vSwitch\",{\"op\":\"assert\",\"lock\":\"l\"}]");
    assert_non_null(strstr(buffer_text(&two.heard), "\"method\":\"locked\""));
    assert_null(strstr(buffer_text(&two.heard), "not owner"));
    say(fixture, &one, "steal", "[\"l\"]");
    say(fixture, &two, "transact", "[\"Open_vSwitch\",{\"op\":\"assert\",\"lock\":\"l\"}]");
    assert_non_null(strstr(buffer_text(&two.heard), "\"method\":\"stolen\""));
    assert_non_null(strstr(buffer_text(&two.heard), "not owner"));
    jsonrpc_destroy(one.rpc);
    jsonrpc_destroy(two.rpc);
    buffer_fini(&one.heard);
    buffer_fini(&two.heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        TEST(new_file_has_its_root_row),
        TEST(transaction_is_in_the_replica_when_it_completes),
        TEST(set_sends_only_what_differs),
        TEST(refusal_names_the_reason),
        TEST(deleted_row_is_reported),
        TEST(reconnection_reports_differences_only),
        TEST(monitors_of_all_forms_tell_the_same_story),
        TEST(locks_are_owned_in_line),
    };
    log_set_levels("console:off", NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
